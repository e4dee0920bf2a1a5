"""Corrections to what was grouped: made from clusters and scenes as the user sees them, and kept.

There is one list of corrections for a video. Every clustering of it replays that list, so that
they outlive another number, method or seed, and a new index of the film.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from semantic_video.errors import QueryError
from semantic_video.library import ClusteringRecord, Library, VideoRecord
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.memory_hierarchy.budget import NAME_BYTES
from semantic_video.records import Scene, Span
from semantic_video.semantic_clustering import Correction, Links
from semantic_video.stored_memory import clustering_record, memory_from_stored

Change = Callable[[MemoryHierarchy], tuple[Correction, ...]]
"""From a memory as it is to all the corrections that are to hold from now on."""


def merge(first: int, second: int) -> Change:
    """The scenes of two clusters belong together."""

    def change(memory: MemoryHierarchy) -> tuple[Correction, ...]:
        if first == second:
            raise QueryError(f"cluster {first} cannot be merged with itself: name two clusters")
        parts = (memory.occurrences(first), memory.occurrences(second))
        return (*memory.clustering.corrections, Correction("merge", *parts))

    return change


def split(cluster: int) -> Change:
    """A cluster falls into the two parts that differ most."""

    def change(memory: MemoryHierarchy) -> tuple[Correction, ...]:
        memory.occurrences(cluster)  # says so where there is none
        links = Links(
            memory.vectors.astype(np.float32), memory.entries.entry_weights.astype(np.float64)
        )
        if np.count_nonzero(memory.labels == cluster) < 2:
            raise QueryError(
                f"cluster {cluster} is a single entry of the memory, which cannot be split"
            )
        parts = [
            tuple(
                Span(span.start_s, span.end_s)
                for row in rows
                for span in memory.entries.entry_spans[row]
            )
            for rows in links.split(memory.labels, cluster)
        ]
        return (*memory.clustering.corrections, Correction("split", parts[0], parts[1]))

    return change


def rename(cluster: int, name: str) -> Change:
    """A cluster gets a name of the user's."""

    def change(memory: MemoryHierarchy) -> tuple[Correction, ...]:
        where = memory.occurrences(cluster)
        wanted = " ".join(name.split())
        if not 0 < len(wanted.encode()) <= NAME_BYTES:
            raise QueryError(f"a name needs 1 to {NAME_BYTES} bytes of UTF-8")
        for other, taken in enumerate(memory.names):
            if other != cluster and taken.casefold() == wanted.casefold():
                raise QueryError(
                    f"cluster {other} is already called {taken!r}: choose another name, or merge "
                    f"the two (--merge {cluster} {other})"
                )
        return (*memory.clustering.corrections, Correction("rename", where, name=wanted))

    return change


def together(first: int, second: int) -> Change:
    """Two scenes belong to one cluster."""

    def change(memory: MemoryHierarchy) -> tuple[Correction, ...]:
        spans = _two_scenes(memory, first, second)
        return (*memory.clustering.corrections, Correction("together", *spans))

    return change


def apart(first: int, second: int) -> Change:
    """Two scenes belong to different clusters."""

    def change(memory: MemoryHierarchy) -> tuple[Correction, ...]:
        spans = _two_scenes(memory, first, second)
        for own in memory.entries.entry_spans:
            if {first, second} <= {span.scene for span in own}:
                raise QueryError(
                    f"scenes {first} and {second} were merged to keep to the memory's budget: "
                    "index again with a larger --memory-size, then part them"
                )
        return (*memory.clustering.corrections, Correction("apart", *spans))

    return change


def one_change(
    merged: tuple[int, int] | None,
    divided: int | None,
    renamed: tuple[int, str] | None,
    held_together: tuple[int, int] | None,
    held_apart: tuple[int, int] | None,
    taken_back: bool,
) -> Change:
    """The one change that is asked for; `QueryError` where it is none or several."""
    changes: list[Change] = []
    if merged is not None:
        changes.append(merge(*merged))
    if divided is not None:
        changes.append(split(divided))
    if renamed is not None:
        changes.append(rename(*renamed))
    if held_together is not None:
        changes.append(together(*held_together))
    if held_apart is not None:
        changes.append(apart(*held_apart))
    if taken_back:
        changes.append(undo)
    if len(changes) != 1:
        raise QueryError(
            "say one change at a time: merge, split, rename, together, apart or undo "
            "(for instance --merge 3 7)"
        )
    return changes[0]


def undo(memory: MemoryHierarchy) -> tuple[Correction, ...]:
    """The last correction is taken back."""
    if not memory.clustering.corrections:
        raise QueryError("nothing to undo: there are no corrections to this video")
    return memory.clustering.corrections[:-1]


def edit_video(
    library: Library, record: VideoRecord, change: Change, clustering: str | None = None
) -> tuple[VideoRecord, MemoryHierarchy]:
    """Correct a video of the library; its record and memory afterwards.

    Numbers in ``change`` are those of the clustering with this id (default: the active one). The
    active one replays the corrections as well; the others do when they are next used.

    Raises:
        QueryError: there is no such cluster or scene, or the change makes no sense.
        LibraryError: the library cannot be written, or the video was indexed again meanwhile.
    """
    with library.writer():
        record = library.resolve(record.id)
        stored = library.load(record.id)
        active = stored.active_clustering
        chosen = next((c for c in stored.clusterings if c.id == clustering), active)
        if active is not None and chosen is not None and chosen.id != active.id:
            chosen = brought_up_to_date(chosen, active, memory_from_stored(stored, record, chosen))
        memory = memory_from_stored(stored, record, chosen)
        corrections = change(memory)
        memory = memory.corrected(corrections)
        if len(memory) != record.entries:
            raise QueryError("no room for another cluster: index again with a larger --memory-size")
        for each in {c.id: c for c in (active, chosen) if c is not None}.values():
            own = memory_from_stored(stored, record, each).corrected(corrections)
            record = library.save_clustering(
                record.id, clustering_record(each.id, own), generation=record.generation
            )
    return record, memory


def brought_up_to_date(
    clustering: ClusteringRecord, active: ClusteringRecord | None, memory: MemoryHierarchy
) -> ClusteringRecord:
    """A stored clustering with the corrections of the active one; itself where it has them.

    ``memory`` is the stored memory grouped by it.
    """
    if active is None or clustering.corrections == active.corrections:
        return clustering
    corrections = [Correction.from_dict(values) for values in active.corrections]
    return clustering_record(clustering.id, memory.corrected(corrections))


def _two_scenes(
    memory: MemoryHierarchy, first: int, second: int
) -> tuple[tuple[Span, ...], tuple[Span, ...]]:
    if first == second:
        raise QueryError(f"scene {first} twice: name two scenes")
    by_id: dict[int, Scene] = {scene.id: scene for scene in memory.scenes()}
    spans = []
    for scene in (first, second):
        if scene not in by_id:
            raise QueryError(
                f"there is no scene {scene}: this video has {min(by_id)} to {max(by_id)}"
            )
        spans.append((Span(by_id[scene].start_s, by_id[scene].end_s),))
    return spans[0], spans[1]
