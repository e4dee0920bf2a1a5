"""The timeline in characters."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic_video.records import Cluster, Span
from semantic_video.utils.visualization.terminal import timeline_text
from tests.utils.visualization.films import LONG_NAME, film


def cluster(number: int, name: str, *spans: tuple[float, float]) -> Cluster:
    occurrences = tuple(Span(*span) for span in spans)
    total_s = sum(span.duration_s for span in occurrences)
    return Cluster(number, name, (0,), occurrences, total_s, 0, spans[0][0])


def test_returns_are_seen() -> None:
    shown = timeline_text(
        [cluster(0, "sea", (0, 25), (75, 100)), cluster(1, "street", (25, 75))], 100.0, width=60
    )
    sea, street, axis = shown.split("\n")
    assert sea.count("█") == pytest.approx(street.count("█"), abs=2)
    assert sea.split()[-3:] == ["2×", "50.0", "s"]
    assert sea.index("█") < street.index("█") < sea.rindex("█")
    assert axis.split()[0] == "0:00:00"


def test_a_short_occurrence_in_a_long_film_can_be_seen() -> None:
    flash = timeline_text([cluster(0, "flash", (9000.0, 9000.04))], 18_000.0)
    assert flash.split("\n")[0].count("▒") == 1


def test_plain_is_ascii() -> None:
    assert timeline_text(film(12, 4, 60.0).clusters, 60.0, plain=True).isascii()


@settings(max_examples=30, deadline=None)
@given(
    scenes=st.integers(1, 60),
    width=st.integers(60, 200),
    duration_s=st.floats(0.1, 100_000.0),
    name=st.sampled_from(["sea", LONG_NAME, "海辺の散歩", "W" * 90, "\x1b[2J\n"]),
)
def test_no_line_is_longer_than_the_terminal(
    scenes: int, width: int, duration_s: float, name: str
) -> None:
    shown = timeline_text(film(scenes, 8, duration_s, name).clusters, duration_s, width=width)
    assert all(len(line) <= width for line in shown.split("\n"))
    assert "\x1b" not in shown


def test_marks_have_a_row() -> None:
    shown = timeline_text(
        [cluster(0, "sea", (0, 10))], 10.0, marks={"speech": [Span(0.0, 5.0)]}
    ).split("\n")
    assert shown[1].strip().startswith("speech")
    assert "█" in shown[1]
    assert "·" in shown[1]
