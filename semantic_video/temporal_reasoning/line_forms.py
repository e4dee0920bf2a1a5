"""Questions about lines: what is said and written, whether and how often something is named."""

from __future__ import annotations

import re

from semantic_video.temporal_reasoning.form_words import BE, DO, SEEN, match
from semantic_video.temporal_reasoning.questions import Question, Relation

_PLACES = (
    r"(?:slide|sign|screen|caption|title|text|board|poster|label|page|credit|banner|headline)s?"
)
_SOMEONE = (
    r"(?:they|he|she|it|someone|somebody|anyone|anybody|people|(?:the|a)\s+(?:speaker|narrator|"
    r"lecturer|man|woman|person|video|film))"
)
_SAY = r"(?:say|mention|name|talk\s+about|speak\s+(?:of|about))"
_SAID = r"(?:mentioned|said|named|spoken\s+of|talked\s+about|spoken\s+about)"
_SAYING = r"(?:saying|mentioning|talking\s+about|speaking\s+(?:of|about))"
_RELATED = r"(?:\s+(?:right\s+|directly\s+|just\s+)?(after|before|during|while|when)\s+(.+?))?"
_ABOUT = rf"(?:\s+(?:about|of|on)\s+(.+?))?{_RELATED}"
_RELATIONS: dict[str, Relation] = {"after": "after", "before": "before"}
_WHO = "who says it, the memory does not tell"


def read_said(clause: str, options: tuple[str, ...]) -> Question | None:
    """What is said or written, about something or in a part of the film."""
    found = match(
        rf"(?:what|which)\s+(?:{BE}\s+(?:written|the\s+text)|text\s+{BE}\s+(?:shown|visible|there|on\s+(?:the\s+)?screen)|"
        rf"can\s+(?:be|we|you|one)\s+read|"
        rf"words?\s+(?:{BE}|can\s+be)\s+(?:written|shown|seen|visible|there|on\s+(?:the\s+)?screen)|"
        rf"{DO}\s+it\s+say|{DO}\s+(?:(?:the|this|that|a)\s+)?(?:\w+\s+)?{_PLACES}\s+(?:say|read))"
        rf"(?:\s+(?:about|on|in)\s+(.+?))?{_RELATED}",
        clause,
    ) or match(
        rf"what\s+{BE}\s+(?:written\s+)?on\s+(?:the|this|that)\s+(?!screens?$)({_PLACES}){_RELATED}",
        clause,
    )
    if found:
        place = re.match(
            rf"(?:(?:the|this|a)\s+(?:\w+\s+)?)?(?:{_PLACES}|picture|wall)$",
            found[1] or "", re.IGNORECASE,
        )  # fmt: skip
        about = "" if place else found[1] or ""
        return _lines(Question(clause, "said", about, written=True), found[2], found[3])
    found = match(
        rf"what\s+(?:{BE}\s+(?:being\s+)?(?:said|told|spoken|explained){_ABOUT}|{DO}\s+(?:{_SOMEONE}|"
        rf"the\s+\w+)\s+(?:say|tell|talk|explain)(?:\s+(?:about|of|on)(?:\s+(.+?))?)?)",
        clause,
    )
    if found:
        return _lines(Question(clause, "said", found[1] or found[4] or ""), found[2], found[3])
    for pattern, refusal in (
        (rf"(?:when|where)\s+(?:{DO}|{BE})\s+{_SOMEONE}\s+(?:{_SAY}|{_SAYING})\s+(.+)", ""),
        (rf"(?:when|where)\s+{BE}\s+(.+?)\s+(?:{_SAID}|written)", ""),
        (
            r"who\s+(?:says?|said|mentions?|mentioned|names?|talks?\s+about|talked\s+about)\s+(.+)",
            _WHO,
        ),
    ):
        found = match(pattern, clause)
        if found:
            return Question(clause, "said", _words(found[1]), refusal=refusal)
    return None


def read_mentioned(clause: str, options: tuple[str, ...]) -> Question | None:
    """Whether something is said or written, or how often."""
    often = r"(?:how\s+many\s+times|how\s+often)"
    ever = r"(?:ever\s+|actually\s+)?"
    for pattern, counted in (
        (rf"{often}\s+{BE}\s+(.+?)\s+(?:{_SAID}|written)", True),
        (rf"{often}\s+{BE}\s+the\s+words?\s+(.+?)\s+{SEEN}", True),
        (rf"{BE}\s+the\s+words?\s+(.+?)\s+{SEEN}", False),
        (rf"{often}\s+{DO}\s+{_SOMEONE}\s+{_SAY}\s+(.+)", True),
        (rf"{BE}\s+there\s+(?:any\s+|a\s+)?(?:mention|talk)\s+(?:of|about)\s+(.+)", False),
        (rf"{BE}\s+(?!there\b)(.+?)\s+{ever}(?:{_SAID}|written)(?:\s+anywhere)?", False),
        (rf"{DO}\s+{_SOMEONE}\s+{ever}{_SAY}\s+(.+?)(?:\s+anywhere)?", False),
    ):
        found = match(pattern, clause)
        if found:
            return Question(clause, "mentioned", _words(found[1]), counted=counted)
    return None


def _lines(question: Question, relation: str | None, reference: str | None) -> Question:
    if not relation or not reference:
        return question
    own: Relation = _RELATIONS.get(relation.lower(), "during")
    return Question(
        question.text, "said", question.subject, written=question.written,
        relation=own, reference=reference,
    )  # fmt: skip


def _words(phrase: str) -> str:
    return re.sub(r"^the\s+(?:words?|names?|term)\s+", "", phrase, flags=re.IGNORECASE)
