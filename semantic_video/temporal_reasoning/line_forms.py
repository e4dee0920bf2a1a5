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
_SAID = r"(?:mentioned|said|named|heard|uttered|spoken|spoken\s+of|talked\s+about|spoken\s+about)"
_SAYING = r"(?:saying|mentioning|talking\s+about|speaking\s+(?:of|about))"
_RELATED = r"(?:\s+(?:right\s+|directly\s+|just\s+)?(after|before|during|while|when)\s+(.+?))?"
_ABOUT = rf"(?:\s+(?:about|of|on)\s+(.+?))?{_RELATED}"
_RELATIONS: dict[str, Relation] = {"after": "after", "before": "before"}
_WHEN = r"(?:when|where|at\s+(?:what|which)\s+(?:time|point|moment))"
# A slide is about something, or on it; a sign on something is a place.
_ON_A_SLIDE = (
    rf"(?:(?:slide|caption|title|page|headline|text)s?\s+on|{_PLACES}\s+(?:about|saying|reading|"
    r"mentioning|that\s+(?:says?|mentions?|reads?)))"
)
_WHO = "who says it, the memory does not tell"


def read_said(clause: str, options: tuple[str, ...]) -> Question | None:
    """What is said or written, about something or in a part of the film."""
    edge = _read_edge(clause)
    if edge:
        return edge
    slide = match(
        rf"what\s+(?:{DO}|{BE})\s+(?:the|a|this|that)\s+{_ON_A_SLIDE}\s+(?!screen|the\s+screen)(.+?)\s+"
        r"(?:say|says|read|show|tell)(?:ing)?",
        clause,
    )
    if slide:
        return Question(clause, "said", _words(slide[1]), written=True)
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
        (rf"{_WHEN}\s+(?:{DO}|{BE})\s+{_SOMEONE}\s+(?:{_SAY}|{_SAYING})\s+(.+)", ""),
        (rf"{_WHEN}\s+{BE}\s+(.+?)\s+(?:{_SAID}|written)", ""),
        (
            r"who\s+(?:says?|said|mentions?|mentioned|names?|talks?\s+about|talked\s+about)\s+(.+)",
            _WHO,
        ),
    ):
        found = match(pattern, clause)
        if found:
            return Question(clause, "said", _words(found[1]), refusal=refusal)
    return None


def _read_edge(clause: str) -> Question | None:
    """The first or the last line: "What is said last?", "What is the first thing written?"."""
    said = r"(said|spoken|heard|written|read|mentioned)"
    edge = r"(first|last)"
    found = match(rf"what\s+{BE}\s+{said}\s+(?:at\s+|the\s+)?(?:very\s+)?{edge}", clause)
    if found:
        verb, which = found[1], found[2]
    else:
        found = match(
            rf"what\s+{BE}\s+the\s+(?:very\s+)?{edge}\s+(?:things?|words?|lines?|sentences?|text)"
            rf"\s*(?:(?:that\s+)?(?:{BE}\s+|we\s+|one\s+)?{said}|one\s+hears)?",
            clause,
        )
        if not found or (not found[2] and re.search(r"things?$", clause, re.IGNORECASE)):
            return None
        verb, which = found[2] or "said", found[1]
    return Question(
        clause, "said", written=verb.lower() in ("written", "read"),
        first=which.lower() == "first", last=which.lower() == "last",
    )  # fmt: skip


def read_mentioned(clause: str, options: tuple[str, ...]) -> Question | None:
    """Whether something is said or written, or how often."""
    often = r"(?:how\s+many\s+times|how\s+often)"
    ever = r"(?:ever\s+|actually\s+)?"
    slide = match(
        rf"{BE}\s+there\s+(?:ever\s+)?(?:a|an|any|some)?\s*{_ON_A_SLIDE}\s+(?!screen|the\s+screen)(.+)",
        clause,
    )
    if slide:
        return Question(clause, "mentioned", _words(slide[1]), written=True)
    anything = match(
        rf"{BE}\s+(?:any|some)thing\s+{ever}(said|spoken|mentioned|written|told)\s+(?:about|of|on)\s+(.+)"
        rf"|{DO}\s+{_SOMEONE}\s+{ever}(say|write|tell)\s+(?:any|some)thing\s+(?:about|of|on)\s+(.+)",
        clause,
    )
    if anything:
        return Question(
            clause, "mentioned", _words(anything[2] or anything[4]),
            written=(anything[1] or anything[3]).lower().startswith("writ"),
        )  # fmt: skip
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
