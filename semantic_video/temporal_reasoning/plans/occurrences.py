"""How often, how long, when: the occurrences of one thing."""

from __future__ import annotations

from dataclasses import replace

from semantic_video.query_language import Count, Every, HowLong
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import Evidence
from semantic_video.temporal_reasoning.particulars import ordinal_of, query_of, sought
from semantic_video.temporal_reasoning.plans.choices import (
    choose_length,
    choose_look,
    choose_none,
    choose_number,
    choose_time,
)
from semantic_video.temporal_reasoning.plans.meant import scene_meant
from semantic_video.temporal_reasoning.plans.shared import (
    film_of,
    mean_probability,
    not_found,
    nothing_there,
    told,
    whens,
    where,
)
from semantic_video.temporal_reasoning.questions import Question
from semantic_video.temporal_reasoning.wording import length, listed, times
from semantic_video.utils.telling import short_clock


def answer_count(question: Question, evidence: Evidence) -> Draft:
    """How many times something appears: its occurrences."""
    film = film_of(question.subject, evidence)
    query = Count(sought(question))
    draft = Draft(question, "count of occurrences")
    draft.step(f"in {film.name}: {query}")
    moments = evidence.find(query, film, question.part)
    if not moments:
        absent = not_found(question, evidence, film)
        absent.count = 0
        choose_number(absent, 0)
        return absent
    draft.count = len(moments)
    draft.confidence = mean_probability(moments)
    draft.say(f"{told(question)} appears {times(len(moments))}: {whens(moments)}", moments)
    choose_number(draft, len(moments))
    return draft


def answer_duration(question: Question, evidence: Evidence) -> Draft:
    """For how long something is on screen, together."""
    if not question.reference and ordinal_of(question.subject)[1]:
        return _nth(question, evidence)
    film = film_of(question.subject, evidence)
    query = HowLong(sought(question))
    draft = Draft(question, "length of occurrences")
    draft.step(f"in {film.name}: {query}")
    moments = evidence.find(query, film, question.part)
    if not moments:
        absent = not_found(question, evidence, film)
        choose_none(absent)
        return absent
    seconds = sum(moment.end_s - moment.start_s for moment in moments)
    draft.confidence = mean_probability(moments)
    draft.say(
        f"{told(question)} is on screen for {length(seconds)} in all: {whens(moments)}",
        moments,
    )
    choose_length(draft, seconds)
    return draft


def answer_length(question: Question, evidence: Evidence) -> Draft:
    """How long a film is, and when it ends."""
    draft = Draft(question, "length of the film", confidence=1.0)
    several = len(evidence.films) > 1
    for film in evidence.films.values():
        name = film.name if several else "the video"
        if question.first:
            draft.say(f"{name} begins at 0:00")
        else:
            draft.say(
                f"{name} is {length(film.duration_s)} long: it ends at "
                f"{short_clock(film.duration_s)}"
            )
    if not several:
        choose_length(
            draft, 0.0 if question.first else next(iter(evidence.films.values())).duration_s
        )
    elif question.options:
        draft.say("which of the videos the choices are about is not said")
    return draft


def answer_when(question: Question, evidence: Evidence) -> Draft:
    """When something appears, first or last and in all."""
    if not question.reference and ordinal_of(question.subject)[1]:
        return _nth(question, evidence)
    film = film_of(question.subject, evidence)
    query = Every(sought(question))
    draft = Draft(question, "occurrences")
    draft.step(f"in {film.name}: {query}")
    moments = evidence.find(query, film, question.part)
    if not moments:
        absent = not_found(question, evidence, film)
        choose_none(absent)
        return absent
    draft.confidence = mean_probability(moments)
    edge = moments[-1] if question.last else moments[0]
    which = "last" if question.last else "first"
    draft.say(f"{told(question)} {which} appears at {where(edge)}", [edge])
    if len(moments) > 1:
        draft.say(f"in all it appears {times(len(moments))}: {whens(moments)}", moments)
    if question.form == "when":
        choose_time(draft, evidence, film, [edge] if question.first or question.last else moments)
    return draft


def _nth(question: Question, evidence: Evidence) -> Draft:
    """When one of the occurrences of something is, "the third", and how long it lasts."""
    thing, nth = ordinal_of(question.subject)
    film = film_of(thing, evidence)
    draft = Draft(question, "occurrences")
    draft.step(f"in {film.name}: occurrence {nth} of {Every(query_of(thing))}")
    meant = scene_meant(question.subject, evidence, film, question.part)
    moments = evidence.find(Every(query_of(thing)), film, question.part)
    if not moments:
        absent = nothing_there(replace(question, subject=thing), evidence, film)
        choose_none(absent)
        return absent
    if meant.moment is None:
        draft.method = "absence"
        draft.confidence = mean_probability(moments)
        draft.say(meant.told, moments)
        if question.options:
            draft.say("so none of the choices is taken")
        return draft
    own = meant.moment
    draft.confidence = own.probability or 0.0
    draft.say(meant.told, [own])
    if question.form == "duration":
        draft.say(f"it lasts {length(own.end_s - own.start_s)}", [own])
        choose_length(draft, own.end_s - own.start_s)
    elif question.form == "when":
        choose_time(draft, evidence, film, [own])
    return draft


def answer_where(question: Question, evidence: Evidence) -> Draft:
    """When something appears, and what else these scenes show: places in a picture are not kept."""
    draft = answer_when(question, evidence)
    if draft.method == "occurrences" and draft.moments:
        film = evidence.films[draft.moments[0].video]
        moments = list(draft.moments)
        words = evidence.words_for(film, moments)
        if words:
            draft.say(f"these scenes look like {listed(words)}", moments)
        choose_look(draft, evidence, film, moments, question.subject)
        draft.say("where in the picture it is, the memory does not keep")
    return draft
