"""`search` and `queries`: ways to ask, what is kept, and the forms of an answer."""

from __future__ import annotations

import csv
import io
import json
import os
from pathlib import Path
from typing import Any

import av
import pytest

from semantic_video import SemanticVideoProcessor
from semantic_video.asking import Filters
from semantic_video.errors import QueryError
from semantic_video.library import Library
from tests.media import Shot, picture, render, write_video
from tests.test_cli import assert_refused, run_cli

SHOTS = [Shot(seed, 2.0) for seed in (1, 2, 3, 1, 2, 3)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "a film.mp4"
    return write_video(
        path, render(SHOTS), metadata={"creation_time": "2026-05-01T14:00:00.000000Z"}
    )


@pytest.fixture(scope="module")
def shelf(film: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("shared") / "library"
    done = run_cli("index", film, "--library", path, "--num-clusters", 3)
    assert done.returncode == 0, done.stderr
    return path


@pytest.fixture
def photo(tmp_path: Path) -> Path:
    path = tmp_path / "photo.png"
    with av.open(str(path), "w", format="image2") as output:
        stream = output.add_stream("png")
        shown = picture(2, 240, 144)[24:120, 40:200]
        stream.height, stream.width, stream.pix_fmt = *shown.shape[:2], "rgb24"
        output.mux(stream.encode(av.VideoFrame.from_ndarray(shown.copy())))
        output.mux(stream.encode(None))
    return path


def asked(shelf: Path, *arguments: object) -> dict[str, Any]:
    done = run_cli("search", *arguments, "--library", shelf, "--json")
    assert done.returncode == 0, done.stderr
    answer: dict[str, Any] = json.loads(done.stdout)
    return answer


def shots(answer: dict[str, Any], k: int = 2) -> set[int]:
    """Which of the six shots the first moments lie in."""
    return {int(moment["keyframe_s"] // 2) for moment in answer["moments"][:k]}


def test_pictures_moments_and_sums(film: Path, shelf: Path, photo: Path) -> None:
    assert shots(asked(shelf, "--image", photo)) == {1, 4}
    like = asked(shelf, "--like", f"{film}@0:05")
    assert shots(like) == {2, 5}
    assert like["query"] == "a film.mp4@0:05"
    both = asked(shelf, "--image", photo, "--like", "a film.mp4@5s*3")
    assert shots(both, 2) == {2, 5}
    assert shots(both, 4) == {1, 2, 4, 5}
    assert both["query"] == "photo.png + a film.mp4@5s*3"
    without = asked(shelf, "--like", f"{film}@1", "--plus", photo, "--minus", f"{film}@0")
    assert shots(without) == {1, 4}


def test_a_film_outside_the_library_can_be_pointed_at(shelf: Path, tmp_path: Path) -> None:
    other = write_video(tmp_path / "other.mp4", render([Shot(9, 2.0), Shot(3, 2.0)]))
    assert shots(asked(shelf, "--like", f"{other}@3")) == {2, 5}
    assert_refused(run_cli("search", "--like", f"{other}@9", "--library", shelf), "nothing at 9")
    assert_refused(run_cli("search", "--like", "no.mp4@9", "--library", shelf), "no.mp4")


def test_marks_refine_the_last_search_again_and_again(film: Path, shelf: Path) -> None:
    first = asked(shelf, "--like", f"{film}@1", "-k", 6)
    ranks = {int(m["keyframe_s"] // 2): rank for rank, m in enumerate(first["moments"], start=1)}
    second = asked(shelf, "--right", f"{ranks[1]},{ranks[4]}", "--wrong", ranks[0], "-k", 6)
    assert second["query"] == first["query"]
    moved = [int(m["keyframe_s"] // 2) for m in second["moments"]]
    assert 0 not in moved  # what was called wrong is not listed again
    assert moved.index(1) < ranks[1] - 1 or set(moved[:2]) == {1, 4}
    again = moved.index(4) + 1
    asked(shelf, "--right", again, "--save-as", "that place")
    listed = json.loads(run_cli("queries", "--library", shelf, "--json").stdout)
    (kept,) = (own for own in listed if own["name"] == "that place")
    assert (kept["right"], kept["wrong"], kept["query"]) == (2, 1, first["query"])

    saved = asked(shelf, "@that place", "-k", 6)
    assert saved["moments"] == asked(shelf, "@that place", "-k", 6)["moments"]
    assert saved["query"] == first["query"]
    shown = run_cli("queries", "--library", shelf).stdout
    assert shown.splitlines()[0].split() == ["name", "query", "right", "wrong", "saved_at"]
    assert run_cli("queries", "--remove", "@that place", "--library", shelf).returncode == 0
    assert json.loads(run_cli("queries", "--library", shelf, "--json").stdout) == []
    assert_refused(run_cli("search", "@that place", "--library", shelf), "that place", "none")
    assert_refused(run_cli("queries", "--remove", "x", "--library", shelf), "no query")


def test_marks_need_a_search_and_ranks_of_it(film: Path, tmp_path: Path, shelf: Path) -> None:
    asked(shelf, "a dog", "-k", 2)
    refused = run_cli("search", "--right", "3", "--library", shelf)
    assert_refused(refused, "no moment 3", "listed 2")
    assert_refused(run_cli("search", "--right", "1", "--wrong", "1-2", "--library", shelf), "both")
    assert_refused(run_cli("search", "--right", "first", "--library", shelf), "by rank")
    assert_refused(run_cli("search", "a dog", "--right", "1", "--library", shelf), "last search")
    asked(shelf, '"a dog" then "a cat"')
    assert_refused(run_cli("search", "--right", "1", "--library", shelf), "over time")
    os.unlink(Library(shelf).path / "last-search.json")
    assert_refused(run_cli("search", "--right", "1", "--library", shelf), "no search")


def test_a_search_never_waits_for_a_writer_and_reads_where_it_cannot_write(shelf: Path) -> None:
    with Library(shelf).writer():
        assert asked(shelf, "a dog")["moments"]
    os.chmod(shelf, 0o555)
    try:
        assert asked(shelf, "a dog")["moments"]
    finally:
        os.chmod(shelf, 0o755)


def test_queries_over_time(film: Path, shelf: Path, tmp_path: Path) -> None:
    count = asked(shelf, 'count "a dog"')
    assert count["value"] == (len(count["moments"]) if count["found"] else 0)
    lines = tmp_path / "queries.txt"
    lines.write_text('a dog\n"a dog" then "a cat"\nhow long "a dog"\n')
    done = run_cli("search", "--queries", lines, "--library", shelf, "--json")
    plain, then, how_long = map(json.loads, done.stdout.splitlines())
    assert [plain["value"], then["value"]] == [None, None]
    assert isinstance(how_long["value"], (int, float))
    assert then["query"] == '"a dog" then "a cat"'
    for moment in then["moments"]:
        assert set(moment) == set(plain["moments"][0])
    as_phrase = asked(shelf, '"a dog" then "a cat"', "--plain")
    assert set(as_phrase["moments"][0]["signals"]) == {"picture"}
    shown = run_cli("search", 'count "a dog"', "--library", shelf).stdout
    assert shown.splitlines()[-1] == str(count["value"])


def test_an_error_in_a_query_shows_the_place(shelf: Path) -> None:
    done = run_cli("search", '"a dog" then', "--library", shelf)
    assert (done.returncode, done.stdout) == (2, "")
    message, query, mark = done.stderr.splitlines()
    assert message.startswith("semantic-video: a phrase is missing after `then`")
    assert query == '  "a dog" then'
    assert mark == " " * 14 + "^"


def test_filters(film: Path, shelf: Path) -> None:
    window = asked(shelf, "a dog", "--from", "0:02", "--to", "6.5s", "--min-length", "1s")
    assert sorted((round(m["start_s"]), round(m["end_s"])) for m in window["moments"]) == [
        (2, 4), (4, 6),
    ]  # fmt: skip
    clusters = json.loads(run_cli("clusters", film, "--library", shelf, "--json").stdout)
    wanted = clusters[1]
    for text in (wanted["id"], wanted["name"]):
        found = asked(shelf, "a dog", "--cluster", text)["moments"]
        assert {m["cluster"] for m in found} == {wanted["id"]}
    recorded = asked(shelf, "a dog", "--recorded-after", "2026-05-01T14:00:08+00:00")
    assert min(m["start_s"] for m in recorded["moments"]) >= 8
    assert asked(shelf, "a dog", "--recorded-before", "2026-05-01T13:00Z")["moments"] == []
    assert_refused(run_cli("search", "a dog", "--cluster", "zzz", "--library", shelf), "'zzz'")
    assert_refused(run_cli("search", "a dog", "--from", "noon", "--library", shelf), "--from")
    assert_refused(
        run_cli("search", "a dog", "--from", "0:05", "--to", "0:04", "--library", shelf), "between"
    )
    assert_refused(
        run_cli("search", "a dog", "--recorded-after", "May", "--library", shelf), "'May'"
    )


def test_all_and_spread(film: Path, shelf: Path) -> None:
    every = asked(shelf, "--like", f"{film}@1", "--all", "-k", 1)
    assert every["count"] == (len(every["moments"]) if every["found"] else 0)
    seconds = sum(m["end_s"] - m["start_s"] for m in every["moments"]) if every["found"] else 0
    assert every["total_s"] == pytest.approx(seconds, abs=0.01)
    shown = run_cli("search", "--like", f"{film}@1", "--all", "--library", shelf).stdout
    assert "together" in shown.splitlines()[-1]
    (only,) = asked(shelf, "a dog", "--spread")["moments"]  # the film is too short for two
    assert only == asked(shelf, "a dog", "-k", 1)["moments"][0]


def test_forms_of_an_answer(film: Path, shelf: Path) -> None:
    def printed(form: str) -> str:
        done = run_cli("search", "a dog", form, "--library", shelf, "-k", 2)
        assert done.returncode == 0, done.stderr
        return done.stdout

    first, second = asked(shelf, "a dog", "-k", 2)["moments"]
    rows = list(csv.DictReader(io.StringIO(printed("--csv"))))
    assert [float(row["start_s"]) for row in rows] == [first["start_s"], second["start_s"]]
    assert printed("--paths").splitlines()[0].split("\t") == [
        str(film), f"{first['start_s']:.3f}", f"{first['end_s']:.3f}",
    ]  # fmt: skip
    frame = round(first["start_s"] * 24)
    assert f"C        00:00:{frame // 24:02}:{frame % 24:02} " in printed("--edl").splitlines()[2]
    assert json.loads(printed("--otio"))["OTIO_SCHEMA"] == "Timeline.1"
    assert printed("--srt").startswith("1\n00:00:")
    assert_refused(run_cli("search", "a", "--csv", "--edl", "--library", shelf), "choose one")
    lines = film.parent / "two.txt"
    lines.write_text("a\nb\n")
    assert_refused(
        run_cli("search", "--queries", lines, "--edl", "--library", shelf), "holds one answer"
    )


def test_clips(film: Path, shelf: Path, tmp_path: Path) -> None:
    done = run_cli("search", "a dog", "-k", 2, "--clip", tmp_path / "clips", "--library", shelf)
    assert done.returncode == 0, done.stderr
    assert len(list((tmp_path / "clips").iterdir())) == 2
    assert done.stderr.count("copied") == 2
    exact = run_cli("search", "a dog", "-k", 1, "--clip", tmp_path / "exact", "--clip-exact",
                    "--library", shelf)  # fmt: skip
    assert "encoded again" in exact.stderr


def test_what_says_nothing_or_too_much(shelf: Path, tmp_path: Path) -> None:
    for arguments in ((), ("--minus", "people"), ("a dog", "--queries", "x.txt")):
        assert_refused(run_cli("search", *arguments, "--library", shelf), "say what to find")
    assert_refused(run_cli("search", "--image", "gone.png", "--library", shelf), "gone.png")
    assert_refused(run_cli("search", "dog", "--plus", "*2", "--library", shelf), "adds nothing")
    assert_refused(run_cli("search", "dog", "--save-as", "@", "--library", shelf), "name")
    assert_refused(run_cli("search", "dog", "--save-as", "a\nb", "--library", shelf), "name")
    assert_refused(run_cli("search", "dog", "-k", 10**20, "--library", shelf), "--all")
    assert_refused(run_cli("search", "dog", "--from", "1:99", "--library", shelf), "no time")
    assert_refused(run_cli("search", "a \udcff dog", "--library", shelf), "UTF-8")
    for ranks in ("3-1", "1-9999999999", "9" * 5000):
        assert_refused(run_cli("search", "--right", ranks, "--library", shelf), "by rank")
    taken = tmp_path / "file"
    taken.touch()
    for folder in (taken, taken / "sub"):
        assert_refused(run_cli("search", "dog", "--clip", folder, "--library", shelf), "a folder")
    assert_refused(
        run_cli("search", '"a" then "b"', "--minus", "c", "--library", shelf), "over time"
    )


def test_the_same_from_python(film: Path, shelf: Path, photo: Path) -> None:
    processor = SemanticVideoProcessor(film, num_clusters=3, library=shelf)
    ask = processor.query_semantic_memory

    def shots_of(moments: Any, k: int = 2) -> set[int]:
        return {int(moment.keyframe_s // 2) for moment in moments[:k]}

    assert shots_of(ask(image=photo)) == {1, 4}
    assert shots_of(ask(like=5.0)) == {2, 5}
    liked = ask(like=5.0)
    assert shots_of(ask(like=liked[0])) == {2, 5}
    assert shots_of(ask(like=1.0, minus=f"{film}@0", plus=[str(photo)])) == {1, 4}
    marked = ask(like=5.0, right=ask(image=photo)[:2], wrong=liked[:2], k=3)
    assert shots_of(marked, 4) & {1, 4}
    assert ask('count "a dog"').value is not None
    assert ask("a dog then a cat", plain=True).value is None
    inside = ask("a dog", filters=Filters(start_s=4, end_s=8))
    assert all(4 <= moment.start_s < moment.end_s <= 8 for moment in inside)
    with pytest.raises(QueryError, match="empty"):
        ask(" ")
    with pytest.raises(QueryError, match="say what to find"):
        ask(minus="people")
