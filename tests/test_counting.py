"""How many candidates are counted: the best expected F1, if there is anything at all."""

from __future__ import annotations

import itertools

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantic_video.scene_retrieval import occurrence_level

SMALL = st.lists(st.floats(0.0, 1.0).map(lambda p: round(p, 2)), min_size=1, max_size=7)


def expected_f1(probabilities: list[float], listed: int) -> float:
    """Over every way in which the candidates may be right, independently; the first are listed."""
    total = 0.0
    for truth in itertools.product((0, 1), repeat=len(probabilities)):
        chance = 1.0
        for p, right in zip(probabilities, truth, strict=True):
            chance *= p if right else 1 - p
        total += chance * 2 * sum(truth[:listed]) / (listed + sum(truth))
    return total


@given(SMALL)
def test_what_is_counted_is_nearly_the_best_that_can_be_counted(probabilities: list[float]) -> None:
    falling = sorted(probabilities, reverse=True)
    level = occurrence_level(probabilities)
    counted = sum(p >= level for p in falling)
    if falling[0] < 0.5:
        assert counted == 0
        return
    best = max(expected_f1(falling, listed) for listed in range(1, len(falling) + 1))
    assert expected_f1(falling, counted) >= best - 0.05


@pytest.mark.parametrize(
    ("probabilities", "counted"),
    [
        ([], 0),
        ([0.4, 0.4, 0.4], 0),  # nothing is there for sure, so nothing is counted
        ([0.9], 1),
        ([0.9, 0.42, 0.4], 3),  # less sure than one half, but more right than wrong to list
        ([0.9, 0.05, 0.05, 0.05], 1),
        ([0.5] + [0.01] * 300, 1),
    ],
)
def test_examples(probabilities: list[float], counted: int) -> None:
    level = occurrence_level(probabilities)
    assert sum(p >= level for p in probabilities) == counted


def test_what_is_needed_of_the_first_is_said() -> None:
    assert occurrence_level([0.4, 0.3], needed=0.35) == 0.3
    assert occurrence_level([0.4, 0.3], needed=0.45) == 0.45
