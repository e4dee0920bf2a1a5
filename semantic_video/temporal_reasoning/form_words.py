"""Words that patterns of questions are made of."""

from __future__ import annotations

import re

SEEN = (
    r"(?:appear|appears|appeared|show\s+up|shows\s+up|showed\s+up|happen|happens|happened|occur|"
    r"occurs|occurred|come\s+up|comes\s+up|take\s+place|takes\s+place|(?:is|are|was|were|be)?\s*"
    r"(?:(?:shown|seen|visible|present)\s+on\s+(?:the\s+)?screen|shown|seen|visible|present|"
    r"on\s+(?:the\s+)?screen|in\s+(?:the\s+)?(?:picture|view|frame)))"
)
BE = r"(?:is|are|was|were)"
DO = r"(?:do|does|did)"
HAVE = r"(?:has|have|had)"


def match(pattern: str, clause: str) -> re.Match[str] | None:
    """A clause that a pattern fits from end to end, without regard to case."""
    return re.match(rf"(?:{pattern})$", clause, re.IGNORECASE)
