"""`TemporalReasoner`: a question against the memories of one or more films."""

from __future__ import annotations

from collections.abc import Sequence

from semantic_video.errors import QueryError
from semantic_video.records import Answer
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import Evidence
from semantic_video.temporal_reasoning.forms import read_question
from semantic_video.temporal_reasoning.plans import PLANS
from semantic_video.temporal_reasoning.question_text import letter
from semantic_video.temporal_reasoning.questions import Question


class TemporalReasoner:
    """Answers questions from what is remembered of some films; no language model is involved."""

    def __init__(self, evidence: Evidence) -> None:
        self._evidence = evidence

    def ask(self, text: str, options: Sequence[str] = ()) -> Answer:
        """The answer to a question, with a choice where it has options.

        Raises:
            QueryError: the question is empty, or has a single option.
        """
        return self.answer(checked_question(text, options)).answer()

    def answer(self, question: Question) -> Draft:
        """The draft that the plan of a question's form makes."""
        draft = PLANS[question.form](question, self._evidence)
        draft.steps.insert(0, described(question))
        films = {moment.video for moment in draft.moments}
        if len(self._evidence.films) > 1 and films:
            names = sorted(self._evidence.films[video].name for video in films)
            draft.say(f"this is in {', '.join(names)}", draft.moments[:1])
        return draft


def checked_question(text: str, options: Sequence[str] = ()) -> Question:
    """The question in a text, which must be one."""
    if not text.strip():
        raise QueryError(
            'the question is empty; ask, for instance, "What happens after the storm?"'
        )
    if any(not option.strip() for option in options):
        raise QueryError("an option is empty: give each choice as --option TEXT")
    if len(options) == 1:
        raise QueryError("one option is no choice: give --option at least twice")
    return read_question(text, [" ".join(option.split()) for option in options])


def described(question: Question) -> str:
    """How a question was read, in a line."""
    facts = [f"read as {question.form}"]
    for name, value in (
        ("subject", question.subject),
        ("action", question.action),
        (question.relation or "and", question.reference),
    ):
        if value:
            facts.append(f'{name} "{value}"')
    if question.immediate:
        facts.append("immediately")
    if question.part is not None:
        facts.append("in a part of the film")
    if question.options:
        choices = [f"{letter(i)} {option}" for i, option in enumerate(question.options)]
        facts.append(f"choices {' '.join(choices)}")
    return ", ".join(facts)
