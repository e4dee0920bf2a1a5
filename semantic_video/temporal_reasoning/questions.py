"""From a question in English to what it asks for: its form, its events, their order, its choices.

Patterns over the words, first match wins; nothing is looked up and no model is asked. What no form
fits comes back with the form ``unknown``.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Form = Literal[
    "relation",  # what happens after, before or while something else
    "order",  # which of several comes first (or last)
    "count",
    "duration",
    "when",
    "whether",
    "story",  # what happened to, what does ... do
    "summary",
    "compare",  # which of several more often, or longer
    "together",  # what appears with
    "said",  # what is said, or written
    "mentioned",  # whether, and how often, something is said or written
    "main",  # who or what is seen most
    "what",  # who or what is shown, in a part of the film
    "kinds",  # who is there, which animals are shown
    "length",  # how long the film is, when it ends
    "where",
    "unknown",
]
Relation = Literal["after", "before", "during"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the film: from a share of its length to another, or from a time to another.

    ``start`` and ``end`` are shares (0 to 1) or, with ``in_seconds``, seconds, from the end of the
    film where they are negative. ``scenes``: so many scenes from its beginning, or, negative, its
    end instead.
    """

    start: float
    end: float
    in_seconds: bool = False
    scenes: int = 0


@dataclass(frozen=True, slots=True)
class Bounds:
    """The events that a stretch lies between, "" for an end of the film.

    ``between``: neither event is part of it; else the first is, from its beginning.
    """

    start: str
    end: str
    between: bool = False


@dataclass(frozen=True, slots=True)
class Times:
    """How often something should be there: at least so often, and at most (None: or more)."""

    least: int
    most: int | None

    def holds(self, count: int) -> bool:
        """Whether so many are that many."""
        return self.least <= count and (self.most is None or count <= self.most)


@dataclass(frozen=True, slots=True)
class Question:
    """What a question asks for.

    ``subject`` is what it is about, "" where that is asked for, or with ``claim`` a whole sentence;
    ``action`` what it does, as far as the question says; ``reference`` the other event, which
    ``relation`` puts the subject after, before or at the time of, ``delay_s`` seconds away where it
    says so; ``immediate``: right after or before; ``first``, ``last``: of its occurrences;
    ``longest``: duration rather than number is compared; ``others``: further things to compare than
    the subject and the reference; ``verdict``: whether a comparison holds is asked; ``either``:
    before or after, rather than whether; ``bounds``: the events that what is told lies between;
    ``written``: text on screen; ``counted``: a number is asked for;
    ``negated``: whether it is not there; ``times``: whether it is there so often. ``refusal`` says
    why a question has no plan, where more is known than that, and ``nearest`` is a question that
    has one.
    """

    text: str
    form: Form
    subject: str = ""
    action: str = ""
    relation: Relation | None = None
    reference: str = ""
    immediate: bool = False
    delay_s: float = 0.0
    first: bool = False
    last: bool = False
    longest: bool = False
    others: tuple[str, ...] = ()
    written: bool = False
    counted: bool = False
    claim: bool = False
    verdict: bool = False
    either: bool = False
    bounds: Bounds | None = None
    negated: bool = False
    times: Times | None = None
    refusal: str = ""
    nearest: str = ""
    part: Part | None = None
    options: tuple[str, ...] = ()

    @property
    def compared(self) -> tuple[str, ...]:
        """The things that are put side by side: the choices, or those in the question."""
        return self.options or self.named

    @property
    def named(self) -> tuple[str, ...]:
        """The things that the question itself puts side by side."""
        return (self.subject, self.reference, *self.others)

    @property
    def event(self) -> str:
        """Subject and action as one phrase."""
        return " ".join(word for word in (self.subject, self.action) if word)
