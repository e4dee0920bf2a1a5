"""Where something else has the higher figure: methods of others, and changes to the product."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from experiments.result_cells import SHORT, Figure, Result, cell, each, paired, signed


def losses(results: Mapping[str, Result]) -> Iterator[str]:
    """Every place at which something else has the higher figure beyond its interval."""
    yield "## Where we lose"
    yield ""
    yield "What is better than the product beyond its interval, most first; made from all results."
    for title, lines in (
        ("Methods of others", _better_methods(results)),
        ("Changes to the product", _better_changes(results)),
        ("Policies of a memory as a stream", _better_policies(results)),
        ("In place of semantic experts", _better_experts(results)),
        ("The same answer to everything", _better_constants(results)),
    ):
        found = sorted(lines)
        sure = [line for above, line in found if above < 0]
        yield from ("", f"**{title}**", "")
        yield from sure or ["- none beyond its interval"]
        if len(found) > len(sure):
            yield f"- {len(found) - len(sure)} more are higher, within their interval"


Better: TypeAlias = Iterator[tuple[float, str]]
"""Lines with what they are sorted by: minus the difference if it is beyond its interval, else 0."""


def _better_methods(results: Mapping[str, Result]) -> Better:
    for film, result in each(results, "baselines"):
        for row in result["rows"]:
            budget = row["budget_kb"]
            where = "without a budget" if budget is None else f"at {budget} kB"
            for name, more in row.get("difference", {}).items():
                if more["value"] > 0:
                    yield _better(f"{film}, {where}: {row['name']}, {SHORT[name]}", more)


def _better_changes(results: Mapping[str, Result]) -> Better:
    for film, result in each(results, "ablation"):
        first = result["rows"][0]["name"]
        for row in result["rows"]:
            if row.get("against", first) != first:
                continue
            for name, more in row.get("difference", {}).items():
                if more["value"] > 0:
                    yield _better(f"{film}: {row['name']} ({row['group']}), {SHORT[name]}", more)


def _better_policies(results: Mapping[str, Result]) -> Better:
    for film, budget in each(results, "budget"):
        for row in budget["table"]:
            for figure in ("concept", "moment", "image"):
                value, low, high = row.get(f"{figure}_lead", (0.0, 0.0, 0.0))
                if value < 0:
                    what = f"{film}, bytes of {row['budget']} entries ({row['form']})"
                    more = {"value": -value, "low": -high, "high": -low}
                    yield _better(f"{what}: {row['policy']}, {figure}", more)


def _better_experts(results: Mapping[str, Result]) -> Better:
    for film, experts in each(results, "experts"):
        for job in ("compress", "adapt"):
            runs = experts.get(job, {})
            for name, own in runs.items():
                size = name.partition(" ")[0] if job == "compress" else ""
                both = ", two films" if name.endswith(", two films") else ""
                ours = runs.get(f"{size} semantic{both}".strip())
                if ours is None or own is ours:
                    continue
                for figure in ("cosine", "text@10", "image@5", "moment R5", "mAP", "NMI"):
                    if figure not in own[0] or figure not in ours[0]:
                        continue
                    more = paired([run[figure] for run in own], [run[figure] for run in ours])
                    if more["value"] > 0:
                        yield _better(f"{film}, {job}: {name}, {figure}", more)


def _better_constants(results: Mapping[str, Result]) -> Better:
    for film, result in each(results, "evaluation"):
        figures = result["figures"]
        for kind in ("order", "next", "count"):
            ours, theirs = figures.get(f"{kind}_accuracy"), figures.get(f"{kind}_best_constant")
            if ours and theirs and theirs["value"] > ours["value"]:
                line = (
                    f"- {film}, {kind}: right in {cell(ours, count=True)}, the best constant "
                    f"answer in {theirs['value']:.3f}"
                )
                yield (-(theirs["value"] - ours["value"]), line)


def _better(what: str, more: Figure) -> tuple[float, str]:
    return (-more["value"] if more["low"] > 0 else 0.0, f"- {what}: {signed(more)}")
