"""What is written in pictures: nothing runs into anything, beyond the edge, or speaks of nothing.

An SVG holds each text as a comment with its place, so that boxes can be worked out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import unescape
from itertools import combinations
from pathlib import Path

import pytest

from semantic_video.utils.visualization.experts import told_apart
from semantic_video.utils.visualization.page import Page, page
from tests.utils.visualization.films import LONG_NAME, film
from tests.utils.visualization.test_pictures import PICTURES, Draw, draw_map, draw_sheet

Box = tuple[float, float, float, float]
_TEXT = re.compile(
    r'<!-- ([^\n]*?) -->\s*<g[^>]*transform="translate\(([\d.-]+) ([\d.-]+)\) '
    r'scale\(([\d.]+) -[\d.]+\)"[^>]*>(.*?)</g>',
    re.DOTALL,
)
TOUCH_PT = 0.5
"""Boxes may share so much: letters are smaller than the line they stand in."""


def boxes_of(svg: str, drawing: Page) -> Iterator[tuple[str, Box]]:
    """Each text with its left, top, right and bottom edge, in points."""
    for text, x, y, scale, letters in _TEXT.findall(svg):
        size, left, line = 100 * float(scale), float(x), float(y)
        text = unescape(text)
        width = 72 * drawing.width_of(text, size, bold="Bold" in letters)
        yield text, (left, line - 0.72 * size, left + width, line + 0.2 * size)


def apart(one: Box, other: Box) -> bool:
    shared_x = min(one[2], other[2]) - max(one[0], other[0])
    shared_y = min(one[3], other[3]) - max(one[1], other[1])
    return shared_x <= TOUCH_PT or shared_y <= TOUCH_PT


@pytest.mark.parametrize("draw", PICTURES)
@pytest.mark.parametrize(
    ("scenes", "clusters", "duration_s", "name"),
    [
        (1, 1, 5.0, LONG_NAME),
        (30, 9, 300.0, LONG_NAME),
        (100, 80, 1500.0, LONG_NAME),
        (400, 60, 18_000.0, "a dog"),
    ],
)
def test_no_words_run_into_others_or_beyond_the_edge(
    draw: Draw, scenes: int, clusters: int, duration_s: float, name: str, tmp_path: Path
) -> None:
    svg = draw(film(scenes, clusters, duration_s, name=name), tmp_path / "p.svg").read_text("utf-8")
    size = re.search(r'viewBox="0 0 ([\d.]+) ([\d.]+)"', svg)
    assert size is not None
    wide, high = map(float, size.groups())
    with page(tmp_path / "ruler.svg") as ruler:
        boxes = list(boxes_of(svg, ruler))
    assert len(boxes) >= 5
    assert not [
        (text, other)
        for (text, box), (other, beside) in combinations(boxes, 2)
        if not apart(box, beside)
    ]
    assert not [
        text
        for text, (left, top, right, bottom) in boxes
        if left < 0 or top < 0 or right > wide or bottom > high
    ]


def test_words_that_cover_one_another_are_seen(tmp_path: Path) -> None:
    with page(tmp_path / "p.svg") as drawing:
        for x, text in ((0.1, "a long name"), (0.6, "another"), (3.0, "far away")):
            drawing.text(x, 0.2, text)
    svg = (tmp_path / "p.svg").read_text("utf-8")
    with page(tmp_path / "ruler.svg") as ruler:
        boxes = dict(boxes_of(svg, ruler))
    assert not apart(boxes["a long name"], boxes["another"])
    assert apart(boxes["another"], boxes["far away"])


def test_what_a_picture_does_not_hold_is_not_spoken_of(tmp_path: Path) -> None:
    """Arrows where nothing follows twice, others where each cluster is seen once."""
    once = film(3, 3, 30.0)
    assert all(len(cluster.occurrences) == 1 for cluster in once.clusters)
    back = film(40, 2, 400.0)
    on_map, on_sheet = "Arrows: what often comes next", "The most typical scene first"
    for draw, said in ((draw_map, on_map), (draw_sheet, on_sheet)):
        assert said not in draw(once, tmp_path / "a.svg").read_text("utf-8")
        assert said in draw(back, tmp_path / "b.svg").read_text("utf-8")


@pytest.mark.parametrize(
    ("first", "last", "said"),
    [(2.45, 1.99, "2.45 to 1.99"), (1.1214, 1.1189, "1.121 to 1.119"), (1.0, 1.0, "1 to 1")],
)
def test_losses_that_differ_are_written_so(first: float, last: float, said: str) -> None:
    assert told_apart(first, last) == said
