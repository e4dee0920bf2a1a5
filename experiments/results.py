"""docs/results.md and the leaderboard, made of the JSON that the runs leave; no number is by hand.

    python -m experiments.results [--from DIR ...]

reads what lies in experiments/results and writes both pages. ``--from`` first takes over results of
runs (`evaluation.json`, `baselines.json`, `ablation.json` ...) from the folders they were written
to; NAME=DIR keeps them as NAME-evaluation.json and so on.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

from experiments.student import half_interval

RESULTS = Path(__file__).with_name("results")
PAGE = Path(__file__).parent.parent / "docs" / "results.md"
LEADERBOARD = PAGE.with_name("recurrence-leaderboard.md")
TAKEN: Mapping[str, str] = {
    "evaluation": "experiments.evaluation",
    "baselines": "experiments.baselines",
    "ablation": "experiments.ablation_studies",
    "budget": "experiments.memory_budget",
    "experts": "experiments.experts_report",
}
"""The results there are, and what makes each."""

Result: TypeAlias = Mapping[str, Any]
Figure: TypeAlias = Mapping[str, float]

_SHORT = {
    "moment_R1": "R1",
    "moment_R5": "R5",
    "moment_mAP": "mAP",
    "concept_recall@10": "concept recall@10",
    "image_recall@5": "image recall@5",
    "boundary_error_s": "border error, s",
    "absent_auroc": "AUROC",
    "false_accept_rate": "false alarms",
    "true_accept_rate": "passed",
    "calibration_error": "ECE",
    "cluster_purity": "purity",
    "cluster_nmi": "NMI",
    "screen_text_R1": "screen text R1",
    "speech_R1": "speech R1",
}
_LOWER_IS_BETTER = frozenset({"boundary_error_s", "false_accept_rate", "calibration_error"})
_RETRIEVAL = ("moment_R1", "moment_R5", "moment_mAP", "concept_recall@10", "image_recall@5")
_GROUPS: dict[str, tuple[str, ...]] = {
    "clustering": ("cluster_purity", "cluster_nmi", "moment_R5", "concept_recall@10"),
    "moments": ("moment_R1", "moment_mAP", "boundary_error_s", "concept_recall@10"),
    "calibration": ("absent_auroc", "calibration_error", "true_accept_rate", "false_accept_rate"),
    "words": ("moment_R1", "concept_recall@10", "speech_R1", "screen_text_R1", "absent_auroc"),
}
"""What is shown of a group of ablations; the retrieval figures, where nothing stands here."""


def page(results: Mapping[str, Result]) -> str:
    """The whole page; ``results`` are by the names of their files."""
    lines = [
        "# Results",
        "",
        "Made by `make results` from the JSON in `experiments/results`; do not edit. Every figure",
        "has its 95 % interval in brackets (bootstrap over queries; where chance is involved, a",
        "query's value is its mean over the seeds). A difference is marked **better** or **worse**",
        "only where its own interval, paired by query, leaves out 0. Figures are explained in",
        "[evaluation](evaluation.md); what was tried and failed is in the",
        "[experiment log](experiment-log.md).",
    ]
    sections: Sequence[Callable[[Mapping[str, Result]], Iterator[str]]] = (
        hypothesis,
        evaluations,
        baselines,
        losses,
        ablations,
        recurrence,
        how,
    )
    for section in sections:
        lines += ["", *section(results)]
    return "\n".join(lines).rstrip() + "\n"


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
            yield from (_missing(kind, f"Nothing on {job}"), "")
            continue
        ahead = sum(row.gain["low"] > 0 for row in rows)
        behind = sum(row.gain["high"] < 0 for row in rows)
        yield (
            f"**{job.capitalize()}**: meaning is ahead of time beyond doubt in {ahead} of "
            f"{len(rows)} comparisons, behind in {behind}, undecided in "
            f"{len(rows) - ahead - behind}.{_without(rows)}"
        )
        yield ""
        yield "| figure | by meaning | by time | at random | not grouped | meaning minus time |"
        yield "| --- | --- | --- | --- | --- | --- |"
        for row in rows:
            cells = " | ".join((row.what, *row.cells))
            yield f"| {cells} | {_difference(row.gain, '')} |"
        yield ""


def _without(rows: Sequence[Comparison]) -> str:
    known = [row.over_none for row in rows if row.over_none is not None]
    if not known:
        return ""
    better = sum(gain > 0 for gain in known)
    return f" It has a higher value than no grouping in {better} of {len(known)}."


def _missing(kind: str, what: str = "Not run") -> str:
    return (
        f"{what}: there is no `*-{kind}.json` in `experiments/results`; `python -m {TAKEN[kind]}` "
        "makes it."
    )


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
    for film, ablation in _each(results, "ablation"):
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
                what = f"{job}: {_SHORT[figure]}, {film}"
                yield Comparison(what, [_cell(one) for one in own], gain, more)


_OVER_TIME = ("fifo", "uniform", "adjacent-plain", "adjacent-weighted", "temporal-tree")


def _by_policy(results: Mapping[str, Result]) -> Iterator[Comparison]:
    """Streaming memories of equal bytes: ours, the best policy over time, and a random one."""
    for film, budget in _each(results, "budget"):
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
    for film, experts in _each(results, "experts"):
        for job, prefix, figure, none in _ROUTED:
            runs = experts.get(job, {})
            rows = [runs.get(prefix + name) for name in ("semantic", "temporal", "random", none)]
            if not all(rows) or figure not in rows[0][0]:
                continue
            values = [[run[figure] for run in own] for own in rows]
            gain = _paired(values[0], values[1])
            size = f" to {prefix}bytes" if prefix else ""
            cells = [_mean_of_seeds(own) for own in values]
            more = _paired(values[0], values[3])["value"]
            yield Comparison(f"{job}{size}: {figure}, {film}", cells, gain, more)


def evaluations(results: Mapping[str, Result]) -> Iterator[str]:
    """Every figure of the product as shipped."""
    yield "## The product as shipped"
    films = list(_each(results, "evaluation"))
    if not films:
        yield from ("", _missing("evaluation"))
        return
    for film, result in films:
        size = result["film"]
        time, kept = result["time"], result["bytes"]
        yield ""
        yield (
            f"**{film}**: {size['duration_s'] / 60:.0f} minutes, {size['segments']} segments, "
            f"{size['queries']} queries; {result['counts']['scenes']} scenes, "
            f"{result['counts']['clusters']} clusters, {kept['memory'] / 1000:.0f} kB of memory."
        )
        if time["index"]:
            yield (
                f"Indexed in {time['index']['cpu_s']:.0f} s of processor time "
                f"({time['index']['wall_s']:.0f} s on the wall); "
                f"{time['search_ms_per_query']['cpu']:.0f} ms of processor time a search."
            )
    names = list(dict.fromkeys(name for _, result in films for name in result["figures"]))
    yield ""
    yield "| figure | " + " | ".join(film for film, _ in films) + " |"
    yield "| --- |" + " --- |" * len(films)
    for name in names:
        own = [result["figures"].get(name) for _, result in films]
        yield f"| `{name}` | " + " | ".join(_cell(one, count=True) for one in own) + " |"


def baselines(results: Mapping[str, Result]) -> Iterator[str]:
    """Ours and the methods of others, at every budget."""
    yield "## Methods of others, same encoder and bytes"
    yield ""
    yield (
        "Ours is the product's memory of pictures alone. Budgets are kilobytes of vectors and "
        "intervals; a method that keeps frames keeps as many as fit."
    )
    for film, result in _each(results, "baselines"):
        if not _recurs(film):
            yield from _baseline_table(film, result)
    if not any(_each(results, "baselines")):
        yield from ("", _missing("baselines"))


def _baseline_table(film: str, result: Result, ranked_by: str | None = None) -> Iterator[str]:
    yield ""
    yield (
        f"### {film}: {result['film']['duration_s'] / 60:.0f} minutes, "
        f"{result['film']['queries']} queries"
    )
    for budget in dict.fromkeys(row["budget_kb"] for row in result["rows"]):
        rows = [row for row in result["rows"] if row["budget_kb"] == budget]
        figures = [name for name in _RETRIEVAL if name in rows[0]["figures"]]
        if ranked_by is not None:
            rows.sort(key=lambda row: -float(row["figures"][ranked_by]["value"]))
        yield ""
        yield f"{'as much as each likes' if budget is None else f'{budget} kB'}:"
        yield ""
        yield "| method | kB | " + " | ".join(_SHORT[name] for name in figures) + " | processor s |"
        yield "| --- |" + " --- |" * (len(figures) + 2)
        for row in rows:
            cells = " | ".join(_compared(row, name) for name in figures)
            yield f"| {row['name']} | {row['bytes'] / 1000:.0f} | {cells} | {row['cpu_s']:.1f} |"


def losses(results: Mapping[str, Result]) -> Iterator[str]:
    """Every place at which something else has the higher figure beyond doubt."""
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
        yield from sure or ["- none beyond doubt"]
        if len(found) > len(sure):
            yield f"- {len(found) - len(sure)} more are higher, within their interval"


Better: TypeAlias = Iterator[tuple[float, str]]
"""Lines with what they are sorted by: minus the difference where it is beyond doubt, else 0."""


def _better_methods(results: Mapping[str, Result]) -> Better:
    for film, result in _each(results, "baselines"):
        for row in result["rows"]:
            budget = row["budget_kb"]
            where = "without a budget" if budget is None else f"at {budget} kB"
            for name, more in row.get("difference", {}).items():
                if more["value"] > 0:
                    yield _better(f"{film}, {where}: {row['name']}, {_SHORT[name]}", more)


def _better_changes(results: Mapping[str, Result]) -> Better:
    for film, result in _each(results, "ablation"):
        first = result["rows"][0]["name"]
        for row in result["rows"]:
            if row.get("against", first) != first:
                continue
            for name, more in row.get("difference", {}).items():
                if more["value"] > 0:
                    yield _better(f"{film}: {row['name']} ({row['group']}), {_SHORT[name]}", more)


def _better_policies(results: Mapping[str, Result]) -> Better:
    for film, budget in _each(results, "budget"):
        for row in budget["table"]:
            for figure in ("concept", "moment", "image"):
                value, low, high = row.get(f"{figure}_lead", (0.0, 0.0, 0.0))
                if value < 0:
                    what = f"{film}, bytes of {row['budget']} entries ({row['form']})"
                    more = {"value": -value, "low": -high, "high": -low}
                    yield _better(f"{what}: {row['policy']}, {figure}", more)


def _better_experts(results: Mapping[str, Result]) -> Better:
    for film, experts in _each(results, "experts"):
        for job in ("compress", "adapt"):
            runs = experts.get(job, {})
            for name, own in runs.items():
                size = name.partition(" ")[0] if job == "compress" else ""
                ours = runs.get(f"{size} semantic".strip())
                if ours is None or own is ours:
                    continue
                for figure in ("cosine", "text@10", "image@5", "moment R5", "mAP", "NMI"):
                    if figure not in own[0] or figure not in ours[0]:
                        continue
                    more = _paired([run[figure] for run in own], [run[figure] for run in ours])
                    if more["value"] > 0:
                        yield _better(f"{film}, {job}: {name}, {figure}", more)


def _better_constants(results: Mapping[str, Result]) -> Better:
    for film, result in _each(results, "evaluation"):
        figures = result["figures"]
        for kind in ("order", "next", "count"):
            ours, theirs = figures.get(f"{kind}_accuracy"), figures.get(f"{kind}_best_constant")
            if ours and theirs and theirs["value"] > ours["value"]:
                line = (
                    f"- {film}, {kind}: right in {_cell(ours, count=True)}, the best constant "
                    f"answer in {theirs['value']:.3f}"
                )
                yield (-(theirs["value"] - ours["value"]), line)


def _better(what: str, more: Figure) -> tuple[float, str]:
    return (-more["value"] if more["low"] > 0 else 0.0, f"- {what}: {_signed(more)}")


def ablations(results: Mapping[str, Result]) -> Iterator[str]:
    """The product with one thing changed."""
    yield "## What each part gives"
    yield ""
    yield "The product with one thing changed (`experiments/configs/ablations.yaml`)."
    for film, result in _each(results, "ablation"):
        rows = result["rows"]
        for group in dict.fromkeys(row["group"] for row in rows[1:]):
            own = [row for row in rows if row["group"] == group]
            wanted = _GROUPS.get(group, _RETRIEVAL)
            figures = [name for name in wanted if name in own[0]["figures"]]
            held_to = rows[:1] if group != "words" else []
            yield ""
            yield f"### {group}, {film}"
            yield ""
            names = " | ".join(_SHORT[name] for name in figures)
            yield f"| | {names} | entries | kB |"
            yield "| --- |" + " --- |" * (len(figures) + 2)
            for row in [*held_to, *own]:
                cells = " | ".join(_compared(row, name) for name in figures)
                size = f"{row['bytes'] / 1000:.0f}" if "bytes" in row else ""
                yield f"| {row['name']} | {cells} | {row.get('entries', '')} | {size} |"
    if not any(_each(results, "ablation")):
        yield from ("", _missing("ablation"))
    yield from _experts_table(results)


def _experts_table(results: Mapping[str, Result]) -> Iterator[str]:
    for film, experts in _each(results, "experts"):
        for job in ("compress", "adapt"):
            runs = experts.get(job)
            if not runs:
                continue
            columns = list(next(iter(runs.values()))[0])
            yield ""
            yield f"### experts, {job}, {film}"
            yield ""
            yield "Held-out time; mean over seeds, with half of the 95 % interval (Student's t)."
            yield ""
            yield "| | " + " | ".join(columns) + " |"
            yield "| --- |" + " --- |" * len(columns)
            for name, own in runs.items():
                cells = " | ".join(
                    _mean_of_seeds([run[column] for run in own]) for column in columns
                )
                yield f"| {name} | {cells} |"


def recurrence(results: Mapping[str, Result]) -> Iterator[str]:
    """Where the leaderboard is."""
    yield "## Recurrence benchmark"
    yield ""
    yield "[Specification](recurrence-benchmark.md) and [leaderboard](recurrence-leaderboard.md)."


def leaderboard(results: Mapping[str, Result]) -> str:
    """The page of the recurrence benchmark's leaderboard."""
    lines = [
        "# Leaderboard of the recurrence benchmark",
        "",
        "Made by `make results`; do not edit. At each budget methods are ranked by mAP over all",
        "returns of a subject, at tIoU 0.5 to 0.95. **better** and **worse**: than ours beyond the",
        "interval of the difference, paired by query. The [specification](recurrence-benchmark.md)",
        "says how another method gets in.",
    ]
    films = [(film, own) for film, own in _each(results, "baselines") if _recurs(film)]
    for film, result in films:
        lines += _baseline_table(film, result, ranked_by="moment_mAP")
    if not films:
        lines += ["", _missing("baselines")]
    return "\n".join(lines).rstrip() + "\n"


def _recurs(film: str) -> bool:
    """Whether a film is an instance of the recurrence benchmark: its name says so."""
    return film.startswith("recurrence")


def how(results: Mapping[str, Result]) -> Iterator[str]:
    """The conditions of every run."""
    yield "## How this was measured"
    yield ""
    yield "| result | commit | machine | seeds |"
    yield "| --- | --- | --- | --- |"
    for name, result in results.items():
        run = result.get("conditions")
        if run is None:
            yield f"| `{name}.json` | | | |"
            continue
        machine = run["hardware"]
        yield (
            f"| `{name}.json` | {run['commit']} | {machine['processor']}, {machine['cores']} "
            f"cores, {machine['memory_gb']} GB | {len(run['seeds'])} |"
        )
    yield ""
    yield "The machine was shared while this ran, so times on the wall say little."
    yield ""
    yield from COMMANDS


COMMANDS = (
    "The commands (`dev.json` are the labels of `../shared/eval`; any film with labels will do):",
    "",
    "    python -m experiments.evaluation --manifest dev.json --out runs/dev",
    "    python -m experiments.baselines --manifest dev.json --out runs/dev",
    "    python -m experiments.ablation_studies --manifest dev.json --out runs/dev \\",
    "        --library runs/dev/library",
    "    python -m experiments.memory_stream dev.mp4 --out runs/dev",
    "    python -m experiments.memory_budget dev.json --scenes runs/dev/scenes.npz --out runs/dev",
    "    python -m experiments.experts_report dev.json --library runs/dev/library \\",
    "        --out runs/dev/experts.json",
    "    python -m experiments.sample_film runs/recurrence/recurrence.mp4 --seed 1 --count 5 8 \\",
    "        --gap 12 --distractors 4 --dips 0.1 --gain 0.75 1.2 --quality 25 70",
    "    python -m experiments.baselines --manifest runs/recurrence/recurrence.json \\",
    "        --out runs/recurrence",
    "    python -m experiments.results --from runs/dev runs/recurrence",
)


def _each(results: Mapping[str, Result], what: str) -> Iterator[tuple[str, Result]]:
    """(film, result) of every run of a kind: NAME-what.json."""
    for name, result in results.items():
        film, _, kind = name.rpartition("-")
        if kind == what:
            yield film, result


def _cell(one: Figure | None, count: bool = False) -> str:
    if one is None:
        return ""
    bounds = f" [{one['low']:.2f}, {one['high']:.2f}]" if one["low"] < one["high"] else ""
    return f"{one['value']:.3f}{bounds}" + (f" of {one['n']}" if count else "")


def _compared(row: Result, name: str) -> str:
    """A figure of a row, marked where it differs from what the row is held to."""
    one = row["figures"].get(name)
    cell = _cell(one)
    less = row.get("difference", {}).get(name)
    return f"{cell}{_verdict(less, name)}" if one and less else cell


def _difference(one: Figure, name: str) -> str:
    return f"{_signed(one)}{_verdict(one, name)}"


def _signed(one: Figure) -> str:
    value, low, high = (one[key] + 0.0 for key in ("value", "low", "high"))  # -0.0 is 0.0
    return f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"


def _verdict(one: Figure, name: str) -> str:
    if one["low"] <= 0 <= one["high"]:
        return ""
    better = (one["value"] > 0) != (name in _LOWER_IS_BETTER)
    return " **better**" if better else " **worse**"


def _mean_of_seeds(values: Sequence[float]) -> str:
    one = _paired(values, [0.0] * len(values))
    half = one["high"] - one["value"]
    return f"{one['value']:.3f}" + (f" ±{half:.3f}" if len(values) > 1 else "")


def _paired(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """Mean difference over the seeds and its 95 % interval; of one seed there is none."""
    gains = [a - b for a, b in zip(ours, theirs, strict=True)]
    mean, half = sum(gains) / len(gains), half_interval(gains)
    return {"value": mean, "low": mean - half, "high": mean + half}


def take_over(given: str, folder: Path = RESULTS) -> list[Path]:
    """Copy the results of a run, ``NAME=DIR`` or ``DIR``; the copies."""
    name, _, place = given.rpartition("=")
    source = Path(place)
    name = name or source.resolve().name
    folder.mkdir(exist_ok=True)
    taken = []
    for kind in TAKEN:
        if (source / f"{kind}.json").exists():
            content = json.loads((source / f"{kind}.json").read_text(encoding="utf-8"))
            path = folder / f"{name}-{kind}.json"
            path.write_text(_compact(content), encoding="utf-8")
            taken.append(path)
    return taken


def _compact(content: Mapping[str, Any]) -> str:
    """JSON with a line for each row of a table: small, and its changes can be read."""
    parts = []
    for name, value in content.items():
        if isinstance(value, list) and value and isinstance(value[0], dict):
            rows = ",\n".join(json.dumps(row) for row in value)
            parts.append(f"{json.dumps(name)}: [\n{rows}\n]")
        elif isinstance(value, dict):
            rows = ",\n".join(f"{json.dumps(k)}: {json.dumps(v)}" for k, v in value.items())
            parts.append(f"{json.dumps(name)}: {{\n{rows}\n}}")
        else:
            parts.append(f"{json.dumps(name)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def read_results(folder: Path = RESULTS) -> dict[str, Result]:
    """All results that were taken over, by the names of their files."""
    return {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.json"))
    }


def main() -> None:
    """Write the pages."""
    parser = argparse.ArgumentParser(description="docs/results.md from the JSON of the runs.")
    parser.add_argument("--from", dest="runs", nargs="+", default=[], metavar="[NAME=]DIR")
    for run in parser.parse_args().runs:
        for path in take_over(run):
            print(f"took over {path}")
    results = read_results()
    PAGE.write_text(page(results), encoding="utf-8")
    LEADERBOARD.write_text(leaderboard(results), encoding="utf-8")
    print(f"wrote {PAGE} and {LEADERBOARD} from {len(results)} results")


if __name__ == "__main__":
    main()
