"""Scene vectors -> clusters across the timeline, behind one interface."""

from __future__ import annotations

import difflib
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semantic_video.errors import ConfigError
from semantic_video.semantic_clustering.arrays import unit_rows
from semantic_video.semantic_clustering.auto_number import best_cut, free_one_offs
from semantic_video.semantic_clustering.clustering import Clustering, first_appearance
from semantic_video.semantic_clustering.methods import kmeans, spectral

METHODS = ("kmeans", "spectral")

SPECTRAL_LIMIT = 3000
"""Scenes that ``spectral`` takes: it needs the N x N matrix of affinities and its eigenvectors."""

_TREE_LIMIT = 3000
"""Scenes in the Ward tree that finds the number of clusters; more are summarised first."""


class SemanticClustering:
    """Groups scene vectors by meaning, in the manner of a scikit-learn estimator.

    ``method`` is ``kmeans`` (on the unit sphere, weighted) or ``spectral`` (cosine affinity with
    local scaling). ``num_clusters`` is a number or ``auto``. The same vectors, options and seed
    give the same clusters.
    """

    def __init__(
        self,
        method: str = "kmeans",
        num_clusters: int | Literal["auto"] = "auto",
        seed: int = 0,
    ) -> None:
        if method not in METHODS:
            near = difflib.get_close_matches(method, METHODS, n=1, cutoff=0.0)[0]
            raise ConfigError(
                f"unknown clustering method {method!r}: did you mean {near!r}? "
                f"There are {' and '.join(METHODS)}."
            )
        if num_clusters != "auto" and num_clusters < 1:
            raise ConfigError(f"num_clusters must be 'auto' or 1 or more, not {num_clusters}")
        self.method = method
        self.num_clusters = num_clusters
        self.seed = seed

    def fit(self, vectors: ArrayLike, weights: ArrayLike | None = None) -> Clustering:
        """Cluster N scenes: ``vectors`` float32[N, D] with unit rows, ``weights`` float32[N].

        Weights (for instance seconds) say how much a scene counts; without them all count alike.
        Asking for more clusters than there are different vectors gives as many as there are.
        """
        points = np.asarray(vectors, dtype=np.float32)
        if points.ndim != 2 or not len(points):
            raise ValueError("vectors must be a matrix with at least one row")
        distinct, inverse = np.unique(points, axis=0, return_inverse=True)
        counts = np.ones(len(points)) if weights is None else np.asarray(weights, np.float64)
        masses = np.bincount(inverse, weights=np.maximum(counts, 1e-6)).astype(np.float64)
        if self.method == "spectral" and len(distinct) > SPECTRAL_LIMIT:
            raise ConfigError(
                f"spectral clustering takes up to {SPECTRAL_LIMIT} scenes and this video has "
                f"{len(distinct)}: use --clustering-method kmeans"
            )
        count, start = self.num_clusters, None
        if count == "auto":
            start, reason = self._choose(distinct)
            count = int(start.max()) + 1
        else:
            reason = f"{count} asked for"
            if count > len(distinct):
                reason += f", but there are only {len(distinct)} different scenes"
                count = len(distinct)
        labels: NDArray[np.int32]
        if count == len(distinct):
            labels = np.arange(count, dtype=np.int32)
        elif count == 1:
            labels = np.zeros(len(distinct), dtype=np.int32)
        elif self.method == "kmeans":
            labels = kmeans(distinct, masses, count, start, self.seed)
        else:
            labels = spectral(distinct, count, self.seed)
        return Clustering(
            self.method, self.num_clusters, self.seed, first_appearance(labels[inverse]), reason
        )

    def _choose(self, points: NDArray[np.float32]) -> tuple[NDArray[np.int32], str]:
        """A first grouping in a fitting number of clusters, and why that number."""
        if len(points) > _TREE_LIMIT:
            from sklearn.cluster import KMeans

            model = KMeans(
                _TREE_LIMIT, init="random", n_init=1, max_iter=10, random_state=self.seed
            ).fit(points)
            _, row, sizes = np.unique(model.labels_, return_inverse=True, return_counts=True)
            means = np.zeros((len(sizes), points.shape[1]), dtype=np.float32)
            np.add.at(means, row, points)
            labels, values, reason = best_cut(unit_rows(means), sizes.astype(np.float64))
            reason += f", over {len(sizes)} prototypes of the scenes"
        else:
            row = np.arange(len(points))
            labels, values, reason = best_cut(points, np.ones(len(points)))
        if self.method == "kmeans":
            labels, clause = free_one_offs(labels, values)
            reason += clause
        return labels[row], reason
