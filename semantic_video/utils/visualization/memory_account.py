"""The memory: scenes seen and entries held along time, against the budget of each tier."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from semantic_video.errors import ConfigError
from semantic_video.records import Span
from semantic_video.utils.telling import counted
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
from semantic_video.utils.visualization.palette import COLOURS
from semantic_video.utils.visualization.timeline import TimeAxis

_PANEL_IN = 1.7
_GAP_IN = 0.1
_ROW_IN = 0.34
"""Height of the row that says where something was given up."""
_HELD, _SEEN, _MERGED, _GONE = COLOURS[0], "#999999", COLOURS[1], COLOURS[4]
_STEPS = (1, 2, 5)


@dataclass(frozen=True, slots=True)
class TierUse:
    """How full a tier is, in entries and bytes, and how full it may be."""

    name: str
    entries: int
    budget_entries: int
    bytes: int
    budget_bytes: int


def memory_account(
    entry_spans: Sequence[Sequence[Span]],
    budget: int,
    tiers: Sequence[TierUse],
    path: str | Path,
    *,
    title: str = "",
    given_up: Mapping[str, Sequence[tuple[Span, int]]] | None = None,
    notes: Sequence[str] = (),
) -> Path:
    """Draw how a memory filled and what its budget cost; return the path.

    ``entry_spans`` are the scenes of each entry in order of time: its first begins the entry, the
    others were merged into it. Above is a curve of scenes seen and one of entries begun, with the
    budget of ``budget`` entries; then a mark for each scene that was merged; then a row of bars
    for each kind of thing in ``given_up``, stretches of time with how many were given up there;
    then how full each tier is. ``notes`` are lines below, such as why things were given up.

    Raises ConfigError when matplotlib is missing, the format is unknown, or there is no entry.
    """
    if not entry_spans:
        raise ConfigError("A picture of a memory needs an entry, and there is none")
    begun = sorted(spans[0].start_s for spans in entry_spans)
    merged = sorted(span for spans in entry_spans for span in spans[1:])
    seen = sorted(span.start_s for spans in entry_spans for span in spans)
    end_s = max(span.end_s for spans in entry_spans for span in spans)
    with page(path) as drawing:
        entries = counted(len(begun), "entry", "entries")
        joined = f"{len(merged)} {'was' if len(merged) == 1 else 'were'}"
        note = (
            f"{counted(len(seen), 'scene')} in {entries} of at most {budget}; "
            f"{joined} merged into an earlier entry."
        )
        y = drawing.heading(title, note)
        left, right = PAD_IN + 0.95, PAD_IN + 0.85
        axis = TimeAxis(Span(0.0, end_s), left, drawing.width_in - left - right)
        scale = _Counts(y + 0.05, y + 0.05 + _PANEL_IN, max(len(seen), 1), budget)
        scale.draw(drawing, axis)
        ends = _curve(drawing, axis, scale, seen, end_s, _SEEN)
        held = _curve(drawing, axis, scale, begun, end_s, _HELD)
        edge = axis.left + axis.width + 0.06
        if abs(ends - held) < SMALL_LINE_IN:  # the names would cover one another
            middle = (ends + held) / 2
            ends, held = middle - SMALL_LINE_IN / 2, middle + SMALL_LINE_IN / 2
        drawing.text(edge, ends, "scenes", size=SMALL_PT, colour="#666666", middle=True)
        drawing.text(edge, held, "entries", size=SMALL_PT, colour=_HELD, middle=True)
        y = scale.bottom + 0.06
        drawing.rectangle(axis.left, y, axis.width, 0.16, SHADE, layer=0)
        drawing.bands([axis.band(span) for span in merged], y + 0.02, 0.12, _MERGED)
        drawing.text(
            axis.left - _GAP_IN, y + 0.08, "merged", size=SMALL_PT, align="right", middle=True
        )
        y += 0.16
        for name, stretches in (given_up or {}).items():
            y = _given_up(drawing, axis, y + 0.06, name, stretches)
        y = axis.draw(drawing, scale.top, y) + 0.1
        for tier in tiers:
            y = _tier(drawing, y, tier, axis)
        y += 0.06
        for line in notes:
            y = drawing.note(y, line)
        drawing.height_in = y + PAD_IN
    return Path(path)


@dataclass(frozen=True, slots=True)
class _Counts:
    """The upright axis: counts from 0 at ``bottom``; the budget on it where it is near enough."""

    top: float
    bottom: float
    most: int
    budget: int

    @property
    def limit(self) -> float:
        near = self.budget <= 2.5 * self.most
        return max(self.most, self.budget if near else 0) * 1.08

    def y(self, count: float) -> float:
        return self.bottom - count / self.limit * (self.bottom - self.top)

    def draw(self, drawing: Page, axis: TimeAxis) -> None:
        step = next(
            base * 10**power
            for power in range(12)
            for base in _STEPS
            if self.limit / (base * 10**power) < 6
        )
        right = axis.left + axis.width
        for count in range(0, int(self.limit) + 1, step):
            y = self.y(count)
            drawing.line([axis.left, right], [y, y], RULE)
            drawing.text(
                axis.left - 0.06,
                y,
                str(count),
                size=SMALL_PT,
                colour=FAINT_INK,
                align="right",
                middle=True,
            )
        if self.budget <= self.limit:
            y = self.y(self.budget)
            drawing.line([axis.left, right], [y, y], "#000000", dashed=True, width_pt=0.9, layer=4)
            drawing.text(axis.left + 0.05, y - SMALL_LINE_IN - 0.01, "budget", size=SMALL_PT)


def _curve(
    drawing: Page,
    axis: TimeAxis,
    scale: _Counts,
    times: Sequence[float],
    end_s: float,
    colour: str,
) -> float:
    """A staircase that rises by one at each time; returns where it ends."""
    xs, ys = [axis.left], [scale.y(0)]
    for count, time_s in enumerate(times, start=1):
        xs += [axis.x(time_s)] * 2
        ys += [ys[-1], scale.y(count)]
    xs.append(axis.x(end_s))
    ys.append(ys[-1])
    drawing.line(xs, ys, colour, width_pt=1.4, layer=3)
    return ys[-1]


def _given_up(
    drawing: Page, axis: TimeAxis, y: float, name: str, stretches: Sequence[tuple[Span, int]]
) -> float:
    """A row of bars: where on the timeline how many were given up; at the right the most."""
    drawing.rectangle(axis.left, y, axis.width, _ROW_IN, SHADE, layer=0)
    most = max(count for _, count in stretches)
    for span, count in stretches:
        clipped = Span(span.start_s, min(span.end_s, axis.window.end_s))
        if clipped.duration_s <= 0:
            continue
        x, width = axis.band(clipped)
        height = max(_ROW_IN * count / most, 0.02)
        drawing.rectangle(x, y + _ROW_IN - height, width, height, _GONE, layer=3)
    width_s = stretches[0][0].duration_s
    each = f"{width_s:g} s" if width_s < 60 else f"{width_s / 60:.0f} min"
    edge = axis.left + axis.width + 0.06
    middle = y + _ROW_IN / 2
    for line, left, right in ((-1, name, f"at most {most}"), (1, "given up", f"in {each}")):
        place = middle + line * SMALL_LINE_IN / 2
        drawing.text(axis.left - _GAP_IN, place, left, size=SMALL_PT, align="right", middle=True)
        drawing.text(edge, place, right, size=SMALL_PT, colour=FAINT_INK, middle=True)
    return y + _ROW_IN


def _tier(drawing: Page, y: float, tier: TierUse, axis: TimeAxis) -> float:
    """A bar: how much of a tier's entries is used, with the numbers."""
    middle = y + LINE_IN / 2
    drawing.text(axis.left - _GAP_IN, middle, tier.name, align="right", middle=True)
    wide = axis.width * 0.5
    drawing.rectangle(axis.left, y + 0.02, wide, LINE_IN - 0.04, "#E4E4E4")
    share = min(tier.entries / max(tier.budget_entries, 1), 1.0)
    if share > 0:
        drawing.rectangle(
            axis.left, y + 0.02, max(wide * share, 0.01), LINE_IN - 0.04, _HELD, layer=3.5
        )
    held = f"{tier.entries} of {tier.budget_entries}"
    if tier.budget_bytes:
        held += f", {_size(tier.bytes)} of {_size(tier.budget_bytes)}"
    drawing.text(
        axis.left + wide + _GAP_IN,
        middle,
        held,
        size=SMALL_PT,
        colour=FAINT_INK,
        middle=True,
    )
    return y + LINE_IN + 0.06


def _size(count: float) -> str:
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit != "MB" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"
