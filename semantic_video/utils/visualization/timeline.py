"""The timeline: the whole video as coloured bands, one row per cluster."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from semantic_video.errors import ConfigError
from semantic_video.records import Cluster, Span
from semantic_video.utils.telling import amount, clock
from semantic_video.utils.visualization.page import (
    FAINT_INK,
    LINE_IN,
    PAD_IN,
    RULE,
    SHADE,
    SMALL_LINE_IN,
    SMALL_PT,
    Page,
    page,
)
from semantic_video.utils.visualization.palette import GREY, MARK, cluster_colours
from semantic_video.utils.visualization.thumbnails import medoid_picture, shape_of

_ROW_GAP_IN = 0.07
_NAME_GAP_IN = 0.1
_NAME_IN = 1.75
"""Longer names go on in a second line."""
_PICTURE_IN = 0.30
"""Height of the small picture beside a name."""
_MARGIN_IN = 0.45
"""What the first and the last time below the axis need, even where names are short."""
_MIN_BAND_IN = 0.01
"""An occurrence is drawn at least this wide (one pixel of 800), or hours would hide it."""
_TICK_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
_MAX_TICKS = 9
_AXIS_IN = 0.24
"""Height of the times below the rows."""


@dataclass(frozen=True, slots=True)
class Row:
    """A line of the timeline: one cluster, or several gathered (``colour`` grey, no ``cluster``).

    ``occurrences`` are those inside the stretch that is shown, cut to it.
    """

    name: str
    colour: str
    occurrences: tuple[Span, ...]
    cluster: Cluster | None = None
    names: tuple[str, ...] = ()
    """Those of the clusters that are gathered."""

    @property
    def total_s(self) -> float:
        return sum(span.duration_s for span in self.occurrences)


@dataclass(frozen=True, slots=True)
class TimeAxis:
    """Where times lie on a page: ``window`` seconds over ``width`` inches from ``left`` on."""

    window: Span
    left: float
    width: float

    def x(self, seconds: float) -> float:
        """Where a time lies, in inches."""
        share = (seconds - self.window.start_s) / self.window.duration_s
        return self.left + self.width * share

    def band(self, span: Span) -> tuple[float, float]:
        """(x, width) of a span, wide enough to be seen and inside the axis."""
        width = max(self.width * span.duration_s / self.window.duration_s, _MIN_BAND_IN)
        right = self.left + self.width
        return max(self.left, min(self.x(span.start_s), right - width)), width

    def ticks(self, most: int = _MAX_TICKS) -> list[int]:
        """Round times to write, in seconds, first to last; about ``most`` at most."""
        duration_s = self.window.duration_s
        step = next(
            (step for step in _TICK_STEPS_S if duration_s / step < most),
            86400 * (1 + int(duration_s / 86400 / most)),
        )
        first = -int(-self.window.start_s // step) * step
        return list(range(first, int(self.window.end_s) + 1, step))

    def draw(self, drawing: Page, top: float, bottom: float) -> float:
        """Draw the lines of the ticks and the times below; return where to go on."""
        wide = drawing.width_of(clock(self.window.end_s)) + _NAME_GAP_IN
        for tick in self.ticks(max(2, min(_MAX_TICKS, int(self.width / wide)))):
            x = self.x(tick)
            drawing.line([x, x], [top, bottom + 0.04], RULE)
            drawing.text(x, bottom + 0.05, clock(tick), align="center")
        drawing.line([self.left, self.left + self.width], [bottom, bottom], "#888888", width_pt=0.8)
        return bottom + _AXIS_IN


def timeline(
    clusters: Sequence[Cluster],
    duration_s: float,
    path: str | Path,
    *,
    title: str = "",
    max_rows: int = 32,
    window: Span | None = None,
    thumbnails: Mapping[float, bytes] | None = None,
    marks: Mapping[str, Sequence[Span]] | None = None,
    colours: Mapping[int, str] | None = None,
) -> Path:
    """Draw the whole video as coloured bands over time, one row per cluster, and return the path.

    Rows stand in the order in which their clusters first appear, with the name at the left, and how
    often the cluster occurs and its total time at the right. With more clusters than ``max_rows``,
    those seen once share one row, and if that is not enough, so do those with the least time.
    ``window`` shows a stretch of the video only; ``thumbnails`` (seconds -> JPEG) put a small
    picture before each name; ``marks`` add a thin row each, such as when somebody speaks;
    ``colours`` are those of the clusters by id, see `cluster_colours`. The suffix of ``path``
    chooses the format (.png, .svg, .pdf). The same input gives the same bytes, whatever the user's
    matplotlib settings are.

    Raises ConfigError when matplotlib is missing, the format is unknown, ``max_rows`` is below
    three, the duration is not positive, or the window lies outside it.
    """
    shown = shown_window(duration_s, window)
    rows = timeline_rows(clusters, shown, max_rows, colours)
    with page(path) as drawing:
        _draw(drawing, rows, shown, title, thumbnails or {}, marks or {})
    return Path(path)


def shown_window(duration_s: float, window: Span | None) -> Span:
    """The stretch of the video to show, all of it for None.

    Raises ConfigError where nothing would be left.
    """
    if duration_s <= 0:
        raise ConfigError(f"A timeline needs a positive duration, not {duration_s:g} s")
    if window is None:
        return Span(0.0, duration_s)
    shown = Span(max(0.0, window.start_s), min(window.end_s, duration_s))
    if shown.duration_s <= 0:
        raise ConfigError(
            f"nothing to show from {clock(window.start_s)} to {clock(window.end_s)}: "
            f"the video goes from 0:00:00 to {clock(duration_s)}"
        )
    return shown


def timeline_rows(
    clusters: Sequence[Cluster],
    window: Span,
    max_rows: int = 32,
    colours: Mapping[int, str] | None = None,
) -> list[Row]:
    """Choose what gets a row of its own and gather the rest below, in grey."""
    if max_rows < 3:
        raise ConfigError(f"max_rows must be at least 3, not {max_rows}")
    palette = cluster_colours(clusters) if colours is None else colours
    own = [
        (cluster, spans)
        for cluster in clusters
        if (spans := spans_inside(cluster.occurrences, window))
    ]
    once: list[tuple[Cluster, tuple[Span, ...]]] = []
    other: list[tuple[Cluster, tuple[Span, ...]]] = []
    if len(own) > max_rows:
        once = [item for item in own if len(item[1]) == 1]
        own = [item for item in own if len(item[1]) > 1]
        space = max_rows - 1
        if len(own) > space:
            own.sort(key=lambda item: (-sum(span.duration_s for span in item[1]), item[0].id))
            own, other = own[: space - 1], own[space - 1 :]
    own.sort(key=lambda item: (item[1][0].start_s, item[0].id))
    rows = [Row(cluster.name, palette[cluster.id], spans, cluster) for cluster, spans in own]
    for gathered, what in ((other, "others"), (once, "seen once")):
        if gathered:
            together = tuple(sorted(span for _, spans in gathered for span in spans))
            count = f"{len(gathered)} cluster{'s' if len(gathered) > 1 else ''}"
            names = tuple(cluster.name for cluster, _ in gathered)
            rows.append(Row(f"{what} ({count})", GREY, together, names=names))
    return rows


def spans_inside(spans: Sequence[Span], window: Span) -> tuple[Span, ...]:
    """Those that reach into the window, cut to it."""
    return tuple(
        Span(max(span.start_s, window.start_s), min(span.end_s, window.end_s))
        for span in spans
        if span.end_s > window.start_s and span.start_s < window.end_s
    )


def _draw(
    drawing: Page,
    rows: Sequence[Row],
    window: Span,
    title: str,
    thumbnails: Mapping[float, bytes],
    marks: Mapping[str, Sequence[Span]],
) -> None:
    names = [drawing.wrap(row.name, _NAME_IN) if row.name.strip() else ["-"] for row in rows]
    totals = [f"{len(row.occurrences)}×, {amount(row.total_s)}" for row in rows]
    with_pictures = bool(thumbnails) and any(row.cluster for row in rows)
    picture_in = _PICTURE_IN * shape_of(thumbnails) if with_pictures else 0.0
    least = _PICTURE_IN + 0.02 if with_pictures else 0.0
    heights = [_ROW_GAP_IN + max(LINE_IN * len(name), least) for name in names]
    mark_names = list(marks)

    widest = max(
        drawing.widest([line for name in names for line in name]),
        drawing.widest(mark_names, SMALL_PT),
    )
    beside = _NAME_GAP_IN + picture_in + (_NAME_GAP_IN if with_pictures else 0.0)
    left = max(_MARGIN_IN, PAD_IN + widest + beside)
    right = max(_MARGIN_IN, _NAME_GAP_IN + drawing.widest(totals) + PAD_IN)
    axis = TimeAxis(window, left, drawing.width_in - left - right)
    top = y = drawing.heading(title)
    for number, (row, height) in enumerate(zip(rows, heights, strict=True)):
        middle = y + height / 2
        if number % 2 == 0:
            drawing.rectangle(left, y, axis.width, height, SHADE, layer=0)
        bands = [axis.band(span) for span in row.occurrences]
        drawing.bands(bands, middle - LINE_IN / 2, LINE_IN, row.colour)
        drawing.text(left - beside, middle, names[number], align="right", middle=True)
        drawing.text(
            left + axis.width + _NAME_GAP_IN, middle, totals[number], colour=FAINT_INK, middle=True
        )
        if with_pictures and row.cluster is not None:
            drawing.picture(
                left - _NAME_GAP_IN - picture_in,
                middle - _PICTURE_IN / 2,
                picture_in,
                _PICTURE_IN,
                medoid_picture(thumbnails, row.cluster),
            )
        y += height
    if not rows:
        y += LINE_IN
    if marks:
        y += 0.05
        for name in mark_names:
            spans = spans_inside(marks[name], window)
            drawing.bands([axis.band(span) for span in spans], y + 0.02, 0.1, MARK)
            drawing.text(
                left - _NAME_GAP_IN,
                y + SMALL_LINE_IN / 2,
                name,
                size=SMALL_PT,
                align="right",
                middle=True,
            )
            y += SMALL_LINE_IN + 0.03
    y = axis.draw(drawing, top, y)
    drawing.height_in = y + PAD_IN
