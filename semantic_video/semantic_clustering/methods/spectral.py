"""Normalised spectral clustering: of all pairs, or through landmarks where there are too many."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semantic_video.semantic_clustering.arrays import group_means
from semantic_video.semantic_clustering.methods.base import Problem

ALL_PAIRS = 2000
"""Scenes up to which the whole matrix of affinities is taken apart."""

_LANDMARKS = 1000
_NEAREST = 7


def spectral(problem: Problem) -> NDArray[np.int32]:
    """Ng, Jordan and Weiss (2002), with self-tuning affinities (Zelnik-Manor and Perona 2004).

    The affinity of two scenes at distance d is exp(-d^2 / (s_1 s_2)), where s is a scene's
    distance to its seventh neighbour. For unit vectors d^2 is twice the cosine distance.
    Above `ALL_PAIRS` scenes each is described by its nearest landmarks (Chen and Cai 2011).
    """
    if len(problem.points) > ALL_PAIRS:
        return _through_landmarks(problem)
    from sklearn.cluster import SpectralClustering

    points = problem.points
    # Products of near copies differ by rounding from their transpose.
    products = points @ points.T
    squared = np.clip(2 - (products + products.T), 0, None)
    np.fill_diagonal(squared, 0)
    neighbour = min(_NEAREST, len(points) - 1)
    scale = np.sqrt(np.partition(squared, neighbour, axis=1)[:, neighbour])
    affinity = np.exp(-squared / np.maximum(np.outer(scale, scale), 1e-12))
    affinity = np.maximum(affinity, 1e-6)  # the method assumes a connected graph
    model = SpectralClustering(
        problem.count,
        affinity="precomputed",
        assign_labels="cluster_qr",
        random_state=problem.seed,
    )
    labels: NDArray[np.int32] = model.fit(affinity).labels_
    return labels


def _through_landmarks(problem: Problem) -> NDArray[np.int32]:
    """Landmark-based spectral clustering: eigenvectors of P x P instead of N x N.

    Landmarks are the means of k-means groups; a scene's row of Z holds its affinities to the
    nearest of them, summing to one. The left singular vectors of Z D^-1/2 are the embedding.
    """
    from scipy.sparse import csr_array
    from sklearn.cluster import KMeans

    points, count = problem.points, problem.count
    landmarks = max(_LANDMARKS, min(2 * count, len(points) // 2))
    model = KMeans(landmarks, init="random", n_init=1, max_iter=5, random_state=problem.seed)
    _, own = np.unique(model.fit(points).labels_, return_inverse=True)
    means = group_means(points, own.astype(np.int32), np.ones(len(points)))
    nearest = min(_NEAREST, len(means))
    norms = np.einsum("pd,pd->p", means, means)
    squared = np.maximum(1 + norms - 2 * (points @ means.T), 0)
    columns = np.argpartition(squared, nearest - 1, axis=1)[:, :nearest]
    picked = np.take_along_axis(squared, columns, axis=1)
    values = np.exp(-picked / np.maximum(picked.max(axis=1, keepdims=True), 1e-12))
    values /= values.sum(axis=1, keepdims=True)
    starts = np.arange(0, len(points) * nearest + 1, nearest)
    described = csr_array((values.ravel(), columns.ravel(), starts), (len(points), len(means)))
    scaled = described / np.sqrt(np.maximum(described.sum(axis=0), 1e-12))[None, :]
    scaled = csr_array(scaled)
    _, vectors = np.linalg.eigh((scaled.T @ scaled).toarray().astype(np.float64))
    kept = vectors[:, ::-1][:, : min(count, len(means))]
    embedding = scaled @ kept
    embedding /= np.maximum(np.linalg.norm(embedding, axis=1, keepdims=True), 1e-12)
    final = KMeans(count, n_init=1, max_iter=50, random_state=problem.seed)
    labels: NDArray[np.int32] = final.fit(embedding.astype(np.float32)).labels_
    return labels
