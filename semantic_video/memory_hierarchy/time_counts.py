"""How often something happened where on a timeline, in a size that does not grow with it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semantic_video.records import Span

_BINS = 128


@dataclass(frozen=True, slots=True)
class TimeCounts:
    """Counts for stretches of ``width_s`` seconds from 0 on; trailing zeros are not kept.

    There are 128 stretches at most. Whenever a later time needs more, each becomes one with the
    stretch beside it: widths are 1, 2, 4, ... seconds, so that any two can be added exactly.
    """

    width_s: int = 1
    counts: tuple[int, ...] = ()

    @classmethod
    def of(cls, times: ArrayLike) -> Self:
        """One for each of these times, in seconds; what lies before 0 counts at 0."""
        seconds = np.maximum(np.asarray(times, dtype=np.float64).ravel(), 0.0)
        if not len(seconds):
            return cls()
        width = 1
        while seconds.max() >= width * _BINS:
            width *= 2
        return cls._made(width, np.bincount((seconds // width).astype(np.intp)))

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `dataclasses.asdict`."""
        return cls(int(values["width_s"]), tuple(int(count) for count in values["counts"]))

    def __add__(self, other: TimeCounts) -> Self:
        width = max(self.width_s, other.width_s)
        one, two = self._wider(width), other._wider(width)
        total = np.zeros(max(len(one), len(two)), dtype=np.int64)
        total[: len(one)] += one
        total[: len(two)] += two
        return self._made(width, total)

    def moved(self, by_s: float) -> Self:
        """The same so much later; a stretch moves by the time in its middle."""
        middles = (np.arange(len(self.counts)) + 0.5) * self.width_s + by_s
        # Nothing, in stretches as wide as now: sums take the wider ones.
        return type(self)(self.width_s) + self.of(np.repeat(middles, self.counts))

    def stretches(self) -> tuple[tuple[Span, int], ...]:
        """Those where anything happened, in order of time, with how often it did."""
        return tuple(
            (Span(float(place * self.width_s), float((place + 1) * self.width_s)), count)
            for place, count in enumerate(self.counts)
            if count
        )

    def _wider(self, width_s: int) -> NDArray[np.int64]:
        """The counts of stretches of ``width_s``, a multiple of the width."""
        places = np.arange(len(self.counts)) * self.width_s // width_s
        if not len(places):
            return np.zeros(0, dtype=np.int64)
        return np.bincount(places, weights=self.counts).astype(np.int64)

    @classmethod
    def _made(cls, width_s: int, counts: NDArray[np.int64]) -> Self:
        return cls(width_s, tuple(np.trim_zeros(counts, "b").tolist()))
