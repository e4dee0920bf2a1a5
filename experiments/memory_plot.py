"""Draws what `experiments.memory_stream` and `experiments.memory_budget` measured.

python -m experiments.memory_plot --stream DIR/stream.json --out memory-stream.png
python -m experiments.memory_plot --budget DIR/budget.json --out memory-budget.png
python -m experiments.memory_plot --tables DEV/budget.json LONG/budget.json --out memory-tables.md
"""

from __future__ import annotations

import argparse
import json
import sys
from itertools import product
from pathlib import Path
from typing import Any

from matplotlib.figure import Figure
from matplotlib.ticker import NullFormatter, ScalarFormatter

from experiments.memory_budget import FORMS, METRICS, UNLIMITED, markdown
from experiments.run_record import in_a_line
from semantic_video.utils.visualization.palette import COLOURS

_MARKERS = ("o", "s", "^", "v", "D", "P", "X", "<")
_DASHES = ("-", (0, (5, 2)), (0, (1, 1.5)), (0, (5, 1.5, 1, 1.5)))
_MARKS = (20, 50, 100, 200, 500, 1000, 2000)


def stream_figure(path: Path) -> Figure:
    """Resident memory of the process and entries held, against the time of the film."""
    report = json.loads(path.read_text(encoding="utf-8"))
    minutes = [sample[0] / 60 for sample in report["samples"]]
    figure = Figure(figsize=(7, 2.6), layout="constrained")
    axes = figure.subplots()
    megabytes, entries = ([sample[at] for sample in report["samples"]] for at in (1, 2))
    axes.plot(minutes, megabytes, color=COLOURS[0], label="process, MB")
    axes.plot(minutes, entries, color=COLOURS[1], linestyle="--", label="entries held")
    axes.set(xlabel="minutes of film streamed in", ylim=(0, None))
    axes.legend(loc="center right", frameon=False)
    return figure


def budget_figure(path: Path) -> Figure:
    """Recall of every policy against the bytes it takes: a row for each form of an entry."""
    table = json.loads(path.read_text(encoding="utf-8"))["table"]
    limited = [line for line in table if line["budget"] < UNLIMITED]
    policies = list(dict.fromkeys(line["policy"] for line in limited))
    forms = _forms(table)
    figure = Figure(figsize=(10, 3 * len(forms)), layout="constrained")
    panels = figure.subplots(len(forms), len(METRICS), sharey=True, sharex="row", squeeze=False)
    for row, form in zip(panels, forms, strict=True):
        for axes, metric in zip(row, METRICS, strict=True):
            for policy in policies:
                own = sorted(
                    (line["bytes"] / 1000, line[metric])
                    for line in limited
                    if (line["form"], line["policy"]) == (form, policy)
                )
                axes.plot(
                    [x for x, _ in own],
                    [y for _, y in own],
                    label=policy,
                    **_line(policy, policies),
                )
            axes.set(xscale="log", title=f"{metric}, {form}", xlabel="kB", ylim=(0, 1))
            axes.xaxis.set_major_formatter(ScalarFormatter())
            axes.xaxis.set_minor_formatter(NullFormatter())
            axes.set_xticks([x for x in _MARKS if axes.get_xlim()[0] < x < axes.get_xlim()[1]])
    figure.legend(
        *axes.get_legend_handles_labels(),
        loc="outside lower center",
        ncols=4,
        frameon=False,
        handlelength=4,
    )
    return figure


def _line(policy: str, policies: list[str]) -> dict[str, Any]:
    """Looks of a policy's line: a colour, marker and dashes of its own; ours is the thickest."""
    place = policies.index(policy)
    ours = policy == "semantic"
    return {
        "color": COLOURS[place % len(COLOURS)],
        "marker": _MARKERS[place % len(_MARKERS)],
        "linestyle": _DASHES[place % len(_DASHES)],
        "linewidth": 2.6 if ours else 1.4,
        "markersize": 6 if ours else 5,
        "markerfacecolor": COLOURS[place % len(COLOURS)] if ours else "white",
        "zorder": 3 if ours else 2,
    }


def tables(paths: list[Path]) -> str:
    """Every figure with its interval, and how far ours is ahead of the best of the others."""
    text = ["# Recall against the budget: all figures", "", _READING]
    for path in paths:
        report = json.loads(path.read_text(encoding="utf-8"))
        text += ["", f"## Film of {report['scenes']} scenes as streamed, {report['seeds']} seeds"]
        forms = _forms(report["table"])
        for form, metric in product(forms, METRICS):
            text += ["", markdown(report["table"], form, metric)]
        text += [
            "",
            "Ours less the best other at the same bytes, and the 95 % interval over queries:",
        ]
        text += ["", "| form, entries | kB | " + " | ".join(METRICS) + " |", "| --- " * 5 + "|"]
        budgets = sorted({line["budget"] for line in report["table"]} - {UNLIMITED})
        for form, budget in product(forms, budgets):
            lines = [x for x in report["table"] if (x["form"], x["budget"]) == (form, budget)]
            ours = next(x for x in lines if x["policy"] == "semantic")
            cells = [f"{form}, {budget}", f"{ours['bytes'] / 1000:.0f}"]
            for metric in METRICS:
                best = max((x for x in lines if x is not ours), key=lambda x: x[metric])
                lead, low, high = best[f"{metric}_lead"]
                cells.append(f"{lead:+.2f} ({low:+.2f} to {high:+.2f}) {best['policy']}")
            text.append("| " + " | ".join(cells) + " |")
    return "\n".join(text) + "\n"


def _forms(table: list[dict[str, Any]]) -> list[str]:
    """The forms of an entry that every policy was measured in, and that this table has."""
    return [form for form in FORMS if any(line["form"] == form for line in table)]


_READING = """Made by `experiments.memory_budget` and `experiments.memory_plot --tables`; what is
measured is said in [the memory](memory.md). Columns: entries of ours; every other policy has the
bytes that these take. Means over the seeds, with half of the 95 % interval of the mean: other
frames held back, other lots."""


def main() -> None:
    """Draw one of them."""
    parser = argparse.ArgumentParser(description="Draw what was measured of the memory.")
    parser.add_argument("--stream", type=Path)
    parser.add_argument("--budget", type=Path)
    parser.add_argument("--tables", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    if arguments.tables:
        arguments.out.write_text(tables(arguments.tables), encoding="utf-8")
    if arguments.stream:
        stream_figure(arguments.stream).savefig(arguments.out, dpi=110)
    if arguments.budget:
        budget_figure(arguments.budget).savefig(arguments.out, dpi=110)


if __name__ == "__main__":
    sys.exit(in_a_line(main))
