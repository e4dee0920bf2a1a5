"""What is asked for, in a form that JSON can hold."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Literal, Self

from semantic_video.asking.filters import Filters
from semantic_video.errors import QueryError
from semantic_video.library import Mark
from semantic_video.query_language import parse
from semantic_video.query_language.times import seconds_of
from semantic_video.signal_fusion import SIGNALS, Signal
from semantic_video.utils.images import SUFFIXES

Kind = Literal["text", "image", "moment"]

_NO_WEIGHT = re.compile(r"\*\s*([+-]?(?:\d[\w.+-]*|\.\d+|nan|inf\w*))\s*$", re.IGNORECASE)
_WEIGHT = re.compile(r"(.*?)\s*\*\s*(\d{1,9}(?:\.\d+)?)\s*", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Part:
    """One summand of a query.

    ``source``: the words, the path of a picture, or ``FILM@TIME``. ``weight``: above 0 for what the
    moments should show, below for what they should not. ``vector`` [D] is what a picture or moment
    looked like to the model with the fingerprint ``model``, where that is known already.
    """

    kind: Kind
    source: str
    weight: float = 1.0
    vector: tuple[float, ...] | None = None
    model: str = ""

    def __str__(self) -> str:
        name = self.source if self.kind == "text" else Path(self.source).name
        amount = abs(self.weight)
        return name if amount == 1 else f"{name}*{amount:.10g}"


@dataclass(frozen=True, slots=True)
class Request:
    """All that one search asks for.

    ``text`` is a phrase or a query of the language (a phrase in any case where ``plain``);
    ``parts`` are added to a phrase; ``marks`` are moments called right or wrong; ``filters`` say
    where to look. ``every`` asks for every occurrence, ``spread`` for moments far
    apart; ``k`` and ``exact`` as for `SceneRetriever.search`; ``signals`` are what may find a
    phrase.
    """

    text: str = ""
    parts: tuple[Part, ...] = ()
    marks: tuple[Mark, ...] = ()
    plain: bool = False
    filters: Filters = field(default_factory=Filters)
    k: int | None = None
    exact: bool = False
    every: bool = False
    spread: bool = False
    signals: tuple[Signal, ...] = SIGNALS

    def label(self) -> str:
        """The request in one line: what an answer calls its query."""
        label = self.text
        for part in self.parts:
            sign = "-" if part.weight < 0 else "+" if label else ""
            label = f"{label} {sign} {part}" if sign else str(part)
        return label.strip()

    def phrases(self) -> Iterator[str]:
        """The phrases that are asked for, each as it will be encoded.

        Raises:
            QuerySyntaxError: the text is a query of the language that cannot be read.
        """
        if self.text.strip():
            yield from (term.text for term in parse(self.text, self.plain).terms())
        yield from (part.source for part in self.parts if part.kind == "text")

    def as_dict(self) -> dict[str, Any]:
        """What is asked for, without marks and without where and how to look: what is saved."""
        return {
            "text": self.text,
            "plain": self.plain,
            "parts": [asdict(part) for part in self.parts],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any], marks: tuple[Mark, ...] = ()) -> Self:
        """The inverse of `as_dict`."""
        parts = tuple(
            Part(**{**part, "vector": part["vector"] and tuple(part["vector"])})
            for part in values["parts"]
        )
        return cls(values["text"], parts, marks, values["plain"])


def part_of(text: str, kind: Kind | None = None, sign: int = 1) -> Part:
    """The part that an option names: ``people``, ``people*0.5``, ``photo.jpg``, ``film.mp4@12:34``.

    Raises:
        QueryError: it is empty, or not what ``kind`` says.
    """
    weight = 1.0
    match = _WEIGHT.fullmatch(text)
    if match and not Path(text).exists():
        text, weight = match[1], float(match[2])
    elif wrong := _NO_WEIGHT.search(text):
        raise QueryError(
            f"{wrong[1]!r} is no weight: write a number above 0, such as people*0.5; what is to "
            "count against goes with --minus"
        )
    if not text.strip() or weight == 0:
        raise QueryError(f"{text!r} adds nothing: write words, or words*0.5 to weigh them")
    if kind is None and text.startswith("@"):
        raise QueryError(f"{text!r}: a saved query is asked for as the query itself: search {text}")
    moment = split_moment(text)
    if kind == "moment" and moment is None:
        raise QueryError(f"{text!r} names no moment: write FILM@TIME, such as holiday.mp4@12:34")
    if kind is None:
        looks_like_picture = Path(text).suffix.lower() in SUFFIXES
        kind = "image" if looks_like_picture else "moment" if moment else "text"
    return Part(kind, text, sign * weight)


def split_moment(text: str) -> tuple[str, float] | None:
    """Film and seconds of ``FILM@TIME``; None for any other text."""
    film, at, time = text.rpartition("@")
    seconds = seconds_of(time, bare=True) if at and film else None
    return None if seconds is None else (film, seconds)


def with_vector(part: Part, vector: Any, model: str) -> Part:
    """The part with what it looks like to a model."""
    return replace(part, vector=tuple(round(float(x), 6) for x in vector), model=model)
