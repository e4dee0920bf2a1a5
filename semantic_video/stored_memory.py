"""Between a memory and what the library keeps of it, both ways without loss."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semantic_video.errors import LibraryError
from semantic_video.library import ClusteringRecord, Codec, StoredMemory, VideoRecord
from semantic_video.memory_hierarchy import DEFAULT_SPANS, History, MemoryHierarchy, SceneEntries
from semantic_video.records import Span
from semantic_video.semantic_clustering import Clustering, Correction, Found

if TYPE_CHECKING:
    from semantic_video.moe_experts import ExpertCoder

_UNREADABLE_CODES = (
    "the codes of a memory cannot be read by the experts beside them, which are damaged or of "
    "another version: remove the film and index it again"
)


def memory_from_stored(
    stored: StoredMemory, record: VideoRecord, clustering: ClusteringRecord | None = None
) -> MemoryHierarchy:
    """The memory of ``record``, grouped by ``clustering`` (default: the active one)."""
    chosen = clustering or stored.active_clustering
    if chosen is None:
        raise LibraryError(f"{record.name} has no clustering: index it again")
    return MemoryHierarchy(
        entries=entries_from_stored(stored),
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


def entries_from_stored(stored: StoredMemory) -> SceneEntries:
    """The entries of a stored memory, whether it keeps vectors or codes.

    Raises:
        LibraryError: the codes cannot be read by what is kept beside them.
    """
    if stored.codec is not None:
        from semantic_video.moe_experts import CodedEntries
        from semantic_video.moe_experts.codec import CodedVectors

        codes = CodedVectors(
            np.ascontiguousarray(stored.entry_vectors[:, 0], dtype=np.uint8),
            np.asarray(stored.entry_vectors[:, 1:], dtype=np.uint8),
            np.asarray(stored.exemplar_vectors, dtype=np.uint8),
        )
        coder = _coder(stored.codec.weights)
        codec = coder.codec
        fits = (codec.bytes_per_vector, codec.means.shape[1]) == (
            stored.code_bytes,
            stored.codec.dimension,
        )
        if not fits or codes.entry_experts.max(initial=0) >= codec.experts:
            raise LibraryError(_UNREADABLE_CODES)
        return CodedEntries(
            coder,
            codes,
            stored.entry_weights,
            stored.entry_spans,
            stored.exemplar_times,
            stored.exemplar_entries,
        )
    return SceneEntries(
        np.asarray(stored.entry_vectors, dtype=np.float16),
        stored.entry_weights,
        stored.entry_spans,
        np.asarray(stored.exemplar_vectors, dtype=np.float16),
        stored.exemplar_times,
        stored.exemplar_entries,
    )


@lru_cache(maxsize=16)
def _coder(weights: bytes) -> ExpertCoder:
    """What reads codes; one for all films that share it."""
    from semantic_video.moe_experts import ExpertCoder, TrainedExperts

    try:
        codec = TrainedExperts.from_bytes(weights).codec
    except LibraryError as error:
        raise LibraryError(_UNREADABLE_CODES) from error
    if codec is None:
        raise LibraryError(_UNREADABLE_CODES)
    return ExpertCoder(codec)


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
    entries: NDArray[Any] = held.entry_vectors
    exemplars: NDArray[Any] = held.exemplar_vectors
    codec = None
    if held.coder is not None:
        from semantic_video.moe_experts import CodedEntries, TrainedExperts

        assert isinstance(held, CodedEntries)
        codes = held.codes
        entries = np.column_stack([codes.entry_experts, codes.entry_codes])
        exemplars = codes.frame_codes
        codec = Codec(TrainedExperts(codec=held.coder.codec).to_bytes(), held.dimension)
    return StoredMemory(
        entry_vectors=entries,
        entry_weights=held.entry_weights,
        entry_spans=held.entry_spans,
        exemplar_vectors=exemplars,
        exemplar_times=held.exemplar_times,
        exemplar_entries=held.exemplar_entries,
        returns=memory.returns,
        clusterings=tuple(clusterings),
        thumbnails=thumbnails,
        codec=codec,
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
