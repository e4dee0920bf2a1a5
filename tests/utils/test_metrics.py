"""The figures, against numbers worked by hand and against scikit-learn where it has them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn import metrics as reference

from semantic_video.records import Span
from semantic_video.utils.metrics import (
    auroc,
    average_precision,
    calibration_error,
    mean_average_precision,
    normalised_mutual_information,
    purity,
    recall_at,
    tiou,
)

LABELS = st.lists(st.tuples(st.integers(0, 4), st.integers(0, 4)), min_size=1, max_size=40)


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((0, 10), (5, 15), 5 / 15),
        ((0, 10), (0, 10), 1.0),
        ((0, 10), (2, 4), 0.2),
        ((0, 10), (10, 20), 0.0),
        ((3, 3), (3, 3), 0.0),
    ],
)
def test_tiou(one: tuple[float, float], other: tuple[float, float], expected: float) -> None:
    assert tiou(Span(*one), Span(*other)) == pytest.approx(expected)
    assert tiou(Span(*other), Span(*one)) == pytest.approx(expected)


def test_recall_counts_queries_and_leaves_out_those_without_truth() -> None:
    predictions = [[Span(50, 60), Span(0, 9)], [Span(0, 1)], [Span(0, 1)]]
    truths = [[Span(0, 10)], [Span(20, 30)], []]
    assert recall_at(predictions, truths, k=1) == 0.0
    assert recall_at(predictions, truths, k=2) == 0.5
    assert recall_at(predictions, truths, k=2, threshold=0.95) == 0.0
    with pytest.raises(ValueError, match="no query has a true span"):
        recall_at([[]], [[]], k=1)


def test_average_precision_by_hand() -> None:
    truth = [Span(0, 10), Span(20, 30)]
    found = [Span(0, 10), Span(40, 50), Span(20, 29)]
    # Right, wrong, right: precisions 1, 1/2, 2/3 at recalls 1/2, 1/2, 1.
    assert average_precision(found, truth, 0.5) == pytest.approx(0.5 * 1 + 0.5 * 2 / 3)
    assert average_precision(found, truth, 0.95) == pytest.approx(0.5)
    # The same span twice is right once.
    assert average_precision([Span(0, 10), Span(0, 10)], truth, 0.5) == pytest.approx(0.5)
    # Wrong then right twice: precision at each recall is the best from there on, 2/3.
    later = [Span(40, 50), Span(0, 10), Span(20, 30)]
    assert average_precision(later, truth, 0.5) == pytest.approx(2 / 3)
    assert average_precision([], truth, 0.5) == 0.0


def test_a_prediction_takes_the_true_span_that_it_fits_best() -> None:
    truth = [Span(0, 10), Span(5, 15)]
    assert average_precision([Span(5, 14), Span(0, 9)], truth, 0.5) == pytest.approx(1.0)


def test_mean_average_precision_is_over_queries_and_thresholds() -> None:
    predictions = [[Span(0, 8)], [Span(0, 10)], [Span(0, 10)]]
    truths = [[Span(0, 10)], [Span(0, 10)], []]
    # tIoU 0.8 passes 0.5 to 0.8, seven of ten; tIoU 1 passes all.
    assert mean_average_precision(predictions, truths) == pytest.approx((0.7 + 1.0) / 2)


def test_purity_by_hand() -> None:
    found, truth = [0, 0, 0, 1, 1], ["a", "a", "b", "b", "b"]
    assert purity(found, truth) == pytest.approx(4 / 5)
    assert purity(found, truth, [1, 1, 8, 1, 1]) == pytest.approx(10 / 12)


@settings(max_examples=60, deadline=None)
@given(LABELS)
def test_mutual_information_is_that_of_scikit_learn(labels: list[tuple[int, int]]) -> None:
    found, truth = zip(*labels, strict=True)
    expected = reference.normalized_mutual_info_score(truth, found)
    assert normalised_mutual_information(found, truth) == pytest.approx(expected, abs=1e-9)


@settings(max_examples=30, deadline=None)
@given(LABELS, st.integers(1, 4))
def test_a_weight_is_worth_so_many_copies(labels: list[tuple[int, int]], copies: int) -> None:
    found, truth = (np.array(side) for side in zip(*labels, strict=True))
    weights = np.ones(len(found))
    weights[0] = copies
    repeats = weights.astype(int)
    for figure in (purity, normalised_mutual_information):
        weighted = figure(found, truth, weights)
        assert weighted == pytest.approx(figure(found.repeat(repeats), truth.repeat(repeats)))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.integers(0, 6), min_size=1, max_size=30),
    st.lists(st.integers(0, 6), min_size=1, max_size=30),
)
def test_auroc_is_that_of_scikit_learn(present: list[int], absent: list[int]) -> None:
    truth = [1] * len(present) + [0] * len(absent)
    expected = reference.roc_auc_score(truth, present + absent)
    assert auroc(present, absent) == pytest.approx(expected)


def test_calibration_error_by_hand() -> None:
    # Two bins: 0.2 and 0.2 of which none is right, 0.9 and 0.7 of which one is.
    assert calibration_error([0.2, 0.2, 0.9, 0.7], [0, 0, 1, 0], bins=2) == pytest.approx(
        (0.4 + 0.6) / 4
    )
    assert calibration_error([1.0, 0.0], [1, 0]) == 0.0
    with pytest.raises(ValueError, match="between 0 and 1"):
        calibration_error([1.2], [1])


def test_what_does_not_go_together_is_refused() -> None:
    with pytest.raises(ValueError, match="2 and 1 labels"):
        purity([0, 1], [0])
    with pytest.raises(ValueError, match="both sides"):
        auroc([], [1.0])
    with pytest.raises(ValueError, match="do not go together"):
        calibration_error([0.5], [])
