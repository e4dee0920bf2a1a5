"""A policy that keeps a selection of scenes by what they show."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from semantic_video.memory_hierarchy.policies.base import Policy
from semantic_video.memory_hierarchy.policies.nearest import NearestPairs
from semantic_video.memory_hierarchy.pool import Pool


class KCentre(Policy):
    """Scenes that cover all others best: of the two most alike the later one goes.

    K-centre greedy (Gonzalez, "Clustering to minimize the maximum intercluster distance", 1985;
    as a core set, Sener and Savarese, "Active learning for convolutional neural networks", 2018),
    for a stream as in Charikar et al., "Incremental clustering and dynamic information retrieval",
    1997.
    """

    name: ClassVar[str] = "k-centre"

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self._pairs = NearestPairs(_distance)

    def added(self, pool: Pool, slot: int) -> None:
        self._pairs.changed(pool, slot)

    def make_room(self, pool: Pool) -> None:
        later = max(self._pairs.nearest(pool), key=lambda slot: float(pool.starts[slot]))
        pool.drop(later)
        self._pairs.removed(pool, later)


def _distance(pool: Pool, slot: int, others: NDArray[np.intp]) -> NDArray[np.float64]:
    return np.asarray(1 - pool.vectors[others] @ pool.vectors[slot], dtype=np.float64)
