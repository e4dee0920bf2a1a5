"""Reads the memories of many videos, each table once, and tells which of them are damaged."""

from __future__ import annotations

import contextlib
from collections.abc import Sequence
from typing import TYPE_CHECKING

from semantic_video.errors import LibraryError
from semantic_video.library import rows
from semantic_video.library.experts import stored_weights
from semantic_video.library.stored import StoredMemory, VideoRecord, damaged
from semantic_video.library.tables import Tables

if TYPE_CHECKING:
    import pyarrow as pa


def of_generations(records: Sequence[VideoRecord]) -> str:
    """The condition that a row belongs to what these records name."""
    return f"generation IN ({', '.join(str(record.generation) for record in records)})"


def has_all_rows(tables: Tables, record: VideoRecord) -> bool:
    """Whether all the rows that a record counts are there, without reading them."""
    where = of_generations([record])
    if record.active_clustering:
        if rows.CLUSTERINGS not in tables.names():
            return False
        ids = tables.read(rows.CLUSTERINGS, ["id"], where).column("id").to_pylist()
        if record.active_clustering not in ids:
            return False
    entries, exemplars = rows.vector_tables(record)
    return (
        tables.count(entries, where) == record.entries
        and tables.count(exemplars, where) == record.exemplars
        and (not record.coder or record.coder in stored_weights(tables, [record.coder]))
    )


def read_memories(
    tables: Tables, records: Sequence[VideoRecord], thumbnails: bool, where: str | None
) -> tuple[dict[str, StoredMemory], list[tuple[VideoRecord, LibraryError]]]:
    """What could be read, by id, and what is wrong with the other videos.

    ``where`` bounds the rows that are read; None for whole tables.
    """
    wanted = {
        name: columns
        for record in records
        for name, columns in rows.tables_of(record, thumbnails).items()
    }
    read: dict[str, pa.Table] = {}
    unreadable: dict[str, LibraryError] = {}
    for name in sorted(wanted.keys() & set(tables.names())):
        try:
            read[name] = tables.read(name, wanted[name], where)
        except LibraryError as error:
            unreadable[name] = error
    weights: dict[str, bytes] = {}
    with contextlib.suppress(LibraryError):  # those who need them are damaged, and only those
        weights = stored_weights(tables, (record.coder for record in records))
    reader = rows.MemoryReader(read, weights)
    memories: dict[str, StoredMemory] = {}
    errors: list[tuple[VideoRecord, LibraryError]] = []
    for record in records:
        try:
            for name in unreadable.keys() & rows.tables_of(record, thumbnails):
                raise unreadable[name]
            memories[record.id] = _memory(tables, reader, record)
        except LibraryError as error:
            errors.append((record, error))
    return memories, errors


def _memory(tables: Tables, reader: rows.MemoryReader, record: VideoRecord) -> StoredMemory:
    try:
        memory = reader.memory(record)
    except (ValueError, KeyError, TypeError) as error:
        raise damaged(tables.directory, record, "it makes no sense") from error
    if memory is None:
        raise damaged(tables.directory, record, "rows are missing")
    return memory
