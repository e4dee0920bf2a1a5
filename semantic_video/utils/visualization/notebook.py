"""How records look in a notebook: small pieces of HTML that need neither scripts nor matplotlib."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape
from pathlib import Path

from semantic_video.records import Cluster, Moment, Span
from semantic_video.utils.telling import amount, clock
from semantic_video.utils.visualization.query import percent
from semantic_video.utils.visualization.timeline import timeline_rows

_MAX_ROWS = 12
_BAND_PX = 420


def timeline_html(clusters: Sequence[Cluster], duration_s: float) -> str:
    """The timeline as a table: name, bands over time, how often and how long."""
    if duration_s <= 0:
        return ""
    window = Span(0.0, duration_s)
    rows = [
        [escape(row.name), _bands(row.occurrences, duration_s, row.colour), _times(row.occurrences)]
        for row in timeline_rows(clusters, window, _MAX_ROWS)
    ]
    return _table(["cluster", f"0:00:00 to {clock(duration_s)}", "seen"], rows)


def moments_html(query: str, verdict: str, moments: Sequence[Moment]) -> str:
    """The answer to a query: what it comes to, and a row for each moment, best first."""
    several = len({moment.video for moment in moments}) > 1
    header = ["", "time", "sure", "score", "cluster", *(["video"] if several else [])]
    rows = [
        [
            str(rank),
            f"{clock(moment.start_s)}–{clock(moment.end_s)}",
            "" if moment.probability is None else percent(moment.probability).replace("<", "&lt;"),
            f"{moment.score:.3f}",
            escape(moment.cluster_name),
            *([escape(Path(moment.video).name)] if several else []),
        ]
        for rank, moment in enumerate(moments, start=1)
    ]
    head = f"<b>{escape(query)}</b> <i>{escape(verdict)}</i>"
    return f"<div>{head}{_table(header, rows) if rows else ''}</div>"


def titled_html(title: str, body: str) -> str:
    """A line of plain text above a piece of HTML."""
    return f"<div><p>{escape(title)}</p>{body}</div>"


def _times(spans: Sequence[Span]) -> str:
    return f"{len(spans)}×, {amount(sum(span.duration_s for span in spans))}"


def _bands(spans: Sequence[Span], duration_s: float, colour: str) -> str:
    least = duration_s / _BAND_PX
    rectangles = "".join(
        f'<rect x="{min(span.start_s, duration_s - least):.3f}" y="0" height="1" '
        f'width="{max(span.duration_s, least):.3f}" fill="{colour}"/>'
        for span in spans
    )
    return (
        f'<svg width="{_BAND_PX}" height="14" viewBox="0 0 {duration_s:.3f} 1" '
        f'preserveAspectRatio="none" style="background:#f3f3f3">{rectangles}</svg>'
    )


def _table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f"<th>{name}</th>" for name in header)
    body = "".join(
        "<tr>" + "".join(f'<td style="text-align:left">{cell}</td>' for cell in row) + "</tr>"
        for row in rows
    )
    return f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table>"
