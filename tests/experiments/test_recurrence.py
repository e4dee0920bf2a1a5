"""The generator of the recurrence benchmark, from a folder of one's own."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import defaultdict
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from experiments.manifest import load_manifest
from experiments.recurrence import make_film, read_folder
from experiments.recurrence_pictures import FADE_FRAMES, frames_of, pictures_of
from experiments.recurrence_schedule import FPS, Recurrence, schedule, statistics
from tests.media import picture, write_audio


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Six captioned pictures, two of one theme."""
    lines = ["file,caption,theme"]
    for number in range(6):
        Image.fromarray(picture(number)).save(tmp_path / f"p{number}.png")
        lines.append(f"p{number}.png,picture {number},{'the first two' if number < 2 else ''}")
    lines.append("p0.png,another caption,")
    (tmp_path / "captions.csv").write_text("\n".join(lines), encoding="utf-8")
    return tmp_path


def test_a_folder_becomes_subjects_with_captions_and_themes(folder: Path) -> None:
    subjects, themes = read_folder(folder)
    assert [subject.name for subject in subjects] == [f"p{number}" for number in range(6)]
    assert subjects[0].captions == ("picture 0", "another caption")
    assert subjects[1].themes == ("the first two",)
    assert themes == {"the first two": "the first two"}


@pytest.mark.parametrize(
    ("line", "fault"),
    [
        ("q.png,something,", "line 9: there is no"),
        ("p1.png,,", "line 9: file and caption are wanted"),
    ],
)
def test_a_fault_in_the_list_has_one_line(folder: Path, line: str, fault: str) -> None:
    table = folder / "captions.csv"
    table.write_text(table.read_text(encoding="utf-8") + f"\n{line}\n", encoding="utf-8")
    with pytest.raises(ValueError, match=fault):
        read_folder(folder)
    table.unlink()
    with pytest.raises(ValueError, match=r"captions.csv: No such file"):
        read_folder(folder)


def test_statistics_are_those_of_the_shots(folder: Path) -> None:
    subjects, _ = read_folder(folder)
    asked = Recurrence((2, 3), distractors=1, min_gap=3, shot_s=(1, 1), dip_share=1.0)
    shots = schedule(subjects, asked, seed=5)
    places = defaultdict(list)
    for place, shot in enumerate(shots):
        places[shot.subject.name].append(place)
    gaps = [b - a - 1 for own in places.values() for a, b in pairwise(own)]
    came = statistics(shots)
    assert came["shown_once"] == 1
    assert came["gap_shots"] == [min(gaps), float(np.median(gaps)), max(gaps)]
    assert came["gap_s"] == came["gap_shots"]  # a second a shot
    assert all(shot.dip != shot.fade for shot in shots[1:])


def test_encoding_again_changes_pictures_but_not_the_schedule(folder: Path) -> None:
    subjects, _ = read_folder(folder)
    plain = Recurrence((2, 2), 0, 2, (0.5, 0.5), fade_share=0)
    worse = Recurrence((2, 2), 0, 2, (0.5, 0.5), fade_share=0, gain=(0.5, 0.5), quality=(10, 10))
    one, other = schedule(subjects, plain), schedule(subjects, worse)
    assert [(s.subject, s.start, s.view_from) for s in one] == [
        (s.subject, s.start, s.view_from) for s in other
    ]
    before, after = (np.asarray(next(frames_of(shots)), float) for shots in (one, other))
    assert after.mean() == pytest.approx(0.5 * before.mean(), rel=0.1)


def test_a_dip_comes_out_of_black(folder: Path) -> None:
    subjects, _ = read_folder(folder)
    shots = schedule(subjects, Recurrence((1, 1), 0, 0, (1, 1), fade_share=0, dip_share=1.0))
    frames = [np.asarray(frame, float).mean() for frame in frames_of(shots[:2])]
    coming = frames[FPS : FPS + FADE_FRAMES]
    assert coming[0] < 0.2 * frames[FPS - 1]
    assert coming == sorted(coming)


def test_the_command_writes_a_film_whose_labels_pass_the_check(folder: Path) -> None:
    film = folder / "out" / "film.mp4"
    (folder / "absent.txt").write_text("an igloo\n\n", encoding="utf-8")
    done = command(folder, film, "--absent", str(folder / "absent.txt"))
    assert done.returncode == 0, done.stderr
    manifest = load_manifest(film.with_suffix(".json"))
    assert manifest.film.exists()
    assert {query.type for query in manifest.queries} == {"moment", "concept", "image", "absent"}
    assert [query.text for query in manifest.of_type("absent")] == ["an igloo"]
    labels: dict[str, Any] = json.loads(film.with_suffix(".json").read_text(encoding="utf-8"))
    assert labels["recurrence"]["came"]["shots"] == len(manifest.segments)
    again = folder / "again" / "film.mp4"
    command(folder, again, "--absent", str(folder / "absent.txt"))
    assert again.read_bytes() == film.read_bytes()


def test_what_cannot_be_is_said_in_a_line(folder: Path) -> None:
    done = command(folder, folder / "film.mp4", "--gap", "30")
    assert done.returncode == 2
    assert done.stderr == "no order keeps 30 other shots between the returns of a subject\n"


@pytest.mark.parametrize(
    ("asked", "fault"),
    [
        ({"appearances": (4, 3)}, "showings of a subject: 4 to 3 cannot be"),
        ({"appearances": (0, 0)}, "showings of a subject: 0 cannot be; at least 1"),
        ({"shot_s": (0.0, 2.0)}, "seconds of a shot: 0 to 2 cannot be"),
        ({"gain": (-1.0, 1.0)}, "brightness: -1 to 1 cannot be"),
        ({"quality": (50, 900)}, "JPEG quality: 50 to 900 cannot be; at least 1, at most 100"),
        ({"fade_share": 7.0}, "share of fades: 7 cannot be"),
        ({"distractors": -1}, "subjects shown once: -1 cannot be"),
        ({"min_gap": -3}, "shots between two showings: -3 cannot be"),
    ],
)
def test_statistics_that_no_film_can_have_are_refused(asked: dict[str, Any], fault: str) -> None:
    with pytest.raises(ValueError, match=fault):
        Recurrence(**asked)


def test_a_film_that_cannot_be_made_leaves_nothing(folder: Path) -> None:
    (folder / "p3.png").write_bytes(b"no picture")
    subjects, _ = read_folder(folder)
    out = folder / "out"
    with pytest.raises(OSError, match=r"p3\.png"):
        make_film(out / "film.mp4", subjects, Recurrence(min_gap=1))
    assert list(out.iterdir()) == []
    with pytest.raises(ValueError, match=r"cannot write a film as 'film.txt': end it in .mp4"):
        make_film(out / "film.txt", subjects, Recurrence())


def test_a_clip_without_pictures_is_said_in_a_line(folder: Path) -> None:
    clip = folder / "sound.mp4"
    write_audio(clip)
    with (folder / "captions.csv").open("a", encoding="utf-8") as table:
        print("\nsound.mp4,a bell,", file=table)
    subjects, _ = read_folder(folder)
    with pytest.raises(ValueError, match=r"sound.mp4: there are no pictures in it"):
        pictures_of(subjects[-1])


def command(folder: Path, film: Path, *more: str) -> subprocess.CompletedProcess[str]:
    program = [sys.executable, "-m", "experiments.recurrence", str(folder), "--out", str(film)]
    options = ["--count", "2", "2", "--distractors", "0", "--gap", "2", "--shot-s", "0.5", "0.6"]
    return subprocess.run([*program, *options, *more], capture_output=True, text=True, check=False)
