"""Many arrays in one file that is mapped into memory: opened at once, read where it is looked at.

Layout: magic, length of the header (8 bytes, little-endian), header (JSON: the key, and for every
array its type, shape and offset), a digest of the header, then the arrays, each aligned.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import math
import mmap
import os
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

_MAGIC = b"SVPACK1\n"
_ALIGNMENT = 4096
_DIGEST_BYTES = 16
_SUFFIX = ".pack"


def read_pack(directory: Path, name: str, key: str) -> dict[str, NDArray[Any]] | None:
    """The arrays kept under ``name`` for ``key``, read-only views of the file; None without any.

    A file that is cut short, or whose header is not as it was written, counts as none. What the
    arrays themselves hold is not checked: that would read all of it.
    """
    try:
        with _path(directory, name, key).open("rb") as file:
            mapped = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
    except (OSError, ValueError):  # none, or empty
        return None
    start = len(_MAGIC) + 8
    if mapped[: len(_MAGIC)] != _MAGIC:
        return None
    end = start + int.from_bytes(mapped[len(_MAGIC) : start], "little")
    content = mapped[start:end]
    if _hash(content) != mapped[end : end + _DIGEST_BYTES]:
        return None
    header = json.loads(content)
    if header["key"] != key or header["bytes"] != len(mapped):
        return None
    return {
        own["name"]: np.frombuffer(
            mapped, own["type"], math.prod(own["shape"]), own["offset"]
        ).reshape(own["shape"])
        for own in header["arrays"]
    }


def write_pack(
    directory: Path, name: str, key: str, make: Callable[[], Mapping[str, NDArray[Any]]]
) -> None:
    """Keep the arrays that ``make`` gives under ``name``, in the place of those for other keys.

    The file appears whole or not at all; who reads an older one keeps it. Raises `OSError` where
    it cannot be written, before anything is made where there is no place at all.
    """
    directory.mkdir(exist_ok=True)
    path = _path(directory, name, key)
    descriptor, temporary = tempfile.mkstemp(prefix=f"{path.name}.", suffix=".tmp", dir=directory)
    try:
        with os.fdopen(descriptor, "wb") as file:
            _write(file, key, make())
            file.flush()
            os.fsync(file.fileno())
        os.chmod(temporary, directory.stat().st_mode & 0o666)  # for whoever may read the library
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temporary)
        raise
    for other in directory.glob(f"{name}-*{_SUFFIX}"):
        if other != path:
            with contextlib.suppress(OSError):  # where open files cannot be removed: the next time
                other.unlink()


def _write(file: BinaryIO, key: str, arrays: Mapping[str, NDArray[Any]]) -> None:
    described: list[dict[str, Any]] = [
        {"name": own, "type": array.dtype.str, "shape": array.shape, "offset": 0}
        for own, array in arrays.items()
    ]
    # Room for offsets of as many digits as any can have.
    room = len(json.dumps({"key": key, "bytes": 0, "arrays": described})) + 20 * (len(arrays) + 1)
    end = len(_MAGIC) + 8 + room + _DIGEST_BYTES
    for own, array in zip(described, arrays.values(), strict=True):
        own["offset"] = _aligned(end)
        end = own["offset"] + array.nbytes
    content = json.dumps({"key": key, "bytes": end, "arrays": described}).encode("utf-8")
    file.write(_MAGIC + len(content).to_bytes(8, "little") + content + _hash(content))
    for own, array in zip(described, arrays.values(), strict=True):
        file.write(b"\0" * (own["offset"] - file.tell()))
        file.write(np.ascontiguousarray(array).reshape(-1).view(np.uint8).data)


def _path(directory: Path, name: str, key: str) -> Path:
    return directory / f"{name}-{_hash(key.encode('utf-8')).hex()}{_SUFFIX}"


def _aligned(offset: int) -> int:
    return -(-offset // _ALIGNMENT) * _ALIGNMENT


def _hash(content: bytes) -> bytes:
    return hashlib.blake2b(content, digest_size=_DIGEST_BYTES).digest()
