"""What no option of the product does: other policies of memory, experts routed otherwise."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import MemoryOptions
from semantic_video.memory_hierarchy import (
    POLICIES,
    Budget,
    MemoryHierarchy,
    MemoryStream,
    SceneEntries,
)
from semantic_video.moe_experts.codec import ExpertCodec, unit_rows
from semantic_video.moe_experts.coded_entries import EXPERTS, CodedEntries, ExpertCoder
from semantic_video.moe_experts.routes import Route, route_labels
from semantic_video.records import Span
from semantic_video.semantic_clustering import SemanticClustering

FloatArray = NDArray[np.float32]


def kept_by(policy: str, entries: SceneEntries, limits: MemoryOptions, seed: int) -> SceneEntries:
    """What a policy keeps of scenes that stream by, one an entry, within ``memory_size``."""
    room = -(-len(entries) // limits.memory_size) + 1  # for every span, however scenes merge
    budget = Budget(entries.dimension, limits.memory_size, limits.exemplars, room)
    stream = MemoryStream(budget, POLICIES[policy](seed))
    for entry, spans in enumerate(entries.entry_spans):
        own = entries.exemplar_entries == entry
        vectors = entries.exemplar_vectors[own].astype(np.float32)
        span = Span(spans[0].start_s, spans[0].end_s)
        stream.add(span, entries.exemplar_times[own], vectors)
    return stream.entries()


def coded_by(
    route: Route, memory: MemoryHierarchy, texts: FloatArray, code_bytes: int, seed: int
) -> MemoryHierarchy:
    """The memory as codes of ``code_bytes`` bytes a vector, by experts of this route.

    ``texts`` [V, D] is the bank of texts that codes are to serve.
    """
    held = memory.entries
    scenes = unit_rows(held.entry_vectors.astype(np.float32))
    frames = unit_rows(held.exemplar_vectors.astype(np.float32))
    owners = held.exemplar_entries.astype(np.int64)
    count = min(EXPERTS, len(scenes))
    centroids = SemanticClustering("kmeans", count, seed).fit(scenes).centroids(scenes)
    starts = np.array([spans[0].start_s for spans in held.entry_spans])
    routed = route_labels(route, scenes, starts, centroids, seed)
    labels = np.unique(routed, return_inverse=True)[1].astype(np.int64)
    codec = ExpertCodec.fit(scenes, labels, frames, owners, code_bytes, texts)
    coded = CodedEntries(
        ExpertCoder(codec),
        codec.encode(scenes, labels, frames, owners),
        held.entry_weights,
        held.entry_spans,
        held.exemplar_times,
        held.exemplar_entries,
    )
    return replace(memory, entries=coded)
