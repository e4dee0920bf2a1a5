"""What was measured of experts, as tables in Markdown."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from experiments.student import half_interval

Figures = dict[str, list[dict[str, float]]]
"""Name of a variant -> its figures, a seed each."""

_SHOWN = ("cosine", "image@5", "text@10", "R5/full")


def tables(measured: Mapping[str, Any]) -> str:
    """What was measured of a film as Markdown: a table a job, a line a variant."""
    lines = [
        f"`{measured['film']}`: {measured['scenes']} scenes, {measured['vectors']} vectors of "
        f"{measured['bytes']} bytes, {measured['seeds']} seeds.",
        "",
        *_compress_table(measured["compress"]),
    ]
    if measured["adapt"]:
        lines += ["", *_adapt_table(measured["adapt"])]
    return "\n".join(lines) + "\n"


def _compress_table(figures: Figures) -> list[str]:
    """A line a codec: for each size the means of all figures, of ``text@10`` with its interval."""
    sizes = list(dict.fromkeys(name.partition(" ")[0] for name in figures))
    codecs = list(dict.fromkeys(name.partition(" ")[2] for name in figures))
    shown = [name for name in _SHOWN if name in next(iter(figures.values()))[0]]
    heads = [f"{size} bytes" for size in sizes]
    lines = [
        f"Each cell: {' / '.join(shown)}.",
        "",
        f"| codec | {' | '.join(heads)} | weights at {sizes[-1]} bytes, kB | pays from, vectors |",
        "| --- " * (len(sizes) + 3) + "|",
    ]
    for codec in codecs:
        cells = []
        for size in sizes:
            runs = figures.get(f"{size} {codec}", [])
            parts = [_mean_of(name, runs, name == "text@10") for name in shown if runs]
            cells.append(" / ".join(parts))
        last = next(figures[f"{s} {codec}"] for s in reversed(sizes) if f"{s} {codec}" in figures)
        for name in ("weights, kB", "pays from"):
            cells.append(f"{np.mean([run[name] for run in last]):.0f}")
        lines.append(f"| {codec} | " + " | ".join(cells) + " |")
    return lines


def _adapt_table(figures: Figures) -> list[str]:
    """A line a variant; gains are those over the identity on the same held-out blocks."""
    columns = list(next(iter(figures.values()))[0])
    lines = [
        "| adapt | " + " | ".join(columns) + " | gain in mAP | gain in text R5 |",
        "| --- " * (len(columns) + 3) + "|",
    ]
    for name, runs in figures.items():
        cells = [_mean_of(column, runs, True) for column in columns]
        for column in ("mAP", "text R5"):
            gains = [
                {column: run[column] - other[column]}
                for run, other in zip(runs, figures["identity"], strict=True)
            ]
            cells.append(_mean_of(column, gains, True, "+"))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _mean_of(column: str, runs: Sequence[Mapping[str, float]], spread: bool, sign: str = "") -> str:
    values = [run[column] for run in runs]
    text = f"{sum(values) / len(values):{sign}.3f}"
    if not spread or len(values) < 2:
        return text
    return f"{text} ± {half_interval(values):.3f}"
