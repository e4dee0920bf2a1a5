"""Questions for all that is there: a summary of the film, of a part or between two events."""

from __future__ import annotations

import re

from semantic_video.temporal_reasoning.form_words import BE, DO, SEEN, match
from semantic_video.temporal_reasoning.questions import Bounds, Part, Question
from semantic_video.temporal_reasoning.refusals import refused
from semantic_video.temporal_reasoning.relation_forms import event
from semantic_video.temporal_reasoning.time_words import FILM

_SUMMARISE = (
    r"(?:(?:give\s+(?:me\s+)?)?(?:a\s+|the\s+)?(?:short\s+|brief\s+)?summary(?:\s+of)?|summari[sz]e|"
    r"describe|tell\s+me)"
)
_ALL = (
    rf"(?:(?:the|this)\s+(?:whole\s+|entire\s+)?(?:{FILM}|part|stretch|scenes?)|it|everything|all|"
    r"what\s+(?:happens|happened|is\s+happening|is\s+shown|goes\s+on|we\s+see|there\s+is))"
)
_HAPPENS = (
    r"(?:who\s+or\s+)?what\s+(?:happens|happened|is\s+happening|goes\s+on|is\s+going\s+on|do\s+we\s+see|comes|"
    rf"can\s+(?:be\s+seen|we\s+see)|{BE}|is\s+(?:shown|seen|there|visible)|appears)"
)


def read_bounded(clause: str, options: tuple[str, ...]) -> Question | None:
    """What happens between two events, until one or from one on."""
    asked = rf"(?:(?:{_SUMMARISE}(?:\s+{_ALL})?)|{_HAPPENS})"
    found = match(rf"{asked}\s+between\s+(.+)", clause)
    if found:
        parts = re.split(r"\s+and\s+", found[1])
        if len(parts) != 2:
            return refused(clause, "what lies between is asked of two things",
                           '"What happens between the dog and the cat?"')  # fmt: skip
        return _bounded(clause, parts[0], parts[1], between=True)
    found = match(rf"{asked}\s+from\s+(.+?)\s+(?:up\s+)?(?:to|until|till)\s+(.+)", clause)
    if found:
        return _bounded(clause, found[1], found[2])
    found = match(rf"{asked}\s+(?:until|till|up\s+to)\s+(.+)", clause) or match(
        rf"{_SUMMARISE}(?:\s+{_ALL})?\s+before\s+(.+)", clause
    )
    if found:
        return _bounded(clause, "", found[1])
    found = match(rf"{asked}\s+(?:(since)|from)\s+(.+?)(?:\s+on(?:wards?)?)?", clause)
    if found:
        return _bounded(clause, found[2], "", between=bool(found[1]))
    found = match(rf"{_SUMMARISE}(?:\s+{_ALL})?\s+after\s+(.+)", clause)
    return _bounded(clause, found[1], "", between=True) if found else None


def _bounded(clause: str, start: str, end: str, between: bool = False) -> Question:
    start, end = (
        re.sub(rf"\s+{SEEN}$", "", event(own), flags=re.IGNORECASE) for own in (start, end)
    )
    start = "" if _AN_END.match(start) else start
    end = "" if _AN_END.match(end) else end
    return Question(clause, "summary", bounds=Bounds(start, end, between) if start or end else None)


_AN_END = re.compile(r"the\s+(?:very\s+)?(?:start|beginning|end)$", re.IGNORECASE)


def read_summary(clause: str, options: tuple[str, ...]) -> Question | None:
    """What the film shows, or its first or last scene."""
    found = match(
        rf"(?:{_SUMMARISE}(?:\s+{_ALL})?|(?:who\s+or\s+)?what\s+(?:happens|happened|is\s+happening|goes\s+on|is\s+going\s+on|do\s+we\s+see|"
        rf"can\s+(?:be\s+seen|we\s+see)|{BE}|is\s+(?:shown|there|visible|to\s+be\s+seen|on\s+(?:the\s+)?screen|in\s+the\s+(?:picture|frame))|"
        rf"{DO}\s+(?:the|this)\s+{FILM}\s+(?:show|contain|have)|is\s+(?:the|this)\s+{FILM}\s+about|is\s+it\s+about|appears|"
        r"is\s+there\s+to\s+see)(?:\s+here)?|what\s+events?\s+(?:happens?|occurs?|takes?\s+place|are\s+(?:there|shown)|can\s+be\s+seen)|what\s+activity\s+is\s+happening)",
        clause,
    )
    if found:
        return Question(clause, "summary")
    found = match(
        r"what\s+(?:happens|comes|appears|is\s+(?:shown|seen))\s+(?:at\s+)?(first|last)|"
        r"what\s+is\s+the\s+(?:very\s+)?(first|last)\s+(?:thing|scene|shot|event)"
        r"(?:\s+(?:shown|seen|(?:that\s+)?we\s+see|that\s+(?:happens|is\s+shown)))?",
        clause,
    )
    if found and not options:
        last = "last" in (found[1] or found[2]).lower()
        return Question(clause, "summary", part=Part(0.0, 0.0, scenes=-1 if last else 1))
    return None
