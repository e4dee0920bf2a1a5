"""Pictures, speech and text on screen: what each found, merged on time.

Signals are compared by their own calibrated probability, never by raw score: independent evidence
for the same stretch adds up (noisy or), and everything else is ranked by probability. Where
pictures have no probability, what words found comes first. A signal whose best hit is no better
than chance adds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import replace
from typing import Literal

from semantic_video.errors import QueryError
from semantic_video.records import Moment, Span
from semantic_video.scene_retrieval import Moments
from semantic_video.word_search import WordHit

Signal = Literal["picture", "speech", "text"]
SIGNALS: tuple[Signal, ...] = ("picture", "speech", "text")

CHANCE = 0.5
"""A hit of words below this probability is as likely a coincidence."""


def signals_named(names: Sequence[str] | None) -> tuple[Signal, ...]:
    """The signals of these names; all where none is named.

    Raises:
        QueryError: there is no signal of that name.
    """
    for name in names or ():
        if name not in SIGNALS:
            raise QueryError(f"--in {name}: use picture, speech or text")
    return tuple(signal for signal in SIGNALS if not names or signal in names)


PictureWithin = Callable[[str, Span], Moment | None]
"""The best picture moment of a video within a span, None where it shows nothing there."""


def fuse(
    pictures: Moments,
    hits: Sequence[WordHit],
    picture_within: PictureWithin,
    k: int,
    signals: Collection[Signal] = SIGNALS,
) -> Moments:
    """The ``k`` best moments of all ``signals``; never overlapping, each says what found it.

    ``pictures`` are the best picture moments, at least ``k`` where there are so many; ``hits`` name
    videos as moments do. Without "picture" among ``signals`` only stretches with words come back.
    """
    heard = [hit for hit in _better_than_chance(hits) if hit.signal in signals]
    spoken = _word_moments(heard, picture_within, "picture" in signals)[:k]
    shown = list(pictures) if "picture" in signals else []
    if not spoken:
        return Moments(
            pictures.query,
            shown[:k],
            found=pictures.found and bool(shown),
            perhaps=pictures.perhaps and bool(shown),
        )
    ranked = sorted(
        [*((moment, True) for moment in spoken), *((moment, False) for moment in shown)],
        key=lambda pair: _rank(*pair),
    )
    kept: list[Moment] = []
    for moment, _ in ranked:
        if not any(_overlap(moment, other) for other in kept):
            kept.append(moment)
    return Moments(pictures.query, kept[:k], found=True)


def found_by(moment: Moment) -> str:
    """The signals that found a moment, for people: ``picture+speech``."""
    return "+".join(signal for signal in SIGNALS if signal in moment.signals)


def _better_than_chance(hits: Sequence[WordHit]) -> list[WordHit]:
    best: dict[str, float] = {}
    for hit in hits:
        best[hit.signal] = max(best.get(hit.signal, 0.0), hit.probability)
    return [hit for hit in hits if best[hit.signal] >= CHANCE]


def _word_moments(
    hits: Sequence[WordHit], picture_within: PictureWithin, with_picture: bool
) -> list[Moment]:
    """A moment for each stretch with words, the most probable first; overlapping ones are one."""
    moments: list[Moment] = []
    for hit in sorted(hits, key=lambda hit: -hit.probability):
        place = next((i for i, moment in enumerate(moments) if _covers(moment, hit)), None)
        if place is not None:
            moments[place] = _supported(moments[place], hit)
            continue
        picture = picture_within(hit.video, Span(hit.start_s, hit.end_s))
        if picture is None:  # words where the film has no scene: behind its end
            continue
        seen = (picture.probability or 0.0) if with_picture else 0.0
        by_picture = with_picture and (picture.probability is None or seen >= CHANCE)
        moments.append(
            replace(
                picture,
                start_s=hit.start_s,
                end_s=hit.end_s,
                probability=_either(hit.probability, seen),
                signals={
                    **(picture.signals if by_picture else {}),
                    hit.signal: round(hit.probability, 4),
                },
            )
        )
    return sorted(moments, key=lambda moment: -(moment.probability or 0.0))


def _supported(moment: Moment, hit: WordHit) -> Moment:
    """The moment, with what another signal found at the same time."""
    if hit.signal in moment.signals:
        return moment
    return replace(
        moment,
        probability=_either(moment.probability or 0.0, hit.probability),
        signals={**moment.signals, hit.signal: round(hit.probability, 4)},
    )


def _either(one: float, other: float) -> float:
    return round(1 - (1 - one) * (1 - other), 4)


def _rank(moment: Moment, by_words: bool) -> tuple[float, float]:
    if moment.probability is None:
        return (1.0, -moment.score)
    # Of equals the one with words first: they are exact about when.
    return (-moment.probability, 0.0 if by_words else 1.0)


def _covers(moment: Moment, hit: WordHit) -> bool:
    return moment.video == hit.video and moment.start_s < hit.end_s and hit.start_s < moment.end_s


def _overlap(one: Moment, other: Moment) -> bool:
    return one.video == other.video and one.start_s < other.end_s and other.start_s < one.end_s
