"""How often, how long, when, whether: the occurrences of one thing."""

from __future__ import annotations

from semantic_video.query_language import Count, Every, HowLong, Term
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import Evidence
from semantic_video.temporal_reasoning.plans.shared import (
    mean_probability,
    nothing_there,
    whens,
    where,
)
from semantic_video.temporal_reasoning.questions import Question
from semantic_video.temporal_reasoning.wording import (
    length,
    listed,
    quoted,
    times,
)


def answer_count(question: Question, evidence: Evidence) -> Draft:
    """How many times something appears: its occurrences."""
    film = evidence.film_for([question.subject])
    draft = Draft(question, "count of occurrences")
    draft.step(f"in {film.name}: {Count(Term(question.subject))}")
    moments = evidence.find(Count(Term(question.subject)), film, question.part)
    if not moments:
        absent = nothing_there(question, evidence, film)
        absent.count = 0
        _choose_number(absent, 0)
        return absent
    draft.count = len(moments)
    draft.confidence = mean_probability(moments)
    draft.say(
        f"{quoted(question.subject)} appears {times(len(moments))}: {whens(moments)}", moments
    )
    _choose_number(draft, len(moments))
    return draft


def answer_duration(question: Question, evidence: Evidence) -> Draft:
    """For how long something is on screen, together."""
    film = evidence.film_for([question.subject])
    draft = Draft(question, "length of occurrences")
    draft.step(f"in {film.name}: {HowLong(Term(question.subject))}")
    moments = evidence.find(HowLong(Term(question.subject)), film, question.part)
    if not moments:
        return nothing_there(question, evidence, film)
    seconds = sum(moment.end_s - moment.start_s for moment in moments)
    draft.confidence = mean_probability(moments)
    draft.say(
        f"{quoted(question.subject)} is on screen for {length(seconds)} in all: {whens(moments)}",
        moments,
    )
    return draft


def answer_when(question: Question, evidence: Evidence) -> Draft:
    """When something appears, first or last and in all."""
    film = evidence.film_for([question.subject])
    draft = Draft(question, "occurrences")
    draft.step(f"in {film.name}: {Every(Term(question.subject))}")
    moments = evidence.find(Every(Term(question.subject)), film, question.part)
    if not moments:
        return nothing_there(question, evidence, film)
    draft.confidence = mean_probability(moments)
    edge = moments[-1] if question.last else moments[0]
    which = "last" if question.last else "first"
    draft.say(f"{quoted(question.subject)} {which} appears at {where(edge)}", [edge])
    if len(moments) > 1:
        draft.say(f"in all it appears {times(len(moments))}: {whens(moments)}", moments)
    return draft


def answer_whether(question: Question, evidence: Evidence) -> Draft:
    """Whether something is in the film at all."""
    film = evidence.film_for([question.subject])
    draft = Draft(question, "occurrences")
    draft.step(f"in {film.name}: {Every(Term(question.subject))}")
    moments = evidence.find(Every(Term(question.subject)), film, question.part)
    if not moments:
        return nothing_there(question, evidence, film)
    draft.confidence = max(moment.probability or 0.0 for moment in moments)
    draft.say(f"yes: {quoted(question.subject)} appears {whens(moments)}", moments)
    return draft


def answer_where(question: Question, evidence: Evidence) -> Draft:
    """When something appears, and what else these scenes show: places in a picture are not kept."""
    draft = answer_when(question, evidence)
    if draft.method == "occurrences" and draft.moments:
        film = evidence.films[draft.moments[0].video]
        words = evidence.words_for(film, draft.moments)
        if words:
            draft.say(f"these scenes look like {listed(words)}", draft.moments)
        draft.say("where in the picture it is, the memory does not keep")
    return draft


def _choose_number(draft: Draft, number: int) -> None:
    """The option whose number is nearest."""
    numbers = {}
    for place, option in enumerate(draft.question.options):
        word = option.split()[0].strip(".,()").casefold() if option.split() else ""
        names = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")
        extra = {"never": 0, "once": 1, "twice": 2, "none": 0}
        if word.isdigit():
            numbers[place] = int(word)
        elif word in names:
            numbers[place] = names.index(word)
        elif word in extra:
            numbers[place] = extra[word]
    if numbers:
        draft.choose(min(numbers, key=lambda place: abs(numbers[place] - number)))
