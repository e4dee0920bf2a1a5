"""The ways to group N scenes in K clusters."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def kmeans(
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    count: int,
    start: NDArray[np.int32] | None,
    seed: int,
) -> NDArray[np.int32]:
    """K-means (Lloyd 1982) from the means of the groups ``start``, else from k-means++ seeds."""
    from sklearn.cluster import KMeans

    if start is None:
        model = KMeans(count, n_init=4, random_state=seed)
    else:
        means = np.zeros((count, points.shape[1]), dtype=np.float32)
        np.add.at(means, start, points)
        means /= np.bincount(start)[:, None]
        model = KMeans(count, init=means, n_init=1, random_state=seed)
    labels: NDArray[np.int32] = model.fit(points, sample_weight=weights).labels_
    return labels


def spectral(points: NDArray[np.float32], count: int, seed: int) -> NDArray[np.int32]:
    """Normalised spectral clustering (Ng, Jordan and Weiss 2002) with self-tuning affinities.

    The affinity of two scenes at distance d is exp(-d^2 / (s_1 s_2)), where s is a scene's distance
    to its seventh neighbour (Zelnik-Manor and Perona 2004). For unit vectors d^2 is twice the
    cosine distance.
    """
    from sklearn.cluster import SpectralClustering

    # Products of near copies differ by rounding from their transpose.
    products = points @ points.T
    squared = np.clip(2 - (products + products.T), 0, None)
    np.fill_diagonal(squared, 0)
    neighbour = min(7, len(points) - 1)
    scale = np.sqrt(np.partition(squared, neighbour, axis=1)[:, neighbour])
    affinity = np.exp(-squared / np.maximum(np.outer(scale, scale), 1e-12))
    affinity = np.maximum(affinity, 1e-6)  # the method assumes a connected graph
    model = SpectralClustering(
        count, affinity="precomputed", assign_labels="cluster_qr", random_state=seed
    )
    labels: NDArray[np.int32] = model.fit(affinity).labels_
    return labels
