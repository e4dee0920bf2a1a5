"""Questions that put things side by side: which comes first, which is there more often."""

from __future__ import annotations

import re

from semantic_video.temporal_reasoning.form_words import BE, DO, SEEN, match
from semantic_video.temporal_reasoning.particulars import taken_negation, taken_times
from semantic_video.temporal_reasoning.question_text import ENDS
from semantic_video.temporal_reasoning.questions import Question
from semantic_video.temporal_reasoning.time_words import FILM, NUMBERS

_OF_THESE = r"(?:\s+one|\s+of\s+(?:these|them|the\s+following))"
_SHOWN = rf"(?:{SEEN}|comes?|starts?|begins?)"
# "the boy eating before": somebody who does something rather than a thing.
_DOING = re.compile(r"\s\w+ing\b", re.IGNORECASE)
_SEEING = re.compile(r"(?:there|(?:we|you|i)\s+see)\b", re.IGNORECASE)
_NUMBER = re.compile(
    rf"(?:\d+|{'|'.join(NUMBERS)}|once|twice|an?\s+(?:second|minute|hour))\b", re.I
)


def things_in(text: str) -> tuple[str, ...]:
    """The things in "A or B", "A and B", "A, B or C"."""
    for joint in (r"\s*,?\s+or\s+", r"\s+(?:versus|vs\.?)\s+", r"\s*,?\s+and\s+",
                  r"\s+(?:with|to|than)\s+"):  # fmt: skip
        parts = [part.strip(ENDS) for part in re.split(joint, text, flags=re.IGNORECASE)]
        if len(parts) >= 2 and all(parts):
            return (*(part for piece in parts[:-1] for part in piece.split(", ")), parts[-1])
    return ()


def read_order(clause: str, options: tuple[str, ...]) -> Question | None:
    """Which of several comes first or last, or whether one comes before another."""
    asked = (
        rf"(?:which|what|who)(?:{_OF_THESE}|\s+(?:scene|event|thing))?"
        rf"s?\s+(?:{SEEN}|comes?|came|{BE})\s+(?:the\s+)?(first|last|earlier|earliest|later|latest|sooner)"
    )
    found = match(rf"{asked}[\s:,]*(.*)", clause)
    if found:
        choices = options or things_in(found[2])
        if len(choices) >= 2:
            last = found[1].lower() in ("last", "later", "latest")
            return Question(clause, "order", choices[0], reference=choices[1], last=last,
                            others=choices[2:])  # fmt: skip
        return None
    return _read_first_or_last(clause) or _read_before_or_after(clause)


def _read_first_or_last(clause: str) -> Question | None:
    """ "Does the dog appear first, or the cat?", "Does the dog or the cat appear first?"."""
    edge = r"(first|last|earlier|later)"
    found = match(rf"(?:{DO}|{BE})\s+(.+?)\s+{_SHOWN}\s+{edge}\s*,?\s+or\s+(.+)", clause)
    if found:
        things, asked = (found[1], *things_in(f"{found[3]} or x")[:-1]), found[2]
    else:
        found = match(rf"(?:{DO}|{BE})\s+(.+?\s+or\s+.+?)\s+{_SHOWN}\s+{edge}", clause)
        if not found:
            return None
        things, asked = things_in(found[1]), found[2]
    return Question(
        clause, "order", things[0], reference=things[1], last=asked.lower() in ("last", "later"),
        others=things[2:],
    )  # fmt: skip


def _read_before_or_after(clause: str) -> Question | None:
    """Whether one thing comes before another, or which of both it does."""
    verb = rf"(?:{DO}|{BE})(?!\s+(?:there|it)\b)\s+(.+?)"
    order = r"(before|after|earlier\s+than|later\s+than)"
    both = r"(?:before\s+or\s+after|after\s+or\s+before|earlier\s+or\s+later\s+than)"
    found = match(rf"{verb}(?:\s+{_SHOWN})?\s+{both}\s+(.+)", clause)
    if found:
        thing = re.sub(r"\s+first$", "", found[1], flags=re.IGNORECASE)
        return Question(
            clause, "order", thing, relation="before", reference=found[2],
            either=True, first=True,
        )  # fmt: skip
    found = match(rf"{verb}\s+(?:(first)\s+)?{_SHOWN}\s+(?:(first)\s+)?{order}\s+(.+)", clause)
    if found:
        thing, first, word, other = found[1], bool(found[2] or found[3]), found[4], found[5]
    else:
        # Without a verb of its own a thing is one: "Is the piano before the violin?".
        found = match(
            rf"{BE}(?!\s+(?:there|it)\b)\s+(\S+(?:\s+\S+){{0,4}}?)\s+{order}\s+(.+)", clause
        )
        if not found or _DOING.search(found[1]):
            return None
        thing, first, word, other = found[1], False, found[2], found[3]
    thing = re.sub(r"\s+there$", "", thing, flags=re.IGNORECASE)
    if taken_negation(thing)[1] or taken_times(clause)[1] or re.search(r"\bboth$", thing, re.I):
        return None
    return Question(
        clause, "order", thing, reference=re.sub(rf"\s+(?:{DO}|{SEEN})$", "", other, flags=re.I),
        relation="before" if word.lower().startswith(("before", "earlier")) else "after",
        first=first,
    )  # fmt: skip


def read_compare(clause: str, options: tuple[str, ...]) -> Question | None:
    """Which of several is there more often or longer, or whether one is."""
    most = (
        r"(more\s+often|most\s+often|most|more|longer|longest|for\s+longer|less\s+often|"
        r"least\s+often|less|least|shorter|shortest)"
    )
    found = match(
        rf"(?:which|what|who)(?:{_OF_THESE})?\s+(?:{SEEN}|{BE}|comes|lasts?)\s+(?:{SEEN}\s+)?"
        rf"(?:the\s+)?{most}[\s:,]*(.*)",
        clause,
    )
    if found:
        choices = options or things_in(found[2])
        if len(choices) >= 2:
            return _compared(clause, choices, found[1])
        return None
    found = match(r"compare\s+(.+)", clause) or match(
        r"what\s+is\s+the\s+difference\s+between\s+(.+)", clause
    )
    if found and len(things := things_in(found[1])) >= 2:
        return Question(clause, "compare", things[0], reference=things[1], others=things[2:])
    more = r"(more|longer|less|fewer|shorter)(?:\s+(?:often|time|frequently|scenes\s+of))?"
    found = match(
        rf"(?:{DO}|{BE})\s+(.+?)\s+(?:(?:{SEEN}|there|lasts?|stays?|longer)\s+)?(?:on\s+screen\s+)?"
        rf"(?:for\s+)?{more}\s+than\s+(.+)",
        clause,
    )
    if found and not _SEEING.match(found[1]) and not _NUMBER.match(found[3]):
        return _compared(clause, (found[1], _thing(found[3])), found[2], verdict=True)
    found = match(
        rf"(?:{BE}\s+there|(?:{DO}|can)\s+(?:we|you|i)\s+see|{DO}\s+(?:the|this)\s+{FILM}\s+(?:show|have|"
        rf"contain))\s+{more}\s+(.+?)\s+than\s+(.+)",
        clause,
    )
    if found and not _NUMBER.match(found[3]):
        thing = re.sub(rf"\s+{SEEN}$", "", found[2], flags=re.IGNORECASE)
        return _compared(clause, (thing, _thing(found[3])), found[1], verdict=True)
    return None


def _compared(clause: str, things: tuple[str, ...], most: str, verdict: bool = False) -> Question:
    most = most.lower()
    return Question(
        clause, "compare", things[0], reference=things[1], others=things[2:],
        longest=most.startswith(("longe", "for longer", "short")), verdict=verdict,
        last=most.startswith(("le", "few", "short")),
    )  # fmt: skip


def _thing(phrase: str) -> str:
    """What something is compared with, without the verb after it: "the cat" of "the cat does"."""
    return re.sub(rf"\s+(?:{DO}|{BE}|{SEEN})$", "", phrase, flags=re.IGNORECASE)
