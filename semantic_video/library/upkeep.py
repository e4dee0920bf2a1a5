"""Keeps the tables of a library small: what no reader can see any more is deleted.

All of it is for one who holds the library for writing.
"""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta

from semantic_video.library.experts import EXPERT_COLUMNS, EXPERTS, WEIGHTS, names_by_key
from semantic_video.library.rows import VIDEOS, is_of_memories
from semantic_video.library.searches import MARKS, QUERIES
from semantic_video.library.stored import VideoRecord
from semantic_video.library.tables import Tables, quoted


def delete_dead_rows(tables: Tables, records: Collection[VideoRecord]) -> None:
    """Delete what belongs to no generation of these videos, which are all that there are."""
    alive = {record.generation for record in records}
    for name in filter(is_of_memories, tables.names()):
        generations = tables.read(name, ["generation"]).column("generation")
        dead = set(generations.unique().to_pylist()) - alive
        if dead:
            tables.delete(name, f"generation IN ({', '.join(map(str, sorted(dead)))})")
    if WEIGHTS in tables.names():
        _delete_unused_weights(tables, {record.coder for record in records})


def _delete_unused_weights(tables: Tables, used: set[str]) -> None:
    if EXPERTS in tables.names():
        used = used | set(names_by_key(tables.read(EXPERTS, EXPERT_COLUMNS)).values())
    unused = set(tables.read(WEIGHTS, ["id"]).column("id").to_pylist()) - used
    if unused:
        tables.delete(WEIGHTS, f"id IN ({', '.join(map(quoted, sorted(unused)))})")


def tidy(tables: Tables, keep_versions: timedelta) -> None:
    """Join the fragments of scattered tables; drop versions that are older."""
    for name in tables.names():
        if name not in (VIDEOS, WEIGHTS, QUERIES, MARKS) and not is_of_memories(name):
            continue
        # First, so that a full disk may have room for the rest.
        tables.discard_old_versions(name, keep_versions)
        if tables.is_scattered(name):
            tables.compact(name)
            tables.discard_old_versions(name, keep_versions)
