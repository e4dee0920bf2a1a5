"""Between a memory and what the library keeps of it, both ways without loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semantic_video.errors import LibraryError
from semantic_video.library import ClusteringRecord, StoredMemory, VideoRecord
from semantic_video.memory_hierarchy import MemoryHierarchy, SceneEntries
from semantic_video.records import Span
from semantic_video.semantic_clustering import Clustering


def memory_from_stored(
    stored: StoredMemory, record: VideoRecord, clustering: ClusteringRecord | None = None
) -> MemoryHierarchy:
    """The memory of ``record``, grouped by ``clustering`` (default: the active one)."""
    chosen = clustering or stored.active_clustering
    if chosen is None:
        raise LibraryError(f"{record.name} has no clustering: index it again")
    return MemoryHierarchy(
        entries=SceneEntries(
            stored.entry_vectors,
            stored.entry_weights,
            stored.entry_spans,
            stored.exemplar_vectors,
            stored.exemplar_times,
            stored.exemplar_entries,
        ),
        clustering=Clustering(
            method=chosen.method,
            num_clusters="auto" if chosen.num_clusters == "auto" else int(chosen.num_clusters),
            seed=chosen.seed,
            labels=chosen.assignments,
            reason=chosen.reason,
        ),
        names=chosen.names,
        memory_size=int(record.settings["memory_size"]),
        exemplars=int(record.settings["exemplars"]),
    )


def clustering_record(identity: str, memory: MemoryHierarchy) -> ClusteringRecord:
    """What the library keeps of a memory's clustering."""
    clustering = memory.clustering
    return ClusteringRecord(
        id=identity,
        method=clustering.method,
        num_clusters=clustering.num_clusters,
        seed=clustering.seed,
        assignments=clustering.labels,
        names=memory.names,
        reason=clustering.reason,
    )


def stored_from_memory(
    memory: MemoryHierarchy,
    clusterings: Sequence[ClusteringRecord],
    thumbnails: Mapping[float, bytes],
) -> StoredMemory:
    """What the library keeps of a memory."""
    held = memory.entries
    return StoredMemory(
        entry_vectors=held.entry_vectors,
        entry_weights=held.entry_weights,
        entry_spans=held.entry_spans,
        exemplar_vectors=held.exemplar_vectors,
        exemplar_times=held.exemplar_times,
        exemplar_entries=held.exemplar_entries,
        clusterings=tuple(clusterings),
        thumbnails=thumbnails,
    )


def scene_spans(stored: StoredMemory) -> tuple[Span, ...]:
    """Where the scenes of a stored memory lie, in order of time."""
    return tuple(
        sorted(Span(span.start_s, span.end_s) for spans in stored.entry_spans for span in spans)
    )
