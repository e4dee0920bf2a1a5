"""Scene vectors -> clusters across the timeline, behind one interface."""

from __future__ import annotations

import difflib
from collections.abc import Sequence
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semantic_video.errors import ConfigError
from semantic_video.semantic_clustering.auto_number import choose_groups
from semantic_video.semantic_clustering.clustering import Clustering, first_appearance
from semantic_video.semantic_clustering.links import Links
from semantic_video.semantic_clustering.methods import BY_NAME, Problem
from semantic_video.semantic_clustering.methods.density import density_groups
from semantic_video.semantic_clustering.ward import join

METHODS = tuple(BY_NAME)


class SemanticClustering:
    """Groups scene vectors by meaning, in the manner of a scikit-learn estimator.

    ``method`` is ``kmeans`` (on the unit sphere, weighted), ``spectral`` (cosine affinity with
    local scaling, landmarks above 2,000 scenes), ``hdbscan`` (by density; a scene that belongs to
    no group stands alone) or ``agglomerative`` (linkage between centroid and Ward).
    ``num_clusters`` is a number or ``auto`` (see `auto_number`). The same vectors, options and seed
    give the same clusters.

    After `fit`, ``labels_`` is the cluster of each scene, int32[N], and ``clustering_`` the whole
    `Clustering`, which `fit` also returns (where an estimator of scikit-learn returns itself).
    """

    labels_: NDArray[np.int32]
    clustering_: Clustering

    def __init__(
        self,
        method: str = "kmeans",
        num_clusters: int | Literal["auto"] = "auto",
        seed: int = 0,
    ) -> None:
        self.set_params(method=method, num_clusters=num_clusters, seed=seed)

    def get_params(self, deep: bool = True) -> dict[str, Any]:
        """The options by name, as scikit-learn asks for them."""
        return {"method": self.method, "num_clusters": self.num_clusters, "seed": self.seed}

    def set_params(self, **params: Any) -> Self:
        """Change options; ``ConfigError`` where one cannot be."""
        method = params.get("method", getattr(self, "method", "kmeans"))
        count = params.get("num_clusters", getattr(self, "num_clusters", "auto"))
        if method not in METHODS:
            near = difflib.get_close_matches(str(method), METHODS, n=1)
            meant = f": did you mean {near[0]!r}?" if near else "."
            raise ConfigError(
                f"unknown clustering method {method!r}{meant} "
                f"There are {', '.join(METHODS[:-1])} and {METHODS[-1]}."
            )
        if count != "auto" and count < 1:
            raise ConfigError(f"num_clusters must be 'auto' or 1 or more, not {count}")
        self.method: str = method
        self.num_clusters: int | Literal["auto"] = count
        self.seed: int = params.get("seed", getattr(self, "seed", 0))
        return self

    def fit(
        self,
        vectors: ArrayLike,
        weights: ArrayLike | None = None,
        together: Sequence[tuple[int, int]] = (),
        apart: Sequence[tuple[int, int]] = (),
    ) -> Clustering:
        """Cluster N scenes: ``vectors`` float32[N, D] with unit rows, ``weights`` float32[N].

        Weights (for instance seconds) say how much a scene counts; without them all count alike.
        Asking for more clusters than there are different vectors gives as many as there are.
        Pairs of rows in ``together`` end in one cluster and pairs in ``apart`` in two, whatever
        the vectors say; where both are asked of the same rows, ``apart`` holds.

        Raises:
            ValueError: vectors or weights of another shape, or with numbers that are not finite.
        """
        points = np.asarray(vectors, dtype=np.float32)
        if points.ndim != 2 or not len(points):
            raise ValueError("vectors must be a matrix with at least one row")
        if not np.isfinite(points).all():
            raise ValueError("vectors hold NaN or infinity: leave those rows out")
        distinct, inverse, times = np.unique(
            points, axis=0, return_inverse=True, return_counts=True
        )
        counts = np.ones(len(points)) if weights is None else np.asarray(weights, np.float64)
        if counts.shape != (len(points),) or not np.isfinite(counts).all():
            raise ValueError(f"weights must be {len(points)} finite numbers, one for each vector")
        masses = np.bincount(inverse, weights=np.maximum(counts, 1e-6)).astype(np.float64)
        labels, reason = self._group(distinct, times, masses)
        labels = first_appearance(labels[inverse])
        if together or apart:
            links = Links(points, counts)
            joined = join(len(points), together)
            for group in np.flatnonzero(np.bincount(joined) > 1):
                labels = links.together(labels, np.flatnonzero(joined == group))
            for a, b in apart:
                labels = links.apart(labels, np.array([a]), np.array([b]))
            reason += f"; {len(together)} pairs held together and {len(apart)} apart"
        self.labels_ = labels
        self.clustering_ = Clustering(self.method, self.num_clusters, self.seed, labels, reason)
        return self.clustering_

    def fit_predict(
        self, vectors: ArrayLike, weights: ArrayLike | None = None
    ) -> NDArray[np.int32]:
        """The labels of `fit`: int32[N]."""
        return self.fit(vectors, weights).labels

    def _group(
        self, points: NDArray[np.float32], times: NDArray[np.intp], masses: NDArray[np.float64]
    ) -> tuple[NDArray[np.int32], str]:
        """Labels of different scenes, each of which occurs ``times``, and why so many clusters."""
        count, start = self.num_clusters, None
        if count == "auto":
            free = self.method in ("kmeans", "agglomerative")
            start, reason = choose_groups(points, times, self.seed, free)
            if self.method == "hdbscan" and start.max() > 0:
                start, reason = density_groups(points, self.seed)
            count = int(start.max()) + 1
        else:
            reason = f"{count} asked for"
            if count > len(points):
                reason += f", but there are only {len(points)} different scenes"
                count = len(points)
        if count == len(points):
            return np.arange(count, dtype=np.int32), reason
        if count == 1:
            return np.zeros(len(points), dtype=np.int32), reason
        return BY_NAME[self.method](Problem(points, masses, count, self.seed, start)), reason
