"""The query: how well every moment of the video answers, which ones count, and why."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike

from semantic_video.records import Moment, Span
from semantic_video.utils.telling import clock, counted
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
from semantic_video.utils.visualization.thumbnails import picture_in, shape_of
from semantic_video.utils.visualization.timeline import TimeAxis, shown_window, spans_inside

_PANEL_IN = 1.9
_NULL_IN = 0.95
_GAP_IN = 0.1
_COLUMNS = 6
_CURVE = COLOURS[0]
_ANSWER = COLOURS[1]
_BINS = 40
_FAINTEST = 0.4
"""How dark a band is that counts and is least sure: seen at 800 pixels, and in print."""


@dataclass(frozen=True, slots=True)
class TermRow:
    """One line of a picture of a query: what was looked for, and where it was found."""

    name: str
    spans: tuple[Span, ...]
    probabilities: tuple[float, ...]
    """Of each span; drawn as how dark it is."""
    found: bool = True
    """Whether the spans count; else they are the nearest, and it is said that nothing was found."""
    below: tuple[Span, ...] = ()
    """What the result rests on though it does not count; drawn as what is not found is."""


def query_curve(
    query: str,
    candidates: Sequence[Moment],
    duration_s: float,
    path: str | Path,
    *,
    answers: Sequence[Moment] | None = None,
    thumbnails: Mapping[float, bytes] | None = None,
    threshold: float | None = None,
    chance: ArrayLike | None = None,
    note: str = "",
    k: int = 6,
    window: Span | None = None,
) -> Path:
    """Draw the score of every candidate over time, and the best ``k`` with their pictures.

    ``candidates`` are moments of one video that never overlap, best first; ``answers`` those to
    mark where they are others, such as words that were said; where none of them lies in the window,
    the best candidates there are marked. ``threshold`` is the score from which a moment counts as
    found, a dashed line; ``chance`` are the best scores [N] that this video gives to each of N
    phrases that do not belong, a histogram at the side. ``note`` says the outcome.

    Raises ConfigError when matplotlib is missing, the format is unknown, or the window lies
    outside the video.
    """
    shown = shown_window(duration_s, window)
    inside = [m for m in candidates if m.end_s > shown.start_s and m.start_s < shown.end_s]
    listed = inside if answers is None else answers
    best = [m for m in listed if m.end_s > shown.start_s and m.start_s < shown.end_s][:k]
    best = best or inside[:k]  # no answer lies here: the nearest there is
    pictures = thumbnails or {}
    null = np.zeros(0) if chance is None else np.asarray(chance, dtype=np.float64)
    with page(path) as drawing:
        if threshold is not None:
            note = f"{note} Dashed: from here on a moment counts as found.".strip()
        if len(null):
            note = f"{note} At the right: the best that other phrases reach by chance.".strip()
        if window is not None:
            note = f"{_in_stretch(shown, best, threshold)} In the whole film: {note}"
        y = drawing.heading(query, note)
        drawing.text(PAD_IN, y, "likeness", size=SMALL_PT, colour=FAINT_INK)
        left = PAD_IN + 0.42
        right = PAD_IN + (_NULL_IN + _GAP_IN if len(null) else 0.35)
        axis = TimeAxis(shown, left, drawing.width_in - left - right)
        levels = _levels(drawing, axis, best)
        named = PAD_IN + drawing.width_of("likeness") + 0.1
        if any(axis.band(Span(moment.start_s, moment.end_s))[0] < named for moment in best):
            y += SMALL_LINE_IN  # the number of the first would stand in the axis' name
        y += SMALL_LINE_IN * (1 + max(levels, default=0)) + 0.03
        scale = _Scale(y, y + _PANEL_IN, _limits(inside, threshold, null))
        scale.draw(drawing, axis)
        for rank, (moment, level) in enumerate(zip(best, levels, strict=True), start=1):
            x, width = axis.band(Span(moment.start_s, moment.end_s))
            passes = threshold is None or moment.score >= threshold
            fill = _ANSWER if passes else "#888888"
            drawing.rectangle(x, y, width, _PANEL_IN, fill, alpha=0.3, layer=1.5)
            drawing.text(
                x + width / 2,
                y - SMALL_LINE_IN * (level + 1) - 0.01,
                str(rank),
                size=SMALL_PT,
                align="center",
            )
        for run in _runs(inside):
            xs = [axis.x(time) for moment in run for time in _cut(moment, shown)]
            ys = [scale.y(moment.score) for moment in run for _ in range(2)]
            drawing.area(xs, ys, scale.bottom, _CURVE, alpha=0.18)
            drawing.line(xs, ys, _CURVE, width_pt=1.0, layer=3)
        edge = axis.left + axis.width
        if len(null):
            _draw_chance(drawing, scale, edge + _GAP_IN, null)
        if threshold is not None:
            at = scale.y(threshold)
            reach = edge + (_GAP_IN + _NULL_IN - 0.05 if len(null) else 0)
            drawing.line(
                [axis.left, reach], [at, at], "#000000", dashed=True, layer=4, width_pt=0.9
            )
        y = axis.draw(drawing, y, scale.bottom) + 0.08
        y = _answers(drawing, y, best, pictures)
        drawing.height_in = y + PAD_IN
    return Path(path)


def query_terms(
    query: str,
    terms: Sequence[TermRow],
    result: TermRow,
    duration_s: float,
    path: str | Path,
    *,
    note: str = "",
    window: Span | None = None,
) -> Path:
    """Draw where each term of a query is found, a row each, and below them the result.

    The darker a filled band, the surer it is; what does not count is an outline.

    Raises ConfigError when matplotlib is missing, the format is unknown, or the window lies
    outside the video.
    """
    shown = shown_window(duration_s, window)
    with page(path) as drawing:
        if window is not None:
            stretch = f"From {clock(shown.start_s)} to {clock(shown.end_s)}"
            note = f"{stretch}, with what is found there. In the whole film: {note}"
        note = f"{note} Filled: found, the surer the darker. Outlined: the nearest, not found."
        y = top = drawing.heading(query, note.strip())
        rows = [*terms, result]
        names = [drawing.wrap(row.name or "-", 2.2, bold=row is result) for row in rows]
        counts = [
            f"{len(spans_inside(row.spans, shown))}×" if row.found else "not found" for row in rows
        ]
        widest = max(
            drawing.width_of(line, bold=row is result)
            for row, lines in zip(rows, names, strict=True)
            for line in lines
        )
        left = max(PAD_IN + widest + _GAP_IN, 0.45)
        right = max(_GAP_IN + drawing.widest(counts) + PAD_IN, 0.45)
        axis = TimeAxis(shown, left, drawing.width_in - left - right)
        for number, (row, lines, count) in enumerate(zip(rows, names, counts, strict=True)):
            if row is result:
                drawing.line([left, left + axis.width], [y, y], "#888888")
            height = LINE_IN * len(lines) + 0.14
            middle = y + height / 2
            if number % 2 == 0:
                drawing.rectangle(left, y, axis.width, height, SHADE, layer=0)
            colour = _ANSWER if row is result else COLOURS[(0, 2, 4, 6)[number % 4]]
            surest = max(0.5, *row.probabilities, 0.0)
            for span, probability in zip(row.spans, row.probabilities, strict=True):
                alpha = _FAINTEST + (1 - _FAINTEST) * max(probability, 0.0) / surest
                for part in spans_inside([span] if row.found else [], shown):
                    x, width = axis.band(part)
                    drawing.rectangle(x, middle - LINE_IN / 2, width, LINE_IN, colour, alpha=alpha)
            for part in spans_inside([*row.below, *([] if row.found else row.spans)], shown):
                x, width = axis.band(part)
                drawing.rectangle(x, middle - LINE_IN / 2, width, LINE_IN, edge=colour, edge_pt=1.1)
            drawing.text(
                left - _GAP_IN, middle, lines, align="right", middle=True, bold=row is result
            )
            drawing.text(left + axis.width + _GAP_IN, middle, count, colour=FAINT_INK, middle=True)
            y += height
        drawing.height_in = axis.draw(drawing, top, y) + PAD_IN
    return Path(path)


@dataclass(frozen=True, slots=True)
class _Scale:
    """The upright axis: scores between two limits, from ``bottom`` up to ``top``."""

    top: float
    bottom: float
    limits: tuple[float, float]

    def y(self, score: float) -> float:
        low, high = self.limits
        share = (score - low) / (high - low)
        return self.bottom - min(max(share, 0.0), 1.0) * (self.bottom - self.top)

    def draw(self, drawing: Page, axis: TimeAxis) -> None:
        low, high = self.limits
        step = next(s for s in (0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0) if (high - low) / s < 7)
        for number in range(int(np.ceil(low / step)), int(high / step + 1e-9) + 1):
            y = self.y(number * step)
            drawing.line([axis.left, axis.left + axis.width], [y, y], RULE)
            drawing.text(
                axis.left - 0.06,
                y,
                f"{number * step:.2f}",
                size=SMALL_PT,
                colour=FAINT_INK,
                align="right",
                middle=True,
            )


def _limits(
    moments: Sequence[Moment], threshold: float | None, null: np.ndarray[tuple[int], np.dtype]
) -> tuple[float, float]:
    """The lowest and highest score to show, with a little room."""
    scores = [moment.score for moment in moments]
    scores += [] if threshold is None else [threshold]
    scores += [float(null.min()), float(null.max())] if len(null) else []
    low, high = min(scores, default=0.0), max(scores, default=1.0)
    room = max(high - low, 0.02) * 0.06
    return low - room, high + room


def _in_stretch(shown: Span, best: Sequence[Moment], threshold: float | None) -> str:
    """How many of the moments that a stretch shows count, which the whole film does not say."""
    stretch = f"From {clock(shown.start_s)} to {clock(shown.end_s)}"
    if threshold is None:
        return f"{stretch}."
    passing = sum(moment.score >= threshold for moment in best)
    verb = "count" if passing > 1 else "counts"
    return f"{stretch}: {passing or 'none'} of {counted(len(best), 'moment')} {verb} as found."


def _levels(drawing: Page, axis: TimeAxis, best: Sequence[Moment]) -> list[int]:
    """How many lines above the panel each rank stands, so that none covers another."""
    taken: list[list[tuple[float, float]]] = []
    levels = []
    for rank, moment in enumerate(best, start=1):
        x, width = axis.band(Span(moment.start_s, moment.end_s))
        half = drawing.width_of(str(rank), SMALL_PT) / 2 + 0.02
        low, high = x + width / 2 - half, x + width / 2 + half
        level = 0
        while level < len(taken) and any(low < b and a < high for a, b in taken[level]):
            level += 1
        if level == len(taken):
            taken.append([])
        taken[level].append((low, high))
        levels.append(level)
    return levels


def _runs(moments: Sequence[Moment]) -> list[list[Moment]]:
    """Moments in order of time, in runs without a gap."""
    runs: list[list[Moment]] = []
    for moment in sorted(moments, key=lambda moment: moment.start_s):
        if runs and moment.start_s - runs[-1][-1].end_s < 0.05:
            runs[-1].append(moment)
        else:
            runs.append([moment])
    return runs


def _cut(moment: Moment, window: Span) -> tuple[float, float]:
    return max(moment.start_s, window.start_s), min(moment.end_s, window.end_s)


def _draw_chance(
    drawing: Page, scale: _Scale, left: float, null: np.ndarray[tuple[int], np.dtype]
) -> None:
    """A histogram on its side, over the same scores."""
    counts, edges = np.histogram(null, bins=_BINS, range=scale.limits)
    longest = _NULL_IN - 0.15
    for count, low, high in zip(counts, edges[:-1], edges[1:], strict=True):
        if count:
            top, bottom = scale.y(float(high)), scale.y(float(low))
            drawing.rectangle(left, top, longest * count / counts.max(), bottom - top, "#AAAAAA")
    drawing.line([left, left], [scale.top, scale.bottom], "#888888", width_pt=0.8)
    above = scale.top - SMALL_LINE_IN - 0.01  # the last time stands below
    drawing.text(left, above, "best by chance", size=SMALL_PT, colour=FAINT_INK)


def _answers(
    drawing: Page, y: float, best: Sequence[Moment], thumbnails: Mapping[float, bytes]
) -> float:
    """The best moments in their order: picture, rank and time, how sure, cluster."""
    step = (drawing.width_in - 2 * PAD_IN + _GAP_IN) / _COLUMNS
    width = step - _GAP_IN
    height = width / shape_of(thumbnails) if thumbnails else 0.0
    for start in range(0, len(best), _COLUMNS):
        deepest = 0.0
        for column, moment in enumerate(best[start : start + _COLUMNS]):
            x = PAD_IN + column * step
            if thumbnails:
                span = Span(moment.start_s, moment.end_s)
                drawing.picture(
                    x, y, width, height, picture_in(thumbnails, span, moment.keyframe_s)
                )
            under = y + height + 0.02
            sure = "" if moment.probability is None else f"  {percent(moment.probability)}"
            drawing.text(x, under, f"{start + column + 1}{sure}", bold=True)
            lines = [f"{clock(moment.start_s)}–{clock(moment.end_s)}"]
            drawing.text(x, under + LINE_IN, lines, size=SMALL_PT, colour=FAINT_INK)
            name, size = drawing.fitted(moment.cluster_name, width, SMALL_PT)
            below = under + LINE_IN + SMALL_LINE_IN
            drawing.text(x, below, name, size=size, colour=FAINT_INK)
            lines += name
            deepest = max(deepest, under + LINE_IN + SMALL_LINE_IN * len(lines))
        y = deepest + 0.08
    return y


def percent(probability: float) -> str:
    """A probability for people: never 0 % or 100 %, which would claim too much."""
    if probability < 0.01:
        return "< 1 %"
    return "> 99 %" if probability > 0.99 else f"{probability:.0%}".replace("%", " %")
