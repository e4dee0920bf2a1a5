"""Lines in the library: passes of their own beside the pictures, from the index to the search."""

from __future__ import annotations

import json
import shutil
from importlib.util import find_spec
from pathlib import Path

import numpy as np
import pytest

from semantic_video.cli import run
from semantic_video.library import Library
from semantic_video.records import Line
from semantic_video.transcripts.screen_text import merge_lines
from tests.library_cases import make_memory, make_record
from tests.media import Shot, picture, render, write_video

SRT = "1\n00:00:01,000 --> 00:00:02,000\nThe waggle dance of the bees\n"


@pytest.fixture(scope="module")
def rendered(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    return write_video(path, render([Shot(1, 3), Shot(2, 3)]))


@pytest.fixture
def film(rendered: Path, tmp_path: Path) -> Path:
    """A copy of the film in a folder of its own, with subtitles beside it."""
    own = tmp_path / "films" / "film.mp4"
    own.parent.mkdir()
    shutil.copy2(rendered, own)
    own.with_suffix(".srt").write_text(SRT)
    return own


def command(capsys: pytest.CaptureFixture[str], *words: str) -> list[dict]:
    assert run([*words, "--json"]) == 0
    out = json.loads(capsys.readouterr().out)
    return out if isinstance(out, list) else [out]


def test_subtitles_are_found_by_search_and_read_again_only_when_they_change(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf = ["--library", str(tmp_path / "library")]

    def index(*options: str) -> list[str]:
        return command(capsys, "index", str(film), "--ocr", "off", *shelf, *options)[0]["done"]

    def search(query: str, *options: str) -> dict:
        return command(capsys, "search", query, *shelf, *options)[0]

    film.with_suffix(".srt").rename(film.with_suffix(".bak"))
    assert "speech" not in index()
    assert search("the waggle dance", "--in", "speech")["moments"] == []

    film.with_suffix(".bak").rename(film.with_suffix(".srt"))
    assert index() == ["speech"]
    assert index() == []
    answer = search("the waggle dance of bees")
    assert answer["found"]
    first = answer["moments"][0]
    assert (first["start_s"], first["end_s"]) == (1.0, 2.0)
    assert set(first["signals"]) == {"picture", "speech"}
    assert search("the waggle dance", "--in", "text")["moments"] == []
    assert all(
        set(m["signals"]) == {"picture"} for m in search("a dance", "--in", "picture")["moments"]
    )

    # Another grouping, and another generation, keep the lines.
    assert "speech" not in index("--num-clusters", "1")
    assert "speech" not in index("--memory-size", "1")
    assert search("waggle", "--in", "speech")["moments"]

    film.with_suffix(".srt").write_text(SRT.replace("waggle dance", "honey flow"))
    assert index() == ["speech"]
    assert search("waggle", "--in", "speech")["moments"] == []
    assert search("honey", "--in", "speech")["moments"]


def test_a_broken_subtitle_file_is_a_note_and_loses_nothing(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film.with_suffix(".srt").write_bytes(b"\x00\xff nothing of the kind")
    assert run(["index", str(film), "--ocr", "off", "--library", str(tmp_path / "library")]) == 0
    notes = capsys.readouterr().err
    assert "holds no subtitles: mend it or take it away" in notes
    assert "Traceback" not in notes
    assert run(["search", "a dog", "--library", str(tmp_path / "library")]) == 0
    assert run(["search", "a dog", "--in", "sound", "--library", str(tmp_path / "library")]) == 2
    assert "use picture, speech or text" in capsys.readouterr().err


def test_lines_come_back_as_they_were_saved_and_go_with_their_video(tmp_path: Path) -> None:
    library = Library(tmp_path / "library", create=True)
    one = library.save(make_record(1), make_memory(1))
    other = library.save(make_record(2), make_memory(2))
    assert library.lines() == {one.id: (), other.id: ()}  # as in a library older than lines
    speech = [Line(5.0, 6.0, "zweite", "speech", 0.5), Line(1.0, 2.0, "erste", "speech")]
    text = [Line(0.0, 9.0, "日本 \ud800", "text", 0.75)]
    library.save_lines(one.id, "speech", speech, "made so", one.generation)
    saved = library.save_lines(one.id, "text", text, "and so", one.generation)
    library.save_lines(other.id, "speech", speech[:1], "else", other.generation)
    assert saved.stages == {"speech": "made so", "text": "and so"}
    lines = library.lines([one.id])[one.id]
    assert [line.text for line in lines] == ["日本 ?", "erste", "zweite"]
    assert lines[2] == speech[0]
    library.save_lines(one.id, "speech", speech[1:], "again", one.generation)
    assert [line.text for line in library.lines([one.id])[one.id]] == ["日本 ?", "erste"]
    library.save_lines(one.id, "text", [], "none", one.generation)
    words = library.line_words()
    assert len(words) == 2
    assert {words.videos[row] for row in words.video} == {one.id, other.id}
    library.remove(one.id)
    assert len(library.line_words()) == 1
    assert library.health(verify=True)[1].ok


def test_readings_of_one_line_are_one_line() -> None:
    def line(start_s: float, text: str, confidence: float = 0.9) -> Line:
        return Line(start_s, start_s + 5, text, "text", confidence)

    lines = merge_lines(
        [
            line(0, "Waggle dance shows the way"),
            line(5, "Waggle dance shows tne way", 0.7),
            line(5, "After ten years: 1628.89"),
            line(60, "Waggle dance shows the way"),
            line(0, "1628.89"),
            line(5, "1629.90"),
        ]
    )
    assert [(found.start_s, found.end_s, found.text) for found in lines] == [
        (0, 10, "Waggle dance shows the way"),
        (0, 5, "1628.89"),
        (5, 10, "After ten years: 1628.89"),
        (5, 10, "1629.90"),
        (60, 65, "Waggle dance shows the way"),
    ]


@pytest.mark.slow
def test_text_in_the_picture_is_read_where_it_is(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pytest.importorskip("rapidocr")
    import cv2  # comes with RapidOCR

    def slide(*lines: str) -> np.ndarray:
        shown = np.full((360, 640, 3), 245, np.uint8)
        for row, text in enumerate(lines):
            cv2.putText(
                shown, text, (40, 90 + 80 * row), cv2.FONT_HERSHEY_SIMPLEX, 1.3, (20, 20, 60), 3
            )
        return shown

    photo = picture(3, 640, 360)
    shown = [photo] * 72 + [slide("Compound interest", "principal 4321")] * 96 + [photo] * 72
    film = write_video(tmp_path / "film.mp4", shown)
    shelf = ["--library", str(tmp_path / "library")]
    assert command(capsys, "index", str(film), "--ocr", "off", *shelf)[0]["done"][-1] == "clusters"
    assert command(capsys, "index", str(film), "--ocr", "all", *shelf)[0]["done"] == ["text"]
    assert command(capsys, "index", str(film), *shelf)[0]["done"] == []
    answer = command(capsys, "search", "principal 4321", *shelf)[0]
    first = answer["moments"][0]
    assert answer["found"]
    assert first["signals"]["text"] > 0.5
    assert first["start_s"] == pytest.approx(3, abs=0.1)
    assert first["end_s"] == pytest.approx(7, abs=0.1)


def test_a_copy_elsewhere_does_not_put_its_subtitles_in_the_place_of_the_film_s(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = tmp_path / "library"
    copy = tmp_path / "elsewhere" / "copy.mp4"
    copy.parent.mkdir()
    shutil.copy2(film, copy)
    copy.with_suffix(".srt").write_text(SRT.replace("waggle dance", "honey flow"))
    options = ["--ocr", "off", "--library", str(library)]
    assert command(capsys, "index", str(film), *options)[0]["done"][-1] == "speech"
    assert command(capsys, "index", str(copy), *options)[0]["done"] == []
    (lines,) = Library(library).lines().values()
    assert ["waggle" in line.text for line in lines] == [True]


def test_the_table_says_what_found_a_moment_where_words_did(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf = ["--library", str(tmp_path / "library")]
    assert run(["index", str(film), "--ocr", "off", *shelf]) == 0
    capsys.readouterr()
    assert run(["search", "the waggle dance of bees", *shelf]) == 0
    head, first, *_ = capsys.readouterr().out.splitlines()[1:]
    assert head.endswith("found by")
    assert first.endswith("speech")
    assert run(["search", "a red square", *shelf]) == 0
    assert "found by" not in capsys.readouterr().out
    assert run(["search", "the waggle dance of bees", "--csv", *shelf]) == 0
    head, first, *_ = capsys.readouterr().out.splitlines()
    assert head.endswith(",signals")
    assert first.endswith("speech")


def test_a_picture_is_not_found_in_words(
    film: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shelf = ["--library", str(tmp_path / "library")]
    assert run(["index", str(film), "--ocr", "off", *shelf]) == 0
    assert run(["search", "--like", f"{film}@0:01", "--in", "speech", *shelf]) == 2
    assert "take --in speech or text away" in capsys.readouterr().err


@pytest.mark.skipif(find_spec("faster_whisper") is not None, reason="the extra is installed")
def test_a_speech_model_without_the_extra_is_one_line_and_indexing_goes_on(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = write_video(tmp_path / "talk.mp4", render([Shot(1, 2)]), audio_s=2.0)
    asked = ["--ocr", "off", "--speech-model", str(tmp_path), "--library", str(tmp_path / "l")]
    assert run(["index", str(film), *asked]) == 0
    notes = capsys.readouterr().err
    assert "what is said is not indexed: pip install 'semantic-video[speech]'" in notes
