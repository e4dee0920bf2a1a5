"""Questions that have no plan: what is said of them, and the nearest that has one."""

from __future__ import annotations

import re

from semantic_video.temporal_reasoning.particulars import ordinal_of, ordinal_told
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


# Words that a phrase ends or begins with, or joins a second question by, where it was cut wrongly.
_SECOND_QUESTION = re.compile(
    r"\s*,?\s+and\s+(?:how|which|what|when|where|who|why|whether|is|are|does|do)\b", re.IGNORECASE
)
_CUT = re.compile(
    r"^(?:or|and|than|before|after)\s|\s(?:or|and|than|before|after|the|a|an)$|\b(?:first|last),",
    re.IGNORECASE,
)
_COMPARED = re.compile(
    r"\b(?:more|less|fewer|longer|shorter|earlier|later)\b.*\bthan\b|\bas\s+(?:often|long|many|much)\s+as\b",
    re.IGNORECASE,
)
_VERB_LEFT = re.compile(r"(?:said|spoken|heard|written|read|shown|seen)\s", re.IGNORECASE)
_AS_OFTEN = re.compile(r"(?:often|long|many|much|frequently)\s+as\s", re.IGNORECASE)
_ORDERED = re.compile(r"^(.+?)\s+(before|after)\s+((?:the|a|an)\s+\S+|\S+)$", re.IGNORECASE)
_QUANTIFIED = re.compile(r"^(?:always|mostly|usually|still|already|yet)\s", re.IGNORECASE)


def left_over(question: Question) -> Question | None:
    """A refusal where words of the question are left in its phrases that are no part of them."""
    phrases = (
        ()
        if question.form == "unknown"
        else (
            *question.named,
            *((question.bounds.start, question.bounds.end) if question.bounds else ()),
        )
    )
    for phrase in phrases:
        second = _SECOND_QUESTION.search(phrase)
        if second:
            return refused(question.text, "two questions are looked at one at a time")
        if _QUANTIFIED.match(phrase):
            thing = _QUANTIFIED.sub("", phrase)
            return refused(question.text, "whether something is always there is not looked at, "
                           "only how long it is", asking("How long", thing))  # fmt: skip
        thing, nth = ordinal_of(re.sub(r"^an?\s", "the ", phrase, flags=re.IGNORECASE))
        if nth and re.search(r"\sor\s", phrase, re.IGNORECASE):
            return refused(question.text, "one occurrence is looked up at a time")
        if nth and question.form in ("count", "whether", "order", "compare", "together"):
            named = f"the {ordinal_told(nth)} {re.sub('^the ', '', thing)}"
            return refused(question.text, "one occurrence of something is looked up by itself",
                           asking("When", named))  # fmt: skip
        if question.form == "what" and _VERB_LEFT.match(phrase):
            return refused(question.text, "its words are not understood")
        if question.form == "relation" and not _AS_OFTEN.match(phrase):
            continue
        if _AS_OFTEN.match(phrase) or _COMPARED.search(phrase):
            return refused(question.text, "this comparison is not understood",
                           '"Which appears more often, a dog or a cat?"')  # fmt: skip
        if _CUT.search(phrase):
            return refused(question.text, "its words are not understood")
        if question.form in ("whether", "order", "compare", "where", "story"):
            ordered = _ORDERED.match(phrase)
            nearest = ordered and f'"Is there {ordered[1]} {ordered[2]} {ordered[3]}?"'
            if ordered or re.search(r"\s(?:before|after)\s", phrase, re.IGNORECASE):
                return refused(question.text, "what comes before or after something else is asked "
                               "of two things, each by itself", nearest or "")  # fmt: skip
    return None
