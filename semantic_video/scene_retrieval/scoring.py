"""The score of every scene for a query, and which entries are scored at all.

A scene's score blends its best frames with its entry's own vector and with what supports it:
scenes that mean the same support each other, finely (its kin across the whole film) and coarsely
(its cluster).
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import RetrievalOptions
from semantic_video.scene_retrieval.frames import frame_products
from semantic_video.scene_retrieval.rows import FloatArray, Rows

# Scenes scored at once where there are many queries: bounds the memory.
_CHUNK = 4096
_MANY = 20_000


def summary_scores(rows: Rows, query: FloatArray, scenes: NDArray[np.int64]) -> FloatArray:
    """What ``scenes`` [n] score by their entries' summaries alone, without any frame: [n].

    One product over the entries, and nearly the full score: what is looked at first.
    """
    if len(scenes) == len(rows.scene_entry):  # without a copy of all summaries
        return (rows.entry_summary @ query)[rows.scene_entry]
    scores: FloatArray = rows.entry_summary[rows.scene_entry[scenes]] @ query
    return scores


def likeliest(summaries: FloatArray, options: RetrievalOptions) -> NDArray[np.int64]:
    """From coarse to fine: positions of the ``probe_scenes`` best summaries, in order."""
    count = options.probe_scenes
    if len(summaries) <= count:
        return np.arange(len(summaries))
    return np.sort(np.argpartition(summaries, -count)[-count:])


def score_scenes(
    rows: Rows, queries: FloatArray, scenes: NDArray[np.int64], options: RetrievalOptions
) -> FloatArray:
    """Scores [Q, n] of ``scenes`` [n] for unit query vectors [Q, D]."""
    entries = rows.scene_entry[scenes]
    pooled = _best_frames(rows, queries, scenes, options)
    context = rows.entry_summary[entries] - rows.frame_share * rows.entry_vectors[entries].astype(
        np.float32
    )
    scores: FloatArray = rows.frame_share * pooled + queries @ context.T
    return scores


def best_scores(
    rows: Rows,
    queries: FloatArray,
    options: RetrievalOptions,
    apart_from: NDArray[np.integer[Any]] | None = None,
) -> FloatArray:
    """The best score [Q, V] that each video gives to each of many queries [Q, D].

    ``apart_from`` [Q] are clusters whose scenes do not count for a query, as `Rows.entry_cluster`
    names them: -inf where a video has no others. Of more than `_MANY` scenes the summaries alone
    are looked at: a thousandth less on average, and a tenth of the time.
    """
    best = np.full((len(queries), len(rows.video_scenes) - 1), -np.inf, dtype=np.float32)
    many = len(rows.scene_entry) > _MANY
    for video, (first, last) in enumerate(
        zip(rows.video_scenes[:-1], rows.video_scenes[1:], strict=True)
    ):
        for start in range(first, last, _CHUNK):
            scenes = np.arange(start, min(start + _CHUNK, last))
            if many:
                scores = queries @ rows.entry_summary[rows.scene_entry[scenes]].T
            else:
                scores = score_scenes(rows, queries, scenes, options)
            if apart_from is not None:
                own = rows.entry_cluster[rows.scene_entry[scenes]]
                scores = np.where(apart_from[:, None] == own, -np.inf, scores)
            best[:, video] = np.maximum(best[:, video], scores.max(axis=1))
    return best


def frame_scores(
    rows: Rows, query: FloatArray, scenes: NDArray[np.int64]
) -> tuple[NDArray[np.float64], FloatArray, NDArray[np.int64]]:
    """Times [F] of the exemplars of ``scenes`` [n], in order, how they score [F], and where each
    scene's begin [n + 1]."""
    first = rows.scene_frames[scenes]
    counts = rows.scene_frames[scenes + 1] - first
    bounds = np.append(0, np.cumsum(counts))
    at = np.arange(bounds[-1]) + np.repeat(first - bounds[:-1], counts)
    return rows.frame_times[at], frame_products(rows.frame_vectors, query[None], at)[0], bounds


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
    at = (first[:, None] + place)[held]
    padded = np.full((len(queries), *held.shape), -np.inf, dtype=np.float32)
    padded[:, held] = frame_products(rows.frame_vectors, queries, at)
    kept = {"max": 1, "mean": width, "top": min(options.top_frames, width)}[options.pooling]
    if kept < width:
        padded = -np.partition(-padded, kept - 1, axis=2)[:, :, :kept]
    sums = np.where(np.isfinite(padded), padded, 0).sum(axis=2)
    pooled: FloatArray = sums / np.maximum(np.minimum(counts, kept), 1)
    empty = np.flatnonzero(counts == 0)
    if len(empty):
        own = rows.entry_vectors[rows.scene_entry[scenes[empty]]].astype(np.float32)
        pooled[:, empty] = queries @ own.T
    return pooled.astype(np.float32)
