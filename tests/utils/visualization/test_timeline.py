"""The timeline picture, looked at through its pixels."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import matplotlib
import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from PIL import Image

from semantic_video.errors import ConfigError
from semantic_video.records import Cluster, Span
from semantic_video.utils.visualization import memory_account, report, scene_map, timeline

Picture = NDArray[np.uint8]
LONG_NAME = "people who stand around a table in a large kitchen and prepare a meal together"
NAMES = st.text(st.characters(max_codepoint=0x24F, categories=("L", "N", "P", "S", "Zs")))


def cluster(number: int, name: str, *occurrences: tuple[float, float]) -> Cluster:
    spans = tuple(Span(*occurrence) for occurrence in occurrences)
    total_s = sum(span.duration_s for span in spans)
    scenes = tuple(range(len(spans)))
    return Cluster(number, name, scenes, spans, total_s, 0, spans[0].start_s)


def taking_turns(count: int, duration_s: float, times: int) -> list[Cluster]:
    """Clusters that are shown one after the other, ``times`` times."""
    step = duration_s / (count * times)
    starts = [[step * (turn * count + number) for turn in range(times)] for number in range(count)]
    return [
        cluster(number, f"cluster {number}", *((start, start + step) for start in shown))
        for number, shown in enumerate(starts)
    ]


def pixels(path: Path) -> Picture:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def coloured_rows(picture: Picture) -> list[NDArray[np.intp]]:
    """The columns in which each row of bands is coloured, from the top; text and grid are grey."""
    coloured = picture.max(axis=2).astype(int) - picture.min(axis=2) > 25
    inside = np.concatenate([[False], coloured.any(axis=1), [False]])
    edges = np.flatnonzero(inside[1:] != inside[:-1])
    return [
        np.flatnonzero(coloured[first:last].all(axis=0))
        for first, last in zip(edges[::2], edges[1::2], strict=True)
    ]


def test_bands_lie_where_their_clusters_occur(tmp_path: Path) -> None:
    clusters = [cluster(0, "sea", (0, 10), (30, 40)), cluster(1, "street", (10, 30))]
    sea, street = coloured_rows(pixels(timeline(clusters, 40.0, tmp_path / "t.png")))
    first, width = sea[0], sea[-1] - sea[0]
    assert (street[0] - first) / width == pytest.approx(0.25, abs=0.01)
    assert (street[-1] - first) / width == pytest.approx(0.75, abs=0.01)
    assert len(street) == pytest.approx(len(sea), rel=0.02)
    assert np.intersect1d(sea, street).size <= 4  # of a thousand: bands meet within a pixel


def test_rows_stand_in_the_order_in_which_clusters_first_appear(tmp_path: Path) -> None:
    clusters = taking_turns(12, 60.0, 2)[::-1]
    rows = coloured_rows(pixels(timeline(clusters, 60.0, tmp_path / "t.png")))
    assert len(rows) == 12
    assert all(before[0] < after[0] for before, after in pairwise(rows))


def test_a_short_occurrence_in_a_long_film_can_be_seen(tmp_path: Path) -> None:
    clusters = [cluster(0, "sea", (0, 18_000)), cluster(1, "a flash", (9_000.0, 9_000.04))]
    sea, flash = coloured_rows(pixels(timeline(clusters, 18_000.0, tmp_path / "t.png")))
    assert 1 <= len(flash) <= 3
    assert (flash[0] - sea[0]) / (sea[-1] - sea[0]) == pytest.approx(0.5, abs=0.01)


def test_an_occurrence_at_the_very_end_stays_inside(tmp_path: Path) -> None:
    clusters = [cluster(0, "sea", (0, 18_000)), cluster(1, "a flash", (17_999.99, 18_000.0))]
    sea, flash = coloured_rows(pixels(timeline(clusters, 18_000.0, tmp_path / "t.png")))
    assert flash[-1] <= sea[-1]


def test_clusters_beyond_the_rows_are_gathered(tmp_path: Path) -> None:
    full = pixels(timeline(taking_turns(32, 600, 3), 600.0, tmp_path / "full.png"))
    crowded = pixels(timeline(taking_turns(300, 600, 3), 600.0, tmp_path / "crowded.png"))
    assert len(coloured_rows(full)) == 32
    assert len(coloured_rows(crowded)) == 30  # and two grey ones
    assert crowded.shape[0] <= full.shape[0]


def test_what_is_seen_once_shares_a_row_when_rows_are_few(tmp_path: Path) -> None:
    returning = cluster(99, "returning", (0, 1), (50, 51))
    clusters = [returning, *taking_turns(40, 60.0, 1)]
    picture = pixels(timeline(clusters, 60.0, tmp_path / "t.png", max_rows=10))
    (row,) = coloured_rows(picture)
    assert row[-1] > row[0] + 500  # both occurrences


@settings(max_examples=15, deadline=None)
@given(
    names=st.lists(NAMES, max_size=4),
    title=NAMES,
    duration_s=st.floats(0.1, 100_000.0),
)
@example(names=[], title="", duration_s=60.0)
@example(names=[LONG_NAME], title=" ".join(5 * [LONG_NAME]), duration_s=60.0)
@example(names=[r"$\frac$ is no mathematics", "W" * 200], title="W" * 200, duration_s=60.0)
def test_nothing_is_cut_at_the_edges(
    names: list[str], title: str, duration_s: float, tmp_path_factory: pytest.TempPathFactory
) -> None:
    path = tmp_path_factory.mktemp("t") / "t.png"
    clusters = [cluster(number, name, (0.0, duration_s)) for number, name in enumerate(names)]
    picture = pixels(timeline(clusters, duration_s, path, title=title))
    for edge in (picture[:4], picture[-4:], picture[:, :4], picture[:, -4:]):
        assert (edge == 255).all()
    assert picture.shape[1] == 1600


def test_a_long_name_gets_the_height_it_needs(tmp_path: Path) -> None:
    short = pixels(timeline([cluster(0, "sea", (0, 5))], 5.0, tmp_path / "short.png"))
    long = pixels(timeline([cluster(0, LONG_NAME, (0, 5))], 5.0, tmp_path / "long.png"))
    assert long.shape[0] > short.shape[0] + 50
    assert len(coloured_rows(long)) == 1


def test_a_video_without_clusters_still_has_its_axis(tmp_path: Path) -> None:
    picture = pixels(timeline([], 60.0, tmp_path / "t.png"))
    assert (picture < 100).any()
    assert coloured_rows(picture) == []


@pytest.mark.parametrize("suffix", [".png", ".svg", ".pdf"])
def test_the_same_input_gives_the_same_bytes_whatever_the_users_style(
    suffix: str, tmp_path: Path
) -> None:
    clusters = taking_turns(5, 60.0, 3)
    first = timeline(clusters, 60.0, tmp_path / f"a{suffix}", title="a film").read_bytes()
    with matplotlib.rc_context({"font.size": 30, "axes.facecolor": "red", "savefig.dpi": 30}):
        again = timeline(clusters, 60.0, tmp_path / f"b{suffix}", title="a film").read_bytes()
        assert matplotlib.rcParams["font.size"] == 30
    assert first == again


def test_what_cannot_be_drawn_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"'t\.bmp': end it in \.png, \.svg or \.pdf"):
        timeline([], 60.0, tmp_path / "t.bmp")
    with pytest.raises(ConfigError, match="positive duration"):
        timeline([], 0.0, tmp_path / "t.png")
    with pytest.raises(ConfigError, match="at least 3"):
        timeline([], 60.0, tmp_path / "t.png", max_rows=2)
    with pytest.raises(ConfigError, match="A map needs a scene"):
        scene_map([], [], [], {}, tmp_path / "m.png")
    with pytest.raises(ConfigError, match="needs an entry"):
        memory_account([], 10, [], tmp_path / "m.png")
    with pytest.raises(ConfigError, match="A report needs a scene"):
        report([], [], {}, tmp_path / "film.mp4", tmp_path / "r.html")
    assert list(tmp_path.iterdir()) == []
