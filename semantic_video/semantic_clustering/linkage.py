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
    the update of Lance and Williams (1967) for centroids. Each group remembers its nearest; where
    that one has merged, the cost of old is a lower bound, and the group looks again only once that
    is the lowest of all: else the many that are nearest to one large group look after each of its
    merges. O(N^2) memory and, in practice, time.
    """
    count = len(points)
    data = points.astype(np.float64)
    norms = np.einsum("nd,nd->n", data, data)
    squared = np.maximum(norms[:, None] + norms - 2 * (data @ data.T), 0)
    squared = (squared + squared.T) / 2
    np.fill_diagonal(squared, np.inf)
    masses = weights.astype(np.float64).copy()

    def costs_of(
        mass: float | NDArray[np.float64], distances: NDArray[np.float64]
    ) -> NDArray[np.float64]:
        return np.asarray((masses * mass / (masses + mass)) ** exponent * distances)

    costs = costs_of(masses[:, None], squared)
    nearest, cheapest = costs.argmin(axis=1), costs.min(axis=1)
    stale = np.zeros(count, dtype=bool)
    merges: list[tuple[float, int, int]] = []
    while len(merges) < count - 1:
        a = int(np.argmin(cheapest))
        if stale[a]:
            nearest[a] = costs[a].argmin()
            cheapest[a], stale[a] = costs[a, nearest[a]], False
            continue
        low, high = sorted((a, int(nearest[a])))
        merges.append((float(cheapest[a]), low, high))
        n, m = masses[low], masses[high]
        joined = (n * squared[low] + m * squared[high]) / (n + m)
        joined -= n * m / (n + m) ** 2 * squared[low, high]
        joined = np.maximum(joined, 0)
        joined[[low, high]] = np.inf
        squared[low], squared[:, low] = joined, joined
        squared[high], squared[:, high] = np.inf, np.inf
        masses[low] = n + m
        row = costs_of(n + m, joined)
        costs[low], costs[:, low] = row, row
        costs[high], costs[:, high] = np.inf, np.inf
        stale |= (nearest == low) | (nearest == high)
        better = row < cheapest
        nearest[better], cheapest[better], stale[better] = low, row[better], False
        nearest[low] = row.argmin()
        cheapest[low], stale[low] = row[nearest[low]], False
        cheapest[high], stale[high] = np.inf, False
    return merges
