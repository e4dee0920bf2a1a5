"""What every policy does: make room in a full memory for what comes next."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from semantic_video.memory_hierarchy.pool import Pool


class Policy(ABC):
    """Decides what a full memory gives up.

    A policy sees one entry after another (`added`), and where there is one too many (`make_room`)
    it merges two or drops one. All of them work on a video without end. ``seed`` matters to those
    that draw lots.
    """

    name: ClassVar[str]

    def __init__(self, seed: int = 0) -> None:
        self.seed = seed

    def added(self, pool: Pool, slot: int) -> None:  # noqa: B027 - most need no note of it
        """Take note of the entry that was put into ``slot``."""

    @abstractmethod
    def make_room(self, pool: Pool) -> None:
        """Merge two entries of ``pool`` or drop one."""


class NeighbourMerging(Policy):
    """Merges the two entries next to one another in time that cost least."""

    plain: ClassVar[bool] = False

    @abstractmethod
    def costs(self, pool: Pool, slots: NDArray[np.intp]) -> NDArray[np.float64]:
        """What joining each of ``slots`` [N], in order of time, to the next would cost: [N - 1]."""

    def make_room(self, pool: Pool) -> None:
        slots = pool.slots()
        place = int(np.argmin(self.costs(pool, slots)))
        pool.merge(int(slots[place]), int(slots[place + 1]), plain=self.plain)
