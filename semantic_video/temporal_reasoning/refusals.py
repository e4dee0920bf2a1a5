"""Questions that have no plan: what is said of them, and the nearest that has one."""

from __future__ import annotations

import re

from semantic_video.temporal_reasoning.questions import Question

_NEAREST = '"What happens in the video?"'
_THING = r"((?:the|a|an|this|that|these|those|his|her|their)\s+\S+"
# "why does the volcano erupt": what is left of the clause is the thing and one word more.
_REASON = re.compile(
    rf"^(?:why|how|how\s+come|for\s+what\s+reason)\s+(?:is|are|was|were|do|does|did)\s+{_THING})\s+\S+$",
    re.IGNORECASE,
)
# "what colour is the big dog": the rest of the clause is the thing.
_PROPERTY = re.compile(
    rf"^(?:what|which)\s+\w+\s+(?:is|are|was|were)\s+{_THING}(?:\s+\S+)?)$", re.IGNORECASE
)


def unknown(clause: str) -> Question:
    """A question that no form fits."""
    found = _REASON.match(clause) or _PROPERTY.match(clause)
    nearest = asking("When", found[1]) if found else ""
    return Question(clause, "unknown", subject=clause, nearest=nearest or _NEAREST)


def refused(clause: str, reason: str, nearest: str = "") -> Question:
    """A question of which it is known why it has no plan."""
    return Question(clause, "unknown", subject=clause, refusal=reason, nearest=nearest or _NEAREST)


def asking(how: str, thing: str) -> str:
    """A question about a thing, "When does the dog appear?", in quotation marks."""
    many = re.search(r"(?:[^s']s|people|children|men)$|\sand\s", thing, re.IGNORECASE)
    return f'"{how} {"do" if many else "does"} {thing} appear?"'
