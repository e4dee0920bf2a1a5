"""What is right and wrong with a library, each with what to do about it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import TYPE_CHECKING

from semantic_video.errors import LibraryError
from semantic_video.library import lookup
from semantic_video.library.lock import lock_owner
from semantic_video.library.stored import Finding, damaged

if TYPE_CHECKING:
    from semantic_video.library.library import Library


def findings(library: Library, verify: bool) -> list[Finding]:
    """Everything that can be checked; ``verify`` compares all arrays with their checksums, too."""
    return [_writable(library), *_contents(library, verify), *_writer(library)]


def _writable(library: Library) -> Finding:
    if os.access(library.path, os.W_OK):
        return Finding(True, "library", f"{library.path}, {library.size_bytes()} bytes")
    return Finding(
        False,
        "library",
        f"{library.path} cannot be written",
        "search works; to index, make the directory writable or use --library with another",
    )


def _contents(library: Library, verify: bool) -> Iterator[Finding]:
    try:
        records = library.videos()
    except LibraryError as error:
        yield Finding(False, "videos", "unreadable", str(error))
        return
    yield Finding(True, "videos", str(len(records)))
    reported = set()  # a broken table is the same error for all videos in it
    for record in records:
        try:
            memory = library.load(record.id)
            if verify and memory.checksum() != record.checksum:
                raise damaged(library.path, record, "its checksum is another")
        except LibraryError as error:
            if str(error) not in reported:
                reported.add(str(error))
                yield Finding(False, f"video {record.id}", str(error))
        rivals = lookup.at_same_path(record, records)
        if rivals and record.id < min(rival.id for rival in rivals):
            yield Finding(
                False,
                f"video {record.id}",
                f"has the path of {', '.join(rival.id for rival in rivals)}: {record.path}",
                f"`semantic-video remove` all but one of them, then `semantic-video index "
                f"{record.path}`",
            )
    offline = [record.name for record in records if not os.path.exists(record.path)]
    if offline:
        yield Finding(
            True,
            "films offline",
            f"{len(offline)}, for instance {offline[0]}",
            "search works without them; `semantic-video index` at their new place finds them",
        )


def _writer(library: Library) -> Iterator[Finding]:
    owner, at_work = lock_owner(library.path)
    if at_work:
        yield Finding(True, "writer", f"{owner} is writing")
    elif owner:
        yield Finding(
            False,
            "writer",
            f"{owner} did not finish; what it left is invisible",
            "the next `semantic-video index` cleans up and finishes the work",
        )
