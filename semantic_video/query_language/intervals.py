"""Relations between the intervals of one film.

What an operator takes and gives are intervals sorted by start and by end alike: none lies inside
another. Every operator keeps that, which is what lets neighbours be found by bisection, in
n log n for n intervals. The names in *italics* are those of Allen, "Maintaining knowledge about
temporal intervals", 1983; two ends are the same where they differ by no more than a tolerance.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace

from semantic_video.records import Moment, Span


@dataclass(frozen=True, slots=True)
class Interval:
    """A stretch of one film, how sure it is, and the moments that speak for it.

    ``parts`` are (phrase, moment), the one to show first; empty for what a `Not` leaves.
    """

    start_s: float
    end_s: float
    probability: float
    parts: tuple[tuple[str, Moment], ...] = ()


Intervals = Sequence[Interval]


def occurrences(intervals: Iterable[Interval], apart_s: float | None) -> list[Interval]:
    """Intervals coalesced: those at most ``apart_s`` apart become one; None: that share time.

    It is as sure as the surest of them (Böhlen, Snodgrass, Soo, "Coalescing in temporal
    databases", 1996).
    """
    merged: list[Interval] = []
    for interval in sorted(intervals, key=lambda own: (own.start_s, own.end_s)):
        last = merged[-1] if merged else None
        if last is not None and (
            interval.start_s < last.end_s
            if apart_s is None
            else interval.start_s <= last.end_s + apart_s
        ):
            surest = interval if interval.probability > last.probability else last
            end_s = max(last.end_s, interval.end_s)
            merged[-1] = replace(surest, start_s=last.start_s, end_s=end_s)
        else:
            merged.append(interval)
    return merged


def remainder(
    there: Intervals, perhaps: Intervals, film: Span, tolerance_s: float
) -> list[Interval]:
    """What ``there`` leaves of a film; the less sure, the surer something of ``perhaps`` in it."""
    gaps = []
    reached = film.start_s
    for interval in [*there, Interval(film.end_s, film.end_s, 0.0)]:
        if interval.start_s - reached > tolerance_s:
            gaps.append(Interval(reached, interval.start_s, 1.0))
        reached = max(reached, interval.end_s)
    starts, ends = _starts(perhaps), _ends(perhaps)
    return [
        replace(
            gap,
            probability=1
            - max(
                (
                    own.probability
                    for own in perhaps[
                        bisect_right(ends, gap.start_s) : bisect_left(starts, gap.end_s)
                    ]
                ),
                default=0.0,
            ),
        )
        for gap in gaps
    ]


def window(
    intervals: Intervals, start_s: float, end_s: float, tolerance_s: float
) -> list[Interval]:
    """What of each lies inside, where that is more than the tolerance or all of it."""
    clipped = []
    for own in intervals:
        low, high = max(own.start_s, start_s), min(own.end_s, end_s)
        if high - low > tolerance_s or (low, high) == (own.start_s, own.end_s):
            clipped.append(replace(own, start_s=low, end_s=high))
    # Clipped at one place, an interval may hold a shorter one that says the same.
    kept: list[Interval] = []
    for own in clipped:
        while kept and own.end_s <= kept[-1].end_s and own.start_s > kept[-1].start_s:
            kept.pop()
        if not kept or (own.start_s > kept[-1].start_s and own.end_s > kept[-1].end_s):
            kept.append(own)
    return kept


def without(
    left: Intervals, there: Intervals, perhaps: Intervals, tolerance_s: float
) -> list[Interval]:
    """Those at whose time nothing of ``there`` is; less sure where something ``perhaps`` is."""
    kept = []
    there_starts, there_ends = _starts(there), _ends(there)
    starts, ends = _starts(perhaps), _ends(perhaps)
    for own in left:
        near = there[bisect_right(there_ends, own.start_s) : bisect_left(there_starts, own.end_s)]
        if any(_together(own, other, tolerance_s) for other in near):
            continue
        doubt = max(
            (
                other.probability
                for other in perhaps[
                    bisect_right(ends, own.start_s) : bisect_left(starts, own.end_s)
                ]
                if _together(own, other, tolerance_s)
            ),
            default=0.0,
        )
        kept.append(replace(own, probability=min(own.probability, 1 - doubt)))
    return kept


def shared(left: Intervals, right: Intervals, tolerance_s: float) -> list[Interval]:
    """The time that one of each shares."""
    starts, ends = _starts(right), _ends(right)
    found = []
    for own in left:
        for other in right[bisect_right(ends, own.start_s) : bisect_left(starts, own.end_s)]:
            if _together(own, other, tolerance_s):
                inner = replace(
                    own,
                    start_s=max(own.start_s, other.start_s),
                    end_s=min(own.end_s, other.end_s),
                )
                found.append(_joined(own, other, inner))
    return found


def sequences(
    left: Intervals, right: Intervals, within_s: float, tolerance_s: float
) -> list[Interval]:
    """The nearest pairs: no other pair lies inside the stretch of one."""
    found = []
    for place, own in enumerate(left):
        later = _later(own, right, within_s, tolerance_s)
        if not later:
            continue
        other = right[later[0]]
        following = left[place + 1 :][:1]
        if following and _follows(following[0], other, tolerance_s):
            continue  # the next of the left is nearer to it
        stretch = replace(own, end_s=other.end_s)
        found.append(_joined(own, other, stretch))
    return found


def before(
    left: Intervals, right: Intervals, within_s: float, tolerance_s: float
) -> list[Interval]:
    """Those of the left that one of the right follows."""
    return _with_surest(left, right, [_later(own, right, within_s, tolerance_s) for own in left])


def after(left: Intervals, right: Intervals, within_s: float, tolerance_s: float) -> list[Interval]:
    """Those of the left that follow one of the right."""
    return _with_surest(left, right, [_earlier(own, right, within_s, tolerance_s) for own in left])


def during(left: Intervals, right: Intervals, tolerance_s: float) -> list[Interval]:
    """Those of the left that lie inside one of the right (*during, starts, finishes, equals*)."""
    starts, ends = _starts(right), _ends(right)
    places = [
        range(
            bisect_left(ends, own.end_s - tolerance_s),
            bisect_right(starts, own.start_s + tolerance_s),
        )
        for own in left
    ]
    return _with_surest(left, right, places)


def _with_surest(left: Intervals, right: Intervals, places: Sequence[range]) -> list[Interval]:
    """Those of the left that have places in the right, joined with the surest one there."""
    best = _Surest(right)
    return [
        _joined(own, best(among), own) for own, among in zip(left, places, strict=True) if among
    ]


def _follows(left: Interval, right: Interval, tolerance_s: float) -> bool:
    """Allen's *before* or *meets*, to within the tolerance."""
    return (
        right.start_s >= left.end_s - tolerance_s
        and right.start_s > left.start_s
        and right.end_s > left.end_s
    )


def _later(own: Interval, others: Intervals, within_s: float, tolerance_s: float) -> range:
    """The places of those that follow ``own`` within so many seconds."""
    low = max(
        bisect_left(others, own.end_s - tolerance_s, key=_start),
        bisect_right(others, own.start_s, key=_start),
        bisect_right(others, own.end_s, key=_end),
    )
    return range(low, bisect_right(others, own.end_s + within_s, key=_start))


def _earlier(own: Interval, others: Intervals, within_s: float, tolerance_s: float) -> range:
    """The places of those that ``own`` follows within so many seconds."""
    high = min(
        bisect_right(others, own.start_s + tolerance_s, key=_end),
        bisect_left(others, own.start_s, key=_start),
        bisect_left(others, own.end_s, key=_end),
    )
    return range(bisect_left(others, own.start_s - within_s, key=_end), high)


def _together(left: Interval, right: Interval, tolerance_s: float) -> bool:
    """Whether they share time: more than the tolerance, or all of one of them."""
    shared = _overlap(left, right)
    shorter = min(left.end_s - left.start_s, right.end_s - right.start_s)
    return shared > min(tolerance_s, 0.999999 * shorter)


def _overlap(left: Interval, right: Interval) -> float:
    return min(left.end_s, right.end_s) - max(left.start_s, right.start_s)


def _joined(left: Interval, right: Interval, stretch: Interval) -> Interval:
    """``stretch``, made of both: as sure as the less sure one."""
    return replace(
        stretch,
        probability=min(left.probability, right.probability),
        parts=left.parts + right.parts,
    )


class _Surest:
    """The surest of any run of intervals: a sparse table, built when first asked."""

    def __init__(self, intervals: Intervals) -> None:
        self._intervals = intervals
        self._rows: list[list[int]] = []

    def __call__(self, among: range) -> Interval:
        if not self._rows:
            self._build()
        row = len(among).bit_length() - 1
        first, last = self._rows[row][among[0]], self._rows[row][among[-1] + 1 - (1 << row)]
        return self._intervals[self._better(first, last)]

    def _build(self) -> None:
        self._rows.append(list(range(len(self._intervals))))
        width = 1
        while 2 * width <= len(self._intervals):
            last = self._rows[-1]
            self._rows.append(
                [self._better(last[i], last[i + width]) for i in range(len(last) - width)]
            )
            width *= 2

    def _better(self, first: int, second: int) -> int:
        """The surer of two, the earlier of equally sure ones."""
        sure = self._intervals[second].probability > self._intervals[first].probability
        return second if sure else first


def nth(intervals: Intervals, number: int) -> Intervals:
    """The occurrence of this number, as sure as those that it is counted from."""
    if number < 0:
        return intervals[-1:]
    if len(intervals) < number:
        return ()
    counted = min(own.probability for own in intervals[:number])
    return (replace(intervals[number - 1], probability=counted),)


def _start(interval: Interval) -> float:
    return interval.start_s


def _end(interval: Interval) -> float:
    return interval.end_s


def _starts(intervals: Intervals) -> list[float]:
    return [own.start_s for own in intervals]


def _ends(intervals: Intervals) -> list[float]:
    return [own.end_s for own in intervals]
