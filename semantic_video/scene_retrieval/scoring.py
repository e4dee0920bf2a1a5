"""The score of every scene for a query, and which entries are scored at all.

A scene's score blends its best frames with its entry's own vector and with what supports it:
scenes that mean the same support each other, finely (its kin across the whole film) and coarsely
(its cluster).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import RetrievalOptions
from semantic_video.scene_retrieval.rows import FloatArray, Rows

# Scenes scored at once where there are many queries: bounds the memory.
_CHUNK = 4096


def visited_scenes(
    rows: Rows, cluster_scores: FloatArray, options: RetrievalOptions
) -> NDArray[np.int64]:
    """Scenes of the clusters nearest to the query, until enough entries are gathered."""
    total = len(rows.entry_cluster)
    wanted = max(options.probe_entries, int(np.ceil(options.probe_share * total)))
    if wanted >= total:
        return np.arange(len(rows.scene_entry))
    order = np.argsort(-cluster_scores, kind="stable")
    sizes = np.bincount(rows.entry_cluster, minlength=len(order))[order]
    count = int(np.searchsorted(np.cumsum(sizes), wanted)) + 1
    opened = np.zeros(len(order), dtype=np.bool_)
    opened[order[:count]] = True
    return np.flatnonzero(opened[rows.entry_cluster[rows.scene_entry]])


def score_scenes(
    rows: Rows, queries: FloatArray, scenes: NDArray[np.int64], options: RetrievalOptions
) -> FloatArray:
    """Scores [Q, n] of ``scenes`` [n] for unit query vectors [Q, D]."""
    entries = rows.scene_entry[scenes]
    pooled = _best_frames(rows, queries, scenes, options)
    share = options.entry_weight
    kin, cluster = options.kin_weight, options.cluster_weight
    # A weighted sum of vectors is one vector: one product with the queries scores all three.
    context = (1 - kin - cluster) * share * rows.entry_vectors[entries]
    if kin:
        context = context + kin * rows.entry_kin[entries]
    if cluster:
        context = context + cluster * rows.cluster_vectors[rows.entry_cluster[entries]]
    scores: FloatArray = (1 - kin - cluster) * (1 - share) * pooled + queries @ context.T
    return scores


def best_scores(rows: Rows, queries: FloatArray, options: RetrievalOptions) -> FloatArray:
    """The best score [Q, V] that each video gives to each of many queries [Q, D]."""
    best = np.full((len(queries), len(rows.video_scenes) - 1), -np.inf, dtype=np.float32)
    for video, (first, last) in enumerate(
        zip(rows.video_scenes[:-1], rows.video_scenes[1:], strict=True)
    ):
        for start in range(first, last, _CHUNK):
            scenes = np.arange(start, min(start + _CHUNK, last))
            scores = score_scenes(rows, queries, scenes, options).max(axis=1)
            best[:, video] = np.maximum(best[:, video], scores)
    return best


def frame_scores(
    rows: Rows, query: FloatArray, scene: int
) -> tuple[NDArray[np.float64], FloatArray]:
    """Times [F] of a scene's exemplars, in order, and how they score [F]."""
    own = slice(int(rows.scene_frames[scene]), int(rows.scene_frames[scene + 1]))
    return rows.frame_times[own], rows.frame_vectors[own].astype(np.float32) @ query


def _best_frames(
    rows: Rows, queries: FloatArray, scenes: NDArray[np.int64], options: RetrievalOptions
) -> FloatArray:
    """Pooled score [Q, n] of each scene's frames; of its entry where it has none.

    Mean of the best few beats both the best alone (one odd frame decides) and the mean of all.
    """
    first = rows.scene_frames[scenes]
    counts = rows.scene_frames[scenes + 1] - first
    width = max(int(counts.max(initial=0)), 1)
    place = np.arange(width)
    held = place < counts[:, None]
    if len(scenes) == len(rows.scene_entry):
        scores = queries @ rows.frame_vectors.T
    else:
        scores = queries @ rows.frame_vectors[(first[:, None] + place)[held]].T
    padded = np.full((len(queries), *held.shape), -np.inf, dtype=np.float32)
    padded[:, held] = scores
    kept = {"max": 1, "mean": width, "top": min(options.top_frames, width)}[options.pooling]
    if kept < width:
        padded = -np.partition(-padded, kept - 1, axis=2)[:, :, :kept]
    sums = np.where(np.isfinite(padded), padded, 0).sum(axis=2)
    pooled: FloatArray = sums / np.maximum(np.minimum(counts, kept), 1)
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        pooled[:, empty] = queries @ rows.entry_vectors[rows.scene_entry[scenes[empty]]].T
    return pooled.astype(np.float32)
