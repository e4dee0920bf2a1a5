"""K-means on unit vectors."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semantic_video.semantic_clustering.arrays import group_means
from semantic_video.semantic_clustering.methods.base import Problem

_ROUNDS = 100


def kmeans(problem: Problem) -> NDArray[np.int32]:
    """K-means (Lloyd 1982) from the means of the start, else from k-means++ seeds."""
    from sklearn.cluster import KMeans

    points, weights, start = problem.points, problem.weights, problem.start
    if start is None:
        model = KMeans(problem.count, n_init=4, max_iter=_ROUNDS, random_state=problem.seed)
    else:
        means = group_means(points, start, np.ones(len(points)))
        model = KMeans(
            problem.count, init=means, n_init=1, max_iter=_ROUNDS, random_state=problem.seed
        )
    labels: NDArray[np.int32] = model.fit(points, sample_weight=weights).labels_
    return labels
