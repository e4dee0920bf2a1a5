"""Few points that stand for many, where a method needs every pair of points."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semantic_video.semantic_clustering.arrays import group_means

PAIRWISE_LIMIT = 3000
"""Scenes up to which every pair is compared."""

PROTOTYPES = 2000
"""How many stand for more scenes than that."""

_ROUNDS = 5


def summarise(
    points: NDArray[np.float32], weights: NDArray[np.float64], seed: int
) -> tuple[NDArray[np.int32], NDArray[np.float32], NDArray[np.float64]]:
    """The prototype of each point, the prototypes [P, D], and the weight behind each.

    Up to `PAIRWISE_LIMIT` points are their own; more are grouped by a few rounds of k-means.
    """
    if len(points) <= PAIRWISE_LIMIT:
        return np.arange(len(points), dtype=np.int32), points, weights
    from sklearn.cluster import KMeans

    model = KMeans(PROTOTYPES, init="random", n_init=1, max_iter=_ROUNDS, random_state=seed)
    _, row = np.unique(model.fit(points).labels_, return_inverse=True)
    own = row.astype(np.int32)
    masses = np.bincount(own, weights=weights).astype(np.float64)
    return own, group_means(points, own, weights), masses
