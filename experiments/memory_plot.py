"""Draws what `experiments.memory_stream` and `experiments.memory_budget` measured.

python -m experiments.memory_plot --stream DIR/stream.json --out memory-stream.png
python -m experiments.memory_plot --budget DIR/budget.json --out memory-budget.png
"""

from __future__ import annotations

import argparse
import json
from pathlib import Path

from matplotlib.figure import Figure


def stream_figure(path: Path) -> Figure:
    """Resident memory of the process and entries held, against the time of the film."""
    report = json.loads(path.read_text(encoding="utf-8"))
    minutes = [sample[0] / 60 for sample in report["samples"]]
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    axes = figure.subplots()
    axes.plot(minutes, [sample[1] for sample in report["samples"]], label="process, MB")
    axes.plot(minutes, [sample[2] for sample in report["samples"]], label="entries held")
    axes.set(xlabel="minutes of film streamed in", ylim=(0, None))
    axes.legend(loc="center right", frameon=False)
    return figure


def budget_figure(path: Path) -> Figure:
    """Recall of every policy against the budget, one panel a figure, form `exemplar-8`."""
    table = json.loads(path.read_text(encoding="utf-8"))["table"]
    figure = Figure(figsize=(10, 3.2), layout="constrained")
    panels = figure.subplots(1, 3, sharey=True)
    for axes, metric in zip(panels, ("concept", "moment", "image"), strict=True):
        for policy in dict.fromkeys(line["policy"] for line in table):
            own = sorted(
                (line["budget"], line[metric])
                for line in table
                if (line["form"], line["policy"]) == ("exemplar-8", policy)
                and line["budget"] < 1000
            )
            width = 2.4 if policy == "semantic" else 1.0
            axes.plot([b for b, _ in own], [v for _, v in own], lw=width, label=policy)
        axes.set(xscale="log", title=metric, xlabel="entries", ylim=(0, 1))
    panels[-1].legend(frameon=False, fontsize="small")
    return figure


def main() -> None:
    """Draw one of them."""
    parser = argparse.ArgumentParser(description="Draw what was measured of the memory.")
    parser.add_argument("--stream", type=Path)
    parser.add_argument("--budget", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.stream:
        stream_figure(arguments.stream).savefig(arguments.out, dpi=110)
    if arguments.budget:
        budget_figure(arguments.budget).savefig(arguments.out, dpi=110)


if __name__ == "__main__":
    main()
