"""Access in time: what is there in a window, what came back after how long, what follows what."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_video.records import Span


@dataclass(frozen=True, slots=True)
class Absence:
    """A cluster that was away between two occurrences: from ``left_s`` until ``back_s``."""

    cluster: int
    left_s: float
    back_s: float

    @property
    def away_s(self) -> float:
        """How long, in seconds."""
        return self.back_s - self.left_s

    def as_dict(self) -> dict[str, Any]:
        return asdict(self) | {"away_s": self.away_s}


def present(
    occurrences: Sequence[Sequence[Span]], start_s: float, end_s: float
) -> tuple[tuple[int, float], ...]:
    """The clusters on screen in [start_s, end_s) and for how many seconds, longest first."""
    seconds = [
        sum(max(0.0, min(span.end_s, end_s) - max(span.start_s, start_s)) for span in spans)
        for spans in occurrences
    ]
    found = [(cluster, shown) for cluster, shown in enumerate(seconds) if shown > 0]
    return tuple(sorted(found, key=lambda item: (-item[1], item[0])))


def absences(occurrences: Sequence[Sequence[Span]]) -> tuple[Absence, ...]:
    """Everything that left and came back, in order of its coming back."""
    found = [
        Absence(cluster, before.end_s, after.start_s)
        for cluster, spans in enumerate(occurrences)
        for before, after in itertools.pairwise(spans)
    ]
    return tuple(sorted(found, key=lambda absence: (absence.back_s, absence.cluster)))


def unique(occurrences: Sequence[Sequence[Span]]) -> tuple[int, ...]:
    """The clusters that are on screen once only."""
    return tuple(cluster for cluster, spans in enumerate(occurrences) if len(spans) == 1)


def transitions(occurrences: Sequence[Sequence[Span]]) -> NDArray[np.int32]:
    """How often cluster j follows cluster i at once: int32 [K, K]; runs, so the diagonal is 0."""
    runs = sorted((span, cluster) for cluster, spans in enumerate(occurrences) for span in spans)
    counts = np.zeros((len(occurrences), len(occurrences)), dtype=np.int32)
    for (before, one), (after, other) in itertools.pairwise(runs):
        if one != other and after.start_s <= before.end_s:
            counts[one, other] += 1
    return counts
