"""The contact sheet: what each cluster looks like, and when it was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from semantic_video.records import Cluster, Scene, Span
from semantic_video.utils.telling import amount, clock
from semantic_video.utils.visualization.page import (
    FAINT_INK,
    FONT_PT,
    LINE_IN,
    PAD_IN,
    RULE,
    SMALL_LINE_IN,
    SMALL_PT,
    Page,
    page,
)
from semantic_video.utils.visualization.palette import cluster_colours
from semantic_video.utils.visualization.thumbnails import picture_in, shape_of

_COLUMNS = 8
_GAP_IN = 0.08


def sheet(
    clusters: Sequence[Cluster],
    scenes: Sequence[Scene],
    thumbnails: Mapping[float, bytes],
    path: str | Path,
    *,
    title: str = "",
    max_clusters: int = 40,
    max_once: int = 64,
    window: Span | None = None,
    whole: Sequence[Cluster] = (),
) -> Path:
    """Draw a contact sheet and return its path: a block per cluster, the medoid first.

    After the medoid come scenes spread over the cluster's time on screen, in order, each with its
    time below. Clusters that return stand first, those with most time on top; what was seen once
    follows in a grid. Beyond ``max_clusters`` blocks and ``max_once`` pictures of the grid, a line
    says how many were left out. A scene without a picture in ``thumbnails`` (seconds -> JPEG)
    is not shown where its cluster has others; of what was seen once an empty box says so.

    With ``window``, ``clusters`` are what is seen of them in that stretch alone, times are those
    within it, and ``whole`` are the same clusters in the whole film, which gives the colours.

    Raises ConfigError when matplotlib is missing or the format is unknown.
    """
    order = sorted(clusters, key=lambda cluster: (-cluster.total_s, cluster.id))
    order = [cluster for cluster in order if cluster.occurrences]
    returning = [cluster for cluster in order if len(cluster.occurrences) > 1]
    once = [cluster for cluster in order if len(cluster.occurrences) == 1]
    once.sort(key=lambda cluster: cluster.occurrences[0].start_s)
    spans = {scene.id: Span(scene.start_s, scene.end_s) for scene in scenes}
    note = "The most typical scene first, then others in order of time." if returning else ""
    if window is not None:
        note = f"From {clock(window.start_s)} to {clock(window.end_s)}. {note}".strip()
    with page(path) as drawing:
        y = drawing.heading(title, note)
        blocks = _Blocks(drawing, spans, thumbnails, window, tuple(whole) or tuple(clusters))
        y = blocks.returning(y + 0.06, returning[:max_clusters])
        if once:
            if returning:
                drawing.line([PAD_IN, drawing.width_in - PAD_IN], [y, y], RULE)
            y = blocks.seen_once(y, once[:max_once])
        left_out = [*returning[max_clusters:], *once[max_once:]]
        if left_out:
            seconds = sum(cluster.total_s for cluster in left_out)
            several = "s" if len(left_out) > 1 else ""
            y = drawing.note(
                y, f"Not shown: {len(left_out)} cluster{several} with {amount(seconds)} in all."
            )
        drawing.height_in = y + PAD_IN
    return Path(path)


def spread(cluster: Cluster, spans: Mapping[int, Span], count: int) -> list[int]:
    """At most ``count`` scenes of a cluster: the medoid, then others spread over its time.

    Another takes the place of a medoid that ``spans`` does not hold.

    They are taken at equal steps of those of the cluster's scenes that ``spans`` holds, in order,
    so that all of its occurrences are seen where there is room.
    """
    first = _shown_first(cluster, spans)
    others = [s for s in cluster.scenes if s != first and s in spans]
    others.sort(key=lambda scene: spans[scene].start_s)
    room = count - 1
    if len(others) > room:
        step = len(others) / room if room else 1.0
        others = [others[int((number + 0.5) * step)] for number in range(room)]
    return [first, *others]


def _packed(widths: Sequence[int]) -> list[list[int]]:
    """Lay blocks of so many columns into lines: each into the first line that has room."""
    lines: list[list[int]] = []
    room: list[int] = []
    for block, width in enumerate(widths):
        line = next((line for line, free in enumerate(room) if free >= width), None)
        if line is None:
            lines.append([])
            room.append(_COLUMNS)
            line = len(lines) - 1
        lines[line].append(block)
        room[line] -= width
    return lines


def _columns(cluster: Cluster, seen: Mapping[int, Span]) -> int:
    """How many pictures a cluster gets: halves or wholes of a line, which pack well."""
    count = max(1, sum(scene in seen for scene in cluster.scenes))
    return _COLUMNS if count >= _COLUMNS else min(count, _COLUMNS // 2)


class _Blocks:
    """Draws clusters with pictures of their scenes."""

    def __init__(
        self,
        drawing: Page,
        spans: Mapping[int, Span],
        thumbnails: Mapping[float, bytes],
        window: Span | None,
        whole: Sequence[Cluster],
    ) -> None:
        self._drawing, self._spans, self._thumbnails = drawing, spans, thumbnails
        self._window = window
        self._colours = cluster_colours(whole)
        self._times = {cluster.id: len(cluster.occurrences) for cluster in whole}
        self._step = (drawing.width_in - 2 * PAD_IN + _GAP_IN) / _COLUMNS
        self._height = (self._step - _GAP_IN) / shape_of(thumbnails)
        self._seen = {
            scene: span for scene, span in spans.items() if picture_in(thumbnails, span)
        } or spans

    def returning(self, y: float, clusters: Sequence[Cluster]) -> float:
        """Draw blocks: the name and its facts above a row of pictures, a colour bar at the left."""
        drawing, step = self._drawing, self._step
        shown = [spread(cluster, self._seen, _columns(cluster, self._seen)) for cluster in clusters]
        for line in _packed([len(scenes) for scenes in shown]):
            names = {
                block: drawing.fitted(
                    clusters[block].name or "-", len(shown[block]) * step - _GAP_IN, FONT_PT
                )
                for block in line
            }
            deepest = max(len(lines) for lines, _ in names.values())
            under = y + LINE_IN * deepest
            x = PAD_IN
            for block in line:
                cluster, (lines, size) = clusters[block], names[block]
                drawing.text(x, y + LINE_IN * (deepest - len(lines)), lines, size=size)
                facts = f"seen {len(cluster.occurrences)}×, {amount(cluster.total_s)}"
                if len(shown[block]) < len(cluster.scenes):
                    facts += f", {len(cluster.scenes)} scenes"
                drawing.text(x, under, facts, size=SMALL_PT, colour=FAINT_INK)
                top = under + SMALL_LINE_IN + 0.02
                wide = len(shown[block]) * step - _GAP_IN
                drawing.rectangle(x, top, wide, 0.035, self._colours[cluster.id])
                for column, scene in enumerate(shown[block]):
                    self._scene(
                        x + column * step, top + 0.05, scene, None if column else cluster.medoid_s
                    )
                x += len(shown[block]) * step
            y = under + SMALL_LINE_IN * 2 + 0.07 + self._height + 0.1
        return y

    def seen_once(self, y: float, clusters: Sequence[Cluster]) -> float:
        """Draw a grid of what has a single occurrence."""
        drawing = self._drawing
        heading = "Seen once" if self._window is None else "Seen once in this stretch"
        drawing.text(PAD_IN, y + 0.06, heading, bold=True)
        y += LINE_IN + 0.16
        width = self._step - _GAP_IN
        for start in range(0, len(clusters), _COLUMNS):
            deepest = 0
            for column, cluster in enumerate(clusters[start : start + _COLUMNS]):
                x = PAD_IN + column * self._step
                under = y + self._height + 0.01
                drawing.rectangle(x, y - 0.04, width, 0.035, self._colours[cluster.id])
                self._scene(x, y, _shown_first(cluster, self._seen), cluster.medoid_s)
                lines, size = drawing.fitted(cluster.name or "-", width, SMALL_PT)
                drawing.text(x, under + SMALL_LINE_IN, lines, size=size)
                count = len(lines)
                if (times := self._times[cluster.id]) > 1:
                    in_all = f"{times}× in all"
                    below = under + SMALL_LINE_IN * (1 + count)
                    drawing.text(x, below, in_all, size=SMALL_PT, colour=FAINT_INK)
                    count += 1
                deepest = max(deepest, count)
            y += self._height + SMALL_LINE_IN * (1 + deepest) + 0.14
        return y

    def _scene(self, x: float, y: float, scene: int, at_s: float | None) -> None:
        """The picture of a scene with its time below."""
        span, width = self._spans[scene], self._step - _GAP_IN
        picture = picture_in(self._thumbnails, span, at_s)
        self._drawing.picture(x, y, width, self._height, picture)
        if picture is None:
            self._drawing.text(
                x + width / 2,
                y + self._height / 2,
                "no picture",
                size=SMALL_PT,
                colour=FAINT_INK,
                align="center",
                middle=True,
            )
        start_s = span.start_s if self._window is None else max(span.start_s, self._window.start_s)
        under = y + self._height + 0.01
        self._drawing.text(x, under, clock(start_s), size=SMALL_PT, colour=FAINT_INK)


def _shown_first(cluster: Cluster, seen: Mapping[int, Span]) -> int:
    """The medoid, or another scene of the cluster where only that has a picture."""
    if cluster.medoid_scene in seen:
        return cluster.medoid_scene
    return next((scene for scene in cluster.scenes if scene in seen), cluster.medoid_scene)
