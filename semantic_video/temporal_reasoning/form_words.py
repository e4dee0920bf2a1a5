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


_ACTS = (
    r"(?:play|run|walk|ride|jump|dance|sing|swim|drive|cook|eat|drink|throw|catch|kick|hit|climb|sit|"
    r"stand|lie|read|write|talk|speak|laugh|cry|smile|wave|fight|box|surf|ski|row|skate|cut|paint|fly|fall|"
    r"lift|hold|carry|push|pull|open|close|shake|kiss|hug|bark|sleep|score|dive|juggle)"
)
_WHO_ACTS = re.compile(
    rf"^((?:someone|somebody|anyone|anybody|people|(?:the|a|an|two|some)\s+\w+(?:\s+\w+)?))\s+({_ACTS})"
    r"(?=\s(?!of\b)|$)(.*)$",
    re.IGNORECASE,
)


def as_doing(phrase: str) -> str:
    """ "someone playing the violin" for "someone play the violin"."""
    found = _WHO_ACTS.match(phrase)
    if not found:
        return phrase
    verb = found[2]
    if verb.endswith("ie"):
        verb = f"{verb[:-2]}y"
    elif verb.endswith("e"):
        verb = verb[:-1]
    elif re.fullmatch(r"[^aeiou]+[aeiou][bdgmnprt]", verb, re.IGNORECASE):
        verb += verb[-1]
    return f"{found[1]} {verb}ing{found[3]}"
