"""The methods of others keep to their budget and find what is plainly there."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from experiments.baselines import (
    BASELINES,
    Baseline,
    DenseFrames,
    HashGated,
    PlainMerging,
    ShotKeyframes,
    UniformFrames,
    WeightedMerging,
)
from experiments.film_vectors import FilmFrames
from semantic_video.records import Span

DIMENSION = 16
SHOT_S = 10
SHOWN = (0, 1, 2, 0, 3, 1, 4, 5, 0, 6, 7, 1)
"""What each shot of ten seconds shows: subject 0 three times, far apart."""


@pytest.fixture(scope="module")
def film() -> FilmFrames:
    """A film of two minutes; each subject has a direction, and frames scatter around it."""
    rng = np.random.default_rng(0)
    subjects = np.repeat(SHOWN, SHOT_S)
    vectors = np.eye(DIMENSION, dtype=np.float32)[subjects]
    vectors += rng.normal(0, 0.03, vectors.shape).astype(np.float32)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    looks = rng.random((len(set(SHOWN)), 64)) < 0.5
    shots = tuple(Span(SHOT_S * i, SHOT_S * (i + 1)) for i in range(len(SHOWN)))
    length = float(len(subjects))
    return FilmFrames(length, np.arange(length) + 0.5, vectors, looks[subjects], shots)


def asked(subject: int) -> NDArray[np.float32]:
    return np.array([float(place == subject) for place in range(DIMENSION)], np.float32)


def shots_of(subject: int) -> list[Span]:
    return [
        Span(SHOT_S * place, SHOT_S * (place + 1))
        for place, shown in enumerate(SHOWN)
        if shown == subject
    ]


@pytest.mark.parametrize("method", BASELINES)
@pytest.mark.parametrize("budget", [600, 1500, None])
def test_a_method_keeps_to_its_budget_and_its_answers_never_overlap(
    method: type[Baseline], budget: int | None, film: FilmFrames
) -> None:
    fitted = method().fit(film, budget, seed=0)
    assert budget is None or fitted.nbytes <= budget
    answers = fitted.search(asked(0), 10)
    assert 1 <= len(answers) <= 10
    assert [score for _, score in answers] == sorted((s for _, s in answers), reverse=True)
    spans = sorted(span for span, _ in answers)
    assert all(0 <= span.start_s < span.end_s <= film.duration_s for span in spans)
    assert all(before.end_s <= after.start_s for before, after in pairwise(spans))


@pytest.mark.parametrize(
    "method", [method for method in BASELINES if getattr(method, "count", 32) >= 32]
)
def test_without_a_budget_the_first_answer_shows_what_was_asked(
    method: type[Baseline], film: FilmFrames
) -> None:
    fitted = method().fit(film, None, seed=0)
    for subject in (0, 3, 7):
        first, _ = fitted.search(asked(subject), 10)[0]
        middle = (first.start_s + first.end_s) / 2
        assert any(shot.start_s <= middle < shot.end_s for shot in shots_of(subject))


def test_dense_frames_score_a_piece_by_its_three_best(film: FilmFrames) -> None:
    answers = DenseFrames().fit(film, None, 0).search(asked(0), 3)
    assert sorted(span for span, _ in answers) == shots_of(0)
    for span, score in answers:
        own = film.vectors[int(span.start_s) : int(span.end_s)] @ asked(0)
        assert score == pytest.approx(np.sort(own)[-3:].mean(), abs=1e-6)


def test_uniform_frames_are_as_many_as_they_say_at_equal_distances(film: FilmFrames) -> None:
    for method in UniformFrames.__subclasses__():
        held = method().fit(film, None, 0).held
        assert len(held.vectors) == min(method.count, len(film.times_s))
    times = [
        film.times_s[np.argmax(film.vectors @ vector)]
        for vector in UniformFrames.__subclasses__()[0]().fit(film, None, 0).held.vectors
    ]
    assert set(np.diff(times)) == {15.0}


def test_key_frames_within_a_budget_are_those_of_the_longest_shots(film: FilmFrames) -> None:
    cut = FilmFrames(
        film.duration_s,
        film.times_s,
        film.vectors,
        film.hashes,
        (Span(0, 50), Span(50, 52), Span(52, 120)),
    )
    held = ShotKeyframes().fit(cut, 2 * (2 * DIMENSION + 20), 0).held
    assert [own for (own,) in held.spans] == [Span(0, 50), Span(52, 120)]


def test_a_frame_that_looks_like_the_one_before_is_not_kept(film: FilmFrames) -> None:
    gated = HashGated().fit(film, None, 0)
    assert len(gated.held.vectors) == len(SHOWN)


@pytest.mark.parametrize(("method", "middle"), [(PlainMerging, 0.5), (WeightedMerging, 1 / 3)])
def test_merging_is_plain_or_weighted(
    method: type[PlainMerging | WeightedMerging], middle: float
) -> None:
    """Two frames alike become one; with a third they weigh two thirds, or a half."""
    vectors = np.array([[1, 0, 0], [1, 0, 0], [0.8, 0.6, 0], [0, 0, 1]], np.float32)
    hashes = np.zeros((4, 64), bool)
    film = FilmFrames(4.0, np.array([0.5, 1.5, 2.5, 3.5]), vectors, hashes, (Span(0, 4),))
    held = method().fit(film, 2 * (2 * 3 + 20), 0).held
    assert [own for (own,) in held.spans] == [Span(0, 3), Span(3, 4)]
    expected = (1 - middle) * vectors[0] + middle * vectors[2]
    found = held.vectors[0] / np.linalg.norm(held.vectors[0])
    assert found == pytest.approx(expected / np.linalg.norm(expected), abs=2e-3)
