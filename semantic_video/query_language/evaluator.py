"""What a query means: from the candidate moments of its phrases to the moments of the whole.

A query is answered at a *level*: a candidate counts where its probability reaches that of its
phrase, and what counts is combined without further regard to probabilities, by relations between
intervals (Allen, "Maintaining knowledge about temporal intervals", 1983). A result is as sure as
the least sure moment that it is made of (the conjunction of Zadeh, "Fuzzy sets", 1965, whose level
sets these are). Results at lower levels are appended as the next best. ``docs/query-language.md``
defines every operator.

Phrases are looked for one by one and only where it matters: not on the right of an operator whose
left is nowhere, and only in the films where it is somewhere.
"""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from semantic_video.query_language.intervals import (
    Interval,
    Intervals,
    after,
    before,
    during,
    nth,
    occurrences,
    remainder,
    sequences,
    shared,
    window,
    without,
)
from semantic_video.query_language.tree import (
    After,
    And,
    Before,
    Count,
    During,
    Every,
    HowLong,
    Not,
    Nth,
    Or,
    Query,
    Term,
    Then,
    Window,
    Without,
)
from semantic_video.records import Moment, Span

TOLERANCE_S = 0.5
"""Ends of moments are known to about so much: a smaller gap or overlap is none."""

LADDER = (1.0, 0.8, 0.6, 0.4, 0.2, 0.1, 0.05, 0.02, 0.0)
"""Shares of the levels at which a query is answered until there are enough moments."""

FEW = 10
"""So many moments are listed where all are asked for and none is there."""

Candidates = Callable[[str, Collection[str]], Mapping[str, Sequence[Moment]]]
"""(phrase, videos) -> candidate moments of each of the videos, which never overlap. Called for a
phrase only when it matters, and only for the videos where it does."""

Level = float | Callable[[str], float]
"""The probability from which on a moment counts as there: one for all phrases, or of a phrase."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a query of the language finds.

    ``moments``: best first, never overlapping within a video. ``found``: whether the first of them
    reaches the level. ``value``: the number that `count` and `how long` (in seconds) ask for.
    """

    moments: tuple[Moment, ...]
    found: bool
    value: float | None = None


def evaluate(
    query: Query,
    candidates: Candidates,
    films: Mapping[str, float | Span],
    *,
    level: Level = 0.5,
    k: int | None = 10,
    tolerance_s: float = TOLERANCE_S,
) -> Answer:
    """Answer a query over ``films``: video -> its length in seconds, or the span to look in.

    Args:
        query: what `parse` made.
        candidates: where the moments of a phrase come from.
        films: the videos to look in, in the order in which equally good moments are listed.
        level: the probability from which on a moment counts as there, for all phrases or for each.
        k: at most so many moments, None for all that reach the level. Of `every`, `count` and
            `how long` all that reach it are listed, and others only where there is none.
        tolerance_s: see `TOLERANCE_S`.
    """
    value = query if isinstance(query, Count | HowLong) else None
    body = _inward(value.of if value is not None else query)
    everything = value is not None or isinstance(body, Every) or k is None
    spans = {
        video: own if isinstance(own, Span) else Span(0.0, own) for video, own in films.items()
    }
    values = _Values(candidates, spans, level, tolerance_s)
    taken = _Taken()
    found = False
    for share in LADDER:
        results = [
            (video, interval)
            for video, intervals in values.value(body, share).items()
            for interval in intervals
        ]
        results.sort(key=lambda result: -result[1].probability)
        wanted = len(results) if everything and share == 1 else FEW if k is None else k
        for video, interval in results:
            if len(taken.results) < wanted:
                taken.add(video, interval)
        found = found or (share == 1 and bool(taken.results))
        if (everything and found) or len(taken.results) >= wanted > 0:
            break
    moments = tuple(values.moment(video, interval) for video, interval in taken.results)
    number: float | None = None
    if value is not None:
        held = moments if found else ()
        if isinstance(value, Count):
            number = len(held)
        else:
            number = round(math.fsum(moment.end_s - moment.start_s for moment in held), 3)
    return Answer(moments, found, number)


class _Taken:
    """Results in the order in which they were taken; none shares time with another."""

    def __init__(self) -> None:
        self.results: list[tuple[str, Interval]] = []
        self._spans: dict[str, list[tuple[float, float]]] = {}

    def add(self, video: str, interval: Interval) -> None:
        """Take a result unless one that was taken before shares time with it."""
        spans = self._spans.setdefault(video, [])
        place = bisect_left(spans, (interval.start_s, interval.end_s))
        before_ends = spans[place - 1][1] if place else -math.inf
        after_starts = spans[place][0] if place < len(spans) else math.inf
        if before_ends <= interval.start_s and interval.end_s <= after_starts:
            spans.insert(place, (interval.start_s, interval.end_s))
            self.results.append((video, interval))


class _Values:
    """The values of the nodes of a query, at any share of the levels, in several films together."""

    def __init__(
        self,
        candidates: Candidates,
        spans: Mapping[str, Span],
        level: Level,
        tolerance_s: float,
    ) -> None:
        self._candidates = candidates
        self._spans = spans
        self._level = level if callable(level) else lambda phrase: level
        self._tolerance_s = tolerance_s
        self._moments: dict[str, dict[str, Sequence[Moment]]] = {}
        self._values: dict[tuple[Query, float, str], Intervals] = {}

    def value(
        self, node: Query, share: float, videos: Iterable[str] | None = None
    ) -> dict[str, Intervals]:
        """The intervals of a node in each of the videos (default: all)."""
        videos = list(self._spans if videos is None else videos)
        missing = [video for video in videos if (node, share, video) not in self._values]
        if missing:
            for video, intervals in self._evaluate(node, share, missing).items():
                self._values[node, share, video] = intervals
        return {video: self._values[node, share, video] for video in videos}

    def _evaluate(self, node: Query, share: float, videos: list[str]) -> dict[str, Intervals]:
        tolerance_s = self._tolerance_s
        # What is there is told in occurrences; what only may be, moment by moment.
        apart_s = tolerance_s if share >= 1 else None
        match node:
            case Term():
                fetched = self._fetched(node.text, videos)
                level = share * self._level(node.text)
                return {
                    video: occurrences(
                        [
                            Interval(
                                moment.start_s,
                                moment.end_s,
                                moment.probability or 0.0,
                                ((node.text, moment),),
                            )
                            for moment in moments
                            if (moment.probability or 0.0) >= level
                        ],
                        apart_s,
                    )
                    for video, moments in fetched.items()
                }
            case Or():
                left, right = (self.value(part, share, videos) for part in (node.left, node.right))
                return {
                    video: occurrences([*left[video], *right[video]], apart_s) for video in videos
                }
            case Not():
                there = self.value(node.of, 1.0, videos)
                perhaps = self.value(node.of, 0.0, videos)
                return {
                    video: remainder(there[video], perhaps[video], self._spans[video], tolerance_s)
                    for video in videos
                }
            case Nth():
                own = self.value(node.of, share, videos)
                return {video: nth(own[video], node.number) for video in videos}
            case Every():
                return self.value(node.of, share, videos)
            case Window():
                own = self.value(node.of, share, videos)
                return {
                    video: window(own[video], node.start_s, node.end_s, tolerance_s)
                    for video in videos
                }
            case Without():
                left = self.value(node.left, share, videos)
                some = [video for video in videos if left[video]]
                there = self.value(node.right, 1.0, some)
                perhaps = self.value(node.right, 0.0, some)
                kept = {
                    video: without(left[video], there[video], perhaps[video], tolerance_s)
                    for video in some
                }
                return {video: kept.get(video, ()) for video in videos}
            case And() | Then() | Before() | After() | During():
                left = self.value(node.left, share, videos)
                some = [video for video in videos if left[video]]
                right = self.value(node.right, share, some)
                both = {
                    video: _related(node, left[video], right[video], tolerance_s, apart_s)
                    for video in some
                }
                return {video: both.get(video, ()) for video in videos}
        raise TypeError(f"no part of a query: {node!r}")

    def _fetched(self, phrase: str, videos: Sequence[str]) -> dict[str, Sequence[Moment]]:
        known = self._moments.setdefault(phrase, {})
        missing = [video for video in videos if video not in known]
        if missing:
            fetched = self._candidates(phrase, missing)
            known.update({video: fetched.get(video, ()) for video in missing})
        return {video: known[video] for video in videos}

    def moment(self, video: str, interval: Interval) -> Moment:
        """The moment to report for a result."""
        probability = round(interval.probability, 4)
        middle = (interval.start_s + interval.end_s) / 2
        if interval.parts:
            shown = interval.parts[0][1]
        else:  # what a `not` leaves: the scene at its middle says how it looks
            near = [m for own in self._moments.values() for m in own.get(video, ())]
            shown = min(
                near,
                key=lambda m: max(m.start_s - middle, middle - m.end_s, 0.0),
                default=Moment(video, 0.0, 0.0, 0.0, None, -1, "", middle),
            )
        keyframe_s = shown.keyframe_s
        if not interval.start_s <= keyframe_s < interval.end_s:
            keyframe_s = middle
        signals: dict[str, float] = {}
        for phrase, moment in interval.parts:
            own = round(moment.probability or 0.0, 4)
            signals[phrase] = min(own, signals.get(phrase, own))
        return replace(
            shown,
            start_s=interval.start_s,
            end_s=interval.end_s,
            score=probability,
            probability=probability,
            keyframe_s=keyframe_s,
            signals=signals,
        )


def _related(
    node: And | Then | Before | After | During,
    left: Intervals,
    right: Intervals,
    tolerance_s: float,
    apart_s: float | None,
) -> Intervals:
    match node:
        case And():
            return occurrences(shared(left, right, tolerance_s), apart_s)
        case Then():
            return sequences(left, right, node.within_s, tolerance_s)
        case Before():
            return before(left, right, node.within_s, tolerance_s)
        case After():
            return after(left, right, node.within_s, tolerance_s)
        case During():
            return during(left, right, tolerance_s)


def _inward(node: Query) -> Query:
    """The same query with `not` moved towards the phrases (De Morgan), doubled ones gone."""
    if isinstance(node, Not):
        match node.of:
            case Not(of=inner) | Every(of=Not(of=inner)):
                return _inward(inner)
            case And(left, right):
                return Or(_inward(Not(left)), _inward(Not(right)))
            case Or(left, right):
                return And(_inward(Not(left)), _inward(Not(right)))
            case inner:
                return Not(_inward(inner))
    match node:
        case Term():
            return node
        case Nth() | Every() | Window():
            return replace(node, of=_inward(node.of))
        case Then() | Before() | After() | During() | Without() | And() | Or():
            return replace(node, left=_inward(node.left), right=_inward(node.right))
    raise TypeError(f"{type(node).__name__} stands only at the top of a query")
