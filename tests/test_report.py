"""The report: one page that needs no network, looked at as text and in a browser."""

from __future__ import annotations

import json
import re
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semantic_video.cli import run
from semantic_video.errors import OutputError
from semantic_video.records import Span
from semantic_video.utils.visualization import Answered, report
from semantic_video.utils.visualization.report import BYTES_AN_HOUR
from tests.browser import CHROMIUM, Browser
from tests.media import Shot, render, write_video
from tests.utils.visualization.films import Film, film


def data_of(page: Path) -> dict[str, Any]:
    """What a page was given to show."""
    found = re.search(
        r'<script type="application/json" id="data">(.*?)</script>', page.read_text(), re.DOTALL
    )
    assert found
    data: dict[str, Any] = json.loads(found[1])
    return data


def written(film: Film, folder: Path, **more: Any) -> Path:
    return report(
        film.clusters,
        film.scenes,
        film.thumbnails,
        folder / "films" / "a film #1.mp4",
        folder / "report.html",
        **more,
    )


def test_times_link_into_the_film_by_a_relative_path(tmp_path: Path) -> None:
    data = data_of(written(film(12, 4, 60.0), tmp_path))
    assert data["film"] == "films/a%20film%20%231.mp4"
    assert len(data["scenes"]) == 12
    assert sorted(scene for cluster in data["clusters"] for scene in cluster["scenes"]) == list(
        range(12)
    )
    assert len(data["thumbs"]) == 12


def test_a_row_of_several_clusters_is_found_by_their_names(tmp_path: Path) -> None:
    data = data_of(written(film(120, 60, 600.0), tmp_path))
    own = {row["name"] for row in data["rows"] if not row["gathered"]}
    gathered = [name for row in data["rows"] for name in row["gathered"]]
    assert gathered
    assert own | set(gathered) == {cluster["name"] for cluster in data["clusters"]}


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium")
def test_in_a_browser_a_search_keeps_the_row_that_gathers_what_it_names(tmp_path: Path) -> None:
    page = written(film(120, 60, 600.0), tmp_path)
    (name, *_) = next(row["gathered"] for row in data_of(page)["rows"] if row["gathered"])
    with Browser(tmp_path / "profile") as browser:
        browser.open(page)
        browser.run("document.querySelector('#search').focus()")
        browser.call("Input.insertText", text=name)
        shown = "[...document.querySelectorAll('#rows .row')].filter(row => !row.hidden).length"
        assert browser.run(shown) >= 1
        browser.call("Input.insertText", text=" no such name")
        assert browser.run(shown) == 0


def test_what_was_said_and_written_are_rows_of_the_timeline(tmp_path: Path) -> None:
    made = film(12, 4, 60.0)
    marks = {"speech": [Span(1, 2), Span(50, 60)], "screen text": [Span(3, 9)]}
    data = data_of(written(made, tmp_path, marks=marks))
    rows = {row["name"]: (row["spans"], row["total"]) for row in data["rows"][-2:]}
    speech, text = ([[1, 2], [50, 60]], "2 lines"), ([[3, 9]], "1 line")
    assert rows == {"speech": speech, "screen text": text}
    assert len(data["rows"]) == len(data_of(written(made, tmp_path))["rows"]) + 2


def test_a_cluster_shows_scenes_that_have_a_picture(tmp_path: Path) -> None:
    made = film(12, 4, 60.0)
    for time_s in sorted(made.thumbnails)[::3]:
        del made.thumbnails[time_s]
    data = data_of(written(made, tmp_path))
    pictured = [scene[2] is not None for scene in data["scenes"]]
    assert not all(pictured)
    for cluster in data["clusters"]:
        if any(pictured[scene] for scene in cluster["scenes"]):
            assert all(pictured[scene] for scene in cluster["shown"])


def test_names_cannot_break_out_of_the_page(tmp_path: Path) -> None:
    made = film(4, 2, 20.0)
    bad = "</script><script>alert(1)</script><!--"
    clusters = tuple(replace(cluster, name=bad) for cluster in made.clusters)
    page = written(replace(made, clusters=clusters), tmp_path, lines=[(1.0, 2.0, bad)])
    assert page.read_text().count("</script>") == 2
    data = data_of(page)
    assert data["lines"] == [[1.0, 2.0, bad]]
    assert {cluster["name"] for cluster in data["clusters"]} == {bad}


@pytest.mark.parametrize(("scenes", "duration_s"), [(1500, 3600.0), (1500, 60.0)])
def test_a_page_keeps_to_its_size_and_to_what_tells_most(
    scenes: int, duration_s: float, tmp_path: Path
) -> None:
    made = film(scenes, 40, duration_s)
    rng = np.random.default_rng(0)
    made.thumbnails.update({time: rng.bytes(6000) for time in made.thumbnails})
    page = written(made, tmp_path)
    assert 0.9 * BYTES_AN_HOUR < page.stat().st_size < 5_000_000
    data = data_of(page)
    for cluster in data["clusters"]:
        assert data["scenes"][cluster["shown"][0]][2] is not None


def test_pictures_of_many_small_marks_leave_room_for_themselves(tmp_path: Path) -> None:
    made = film(1500, 40, 3600.0)
    rng = np.random.default_rng(0)
    made.thumbnails.update({time: rng.bytes(6000) for time in made.thumbnails})
    pictures = [("Map", "<" * 300_000), ("Themes", "<" * 300_000)]  # each sign takes six bytes
    page = written(made, tmp_path, pictures=pictures)
    assert page.stat().st_size < 5_000_000
    data = data_of(page)
    assert [title for title, _ in data["pictures"]] == ["Map"]
    assert data["left_out"] == ["Themes"]


def test_answers_stand_as_links_also_where_their_picture_is_left_out(tmp_path: Path) -> None:
    made = film(12, 4, 60.0)
    answers = {"Query: a dog": Answered("Perhaps.", tuple(made.candidates()[:2]))}
    pictures = [("Query: a dog", "<" * 1_000_000)]
    data = data_of(written(made, tmp_path, pictures=pictures, answers=answers))
    assert data["left_out"] == ["Query: a dog"]
    first = made.candidates()[0]
    listed = data["answers"]["Query: a dog"]
    assert listed["outcome"] == "Perhaps."
    many = film(80, 4, 400.0)
    answers = {"Query: a dog": Answered("Found.", tuple(many.candidates()))}
    more = data_of(written(many, tmp_path, answers=answers))["answers"]["Query: a dog"]
    assert more["outcome"] == "Found. The first 50 of 80."
    assert len(more["moments"]) == 50
    assert listed["moments"][0] == [first.start_s, first.end_s, f"> 99 %, {first.cluster_name}"]


def test_what_was_watched_has_no_file_to_play(tmp_path: Path) -> None:
    made = film(4, 2, 20.0)
    address = "http://127.0.0.1:8000/live.m3u8"
    page = report(made.clusters, made.scenes, made.thumbnails, address, tmp_path / "report.html")
    data = data_of(page)
    assert (data["film"], data["place"], data["name"]) == (None, address, address)
    if CHROMIUM is None:
        return
    with Browser(tmp_path / "profile") as browser:
        browser.open(page)
        browser.wait_for("!document.querySelector('#missing').hidden")
        assert "no file of it is kept" in browser.run(
            "document.querySelector('#missing').textContent"
        )
        assert browser.run("document.querySelectorAll('a').length") == 0
        assert browser.errors == []


def test_a_page_that_cannot_be_written_is_one_line(tmp_path: Path) -> None:
    made = film(2, 2, 10.0)
    with pytest.raises(OutputError, match="cannot write"):
        written(made, tmp_path / "no" / "such")


def test_nothing_in_the_page_points_outside(tmp_path: Path) -> None:
    text = written(film(4, 2, 20.0), tmp_path).read_text()
    assert re.findall(r"https?://[^\s\"']*", text) == ["http://www.w3.org/2000/svg"]  # a name


@pytest.mark.parametrize("words", [[], ["-o", "report.pdf"]])
def test_where_to_write_must_be_said(
    words: list[str], tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["report", "film.mp4", *words, "--library", str(tmp_path)]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.skipif(CHROMIUM is None, reason="there is no Chromium: apt-get install chromium")
def test_in_a_browser_a_click_plays_the_film_and_nothing_leaves_the_machine(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shots = [Shot(1, 2), Shot(2, 2), Shot(1, 2), Shot(3, 2)]
    path = write_video(
        tmp_path / "a film #1.webm", render(shots), codec="libvpx", options={"deadline": "realtime"}
    )
    path.with_suffix(".srt").write_text("1\n00:00:02,000 --> 00:00:04,000\nGood evening\n")
    library = ["--library", str(tmp_path / "library")]
    assert run(["index", str(path), "--quiet", *library]) == 0
    page = tmp_path / "report.html"
    asked = ["--query", "a pattern", "--query", '"a pattern" then "a dog"']
    assert run(["report", str(path), "-o", str(page), *asked, *library]) == 0
    assert capsys.readouterr().out.strip() == str(page)

    with Browser(tmp_path / "profile") as browser:
        browser.open(page)
        browser.wait_for("video.readyState >= 1")
        start = browser.run("data.clusters[0].first + 0")
        browser.click("tbody tr .strip a:nth-of-type(2)")
        at = browser.run(
            "Number(document.querySelector('tbody tr .strip a:nth-of-type(2)').dataset.t)"
        )
        browser.wait_for(f"video.currentTime >= {at} && !video.seeking")
        assert browser.run("video.currentTime") < at + 2
        assert at != start or at == 0

        browser.click("#rows .row svg a")
        browser.wait_for("!video.seeking")
        assert browser.run("location.hash") == ""  # played here, not gone there

        assert browser.run("document.querySelectorAll('#pictures .answers').length") == 2
        last = ".answers li:last-child a"
        browser.click(last)
        browser.wait_for(
            f"Math.abs(video.currentTime - document.querySelector('{last}').dataset.t) < 1"
            " && !video.seeking"
        )

        names = "[...document.querySelectorAll('tbody td.name')].map(cell => cell.textContent)"
        browser.click("th[data-key=name] button")
        ascending = browser.run(names)
        assert ascending == sorted(ascending, key=str.lower)
        browser.click("th[data-key=name] button")
        assert browser.run(names) == ascending[::-1]

        browser.run("document.querySelector('#search').focus()")
        browser.call("Input.insertText", text="EVENING")
        shown = "[...document.querySelectorAll('.lines li')].filter(line => !line.hidden).length"
        assert browser.run(shown) == 1
        assert browser.run("[...document.querySelectorAll('tbody tr')].every(row => row.hidden)")

        assert browser.errors == []
        outside = [
            url for url in browser.requests if not url.startswith(("file:", "data:", "blob:"))
        ]
        assert outside == []
        assert any(url.endswith("a%20film%20%231.webm") for url in browser.requests)

        path.rename(tmp_path / "gone.webm")
        browser.open(page)
        browser.wait_for("!document.querySelector('#missing').hidden")
