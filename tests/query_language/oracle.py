"""The meaning of a query, written as the page of definitions says it, over all pairs and triples.

Slow and plain on purpose: no order is assumed, nothing is searched for by bisection, nothing is
remembered. One film; an interval is (start_s, end_s, probability).
"""

from __future__ import annotations

import itertools
from collections.abc import Mapping, Sequence

from semantic_video.query_language.evaluator import Level
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
from semantic_video.records import Span

Interval = tuple[float, float, float]
Film = Mapping[str, Sequence[Interval]]
SHARES = (1.0, 0.8, 0.6, 0.4, 0.2, 0.1, 0.05, 0.02, 0.0)


def shared(a: Interval, b: Interval) -> float:
    return min(a[1], b[1]) - max(a[0], b[0])


def inside(a: Interval, b: Interval) -> bool:
    return b[0] <= a[0] and a[1] <= b[1]


def together(a: Interval, b: Interval, tolerance: float) -> bool:
    return shared(a, b) > tolerance or (shared(a, b) > 0 and (inside(a, b) or inside(b, a)))


def follows(a: Interval, b: Interval, tolerance: float, within: float) -> bool:
    return b[0] >= a[1] - tolerance and b[0] > a[0] and b[1] > a[1] and b[0] <= a[1] + within


def coalesced(intervals: Sequence[Interval], tolerance: float, sure: bool) -> list[Interval]:
    """Merge any two that belong together until no two do."""
    left = list(intervals)
    while True:
        for a, b in itertools.combinations(left, 2):
            if shared(a, b) >= -tolerance if sure else shared(a, b) > 0:
                left.remove(a)
                left.remove(b)
                left.append((min(a[0], b[0]), max(a[1], b[1]), max(a[2], b[2])))
                break
        else:
            return left


def inward(node: Query) -> Query:
    """`not` at the phrases and sequences only."""
    match node:
        case Not(Not(inner) | Every(Not(inner))):
            return inward(inner)
        case Not(And(a, b)):
            return Or(inward(Not(a)), inward(Not(b)))
        case Not(Or(a, b)):
            return And(inward(Not(a)), inward(Not(b)))
        case Not(inner):
            return Not(inward(inner))
        case Term():
            return node
        case Nth(inner, number):
            return Nth(inward(inner), number)
        case Every(inner):
            return Every(inward(inner))
        case Window(inner, start, end):
            return Window(inward(inner), start, end)
        case Then(a, b, within) | Before(a, b, within) | After(a, b, within):
            return type(node)(inward(a), inward(b), within)
        case And(a, b) | Or(a, b) | During(a, b) | Without(a, b):
            return type(node)(inward(a), inward(b))
    raise AssertionError(node)


class Oracle:
    def __init__(self, film: Film, span: Span, level: Level, tolerance: float) -> None:
        self.film, self.begin, self.end = film, span.start_s, span.end_s
        self.level, self.tolerance = level, tolerance

    def level_of(self, phrase: str) -> float:
        return self.level(phrase) if callable(self.level) else self.level

    def intervals(self, node: Query, share: float) -> list[Interval]:
        """What a node is at a share of the levels."""
        tolerance, sure = self.tolerance, share == 1
        match node:
            case Term(text):
                level = share * self.level_of(text)
                there = [own for own in self.film[text] if own[2] >= level]
                return coalesced(there, tolerance, sure)
            case Every(inner):
                return self.intervals(inner, share)
            case Or(left, right):
                both = self.intervals(left, share) + self.intervals(right, share)
                return coalesced(both, tolerance, sure)
            case And(left, right):
                pieces = [
                    (max(a[0], b[0]), min(a[1], b[1]), min(a[2], b[2]))
                    for a in self.intervals(left, share)
                    for b in self.intervals(right, share)
                    if together(a, b, tolerance)
                ]
                return coalesced(pieces, tolerance, sure)
            case Not(inner):
                there = self.intervals(inner, 1.0)
                perhaps = self.intervals(inner, 0.0)
                marks = {self.begin, self.end, *(t for own in there for t in own[:2])}
                gaps = [
                    (a, b)
                    for a in marks
                    for b in marks
                    if b - a > tolerance
                    and all(own[1] <= a or own[0] >= b for own in there)
                    and (a == self.begin or any(own[1] == a for own in there))
                    and (b == self.end or any(own[0] == b for own in there))
                ]
                return [
                    (
                        a,
                        b,
                        1 - max((p for s, e, p in perhaps if s < b and e > a), default=0.0),
                    )
                    for a, b in gaps
                ]
            case Then(left, right, within):
                pairs = [
                    (a, b)
                    for a in self.intervals(left, share)
                    for b in self.intervals(right, share)
                    if follows(a, b, tolerance, within)
                ]
                return [
                    (a[0], b[1], min(a[2], b[2]))
                    for a, b in pairs
                    if not any((c, d) != (a, b) and a[0] <= c[0] and d[1] <= b[1] for c, d in pairs)
                ]
            case Before(left, right, within) | After(left, right, within):
                kept = []
                for a in self.intervals(left, share):
                    others = [
                        b[2]
                        for b in self.intervals(right, share)
                        if (
                            follows(a, b, tolerance, within)
                            if isinstance(node, Before)
                            else follows(b, a, tolerance, within)
                        )
                    ]
                    if others:
                        kept.append((a[0], a[1], min(a[2], max(others))))
                return kept
            case During(left, right):
                kept = []
                for a in self.intervals(left, share):
                    around = [
                        b[2]
                        for b in self.intervals(right, share)
                        if b[0] - tolerance <= a[0] and a[1] <= b[1] + tolerance
                    ]
                    if around:
                        kept.append((a[0], a[1], min(a[2], max(around))))
                return kept
            case Without(left, right):
                there = self.intervals(right, 1.0)
                perhaps = self.intervals(right, 0.0)
                return [
                    (
                        a[0],
                        a[1],
                        min(
                            a[2],
                            1
                            - max((b[2] for b in perhaps if together(a, b, tolerance)), default=0),
                        ),
                    )
                    for a in self.intervals(left, share)
                    if not any(together(a, b, tolerance) for b in there)
                ]
            case Window(inner, start, end):
                pieces = []
                for a in self.intervals(inner, share):
                    low, high = max(a[0], start), min(a[1], end)
                    if high - low > tolerance or (low, high) == a[:2]:
                        pieces.append((low, high, a[2]))
                return [
                    a
                    for place, a in enumerate(sorted(pieces, key=lambda own: own[:2]))
                    if not any(
                        inside(b, a) and (b[:2] != a[:2] or other < place)
                        for other, b in enumerate(sorted(pieces, key=lambda own: own[:2]))
                        if other != place
                    )
                ]
            case Nth(inner, number):
                own = sorted(self.intervals(inner, share))
                if number == -1:
                    return own[-1:]
                if number > len(own):
                    return []
                start, end, _ = own[number - 1]
                return [(start, end, min(p for _, _, p in own[:number]))]
        raise AssertionError(node)

    def answer(self, query: Query, k: int | None) -> tuple[list[Interval], bool, float | None]:
        """The listed intervals, best first, whether they are found, and the number asked for."""
        number = isinstance(query, Count | HowLong)
        body = inward(query.of if isinstance(query, Count | HowLong) else query)
        every = number or isinstance(body, Every) or k is None
        least = 10 if k is None else k
        listed: list[Interval] = []
        found = False
        for share in SHARES:
            for own in sorted(self.intervals(body, share), key=lambda own: (-own[2], own[0])):
                room = len(listed) < least or (every and share == 1)
                if room and all(shared(own, other) <= 0 for other in listed):
                    listed.append(own)
            if share == 1:
                found = bool(listed)
            if found and every:
                break
            if len(listed) >= least:
                break
        held = listed if found else []
        value: float | None = None
        if isinstance(query, Count):
            value = len(held)
        if isinstance(query, HowLong):
            value = round(sum(end - start for start, end, _ in held), 3)
        return listed, found, value
