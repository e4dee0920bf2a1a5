"""Does grouping by meaning beat grouping by time, at equal budget? The tables that say."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from experiments.result_cells import (
    SHORT,
    Figure,
    Result,
    cell,
    difference,
    each,
    mean_of_seeds,
    missing,
    paired,
)


@dataclass(frozen=True, slots=True)
class Comparison:
    """One line of the table of the hypothesis: a figure by what scenes were grouped by.

    ``cells`` hold it by meaning, by time, at random and not grouped.
    ``gain`` is meaning minus time, with its interval; ``over_none`` meaning minus no grouping.
    """

    what: str
    cells: Sequence[str]
    gain: Figure
    over_none: float | None


def hypothesis(results: Mapping[str, Result]) -> Iterator[str]:
    """Semantics against time, for each of the three jobs."""
    yield "## Does grouping by meaning beat grouping by time, at equal budget?"
    yield ""
    for job, kind, compared in (
        ("search and memory", "ablation", _by_clusters(results)),
        ("memory as a stream", "budget", _by_policy(results)),
        ("experts", "experts", _by_route(results)),
    ):
        rows = list(compared)
        if not rows:
            yield from (missing(kind, f"Nothing on {job}"), "")
            continue
        ahead = sum(row.gain["low"] > 0 for row in rows)
        behind = sum(row.gain["high"] < 0 for row in rows)
        yield (
            f"**{job.capitalize()}**: meaning is ahead of time beyond its interval in {ahead} of "
            f"{len(rows)} comparisons, behind in {behind}, undecided in "
            f"{len(rows) - ahead - behind}.{_without(rows)}"
        )
        yield ""
        yield "| figure | by meaning | by time | at random | not grouped | meaning minus time |"
        yield "| --- | --- | --- | --- | --- | --- |"
        for row in rows:
            cells = " | ".join((row.what, *row.cells))
            yield f"| {cells} | {difference(row.gain, '')} |"
        yield ""


def _without(rows: Sequence[Comparison]) -> str:
    known = [row.over_none for row in rows if row.over_none is not None]
    if not known:
        return ""
    better = sum(gain > 0 for gain in known)
    return f" It has a higher value than no grouping in {better} of {len(known)}."


_CLUSTERS: Mapping[str, tuple[str, str, str, str]] = {
    "search, scenes supported by their cluster": (
        "clusters by meaning, no kin",
        "clusters by time, no kin",
        "random clusters, no kin",
        "hierarchy off (no clusters, no kin)",
    ),
    "memory of 64 entries, merged within clusters": (
        "64 entries, clusters by meaning",
        "64 entries, clusters by time",
        "64 entries, random clusters",
        "64 entries, one cluster",
    ),
}


def _by_clusters(results: Mapping[str, Result]) -> Iterator[Comparison]:
    """Search and memory of the product, with other clusters."""
    for film, ablation in each(results, "ablation"):
        rows = {row["name"]: row for row in ablation["rows"]}
        for job, names in _CLUSTERS.items():
            if any(name not in rows for name in names):
                continue
            for figure in ("moment_R5", "concept_recall@10", "image_recall@5"):
                own = [rows[name]["figures"].get(figure) for name in names]
                if None in own:
                    continue
                # The row by time holds time minus meaning.
                less = rows[names[1]]["difference"][figure]
                gain = {"value": -less["value"], "low": -less["high"], "high": -less["low"]}
                more = own[0]["value"] - own[3]["value"]
                what = f"{job}: {SHORT[figure]}, {film}"
                yield Comparison(what, [cell(one) for one in own], gain, more)


_OVER_TIME = ("fifo", "uniform", "adjacent-plain", "adjacent-weighted", "temporal-tree")


def _by_policy(results: Mapping[str, Result]) -> Iterator[Comparison]:
    """Streaming memories of equal bytes: ours, the best policy over time, and a random one."""
    for film, budget in each(results, "budget"):
        for form in ("vector", "exemplar-8"):
            for size in (32, 64, 128):
                own = {
                    row["policy"]: row
                    for row in budget["table"]
                    if row["budget"] == size and row["form"] == form
                }
                rivals = [own[name] for name in _OVER_TIME if name in own]
                if "semantic" not in own or not rivals:
                    continue
                for figure in ("concept", "moment", "image"):
                    best = max(rivals, key=lambda row: float(row[figure]))
                    lead = dict(zip(("value", "low", "high"), best[f"{figure}_lead"], strict=True))
                    yield Comparison(
                        f"{form}, bytes of {size} entries: {figure}, {film}",
                        (
                            _over_seeds(own["semantic"], figure),
                            f"{_over_seeds(best, figure)} ({best['policy']})",
                            _over_seeds(own["reservoir"], figure) if "reservoir" in own else "",
                            "",
                        ),
                        lead,
                        None,
                    )


def _over_seeds(row: Mapping[str, Any], figure: str) -> str:
    return f"{row[figure]:.2f} ±{row[f'{figure}_ci']:.2f}"


_ROUTED: Sequence[tuple[str, str, str, str]] = (
    *(
        ("compress", f"{size} ", figure, "one shared")
        for size in (24, 48)
        for figure in ("cosine", "text@10", "image@5")
    ),
    ("adapt", "", "mAP", "dense"),
    ("adapt", "", "NMI", "dense"),
)
"""Job, what the names of its rows begin with, figure, and the row without routing."""


def _by_route(results: Mapping[str, Result]) -> Iterator[Comparison]:
    """Experts routed by meaning, by time, at random, and none, on held-out time."""
    for film, experts in each(results, "experts"):
        for job, prefix, figure, none in _ROUTED:
            runs = experts.get(job, {})
            rows = [runs.get(prefix + name) for name in ("semantic", "temporal", "random", none)]
            if not all(rows) or figure not in rows[0][0]:
                continue
            values = [[run[figure] for run in own] for own in rows]
            gain = paired(values[0], values[1])
            size = f" to {prefix}bytes" if prefix else ""
            cells = [mean_of_seeds(own) for own in values]
            more = paired(values[0], values[3])["value"]
            yield Comparison(f"{job}{size}: {figure}, {film}", cells, gain, more)
