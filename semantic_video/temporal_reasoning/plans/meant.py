"""Which scene of a film a phrase of a question means, and the stretch between two of them."""

from __future__ import annotations

from dataclasses import dataclass, replace

from semantic_video.query_language import Every
from semantic_video.records import Moment, Span
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import LEVEL, Evidence, Film
from semantic_video.temporal_reasoning.particulars import ordinal_of, ordinal_told, query_of
from semantic_video.temporal_reasoning.plans.shared import nothing_there, whens, where
from semantic_video.temporal_reasoning.questions import Bounds, Part, Question
from semantic_video.temporal_reasoning.wording import quoted, stretch, times


@dataclass(frozen=True, slots=True)
class Meant:
    """The scene that a phrase means.

    ``phrase`` is without its ordinal; ``moment`` is None where there is no such scene, ``sure``
    says whether it shows the phrase for certain; ``told`` is a sentence about it.
    """

    phrase: str
    moment: Moment | None
    sure: bool
    told: str


def scene_meant(phrase: str, evidence: Evidence, film: Film, part: Part | None = None) -> Meant:
    """The scene that a phrase means: with an ordinal that occurrence, else the likeliest scene."""
    thing, nth = ordinal_of(phrase)
    near = evidence.nearest(thing, film, part)
    found = evidence.find(Every(query_of(thing)), film, part) if nth else []
    if found and len(found) < abs(nth):
        told = f"there is no {ordinal_told(nth)} {quoted(thing)}: it appears {times(len(found))}"
        return Meant(thing, None, False, f"{told}, {whens(found)}")
    if found:
        own = found[nth - 1 if nth > 0 else nth]
        which = f"the {ordinal_told(nth)} of {len(found)} times"
        if len(found) == 1:
            which = "the only time"
        return Meant(thing, own, True, f"{which} that {quoted(thing)} appears is {where(own)}")
    if near is not None and not nth and (near.probability or 0.0) >= LEVEL:
        told = f"the scene that fits {quoted(thing)} best is at {where(near)}"
        return Meant(thing, near, True, told)
    told = f"no scene shows {quoted(thing)} for certain"
    return Meant(thing, near, False, f"{told}; the nearest is at {where(near)}" if near else told)


def stretch_between(
    question: Question, bounds: Bounds, evidence: Evidence
) -> tuple[Film, Span | None, Draft]:
    """The stretch between two events, and a draft with what they are; None if it is not known."""
    names = [own for own in (bounds.start, bounds.end) if own]
    things = [ordinal_of(name) for name in names]
    film = evidence.film_for([thing for thing, _ in things])
    draft = Draft(question, "summary of occurrences")
    there: list[list[Moment]] = []
    for thing, nth in things:
        found = evidence.find(Every(query_of(thing)), film)
        if not found:
            absent = nothing_there(replace(question, subject=thing), evidence, film)
            absent.say("so the stretch that is asked about is not known")
            return film, None, absent
        if len(found) < abs(nth):
            draft.say(scene_meant(f"the {ordinal_told(nth)} {thing}", evidence, film).told, found)
            draft.say("so the stretch that is asked about is not known")
            return film, None, draft
        there.append([found[nth - 1 if nth > 0 else nth]] if nth else found)
    first = there[0][0]
    if len(names) == 1:
        draft.say(f"{quoted(names[0])} is at {where(first)}", [first])
        if bounds.start:
            return (
                film,
                Span(first.end_s if bounds.between else first.start_s, film.duration_s),
                draft,
            )
        return film, Span(0.0, first.start_s), draft
    later = [own for own in there[1] if own.start_s > first.start_s]
    earlier = [own for own in there[1] if own.start_s < first.start_s]
    if not later and not (bounds.between and earlier):
        draft.say(f"{quoted(names[0])} is at {where(first)}, and no {quoted(names[1])} comes after "
                  f"it: that appears {whens(there[1])}", [first, *there[1]])  # fmt: skip
        draft.say("so there is no such stretch")
        return film, None, draft
    second = later[0] if later else earlier[-1]
    draft.say(
        f"{quoted(names[0])} is at {where(first)}, {quoted(names[1])} at {where(second)}",
        [first, second],
    )
    before, after = sorted((first, second), key=lambda own: own.start_s)
    span = Span(before.end_s if bounds.between else before.start_s, after.start_s)
    if span.end_s - span.start_s < 0.5:
        draft.say(f"nothing lies between them, at {stretch(span.start_s, span.start_s)}")
        return film, None, draft
    return film, span, draft
