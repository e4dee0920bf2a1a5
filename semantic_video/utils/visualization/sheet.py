"""The contact sheet: what each cluster looks like, and when it was seen."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from semantic_video.records import Cluster, Scene, Span
from semantic_video.utils.visualization.page import (
    COLOURS,
    FAINT_INK,
    LINE_IN,
    PAD_IN,
    RULE,
    SMALL_LINE_IN,
    SMALL_PT,
    Page,
    amount,
    clock,
    page,
    picture_in,
    shape_of,
)

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
) -> Path:
    """Draw a contact sheet and return its path: a block per cluster, the medoid first.

    After the medoid come scenes spread over the cluster's time on screen, in order, each with its
    time below. Clusters that return stand first, those with most time on top; what was seen once
    follows in a grid. Beyond ``max_clusters`` blocks and ``max_once`` pictures of the grid, a line
    says how many were left out. A scene without a picture in ``thumbnails`` (seconds -> JPEG)
    shows as an empty box.

    Raises ConfigError when matplotlib is missing or the format is unknown.
    """
    order = sorted(clusters, key=lambda cluster: (-cluster.total_s, cluster.id))
    order = [cluster for cluster in order if cluster.occurrences]
    returning = [cluster for cluster in order if len(cluster.occurrences) > 1]
    once = [cluster for cluster in order if len(cluster.occurrences) == 1]
    once.sort(key=lambda cluster: cluster.occurrences[0].start_s)
    spans = {scene.id: Span(scene.start_s, scene.end_s) for scene in scenes}
    with page(path) as drawing:
        y = drawing.heading(title, "The most typical scene first, then others in order of time.")
        y = _returning(drawing, y + 0.06, returning[:max_clusters], spans, thumbnails)
        if once:
            y = _seen_once(drawing, y, once[:max_once], spans, thumbnails)
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

    They are taken at equal steps of those of the cluster's scenes that ``spans`` holds, in order,
    so that all of its occurrences are seen where there is room.
    """
    others = [s for s in cluster.scenes if s != cluster.medoid_scene and s in spans]
    others.sort(key=lambda scene: spans[scene].start_s)
    room = count - 1
    if len(others) > room:
        step = len(others) / room if room else 1.0
        others = [others[int((number + 0.5) * step)] for number in range(room)]
    return [cluster.medoid_scene, *others]


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


def _columns(cluster: Cluster) -> int:
    """How many pictures a cluster gets: halves or wholes of a line, which pack well."""
    count = len(cluster.scenes)
    return _COLUMNS if count >= _COLUMNS else min(count, _COLUMNS // 2)


def _returning(
    drawing: Page,
    y: float,
    clusters: Sequence[Cluster],
    spans: Mapping[int, Span],
    thumbnails: Mapping[float, bytes],
) -> float:
    """Draw blocks: the name and its facts above a row of pictures, a colour bar at the left."""
    step = (drawing.width_in - 2 * PAD_IN + _GAP_IN) / _COLUMNS
    height = (step - _GAP_IN) / shape_of(thumbnails)
    columns = [_columns(cluster) for cluster in clusters]
    seen = {scene: span for scene, span in spans.items() if picture_in(thumbnails, span)}
    for line in _packed(columns):
        names = {
            block: drawing.wrap(clusters[block].name or "-", columns[block] * step - _GAP_IN)
            for block in line
        }
        deepest = max(map(len, names.values()))
        x = PAD_IN
        for block in line:
            cluster, colour = clusters[block], COLOURS[block % len(COLOURS)]
            wide = columns[block] * step - _GAP_IN
            above = y + LINE_IN * (deepest - len(names[block]))
            drawing.text(x, above, names[block])
            facts = f"seen {len(cluster.occurrences)}×, {amount(cluster.total_s)}"
            if columns[block] < len(cluster.scenes):
                facts += f", {len(cluster.scenes)} scenes"
            under = y + LINE_IN * deepest
            drawing.text(x, under, facts, size=SMALL_PT, colour=FAINT_INK)
            top = under + SMALL_LINE_IN + 0.02
            drawing.rectangle(x, top, wide, 0.035, colour)
            top += 0.05
            for column, scene in enumerate(spread(cluster, seen or spans, columns[block])):
                left = x + column * step
                span = spans[scene]
                drawing.picture(
                    left,
                    top,
                    step - _GAP_IN,
                    height,
                    picture_in(thumbnails, span, None if column else cluster.medoid_s),
                )
                drawing.text(
                    left,
                    top + height + 0.01,
                    clock(span.start_s),
                    size=SMALL_PT,
                    colour=FAINT_INK,
                )
            x += columns[block] * step
        y += LINE_IN * deepest + SMALL_LINE_IN * 2 + 0.07 + height + 0.1
    return y


def _seen_once(
    drawing: Page,
    y: float,
    clusters: Sequence[Cluster],
    spans: Mapping[int, Span],
    thumbnails: Mapping[float, bytes],
) -> float:
    width = (drawing.width_in - 2 * PAD_IN + _GAP_IN) / _COLUMNS - _GAP_IN
    height = width / shape_of(thumbnails)
    drawing.line([PAD_IN, drawing.width_in - PAD_IN], [y, y], RULE)
    drawing.text(PAD_IN, y + 0.06, "Seen once", bold=True)
    y += LINE_IN + 0.12
    for start in range(0, len(clusters), _COLUMNS):
        row = clusters[start : start + _COLUMNS]
        lines = [drawing.wrap(cluster.name or "-", width, SMALL_PT) for cluster in row]
        for column, (cluster, name) in enumerate(zip(row, lines, strict=True)):
            x = PAD_IN + column * (width + _GAP_IN)
            span = spans[cluster.medoid_scene]
            drawing.picture(x, y, width, height, picture_in(thumbnails, span, cluster.medoid_s))
            under = y + height + 0.01
            drawing.text(x, under, clock(span.start_s), size=SMALL_PT, colour=FAINT_INK)
            drawing.text(x, under + SMALL_LINE_IN, name, size=SMALL_PT)
        y += height + SMALL_LINE_IN * (1 + max(map(len, lines))) + 0.1
    return y
