"""A clustering: which cluster each scene belongs to, and what follows from that."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semantic_video.semantic_clustering.arrays import unit_rows

if TYPE_CHECKING:
    from semantic_video.semantic_clustering.corrections import Correction


@dataclass(frozen=True, eq=False)
class Found:
    """A grouping as a method found it, before corrections: labels int32[N], a name a cluster."""

    labels: NDArray[np.int32]
    names: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Clustering:
    """Which cluster each of N scenes (or entries) belongs to, and how that came about.

    ``labels`` is int32[N] with values 0 to K-1, none empty, numbered in order of first appearance.
    ``num_clusters`` is what was asked for; ``reason`` says in a sentence why there are K.
    ``corrections`` are the user's, already in the labels; ``found`` is what was there before them,
    None where there are none.
    """

    method: str
    num_clusters: int | Literal["auto"]
    seed: int
    labels: NDArray[np.int32]
    reason: str
    corrections: tuple[Correction, ...] = ()
    found: Found | None = None
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name of a cluster, as found -> the words that speak for it, then its kinds of things."""

    @property
    def size(self) -> int:
        """K, the number of clusters."""
        return int(self.labels.max()) + 1

    def reduced(self, labels: NDArray[np.int32], rows: NDArray[np.intp]) -> Clustering:
        """This clustering of fewer entries: those of ``rows``, with these labels."""
        found = self.found
        if found is not None:
            kept = found.labels[rows]
            order = np.unique(kept, return_index=True)[1]
            names = tuple(found.names[kept[first]] for first in np.sort(order))
            found = Found(first_appearance(kept), names)
        return replace(self, labels=labels, found=found)

    def centroids(
        self, vectors: ArrayLike, weights: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """The weighted mean direction of each cluster: float32[K, D], rows of unit length."""
        points = np.asarray(vectors, dtype=np.float32)
        masses = np.ones(len(points)) if weights is None else np.asarray(weights)
        sums = np.zeros((self.size, points.shape[1]), dtype=np.float32)
        np.add.at(sums, self.labels, points * masses[:, None].astype(np.float32))
        return unit_rows(sums)

    def medoids(self, vectors: ArrayLike, weights: ArrayLike | None = None) -> NDArray[np.int32]:
        """The row nearest to the centroid of each cluster: int32[K]."""
        points = np.asarray(vectors, dtype=np.float32)
        nearness = np.einsum("nd,nd->n", points, self.centroids(points, weights)[self.labels])
        order = np.lexsort((np.arange(len(points)), -nearness, self.labels))
        starts = np.searchsorted(self.labels[order], np.arange(self.size))
        return order[starts].astype(np.int32)


def first_appearance(labels: ArrayLike) -> NDArray[np.int32]:
    """The same groups, numbered 0 to K-1 in the order in which they first appear: int32[N]."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int32)
