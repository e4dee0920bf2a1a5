"""Recall against the budget of the memory, for our policy and those it is measured against.

    python -m experiments.memory_budget MANIFEST --scenes DIR/scenes.npz --out DIR [--jobs 2]

The scenes come from `experiments.memory_stream` and stream into a memory of every policy and
budget. `concept`: share of the spans of a subject that returns found by ten moments; `moment`: a
hit among the first five; `image`: the same for a frame that was held back and is not stored. Each
of five seeds holds back other frames, draws other lots and groups with another seed.

A budget is a number of entries for ours. Every other policy gets the bytes that ours then uses,
as the entries that these bytes pay for, more or fewer. Forms of an entry:

- `vector`: one vector and no exemplars. Ours keeps the spans of all its scenes; the others keep one
  interval an entry, as published.
- `exemplar-8`: with up to eight exemplars and all spans, the same for every policy, which is more
  than was published of the others. `exemplar-1`, `exemplar-2`, `exemplar-4`: fewer, ours only.
"""

from __future__ import annotations

import argparse
import json
import sys
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
from experiments.run_record import conditions, in_a_line, write_json
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
FORMS = ("vector", "exemplar-8")
OWN_FORMS = ("exemplar-1", "exemplar-2", "exemplar-4")
"""Measured of our policy only."""
SEEDS = 5
METRICS = ("concept", "moment", "image")
UNLIMITED = 1_000_000
_TRIES, _GUESSES = 20, 3
_PICTURES = 60


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
    times, vectors, pictures = _held_back(film, np.random.default_rng(seed))
    scenes = list(zip(film.spans, times, vectors, strict=True))
    published = form == "vector" and policy != "semantic"
    held, budget = _stream(policy, size, form, seed, scenes)
    ours = (size, form, seed)
    if policy != "semantic":
        if ours not in _our_bytes:
            _our_bytes[ours] = _bytes(*_stream("semantic", *ours, scenes), form, hull=False)
        held, budget = _within(_our_bytes[ours], job, scenes, held, budget)
    weight = _bytes(held, budget, form, hull=published)
    if policy == "semantic":
        _our_bytes[ours] = weight
    if form == "vector":
        held = _bare(held, hull=published)
    clustering = SemanticClustering("kmeans", "auto", seed).fit(
        held.entry_vectors.astype(np.float32), held.entry_weights
    )
    return {
        "policy": policy,
        "budget": size,
        "form": form,
        "seed": seed,
        "entries": len(held),
        "bytes": weight,
        "found": _found(film, _memory(held, clustering, budget), pictures),
    }


_our_bytes: dict[tuple[int, str, int], int] = {}
"""What our policy took for a budget, form and seed, in this process and for one film."""

Scenes = Sequence[tuple[Span, NDArray[np.float64], NDArray[np.float32]]]


def _stream(
    policy: str, entries: int, form: str, seed: int, scenes: Scenes
) -> tuple[SceneEntries, Budget]:
    """What a policy holds after the last scene, with room for every span."""
    exemplars = 1 if form == "vector" else int(form.removeprefix("exemplar-"))
    spans = -(-len(scenes) // entries) + 1
    budget = Budget(scenes[0][2].shape[1], entries, exemplars, spans)
    stream = MemoryStream(budget, POLICIES[policy](seed))
    for span, times, vectors in scenes:
        stream.add(span, times, vectors)
    return stream.entries(), budget


def _within(
    limit: int,
    job: tuple[str, int, str, int],
    scenes: Scenes,
    held: SceneEntries,
    budget: Budget,
) -> tuple[SceneEntries, Budget]:
    """The same policy with as many entries as take at most ``limit`` bytes, nearly all of them."""
    policy, _, form, seed = job
    hull = form == "vector"
    entries, fits, exceeds = budget.memory_size, 0, len(scenes) + 1
    best = held, budget
    for tries in range(_TRIES):
        weight = _bytes(held, budget, form, hull)
        if weight <= limit:
            fits, best = entries, (held, budget)
            if hull and weight + budget.entry_bytes(1, 0, 1) > limit:
                break  # every entry weighs the same: one more would not fit
        else:
            exceeds = entries
        # Bytes grow nearly in proportion; where they do not, halve what is left.
        guess = int(entries * limit / weight) if tries < _GUESSES else (fits + exceeds) // 2
        entries = min(max(guess, fits + 1), exceeds - 1)
        if entries <= fits or (tries >= _GUESSES and exceeds - fits <= entries // 50):
            break
        held, budget = _stream(policy, entries, form, seed, scenes)
    assert fits, "not one entry fits"
    return best


def _bytes(held: SceneEntries, budget: Budget, form: str, hull: bool) -> int:
    """What the entries weigh as stored; with ``hull`` one interval each, whatever they hold."""
    spans = len(held) if hull else sum(len(own) for own in held.entry_spans)
    exemplars = 0 if form == "vector" else len(held.exemplar_times)
    return budget.entry_bytes(len(held), exemplars, spans)


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


def _found(
    film: Film,
    memory: MemoryHierarchy,
    pictures: Sequence[tuple[NDArray[np.float32], list[tuple[float, float]]]],
) -> dict[str, list[float]]:
    """Recall of each query, in the same order for every policy of a seed."""
    retriever = SceneRetriever([("film", memory)], default_config().retrieval)
    found: dict[str, list[float]] = {name: [] for name in METRICS}
    for query, vector in zip(film.queries, film.query_vectors, strict=True):
        answer = list(retriever.search(vector, k=10))
        if query["type"] == "concept":
            found["concept"].append(round(recall(answer, query["spans"]), 4))
        else:
            found["moment"].append(float(any(hits(one, query["spans"]) for one in answer[:5])))
    for vector, spans in pictures:
        answer = list(retriever.search(vector, k=5))
        found["image"].append(float(any(hits(one, spans) for one in answer)))
    return found


def summary(rows: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """A line for each form, policy and budget: recall with intervals, and what ours is ahead.

    `concept` is the mean over the seeds, `concept_ci` half of the 95 % interval of that mean
    (Student), which says what another draw of frames and lots would change. `concept_lead` is ours
    less this one, with the 95 % interval that another set of queries leaves (bootstrap, paired).
    """
    from scipy.stats import t

    groups: dict[tuple[str, str, int], list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["seed"]):
        groups.setdefault((row["form"], row["policy"], row["budget"]), []).append(row)
    table = []
    for (form, policy, budget), own in groups.items():
        line: dict[str, Any] = {"form": form, "policy": policy, "budget": budget}
        line["bytes"] = round(float(np.mean([row["bytes"] for row in own])))
        line["entries"] = round(float(np.mean([row["entries"] for row in own])))
        ours = groups.get((form, "semantic", budget), [])
        for name in METRICS:
            values = np.array([np.mean(row["found"][name]) for row in own])
            line[name] = round(float(values.mean()), 3)
            if len(values) > 1:
                spread = values.std(ddof=1) / np.sqrt(len(values))
                line[f"{name}_ci"] = round(float(t.ppf(0.975, len(values) - 1) * spread), 3)
            if policy != "semantic" and len(ours) == len(own):
                line[f"{name}_lead"] = _lead(ours, own, name)
        table.append(line)
    return table


def _lead(ours: list[dict[str, Any]], theirs: list[dict[str, Any]], name: str) -> list[float]:
    """How far ours is ahead: mean, and the 95 % interval over queries."""
    ahead = np.array([row["found"][name] for row in ours])
    ahead = ahead - np.array([row["found"][name] for row in theirs])
    # A text is asked of every seed and is one query; pictures differ from seed to seed.
    each = ahead.ravel() if name == "image" else ahead.mean(axis=0)
    drawn = np.random.default_rng(0).choice(each, (2000, len(each))).mean(axis=1)
    low, high = np.quantile(drawn, [0.025, 0.975])
    return [round(float(value), 3) for value in (each.mean(), low, high)]


def markdown(table: Sequence[dict[str, Any]], form: str, metric: str) -> str:
    """A table of one figure: a row for each policy, a column for each budget."""
    budgets = sorted({line["budget"] for line in table if line["budget"] < UNLIMITED})
    lines = [
        f"| {metric}, {form} | " + " | ".join(map(str, budgets)) + " | all |",
        "| --- |" + " --- |" * (len(budgets) + 1),
    ]
    for policy in POLICIES:
        cells = {
            line["budget"]: f"{line[metric]:.2f} ±{line.get(f'{metric}_ci', 0):.2f}"
            for line in table
            if (line["form"], line["policy"]) == (form, policy)
        }
        if cells:
            shown = [cells.get(budget, "") for budget in [*budgets, UNLIMITED]]
            lines.append(f"| {policy} | " + " | ".join(shown) + " |")
    return "\n".join(lines)


def main() -> None:
    """Measure every policy, budget, form and seed of one film."""
    parser = argparse.ArgumentParser(description="Recall against the budget of the memory.")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--scenes", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    parser.add_argument("--forms", default=",".join((*FORMS, *OWN_FORMS)))
    parser.add_argument("--policies", default=",".join(POLICIES))
    parser.add_argument("--seeds", type=int, default=SEEDS)
    parser.add_argument("--budgets", default=",".join(map(str, BUDGETS)))
    arguments = parser.parse_args()
    film = load_film(arguments.manifest, arguments.scenes)
    seeds, forms = range(arguments.seeds), arguments.forms.split(",")
    # A budget that holds every scene is the column `all`, whatever the policy.
    budgets = [int(text) for text in arguments.budgets.split(",") if int(text) < len(film.spans)]
    policies = arguments.policies.split(",")
    own = [form for form in forms if form in OWN_FORMS]
    shared = [form for form in forms if form not in OWN_FORMS]
    jobs = list(product(policies, budgets, shared, seeds))
    jobs += product(["semantic"], budgets, own, seeds)
    jobs += product(["semantic"], [UNLIMITED], forms, seeds)
    arguments.out.mkdir(parents=True, exist_ok=True)
    # Ours first of each budget and form, and one process keeps to one seed.
    jobs.sort(key=lambda job: (job[3], job[1], job[2], job[0] != "semantic"))
    log = arguments.out / "budget.predictions.jsonl"  # a run that was stopped goes on
    known = log.read_text(encoding="utf-8").splitlines() if log.exists() else []
    rows = [json.loads(line) for line in known]
    done = {(row["policy"], row["budget"], row["form"], row["seed"]) for row in rows}
    jobs = [job for job in jobs if job not in done]
    with log.open("a", encoding="utf-8") as lines, ProcessPoolExecutor(arguments.jobs) as pool:
        for row in pool.map(partial(measure, film), jobs, chunksize=4):
            rows.append(row)
            print(json.dumps(row), file=lines, flush=True)
    table = summary(rows)
    report = {
        "scenes": len(film.spans),
        "seeds": len(seeds),
        "conditions": conditions(default_config(), seeds=list(seeds)),
        "table": table,
    }
    write_json(arguments.out / "budget.json", report)
    for form, metric in product(forms, METRICS):
        print(markdown(table, form, metric), end="\n\n")


if __name__ == "__main__":
    sys.exit(in_a_line(main))
