"""A plan for each form of question: steps over the memory, then sentences with their moments."""

from __future__ import annotations

import re
from collections.abc import Callable

from semantic_video.semantic_clustering import load_vocabulary
from semantic_video.temporal_reasoning.contractions import spelt_out
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import Evidence
from semantic_video.temporal_reasoning.plans.kinds import answer_kinds
from semantic_video.temporal_reasoning.plans.occurrences import (
    answer_count,
    answer_duration,
    answer_length,
    answer_when,
    answer_where,
)
from semantic_video.temporal_reasoning.plans.ordering import answer_compare, answer_order
from semantic_video.temporal_reasoning.plans.relations import answer_relation, answer_what
from semantic_video.temporal_reasoning.plans.stories import (
    answer_main,
    answer_story,
    answer_summary,
    answer_together,
)
from semantic_video.temporal_reasoning.plans.whether import answer_whether
from semantic_video.temporal_reasoning.plans.words import answer_mentioned, answer_said
from semantic_video.temporal_reasoning.questions import Form, Question

Plan = Callable[[Question, Evidence], Draft]

_ENGLISH = {
    "a", "an", "and", "are", "can", "describe", "did", "do", "does", "for", "from", "has", "have",
    "how", "is", "it", "many", "of", "on", "tell", "that", "the", "there", "this", "to", "was",
    "were", "what", "when", "where", "which", "who", "why", "with",
}  # fmt: skip


def answer_unknown(question: Question, evidence: Evidence) -> Draft:
    """A question without a plan: says so, and what could be asked instead."""
    draft = Draft(question, "none: no plan for this question")
    draft.step("no form fits the question")
    if question.refusal:
        draft.say(f"this the memory cannot answer: {question.refusal}")
    else:
        draft.say("this question is none that the memory can answer: it knows what is seen when, "
                  "how often, how long and in what order")  # fmt: skip
        if not _is_english(question.text):
            draft.say("questions are understood in English only")
    draft.say(f"the nearest it can answer: {question.nearest}")
    if question.options:
        draft.say("so none of the choices is taken")
    return draft


def _is_english(text: str) -> bool:
    """Whether a word of a text is one of English: a common one, or one of the vocabulary."""
    words = set(re.findall(r"[^\W\d_]+", spelt_out(text).casefold()))
    known = {word for phrase in load_vocabulary() for word in phrase.casefold().split()}
    return bool(words & (_ENGLISH | known))


PLANS: dict[Form, Plan] = {
    "order": answer_order,
    "relation": answer_relation,
    "count": answer_count,
    "duration": answer_duration,
    "when": answer_when,
    "whether": answer_whether,
    "where": answer_where,
    "story": answer_story,
    "summary": answer_summary,
    "compare": answer_compare,
    "together": answer_together,
    "said": answer_said,
    "mentioned": answer_mentioned,
    "kinds": answer_kinds,
    "length": answer_length,
    "main": answer_main,
    "what": answer_what,
    "unknown": answer_unknown,
}


__all__ = ["PLANS", "Plan"]
