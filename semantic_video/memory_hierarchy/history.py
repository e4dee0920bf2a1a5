"""What a memory has been through: what was merged and evicted, and where, in a bounded size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self

from semantic_video.memory_hierarchy.time_counts import TimeCounts

_NOWHERE = TimeCounts()


@dataclass(frozen=True, slots=True)
class History:
    """What was seen and what was given up for the budget since the memory began.

    ``scenes`` and ``frames`` were seen (frames: encoded ones); ``merged`` entries became part of
    another; ``dropped`` entries were given up whole; ``absorbed`` scenes, ``absorbed_s`` seconds
    of them, became part of the scene beside them; ``thinned`` frame vectors were not kept. What was
    given up lay on the timeline where ``dropped_at``, ``absorbed_at`` (the boundaries) and
    ``thinned_at`` say; a history kept by an earlier version does not know.
    """

    scenes: int = 0
    frames: int = 0
    merged: int = 0
    dropped: int = 0
    absorbed: int = 0
    absorbed_s: float = 0.0
    thinned: int = 0
    dropped_at: TimeCounts = _NOWHERE
    absorbed_at: TimeCounts = _NOWHERE
    thinned_at: TimeCounts = _NOWHERE

    def add(self, **counts: float | TimeCounts) -> Self:
        """The same with these added."""
        changes: dict[str, Any] = {name: getattr(self, name) + n for name, n in counts.items()}
        return replace(self, **changes)

    def __add__(self, other: History) -> History:
        return self.add(**{one.name: getattr(other, one.name) for one in fields(other)})

    def moved(self, by_s: float) -> Self:
        """The same of a film that began so much later."""
        places = ("dropped_at", "absorbed_at", "thinned_at")
        return replace(self, **{name: getattr(self, name).moved(by_s) for name in places})

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`; what this version does not know is ignored."""
        known: dict[str, Any] = {
            one.name: values[one.name] for one in fields(cls) if one.name in values
        }
        for name, value in known.items():
            if name.endswith("_at"):
                known[name] = TimeCounts.from_dict(value)
        return cls(**known)
