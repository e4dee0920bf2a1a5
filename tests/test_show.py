"""`show`: pictures of an indexed film, through the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import pytest

from semantic_video.cli import run
from semantic_video.config import load_config
from semantic_video.errors import ConfigError
from semantic_video.library import Library
from semantic_video.pictures import Pictures
from tests.media import Shot, render, write_video
from tests.test_report import data_of
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


@pytest.mark.parametrize(
    ("words", "fault"),
    [
        (["--what", "timeline", "--query", "a dog"], "--query belongs to --what query, not to"),
        (["--query", "@my-dog"], "a saved query cannot be drawn: write what @my-dog looks for"),
        (["--query", " "], "say what to look for"),
    ],
)
def test_a_query_that_cannot_be_drawn_is_one_line(
    words: list[str],
    fault: str,
    library: Path,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    path = tmp_path / "p.png"
    command = ["show", "film.mp4", *words, "-o", str(path), "--library", str(library)]
    assert run(command) == 2
    error = capsys.readouterr().err
    assert fault in error
    assert error.count("\n") == 1
    assert not path.exists()


def test_a_picture_of_no_kind_is_refused(library: Path, tmp_path: Path) -> None:
    shelf = Library(library)
    pictures = Pictures.of(shelf, shelf.resolve("film.mp4"), load_config(None))
    with pytest.raises(ConfigError, match="no picture is called 'graph': there are timeline"):
        pictures.draw("graph", tmp_path / "p.png")  # type: ignore[arg-type]


def test_json_of_a_stretch_holds_what_reaches_into_it(
    library: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["show", "film.mp4", "--json", "--library", str(library)]
    assert run(command) == 0
    whole = json.loads(capsys.readouterr().out)
    assert run([*command, "--from", "0:02.5", "--to", "3.5"]) == 0
    (only,) = json.loads(capsys.readouterr().out)
    assert only["id"] in {cluster["id"] for cluster in whole}
    assert only["occurrences"] == [{"start_s": 2.0, "end_s": 4.0}]


def test_an_ending_may_be_in_capitals(library: Path, tmp_path: Path) -> None:
    for kind, path in (("show", tmp_path / "T.PNG"), ("report", tmp_path / "R.HTML")):
        what = ["--what", "timeline"] if kind == "show" else []
        command = [kind, "film.mp4", *what, "-o", str(path), "--library", str(library)]
        assert run(command) == 0
        assert path.exists()


def test_a_title_quotes_once(library: Path, tmp_path: Path) -> None:
    for query in ("a dog", '"a dog"'):
        path = tmp_path / "query.svg"
        command = ["show", "film.mp4", "--query", query, "-o", str(path)]
        assert run([*command, "--library", str(library)]) == 0
        assert "<!-- “a dog” in film.mp4 -->" in path.read_text()


def test_a_map_of_a_stretch_says_so(library: Path, tmp_path: Path) -> None:
    path = tmp_path / "map.svg"
    stretch = ["--from", "2", "--to", "0:06", "--library", str(library)]
    assert run(["show", "film.mp4", "--what", "map", "-o", str(path), *stretch]) == 0
    assert "<!-- film.mp4, 0:00:02 to 0:00:06 -->" in path.read_text()


def test_experts_of_clusters_that_were_joined_share_a_row(library: Path) -> None:
    shelf = Library(library)
    pictures = Pictures.of(shelf, shelf.resolve("film.mp4"), load_config(None))
    scenes = pictures.scenes
    returning = next(one for one in pictures.clusters if len(one.scenes) > 1)
    first, second = returning.scenes[:2]
    routing = {first: 0, second: 2, **{s.id: 1 for s in scenes if s.id not in returning.scenes}}
    rows = pictures._expert_rows(routing, (0.3, 0.4, 0.2, 0.1))
    joined = next(row for row in rows if row.name == f"0, 2: {returning.name}")
    assert joined.share == pytest.approx(0.5)
    assert len(joined.spans) == 2
    assert joined.colour == pictures.colours[returning.id]
    assert len(rows) == 3
    assert any(row.name == "expert 3" and row.spans == () for row in rows)


def test_a_film_too_short_for_experts_says_why(library: Path, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    copied = tmp_path / "library"
    shutil.copytree(library, copied)
    options = ["--library", str(copied)]
    assert run(["train", "film.mp4", "--quiet", *options]) == 0
    path = tmp_path / "experts.svg"
    assert run(["show", "film.mp4", "--what", "experts", "-o", str(path), *options]) == 0
    assert "None were trained: " in path.read_text()
    assert "24 are needed" in path.read_text()
    page = tmp_path / "report.html"
    query = ["--query", "a dog", "--query", '"a dog" then "a cat"']
    assert run(["report", "film.mp4", "-o", str(page), *query, *options]) == 0
    titles = [title for title, _ in data_of(page)["pictures"]]
    assert titles == [
        "Query: a dog",
        'Query: "a dog" then "a cat"',
        "Themes",
        "Map",
        "Memory",
        "Experts",
    ]


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
        (["--what", "memory", "-o", "m.png", "--from", "2"], "--what memory shows the memory of"),
        (["--what", "themes", "-o", "t.png", "--to", "2"], "leave --from and --to away"),
        (["--what", "experts", "-o", "e.png", "--to", "2"], "leave --from and --to away"),
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
