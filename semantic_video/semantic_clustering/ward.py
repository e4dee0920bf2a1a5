"""Weighted Ward linkage: the tree that the number of clusters and merging rest on."""

from __future__ import annotations

from collections.abc import Iterable

import numpy as np
from numpy.typing import NDArray


def ward_tree(
    points: NDArray[np.float64], weights: NDArray[np.float64]
) -> list[tuple[float, int, int]]:
    """The merges of weighted Ward linkage (Ward 1963) as (cost, row, row), cheapest first.

    A chain of nearest neighbours (Benzecri 1982) is followed until two are each other's nearest;
    those merge, and the chain goes on. A merged group goes by the lowest row in it. Costs grow up
    the tree, so the list can be cut anywhere. ``points`` is [N, D]; needs O(N D) memory and
    O(N^2 D) time.
    """
    centres, masses = points.copy(), weights.copy()
    norms = (centres**2).sum(axis=1)
    active = np.ones(len(points), dtype=bool)
    merges: list[tuple[float, int, int]] = []
    chain: list[int] = []
    while len(merges) < len(points) - 1:
        if not chain:
            chain.append(int(np.argmax(active)))
        tip = chain[-1]
        squared = np.maximum(norms + norms[tip] - 2 * (centres @ centres[tip]), 0)
        costs = np.where(active, masses * masses[tip] / (masses + masses[tip]) * squared, np.inf)
        costs[tip] = np.inf
        nearest = int(np.argmin(costs))
        # Only a clear gain extends the chain: among equals, rounding could lead it in circles.
        if len(chain) < 2 or costs[nearest] < costs[chain[-2]] - 1e-9 * masses[tip]:
            chain.append(nearest)
            continue
        low, high = sorted((tip, chain[-2]))
        merges.append((float(costs[chain[-2]]), low, high))
        total = masses[low] + masses[high]
        centres[low] = (masses[low] * centres[low] + masses[high] * centres[high]) / total
        norms[low] = centres[low] @ centres[low]
        masses[low] = total
        active[high] = False
        del chain[-2:]
    return sorted(merges)


def join(count: int, pairs: Iterable[tuple[int, int]]) -> NDArray[np.int32]:
    """Groups of 0 to ``count`` - 1 once all pairs are joined: each one's lowest member, int32."""
    parents = list(range(count))

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        parents[high] = low
    return np.array([root(row) for row in range(count)], dtype=np.int32)
