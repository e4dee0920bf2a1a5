"""What a job is worth on time that it has not seen, measured without labels.

Film is split into blocks of time, never into single frames: neighbouring frames show the same, so
that a random split would test on what was trained on.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float32]

BLOCK_S = 60.0
HELD_OUT_SHARE = 0.4


def time_blocks(
    times_s: ArrayLike, seed: int, block_s: float = BLOCK_S, share: float = HELD_OUT_SHARE
) -> NDArray[np.bool_]:
    """Which of N times lie in the held-out blocks, bool[N]: ``share`` of the blocks, by ``seed``.

    Blocks are ``block_s`` seconds, shorter where a film has fewer than ten of them. At least one
    block is on each side.
    """
    times = np.asarray(times_s, dtype=np.float64)
    end = float(times.max()) + 1e-6
    count = max(10, int(np.ceil(end / block_s)))
    block = np.minimum((times / end * count).astype(np.int64), count - 1)
    used = np.unique(block)  # a block without frames would hold out nothing
    held = np.random.default_rng(seed).permutation(used)
    wanted = min(max(1, round(share * len(used))), len(used) - 1)
    return np.isin(block, held[:wanted])


def overlap_at(first: FloatArray, second: FloatArray, k: int) -> float:
    """Mean share of the ``k`` best columns of each row of ``first`` that ``second`` has as well."""
    k = min(k, first.shape[1])
    tops = [np.argsort(-scores, axis=1, kind="stable")[:, :k] for scores in (first, second)]
    return float(np.mean([len(set(a) & set(b)) / k for a, b in zip(*tops, strict=True)]))


def average_precisions(vectors: FloatArray, labels: NDArray[np.int64]) -> NDArray[np.float64]:
    """How well each vector [N, D] finds the others of its label: average precision [N].

    NaN for a vector whose label no other has.
    """
    scores = vectors @ vectors.T
    np.fill_diagonal(scores, -np.inf)
    order = np.argsort(-scores, axis=1, kind="stable")[:, :-1]
    relevant = labels[order] == labels[:, None]
    ranks = np.arange(1, relevant.shape[1] + 1)
    precision = np.cumsum(relevant, axis=1) / ranks
    counts = relevant.sum(axis=1)
    with np.errstate(invalid="ignore", divide="ignore"):
        return np.asarray((precision * relevant).sum(axis=1) / np.where(counts, counts, np.nan))


def words_of(vectors: FloatArray, texts: FloatArray, background: FloatArray) -> NDArray[np.int64]:
    """The text [V, D] that stands out most for each vector [N, D] against the film's mean: int[N].

    Another view of what a scene shows than the likeness of pictures: two scenes of one word should
    find one another.
    """
    scores = (vectors - background.mean(axis=0)) @ texts.T
    return np.asarray(np.argmax(scores, axis=1))


def interval(values: ArrayLike) -> tuple[float, float]:
    """Mean of independent figures, and half of its 95 % interval (normal; 0 for a single one)."""
    figures = np.asarray(values, dtype=np.float64)
    figures = figures[np.isfinite(figures)]
    if len(figures) < 2:
        return (float(figures.mean()) if len(figures) else float("nan")), 0.0
    return float(figures.mean()), float(1.96 * figures.std(ddof=1) / len(figures) ** 0.5)
