"""What a query of the language says, as a tree of frozen records.

``str(tree)`` is the query written out with every term quoted and every pair in parentheses;
parsing that gives the same tree.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass, fields


class Query:
    """Base of the nodes of a tree."""

    __slots__ = ()

    def parts(self) -> Iterator[Query]:
        """The queries that this one is made of, from left to right."""
        for own in fields(self):  # type: ignore[arg-type]
            value = getattr(self, own.name)
            if isinstance(value, Query):
                yield value

    def terms(self) -> Iterator[Term]:
        """The phrases in it, from left to right."""
        if isinstance(self, Term):
            yield self
        for part in self.parts():
            yield from part.terms()


@dataclass(frozen=True, slots=True)
class Term(Query):
    """A phrase: what a moment shows, in plain words."""

    text: str

    def __str__(self) -> str:
        return f'"{self.text}"'


@dataclass(frozen=True, slots=True)
class Then(Query):
    """``left``, and after it ``right``: the stretch from the one to the end of the other."""

    left: Query
    right: Query
    within_s: float = math.inf

    def __str__(self) -> str:
        return f"({self.left} then {self.right}{_within(self.within_s)})"


@dataclass(frozen=True, slots=True)
class Before(Query):
    """``left`` where ``right`` comes later."""

    left: Query
    right: Query
    within_s: float = math.inf

    def __str__(self) -> str:
        return f"({self.left} before {self.right}{_within(self.within_s)})"


@dataclass(frozen=True, slots=True)
class After(Query):
    """``left`` where ``right`` came earlier."""

    left: Query
    right: Query
    within_s: float = math.inf

    def __str__(self) -> str:
        return f"({self.left} after {self.right}{_within(self.within_s)})"


@dataclass(frozen=True, slots=True)
class During(Query):
    """``left`` where it lies inside ``right``."""

    left: Query
    right: Query

    def __str__(self) -> str:
        return f"({self.left} during {self.right})"


@dataclass(frozen=True, slots=True)
class Without(Query):
    """``left`` where no ``right`` is at the same time."""

    left: Query
    right: Query

    def __str__(self) -> str:
        return f"({self.left} without {self.right})"


@dataclass(frozen=True, slots=True)
class And(Query):
    """The time that both share."""

    left: Query
    right: Query

    def __str__(self) -> str:
        return f"({self.left} and {self.right})"


@dataclass(frozen=True, slots=True)
class Or(Query):
    """The time that either has."""

    left: Query
    right: Query

    def __str__(self) -> str:
        return f"({self.left} or {self.right})"


@dataclass(frozen=True, slots=True)
class Not(Query):
    """The time that is left."""

    of: Query

    def __str__(self) -> str:
        return f"(not {self.of})"


@dataclass(frozen=True, slots=True)
class Window(Query):
    """What of it lies between two times of the film, in seconds."""

    of: Query
    start_s: float = 0.0
    end_s: float = math.inf

    def __str__(self) -> str:
        if math.isinf(self.end_s):
            return f"({self.of} after {_clock(self.start_s)})"
        if self.start_s == 0:
            return f"({self.of} before {_clock(self.end_s)})"
        return f"({self.of} between {_clock(self.start_s)} and {_clock(self.end_s)})"


@dataclass(frozen=True, slots=True)
class Nth(Query):
    """One occurrence of each film: 1 the first, 2 the second, -1 the last."""

    of: Query
    number: int

    def __str__(self) -> str:
        word = {1: "first", -1: "last"}.get(self.number) or f"{self.number}{_ending(self.number)}"
        return f"({word} {self.of})"


@dataclass(frozen=True, slots=True)
class Every(Query):
    """All occurrences, however many."""

    of: Query

    def __str__(self) -> str:
        return f"(every {self.of})"


@dataclass(frozen=True, slots=True)
class Count(Query):
    """How many occurrences there are; stands only at the top."""

    of: Query

    def __str__(self) -> str:
        return f"count {self.of}"


@dataclass(frozen=True, slots=True)
class HowLong(Query):
    """How many seconds they last together; stands only at the top."""

    of: Query

    def __str__(self) -> str:
        return f"how long {self.of}"


def _within(seconds: float) -> str:
    return "" if math.isinf(seconds) else f" within {seconds:.10g}s"


def _clock(seconds: float) -> str:
    minutes, rest = divmod(seconds, 60)
    text = f"{rest:.3f}".rstrip("0").rstrip(".")
    whole, _, part = text.partition(".")
    if whole == "60":  # rounded up
        minutes, whole = minutes + 1, "0"
    hours, minutes = divmod(int(minutes), 60)
    return f"{hours}:{minutes:02d}:{int(whole):02d}" + (f".{part}" if part else "")


def _ending(number: int) -> str:
    if number % 100 in (11, 12, 13):
        return "th"
    return {1: "st", 2: "nd", 3: "rd"}.get(number % 10, "th")
