"""Queries and films for property-based tests."""

from __future__ import annotations

import itertools
import math

from hypothesis import strategies as st

from semantic_video.query_language import (
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
from tests.query_language.oracle import Interval

PROBABILITIES = (0.9, 0.7, 0.55, 0.5, 0.35, 0.3, 0.1, 0.0)
PHRASES = ("a dog", "snow and ice", "the first kiss")

within = st.sampled_from([math.inf, 0.0, 0.5, 2.0, 5.0])
edges = st.integers(0, 60).map(lambda tick: tick / 4)


def _larger(inner: st.SearchStrategy[Query]) -> st.SearchStrategy[Query]:
    return st.one_of(
        st.builds(Then, inner, inner, within),
        st.builds(Before, inner, inner, within),
        st.builds(After, inner, inner, within),
        st.builds(During, inner, inner),
        st.builds(Without, inner, inner),
        st.builds(And, inner, inner),
        st.builds(Or, inner, inner),
        st.builds(Not, inner),
        st.builds(Every, inner),
        st.builds(Nth, inner, st.sampled_from([1, 2, 3, -1])),
        st.builds(Window, inner, edges.filter(bool), st.just(math.inf)),
        st.builds(Window, inner, st.just(0.0), edges.filter(bool)),
        st.tuples(inner, edges.filter(bool), edges.filter(bool))
        .filter(lambda parts: parts[1] < parts[2])
        .map(lambda parts: Window(*parts)),
    )


bodies: st.SearchStrategy[Query] = st.recursive(
    st.sampled_from(PHRASES).map(Term), _larger, max_leaves=5
)
queries = st.one_of(bodies, bodies.map(Count), bodies.map(HowLong))


@st.composite
def candidates(draw: st.DrawFn) -> list[Interval]:
    """Moments that never overlap, of many lengths and probabilities, some touching."""
    ticks = sorted(
        draw(st.sets(st.integers(0, 60), min_size=draw(st.sampled_from([0, 8])), max_size=14))
    )
    return [
        (start / 4, end / 4, draw(st.sampled_from(PROBABILITIES)))
        for start, end in itertools.pairwise(ticks)
        if draw(st.integers(0, 3))
    ]


films = st.fixed_dictionaries({phrase: candidates() for phrase in PHRASES})

# Quarters of a second: gaps and lengths of 2 are a tolerance of half a second, 1 and 3 lie on
# either side of it. In a film this short the ends of different phrases are as near to each other.
_steps = st.tuples(
    st.sampled_from([3, 0, 1, 2, 4, 7]),
    st.sampled_from([3, 1, 2, 4, 6, 9]),
    st.sampled_from(PROBABILITIES[:5] * 2 + PROBABILITIES[5:]),
)


@st.composite
def crowded(draw: st.DrawFn, seconds: float) -> list[Interval]:
    """Moments that never overlap, close to each other, in a short film."""
    found: list[Interval] = []
    tick = draw(st.integers(0, 3))
    for gap, length, probability in draw(st.lists(_steps, min_size=2, max_size=7)):
        if (tick + length) / 4 > seconds:
            break
        found.append((tick / 4, (tick + length) / 4, probability))
        tick += length + gap
    return found
