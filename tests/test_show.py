"""`show`: pictures of an indexed film, through the command line."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from semantic_video.cli import run
from tests.media import Shot, render, write_video
from tests.utils.visualization.films import edges_are_white, pixels


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library with an indexed film of four scenes, two of which return, beside it."""
    folder = tmp_path_factory.mktemp("show")
    shots = [Shot(1, 2), Shot(2, 2), Shot(1, 2), Shot(3, 2), Shot(2, 2)]
    film = write_video(folder / "film.mp4", render(shots))
    options = ["--library", str(folder / "library"), "--num-clusters", "3", "--quiet"]
    assert run(["index", str(film), *options]) == 0
    return folder / "library"


@pytest.mark.parametrize("what", ["timeline", "map", "sheet", "themes", "memory", "query"])
def test_each_picture_is_drawn_and_its_path_printed(
    what: str, library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / f"{what}.png"
    more = ["--query", "a dog"] if what == "query" else []
    command = ["show", "film.mp4", "--what", what, "-o", str(path), "--library", str(library)]
    assert run([*command, *more]) == 0
    assert capsys.readouterr().out.strip() == str(path)
    assert edges_are_white(pixels(path))
    assert run([*command, *more, "--json"]) == 0
    assert json.loads(capsys.readouterr().out) == {"what": what, "path": str(path)}


def test_a_query_over_time_shows_its_terms(
    library: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = tmp_path / "query.svg"
    query = '"a dog" then "a cat" within 60s'
    assert (
        run(["show", "film.mp4", "--query", query, "-o", str(path), "--library", str(library)]) == 0
    )
    svg = path.read_text()
    for shown in ("“a dog”", "“a cat”", "result"):  # a comment says what the letters spell
        assert f"<!-- {shown} -->" in svg
    syntax = ["show", "film.mp4", "--query", '"a dog" then', "-o", str(path)]
    assert run([*syntax, "--library", str(library)]) == 2


def test_without_what_the_timeline_is_printed(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["show", "film.mp4", "--library", str(library)]) == 0
    whole = capsys.readouterr().out
    assert "█" in whole or "#" in whole
    assert "0:00:00" in whole
    assert run(["show", "film.mp4", "--from", "0:02", "--to", "4", "--library", str(library)]) == 0
    assert len(capsys.readouterr().out.splitlines()) < len(whole.splitlines())
    assert run(["show", "film.mp4", "--json", "--library", str(library)]) == 0
    assert {"name", "occurrences"} <= json.loads(capsys.readouterr().out)[0].keys()


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--what", "poster", "-o", "p.png"], "--what poster: there are timeline, map"),
        (["--what", "map"], "say where to draw it: -o map.png"),
        (["-o", "map.png"], "say what to draw: --what"),
        (["--what", "query", "-o", "q.png"], 'say what to look for: --query "a dog"'),
        (["--what", "experts", "-o", "e.png"], "film.mp4 has no experts: train some with"),
        (["--what", "sheet", "-o", "s.bmp"], "end it in .png, .svg or .pdf"),
        (["--what", "sheet", "-o", "no/such/s.png"], "cannot write"),
        (["--from", "soon"], "--from soon: write a time as 90, 1:30 or 0:01:30"),
        (["--from", "1:00", "--to", "0:30"], "--from 1:00 lies behind --to 0:30"),
        (["--from", "1:00:00"], "the video goes from 0:00:00 to 0:00:10"),
    ],
)
def test_what_cannot_be_is_one_line(
    words: list[str],
    says: str,
    library: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["show", "film.mp4", *words, "--library", str(library)]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert error.count("\n") == 1
    assert list(tmp_path.iterdir()) == []
