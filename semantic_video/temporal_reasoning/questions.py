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
    "main",  # who or what is seen most
    "what",  # who or what is shown, in a part of the film
    "where",
    "unknown",
]
Relation = Literal["after", "before", "during"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of the film: from a share of its length to another, or from a time to another.

    ``start`` and ``end`` are shares (0 to 1) or, with ``in_seconds``, seconds.
    """

    start: float
    end: float
    in_seconds: bool = False


@dataclass(frozen=True, slots=True)
class Question:
    """What a question asks for.

    ``subject`` is what it is about, "" where that is asked for; ``action`` what it does, as far as
    the question says; ``reference`` the other event, which ``relation`` puts the subject after,
    before or at the time of; ``immediate``: right after or before; ``last``: the last rather than
    the first; ``longest``: duration rather than number is compared; ``written``: text on screen.
    """

    text: str
    form: Form
    subject: str = ""
    action: str = ""
    relation: Relation | None = None
    reference: str = ""
    immediate: bool = False
    last: bool = False
    longest: bool = False
    written: bool = False
    part: Part | None = None
    options: tuple[str, ...] = ()

    @property
    def event(self) -> str:
        """Subject and action as one phrase."""
        return " ".join(word for word in (self.subject, self.action) if word)
