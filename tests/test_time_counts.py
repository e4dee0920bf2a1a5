"""How much was given up where: exact sums, a bounded size, and every way a memory gives up."""

from __future__ import annotations

from dataclasses import asdict

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantic_video.memory_hierarchy import Budget, MemoryStream
from semantic_video.memory_hierarchy.policies import POLICIES
from semantic_video.memory_hierarchy.time_counts import TimeCounts
from semantic_video.records import Span

times = st.lists(st.floats(0, 1e6), max_size=40)


@given(times, times)
def test_sums_do_not_depend_on_the_order_and_nothing_is_lost(
    one: list[float], two: list[float]
) -> None:
    together = TimeCounts.of([*one, *two])
    total = TimeCounts.of(one) + TimeCounts.of(two)
    assert total == TimeCounts.of(two) + TimeCounts.of(one)
    assert total.counts == together.counts
    assert len(total.counts) <= 128
    for span, count in total.stretches():
        assert count == sum(span.start_s <= time < span.end_s for time in [*one, *two])
    assert sum(total.counts) == len(one) + len(two)


@given(times, st.floats(0, 1e5))
def test_later_by_some_seconds_moves_each_by_a_stretch_at_most(
    when: list[float], by_s: float
) -> None:
    moved = TimeCounts.of(when).moved(by_s)
    assert sum(moved.counts) == len(when)
    places = np.repeat((np.arange(len(moved.counts)) + 0.5) * moved.width_s, moved.counts)
    assert np.abs(places - np.sort(when) - by_s).max(initial=0) <= 1.5 * moved.width_s


def test_it_comes_back_from_what_is_stored() -> None:
    counts = TimeCounts.of([1.0, 2.5, 300.0])
    assert (counts.width_s, sum(counts.counts)) == (4, 3)
    assert TimeCounts.from_dict(asdict(counts)) == counts


@pytest.mark.parametrize("name", ["semantic", "fifo", "k-centre"])
@pytest.mark.parametrize("max_bytes", [None, 6000])
def test_a_stream_knows_where_everything_lay_that_it_gave_up(
    name: str, max_bytes: int | None
) -> None:
    rng = np.random.default_rng(0)
    stream = MemoryStream(Budget(32, 6, 2, 2, max_bytes), POLICIES[name]())
    for number in range(60):
        frames = rng.normal(size=(3, 32))
        frames /= np.linalg.norm(frames, axis=1, keepdims=True)
        stream.add(Span(number * 5.0, number * 5.0 + 5), number * 5.0 + np.arange(3), frames)
    past = stream.history
    assert sum(past.thinned_at.counts) == past.thinned > 0
    assert sum(past.absorbed_at.counts) == past.absorbed
    assert sum(past.dropped_at.counts) == past.dropped
    assert past.absorbed or past.dropped
    ends = [where.stretches()[-1][0].start_s for where in (past.thinned_at,)]
    assert all(end < 300 for end in ends)
