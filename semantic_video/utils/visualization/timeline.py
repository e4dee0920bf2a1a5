"""The timeline: the whole video as coloured bands, one row per cluster."""

from __future__ import annotations

import textwrap
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from semantic_video.errors import ConfigError
from semantic_video.records import Cluster, Span

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# Paul Tol's "muted" scheme (SRON/EPS/TN/09-002), made for colour-blind readers; ordered so that
# neighbours differ in lightness too, which survives a black and white print.
_COLOURS = (
    "#332288",
    "#CC6677",
    "#117733",
    "#88CCEE",
    "#882255",
    "#DDCC77",
    "#44AA99",
    "#AA4499",
    "#999933",
)
_GATHERED_COLOUR = "#777777"

_WIDTH_IN = 8.0
_DPI = 200
_FONT_PT = 9.0
_LINE_IN = 0.17
"""Height of one line of a row's name."""
_ROW_GAP_IN = 0.07
_PAD_IN = 0.12
_NAME_GAP_IN = 0.1
_NAME_CHARACTERS = 28
"""Longer names go on in a second line."""
_TITLE_CHARACTERS = 55
_MARGIN_IN = 0.45
"""What the first and the last time below the axis need, even where names are short."""
_MIN_BAND_IN = 0.01
"""An occurrence is drawn at least this wide (one pixel of 800), or hours would hide it."""
_TICK_STEPS_S = (1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 28800, 86400)
_MAX_TICKS = 9


@dataclass(frozen=True, slots=True)
class _Row:
    """A line of the timeline: one cluster, or several gathered (``colour`` grey)."""

    name: str
    colour: str
    occurrences: tuple[Span, ...]

    @property
    def total_s(self) -> float:
        return sum(span.duration_s for span in self.occurrences)


def timeline(
    clusters: Sequence[Cluster],
    duration_s: float,
    path: str | Path,
    *,
    title: str = "",
    max_rows: int = 32,
) -> Path:
    """Draw the whole video as coloured bands over time, one row per cluster, and return the path.

    Rows stand in the order in which their clusters first appear, with the name at the left, and how
    often the cluster occurs and its total time at the right. With more clusters than ``max_rows``,
    those seen once share one row, and if that is not enough, so do those with the least time. The
    suffix of ``path`` chooses the format (.png, .svg, .pdf). The same input gives the same bytes,
    whatever the user's matplotlib settings are.

    Raises ConfigError when matplotlib is missing, the format is unknown, ``max_rows`` is below
    three or the duration is not positive.
    """
    try:
        import matplotlib
        import matplotlib.style
        from matplotlib.figure import Figure
    except ImportError:
        raise ConfigError("Pictures need matplotlib: pip install 'semantic-video[viz]'") from None

    path = Path(path)
    if path.suffix not in {".png", ".svg", ".pdf"}:
        raise ConfigError(f"Cannot draw a picture as {path.name!r}: end it in .png, .svg or .pdf")
    if duration_s <= 0:
        raise ConfigError(f"A timeline needs a positive duration, not {duration_s:g} s")
    rows = _rows(clusters, max_rows)
    with matplotlib.style.context("default"):
        matplotlib.rcParams.update(
            {"font.size": _FONT_PT, "svg.hashsalt": "semantic-video", "text.parse_math": False}
        )
        figure = Figure(figsize=(_WIDTH_IN, 1.0), dpi=_DPI)
        _draw_timeline(figure, rows, duration_s, title)
        no_date: dict[str, Any] = {
            ".svg": {"Date": None},
            ".pdf": {"CreationDate": None},
        }.get(path.suffix, {})
        figure.savefig(path, metadata=no_date)
    return path


def _rows(clusters: Sequence[Cluster], max_rows: int) -> list[_Row]:
    """Choose what gets a row of its own and gather the rest below, in grey."""
    if max_rows < 3:
        raise ConfigError(f"max_rows must be at least 3, not {max_rows}")
    own = [cluster for cluster in clusters if cluster.occurrences]
    once: list[Cluster] = []
    other: list[Cluster] = []
    if len(own) > max_rows:
        once = [cluster for cluster in own if len(cluster.occurrences) == 1]
        own = [cluster for cluster in own if len(cluster.occurrences) > 1]
        space = max_rows - 1
        if len(own) > space:
            own.sort(key=lambda cluster: (-cluster.total_s, cluster.id))
            own, other = own[: space - 1], own[space - 1 :]
    own.sort(key=lambda cluster: (cluster.occurrences[0].start_s, cluster.id))
    rows = [
        _Row(cluster.name, _COLOURS[index % len(_COLOURS)], cluster.occurrences)
        for index, cluster in enumerate(own)
    ]
    for gathered, what in ((other, "others"), (once, "seen once")):
        if gathered:
            spans = sorted(span for cluster in gathered for span in cluster.occurrences)
            rows.append(_Row(f"{what} ({len(gathered)} clusters)", _GATHERED_COLOUR, tuple(spans)))
    return rows


def _draw_timeline(figure: Figure, rows: Sequence[_Row], duration_s: float, title: str) -> None:
    names = ["\n".join(textwrap.wrap(row.name, _NAME_CHARACTERS)) or "-" for row in rows]
    totals = [f"{len(row.occurrences)}×, {_amount(row.total_s)}" for row in rows]
    heights = [_ROW_GAP_IN + _LINE_IN * (1 + name.count("\n")) for name in names]
    heading = "\n".join(textwrap.wrap(title, _TITLE_CHARACTERS))

    left = max(_MARGIN_IN, _PAD_IN + _widest_in(figure, names) + _NAME_GAP_IN)
    right = max(_MARGIN_IN, _NAME_GAP_IN + _widest_in(figure, totals) + _PAD_IN)
    top = _PAD_IN + _LINE_IN * (1 + heading.count("\n")) if heading else _PAD_IN
    bottom = _PAD_IN + 1.4 * _LINE_IN
    band_in = _WIDTH_IN - left - right
    rows_in = max(sum(heights), _LINE_IN)
    height = top + rows_in + bottom
    figure.set_size_inches(_WIDTH_IN, height)
    axes = figure.add_axes(
        (left / _WIDTH_IN, bottom / height, band_in / _WIDTH_IN, rows_in / height)
    )
    if heading:
        figure.text(_PAD_IN / _WIDTH_IN, 1 - _PAD_IN / height, heading, va="top", fontweight="bold")
    axes.set_xlim(0, duration_s)
    axes.set_ylim(rows_in, 0)  # inches from the top, so that rows have the height of their names
    y = 0.0
    for number, (row, height_in) in enumerate(zip(rows, heights, strict=True)):
        if number % 2 == 0:
            axes.axhspan(y, y + height_in, color="#F3F3F3", linewidth=0, zorder=0)
        bands = [_visible(span, duration_s, band_in) for span in row.occurrences]
        axes.broken_barh(
            bands,
            (y + (height_in - _LINE_IN) / 2, _LINE_IN),
            facecolor=row.colour,
            linewidth=0,
            zorder=3,
        )
        beside: dict[str, Any] = {"va": "center", "linespacing": 1.1, "clip_on": False}
        middle = y + height_in / 2
        gap = _NAME_GAP_IN * duration_s / band_in
        axes.text(-gap, middle, names[number], ha="right", **beside)
        axes.text(duration_s + gap, middle, totals[number], ha="left", color="#555555", **beside)
        y += height_in
    _time_axis(axes, duration_s)


def _widest_in(figure: Figure, texts: Sequence[str]) -> float:
    """Width of the widest text as drawn, in inches."""
    widest = 0.0
    for text in texts:
        drawn = figure.text(0, 0, text)
        widest = max(widest, drawn.get_window_extent().width / figure.dpi)
        drawn.remove()
    return widest


def _visible(span: Span, duration_s: float, band_in: float) -> tuple[float, float]:
    """(start, width) of a band in seconds, at least ``_MIN_BAND_IN`` wide and inside the axis."""
    width = max(span.duration_s, duration_s * _MIN_BAND_IN / band_in)
    start = max(0.0, min(span.start_s, duration_s - width))
    return start, width


def _time_axis(axes: Axes, duration_s: float) -> None:
    step = next(
        (step for step in _TICK_STEPS_S if duration_s / step < _MAX_TICKS),
        86400 * (1 + int(duration_s / 86400 / _MAX_TICKS)),
    )
    ticks = range(0, int(duration_s) + 1, step)
    axes.set_xticks(list(ticks), [_clock(tick) for tick in ticks])
    axes.set_yticks([])
    axes.grid(axis="x", color="#CCCCCC", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(length=3, color="#888888")
    for side in ("left", "right", "top"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color("#888888")


def _amount(seconds: float) -> str:
    return f"{seconds:.1f} s" if seconds < 59.95 else _clock(seconds)


def _clock(seconds: float) -> str:
    minutes, second = divmod(round(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}"
