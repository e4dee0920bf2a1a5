"""`TemporalReasoner`: a question against the memories of one or more films."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from semantic_video.errors import QueryError
from semantic_video.records import Answer
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import Evidence
from semantic_video.temporal_reasoning.forms import read_question
from semantic_video.temporal_reasoning.language_model import (
    LanguageModel,
    ModelError,
    NoAnswerError,
)
from semantic_video.temporal_reasoning.model_wording import Pictures, translated, worded
from semantic_video.temporal_reasoning.plans import PLANS
from semantic_video.temporal_reasoning.plans.queries import answer_query
from semantic_video.temporal_reasoning.question_text import letter, split_options
from semantic_video.temporal_reasoning.questions import Question
from semantic_video.utils.telling import short_clock

# Forms of which a language model may know better what is asked for.
_TRANSLATED = ("unknown", "what")
# Questions with ten long choices stay far below; the encoder reads some sixty words.
_MOST_WORDS = 250


class TemporalReasoner:
    """Answers questions from what is remembered of some films.

    ``pictures`` gives the small picture that is kept of a moment, for a language model that sees.
    """

    def __init__(self, evidence: Evidence, pictures: Pictures | None = None) -> None:
        self._evidence = evidence
        self._pictures = pictures

    def ask(
        self,
        text: str,
        options: Sequence[str] = (),
        model: LanguageModel | None = None,
        images: bool = False,
    ) -> Answer:
        """The answer to a question, with a choice where it has options.

        Without a ``model`` nothing leaves this process. With one, it may put questions that have no
        plan into the query language, and it words what was found; with ``images`` it sees it, too.
        Whatever it fails at is done without it.

        Raises:
            QueryError: the question is empty or too long, it has a single choice, twice the same,
                or choices out of order, or its stretch of time ends before it starts.
        """
        question = checked_question(text, options)
        if model is None:
            return self._draft(question).answer()
        failed: list[str] = []
        draft = None
        silent: NoAnswerError | None = None
        if question.form in _TRANSLATED and not question.options:
            try:
                query = translated(model, question.text)
                draft = self._finished(question, answer_query(question, query, self._evidence))
            except ModelError as failure:
                failed.append(f"{model.name} gave no query: {failure}")
                silent = failure if isinstance(failure, NoAnswerError) else None
        answer = (draft or self._draft(question)).answer()
        try:
            if silent is not None:  # the user has waited long enough
                raise silent
            answer = worded(
                model,
                answer,
                tuple(self._evidence.films.values()),
                question.options,
                self._pictures if images else None,
            )
        except ModelError as failure:
            failed.append(f"worded without {model.name}: {failure}")
            method = f"{answer.method}; {failed[-1]}"
            answer = replace(answer, method=method, dropped=failure.dropped)
        return replace(answer, plan=(*answer.plan, *failed))

    def _draft(self, question: Question) -> Draft:
        return self._finished(question, PLANS[question.form](question, self._evidence))

    def _finished(self, question: Question, draft: Draft) -> Draft:
        """The draft, with how the question was read, and in which of several films it is."""
        draft.steps.insert(0, described(question))
        films = {moment.video for moment in draft.moments}
        if len(self._evidence.films) > 1 and films:
            names = sorted(self._evidence.films[video].name for video in films)
            among = len(self._evidence.films)
            draft.say(f"this is in {', '.join(names)}, of {among} videos", draft.moments[:1])
        return draft


def checked_question(text: str, options: Sequence[str] = ()) -> Question:
    """The question in a text, which must be one.

    Raises:
        QueryError: it is none; says why.
    """
    if not isinstance(text, str):
        raise QueryError(f"the question must be a text, not {text!r}")
    if isinstance(options, str) or not all(isinstance(option, str) for option in options):
        raise QueryError('options must be a list of texts, as ["a dog", "a cat"], not one text')
    if text.strip() and not any(character.isalnum() for character in text):
        raise QueryError(
            f'the question is empty of words: "{text.strip()}"; ask, for instance, '
            '"When does a dog appear?"'
        )
    if not any(character.isalnum() for character in text):
        raise QueryError('the question is empty; ask, for instance, "What happens after the goal?"')
    if len(text.split()) > _MOST_WORDS:
        raise QueryError(
            f"the question has {len(text.split())} words; ask it in at most {_MOST_WORDS}"
        )
    if any(not option.strip() for option in options):
        raise QueryError("an option is empty: give each choice as --option TEXT")
    if len(options) == 1:
        raise QueryError("one option is no choice: give --option at least twice")
    if options and split_options(text)[1]:
        raise QueryError("there are choices in the question and as options: give them once")
    question = read_question(text, [" ".join(option.split()) for option in options])
    same = [option.casefold() for option in question.options]
    if len(set(same)) < len(same):
        raise QueryError("two choices are the same: give each once")
    part = question.part
    if part is not None and 0 <= part.end < part.start:
        raise QueryError(
            f"the stretch from {short_clock(part.start)} to {short_clock(part.end)} "
            "ends before it starts"
        )
    return question


def described(question: Question) -> str:
    """How a question was read, in a line."""
    facts = [f"read as {question.form}"]
    for name, value in (
        ("subject", question.subject),
        ("action", question.action),
        (question.relation or "and", question.reference),
        ("and", '", "'.join(question.others)),
    ):
        if value:
            facts.append(f'{name} "{value}"')
    for name, holds in (
        ("immediately", question.immediate),
        ("negated", question.negated),
        ("so many times", question.times is not None),
    ):
        if holds:
            facts.append(name)
    if question.part is not None:
        facts.append("in a part of the film")
    if question.options:
        choices = [f"{letter(i)} {option}" for i, option in enumerate(question.options)]
        facts.append(f"choices {' '.join(choices)}")
    return ", ".join(facts)
