"""Every figure of one labelled film, through the Python API of the product.

    python -m experiments.evaluation --video FILM --manifest LABELS.json --out DIR

Indexes the film into DIR/library (or uses what ``--library`` holds of it), asks every query of the
labels once for each seed of the clustering, and writes DIR/evaluation.json (figures with intervals,
time, bytes, budgets, and the conditions of the run) and DIR/evaluation.predictions.jsonl (what was
answered to each query). ``--check`` only checks the labels. Figures and the format of labels are in
docs/evaluation.md.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple

from experiments.figures import (
    Found,
    K,
    Values,
    all_figures,
    by_query,
    interval,
    mean_values,
    search_values,
    segment_figures,
)
from experiments.manifest import (
    CHOICES,
    SEARCHED,
    Manifest,
    ManifestError,
    Query,
    load_manifest,
)
from experiments.run_record import conditions, folder_bytes, measured, write_json, write_lines
from semantic_video import SemanticVideoProcessor
from semantic_video.config import Config, load_config
from semantic_video.errors import SemanticVideoError
from semantic_video.indexing import with_settings_of
from semantic_video.library import Library

SEEDS = 5


class Asked(NamedTuple):
    """The answers of one seed, in the order of the labels' queries of each kind."""

    found: list[Found]
    answers: list[int | None]
    figures: dict[str, dict[str, float]]
    """Of scenes and clusters."""
    seconds: dict[str, dict[str, float]]


def main() -> int:
    """Evaluate one film."""
    parser = argparse.ArgumentParser(description="Every figure of one labelled film.")
    parser.add_argument("--video", type=Path, help="the film (default: beside its labels)")
    parser.add_argument("--manifest", type=Path, required=True, help="labels, as JSON")
    parser.add_argument("--out", type=Path, help="a folder for what is written")
    parser.add_argument("--library", type=Path, help="where the index lies (default: OUT/library)")
    parser.add_argument("--config", type=Path, help="a YAML file with options")
    parser.add_argument("--seeds", type=int, default=SEEDS, help="of the clustering (default 5)")
    parser.add_argument("--check", action="store_true", help="only check the labels")
    arguments = parser.parse_args()
    try:
        manifest = load_manifest(arguments.manifest)
        if arguments.check:
            print(f"{arguments.manifest}: fine")
            return 0
        if arguments.out is None:
            parser.error("--out DIR is missing")
        if arguments.seeds < 1:
            parser.error("--seeds: at least 1")
        config = load_config(arguments.config)
        library = Library(arguments.library or arguments.out / "library", create=True)
        video = arguments.video or manifest.film
        result = evaluate(video, manifest, library, config, arguments.seeds, arguments.out)
    except (ManifestError, SemanticVideoError) as error:
        print(error, file=sys.stderr)
        return 2
    print_figures(result["figures"])
    print(f"\nwritten to {arguments.out / 'evaluation.json'}")
    return 0


def evaluate(
    video: Path, manifest: Manifest, library: Library, config: Config, seeds: int, out: Path
) -> dict[str, Any]:
    """The content of evaluation.json, which is written with the predictions into ``out``.

    Raises ManifestError where the labels are of a film of another length.
    """
    record, match = library.find(video) if video.exists() else (None, "")
    if record is not None and match != "changed":  # what was not asked for stays
        config = with_settings_of(record, config)
    base = config.clustering.seed
    with measured() as indexing:
        first = _processor(video, library, config, base)
        report = first.index()
    manifest.check_length(first.build_semantic_memory().scenes()[-1].end_s)
    runs = [
        ask_everything(_processor(video, library, config, base + seed), manifest)
        for seed in range(seeds)
    ]
    searched = manifest.of_type(*SEARCHED, "image")
    asked = manifest.of_type(*CHOICES, "count")
    figures = segments_over_seeds([run.figures for run in runs])
    figures |= all_figures(searched, [run.found for run in runs])
    answered = [answer_values(asked, run.answers) for run in runs]
    figures |= {name: interval(own) for name, own in mean_values(answered).items()}
    figures |= best_constants(asked)
    memory = _processor(video, library, config, base).build_semantic_memory()
    result = {
        "what": "evaluation",
        "film": {
            "name": manifest.video,
            "duration_s": manifest.duration_s,
            "segments": len(manifest.segments),
            "queries": len(manifest.queries),
        },
        "conditions": conditions(config, seeds=[base + seed for seed in range(seeds)], k=K),
        "time": {
            # Nothing where the library held the film already.
            "index": indexing if report.done else None,
            "search_ms_per_query": _per_item(runs, "search", len(searched)),
            "ask_ms_per_question": _per_item(runs, "ask", len(asked)),
        },
        "bytes": {
            "library": folder_bytes(Path(library.path)),
            "memory": sum(tier.bytes for tier in memory.tiers()),
        },
        "budget": {
            tier.name: {
                "entries": tier.entries,
                "of": tier.budget_entries,
                "bytes": tier.bytes,
                "of_bytes": tier.budget_bytes,
            }
            for tier in memory.tiers()
        },
        "counts": {
            "scenes": len(memory.scenes()),
            "clusters": len(memory.names),
            "frames_decoded": report.record.info.get("frames_decoded"),
            "frames_encoded": report.record.info.get("frames_encoded"),
        },
        "figures": figures,
    }
    write_json(out / "evaluation.json", result)
    write_lines(out / "evaluation.predictions.jsonl", _predictions(runs, searched, asked, base))
    return result


def _predictions(
    runs: Sequence[Asked], searched: Sequence[Query], asked: Sequence[Query], base: int
) -> Iterator[dict[str, Any]]:
    """What was answered to each query with each seed, and what it counts for each figure."""
    for seed, run in enumerate(runs, start=base):
        values = by_query(search_values(searched, run.found))
        for query, found in zip(searched, run.found, strict=True):
            own = {"values": values[query.id]} if query.id in values else {}
            yield {"seed": seed, "id": query.id, **own, **found.as_dict()}
        values = by_query(answer_values(asked, run.answers))
        for query, answer in zip(asked, run.answers, strict=True):
            yield {"seed": seed, "id": query.id, "values": values[query.id], "answer": answer}


def _processor(video: Path, library: Library, config: Config, seed: int) -> SemanticVideoProcessor:
    return SemanticVideoProcessor(
        video,
        num_clusters=config.clustering.num_clusters,
        seed=seed,
        library=library,
        config=config,
        note=lambda line: print(line, file=sys.stderr),
    )


def ask_everything(processor: SemanticVideoProcessor, manifest: Manifest) -> Asked:
    """The answers to all queries of the labels."""
    memory = processor.build_semantic_memory()
    with measured() as searching:
        found = [
            Found.of(
                processor.query_semantic_memory(query.text, K, plain=True)
                if query.image is None
                else processor.query_semantic_memory(k=K, image=query.image)
            )
            for query in manifest.of_type(*SEARCHED, "image")
        ]
    questions = manifest.of_type(*CHOICES, "count")
    with measured() as asking:
        answers = [processor.reason_across_time(query.text) for query in questions]
    return Asked(
        found,
        [
            answer.count if query.type == "count" else answer.choice
            for query, answer in zip(questions, answers, strict=True)
        ],
        segment_figures(manifest, memory.scenes()) if manifest.segments else {},
        {"search": searching, "ask": asking},
    )


def answer_values(questions: Sequence[Query], answers: Sequence[int | None]) -> dict[str, Values]:
    """Which questions were answered rightly; counts also within one, or a fifth."""
    values: dict[str, Values] = {}
    for query, answer in zip(questions, answers, strict=True):
        right = float(_near(query, answer))
        values.setdefault(f"{query.type}_accuracy", {})[query.id] = right
        if query.type == "count":
            values.setdefault("count_exact", {})[query.id] = float(answer == query.answer)
    return values


def best_constants(questions: Sequence[Query]) -> dict[str, dict[str, float]]:
    """What the answer that is right most often would reach."""
    figures = {}
    for kind in dict.fromkeys(query.type for query in questions):
        own = [query for query in questions if query.type == kind]
        constants = {query.answer for query in own}
        best = max(sum(_near(query, one) for query in own) / len(own) for one in constants)
        figures[f"{kind}_best_constant"] = {
            "value": round(best, 4),
            "low": round(best, 4),
            "high": round(best, 4),
            "n": len(own),
        }
    return figures


def _near(query: Query, answer: int | None) -> bool:
    assert query.answer is not None  # or the labels would be at fault
    if answer is None:
        return False
    tolerance = max(1, round(0.2 * query.answer)) if query.type == "count" else 0
    return abs(answer - query.answer) <= tolerance


def segments_over_seeds(
    runs: Sequence[Mapping[str, Mapping[str, float]]],
) -> dict[str, dict[str, float]]:
    """Figures of scenes, averaged over seeds: value and bounds alike."""
    figures = {}
    for name in runs[0]:
        own = [run[name] for run in runs]
        figures[name] = {
            key: round(sum(one[key] for one in own) / len(own), 4)
            for key in ("value", "low", "high")
        } | {"n": own[0]["n"]}
    return figures


def _per_item(runs: Sequence[Asked], what: str, count: int) -> dict[str, float] | None:
    """Milliseconds for each of ``count``, mean over the seeds."""
    if not count:
        return None
    seconds = [run.seconds[what] for run in runs]
    return {
        name.removesuffix("_s"): round(1000 * sum(s[name] for s in seconds) / len(runs) / count, 1)
        for name in ("cpu_s", "wall_s")
    }


def print_figures(figures: Mapping[str, Mapping[str, float]]) -> None:
    """A line for each figure, with its 95 % interval and the number of what it is over."""
    for name, one in figures.items():
        bounds = f"[{one['low']:.3f}, {one['high']:.3f}]"
        print(f"{name:24} {one['value']:7.3f}  {bounds:18} of {one['n']}")


if __name__ == "__main__":
    sys.exit(main())
