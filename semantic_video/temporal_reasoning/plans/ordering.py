"""Which first, whether before, which more: several things side by side."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from semantic_video.query_language import After, Before, Every
from semantic_video.records import Moment
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import LEVEL, Evidence
from semantic_video.temporal_reasoning.particulars import query_of
from semantic_video.temporal_reasoning.plans.choices import choose_yes_or_no, says_yes_or_no
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
        sure = bool(evidence.find(Every(query_of(option)), film, question.part))
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
        them = "them" if len(missing) > 1 else "it"
        draft.say(
            f"{listed([quoted(name) for name in missing])}: no scene shows {them} for certain"
        )
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
    """Whether one thing comes before (after) another.

    It comes before where its first occurrence lies before the other's first, and after where any
    lies after the other's first, unless "first" is asked for.
    """
    film = evidence.film_for([question.subject, question.reference])
    before = question.relation == "before"
    by_firsts = question.first or (before and not question.either)
    relation = Before if before else After
    query = relation(query_of(question.subject), query_of(question.reference))
    draft = Draft(question, "order of occurrences")
    draft.step(f"in {film.name}: {query}")
    there: list[list[Moment]] = []
    for text in (question.subject, question.reference):
        there.append(evidence.find(Every(query_of(text)), film, question.part))
        if not there[-1]:
            return nothing_there(replace(question, subject=text), evidence, film)
    own, other = there
    earlier = [moment for moment in own if moment.start_s < other[-1].start_s]
    later = [moment for moment in own if moment.start_s > other[0].start_s]
    first, second = own[0], other[0]
    if by_firsts:
        first, second = (
            evidence.edge(text, film, question.part) or moments[0]
            for text, moments in zip((question.subject, question.reference), there, strict=True)
        )
    first_earlier = first.start_s < second.start_s
    draft.confidence = min(first.probability or 0.0, second.probability or 0.0)
    firsts = f"{_appears(question.subject, first)}, {_appears(question.reference, second)}"
    if question.either:
        word = "before" if first_earlier else "after"
        draft.say(f"{word}: {firsts}", [first, second])
        rest = later if first_earlier else earlier
        if rest:
            side = "after" if first_earlier else "before"
            edge = "first" if first_earlier else "last"
            draft.say(f"{side} the {edge} {quoted(question.reference)} it is there, too: "
                      f"{whens(rest)}", rest)  # fmt: skip
        _choose_word(draft, word)
        return draft
    yes = first_earlier == before if by_firsts else bool(later)
    verdict = "yes" if yes else "no"
    if by_firsts and draft.confidence < LEVEL:
        verdict = "probably" if yes else "probably not"
    if yes and not by_firsts and first_earlier:
        draft.say(
            f"{verdict}: {quoted(question.subject)} appears {whens(later)}, after the first "
            f"{quoted(question.reference)} at {where(other[0])}",
            [*later, other[0]],
        )
        draft.confidence = min(_surest(later), other[0].probability or 0.0)
        draft.say(firsts, [first, second])
    else:
        draft.say(f"{verdict}: {firsts}", [first, second])
    choose_yes_or_no(draft, yes)
    return draft


def _surest(moments: Sequence[Moment]) -> float:
    return max(moment.probability or 0.0 for moment in moments)


def _choose_word(draft: Draft, word: str) -> None:
    """The only choice that holds a word."""
    options = draft.question.options
    held = [place for place, own in enumerate(options) if word in own.casefold().split()]
    if len(held) == 1:
        draft.choose(held[0])
    elif options:
        draft.say("so none of the choices is taken")


def answer_compare(question: Question, evidence: Evidence) -> Draft:
    """Two or more things side by side: how often, how long, when first."""
    asks_whether = question.verdict or says_yes_or_no(question.options)
    options = question.named if asks_whether else question.compared
    film = evidence.film_for(options)
    draft = Draft(question, "comparison of occurrences")
    draft.step(f"in {film.name}: every occurrence of {listed([quoted(o) for o in options])}")
    rows = []
    for place, option in enumerate(options):
        moments = evidence.find(Every(query_of(option)), film, question.part)
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
    more = _more(question, len(options))
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
        yes = best[2] == 0 and len(level) == 1
        if question.verdict:
            # The verdict leads, then what it rests on.
            own = draft.sentences.pop()
            text = re.sub(r"^So\s", "", own.text)
            draft.sentences.insert(0, replace(own, text=f"{'Yes' if yes else 'No'}: {text}"))
        choose_yes_or_no(draft, yes)
    elif question.options and len({own[1] for own in level}) == len(level):
        draft.choose(best[2])
        if len(level) > 1:
            draft.say(f"{quoted(options[best[2]])} is on screen "
                      f"{'shorter' if question.last else 'longer'}", best[3])  # fmt: skip
    elif question.options:
        draft.say("so none of the choices is taken")
    return draft


def _more(question: Question, among: int) -> str:
    """How one of so many things is there: "longer" than the other, "longest" of all."""
    if question.longest:
        own = ("shorter", "for the shortest time") if question.last else ("longer", "longest")
    else:
        own = ("less often", "least often") if question.last else ("more often", "most often")
    return own[among > 2]


def _appears(phrase: str, moment: Moment, edge: str = "first") -> str:
    """When something first (or last) appears, with the doubt there is."""
    doubt = "" if (moment.probability or 0.0) >= LEVEL else "probably "
    return f"{quoted(phrase)} {doubt}appears {edge} at {where(moment)}"
