"""Between a memory and what the library keeps of it, both ways without loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from semantic_video.errors import LibraryError
from semantic_video.library import ClusteringRecord, StoredMemory, VideoRecord
from semantic_video.memory_hierarchy import DEFAULT_SPANS, History, MemoryHierarchy, SceneEntries
from semantic_video.records import Span
from semantic_video.semantic_clustering import Clustering, Correction, Found


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
            words=chosen.words,
            corrections=tuple(map(Correction.from_dict, chosen.corrections)),
            found=(
                Found(chosen.found_assignments, chosen.found_names)
                if chosen.found_assignments is not None
                else None
            ),
        ),
        names=chosen.names,
        **_budget(record, stored),
        returns=stored.returns,
        history=History.from_dict(record.memory.get("history", {})),
        uses={int(scene): n for scene, n in record.memory.get("uses", {}).items()},
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
        words=clustering.words,
        corrections=tuple(correction.as_dict() for correction in clustering.corrections),
        found_assignments=clustering.found.labels if clustering.found else None,
        found_names=clustering.found.names if clustering.found else (),
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
        returns=memory.returns,
        clusterings=tuple(clusterings),
        thumbnails=thumbnails,
    )


def pictures_within(
    memory: MemoryHierarchy, thumbnails: Mapping[float, bytes]
) -> Mapping[float, bytes]:
    """At most ``memory_size`` pictures: all, else one of the longest scene of each entry."""
    if len(thumbnails) <= memory.memory_size:
        return thumbnails
    times = np.array(sorted(thumbnails))
    kept: dict[float, bytes] = {}
    for spans in memory.entries.entry_spans:
        longest = max(spans, key=lambda span: span.end_s - span.start_s)
        first, last = np.searchsorted(times, [longest.start_s, longest.end_s])
        if first < last:
            time_s = float(times[(first + last) // 2])
            kept[time_s] = thumbnails[time_s]
    return kept


def memory_facts(memory: MemoryHierarchy) -> dict[str, Any]:
    """What a video's record says of its memory."""
    return {
        "history": memory.history.as_dict(),
        "uses": {str(scene): n for scene, n in memory.uses.items()},
    }


def reinforced(
    record: VideoRecord, memory: MemoryHierarchy, times_s: Sequence[float]
) -> VideoRecord:
    """The record, with one more use of the scene at each of these times.

    At most ``memory_size`` scenes are counted, those used most.
    """
    uses = dict(memory.uses)
    scenes = memory.scenes()
    for time_s in times_s:
        for scene in scenes:
            if scene.start_s <= time_s < scene.end_s:
                uses[scene.id] = uses.get(scene.id, 0) + 1
    most = sorted(uses.items(), key=lambda item: (-item[1], item[0]))[: memory.memory_size]
    return replace(record, memory={**record.memory, "uses": {str(s): n for s, n in most}})


def scene_spans(stored: StoredMemory) -> tuple[Span, ...]:
    """Where the scenes of a stored memory lie, in order of time."""
    return tuple(
        sorted(Span(span.start_s, span.end_s) for spans in stored.entry_spans for span in spans)
    )


def _budget(record: VideoRecord, stored: StoredMemory) -> dict[str, Any]:
    """The budget a video was indexed with; before spans had one they were all kept."""
    settings = record.settings
    size = int(settings["memory_size"])
    scenes = sum(len(spans) for spans in stored.entry_spans)
    return {
        "memory_size": size,
        "exemplars": int(settings["exemplars"]),
        "spans": int(settings.get("spans", max(DEFAULT_SPANS, -(-scenes // size)))),
        "max_bytes": settings.get("max_bytes"),
    }
