"""Words on pictures: where they break, how small they get, and letters that no font has."""

from __future__ import annotations

from pathlib import Path

import matplotlib

from semantic_video.records import Cluster, Span
from semantic_video.utils.visualization import timeline
from semantic_video.utils.visualization.lettering import font_of, legible
from semantic_video.utils.visualization.page import page
from tests.utils.visualization.films import LONG_NAME


def test_lines_are_never_wider_than_asked(tmp_path: Path) -> None:
    with page(tmp_path / "p.png") as drawing:
        for text in (LONG_NAME, "computer-animated/hand-drawn", "", "a " * 50, "猫" * 30):
            lines = drawing.wrap(text, 1.0)
            assert "".join(lines).replace(" ", "") == legible(text).replace(" ", "")
            assert all(drawing.width_of(line) <= 1.0 for line in lines)


def test_words_break_at_hyphens_and_nowhere_else(tmp_path: Path) -> None:
    with page(tmp_path / "p.png") as drawing:
        assert drawing.wrap("a computer-animated film", 0.8) == [
            "a computer-",
            "animated",
            "film",
        ]
        (line,) = drawing.wrap("W" * 200, 1.0)
        assert line.endswith("W…")
        assert drawing.width_of(line) <= 1.0
        lines, size = drawing.fitted("a lighthouse-keeper", 0.68, 9.0)
        assert lines == ["a", "lighthouse-", "keeper"]
        assert 6.5 <= size < 9.0


def test_a_letter_that_one_font_lacks_comes_from_another(tmp_path: Path) -> None:
    letter = "\ua72c"  # both fonts come with matplotlib
    assert font_of(letter) == "DejaVu Serif"
    assert legible(letter) == letter
    before = list(matplotlib.rcParams["font.family"])
    with page(tmp_path / "p.png") as drawing:
        width = drawing.width_of(letter)
        matplotlib.rcParams["font.family"] = ["DejaVu Serif"]
        assert drawing.width_of(letter) == width  # and not that of an empty box
    assert list(matplotlib.rcParams["font.family"]) == before


def test_what_no_font_has_is_spelt_and_said(tmp_path: Path) -> None:
    assert legible("Łódź кот") == "Łódź кот"
    if font_of("क") is None:
        assert legible("कुत्ता") == "kuttaa"
    assert "\U00010600" not in legible("\U00010600")  # a sign of Linear A
    name = "a cat \U00012000"
    spelt, plain = (
        timeline([cluster], 9.0, tmp_path / "t.svg").read_text("utf-8")
        for cluster in (
            Cluster(0, name, (0,), (Span(0, 9),), 9.0, 0, 1.0),
            Cluster(0, "a cat", (0,), (Span(0, 9),), 9.0, 0, 1.0),
        )
    )
    if font_of("\U00012000") is None:
        assert f"<!-- {legible(name)} -->" in spelt
        assert "Letters that no font of this computer has" in spelt
    assert "Letters that no font" not in plain
