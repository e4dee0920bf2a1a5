"""The experts: which is at work when, how training went, and what held-out time says of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from semantic_video.records import Span
from semantic_video.utils.visualization.page import (
    FAINT_INK,
    FONT_PT,
    LINE_IN,
    PAD_IN,
    RULE,
    SHADE,
    SMALL_LINE_IN,
    SMALL_PT,
    Page,
    page,
)
from semantic_video.utils.visualization.palette import COLOURS, GREY
from semantic_video.utils.visualization.timeline import TimeAxis

_MOST_ROWS = 24
_ROW_IN = 0.2
_GAP_IN = 0.1
_NAME_IN = 1.75
_PANEL_IN = 1.2
_IDENTITY = "identity"


@dataclass(frozen=True, slots=True)
class ExpertRow:
    """One expert: its name, when it is the first choice, and the share of frames it is given."""

    name: str
    spans: tuple[Span, ...]
    share: float
    colour: str = GREY
    """Of the cluster that it sees most of."""


def experts(
    rows: Sequence[ExpertRow],
    duration_s: float,
    losses: Mapping[str, Sequence[float]],
    held_out: Mapping[str, float],
    path: str | Path,
    *,
    title: str = "",
    notes: Sequence[str] = (),
) -> Path:
    """Draw the experts of a video and return the path.

    Above, a row of the timeline for each expert, the busiest first (the others share one); then the
    curve of each loss over the epochs, and the score of every variant on held-out time beside that
    of vectors as they are (``identity``). ``notes`` are sentences below the title. What is empty is
    left out.

    Raises ConfigError when matplotlib is missing or the format is unknown.
    """
    with page(path) as drawing:
        y = drawing.heading(title)
        for note in notes:
            y = drawing.note(y, note)
        if rows:
            y = _routing(drawing, y + 0.08, _gathered(rows), duration_s)
        if losses:
            y = _losses(drawing, y + 0.06, losses)
        if held_out:
            y = _held_out(drawing, y + 0.06, held_out)
        drawing.height_in = y + PAD_IN
    return Path(path)


def _gathered(rows: Sequence[ExpertRow]) -> list[ExpertRow]:
    """The busiest experts, and those that are left as one."""
    ordered = sorted(rows, key=lambda row: -row.share)
    if len(ordered) <= _MOST_ROWS:
        return ordered
    shown, others = ordered[: _MOST_ROWS - 1], ordered[_MOST_ROWS - 1 :]
    spans = tuple(sorted(span for row in others for span in row.spans))
    share = sum(row.share for row in others)
    return [*shown, ExpertRow(f"{len(others)} others", spans, share)]


def _routing(drawing: Page, y: float, rows: Sequence[ExpertRow], duration_s: float) -> float:
    drawing.text(PAD_IN, y, "First choice for each scene, and share of frames", bold=True)
    y += LINE_IN + 0.06
    names = [drawing.wrap(row.name, _NAME_IN, SMALL_PT) for row in rows]
    left = PAD_IN + drawing.widest([line for name in names for line in name], SMALL_PT) + _GAP_IN
    shares = [f"{row.share:.0%}" for row in rows]
    right = PAD_IN + drawing.widest(shares) + _GAP_IN
    axis = TimeAxis(Span(0.0, duration_s), left, drawing.width_in - left - right)
    top = y
    for row, name, share in zip(rows, names, shares, strict=True):
        height = max(_ROW_IN, len(name) * SMALL_LINE_IN + 0.02)
        middle = y + (height - 0.04) / 2
        drawing.rectangle(axis.left, y, axis.width, height - 0.04, SHADE, layer=0)
        drawing.bands([axis.band(span) for span in row.spans], y + 0.02, height - 0.08, row.colour)
        drawing.text(left - _GAP_IN, middle, name, size=SMALL_PT, align="right", middle=True)
        drawing.text(
            drawing.width_in - PAD_IN, middle, share, align="right", colour=FAINT_INK, middle=True
        )
        y += height
    return axis.draw(drawing, top, y) + 0.04


def _losses(drawing: Page, y: float, losses: Mapping[str, Sequence[float]]) -> float:
    """Curves over the epochs, each scaled to its own range, with its first and last value."""
    drawing.text(PAD_IN, y, "Losses over the epochs of training, each at its own scale", bold=True)
    y += LINE_IN + 0.06
    each = 3  # beside one another
    wide = (drawing.width_in - 2 * PAD_IN - (each - 1) * 0.3) / each
    curves = [(name, curve) for name, curve in losses.items() if len(curve) > 1]
    for place, (name, curve) in enumerate(curves):
        column, line = place % each, place // each
        x = PAD_IN + column * (wide + 0.3)
        top = y + line * (_PANEL_IN + 0.1)
        label = drawing.wrap(name, wide, SMALL_PT)[0]
        drawing.text(x, top, label, size=SMALL_PT)
        low, high = min(curve), max(curve)
        base, roof = top + _PANEL_IN - 0.2, top + SMALL_LINE_IN + 0.06
        drawing.line([x, x + wide], [base, base], "#888888", width_pt=0.8)
        reach = (high - low) or 1.0
        xs = [x + wide * i / (len(curve) - 1) for i in range(len(curve))]
        ys = [base - (value - low) / reach * (base - roof) for value in curve]
        drawing.line(xs, ys, COLOURS[0], width_pt=1.4, layer=3)
        ends = f"{told_apart(curve[0], curve[-1])} in {len(curve)} epochs"
        drawing.text(x, base + 0.03, ends, size=SMALL_PT, colour=FAINT_INK)
    return y + -(-len(curves) // each) * (_PANEL_IN + 0.1)


def told_apart(first: float, last: float) -> str:
    """Two numbers with as many digits as it takes to see that they differ, six at most."""
    for digits in range(3, 7):
        one, other = f"{first:.{digits}g}", f"{last:.{digits}g}"
        if one != other:
            break
    return f"{one} to {other}"


def _held_out(drawing: Page, y: float, scores: Mapping[str, float]) -> float:
    """A bar for each variant, best first; a line where vectors as they are stand."""
    drawing.text(PAD_IN, y, "Held-out score (mean average precision), best first", bold=True)
    y += LINE_IN + 0.06
    ordered = sorted(scores.items(), key=lambda item: -item[1])
    names = [drawing.wrap(name, 2.2, FONT_PT) for name, _ in ordered]
    left = PAD_IN + drawing.widest([line for name in names for line in name]) + _GAP_IN
    wide = drawing.width_in - left - PAD_IN - 0.6
    most = max(scores.values()) or 1.0
    top = y
    for (name, score), lines in zip(ordered, names, strict=True):
        height = max(_ROW_IN, len(lines) * LINE_IN + 0.03)
        colour = GREY if name == _IDENTITY else COLOURS[0]
        drawing.rectangle(left, y + 0.02, max(wide * score / most, 0.01), height - 0.06, colour)
        middle = y + (height - 0.02) / 2
        drawing.text(left - _GAP_IN, middle, lines, align="right", middle=True)
        drawing.text(
            left + wide + 0.06,  # beyond the line, which would run through a number
            middle,
            f"{score:.3f}",
            size=SMALL_PT,
            colour=FAINT_INK,
            middle=True,
        )
        y += height
    if _IDENTITY in scores:
        x = left + wide * scores[_IDENTITY] / most
        drawing.line([x, x], [top, y], RULE, dashed=True, width_pt=0.9, layer=4)
    return y
