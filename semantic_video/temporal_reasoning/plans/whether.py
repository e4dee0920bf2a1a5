"""Whether something is there: at all, so often, or after something else."""

from __future__ import annotations

from dataclasses import replace

from semantic_video.query_language import Every
from semantic_video.records import Moment
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import Evidence, Film
from semantic_video.temporal_reasoning.particulars import conjuncts, query_of, several, sought
from semantic_video.temporal_reasoning.plans.choices import (
    choose_look,
    choose_yes_or_no,
    says_yes_or_no,
)
from semantic_video.temporal_reasoning.plans.shared import (
    film_of,
    nothing_there,
    told,
    whens,
)
from semantic_video.temporal_reasoning.questions import Question
from semantic_video.temporal_reasoning.wording import quoted, times


def answer_whether(question: Question, evidence: Evidence) -> Draft:
    """Whether something is in the film at all, or as the question says."""
    if question.relation is not None:
        return _whether_related(question, evidence)
    things = conjuncts(question.subject)
    if len(things) > 1 and question.times is None:
        return _whether_each(question, things, evidence)
    film = film_of(question.subject, evidence)
    query = Every(query_of(question.subject))
    draft = Draft(question, "occurrences")
    draft.step(f"in {film.name}: {query}")
    moments = evidence.find(query, film, question.part)
    if question.times is not None:
        return _whether_so_often(draft, evidence, film, moments)
    if not moments:
        return _absent(question, evidence, film)
    draft.confidence = _surest(moments)
    if question.options and not says_yes_or_no(question.options):
        draft.say(f"{quoted(question.subject)} appears {whens(moments)}", moments)
        choose_look(draft, evidence, film, moments, question.subject)
        return draft
    if question.claim:
        verdict = "probably not" if question.negated else "probably"
        draft.say(
            f"{verdict}: scenes that fit {quoted(question.subject)} are {whens(moments)}", moments
        )
        choose_yes_or_no(draft, not question.negated)
    else:
        _say(draft, not question.negated, f"{told(question)} appears {whens(moments)}", moments)
    if several(question.subject):
        draft.say("how many there are in one picture, the memory does not count")
    return draft


def _whether_each(question: Question, things: tuple[str, ...], evidence: Evidence) -> Draft:
    """Whether all of several things are there, each somewhere."""
    film = evidence.film_for(things)
    draft = Draft(question, "occurrences", confidence=1.0)
    draft.step(f"in {film.name}: {' and '.join(str(Every(query_of(thing))) for thing in things)}")
    found = {thing: evidence.find(Every(query_of(thing)), film, question.part) for thing in things}
    missing = [thing for thing in things if not found[thing]]
    yes = not missing
    if question.negated:
        yes = len(missing) == len(things)
    told = []
    for thing, moments in found.items():
        if moments:
            told.append((f"{quoted(thing)} appears {whens(moments)}", moments))
            sure = _surest(moments)
        else:
            near = evidence.nearest(thing, film, question.part)
            told.append((f"no scene shows {quoted(thing)} for certain", []))
            sure = 1 - (near.probability or 0.0 if near else 0.0)
        draft.confidence = min(draft.confidence, sure)
    _say(draft, yes, *told[0])
    for text, moments in told[1:]:
        draft.say(text, moments)
    return draft


def _whether_so_often(draft: Draft, evidence: Evidence, film: Film, moments: list[Moment]) -> Draft:
    question = draft.question
    assert question.times is not None
    holds = question.times.holds(len(moments)) != question.negated
    draft.count = len(moments)
    if moments:
        draft.confidence = _surest(moments)
        _say(
            draft, holds,
            f"{quoted(question.subject)} appears {times(len(moments))}, {whens(moments)}", moments,
        )  # fmt: skip
        return draft
    absent = _absent(question, evidence, film, holds)
    absent.count = 0
    return absent


def _whether_related(question: Question, evidence: Evidence) -> Draft:
    """Whether something is there after, before or at the time of something else."""
    film = evidence.film_for([question.subject, question.reference])
    draft = Draft(question, "order of occurrences")
    query = sought(question)
    draft.step(f"in {film.name}: {Every(query)}")
    there: list[list[Moment]] = []
    for text in (question.subject, question.reference):
        there.append(evidence.find(Every(query_of(text)), film, question.part))
        if not there[-1]:
            named = text == question.subject
            return _absent(
                replace(question, subject=text), evidence, film, None if named else False
            )
    related = evidence.find(Every(query), film, question.part)
    soon = "right " if question.immediate and question.relation != "during" else ""
    order = {"after": "after", "before": "before", "during": "at the time of"}[
        question.relation or ""
    ]
    shown = related or there[0]
    draft.confidence = min(_surest(shown), _surest(there[1]))
    _say(
        draft,
        bool(related) != question.negated,
        f"{quoted(question.subject)} appears {whens(shown)}, "
        f"{'' if related else 'not '}{soon}{order} {quoted(question.reference)} {whens(there[1])}",
        [*shown, *there[1]],
    )
    return draft


def _absent(question: Question, evidence: Evidence, film: Film, yes: bool | None = None) -> Draft:
    """It is not there, which is a yes where that was asked."""
    draft = nothing_there(question, evidence, film)
    if question.options and not says_yes_or_no(question.options):
        return draft
    choose_yes_or_no(draft, question.negated if yes is None else yes)
    return draft


def _say(draft: Draft, yes: bool, text: str, moments: list[Moment]) -> None:
    draft.say(f"{'yes' if yes else 'no'}: {text}", moments)
    choose_yes_or_no(draft, yes)


def _surest(moments: list[Moment]) -> float:
    return max(moment.probability or 0.0 for moment in moments)
