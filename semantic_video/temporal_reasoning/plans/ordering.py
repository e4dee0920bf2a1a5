"""Which first, whether before, which more: several things side by side."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from semantic_video.query_language import After, Before, Every, Term
from semantic_video.records import Moment
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import LEVEL, Evidence
from semantic_video.temporal_reasoning.plans.choices import choose_yes_or_no, says_yes_or_no
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

# Odds so many times higher: beside such a thing, one that no scene shows for certain is not there.
# By the labelled film `dev`, doubtful things that are there have odds up to 12 times lower.
_FAR_SURER = 12.0
_Found = tuple[float, int, Moment, bool]
"""Where a thing is first: its time, its place among the options, and whether it is there."""


def answer_order(question: Question, evidence: Evidence) -> Draft:
    """Which of several comes first (or last), or whether one comes before the other."""
    if question.relation is not None:
        return _whether_before(question, evidence)
    options = question.compared
    film = evidence.film_for(options)
    draft = Draft(question, "order of occurrences")
    draft.step(
        f"in {film.name}: of each, {listed([quoted(o) for o in options])}, the scene that is most "
        f"probably the {'last' if question.last else 'first'}"
    )
    edge = "last" if question.last else "first"
    found: list[_Found] = []
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
    # What is hardly there is no first before what is there for certain.
    told = _possible(found, [evidence.nearest(o, film, question.part) for o in options])
    best = (max if question.last else min)(told)
    if question.options:
        draft.choose(best[1])
    for _, place, moment, _ in sorted(told, key=lambda own: own[0], reverse=question.last):
        draft.say(_appears(options[place], moment, edge), [moment])
    missing = [options[own[1]] for own in found if not own[3]]
    if missing:
        draft.say(f"{listed([quoted(name) for name in missing])}: no scene shows it for certain")
    draft.confidence = min(own[2].probability or 0.0 for own in told)
    if missing:
        draft.confidence *= 0.5
    return draft


def _possible(found: list[_Found], nearest: Sequence[Moment | None]) -> list[_Found]:
    """Those of several things that may be there, beside others that are there for certain."""
    odds = [_odds(nearest[own[1]]) for own in found]
    surest = max((own for own, (_, _, _, sure) in zip(odds, found, strict=True) if sure), default=0)
    return [
        thing
        for own, thing in zip(odds, found, strict=True)
        if thing[3] or own * _FAR_SURER >= surest
    ]


def _odds(moment: Moment | None) -> float:
    p = min((moment.probability or 0.0) if moment else 0.0, 1 - 1e-6)
    return p / (1 - p)


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
    choose_yes_or_no(draft, yes)
    return draft


def answer_compare(question: Question, evidence: Evidence) -> Draft:
    """Two or more things side by side: how often, how long, when first."""
    asks_whether = says_yes_or_no(question.options)
    options = question.named if asks_whether else question.compared
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
    shown = [own for own in rows if own[3]]
    if not shown:
        draft.confidence = 0.5
        if question.options:
            draft.say("so none of the choices is taken")
        return draft
    draft.confidence = min(mean_probability(own[3]) for own in shown)
    best = (min if question.last else max)(rows, key=lambda own: own[:2])
    level = [own for own in rows if own[0] == best[0]]
    more = "less" if question.last else "longer" if question.longest else "more often"
    if question.last and not best[3]:
        draft.say(f"so {quoted(options[best[2]])} is there {more}")
    elif len(level) == 1:
        if options is not question.options:
            draft.say(f"so {quoted(options[best[2]])} is there {more}", best[3])
    else:
        names = listed([quoted(options[own[2]]) for own in level])
        draft.say(
            f"{names} are level: each is there {times(int(best[0]))}"
            if not question.longest
            else f"{names} are level",
            [moment for own in level for moment in own[3]],
        )
    if asks_whether:
        choose_yes_or_no(draft, best[2] == 0 and len(level) == 1)
    elif question.options and len({own[1] for own in level}) == len(level):
        draft.choose(best[2])
        if len(level) > 1:
            draft.say(f"{quoted(options[best[2]])} is on screen "
                      f"{'shorter' if question.last else 'longer'}", best[3])  # fmt: skip
    elif question.options:
        draft.say("so none of the choices is taken")
    return draft


def _appears(phrase: str, moment: Moment, edge: str = "first") -> str:
    """When something first (or last) appears, with the doubt there is."""
    doubt = "" if (moment.probability or 0.0) >= LEVEL else "probably "
    return f"{quoted(phrase)} {doubt}appears {edge} at {where(moment)}"
