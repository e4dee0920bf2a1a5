"""Which first, whether before, which more: several things side by side."""

from __future__ import annotations

from dataclasses import replace

from semantic_video.query_language import After, Before, Every, Term
from semantic_video.records import Moment
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import LEVEL, Evidence
from semantic_video.temporal_reasoning.plans.shared import (
    mean_probability,
    nothing_there,
    where,
)
from semantic_video.temporal_reasoning.questions import Question
from semantic_video.temporal_reasoning.wording import (
    length,
    listed,
    quoted,
    times,
)


def answer_order(question: Question, evidence: Evidence) -> Draft:
    """Which of several comes first (or last), or whether one comes before the other."""
    if question.relation is not None:
        return _whether_before(question, evidence)
    options = question.options or (question.subject, question.reference)
    film = evidence.film_for(options)
    draft = Draft(question, "order of occurrences")
    draft.step(
        f"in {film.name}: of each, {listed([quoted(o) for o in options])}, the scene that is most "
        f"probably the {'last' if question.last else 'first'}"
    )
    edge = "last" if question.last else "first"
    found: list[tuple[float, int, Moment, bool]] = []
    for place, option in enumerate(options):
        moment = evidence.edge(option, film, question.part, question.last)
        if moment is None:
            continue
        sure = bool(evidence.find(Every(Term(option)), film, question.part))
        found.append((moment.start_s, place, moment, sure))
        draft.step(
            f"{edge} {quoted(option)}: {where(moment)}"
            + ("" if sure else " (no scene shows it for certain)")
        )
    if not found:
        return nothing_there(question, evidence, film)
    there = [own for own in found if own[3]]
    best = (max if question.last else min)(found)
    if question.options:
        draft.choose(best[1])
    for _, place, moment, _ in sorted(found, key=lambda own: own[0], reverse=question.last):
        draft.say(_appears(options[place], moment, edge), [moment])
    missing = [options[own[1]] for own in found if not own[3]]
    if missing:
        draft.say(f"{listed([quoted(name) for name in missing])}: no scene shows it for certain")
    draft.confidence = min(own[2].probability or 0.0 for own in (there if there else found))
    if missing:
        draft.confidence *= 0.5
    return draft


def _whether_before(question: Question, evidence: Evidence) -> Draft:
    film = evidence.film_for([question.subject, question.reference])
    relation = Before if question.relation == "before" else After
    query = relation(Term(question.subject), Term(question.reference))
    draft = Draft(question, "order of occurrences")
    draft.step(f"in {film.name}: {query}")
    firsts: list[Moment] = []
    for text in (question.subject, question.reference):
        moment = evidence.edge(text, film, question.part)
        if moment is None or not evidence.find(Every(Term(text)), film, question.part):
            return nothing_there(replace(question, subject=text), evidence, film)
        firsts.append(moment)
    first, second = firsts
    yes = first.start_s < second.start_s
    if question.relation == "after":
        yes = first.start_s > second.start_s
    draft.confidence = min(first.probability or 0.0, second.probability or 0.0)
    verdict = "yes" if yes else "no"
    if draft.confidence < LEVEL:
        verdict = "probably" if yes else "probably not"
    draft.say(
        f"{verdict}: {_appears(question.subject, first)}, {_appears(question.reference, second)}",
        [first, second],
    )
    _choose_yes_or_no(draft, yes)
    return draft


def answer_compare(question: Question, evidence: Evidence) -> Draft:
    """Two or more things side by side: how often, how long, when first."""
    options = question.options or (question.subject, question.reference)
    film = evidence.film_for(options)
    draft = Draft(question, "comparison of occurrences")
    draft.step(f"in {film.name}: every occurrence of {listed([quoted(o) for o in options])}")
    rows = []
    for place, option in enumerate(options):
        moments = evidence.find(Every(Term(option)), film, question.part)
        seconds = sum(moment.end_s - moment.start_s for moment in moments)
        rows.append((seconds if question.longest else len(moments), seconds, place, moments))
        if moments:
            draft.say(
                f"{quoted(option)} appears {times(len(moments))}, {length(seconds)} in all, first "
                f"at {where(moments[0])}",
                moments,
            )
        else:
            draft.say(f"no scene shows {quoted(option)} for certain")
    best = (min if question.last else max)(rows)
    shown = [own for own in rows if own[3]]
    draft.confidence = min((mean_probability(own[3]) for own in shown), default=0.0)
    if question.options:
        draft.choose(best[2])
    elif shown and len({own[:2] for own in rows}) > 1:
        more = "less" if question.last else "longer" if question.longest else "more often"
        draft.say(f"so {quoted(options[best[2]])} is there {more}", best[3])
    return draft


def _appears(phrase: str, moment: Moment, edge: str = "first") -> str:
    """When something first (or last) appears, with the doubt there is."""
    doubt = "" if (moment.probability or 0.0) >= LEVEL else "probably "
    return f"{quoted(phrase)} {doubt}appears {edge} at {where(moment)}"


def _choose_yes_or_no(draft: Draft, yes: bool) -> None:
    for place, option in enumerate(draft.question.options):
        if option.casefold().startswith("yes" if yes else "no"):
            draft.choose(place)
            return
