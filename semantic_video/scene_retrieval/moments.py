"""The answer to one query: moments, best first."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import overload

from semantic_video.records import Moment


class Moments(Sequence[Moment]):
    """The answer to one query: the best moments, best first.

    ``found`` says whether the first one passes as an answer, ``perhaps`` whether it passes a looser
    test. Neither removes results: the best candidates are always there. ``value`` is the number
    that a query with `count` or `how long` (in seconds) asks for; ``complete`` says that all
    occurrences were asked for.
    """

    def __init__(
        self,
        query: str,
        moments: Sequence[Moment],
        found: bool,
        value: float | None = None,
        complete: bool = False,
        perhaps: bool = False,
    ) -> None:
        self.query = query
        self.found = found
        self.value = value
        self.complete = complete
        self.perhaps = perhaps or found
        self.searched: int | None = None
        """In how many videos was looked; None where only those listed are known."""
        self._moments = tuple(moments)

    @overload
    def __getitem__(self, index: int) -> Moment: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Moment]: ...
    def __getitem__(self, index: int | slice) -> Moment | Sequence[Moment]:
        return self._moments[index]

    def __len__(self) -> int:
        return len(self._moments)

    def __iter__(self) -> Iterator[Moment]:
        return iter(self._moments)

    @property
    def verdict(self) -> str:
        """One line for people: found, perhaps, or probably not there."""
        if not self._moments:
            return "no moment to list"
        if self.found:
            return "found"
        if self.perhaps:
            return "perhaps"
        videos = self.searched or len({moment.video for moment in self._moments})
        where = "this video" if videos == 1 else "these videos"
        return f"probably not in {where}; the nearest:"

    def __repr__(self) -> str:
        lines = [
            f"  {moment.start_s:9.2f} - {moment.end_s:9.2f} s  {moment.score:.3f}  "
            f"{moment.cluster_name}"
            for moment in self._moments
        ]
        return "\n".join([f"Moments for {self.query!r}: {self.verdict}", *lines])

    def _repr_html_(self) -> str:
        from semantic_video.utils.visualization.notebook import moments_html

        return moments_html(self.query, self.verdict, self._moments)

    @property
    def occurrences(self) -> int:
        """How many moments there are, where the first passes; else 0."""
        return len(self) if self.found else 0

    @property
    def total_s(self) -> float:
        """How many seconds these last together."""
        spans = self._moments if self.found else ()
        return round(math.fsum(moment.end_s - moment.start_s for moment in spans), 3)

    def as_dict(self) -> dict[str, object]:
        """The JSON contract of ``search``."""
        whole = {"count": self.occurrences, "total_s": self.total_s} if self.complete else {}
        return {
            "version": 1,
            "query": self.query,
            "found": self.found,
            "value": self.value,
            **whole,
            "moments": [moment.as_dict() for moment in self._moments],
        }
