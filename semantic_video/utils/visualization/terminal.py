"""The timeline in characters, for a terminal; needs nothing but the records."""

from __future__ import annotations

import textwrap
import unicodedata
from collections.abc import Mapping, Sequence

from semantic_video.records import Cluster, Span
from semantic_video.utils.telling import amount, clock
from semantic_video.utils.visualization.timeline import (
    TimeAxis,
    shown_window,
    spans_inside,
    timeline_rows,
)

_LEAST_BAND = 20
_NAME_SHARE = 0.35
"""Names take at most this share of the width; longer ones go on in a second line."""
_BLOCKS = ("█", "▓", "▒", "·")
_PLAIN = ("#", "=", "-", ".")


def timeline_text(
    clusters: Sequence[Cluster],
    duration_s: float,
    *,
    width: int = 100,
    max_rows: int = 32,
    window: Span | None = None,
    marks: Mapping[str, Sequence[Span]] | None = None,
    plain: bool = False,
) -> str:
    """The timeline as lines of at most ``width`` characters (60 at least), a row per cluster.

    A full block says that the cluster fills that stretch of time, lighter ones that it has half of
    it or less; rows are as in `timeline`. ``plain`` uses ASCII for the bands and the axis.

    Raises ConfigError for a duration or window that leaves nothing to show.
    """
    shown = shown_window(duration_s, window)
    width = max(width, 60)
    rows = timeline_rows(clusters, shown, max_rows)
    listed = [(row.name, row.occurrences, True) for row in rows]
    listed += [(name, spans_inside(s, shown), False) for name, s in (marks or {}).items()]
    names = [_wrapped(name, int(width * _NAME_SHARE)) for name, _, _ in listed]
    times = "x" if plain else "×"
    totals = [
        f"{len(spans)}{times} {amount(sum(span.duration_s for span in spans))}" if counted else ""
        for _, spans, counted in listed
    ]
    name_width = max((_columns(line) for lines in names for line in lines), default=0)
    total_width = max(map(len, totals), default=0)
    band = max(_LEAST_BAND, width - name_width - total_width - 4)
    lines = []
    for (_, spans, _), name, total in zip(listed, names, totals, strict=True):
        for number, part in enumerate(name):
            beside = _band(spans, shown, band, plain) if number == 0 else ""
            start = " " * (name_width - _columns(part)) + part
            end = total if number == 0 else ""
            lines.append(f"{start}  {beside.ljust(band)}  {end}".rstrip())
    lines.append(" " * (name_width + 2) + _axis(shown, band))
    return "\n".join(lines)


def _band(spans: Sequence[Span], window: Span, columns: int, plain: bool) -> str:
    full, half, some, none = _PLAIN if plain else _BLOCKS
    step = window.duration_s / columns
    covered = [0.0] * columns
    for span in spans:
        first = int((span.start_s - window.start_s) / step)
        last = min(int((span.end_s - window.start_s) / step), columns - 1)
        for column in range(min(first, columns - 1), last + 1):
            start = window.start_s + column * step
            shared = min(span.end_s, start + step) - max(span.start_s, start)
            covered[column] += max(shared, 0.0) / step
        # However short, it is seen.
        at = min(first, columns - 1)
        covered[at] = max(covered[at], 1e-6)
    return "".join(
        full if share > 0.6 else half if share > 0.3 else some if share > 0 else none
        for share in covered
    )


def _axis(window: Span, columns: int) -> str:
    """Times below the columns where they begin."""
    line = [" "] * columns
    longest = len(clock(window.end_s)) + 2
    for tick in TimeAxis(window, 0.0, float(columns)).ticks(max(2, columns // longest)):
        text = clock(tick)
        at = int((tick - window.start_s) / window.duration_s * columns)
        if at + len(text) <= columns:
            line[at : at + len(text)] = text
    return "".join(line).rstrip()


def _wrapped(name: str, width: int) -> list[str]:
    printable = "".join(c if c.isprintable() else ascii(c)[1:-1] for c in name)
    wide = _columns(printable) / max(len(printable), 1)
    return textwrap.wrap(printable, max(1, int(width / max(wide, 1.0)))) or ["-"]


def _columns(text: str) -> int:
    """Columns that a terminal gives a text: two for a wide letter, none for an accent."""
    return sum(
        0 if unicodedata.combining(c) else 2 if unicodedata.east_asian_width(c) in "WF" else 1
        for c in text
    )
