"""Content hashes of large files, computed once and remembered.

Weights take seconds to hash and a search must not wait for that, so hashes are kept in the user's
cache directory for as long as a file's size and modification time stay the same.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Sequence
from pathlib import Path


def file_hashes(paths: Sequence[Path]) -> list[str]:
    """A hash of each file's content, in hexadecimal."""
    known = _read_cache()
    hashes, changed = [], False
    for path in paths:
        state = path.stat()
        key = f"{path.resolve()}|{state.st_size}|{state.st_mtime_ns}"
        if key not in known:
            with path.open("rb") as file:
                digest = hashlib.file_digest(file, lambda: hashlib.blake2b(digest_size=16))
            known[key] = digest.hexdigest()
            changed = True
        hashes.append(known[key])
    if changed:
        _write_cache(known)
    return hashes


def _cache_path() -> Path:
    import platformdirs

    return platformdirs.user_cache_path("semantic-video", appauthor=False) / "file-hashes.json"


def _read_cache() -> dict[str, str]:
    try:
        values = json.loads(_cache_path().read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return values if isinstance(values, dict) else {}


def _write_cache(known: dict[str, str]) -> None:
    path = _cache_path()
    # A cache that cannot be written costs time only.
    with contextlib.suppress(OSError):
        path.parent.mkdir(parents=True, exist_ok=True)
        mine = path.with_name(f"{path.name}.{os.getpid()}")
        mine.write_text(json.dumps(known), encoding="utf-8")
        mine.replace(path)
