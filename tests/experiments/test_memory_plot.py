"""The figure of recall against bytes."""

from __future__ import annotations

from pathlib import Path

from experiments.memory_plot import budget_figure
from semantic_video.utils.visualization.palette import COLOURS

RESULTS = Path(__file__).parents[2] / "experiments" / "results"


def test_no_two_lines_are_told_apart_by_colour_alone() -> None:
    lines = budget_figure(RESULTS / "dev-budget.json").axes[0].get_lines()
    assert len(lines) == 8
    assert {line.get_color() for line in lines} <= set(COLOURS)
    assert len({line.get_marker() for line in lines}) == len(lines)
