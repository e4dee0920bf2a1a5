"""How a film's file is recognised without reading it in full."""

from __future__ import annotations

import hashlib
import os
import unicodedata
from pathlib import Path, PurePosixPath
from urllib.parse import urlsplit

from semantic_video.errors import VideoError

_BLOCKS = 16
_BLOCK_BYTES = 64 * 1024


def fingerprint(path: str | Path) -> str:
    """Hash of a file's size and of 16 blocks of 64 kB spread evenly over it, first to last byte.

    Reads at most 1 MB. Two files of one size that differ only between the blocks are taken for the
    same.
    """
    digest = hashlib.blake2b(digest_size=16)
    try:
        with open(path, "rb") as file:
            size = file.seek(0, os.SEEK_END)
            digest.update(size.to_bytes(8, "little"))
            last = max(0, size - _BLOCK_BYTES)
            for start in sorted({last * block // (_BLOCKS - 1) for block in range(_BLOCKS)}):
                file.seek(start)
                digest.update(file.read(_BLOCK_BYTES))
    except OSError as error:
        raise _unreadable(path, error) from error
    return digest.hexdigest()


def path_key(path: str | Path) -> str:
    """A form of a path in which two spellings of one place are equal; symbolic links are kept."""
    return unicodedata.normalize("NFC", os.path.normcase(os.path.abspath(path)))


def name_key(name: str) -> str:
    """A form of a file name in which two spellings of it are equal."""
    return unicodedata.normalize("NFC", os.path.normcase(name))


def address_name(path: str) -> str:
    """The file name in an address (``live.ts`` of ``http://host/live.ts``); empty for a path."""
    if "://" not in path:
        return ""
    return PurePosixPath(urlsplit(path).path).name


def same_file(first: str | Path, second: str | Path) -> bool:
    """Whether both paths lead to one existing file."""
    try:
        return os.path.samefile(first, second)
    except OSError:
        return False


def status(path: str | Path) -> os.stat_result:
    """Size, modification time and so on of a film."""
    try:
        return os.stat(path)
    except OSError as error:
        raise _unreadable(path, error) from error


def _unreadable(path: str | Path, error: OSError) -> VideoError:
    return VideoError(f"cannot read {path}: {error.strerror or error}")
