"""Our policy: what shows the same merges, wherever it lies in time."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from semantic_video.memory_hierarchy.policies.base import Policy
from semantic_video.memory_hierarchy.policies.nearest import NearestPairs
from semantic_video.memory_hierarchy.pool import Pool


class Semantic(Policy):
    """The two entries merge whose union loses least, across the whole timeline.

    The loss is the growth of the squared distance of all scenes to the entries that stand for them
    (Ward, "Hierarchical grouping to optimize an objective function", 1963): what is alike merges
    first, and what already stands for much, or is often found by queries, resists.
    """

    name: ClassVar[str] = "semantic"

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self._pairs = NearestPairs(_growth)

    def added(self, pool: Pool, slot: int) -> None:
        self._pairs.changed(pool, slot)

    def make_room(self, pool: Pool) -> None:
        kept, gone = sorted(self._pairs.nearest(pool))
        pool.merge(kept, gone)
        self._pairs.removed(pool, gone)
        self._pairs.changed(pool, kept)


def _growth(pool: Pool, slot: int, others: NDArray[np.intp]) -> NDArray[np.float64]:
    masses, own = pool.masses[others], pool.masses[slot]
    squared = 2 - 2 * (pool.vectors[others] @ pool.vectors[slot])
    return np.asarray(masses * own / (masses + own) * np.maximum(squared, 0))
