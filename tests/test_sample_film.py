"""The sample film: its schedule keeps what it promises, and the film is what its truth says."""

from __future__ import annotations

import json
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from experiments.recurrence import truth
from experiments.recurrence_pictures import HEIGHT, WIDTH, render
from experiments.recurrence_schedule import FPS, Recurrence, Shot, schedule
from experiments.sample_film import ABSENT, SUBJECTS, THEMES, PackagedSubject

BY_NAME = {subject.name: subject for subject in SUBJECTS}


def shots_of(shots: list[Shot], name: str) -> list[int]:
    return [index for index, shot in enumerate(shots) if shot.subject.name == name]


@given(seed=st.integers(0, 2**32))
def test_schedule_has_the_recurrence_asked_for(seed: int) -> None:
    recurrence = Recurrence()
    shots = schedule(SUBJECTS, recurrence, seed)
    counts = [len(shots_of(shots, subject.name)) for subject in SUBJECTS]
    assert counts.count(1) == recurrence.distractors
    assert set(counts) <= {1, *range(recurrence.appearances[0], recurrence.appearances[1] + 1)}
    for subject in SUBJECTS:
        shown = shots_of(shots, subject.name)
        gaps = [after - before - 1 for before, after in pairwise(shown)]
        assert all(gap >= recurrence.min_gap for gap in gaps)
    assert all(3.0 * FPS <= shot.frames <= 7.0 * FPS for shot in shots)
    assert not shots[0].fade


@given(seed=st.integers(0, 2**32))
def test_the_sample_film_is_a_few_minutes_long(seed: int) -> None:
    assert 4 * 60 <= schedule(SUBJECTS, seed=seed)[-1].end / FPS <= 6.5 * 60


def test_a_seed_gives_the_same_schedule_and_another_seed_another() -> None:
    assert schedule(SUBJECTS, seed=3) == schedule(SUBJECTS, seed=3)
    assert schedule(SUBJECTS, seed=3) != schedule(SUBJECTS, seed=4)


def test_a_gap_that_cannot_be_kept_is_refused() -> None:
    with pytest.raises(ValueError, match="no order keeps 5 other shots"):
        schedule(SUBJECTS[:3], Recurrence(distractors=0, min_gap=5))


def test_truth_tiles_the_timeline_and_every_span_is_shown() -> None:
    shots = schedule(SUBJECTS)
    manifest = truth(shots, "film.mp4", THEMES, ABSENT)
    segments = manifest["segments"]
    assert segments[0]["start_s"] == 0.0
    assert segments[-1]["end_s"] == manifest["duration_s"]
    for before, after in pairwise(segments):
        assert before["end_s"] == after["start_s"]
    for query in manifest["queries"]:
        if query["type"] == "absent":
            assert query["spans"] == []
            continue
        category = query["category"]
        expected = [
            [segment["start_s"], segment["end_s"]]
            for segment in segments
            if category == segment["category"] or category in BY_NAME[segment["category"]].themes
        ]
        assert query["spans"] == expected
        assert expected
    ids = [query["id"] for query in manifest["queries"]]
    assert len(set(ids)) == len(ids)


def test_every_subject_lies_in_an_installed_package_and_every_theme_is_known() -> None:
    assert len(BY_NAME) == len(SUBJECTS)
    for subject in SUBJECTS:
        assert subject.path.is_file()
        assert set(subject.themes) <= set(THEMES)


def test_a_missing_package_says_what_to_install() -> None:
    with pytest.raises(FileNotFoundError, match=r"no_such_package .*semantic-video\[demo\]"):
        _ = PackagedSubject("x", "x.png", ("x",), package="no_such_package").path


def frames_of(path: Path) -> list[NDArray[np.uint8]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="rgb24") for frame in container.decode(video=0)]


def distance(a: NDArray[np.uint8], b: NDArray[np.uint8]) -> float:
    return float(np.abs(a.astype(float) - b.astype(float)).mean())


@pytest.fixture(scope="module")
def short_film(tmp_path_factory: pytest.TempPathFactory) -> tuple[list[Shot], Path]:
    """A still, a clip that is shorter than its shot, and a still that fades in."""
    still = (0.5, 0.5, 0.8)
    shots = [
        Shot(BY_NAME["cat"], 0, 30, False, still, (0.4, 0.5, 0.7)),
        Shot(BY_NAME["street"], 30, 120, False, still, still),
        Shot(BY_NAME["coffee"], 150, 30, True, still, (0.5, 0.5, 1.0)),
    ]
    path = tmp_path_factory.mktemp("film") / "short.mp4"
    render(shots, path)
    return shots, path


def test_film_is_cut_where_its_truth_says(short_film: tuple[list[Shot], Path]) -> None:
    shots, path = short_film
    frames = frames_of(path)
    assert len(frames) == shots[-1].end
    assert frames[0].shape == (HEIGHT, WIDTH, 3)
    changes = [distance(a, b) for a, b in pairwise(frames)]
    assert int(np.argmax(changes)) + 1 == shots[1].start
    # The clip is played to and fro: nothing jumps where it turns or ends.
    assert max(changes[shots[1].start : shots[2].start - 1]) < 0.3 * max(changes)


def test_a_fade_covers_the_first_half_second(short_film: tuple[list[Shot], Path]) -> None:
    shots, path = short_film
    frames = frames_of(path)
    fade = shots[2].start
    before, after = frames[fade - 1], frames[fade + FPS // 2]
    ways = [distance(frame, after) for frame in frames[fade - 1 : fade + FPS // 2 + 1]]
    assert ways == sorted(ways, reverse=True)
    steps = [(farther - nearer) / distance(before, after) for farther, nearer in pairwise(ways)]
    assert max(steps) < 0.2  # even, a twelfth each but for what moves meanwhile


def test_the_same_shots_give_the_same_film(
    short_film: tuple[list[Shot], Path], tmp_path: Path
) -> None:
    shots, path = short_film
    render(shots, tmp_path / "again.mp4")
    assert (tmp_path / "again.mp4").read_bytes() == path.read_bytes()
    assert [file.name for file in tmp_path.iterdir()] == ["again.mp4"]


@pytest.mark.slow
def test_command_line_writes_film_and_truth(tmp_path: Path) -> None:
    film = tmp_path / "new folder" / "sample film.mp4"
    subprocess.run([sys.executable, "-m", "experiments.sample_film", str(film)], check=True)
    manifest: dict[str, Any] = json.loads(film.with_suffix(".json").read_text(encoding="utf-8"))
    with av.open(str(film)) as container:
        frames = sum(1 for _ in container.demux(video=0)) - 1  # the last packet only flushes
    assert frames / FPS == pytest.approx(manifest["duration_s"], abs=0.001)
