"""Which of the choices of a question fits what was found."""

from __future__ import annotations

import re
from collections.abc import Sequence

import numpy as np

from semantic_video.records import Moment, Span
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import LEVEL, Evidence, Film
from semantic_video.temporal_reasoning.plans.shared import where
from semantic_video.temporal_reasoning.time_words import NUMBERS, length_named, part_named
from semantic_video.temporal_reasoning.wording import listed, quoted
from semantic_video.words import query_stems

_WORDS = {"never": 0, "none": 0, "once": 1, "twice": 2} | {
    name: number for number, name in enumerate(NUMBERS)
}

# Likenesses differ by hundredths: so many times their difference is told as doubt.
_SHARPNESS = 20.0
# A time that is further away than this, and than twice the length of the scene, is another.
_FAR_S = 60.0
_RELATED = re.compile(r"(?:right\s+)?(after|before|during|while)\s+(.+)$", re.IGNORECASE)


def choose_number(draft: Draft, number: int) -> None:
    """The choice whose number is nearest."""
    numbers: dict[int, float] = {}
    for place, option in enumerate(draft.question.options):
        for word in option.casefold().split():
            word = word.strip(".,()")
            if word.isdigit() or word in _WORDS:
                numbers[place] = int(word) if word.isdigit() else _WORDS[word]
                break
    if number == 0:  # what is not there is no "once", near as it may be
        numbers = {place: own for place, own in numbers.items() if own == 0}
        if draft.question.options and not numbers:
            draft.say("so none of the choices is taken")
            return
    _nearest(draft, numbers, number, "a number")


def choose_length(draft: Draft, seconds: float) -> None:
    """The choice whose length of time is nearest."""
    lengths = {
        place: own
        for place, option in enumerate(draft.question.options)
        if (own := length_named(option)) is not None
    }
    _nearest(draft, lengths, seconds, "a length of time")


def choose_none(draft: Draft) -> None:
    """No choice: what they are about is not there."""
    if draft.question.options:
        draft.say("so none of the choices is taken")


def choose_time(draft: Draft, evidence: Evidence, film: Film, moments: Sequence[Moment]) -> None:
    """The choice that names the part of the film, or the time, where these moments are most."""
    options = draft.question.options
    if not options or not moments:
        return
    spans: dict[int, tuple[Span, bool]] = {}
    for place, option in enumerate(options):
        part = part_named(option)
        related = _RELATED.match(option)
        if part is not None:
            spans[place] = (film.span(part), part.start == part.end and part.in_seconds)
        elif related and (other := evidence.nearest(related[2], film)):
            span = {
                "after": Span(other.end_s, film.duration_s),
                "before": Span(0.0, other.start_s),
            }.get(related[1].lower(), Span(other.start_s, other.end_s))
            spans[place] = (span, False)
            draft.step(f"the likeliest {quoted(related[2])}: {where(other)}")
    if not spans:
        draft.say("none of the choices names a time")
        return

    def fits(place: int) -> tuple[float, float]:
        span, point = spans[place]
        shared = sum(
            max(0.0, min(own.end_s, span.end_s) - max(own.start_s, span.start_s)) for own in moments
        )
        away = min(max(own.start_s - span.end_s, span.start_s - own.end_s, 0.0) for own in moments)
        return (0.0 if point and away else shared, -away)

    best = max(spans, key=fits)
    shared_s, away_s = fits(best)[0], -fits(best)[1]
    lasting_s = max(own.end_s - own.start_s for own in moments)
    if not shared_s and away_s > max(_FAR_S, 2 * lasting_s):
        draft.say("none of the choices is near that time")
        return
    draft.choose(best)


def choose_yes_or_no(draft: Draft, yes: bool) -> None:
    """The choice that says yes, or no."""
    options = draft.question.options
    for place, option in enumerate(options):
        if option.casefold().split()[0].strip(",.") == ("yes" if yes else "no"):
            draft.choose(place)
            return
    if options:
        draft.say(f"none of the choices is {'yes' if yes else 'no'}")


def says_yes_or_no(options: Sequence[str]) -> bool:
    """Whether choices are "yes" and "no"."""
    return any(option.casefold().split()[:1] in (["yes"], ["no"]) for option in options)


def choose_look(
    draft: Draft, evidence: Evidence, film: Film, moments: Sequence[Moment], about: str = ""
) -> None:
    """The choice that fits the scenes of these moments best.

    Each as far as it fits them better than the rest of the film, alone and together with what they
    are ``about``.
    """
    options = draft.question.options
    if not options or not moments:
        return
    fits = evidence.fit(film, moments, options)
    if about:
        fits += evidence.fit(film, moments, [f"{about} {option}" for option in options])
        fits /= 2
    place = int(np.argmax(fits))
    draft.step(f"how well each choice fits these scenes: {_scores(options, fits)}")
    shares = np.exp(_SHARPNESS * (fits - fits.max()))
    draft.confidence = min(draft.confidence, float(shares[place] / shares.sum()))
    draft.choose(place)
    draft.say(f"of the choices, {quoted(options[place])} fits these scenes best", moments)


def choose_present(draft: Draft, evidence: Evidence, film: Film) -> None:
    """The choice that a part of the film shows most probably, where one is there at all."""
    question = draft.question
    near = [evidence.nearest(option, film, question.part) for option in question.options]
    sure = np.array([(moment.probability or 0.0) if moment else 0.0 for moment in near])
    draft.step(f"the likeliest scene of each choice: {_scores(question.options, sure)}")
    place = int(np.argmax(sure))
    best = near[place]
    if best is None or sure[place] < LEVEL:
        names = [quoted(option) for option in question.options]
        draft.say(f"no scene shows {listed(names, 'or')} for certain")
        draft.confidence = 1 - float(sure[place])
        return
    draft.choose(place)
    draft.confidence = float(sure[place])
    draft.say(f"{quoted(question.options[place])} is most probably there, at {where(best)}", [best])


def choose_words(draft: Draft, text: str) -> None:
    """The choice that shares most words with a text."""
    options = draft.question.options
    if not options:
        return
    held = set(query_stems(text))
    shares = []
    for option in options:
        wanted = set(query_stems(option))
        shares.append(len(wanted & held) / len(wanted) if wanted else 0.0)
    best = max(shares)
    if best == 0:
        draft.say("none of the choices shares a word with what was found")
        return
    if shares.count(best) > 1:
        draft.say("several choices share as many words with what was found; the first is taken")
    draft.choose(shares.index(best))


def _nearest(draft: Draft, values: dict[int, float], value: float, what: str) -> None:
    if values:
        draft.choose(min(values, key=lambda place: abs(values[place] - value)))
    elif draft.question.options:
        draft.say(f"none of the choices names {what}")


def _scores(options: Sequence[str], values: Sequence[float] | np.ndarray) -> str:
    return listed(
        [f"{quoted(own)} {value:.2f}" for own, value in zip(options, values, strict=True)]
    )
