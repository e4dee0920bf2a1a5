"""Labels changed so that rows are together or apart, and nothing else that need not."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semantic_video.semantic_clustering.arrays import group_means, unit_rows
from semantic_video.semantic_clustering.clustering import first_appearance

Labels = NDArray[np.int32]
Rows = NDArray[np.intp]


class Links:
    """Must-link and cannot-link (Wagstaff et al. 2001) over N scenes, applied to given labels.

    Links are kept by changing labels after clustering rather than inside each method: an edit then
    changes what it names and leaves the rest alone, and every method honours it.
    """

    def __init__(self, vectors: NDArray[np.float32], weights: NDArray[np.float64]) -> None:
        self._vectors = np.asarray(vectors, dtype=np.float32)
        self._weights = np.maximum(np.asarray(weights, dtype=np.float64), 1e-6)

    def together(self, labels: Labels, rows: Rows) -> Labels:
        """All ``rows`` in one cluster.

        Clusters that consist mostly of these rows come whole; from others just the rows are taken.
        Where there is none of the first kind, the one that holds most of the rows takes them all.
        """
        inside = np.zeros(len(labels), dtype=bool)
        inside[rows] = True
        held = np.bincount(labels, weights=self._weights * inside)
        size = np.bincount(labels, weights=self._weights)
        whole = held * 2 > size
        home = int(np.argmax(held if not whole.any() else np.where(whole, held, -1)))
        return first_appearance(np.where(inside | whole[labels], home, labels))

    def apart(self, labels: Labels, first: Rows, second: Rows) -> Labels:
        """No cluster with rows of both ``first`` and ``second``.

        In a cluster that holds both, the lighter side leaves, with those of the other scenes that
        are nearer to it, if it has more than one row there; else the scene leaves alone.
        """
        labels = labels.copy()
        for cluster in np.intersect1d(labels[first], labels[second]):
            members = np.flatnonzero(labels == cluster)
            sides = [np.intersect1d(members, rows) for rows in (first, second)]
            sides.sort(key=lambda rows: float(self._weights[rows].sum()), reverse=True)
            if len(sides[0]) == len(sides[1]) == 1:
                centre = self._vectors[members].mean(axis=0)
                sides.sort(key=lambda rows: -float(self._vectors[rows[0]] @ centre))
            leave = sides[1]
            if len(leave) > 1:
                rest = np.setdiff1d(members, np.concatenate(sides))
                near = [self._vectors[rest] @ self._vectors[side].mean(axis=0) for side in sides]
                leave = np.concatenate([leave, rest[near[1] > near[0]]])
            labels[leave] = labels.max() + 1
        return first_appearance(labels)

    def split(self, labels: Labels, cluster: int) -> tuple[Rows, Rows]:
        """The rows of a cluster in the two parts that differ most (two-means), neither empty."""
        members = np.flatnonzero(labels == cluster)
        points, weights = self._vectors[members], self._weights[members]
        centre = unit_rows(np.average(points, axis=0, weights=weights)[None])[0]
        one = int(np.argmin(points @ centre))
        other = int(np.argmin(points @ points[one]))
        side = points @ points[one] > points @ points[other]
        for _ in range(20):
            if side.all() or not side.any():
                break
            means = unit_rows(group_means(points, side.astype(np.int32), weights))
            moved = points @ means[1] > points @ means[0]
            if (moved == side).all():
                break
            side = moved
        if side.all() or not side.any():  # copies: any division is as good
            side = np.arange(len(members)) < max(len(members) // 2, 1)
        return members[side], members[~side]
