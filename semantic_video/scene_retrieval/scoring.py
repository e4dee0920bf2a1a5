"""The score of every scene for a query, and which entries are scored at all.

A scene's score blends its best frames with its entry's own vector and its cluster's (scenes that
mean the same support each other).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import RetrievalOptions
from semantic_video.scene_retrieval.rows import FloatArray, Rows


def visited_entries(
    rows: Rows, cluster_scores: FloatArray, options: RetrievalOptions
) -> NDArray[np.bool_]:
    """Entries [N] of the clusters nearest to the query, until enough of them are gathered."""
    total = len(rows.entry_cluster)
    wanted = max(options.probe_entries, int(np.ceil(options.probe_share * total)))
    if wanted >= total:
        return np.ones(total, dtype=np.bool_)
    order = np.argsort(-cluster_scores, kind="stable")
    sizes = np.bincount(rows.entry_cluster, minlength=len(order))[order]
    count = int(np.searchsorted(np.cumsum(sizes), wanted)) + 1
    opened = np.zeros(len(order), dtype=np.bool_)
    opened[order[:count]] = True
    visited: NDArray[np.bool_] = opened[rows.entry_cluster]
    return visited


def score_scenes(
    rows: Rows,
    query: FloatArray,
    cluster_scores: FloatArray,
    visited: NDArray[np.bool_],
    options: RetrievalOptions,
) -> tuple[FloatArray, NDArray[np.float64]]:
    """Score [S] of every scene, -inf where its entry was not visited, and its best time [S]."""
    everything = bool(visited.all())
    entry_scores = np.full(len(visited), -np.inf, dtype=np.float32)
    chosen = slice(None) if everything else visited
    entry_scores[chosen] = rows.entry_vectors[chosen] @ query
    frames = (
        np.arange(len(rows.frame_scene))
        if everything
        else np.flatnonzero(visited[rows.scene_entry[rows.frame_scene]])
    )
    scores = entry_scores[rows.scene_entry]
    keyframes = (rows.scene_start + rows.scene_end) / 2
    if len(frames):
        frame_scores = rows.frame_vectors[frames] @ query
        scene = rows.frame_scene[frames]
        # By scene, best frame first within each.
        order = np.lexsort((-frame_scores, scene))
        scene, frame_scores = scene[order], frame_scores[order]
        first = np.flatnonzero(np.r_[True, scene[1:] != scene[:-1]])
        pooled = _pool(frame_scores, first, options)
        own = scene[first]
        keyframes[own] = rows.frame_times[frames[order][first]]
        scores[own] = (1 - options.entry_weight) * pooled + options.entry_weight * scores[own]
    support = options.cluster_weight
    if support:
        cluster = cluster_scores[rows.entry_cluster[rows.scene_entry]]
        scores = (1 - support) * scores + support * cluster
    return scores, keyframes


def _pool(scores: FloatArray, first: NDArray[np.int64], options: RetrievalOptions) -> FloatArray:
    """Pool runs of descending scores that begin at ``first`` into one score each.

    Mean of the best few beats both the best alone (one odd frame decides) and the mean of all.
    """
    if options.pooling == "max":
        return scores[first]
    counts = np.diff(np.r_[first, len(scores)])
    if options.pooling == "top":
        rank = np.arange(len(scores)) - np.repeat(first, counts)
        kept = rank < options.top_frames
        sums = np.add.reduceat(np.where(kept, scores, 0), first)
        counts = np.minimum(counts, options.top_frames)
    else:
        sums = np.add.reduceat(scores, first)
    pooled: FloatArray = (sums / counts).astype(np.float32)
    return pooled
