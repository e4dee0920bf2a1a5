"""Which of the library's videos a text or a file means; pure functions of the records."""

from __future__ import annotations

import difflib
import os
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from semantic_video.errors import LibraryError
from semantic_video.library import film_files
from semantic_video.library.stored import VideoRecord

FileMatch = Literal["new", "same", "moved", "copied", "changed"]
"""How a file relates to the library, see `Library.find`."""

_ID_DIGITS = 8


def resolve(text: str, records: Sequence[VideoRecord]) -> VideoRecord:
    """See `Library.resolve`."""
    path, name = film_files.path_key(text), film_files.name_key(text)
    tests: list[Callable[[VideoRecord], bool]] = [
        lambda record: film_files.path_key(record.path) == path,
        lambda record: record.id == text,
        lambda record: film_files.name_key(record.name) == name,
        lambda record: "" != film_files.address_name(record.path) == text,
    ]
    if len(text) >= 2:
        tests.append(lambda record: record.id.startswith(text.lower()))
    if os.path.isfile(text):
        tests.append(_has_fingerprint(film_files.fingerprint(text)))
    for test in tests:
        found = [record for record in records if test(record)]
        if len(found) == 1:
            return found[0]
        if found:
            several = ", ".join(f"{record.id} ({record.path})" for record in found)
            raise LibraryError(f"{text} means several videos: {several}; use an id")
    raise LibraryError(unknown(text, records))


def find(path: str | Path, records: Sequence[VideoRecord]) -> tuple[VideoRecord | None, FileMatch]:
    """See `Library.find`."""
    status = film_files.status(path)
    key = film_files.path_key(path)
    here = next((r for r in records if film_files.path_key(r.path) == key), None)
    untouched = here is not None and (here.size, here.mtime_ns) == (
        status.st_size,
        status.st_mtime_ns,
    )
    if untouched:
        return here, "same"
    fingerprint = film_files.fingerprint(path)
    alike = [record for record in records if record.fingerprint == fingerprint]
    for record in alike:
        if record is here or film_files.same_file(record.path, path):
            return record, "same"
    for record in alike:
        if not _is_in_place(record):
            return record, "moved"
    if here is not None:
        return here, "changed"
    return (alike[0], "copied") if alike else (None, "new")


def choose_id(record: VideoRecord, others: Sequence[VideoRecord]) -> str:
    """The id under which a record without one is saved: that of the video it replaces, or new."""
    for other in others:
        if other.fingerprint == record.fingerprint:
            return other.id
    key = film_files.path_key(record.path)
    for other in others:
        if film_files.path_key(other.path) == key:
            return other.id
    taken = {other.id for other in others}
    lengths = range(_ID_DIGITS, len(record.fingerprint) + 1)
    return next(name for name in (record.fingerprint[:n] for n in lengths) if name not in taken)


def at_same_path(record: VideoRecord, others: Sequence[VideoRecord]) -> list[VideoRecord]:
    """Those of the others, which may include the record, that claim its place on disk."""
    key = film_files.path_key(record.path)
    return [r for r in others if r.id != record.id and film_files.path_key(r.path) == key]


def unknown(text: str, records: Sequence[VideoRecord]) -> str:
    """What to say where ``text`` means none of the records."""
    if not records:
        return f"no video {text}: the library is empty; fill it with `semantic-video index PATH`"
    names = {film_files.address_name(record.path) or record.name for record in records}
    names |= {record.id for record in records}
    near = difflib.get_close_matches(os.path.basename(text), names, n=3, cutoff=0.5)
    if near:
        return f"no video {text} in the library; did you mean {' or '.join(near)}?"
    return f"no video {text} in the library; `semantic-video list` shows what there is"


def _has_fingerprint(fingerprint: str) -> Callable[[VideoRecord], bool]:
    return lambda record: record.fingerprint == fingerprint


def _is_in_place(record: VideoRecord) -> bool:
    """Whether a film still lies, unchanged, where it was seen last."""
    try:
        status = os.stat(record.path)
    except OSError:
        return False
    return (status.st_size, status.st_mtime_ns) == (record.size, record.mtime_ns)
