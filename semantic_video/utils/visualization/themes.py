"""The themes: the tree above the clusters, with what each shows and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from semantic_video.records import Cluster, Span, Theme
from semantic_video.utils.telling import amount, counted
from semantic_video.utils.visualization.page import (
    FAINT_INK,
    LINE_IN,
    PAD_IN,
    SHADE,
    SMALL_LINE_IN,
    SMALL_PT,
    Page,
    page,
)
from semantic_video.utils.visualization.palette import GREY, cluster_colours
from semantic_video.utils.visualization.thumbnails import medoid_picture, picture_in, shape_of
from semantic_video.utils.visualization.timeline import TimeAxis

_INDENT_IN = 0.22
_PICTURE_IN = 0.42
"""Height of a theme's picture."""
_CARD_IN = 0.72
"""Width of the picture of a cluster."""
_GAP_IN = 0.08
_BAND_IN = 2.6
_OTHERS = 2
"""So many clusters name a theme whose own words are those of one within it,"""
_TELLING = 0.25
"""where they and their like take so much of its time."""
_MORE_IN = 0.8
"""Kept free beside the clusters of a theme for how many more there are."""


def theme_tree(
    themes: Sequence[Theme],
    clusters: Sequence[Cluster],
    duration_s: float,
    thumbnails: Mapping[float, bytes],
    path: str | Path,
    *,
    title: str = "",
    max_themes: int = 40,
) -> Path:
    """Draw the themes as a tree, coarsest first, and return the path.

    Each theme has the picture of its medoid, its name, how often and how long it is seen, and bands
    over the time of the video; below the finest stand their clusters, those with most time first.
    A theme that is not divided on the next level is drawn once.
    Beyond ``max_themes`` themes a line says how many were left out.

    Raises ConfigError when matplotlib is missing or the format is unknown.
    """
    by_id = {cluster.id: cluster for cluster in clusters}
    with page(path) as drawing:
        y = drawing.heading(title, "Themes, the finer ones within; at the right when each is seen.")
        y += 0.06
        left = drawing.width_in - 0.45 - _BAND_IN
        tree = _Tree(drawing, TimeAxis(Span(0.0, duration_s), left, _BAND_IN), by_id, thumbnails)
        tree.room = max_themes
        for theme in _by_time(themes):
            y = tree.draw(theme, y, 0)
        y = tree.axis.draw(drawing, y, y)
        if tree.room < 0:
            y = drawing.note(y, f"Not shown: {counted(-tree.room, 'theme')}.")
        drawing.height_in = y + PAD_IN
    return Path(path)


class _Tree:
    """Draws themes below one another; ``room`` counts how many more there may be."""

    room = 0

    def __init__(
        self,
        drawing: Page,
        axis: TimeAxis,
        clusters: Mapping[int, Cluster],
        thumbnails: Mapping[float, bytes],
    ) -> None:
        self.drawing, self.axis = drawing, axis
        self._clusters, self._thumbnails = clusters, thumbnails
        self._shape = shape_of(thumbnails)
        self._colours = cluster_colours(list(clusters.values()))

    def draw(self, theme: Theme, y: float, depth: int) -> float:
        """A theme and all within it, in the colour of its most typical cluster; where to go on."""
        self.room -= 1
        if self.room < 0:
            self.room -= _count(theme) - 1
            return y
        x = PAD_IN + _INDENT_IN * depth
        top = y
        theme = _divided(theme)
        colour = self._colours.get(theme.medoid_cluster, GREY)
        y = self._head(theme, x + 0.1, y, colour)
        if theme.children:
            for child in _by_time(theme.children):
                y = self.draw(child, y, depth + 1)
        elif len(theme.clusters) > 1:
            y = self._cards(theme, x + 0.1 + _INDENT_IN, y)
        self.drawing.rectangle(x, top, 0.04, y - top - 0.1, colour)
        return y

    def _head(self, theme: Theme, x: float, y: float, colour: str) -> float:
        width = _PICTURE_IN * self._shape
        span = next((s for s in theme.occurrences if s.start_s <= theme.medoid_s < s.end_s), None)
        jpeg = picture_in(self._thumbnails, span, theme.medoid_s) if span else None
        self.drawing.picture(x, y, width, _PICTURE_IN, jpeg)
        beside = x + width + _GAP_IN
        name = self.drawing.wrap(self._name(theme), self.axis.left - beside - 0.2, bold=True)
        self.drawing.text(beside, y, name, bold=True)
        under = y + LINE_IN * len(name)
        clusters = counted(len(theme.clusters), "cluster")
        facts = f"seen {len(theme.occurrences)}×, {amount(theme.total_s)}"
        if name != [clusters]:
            facts += f", {clusters}"
        self.drawing.text(beside, under, facts, size=SMALL_PT, colour=FAINT_INK)
        height = max(_PICTURE_IN, LINE_IN * len(name) + SMALL_LINE_IN)
        middle = y + height / 2
        self.drawing.rectangle(self.axis.left, middle - 0.1, self.axis.width, 0.2, SHADE, layer=0)
        bands = [self.axis.band(span) for span in theme.occurrences]
        self.drawing.bands(bands, middle - LINE_IN / 2, LINE_IN, colour)
        return y + height + 0.1

    def _name(self, theme: Theme) -> str:
        """What a theme is called, without what one within it is called already.

        Where these are the same words: the largest of its other clusters, or where they are a small
        part of it, how many clusters there are.
        """
        within = [_divided(child) for child in theme.children]
        same = next((child for child in within if child.name == theme.name), None)
        if same is None:
            return theme.name or "-"
        others = [self._clusters[one] for one in theme.clusters if one not in same.clusters]
        others.sort(key=lambda cluster: (-cluster.total_s, cluster.id))
        named = list(dict.fromkeys(cluster.name for cluster in others if cluster.name))
        named = [name for name in named if name not in theme.name][:_OTHERS]
        seconds = sum(cluster.total_s for cluster in others)
        if not named or seconds < _TELLING * theme.total_s:
            return counted(len(theme.clusters), "cluster")
        return f"{', '.join(named)} and more"

    def _cards(self, theme: Theme, x: float, y: float) -> float:
        own = [self._clusters[cluster] for cluster in theme.clusters]
        own.sort(key=lambda cluster: (-cluster.total_s, cluster.id))
        height = _CARD_IN / self._shape
        deepest, step = 1, _CARD_IN + _GAP_IN
        columns = max(1, int((self.drawing.width_in - PAD_IN - _MORE_IN - x) / step))
        for column, cluster in enumerate(own[:columns]):
            left = x + column * step
            picture = medoid_picture(self._thumbnails, cluster)
            self.drawing.picture(left, y, _CARD_IN, height, picture)
            bar = y + height + 0.015
            self.drawing.rectangle(left, bar, _CARD_IN, 0.025, self._colours[cluster.id])
            name, size = self.drawing.fitted(cluster.name or "-", _CARD_IN, SMALL_PT)
            self.drawing.text(left, y + height + 0.04, name, size=size)
            deepest = max(deepest, len(name))
        if len(own) > columns:
            left, more = x + columns * step, f"and {len(own) - columns} more"
            self.drawing.text(left, y + height / 2, more, size=SMALL_PT, colour=FAINT_INK)
        return y + height + SMALL_LINE_IN * deepest + 0.15


def _by_time(themes: Sequence[Theme]) -> list[Theme]:
    return sorted(themes, key=lambda theme: (-theme.total_s, theme.level, theme.id))


def _count(theme: Theme) -> int:
    """A theme and all within it that are drawn."""
    return 1 + sum(map(_count, _divided(theme).children))


def _divided(theme: Theme) -> Theme:
    """The same clusters on the level on which they are divided, or on the finest."""
    while len(theme.children) == 1:
        theme = theme.children[0]
    return theme
