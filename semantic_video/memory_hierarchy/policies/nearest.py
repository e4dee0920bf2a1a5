"""The cheapest pair of a changing set, without comparing all pairs each time."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from semantic_video.memory_hierarchy.pool import Pool

Cost = Callable[[Pool, int, NDArray[np.intp]], NDArray[np.float64]]
"""``cost(pool, slot, others)``: what pairing a slot with each of the others costs, symmetric."""


class NearestPairs:
    """Each slot's cheapest partner.

    A change costs one pass over the slots, O(N D), and one more for each slot whose partner it was
    (Anderberg, "Cluster analysis for applications", 1973).
    """

    def __init__(self, cost: Cost) -> None:
        self._cost = cost
        self._costs = np.zeros(0)
        self._partners = np.zeros(0, dtype=np.intp)

    def nearest(self, pool: Pool) -> tuple[int, int]:
        """The cheapest pair."""
        slot = int(np.argmin(np.where(pool.alive, self._costs, np.inf)))
        return slot, int(self._partners[slot])

    def changed(self, pool: Pool, slot: int) -> None:
        """A slot was filled, or holds something else now."""
        more = len(pool.alive) - len(self._costs)
        if more:
            self._costs = np.pad(self._costs, (0, more), constant_values=np.inf)
            self._partners = np.pad(self._partners, (0, more), constant_values=-1)
        costs = self._look(pool, slot)
        nearer = costs < self._costs
        stale = pool.alive & (self._partners == slot) & ~nearer
        self._costs[nearer], self._partners[nearer] = costs[nearer], slot
        for other in np.flatnonzero(stale):
            self._look(pool, int(other))

    def removed(self, pool: Pool, slot: int) -> None:
        """A slot was emptied."""
        self._costs[slot], self._partners[slot] = np.inf, -1
        for other in np.flatnonzero(pool.alive & (self._partners == slot)):
            self._look(pool, int(other))

    def _look(self, pool: Pool, slot: int) -> NDArray[np.float64]:
        """Find the partner of ``slot``; what each slot would cost it, infinite for none."""
        costs = np.full(len(pool.alive), np.inf)
        others = np.flatnonzero(pool.alive)
        others = others[others != slot]
        costs[others] = self._cost(pool, slot, others)
        partner = int(np.argmin(costs))
        self._costs[slot] = costs[partner]
        self._partners[slot] = partner if len(others) else -1
        return costs
