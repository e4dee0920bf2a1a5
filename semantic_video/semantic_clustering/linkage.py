"""Agglomerative linkage between centroid and Ward: the tree that clusters are cut from.

Ward's cost of a merge, n m / (n + m) times the squared distance of the means, keeps large groups
from merging for their size alone, so that one subject with many scenes falls into pieces before
scenes that occur once stop pairing up. Centroid linkage, which leaves sizes out, lets few groups
swallow the rest. The size term to a power between 0 (centroid) and 1 (Ward) does neither.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

SIZE_EXPONENT = 0.7
"""The plateau lies at 0.7 to 0.8, see docs/clustering.md."""


def merge_order(
    points: NDArray[np.float32], weights: NDArray[np.float64], exponent: float = SIZE_EXPONENT
) -> list[tuple[float, int, int]]:
    """The N - 1 merges of weighted points [N, D] as (cost, row, row), in the order they happen.

    A merged group goes by the lower row. The first N - K merges leave K groups. Distances follow
    the update of Lance and Williams (1967) for centroids; each group remembers its nearest.
    O(N^2) memory and, in practice, time.
    """
    count = len(points)
    data = points.astype(np.float64)
    norms = np.einsum("nd,nd->n", data, data)
    squared = np.maximum(norms[:, None] + norms - 2 * (data @ data.T), 0)
    squared = (squared + squared.T) / 2
    np.fill_diagonal(squared, np.inf)
    masses = weights.astype(np.float64).copy()
    active = np.ones(count, dtype=bool)

    def costs_of(row: int) -> NDArray[np.float64]:
        size = masses * masses[row] / (masses + masses[row])
        return np.asarray(np.where(active, size**exponent * squared[row], np.inf))

    nearest = np.zeros(count, dtype=np.int64)
    cheapest = np.full(count, np.inf)

    def look(row: int) -> None:
        costs = costs_of(row)
        nearest[row] = int(np.argmin(costs))
        cheapest[row] = costs[nearest[row]]

    for row in range(count):
        look(row)
    merges: list[tuple[float, int, int]] = []
    for _ in range(count - 1):
        a = int(np.argmin(cheapest))
        low, high = sorted((a, int(nearest[a])))
        merges.append((float(cheapest[a]), low, high))
        n, m = masses[low], masses[high]
        joined = (n * squared[low] + m * squared[high]) / (n + m)
        joined -= n * m / (n + m) ** 2 * squared[low, high]
        joined = np.maximum(joined, 0)
        joined[low] = np.inf
        squared[low], squared[:, low] = joined, joined
        masses[low] = n + m
        active[high] = False
        cheapest[high] = np.inf
        stale = np.flatnonzero(active & ((nearest == low) | (nearest == high)))
        for other in stale:
            look(int(other))
        look(low)
        costs = costs_of(low)
        better = active & (costs < cheapest)
        better[low] = False
        nearest[better], cheapest[better] = low, costs[better]
    return merges
