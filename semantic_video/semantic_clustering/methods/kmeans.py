"""K-means on unit vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semantic_video.semantic_clustering.arrays import group_means
from semantic_video.semantic_clustering.methods.base import Problem

_ROUNDS = 100
_BLOCK = 1024  # scenes compared with all means at once, which bounds the memory that takes


def kmeans(problem: Problem) -> NDArray[np.int32]:
    """K-means (Lloyd 1982) from the means of the start, else from k-means++ seeds."""
    if problem.start is not None:
        return _settled(problem.points, problem.weights, problem.start)
    from sklearn.cluster import KMeans

    model = KMeans(problem.count, n_init=4, max_iter=_ROUNDS, random_state=problem.seed)
    labels: NDArray[np.int32] = model.fit(problem.points, sample_weight=problem.weights).labels_
    return labels


def _settled(
    points: NDArray[np.float32], weights: NDArray[np.float64], start: NDArray[np.int32]
) -> NDArray[np.int32]:
    """The labels when every scene is in the cluster whose mean is nearest.

    As many clusters as there were: one that lost all its scenes gets the one that fits its own
    cluster least. In numpy, because importing scikit-learn takes longer than a short film.
    """
    means = group_means(points, start, np.ones(len(points)))
    labels = np.empty(0, np.int32)
    for _ in range(_ROUNDS):
        nearest, distances = _nearest(points, means)
        sizes = np.bincount(nearest, minlength=len(means))
        for empty in np.flatnonzero(sizes == 0):
            spare = np.flatnonzero(sizes[nearest] > 1)
            taken = spare[distances[spare].argmax()]
            sizes[nearest[taken]] -= 1
            nearest[taken], sizes[empty] = empty, 1
        if np.array_equal(nearest, labels):
            break
        labels = nearest
        means = group_means(points, labels, weights)
    return labels


def _nearest(
    points: NDArray[np.float32], means: NDArray[np.float32]
) -> tuple[NDArray[np.int32], NDArray[np.float32]]:
    """The nearest of ``means`` to each of ``points``, and half of the squared distance."""
    halves = np.einsum("kd,kd->k", means, means) / 2
    labels, distances = np.empty(len(points), np.int32), np.empty(len(points), np.float32)
    for first in range(0, len(points), _BLOCK):
        rows = slice(first, first + _BLOCK)
        less = halves - points[rows] @ means.T  # by half of the point's own square, the same in all
        labels[rows] = less.argmin(axis=1)
        distances[rows] = less.min(axis=1)
    return labels, distances + np.einsum("nd,nd->n", points, points) / 2
