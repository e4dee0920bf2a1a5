"""What experts are worth on held-out time: codes at equal bytes, and vectors refined to a film.

    python -m experiments.experts_report MANIFEST --library DIR [--seeds 5] [--out JSON]

MANIFEST names a film with labelled segments and queries, and the library holds that film indexed.
For each seed, blocks of a minute are held out (two fifths of the film); everything is fitted on the
rest. Prints a table for each job: mean over seeds, with half of the 95 % interval (Student's t).
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.figures import hits
from semantic_video.encoders import load_encoder
from semantic_video.library import Library
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.moe_experts.adapt import FilmVectors, Recipe, fit_adapters, gates_of
from semantic_video.moe_experts.baselines import scalar_pca
from semantic_video.moe_experts.codec import ExpertCodec, unit_rows
from semantic_video.moe_experts.held_out import average_precisions, overlap_at, time_blocks
from semantic_video.moe_experts.routes import Route, route_labels
from semantic_video.moe_experts.training import part_of
from semantic_video.records import Moment
from semantic_video.semantic_clustering import SemanticClustering
from semantic_video.stored_memory import memory_from_stored
from semantic_video.vocabulary import vocabulary_vectors

FloatArray = NDArray[np.float32]
Coder = Callable[[FilmVectors], FloatArray]
"""Held-out film -> what is left of its frames [M, D]."""

SIZES = (24, 48, 96, 192)
EXPERTS = 16
# 0.975 quantiles of Student's t for 1, 2, ... degrees of freedom.
_STUDENT = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)


def main() -> None:
    """Both tables for one film."""
    parser = argparse.ArgumentParser(description="Measure experts on held-out time.")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--library", required=True)
    parser.add_argument("--seeds", type=int, default=5)
    parser.add_argument("--sizes", type=int, nargs="+", default=SIZES, metavar="BYTES")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    manifest = json.loads(arguments.manifest.read_text(encoding="utf-8"))
    library = Library(arguments.library)
    record = library.resolve(manifest["video"])
    memory = memory_from_stored(library.load(record.id), record)
    encoder = load_encoder(record.model_id)
    bank = vocabulary_vectors(encoder, library).astype(np.float32)
    moments = [query for query in manifest["queries"] if query["type"] == "moment"]
    film = Film(memory, manifest, encoder.encode_texts([q["text"] for q in moments]), bank)
    codes: dict[str, list[dict[str, float]]] = {}
    refined: dict[str, list[dict[str, float]]] = {}
    for seed in range(arguments.seeds):
        for size in arguments.sizes:
            for name, figures in film.codes(seed, size).items():
                codes.setdefault(f"{size} {name}", []).append(figures)
        for name, figures in film.refined(seed).items():
            refined.setdefault(name, []).append(figures)
    print_table("compress", codes)
    print_table("adapt", refined)
    if arguments.out:
        arguments.out.write_text(json.dumps({"compress": codes, "adapt": refined}, indent=1))


class Film:
    """A labelled film and its vectors."""

    def __init__(
        self,
        memory: MemoryHierarchy,
        manifest: Mapping[str, Any],
        queries: FloatArray,
        bank: FloatArray,
    ) -> None:
        held = memory.entries
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
        self.wanted = [q["spans"] for q in manifest["queries"] if q["type"] == "moment"]
        self.labels = _labels(self.spans, manifest["segments"])

    def split(self, seed: int) -> tuple[FilmVectors, FilmVectors, NDArray[np.bool_]]:
        """What is seen, what is held out, and which scenes those are."""
        held = time_blocks([span.start_s for span in self.spans], seed)
        return part_of(self.vectors, ~held), part_of(self.vectors, held), held

    def codes(self, seed: int, size: int) -> dict[str, dict[str, float]]:
        """Figures of every way to code a vector in ``size`` bytes."""
        seen, unseen, held = self.split(seed)
        found = {}
        for name, (coder, weights) in coders(seen, size, self.bank, seed).items():
            decoded = unit_rows(coder(unseen))
            found[name] = self._likeness(unseen, decoded, held) | {"weights": weights / 1000}
        return found

    def _likeness(
        self, unseen: FilmVectors, decoded: FloatArray, held: NDArray[np.bool_]
    ) -> dict[str, float]:
        frames, owners = unseen.frames, unseen.frame_scenes
        texts = [_of_scenes(self.bank[::5] @ x.T, owners) for x in (frames, decoded)]
        pictures = [_of_scenes(frames @ x.T, owners) for x in (frames, decoded)]
        for scores in pictures:  # not the picture's own scene
            scores[np.arange(len(owners)), owners] = -np.inf
        full = self.moment_r5(frames, owners, held)
        coded = self.moment_r5(decoded, owners, held)
        return {
            "cosine": float((frames * decoded).sum(axis=1).mean()),
            "image@5": overlap_at(pictures[0], pictures[1], 5),
            "text@10": overlap_at(texts[0], texts[1], 10),
            "moment_R5": coded,
            "R5/full": coded / full,
        }

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
        for name, recipe in recipes(seed).items():
            if recipe is None:
                scenes, frames = unseen.scenes, unseen.frames
            else:
                centres = centroids[:1] if recipe.route == "dense" else centroids
                moe, _ = fit_adapters(seen, centres, recipe, self.bank[::5])
                scenes, frames = (
                    _refine(moe, vectors, times, recipe)
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


def coders(
    seen: FilmVectors, size: int, bank: FloatArray, seed: int
) -> dict[str, tuple[Coder, float]]:
    """Every way to code in ``size`` bytes, fitted to what is seen, and the bytes of its weights."""
    ways: dict[str, tuple[Coder, float]] = {}
    count = min(EXPERTS, len(seen.scenes))
    centroids = SemanticClustering("kmeans", count, seed).fit(seen.scenes).centroids(seen.scenes)
    for name, route, texts, local in (
        ("semantic", "semantic", bank, None),
        ("semantic, directions of each", "semantic", bank, 100.0),
        ("temporal", "temporal", bank, None),
        ("random", "random", bank, None),
        ("one shared", "dense", bank, None),
        ("semantic, no texts", "semantic", None, None),
    ):
        ways[name] = _experts(seen, size, route, centroids, texts, local, seed)  # type: ignore[arg-type]
    width = seen.scenes.shape[1]
    for bits in (8, 4):
        coder = scalar_pca(seen.frames, size, bits)
        dimensions = min(size * 8 // bits, width)
        ways[f"PCA int{bits}"] = (_plain(coder), (dimensions + 1) * width * 2)
    ways["binary"] = (_plain(_binary(seen.frames, size)), (min(size * 8, width) + 1) * width * 2)
    ways["PQ"] = (_plain(_product(seen.frames, size, seed)), 256 * width * 2)
    ways["dense autoencoder"] = (
        _plain(_autoencoder(seen.frames, size, seed)),
        2 * size * width * 2,
    )
    return ways


def recipes(seed: int) -> dict[str, Recipe | None]:
    """Every way to refine; None is the identity."""
    base = Recipe(normalise=False, seed=seed)
    return {
        "identity": None,
        "semantic": base,
        "temporal": replace(base, route="temporal"),
        "random": replace(base, route="random"),
        "dense": replace(base, route="dense"),
        "within-scene whitening": replace(base, strength=0.0, normalise=True),
        "semantic and whitening": replace(base, normalise=True),
        "semantic, one expert a vector": replace(base, top_k=1),
        "semantic, cooler router": replace(base, temperature=0.02),
        "trained on recurrence": replace(base, epochs=30),
        "trained on scenes": replace(base, epochs=30, objective="scene"),
        "trained as ShotCoL": replace(base, epochs=30, objective="shotcol"),
    }


def _experts(
    seen: FilmVectors,
    size: int,
    route: Route,
    centroids: FloatArray,
    texts: FloatArray | None,
    local: float | None,
    seed: int,
) -> tuple[Coder, float]:
    def routed(film: FilmVectors) -> NDArray[np.int64]:
        first = np.unique(film.frame_scenes, return_index=True)[1]
        return route_labels(route, film.scenes, film.times_s[first], centroids, seed)

    labels = np.unique(routed(seen), return_inverse=True)
    codec = ExpertCodec.fit(
        seen.scenes, labels[1], seen.frames, seen.frame_scenes, size, texts, local
    )

    def code(film: FilmVectors) -> FloatArray:
        own = np.minimum(np.searchsorted(labels[0], routed(film)), len(labels[0]) - 1)
        coded = codec.encode(film.scenes, own, film.frames, film.frame_scenes)
        return codec.decode(coded, film.frame_scenes)[1]

    return code, codec.nbytes


def _plain(coder: Callable[[FloatArray], FloatArray]) -> Coder:
    return lambda film: coder(film.frames)


def _binary(vectors: FloatArray, size: int) -> Callable[[FloatArray], FloatArray]:
    """Signs of the leading principal directions, of a random rotation where more bits are left."""
    centre = vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(vectors - centre, full_matrices=False)
    bits, width = size * 8, vectors.shape[1]
    if bits < len(axes):
        turn = np.linalg.qr(np.random.default_rng(0).standard_normal((bits, bits)))[0]
        axes = turn @ axes[:bits]
    else:
        axes = np.linalg.qr(np.random.default_rng(0).standard_normal((max(bits, width), width)))[0]
    scale = np.abs((vectors - centre) @ axes.T).mean(axis=0)
    return lambda x: np.asarray(
        centre + (np.sign((x - centre) @ axes.T) * scale) @ axes, dtype=np.float32
    )


def _product(vectors: FloatArray, size: int, seed: int) -> Callable[[FloatArray], FloatArray]:
    """Product quantisation (Jegou 2011): ``size`` parts with up to 256 centroids each."""
    from sklearn.cluster import KMeans

    parts = np.array_split(np.arange(vectors.shape[1]), size)
    books = [
        KMeans(min(256, len(vectors) // 2), n_init=1, max_iter=8, init="random", random_state=seed)
        .fit(vectors[:, part])
        .cluster_centers_.astype(np.float32)
        for part in parts
    ]

    def code(x: FloatArray) -> FloatArray:
        rebuilt = np.empty_like(x)
        for part, book in zip(parts, books, strict=True):
            distances = (book**2).sum(axis=1) - 2 * x[:, part] @ book.T
            rebuilt[:, part] = book[np.argmin(distances, axis=1)]
        return rebuilt

    return code


def _autoencoder(vectors: FloatArray, size: int, seed: int) -> Callable[[FloatArray], FloatArray]:
    """A dense autoencoder with ``size`` units in the middle, each rounded to a byte."""
    import torch

    torch.manual_seed(seed)
    width, x = vectors.shape[1], torch.from_numpy(vectors)
    centre = x.mean(dim=0)
    _, _, axes = torch.linalg.svd(x - centre, full_matrices=False)
    inner, outer = torch.nn.Linear(width, size), torch.nn.Linear(size, width)
    with torch.no_grad():  # from the principal directions, or it never gets there
        inner.weight.copy_(axes[:size])
        inner.bias.copy_(-axes[:size] @ centre)
        outer.weight.copy_(axes[:size].T)
        outer.bias.copy_(centre)
    optimiser = torch.optim.Adam([*inner.parameters(), *outer.parameters()], 1e-4)
    for _ in range(100):
        hidden = inner(x)
        loss = (outer(hidden + torch.randn_like(hidden) * hidden.std() / 64) - x).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        step = inner(x).abs().amax(dim=0) / 127

    def code(others: FloatArray) -> FloatArray:
        with torch.no_grad():
            hidden = (inner(torch.from_numpy(others)) / step).round().clamp(-127, 127) * step
            return np.asarray(outer(hidden).numpy())

    return code


def _refine(
    moe: Any, vectors: FloatArray, times_s: NDArray[np.float64], recipe: Recipe
) -> FloatArray:
    import torch

    with torch.no_grad():
        gates = gates_of(moe, vectors, times_s, recipe.route, recipe.seed)
        return np.asarray(moe(torch.from_numpy(vectors), gates).vectors.numpy())


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


def print_table(title: str, figures: Mapping[str, Sequence[Mapping[str, float]]]) -> None:
    """One line a variant, in Markdown."""
    columns = list(next(iter(figures.values()))[0])
    print(f"\n| {title} | " + " | ".join(columns) + " |")
    print("| --- " * (len(columns) + 1) + "|")
    for name, runs in figures.items():
        cells = []
        for column in columns:
            values = np.array([run[column] for run in runs])
            half = 0.0
            if len(values) > 1:
                student = _STUDENT[min(len(values) - 1, len(_STUDENT)) - 1]
                half = student * values.std(ddof=1) / len(values) ** 0.5
            digits = 0 if column == "weights" else 3
            cells.append(f"{values.mean():.{digits}f}" + (f" +- {half:.3f}" if digits else " kB"))
        print(f"| {name} | " + " | ".join(cells) + " |", flush=True)


if __name__ == "__main__":
    main()
