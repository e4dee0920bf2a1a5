"""What comes after, before or at the time of something else."""

from __future__ import annotations

import re
from dataclasses import replace

import numpy as np

from semantic_video.query_language import Every, Term
from semantic_video.records import Moment, Span
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import Evidence, Film
from semantic_video.temporal_reasoning.particulars import ordinal_of
from semantic_video.temporal_reasoning.plans.choices import choose_present
from semantic_video.temporal_reasoning.plans.meant import Meant, scene_meant
from semantic_video.temporal_reasoning.plans.shared import (
    FOLLOWING,
    TOUCHING_S,
    looks,
    mean_probability,
    moment_at,
    nothing_there,
    related_scenes,
    whens,
    where,
)
from semantic_video.temporal_reasoning.plans.stories import answer_story, answer_summary
from semantic_video.temporal_reasoning.questions import Part, Question, Relation
from semantic_video.temporal_reasoning.time_words import EDGE_SCENES, FILM
from semantic_video.temporal_reasoning.wording import cut, length, listed, quoted, stretch
from semantic_video.utils.telling import short_clock

# How much sharper the choice of one scene gets by taking probabilities to this power.
_SHARPNESS = 2.0
# Of scenes that follow, each later one counts for so much of the one before.
_FADING = 0.5
# Of what is asked for, so many kinds are named.
_MOST_WORDS = 5
_FILM = rf"(?:the|this)\s+(?:whole\s+)?{FILM}"
_END = re.compile(
    rf"(?:the\s+(?:very\s+)?end(?:\s+of\s+{_FILM})?|{_FILM}(?:\s+(?:ends?|ended|is\s+over|finish\w*|stops?))?)$",
    re.IGNORECASE,
)
_BEGINNING = re.compile(
    rf"(?:the\s+(?:very\s+)?(?:beginning|start)(?:\s+of\s+{_FILM})?|"
    rf"{_FILM}(?:\s+(?:starts?|started|begins?|began))?)$",
    re.IGNORECASE,
)
_ASKS_WHETHER = re.compile(r"(?:do|does|did|is|are|was|were|has|have|had|can)\b", re.IGNORECASE)


def answer_relation(question: Question, evidence: Evidence) -> Draft:
    """What is there after, before or at the time of something else."""
    assert question.relation is not None
    if (question.relation == "after" and _END.match(question.reference)) or (
        question.relation == "before" and _BEGINNING.match(question.reference)
    ):
        return _outside(question, evidence)
    if (question.relation, bool(_END.match(question.reference))) == ("before", True):
        return _at_edge(question, -EDGE_SCENES, evidence)
    if (question.relation, bool(_BEGINNING.match(question.reference))) == ("after", True):
        return _at_edge(question, EDGE_SCENES, evidence)
    film = evidence.film_for([ordinal_of(question.reference)[0]])
    draft = Draft(question, "order of scenes")
    order = {"after": "after", "before": "before", "during": "at the time of"}[question.relation]
    soon = "right " if question.immediate and question.relation != "during" else ""
    asked = quoted(question.event) if question.event else "what is there"
    draft.step(f"in {film.name}: {asked} {soon}{order} {quoted(question.reference)}")
    meant = scene_meant(question.reference, evidence, film, question.part)
    counted = meant.phrase != question.reference
    if question.options and (meant.sure or not counted):
        draft = _choose_by_order(draft, evidence, film, meant)
        _note_missing_subject(draft, evidence, film)
        return draft
    if not meant.sure or meant.moment is None:
        # What lies around a scene that merely comes nearest is not what is asked for.
        return _not_meant(draft, meant)
    reference = meant.moment
    if _ASKS_WHETHER.match(question.text):
        draft.say("whether this happens, the memory does not tell; it tells what is there")
    draft.step(f"the scene meant by {quoted(question.reference)}: {where(reference)}")
    draft.say(meant.told, [reference])
    draft.confidence = reference.probability or 0.0
    targets = related_scenes(film, reference, question.relation)
    _note_missing_subject(draft, evidence, film)
    if question.delay_s:
        time_s = (
            reference.end_s + question.delay_s
            if question.relation == "after"
            else reference.start_s - question.delay_s
        )
        scenes = [own for own in film.scenes if own.start_s <= time_s < own.end_s]
        targets = [moment_at(film, own.start_s, own.end_s) for own in scenes]
        draft.step(
            f"the scene {question.delay_s:g} seconds away, at {short_clock(max(0.0, time_s))}"
        )
        order = f"{length(question.delay_s)} {order}"
    elif question.subject and question.relation != "during":
        own = _subject_related(evidence, film, question, reference)
        if own is not None:
            targets = [own]
            draft.step(f"the next {quoted(question.subject)} {order} it: {where(own)}")
        elif evidence.find(Every(Term(question.subject)), film):
            draft.say(f"{order} it no scene shows {quoted(question.event)} for certain")
    if not targets:
        edge = "ends" if question.relation == "after" else "begins"
        draft.say(f"nothing comes {order} it: the video {edge} there", [reference])
        return draft
    for number, moment in enumerate(targets[: 1 if soon or question.subject else 2]):
        then = ("then" if question.relation == "after" else "before that") if number else ""
        place = "" if question.relation == "during" else f"{soon}{order} it, "
        lead = f"{then}, " if then else place
        draft.say(
            f"{lead}at {stretch(moment.start_s, moment.end_s)}, comes "
            f"{looks(evidence, film, moment)}"
            if question.relation != "during"
            else f"meanwhile the scene looks like {looks(evidence, film, moment)}",
            [moment],
        )
        for line in film.lines_in(Span(moment.start_s, moment.end_s))[:1]:
            verb = "one hears" if line.kind == "speech" else "one reads"
            heard_s = max(line.start_s, moment.start_s)
            draft.say(f"at {short_clock(heard_s)} {verb} “{cut(line.text)}”", [moment])
    draft.confidence *= 0.8
    return draft


def _not_meant(draft: Draft, meant: Meant) -> Draft:
    """The event is not found, so nothing is told of what lies around it."""
    draft.method = "absence"
    near = meant.moment
    draft.confidence = 1 - (near.probability or 0.0) if near else 0.5
    draft.say(meant.told, [near] if near else [])
    relation = {"during": "at the time of"}.get(
        draft.question.relation or "", draft.question.relation
    )
    draft.say(f"so what comes {relation} it is not known")
    return draft


def _outside(question: Question, evidence: Evidence) -> Draft:
    """Before the film begins, or after it ends, there is nothing."""
    film = max(evidence.films.values(), key=lambda film: film.duration_s)
    draft = Draft(question, "length of the film", confidence=1.0)
    if question.relation == "after":
        draft.say(f"nothing: the video ends at {short_clock(film.duration_s)}")
    else:
        draft.say("nothing: the video begins at 0:00")
    if question.options:
        draft.say("so none of the choices is taken")
    return draft


def _at_edge(question: Question, scenes: int, evidence: Evidence) -> Draft:
    """What is there, or happens to the subject, in the last or first scenes of the film."""
    inside = replace(question, part=Part(0.0, 0.0, scenes=scenes), relation=None, reference="")
    if question.subject:
        return answer_story(replace(inside, form="story", subject=question.event), evidence)
    return answer_summary(replace(inside, form="summary"), evidence)


def _note_missing_subject(draft: Draft, evidence: Evidence, film: Film) -> None:
    """Say so where no scene of the film shows whom the question is about."""
    subject = draft.question.subject
    if subject and not evidence.find(Every(Term(subject)), film):
        draft.say(f"no scene of this video shows {quoted(subject)} for certain")


def _choose_by_order(draft: Draft, evidence: Evidence, film: Film, meant: Meant) -> Draft:
    """The option that fits best the scenes that follow (precede, are) the likely references.

    Where the reference lies is not certain, and the options say something about it too: every
    scene may be it, as far as it probably is.
    """
    question = draft.question
    relation: Relation = question.relation or "during"
    options = [
        option if not question.subject else f"{question.subject} {option}"
        for option in question.options
    ]
    scenes = evidence.scenes(meant.phrase)[film.video]
    weights = np.array([moment.probability or 0.0 for moment in scenes]) ** _SHARPNESS
    if question.part is not None:
        span = film.span(question.part)
        inside = [m.start_s < span.end_s and m.end_s > span.start_s for m in scenes]
        weights = np.where(inside, weights, 0.0)
    if meant.moment is not None and meant.phrase != question.reference:  # that occurrence only
        own = meant.moment
        inside = [m.start_s < own.end_s and m.end_s > own.start_s for m in scenes]
        weights = np.where(inside, weights, 0.0)
    fits = evidence.contrast(film, options)
    shares = np.exp(fits - fits.max(axis=1, keepdims=True))
    shares /= shares.sum(axis=1, keepdims=True)
    # The likelier option counts as far as the scene shows any of them at all.
    likely = np.exp(fits)
    offsets = {
        "after": range(1, 2 if question.immediate else 1 + FOLLOWING),
        "before": range(-1, -2 if question.immediate else -1 - FOLLOWING, -1),
        "during": range(1),
    }[relation]
    votes = np.zeros((len(scenes), len(options)))
    for rank, offset in enumerate(offsets):
        rows = np.arange(len(scenes)) + offset
        there = (rows >= 0) & (rows < len(scenes))
        votes[there] += _FADING**rank * likely[rows[there]]
    joint = weights[:, None] * votes
    best_row, best_option = np.unravel_index(int(np.argmax(joint)), joint.shape)
    total = joint.max(axis=0)
    draft.choose(int(best_option))
    draft.confidence = float(total[best_option] / max(total.sum(), 1e-12))
    reference = scenes[int(best_row)]
    others = [int(best_row) + offset for offset in offsets]
    rows_there = [row for row in others if 0 <= row < len(scenes)]
    follower = max(rows_there, key=lambda row: likely[row, int(best_option)], default=int(best_row))
    target = scenes[follower]
    draft.step(
        "each scene as far as it is probably the one meant, times how each option fits "
        f"{'it' if relation == 'during' else 'the scenes ' + relation + ' it'}"
    )
    draft.say(
        f"{quoted(question.reference)} is probably at {where(reference)}; "
        + (
            f"it fits {quoted(question.options[draft.choice or 0])} best"
            if relation == "during"
            else f"what comes {relation} it, at {stretch(target.start_s, target.end_s)}, fits "
            f"{quoted(question.options[draft.choice or 0])} best"
        ),
        [reference, target] if target != reference else [reference],
    )
    return draft


def answer_what(question: Question, evidence: Evidence) -> Draft:
    """What or who is shown: the scenes that fit the question, in words of the vocabulary."""
    phrase = question.event or question.text
    film = evidence.film_for(question.options or [phrase])
    if question.options and not question.event:
        draft = Draft(question, "the likeliest of the choices")
        choose_present(draft, evidence, film)
        return draft
    if question.options:
        return _choose_by_order(
            Draft(replace(question, reference=phrase), "fit of the options"),
            evidence,
            film,
            Meant(phrase, None, False, ""),
        )
    draft = Draft(question, "the scenes that fit the question best")
    draft.step(f"in {film.name}: scenes like {quoted(phrase)}, and what sets them apart")
    moments = evidence.find(Every(Term(phrase)), film, question.part)
    if not moments:
        return nothing_there(replace(question, subject=phrase), evidence, film)
    words = evidence.words_for(film, moments, _MOST_WORDS)
    draft.confidence = 0.5 * mean_probability(moments)
    draft.say(
        f"the scenes that fit the question, {whens(moments)}, look like "
        f"{listed(words) or 'nothing that has a name here'}",
        moments,
    )
    return draft


def _subject_related(
    evidence: Evidence, film: Film, question: Question, reference: Moment
) -> Moment | None:
    """The occurrence of the subject nearest to the reference on the right side of it."""
    occurrences = evidence.find(Every(Term(question.event)), film)
    if question.relation == "after":
        later = [own for own in occurrences if own.start_s >= reference.end_s - TOUCHING_S]
        return later[0] if later else None
    earlier = [own for own in occurrences if own.end_s <= reference.start_s + TOUCHING_S]
    return earlier[-1] if earlier else None
