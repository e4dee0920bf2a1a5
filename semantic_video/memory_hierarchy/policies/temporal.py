"""Policies that keep, merge or drop by time alone."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from semantic_video.memory_hierarchy.policies.base import NeighbourMerging, Policy
from semantic_video.memory_hierarchy.pool import Pool


class Fifo(Policy):
    """First in, first out: the latest entries are kept (a sliding window)."""

    name: ClassVar[str] = "fifo"

    def make_room(self, pool: Pool) -> None:
        pool.drop(int(pool.slots()[0]))


class Uniform(Policy):
    """Scenes evenly spread over the video so far.

    Uniform sampling, as most video models do with frames, here without knowing the end: dropped is
    the entry whose loss leaves the smallest gap in time.
    """

    name: ClassVar[str] = "uniform"

    def make_room(self, pool: Pool) -> None:
        slots = pool.slots()
        starts = pool.starts[slots]
        if len(slots) < 3:
            pool.drop(int(slots[-1]))
            return
        pool.drop(int(slots[1 + int(np.argmin(starts[2:] - starts[:-2]))]))


class Reservoir(Policy):
    """A uniform random sample of all scenes so far (Vitter, "Random sampling with a reservoir",
    1985).

    Each scene draws a lot when it comes, and the highest lot goes: at any time those that are left
    are a sample without replacement.
    """

    name: ClassVar[str] = "reservoir"

    def __init__(self, seed: int = 0) -> None:
        super().__init__(seed)
        self._random = np.random.default_rng(seed)
        self._lots: dict[int, float] = {}

    def added(self, pool: Pool, slot: int) -> None:
        self._lots[slot] = float(self._random.random())

    def make_room(self, pool: Pool) -> None:
        slot = max(self._lots, key=lambda slot: self._lots[slot])
        del self._lots[slot]
        pool.drop(slot)


class TemporalTree(NeighbourMerging):
    """A tree over time, grown from its leaves: merged are the two neighbours that together stand
    for the fewest seconds.

    That gives equal stretches at every level, whatever they show. Where old stretches may be longer
    than new ones it is the exponential histogram of Datar, Gionis, Indyk and Motwani, "Maintaining
    stream statistics over sliding windows", 2002.
    """

    name: ClassVar[str] = "temporal-tree"

    def costs(self, pool: Pool, slots: NDArray[np.intp]) -> NDArray[np.float64]:
        weights = np.array([pool[int(slot)].weight for slot in slots])
        return np.asarray(weights[1:] + weights[:-1])
