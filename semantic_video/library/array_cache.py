"""Arrays that can be made again, kept beside the tables because making them takes long."""

from __future__ import annotations

import contextlib
import hashlib
import io
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

CACHE = "cache"
"""The directory for these in a library."""

_DIGEST_BYTES = 16
_LEFTOVER_S = 3600


def cached_array(
    directory: Path, name: str, key: str, make: Callable[[], NDArray[Any]]
) -> NDArray[Any]:
    """The array stored under ``name`` and ``key``; ``make()`` and store it where there is none.

    A file is complete or absent (it is renamed into place), so any number of processes may do this
    at once; one that does not match its own digest is made again. Where nothing can be written the
    array is simply made each time.
    """
    path = directory / f"{name}-{_hash(key.encode('utf-8')).hex()}.npy"
    array = _read(path)
    if array is None:
        array = make()
        # A cache that cannot be written costs time, not the result.
        with contextlib.suppress(OSError):
            _write(path, array)
    return array


def _read(path: Path) -> NDArray[Any] | None:
    try:
        stored = path.read_bytes()
    except OSError:
        return None
    content, digest = stored[:-_DIGEST_BYTES], stored[-_DIGEST_BYTES:]
    if _hash(content) != digest:
        return None
    array: NDArray[Any] = np.load(io.BytesIO(content), allow_pickle=False)
    return array


def _write(path: Path, array: NDArray[Any]) -> None:
    buffer = io.BytesIO()
    np.save(buffer, array, allow_pickle=False)
    content = buffer.getvalue()
    path.parent.mkdir(exist_ok=True)
    replace_file(path, content + _hash(content))


def replace_file(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path`` so that a reader sees the old file or the new one, whole."""
    descriptor, temporary = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".tmp", dir=path.parent)
    try:
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise


def remove_leftovers(*directories: Path) -> None:
    """Remove what processes that were killed while they wrote a file left behind."""
    for directory in directories:
        for path in directory.glob("*.tmp"):
            with contextlib.suppress(OSError):
                if time.time() - path.stat().st_mtime > _LEFTOVER_S:
                    path.unlink()


def _hash(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()
