"""Which entries become one when there are too many, and the entry that they become."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semantic_video.memory_hierarchy.entries import SceneEntries
from semantic_video.memory_hierarchy.vectors import farthest_first
from semantic_video.records import SceneSpan
from semantic_video.semantic_clustering import join, ward_tree


def merge_groups(
    entries: SceneEntries, labels: NDArray[np.int32], memory_size: int
) -> tuple[list[NDArray[np.intp]], NDArray[np.int32]]:
    """Which rows become one entry, in order of their first row, and the new cluster of each row."""
    count = len(entries)
    excess = count - memory_size
    if excess <= 0:
        return [np.array([row]) for row in range(count)], labels
    vectors = entries.entry_vectors.astype(np.float64)
    scenes = np.array([len(spans) for spans in entries.entry_spans], dtype=np.float64)
    clusters = int(labels.max()) + 1
    if clusters > memory_size:
        sizes = np.bincount(labels, weights=scenes).astype(np.float64)
        sums = np.zeros((clusters, entries.dimension))
        np.add.at(sums, labels, vectors * scenes[:, None])
        tree = ward_tree(sums / sizes[:, None], sizes)[: clusters - memory_size]
        labels = join(clusters, ((a, b) for _, a, b in tree))[labels]
    merges: list[tuple[float, int, int]] = []
    for bank in np.unique(labels):
        rows = np.flatnonzero(labels == bank)
        tree = ward_tree(vectors[rows], scenes[rows])
        merges += [(cost, int(rows[a]), int(rows[b])) for cost, a, b in tree]
    group_of_row = join(count, ((a, b) for _, a, b in sorted(merges)[:excess]))
    return [np.flatnonzero(group_of_row == group) for group in np.unique(group_of_row)], labels


def merge_rows(
    entries: SceneEntries, groups: Sequence[NDArray[np.intp]], exemplars: int
) -> SceneEntries:
    """One entry per group of rows, each with at most ``exemplars`` exemplars."""
    vectors: list[NDArray[np.float16]] = []
    spans: list[tuple[SceneSpan, ...]] = []
    kept: list[NDArray[np.intp]] = []
    for group in groups:
        if len(group) == 1:
            vectors.append(entries.entry_vectors[group[0]])
            spans.append(entries.entry_spans[group[0]])
        else:
            mean = entries.entry_weights[group] @ entries.entry_vectors[group].astype(np.float32)
            vectors.append((mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float16))
            together = [span for row in group for span in entries.entry_spans[row]]
            spans.append(tuple(sorted(together, key=lambda span: span.start_s)))
        slices = [entries.exemplar_rows(int(row)) for row in group]
        rows = np.concatenate([np.arange(part.start, part.stop) for part in slices])
        if len(rows) > exemplars:
            rows = rows[np.argsort(entries.exemplar_times[rows], kind="stable")]
            candidates = entries.exemplar_vectors[rows].astype(np.float32)
            nearest = int(np.argmax(candidates @ vectors[-1].astype(np.float32)))
            rows = rows[farthest_first(candidates, exemplars, first=nearest)]
        kept.append(rows)
    order = np.concatenate(kept)
    weights = entries.entry_weights.astype(np.float64)
    return SceneEntries(
        entry_vectors=np.stack(vectors),
        entry_weights=np.array([weights[group].sum() for group in groups], dtype=np.float32),
        entry_spans=tuple(spans),
        exemplar_vectors=entries.exemplar_vectors[order],
        exemplar_times=entries.exemplar_times[order],
        exemplar_entries=np.repeat(np.arange(len(groups)), [len(rows) for rows in kept]),
    )
