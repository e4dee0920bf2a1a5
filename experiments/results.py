"""docs/results.md and the leaderboard, made of the JSON that the runs leave; no number is by hand.

    python -m experiments.results [--from DIR ...]

reads what lies in experiments/results and writes both pages. ``--from`` first takes over results of
runs (`evaluation.json`, `baselines.json`, `ablation.json` ...) from the folders they were written
to; NAME=DIR keeps them as NAME-evaluation.json and so on.
"""

from __future__ import annotations

import argparse
import gzip
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.hypothesis import hypothesis
from experiments.losses import losses
from experiments.result_cells import (
    SHORT,
    TAKEN,
    Result,
    cell,
    compared,
    each,
    mean_of_seeds,
    missing,
)

RESULTS = Path(__file__).with_name("results")
PAGE = Path(__file__).parent.parent / "docs" / "results.md"
LEADERBOARD = PAGE.with_name("recurrence-leaderboard.md")
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
        "only where its own interval, paired by query, leaves out 0; of a hundred differences that",
        "are nothing, some five are marked all the same. Figures are explained in",
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


def evaluations(results: Mapping[str, Result]) -> Iterator[str]:
    """Every figure of the product as shipped."""
    yield "## The product as shipped"
    films = list(each(results, "evaluation"))
    if not films:
        yield from ("", missing("evaluation"))
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
        yield f"| `{name}` | " + " | ".join(cell(one, count=True) for one in own) + " |"


def baselines(results: Mapping[str, Result]) -> Iterator[str]:
    """Ours and the methods of others, at every budget."""
    yield "## Methods of others, same encoder and bytes"
    yield ""
    yield (
        "Ours is the product's memory of pictures alone. Budgets are kilobytes of vectors and "
        "intervals; a method that keeps frames keeps as many as fit."
    )
    for film, result in each(results, "baselines"):
        if not _recurs(film):
            yield from _baseline_table(film, result)
    if not any(each(results, "baselines")):
        yield from ("", missing("baselines"))


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
        yield "| method | kB | " + " | ".join(SHORT[name] for name in figures) + " | processor s |"
        yield "| --- |" + " --- |" * (len(figures) + 2)
        for row in rows:
            cells = " | ".join(compared(row, name) for name in figures)
            yield f"| {row['name']} | {row['bytes'] / 1000:.0f} | {cells} | {row['cpu_s']:.1f} |"


def ablations(results: Mapping[str, Result]) -> Iterator[str]:
    """The product with one thing changed."""
    yield "## What each part gives"
    yield ""
    yield "The product with one thing changed (`experiments/configs/ablations.yaml`)."
    for film, result in each(results, "ablation"):
        rows = result["rows"]
        for group in dict.fromkeys(row["group"] for row in rows[1:]):
            own = [row for row in rows if row["group"] == group]
            wanted = _GROUPS.get(group, _RETRIEVAL)
            figures = [name for name in wanted if name in own[0]["figures"]]
            held_to = rows[:1] if group != "words" else []
            yield ""
            yield f"### {group}, {film}"
            yield ""
            names = " | ".join(SHORT[name] for name in figures)
            yield f"| | {names} | entries | kB |"
            yield "| --- |" + " --- |" * (len(figures) + 2)
            for row in [*held_to, *own]:
                cells = " | ".join(compared(row, name) for name in figures)
                size = f"{row['bytes'] / 1000:.0f}" if "bytes" in row else ""
                yield f"| {row['name']} | {cells} | {row.get('entries', '')} | {size} |"
    if not any(each(results, "ablation")):
        yield from ("", missing("ablation"))
    yield from _experts_table(results)


def _experts_table(results: Mapping[str, Result]) -> Iterator[str]:
    for film, experts in each(results, "experts"):
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
                    mean_of_seeds([run[column] for run in own]) for column in columns
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
    films = [(film, own) for film, own in each(results, "baselines") if _recurs(film)]
    for film, result in films:
        lines += _baseline_table(film, result, ranked_by="moment_mAP")
    if not films:
        lines += ["", missing("baselines")]
    return "\n".join(lines).rstrip() + "\n"


def _recurs(film: str) -> bool:
    """Whether a film is an instance of the recurrence benchmark: its name says so."""
    return film.startswith("recurrence")


def how(results: Mapping[str, Result]) -> Iterator[str]:
    """The conditions of every run."""
    yield "## How this was measured"
    yield ""
    yield "| result | commit | weights of the encoder | machine | seeds |"
    yield "| --- | --- | --- | --- | --- |"
    for name, result in results.items():
        run = result.get("conditions")
        if run is None:
            yield f"| `{name}.json` | | | | |"
            continue
        machine = run["hardware"]
        cores = f"{machine['cores']} core{'s' if machine['cores'] > 1 else ''}"
        yield (
            f"| `{name}.json` | {run['commit']} | {run['encoder']} | "
            f"{machine['processor']}, {cores}, {machine['memory_gb']} GB | {len(run['seeds'])} |"
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


def take_over(given: str, folder: Path = RESULTS) -> list[Path]:
    """Copy the results of a run, ``NAME=DIR`` or ``DIR``; the copies.

    Raises ValueError where there are none.
    """
    name, _, place = given.rpartition("=")
    source = Path(place)
    name = name or source.resolve().name
    folder.mkdir(exist_ok=True)
    taken: list[Path] = []
    for kind in TAKEN:
        if (source / f"{kind}.json").exists():
            content = json.loads((source / f"{kind}.json").read_text(encoding="utf-8"))
            path = folder / f"{name}-{kind}.json"
            path.write_text(_compact(content), encoding="utf-8")
            taken.append(path)
        answered = source / f"{kind}.predictions.jsonl"
        if answered.exists():
            path = folder / f"{name}-{kind}.predictions.jsonl.gz"
            # No time inside: the same answers are the same bytes.
            path.write_bytes(gzip.compress(answered.read_bytes(), mtime=0))
            taken.append(path)
    if not taken:
        kinds = ", ".join(f"{kind}.json" for kind in TAKEN)
        raise ValueError(f"no results in {source}: none of {kinds}")
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


def read_predictions(path: Path) -> Iterator[dict[str, Any]]:
    """What was answered to each query, line by line."""
    with gzip.open(path, "rt", encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def main() -> int:
    """Write the pages."""
    parser = argparse.ArgumentParser(description="docs/results.md from the JSON of the runs.")
    parser.add_argument("--from", dest="runs", nargs="+", default=[], metavar="[NAME=]DIR")
    try:
        taken = [path for run in parser.parse_args().runs for path in take_over(run)]
    except ValueError as error:
        print(error, file=sys.stderr)
        return 2
    for path in taken:
        print(f"took over {path}")
    results = read_results()
    PAGE.write_text(page(results), encoding="utf-8")
    LEADERBOARD.write_text(leaderboard(results), encoding="utf-8")
    print(f"wrote {PAGE} and {LEADERBOARD} from {len(results)} results")
    return 0


if __name__ == "__main__":
    sys.exit(main())
