"""What experts are worth on held-out time: codes at equal bytes, and vectors refined to a film.

    python -m experiments.experts_report FILM --library DIR [--seeds 5] [--out JSON]
    python -m experiments.experts_report --tables JSON ... [--into docs/experts.md]

FILM is a manifest (a JSON file that names a film with labelled segments and queries), or the name
of a film without labels; the library holds it indexed. For each seed, blocks of a minute are held
out (two fifths of the film); everything is fitted on the rest. Means over seeds, with half of the
95 % interval (Student's t). What needs labels is left out where there are none. ``--tables`` writes
the tables of earlier runs from their JSON, into a page between its marks with ``--into``.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.expert_coders import coders
from experiments.expert_recipes import ALTERED, by_word, nearest_pairs, recipes, refine
from experiments.expert_tables import Figures, tables
from experiments.figures import hits
from experiments.run_record import conditions, in_a_line, write_json
from semantic_video.config import load_config
from semantic_video.encoders import load_encoder
from semantic_video.library import Library
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.moe_experts.adapt import FilmVectors, fit_adapters
from semantic_video.moe_experts.codec import unit_rows
from semantic_video.moe_experts.held_out import average_precisions, overlap_at, time_blocks
from semantic_video.moe_experts.training import joined, part_of
from semantic_video.records import Moment
from semantic_video.semantic_clustering import SemanticClustering
from semantic_video.stored_memory import memory_from_stored
from semantic_video.vocabulary import vocabulary_vectors

FloatArray = NDArray[np.float32]

SIZES = (24, 48, 96, 192)

_MARKS = ("<!-- made by experiments.experts_report: begin -->\n", "<!-- end -->\n")


def main() -> None:
    """Measure one film, or write the tables of films that were measured."""
    parser = argparse.ArgumentParser(description="Measure experts on held-out time.")
    parser.add_argument("film", nargs="?")
    parser.add_argument("--library")
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="BYTES")
    parser.add_argument("--only", nargs="+", metavar="VARIANT", help="of both jobs; default all")
    parser.add_argument("--beside", metavar="FILM", help="of the same library, trained on as well")
    parser.add_argument("--out", type=Path, help="figures of other variants there are kept")
    parser.add_argument("--tables", type=Path, nargs="+", metavar="JSON")
    parser.add_argument("--into", type=Path, metavar="PAGE")
    arguments = parser.parse_args()
    if arguments.tables:
        found = [json.loads(path.read_text(encoding="utf-8")) for path in arguments.tables]
        text = "\n".join(tables(each) for each in found)
    elif arguments.film and arguments.library:
        measured = measure(
            arguments.film,
            arguments.library,
            arguments.seeds,
            arguments.sizes,
            arguments.only,
            arguments.beside,
        )
        if arguments.out and arguments.out.exists():
            earlier = json.loads(arguments.out.read_text(encoding="utf-8"))
            for job in ("compress", "adapt"):
                measured[job] = earlier[job] | measured[job]
        text = tables(measured)
        if arguments.out:
            write_json(arguments.out, measured)
    else:
        parser.error("name a film and its --library, or --tables of films that were measured")
    if arguments.into:
        page = arguments.into.read_text(encoding="utf-8")
        before, _, rest = page.partition(_MARKS[0])
        after = rest.partition(_MARKS[1])[2]
        arguments.into.write_text(before + _MARKS[0] + text + _MARKS[1] + after, encoding="utf-8")
    else:
        print(text)


def measure(
    name: str,
    shelf: str,
    seeds: int,
    sizes: Sequence[int],
    only: Sequence[str] | None = None,
    beside: str | None = None,
) -> dict[str, Any]:
    """The figures of every variant for every seed, and what they were measured on."""
    labelled = name.endswith(".json")
    manifest: dict[str, Any] = json.loads(Path(name).read_text()) if labelled else {"video": name}
    library = Library(shelf)
    record = library.resolve(manifest["video"])
    memory = memory_from_stored(library.load(record.id), record)
    encoder = load_encoder(record.model_id)
    bank = vocabulary_vectors(encoder, library).astype(np.float32)
    texts = [q["text"] for q in manifest.get("queries", ()) if q["type"] == "moment"]
    queries = encoder.encode_texts(texts) if texts else bank[:0]
    film = Film(memory, manifest, queries, bank, only)
    if beside is not None:
        other = library.resolve(beside)
        second = memory_from_stored(library.load(other.id), other)
        film.beside = Film(second, {}, bank[:0], bank).vectors
    codes: Figures = {}
    refined: Figures = {}
    for seed in range(seeds):
        for size in sizes:
            for variant, figures in film.codes(seed, size).items():
                codes.setdefault(f"{size} {variant}", []).append(figures)
        for variant, figures in film.refined(seed).items() if labelled else ():
            refined.setdefault(variant, []).append(figures)
        print(f"{record.name}: seed {seed} done", file=sys.stderr, flush=True)
    vectors = film.vectors
    return {
        "film": record.name,
        "seeds": seeds,
        "conditions": conditions(load_config(), seeds=list(range(seeds))),
        "scenes": len(vectors.scenes),
        "vectors": len(vectors.scenes) + len(vectors.frames),
        "bytes": vectors.scenes.shape[1] * 2,
        "compress": codes,
        "adapt": refined,
    }


class Film:
    """A labelled film and its vectors."""

    def __init__(
        self,
        memory: MemoryHierarchy,
        manifest: Mapping[str, Any],
        queries: FloatArray,
        bank: FloatArray,
        only: Sequence[str] | None = None,
    ) -> None:
        held = memory.entries
        self.only = only
        self.beside: FilmVectors | None = None
        self.vectors = FilmVectors(
            frames=unit_rows(held.exemplar_vectors.astype(np.float32)),
            times_s=held.exemplar_times,
            frame_scenes=held.exemplar_entries.astype(np.int64),
            scenes=unit_rows(held.entry_vectors.astype(np.float32)),
            categories=memory.labels.astype(np.int64),
        )
        self.spans = [own[0] for own in held.entry_spans]
        self.kinds = memory.clustering.size
        self.queries, self.bank = queries, bank
        self.wanted = [q["spans"] for q in manifest.get("queries", ()) if q["type"] == "moment"]
        self.labels = _labels(self.spans, manifest.get("segments", ()))

    def split(self, seed: int) -> tuple[FilmVectors, FilmVectors, NDArray[np.bool_]]:
        """What is seen, what is held out, and which scenes those are."""
        held = time_blocks([span.start_s for span in self.spans], seed)
        return part_of(self.vectors, ~held), part_of(self.vectors, held), held

    def codes(self, seed: int, size: int) -> dict[str, dict[str, float]]:
        """Figures of every way to code a vector in ``size`` bytes."""
        seen, unseen, held = self.split(seed)
        found = {}
        ways = coders(seen, size, self.bank, seed)
        if self.beside is not None:
            both = joined([seen, self.beside])
            named = coders(both, size, self.bank, seed).items()
            ways |= {f"{name}, two films": lazy for name, lazy in named}
        for name, make in ways.items():
            if not self._wanted(name):
                continue
            coder, weights = make()
            decoded = unit_rows(coder(unseen))
            saved = max(self.vectors.scenes.shape[1] * 2 - size, 1)
            found[name] = self._likeness(unseen, decoded, held) | {
                "weights, kB": weights / 1000,
                "pays from": weights / saved,
            }
        return found

    def _wanted(self, name: str) -> bool:
        return self.only is None or name in self.only

    def _likeness(
        self, unseen: FilmVectors, decoded: FloatArray, held: NDArray[np.bool_]
    ) -> dict[str, float]:
        frames, owners = unseen.frames, unseen.frame_scenes
        texts = [_of_scenes(self.bank[::5] @ x.T, owners) for x in (frames, decoded)]
        pictures = [_of_scenes(frames @ x.T, owners) for x in (frames, decoded)]
        for scores in pictures:  # not the picture's own scene
            scores[np.arange(len(owners)), owners] = -np.inf
        figures = {
            "cosine": float((frames * decoded).sum(axis=1).mean()),
            "image@5": overlap_at(pictures[0], pictures[1], 5),
            "text@10": overlap_at(texts[0], texts[1], 10),
        }
        if len(self.queries):
            full = self.moment_r5(frames, owners, held)
            coded = self.moment_r5(decoded, owners, held)
            figures |= {"moment R5": coded, "R5/full": coded / full}
        return figures

    def refined(self, seed: int) -> dict[str, dict[str, float]]:
        """Figures of every way to refine the vectors."""
        from sklearn.metrics import normalized_mutual_info_score

        seen, unseen, held = self.split(seed)
        labels = self.labels[held]
        known = labels >= 0
        share = len(seen.scenes) / len(self.spans)
        grouped = SemanticClustering("kmeans", max(1, round(self.kinds * share)), seed).fit(
            seen.scenes
        )
        centroids = grouped.centroids(seen.scenes)
        seen = replace(seen, categories=grouped.labels.astype(np.int64))
        starts = np.array([span.start_s for span, own in zip(self.spans, held, strict=True) if own])
        found = {}
        ways = {name: (recipe, seen, centroids) for name, recipe in recipes(seed).items()}
        said = by_word(seen, self.bank)
        ways["semantic, categories by word"] = (recipes(seed)["semantic"], *said)
        trained = recipes(seed)["trained on recurrence"]
        ways["trained on nearest scenes"] = (trained, nearest_pairs(seen), centroids)
        ways |= {name: (recipes(seed)["semantic"], seen, centroids) for name in ALTERED}
        if self.beside is not None:
            both = joined([seen, self.beside])
            grouped = SemanticClustering(
                "kmeans", len(centroids) * len(both.scenes) // len(seen.scenes), seed
            ).fit(both.scenes)
            both = replace(both, categories=grouped.labels.astype(np.int64))
            ways["semantic, two films"] = (
                recipes(seed)["semantic"], both, grouped.centroids(both.scenes),
            )  # fmt: skip
        for name, (recipe, learned, centres) in ways.items():
            if not self._wanted(name):
                continue
            if recipe is None:
                scenes, frames = unseen.scenes, unseen.frames
            else:
                centres = centres[:1] if recipe.route == "dense" else centres
                moe, _ = fit_adapters(learned, centres, recipe, self.bank[::5])
                if name in ALTERED:
                    ALTERED[name](moe, learned)
                scenes, frames = (
                    refine(moe, vectors, times, recipe)
                    for vectors, times in (
                        (unseen.scenes, starts),
                        (unseen.frames, unseen.times_s),
                    )
                )
            own = SemanticClustering("kmeans", len(np.unique(labels[known])), seed).fit(
                scenes[known]
            )
            precision = average_precisions(scenes, np.where(known, labels, -np.arange(len(labels))))
            found[name] = {
                "mAP": float(np.nanmean(precision)),
                "NMI": float(normalized_mutual_info_score(labels[known], own.labels)),
                "text R5": self.moment_r5(frames, unseen.frame_scenes, held),
            }
        return found

    def moment_r5(
        self, frames: FloatArray, owners: NDArray[np.int64], held: NDArray[np.bool_]
    ) -> float:
        """Share of the captions of held-out moments that are answered among the first five."""
        scores = _of_scenes(self.queries @ frames.T, owners)
        spans = [span for span, own in zip(self.spans, held, strict=True) if own]
        shown = [Moment("", s.start_s, s.end_s, 0, None, 0, "", s.start_s) for s in spans]
        answered = []
        for row, wanted in zip(scores, self.wanted, strict=True):
            right = np.array([hits(moment, wanted) for moment in shown])
            if right.any():
                answered.append(right[np.argsort(-row, kind="stable")[:5]].any())
        return float(np.mean(answered))


def _of_scenes(scores: FloatArray, owners: NDArray[np.int64]) -> FloatArray:
    """Scores of frames [Q, M] -> of scenes [Q, N]: the best frame's."""
    first = np.unique(owners, return_index=True)[1]
    return np.asarray(np.maximum.reduceat(scores, first, axis=1))


def _labels(spans: Sequence[Any], segments: Sequence[Mapping[str, Any]]) -> NDArray[np.int64]:
    """The category of each scene as a number, -1 where its middle has none."""
    names = sorted({s["category"] for s in segments if s["category"]})
    labels = []
    for span in spans:
        middle = (span.start_s + span.end_s) / 2
        own = [s["category"] for s in segments if s["start_s"] <= middle < s["end_s"]]
        labels.append(names.index(own[0]) if own and own[0] else -1)
    return np.array(labels)


if __name__ == "__main__":
    sys.exit(in_a_line(main))
