"""docs/results.md, made of the JSON that the runs leave; no number in it is written by hand.

    python -m experiments.results [--from DIR ...]

reads what lies in experiments/results and writes the page. ``--from`` first takes over results of
runs (`evaluation.json`, `baselines.json`, `ablation.json` ...) from the folders they were written
to; NAME=DIR keeps them as NAME-evaluation.json and so on.
"""

from __future__ import annotations

import argparse
import json
import shutil
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, TypeAlias

RESULTS = Path(__file__).with_name("results")
PAGE = Path(__file__).parent.parent / "docs" / "results.md"
TAKEN = ("evaluation", "baselines", "ablation", "budget", "experts", "support")

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


def hypothesis(results: Mapping[str, Result]) -> Iterator[str]:
    """Semantics against time, for each of the three jobs."""
    yield "## Does grouping by meaning beat grouping by time, at equal budget?"
    yield ""
    yield "| job, figure | by meaning | by time | at random | meaning minus time |"
    yield "| --- | --- | --- | --- | --- |"
    for film, ablation in _each(results, "ablation"):
        rows = {row["name"]: row for row in ablation["rows"]}
        for job, names in (
            (
                "search, scenes supported by their cluster",
                (
                    "clusters by meaning, no kin",
                    "clusters by time, no kin",
                    "random clusters, no kin",
                ),
            ),
            (
                "memory of 64 entries, merged within clusters",
                (
                    "64 entries, clusters by meaning",
                    "64 entries, clusters by time",
                    "64 entries, random clusters",
                ),
            ),
        ):
            if not all(name in rows for name in names):
                continue
            for figure in ("moment_R5", "concept_recall@10", "image_recall@5"):
                own = [rows[name]["figures"].get(figure) for name in names]
                if None in own:
                    continue
                # The row by time holds time minus meaning.
                less = rows[names[1]]["difference"][figure]
                more = {"value": -less["value"], "low": -less["high"], "high": -less["low"]}
                cells = " | ".join(_cell(one) for one in own)
                yield f"| {job}: {_SHORT[figure]}, {film} | {cells} | {_difference(more, figure)} |"
    yield from _memory_lines(results)
    yield from _experts_lines(results)


def _memory_lines(results: Mapping[str, Result]) -> Iterator[str]:
    """Streaming memories of equal bytes: ours, the best policy over time, and a random one."""
    for film, budget in _each(results, "budget"):
        table = [row for row in budget["table"] if row["form"] == "vector"]
        for size in (64, 128):
            own = {row["policy"]: row for row in table if row["budget"] == size}
            over_time = [own[name] for name in _OVER_TIME if name in own]
            if "semantic" not in own or not over_time:
                continue
            for figure in ("concept", "moment", "image"):
                best = max(over_time, key=lambda row: float(row[figure]))
                random = own.get("reservoir")
                lottery = f"{random[figure]:.2f} ±{random[f'{figure}_ci']:.2f}" if random else ""
                gain = own["semantic"][figure] - best[figure]
                yield (
                    f"| memory as a stream, bytes of {size} entries: {figure}, {film} | "
                    f"{own['semantic'][figure]:.2f} ±{own['semantic'][f'{figure}_ci']:.2f} | "
                    f"{best[figure]:.2f} ±{best[f'{figure}_ci']:.2f} ({best['policy']}) | "
                    f"{lottery} | {gain:+.2f} |"
                )


_OVER_TIME = ("fifo", "uniform", "adjacent-plain", "adjacent-weighted", "temporal-tree")


def _experts_lines(results: Mapping[str, Result]) -> Iterator[str]:
    """Experts routed by meaning, by time, at random, on held-out time."""
    for film, experts in _each(results, "experts"):
        for job, figure, prefix in (
            ("adapt", "image AP", ""),
            ("compress", "cosine", "24 "),
            ("compress", "moment_R5", "24 "),
        ):
            runs = experts.get(job, {})
            routes = [runs.get(f"{prefix}{route}") for route in ("semantic", "temporal", "random")]
            if not all(routes) or figure not in routes[0][0]:
                continue
            values = [[run[figure] for run in own] for own in routes]
            gain = [a - b for a, b in zip(values[0], values[1], strict=True)]
            cells = " | ".join(_mean_of_seeds(own) for own in values)
            what = f"experts, {job}{f' to {prefix}bytes' if prefix else ''}: {figure}, {film}"
            yield f"| {what} | {cells} | {_mean_of_seeds(gain, signed=True)} |"


def evaluations(results: Mapping[str, Result]) -> Iterator[str]:
    """Every figure of the product as shipped."""
    yield "## The product as shipped"
    films = list(_each(results, "evaluation"))
    if not films:
        yield from ("", "Not run.")
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
        if film.startswith("recurrence"):
            continue
        yield from _baseline_table(film, result)


def _baseline_table(film: str, result: Result) -> Iterator[str]:
    yield ""
    yield (
        f"### {film}: {result['film']['duration_s'] / 60:.0f} minutes, "
        f"{result['film']['queries']} queries"
    )
    for budget in dict.fromkeys(row["budget_kb"] for row in result["rows"]):
        rows = [row for row in result["rows"] if row["budget_kb"] == budget]
        figures = [name for name in _RETRIEVAL if name in rows[0]["figures"]]
        yield ""
        yield f"{'as much as each likes' if budget is None else f'{budget} kB'}:"
        yield ""
        yield "| method | kB | " + " | ".join(_SHORT[name] for name in figures) + " | processor s |"
        yield "| --- |" + " --- |" * (len(figures) + 2)
        for row in rows:
            cells = " | ".join(_compared(row, name) for name in figures)
            yield f"| {row['name']} | {row['bytes'] / 1000:.0f} | {cells} | {row['cpu_s']:.1f} |"


def losses(results: Mapping[str, Result]) -> Iterator[str]:
    """Every place at which another method has the higher figure."""
    yield "## Where we lose"
    found = []
    for film, result in _each(results, "baselines"):
        for row in result["rows"]:
            for name, less in row.get("difference", {}).items():
                if less["value"] > 0:
                    budget = row["budget_kb"]
                    where = "without a budget" if budget is None else f"at {budget} kB"
                    sure = "beyond doubt" if less["low"] > 0 else "within its interval"
                    found.append(
                        (
                            less["low"] <= 0,
                            -less["value"],
                            f"- {film}, {where}: {row['name']} has {_SHORT[name]} higher by "
                            f"{less['value']:.3f} [{less['low']:.3f}, {less['high']:.3f}], {sure}",
                        )
                    )
    yield ""
    if not found:
        yield "No other method has a higher figure at any budget."
    yield from (line for _, _, line in sorted(found))
    worse = []
    for film, result in _each(results, "ablation"):
        first = result["rows"][0]["name"]
        for row in result["rows"]:
            if row.get("against", first) != first:
                continue
            for name, more in row.get("difference", {}).items():
                if more["low"] > 0:
                    worse.append(f"- {film}: {row['name']} ({row['group']}): {_SHORT[name]}"
                                 f" {_signed(more)}")  # fmt: skip
    if worse:
        yield ""
        yield "Changes that would make the product better on these films, beyond their interval:"
        yield ""
        yield from worse


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
    """The leaderboard of the recurrence benchmark."""
    yield "## Recurrence benchmark"
    yield ""
    yield "See [recurrence-benchmark](recurrence-benchmark.md); the leaderboard is made of these."
    for film, result in _each(results, "baselines"):
        if film.startswith("recurrence"):
            yield from _baseline_table(film, result)


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
    "The commands (`dev` is the labelled film of `../shared/eval`; any film with labels will do):",
    "",
    "    python -m experiments.evaluation --manifest dev.json --out runs/dev",
    "    python -m experiments.baselines --manifest dev.json --out runs/dev",
    "    python -m experiments.ablation_studies --manifest dev.json --out runs/dev \\",
    "        --library runs/dev/library",
    "    python -m experiments.results --from dev=runs/dev",
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
    return f"{one['value']:+.3f} [{one['low']:+.3f}, {one['high']:+.3f}]"


def _verdict(one: Figure, name: str) -> str:
    if one["low"] <= 0 <= one["high"]:
        return ""
    better = (one["value"] > 0) != (name in _LOWER_IS_BETTER)
    return " **better**" if better else " **worse**"


# 0.975 quantiles of Student's t for 1, 2, ... degrees of freedom.
_STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)


def _mean_of_seeds(values: Sequence[float], signed: bool = False) -> str:
    mean = sum(values) / len(values)
    text = f"{mean:+.3f}" if signed else f"{mean:.3f}"
    if len(values) < 2:
        return text
    variance = sum((value - mean) ** 2 for value in values) / (len(values) - 1)
    half = _STUDENT[min(len(values) - 1, len(_STUDENT)) - 1] * (variance / len(values)) ** 0.5
    return f"{text} ±{half:.3f}"


def take_over(given: str, folder: Path = RESULTS) -> list[Path]:
    """Copy the results of a run, ``NAME=DIR`` or ``DIR``; the copies."""
    name, _, place = given.rpartition("=")
    source = Path(place)
    name = name or source.resolve().name
    folder.mkdir(exist_ok=True)
    taken = []
    for kind in TAKEN:
        if (source / f"{kind}.json").exists():
            taken.append(Path(shutil.copy(source / f"{kind}.json", folder / f"{name}-{kind}.json")))
    return taken


def main() -> None:
    """Write the page."""
    parser = argparse.ArgumentParser(description="docs/results.md from the JSON of the runs.")
    parser.add_argument("--from", dest="runs", nargs="+", default=[], metavar="[NAME=]DIR")
    for run in parser.parse_args().runs:
        for path in take_over(run):
            print(f"took over {path}")
    results = {
        path.stem: json.loads(path.read_text(encoding="utf-8"))
        for path in sorted(RESULTS.glob("*.json"))
    }
    PAGE.write_text(page(results), encoding="utf-8")
    print(f"wrote {PAGE} from {len(results)} results")


if __name__ == "__main__":
    main()
