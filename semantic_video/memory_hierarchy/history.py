"""What a memory has been through: counts of what was merged and evicted, of a fixed size."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields, replace
from typing import Any, Self


@dataclass(frozen=True, slots=True)
class History:
    """What was seen and what was given up for the budget since the memory began.

    ``scenes`` and ``frames`` were seen (frames: encoded ones); ``merged`` entries became part of
    another; ``dropped`` entries were given up whole; ``absorbed`` scenes, ``absorbed_s`` seconds
    of them, became part of the scene beside them; ``thinned`` frame vectors were not kept.
    """

    scenes: int = 0
    frames: int = 0
    merged: int = 0
    dropped: int = 0
    absorbed: int = 0
    absorbed_s: float = 0.0
    thinned: int = 0

    def add(self, **counts: float) -> Self:
        """The same with these counts added."""
        changes: dict[str, Any] = {name: getattr(self, name) + n for name, n in counts.items()}
        return replace(self, **changes)

    def __add__(self, other: History) -> History:
        return self.add(**asdict(other))

    def as_dict(self) -> dict[str, float]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`; what this version does not know is ignored."""
        return cls(**{f.name: values[f.name] for f in fields(cls) if f.name in values})
