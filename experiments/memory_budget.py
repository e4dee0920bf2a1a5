"""Recall against the budget of the memory, for our policy and those it is measured against.

    python -m experiments.memory_budget MANIFEST --scenes DIR/scenes.npz --out DIR [--jobs 2]

The scenes come from `experiments.memory_stream` and stream into a memory of every policy and
budget. `concept`: share of the spans of a subject that returns found by ten moments; `moment`: a
hit among the first five; `image`: the same for a frame that was held back and is not stored. Each
of five seeds holds back other frames, draws other lots and groups with another seed.

Forms of an entry:
- `vector`: one vector and no exemplars. Ours keeps the spans of all its scenes; the others keep one
  interval an entry, as published, and get the bytes of our spans as more entries.
- `exemplar-1`, `exemplar-8`: with exemplars and all spans, the same for every policy.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from itertools import product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.figures import hits, recall
from semantic_video.config import default_config
from semantic_video.encoders import load_encoder
from semantic_video.memory_hierarchy import (
    POLICIES,
    Budget,
    MemoryHierarchy,
    MemoryStream,
    SceneEntries,
)
from semantic_video.queries import encode_queries
from semantic_video.records import SceneSpan, Span
from semantic_video.scene_retrieval import SceneRetriever
from semantic_video.semantic_clustering import Clustering, SemanticClustering

BUDGETS = (16, 32, 64, 128, 256, 512)
FORMS = ("vector", "exemplar-1", "exemplar-8")
SEEDS = 5
_UNLIMITED = 1_000_000
_FREE_BYTES = 20  # a span
_VECTOR_EXTRA = 8 + 20  # weight, cluster and one interval
_PICTURES = 100


@dataclass(frozen=True, slots=True, eq=False)
class Film:
    """The scenes of a film as they came, its labelled queries, and their vectors."""

    spans: tuple[Span, ...]
    times: tuple[NDArray[np.float64], ...]
    vectors: tuple[NDArray[np.float32], ...]
    queries: tuple[dict[str, Any], ...]
    query_vectors: NDArray[np.float32]
    segments: tuple[dict[str, Any], ...]


def load_film(manifest: Path, scenes: Path) -> Film:
    """Scenes of `experiments.memory_stream` and the labels of their film."""
    labels = json.loads(manifest.read_text(encoding="utf-8"))
    stored = np.load(scenes)
    bounds = np.cumsum(stored["counts"])[:-1]
    queries = [query for query in labels["queries"] if query["type"] in ("moment", "concept")]
    vectors = encode_queries(load_encoder("lite"), [query["text"] for query in queries])
    return Film(
        tuple(Span(float(start), float(end)) for start, end in stored["spans"]),
        tuple(np.split(stored["times"], bounds)),
        tuple(np.split(stored["vectors"], bounds)),
        tuple(queries),
        np.asarray(vectors, dtype=np.float32),
        tuple(labels["segments"]),
    )


def measure(film: Film, job: tuple[str, int, str, int]) -> dict[str, Any]:
    """Recall with one policy, budget, form of entries and seed."""
    policy, size, form, seed = job
    random = np.random.default_rng(seed)
    times, vectors, pictures = _held_back(film, random)
    exemplars = 8 if form == "exemplar-8" else 1
    published = form == "vector" and policy != "semantic"
    entries = size
    if published:
        # Our entries hold all the scenes there are, so their spans weigh so much.
        each = 2 * film.query_vectors.shape[1] + _VECTOR_EXTRA
        spare = max(0, len(film.spans) - size) * _FREE_BYTES
        entries = size + spare // each
    spans = -(-len(film.spans) // entries) + 1
    budget = Budget(film.query_vectors.shape[1], entries, exemplars, spans)
    stream = MemoryStream(budget, POLICIES[policy](seed))
    for span, own_times, own_vectors in zip(film.spans, times, vectors, strict=True):
        stream.add(span, own_times, own_vectors)
    held = stream.entries()
    if form == "vector":
        held = _bare(held, hull=published)
    clustering = SemanticClustering("kmeans", "auto", seed).fit(
        held.entry_vectors.astype(np.float32), held.entry_weights
    )
    memory = _memory(held, clustering, budget)
    scores = _scores(film, memory, pictures)
    tiers = sum(tier.bytes for tier in memory.tiers() if tier.name == "entry")
    return {
        "policy": policy,
        "budget": size,
        "form": form,
        "seed": seed,
        "entries": len(held),
        "bytes": tiers,
        **scores,
    }


def _held_back(
    film: Film, random: np.random.Generator
) -> tuple[list[Any], list[Any], list[tuple[NDArray[np.float32], list[tuple[float, float]]]]]:
    """The frames without some that no memory sees, and those, with where they are shown."""
    times, vectors = list(film.times), list(film.vectors)
    able = [row for row, own in enumerate(times) if len(own) > 2]
    chosen = random.permutation(able)
    pictures = []
    for row in chosen:
        frame = int(random.integers(len(times[row])))
        time_s = float(times[row][frame])
        shown = next((s for s in film.segments if s["start_s"] <= time_s < s["end_s"]), None)
        if shown is None:  # a stretch without labels
            continue
        spans = [
            (other["start_s"], other["end_s"])
            for other in film.segments
            if other is shown or _same(shown, other)
        ]
        pictures.append((vectors[row][frame], spans))
        times[row] = np.delete(times[row], frame)
        vectors[row] = np.delete(vectors[row], frame, axis=0)
        if len(pictures) == _PICTURES:
            break
    return times, vectors, pictures


def _same(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether two segments show the same piece of film."""
    return one.get("source") is not None and one.get("source") == other.get("source")


def _bare(held: SceneEntries, hull: bool) -> SceneEntries:
    """The entries without exemplars; with ``hull`` each has one interval, from first to last."""
    spans = held.entry_spans
    if hull:
        spans = tuple(
            (SceneSpan(own[0].scene, own[0].start_s, max(span.end_s for span in own)),)
            for own in spans
        )
    return replace(
        held,
        entry_spans=spans,
        exemplar_vectors=held.exemplar_vectors[:0],
        exemplar_times=held.exemplar_times[:0],
        exemplar_entries=held.exemplar_entries[:0],
    )


def _memory(held: SceneEntries, clustering: Clustering, budget: Budget) -> MemoryHierarchy:
    return MemoryHierarchy(
        held,
        clustering,
        tuple(map(str, range(clustering.size))),
        budget.memory_size,
        budget.exemplars,
        budget.spans,
    )


def _scores(
    film: Film,
    memory: MemoryHierarchy,
    pictures: Sequence[tuple[NDArray[np.float32], list[tuple[float, float]]]],
) -> dict[str, float]:
    retriever = SceneRetriever([("film", memory)], default_config().retrieval)
    found: dict[str, list[float]] = {"concept": [], "moment": [], "image": []}
    for query, vector in zip(film.queries, film.query_vectors, strict=True):
        answer = list(retriever.search(vector, k=10))
        if query["type"] == "concept":
            found["concept"].append(recall(answer, query["spans"]))
        else:
            found["moment"].append(any(hits(one, query["spans"]) for one in answer[:5]))
    for vector, spans in pictures:
        answer = list(retriever.search(vector, k=5))
        found["image"].append(any(hits(one, spans) for one in answer))
    return {name: float(np.mean(values)) for name, values in found.items()}


def summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Mean over the seeds, and half of the 95 % interval of that mean."""
    groups: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    for row in rows:
        groups.setdefault((row["form"], row["policy"], row["budget"]), []).append(row)
    table = []
    for (form, policy, budget), own in groups.items():
        line: dict[str, Any] = {"form": form, "policy": policy, "budget": budget}
        line["bytes"] = round(float(np.mean([row["bytes"] for row in own])))
        line["entries"] = round(float(np.mean([row["entries"] for row in own])))
        for name in ("concept", "moment", "image"):
            values = np.array([row[name] for row in own])
            spread = values.std(ddof=1) / np.sqrt(len(values)) if len(values) > 1 else 0.0
            line[name] = round(float(values.mean()), 3)
            line[f"{name}_ci"] = round(2.776 * float(spread), 3)  # Student, 4 degrees of freedom
        table.append(line)
    return table


def markdown(table: Sequence[dict[str, Any]], form: str, metric: str) -> str:
    """A table of one figure: a row for each policy, a column for each budget."""
    budgets = sorted({line["budget"] for line in table if line["budget"] < _UNLIMITED})
    lines = [
        f"| {metric}, {form} | " + " | ".join(map(str, budgets)) + " | all |",
        "| --- |" + " --- |" * (len(budgets) + 1),
    ]
    for policy in POLICIES:
        cells = {
            line["budget"]: f"{line[metric]:.2f} ±{line[f'{metric}_ci']:.2f}"
            for line in table
            if (line["form"], line["policy"]) == (form, policy)
        }
        if cells:
            shown = [cells.get(budget, "") for budget in [*budgets, _UNLIMITED]]
            lines.append(f"| {policy} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure every policy, budget, form and seed of one film."""
    parser = argparse.ArgumentParser(description="Recall against the budget of the memory.")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--scenes", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--forms", default=",".join(FORMS))
    parser.add_argument("--policies", default=",".join(POLICIES))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--budgets", default=",".join(map(str, BUDGETS)))
    arguments = parser.parse_args()
    film = load_film(arguments.manifest, arguments.scenes)
    seeds, forms = range(arguments.seeds), arguments.forms.split(",")
    budgets = [int(text) for text in arguments.budgets.split(",")]
    jobs = list(product(arguments.policies.split(","), budgets, forms, seeds))
    jobs += [("semantic", _UNLIMITED, form, seed) for form in forms for seed in seeds]
    arguments.out.mkdir(parents=True, exist_ok=True)
    jobs.sort(key=lambda job: (job[3], budgets.index(job[1]) if job[1] in budgets else -1))
    rows = []
    with (
        (arguments.out / "rows.jsonl").open("w", encoding="utf-8") as lines,
        ProcessPoolExecutor(arguments.jobs) as pool,
    ):
        for row in pool.map(partial(measure, film), jobs):
            rows.append(row)
            print(json.dumps(row), file=lines, flush=True)
    table = summary(rows)
    text = json.dumps({"scenes": len(film.spans), "rows": rows, "table": table})
    (arguments.out / "budget.json").write_text(text, encoding="utf-8")
    for form, metric in product(forms, ("concept", "moment", "image")):
        print(markdown(table, form, metric), end="\n\n")


if __name__ == "__main__":
    main()
