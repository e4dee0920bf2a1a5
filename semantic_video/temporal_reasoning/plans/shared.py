"""What several plans need: moments and how they look, and the answer that nothing is there."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from semantic_video.query_language import Every
from semantic_video.records import Moment, Span
from semantic_video.semantic_clustering.names import load_kinds
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import LEVEL, Evidence, Film
from semantic_video.temporal_reasoning.particulars import alternatives, query_of
from semantic_video.temporal_reasoning.questions import Question, Relation
from semantic_video.temporal_reasoning.wording import listed, quoted, stretch, when
from semantic_video.utils.telling import short_clock

_ARTICLE = re.compile(r"^(?:a|an|the|any|some)\s+", re.IGNORECASE)

MOST_EVENTS = 8
"""A story or a summary names so many occurrences, the longest ones."""

FOLLOWING = 3
"""So many scenes after a moment are looked at for what follows it."""

TOUCHING_S = 0.5
"""Scenes at most so far apart follow one another."""


def nothing_there(question: Question, evidence: Evidence, film: Film) -> Draft:
    """What is asked for is not there: says so, with the scene that comes nearest."""
    draft = Draft(question, "absence")
    draft.step(f"no scene reaches a probability of {LEVEL}")
    nearest = [
        moment
        for phrase in alternatives(question.subject)
        if (moment := evidence.nearest(phrase, film, question.part)) is not None
    ]
    near = max(nearest, key=lambda moment: moment.probability or 0.0, default=None)
    there = "" if question.part is None else f" at {stretch(*film.span(question.part))}"
    if near is None:
        draft.say(f"the video shows nothing{there}: it is {short_clock(film.duration_s)} long")
        draft.confidence = 1.0
        return draft
    draft.confidence = 1 - (near.probability or 0.0)
    draft.say(
        f"no scene of {these(evidence)}{there} shows {quoted(question.subject)} for certain; the "
        f"nearest, {where(near)}, has a probability of {near.probability or 0.0:.2f}",
        [near],
    )
    if _ARTICLE.sub("", question.subject).casefold() in load_kinds():
        draft.say(
            "words as general as this are seldom found; ask for what is meant, "
            '"a man in a suit" rather than "people"'
        )
    return draft


def told(question: Question) -> str:
    """What is looked for, as it is said: "a dog", "a dog" after "the goal"."""
    if not question.reference or question.relation is None:
        return quoted(question.subject)
    soon = "right " if question.immediate and question.relation != "during" else ""
    order = {"after": "after", "before": "before", "during": "at the time of"}[question.relation]
    return f"{quoted(question.subject)} {soon}{order} {quoted(question.reference)}"


def not_found(question: Question, evidence: Evidence, film: Film) -> Draft:
    """What is asked for is not there, or not in the order that is asked for."""
    if not question.reference:
        return nothing_there(question, evidence, film)
    there: list[list[Moment]] = []
    for text in (question.subject, question.reference):
        there.append(evidence.find(Every(query_of(text)), film, question.part))
        if not there[-1]:
            return nothing_there(replace(question, subject=text), evidence, film)
    draft = Draft(question, "absence", confidence=min(map(mean_probability, there)))
    draft.say(
        f"no scene of {these(evidence)} shows {told(question)}: {quoted(question.subject)} appears "
        f"{whens(there[0])}, {quoted(question.reference)} {whens(there[1])}",
        [*there[0], *there[1]],
    )
    return draft


def these(evidence: Evidence) -> str:
    """What is looked at: "this video", or "these videos"."""
    return "these videos" if len(evidence.films) > 1 else "this video"


def film_of(phrase: str, evidence: Evidence) -> Film:
    """The film in which one of the alternatives of a phrase is most probable."""
    return max(
        (evidence.film_for([own]) for own in alternatives(phrase)),
        key=lambda film: max(
            (near.probability or 0.0)
            for own in alternatives(phrase)
            if (near := evidence.nearest(own, film)) is not None
        ),
    )


def where(moment: Moment) -> str:
    """When a moment is, "1:02-1:10"."""
    return stretch(moment.start_s, moment.end_s)


def whens(moments: Sequence[Moment]) -> str:
    """When moments are, "at 1:02-1:10 and 2:00-2:05"."""
    return when([Span(moment.start_s, moment.end_s) for moment in moments])


def mean_probability(moments: Sequence[Moment]) -> float:
    """How sure moments are on average; 0 for none."""
    return float(np.mean([moment.probability or 0.0 for moment in moments])) if moments else 0.0


def looks(evidence: Evidence, film: Film, moment: Moment) -> str:
    """What a stretch shows: the name that a user gave its cluster, else words that fit it."""
    words = evidence.words_for(film, [moment], 2)
    name = moment.cluster_name
    if evidence.subject(film, name):
        return listed([name, *words[:1]], "with")
    return listed(words, "or") or name


def name_of(film: Film, clusters: frozenset[int]) -> str:
    """The name of the cluster among these that is longest on screen."""
    return film.memory.names[max(clusters, key=lambda own: film.clusters[own].total_s)]


def moment_at(film: Film, start_s: float, end_s: float) -> Moment:
    """A stretch of a film as a moment; the film itself vouches for it."""
    middle = (start_s + end_s) / 2
    scene = next((s for s in film.scenes if s.start_s <= middle < s.end_s), film.scenes[-1])
    return Moment(
        video=film.video,
        start_s=start_s,
        end_s=max(end_s, start_s),
        score=1.0,
        probability=1.0,
        cluster=scene.cluster,
        cluster_name=film.memory.names[scene.cluster],
        keyframe_s=middle,
    )


def longest(moments: Sequence[Moment]) -> list[Moment]:
    """The longest few, in order of time."""
    chosen = sorted(moments, key=lambda moment: moment.start_s - moment.end_s)[:MOST_EVENTS]
    return sorted(chosen, key=lambda moment: moment.start_s)


def related_scenes(film: Film, reference: Moment, relation: Relation) -> list[Moment]:
    """The scenes after a moment (before it, the nearest first), or those that it lies in."""
    scenes = film.scenes
    if relation == "after":
        chosen = [s for s in scenes if s.start_s >= reference.end_s - TOUCHING_S][:FOLLOWING]
    elif relation == "before":
        chosen = [s for s in scenes if s.end_s <= reference.start_s + TOUCHING_S]
        chosen = chosen[::-1][:FOLLOWING]
    else:
        chosen = [s for s in scenes if s.start_s < reference.end_s and s.end_s > reference.start_s]
    return [moment_at(film, scene.start_s, scene.end_s) for scene in chosen]


def occurrences(film: Film, span: Span) -> list[Moment]:
    """Every occurrence of every cluster in a span, in order of time."""
    found = [
        moment_at(film, max(own.start_s, span.start_s), min(own.end_s, span.end_s))
        for cluster in film.clusters
        for own in cluster.occurrences
        if own.start_s < span.end_s and own.end_s > span.start_s
    ]
    return sorted(found, key=lambda moment: moment.start_s)
