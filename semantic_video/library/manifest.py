"""The file that makes a directory a library, and says in which format it is."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

from semantic_video.errors import LibraryError
from semantic_video.library.array_cache import CACHE, replace_file
from semantic_video.library.lock import LOCK_NAME, writer_lock
from semantic_video.library.rows import VIDEOS, video_rows
from semantic_video.library.tables import Tables

FORMAT_VERSION = 1
"""Raised when an older program could no longer read what is written; new tables and new columns
do not need that."""

_NAME = "library.json"


def open_library(directory: Path, tables: Tables, create: bool) -> None:
    """Check that a library lies in ``directory``, and with ``create`` make it where none does.

    Raises `LibraryError`: there is none, it is broken, a newer program made it, or the directory
    cannot be read, cannot be written, or holds other things.
    """
    if not _is_there(directory):
        if not create:
            raise LibraryError(
                f"no library at {directory}: make one with `semantic-video index PATH`"
            )
        _create(directory, tables)
    _check_format(directory)


def broken(directory: Path, reason: str) -> LibraryError:
    """The error that a library as a whole cannot be used."""
    return LibraryError(
        f"the library at {directory} is broken ({reason}): restore a backup, or delete "
        "that directory and index again"
    )


def _is_there(directory: Path) -> bool:
    try:
        (directory / _NAME).stat()
    except (FileNotFoundError, NotADirectoryError):
        return False
    except OSError as error:
        raise LibraryError(
            f"cannot look into {directory} ({error.strerror}): make it yours to read, or "
            "use --library with another directory"
        ) from error
    return True


def _create(directory: Path, tables: Tables) -> None:
    try:
        directory.mkdir(parents=True, exist_ok=True)
        strange = [path.name for path in directory.iterdir() if not _is_ours(path.name)]
    except OSError as error:
        raise _unwritable(directory, error) from error
    if strange:
        raise LibraryError(
            f"{directory} holds other things ({strange[0]}): "
            "use --library with an empty or a new directory"
        )
    with writer_lock(directory):
        if _is_there(directory):  # another process was quicker
            return
        if VIDEOS not in tables.names():
            tables.append(VIDEOS, video_rows([]))
        manifest = {
            "what": "a library of semantic-video: films indexed for search",
            "format_version": FORMAT_VERSION,
            "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
        }
        try:
            text = json.dumps(manifest, indent=2) + "\n"
            replace_file(directory / _NAME, text.encode("utf-8"))
        except OSError as error:
            raise _unwritable(directory, error) from error


def _check_format(directory: Path) -> None:
    try:
        manifest = json.loads((directory / _NAME).read_text(encoding="utf-8"))
        version = int(manifest["format_version"])
    except PermissionError as error:
        raise LibraryError(f"no permission to read the library at {directory}") from error
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise broken(directory, f"{_NAME} cannot be read") from error
    if version > FORMAT_VERSION:
        raise LibraryError(
            f"the library at {directory} was made by a newer semantic-video "
            f"(format {version}, this one reads {FORMAT_VERSION}): upgrade this program"
        )


def _unwritable(directory: Path, error: OSError) -> LibraryError:
    return LibraryError(
        f"cannot make a library at {directory} ({error.strerror}): "
        "use --library with a directory that can be written"
    )


def _is_ours(name: str) -> bool:
    """Whether a file in a directory without a library is the beginning of one."""
    return name in (LOCK_NAME, CACHE, f"{VIDEOS}.lance") or name.startswith(_NAME)
