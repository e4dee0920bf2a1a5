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
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.figures import hits
from experiments.run_record import conditions, write_json
from experiments.student import half_interval
from semantic_video.config import load_config
from semantic_video.encoders import load_encoder
from semantic_video.library import Library
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.moe_experts.adapt import (
    FilmVectors,
    Recipe,
    fit_adapters,
    gates_of,
    within_scene_axes,
)
from semantic_video.moe_experts.baselines import scalar_pca
from semantic_video.moe_experts.codec import ExpertCodec, Quantiser, normal_levels, unit_rows
from semantic_video.moe_experts.held_out import (
    average_precisions,
    overlap_at,
    time_blocks,
    words_of,
)
from semantic_video.moe_experts.routes import Route, route_labels
from semantic_video.moe_experts.training import joined, part_of
from semantic_video.records import Moment
from semantic_video.semantic_clustering import SemanticClustering
from semantic_video.stored_memory import memory_from_stored
from semantic_video.vocabulary import vocabulary_vectors

FloatArray = NDArray[np.float32]
Coder = Callable[[FilmVectors], FloatArray]
"""Held-out film -> what is left of its frames [M, D]."""

SIZES = (24, 48, 96, 192)
EXPERTS = 16

Figures = dict[str, list[dict[str, float]]]
"""Name of a variant -> its figures, a seed each."""

_SHOWN = ("cosine", "image@5", "text@10", "R5/full")
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
        said = _by_word(seen, self.bank)
        ways["semantic, categories by word"] = (recipes(seed)["semantic"], *said)
        trained = recipes(seed)["trained on recurrence"]
        ways["trained on nearest scenes"] = (trained, _nearest_pairs(seen), centroids)
        ways |= {name: (recipes(seed)["semantic"], seen, centroids) for name in _ALTERED}
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
                if name in _ALTERED:
                    _ALTERED[name](moe, learned)
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
) -> dict[str, Callable[[], tuple[Coder, float]]]:
    """Every way to code in ``size`` bytes: what fits it to what is seen, and gives the bytes of its
    weights as well."""
    ways: dict[str, Callable[[], tuple[Coder, float]]] = {}
    count = min(EXPERTS, len(seen.scenes))
    centroids = SemanticClustering("kmeans", count, seed).fit(seen.scenes).centroids(seen.scenes)
    for name, route, texts, local in (
        ("semantic", "semantic", bank, None),
        ("semantic, directions of each", "semantic", bank, 100.0),
        ("temporal", "temporal", bank, None),
        ("random", "random", bank, None),
        ("hash", "hash", bank, None),
        ("one shared", "dense", bank, None),
        ("semantic, no texts", "semantic", None, None),
    ):
        ways[name] = partial(_experts, seen, size, route, centroids, texts, local, seed)  # type: ignore[arg-type]
    ways["semantic, rest by directions of each"] = partial(
        _residual, seen, size, centroids, bank, seed
    )
    ways["nearest earlier scene"] = partial(_nearest, seen, size, bank)
    width, frames = seen.scenes.shape[1], seen.frames
    for bits in (8, 4):
        dimensions = min(size * 8 // bits, width)
        weights = (dimensions + 1) * width * 2
        ways[f"PCA int{bits}"] = partial(_plain, scalar_pca, weights, frames, size, bits)
        ways[f"PCA, turned, int{bits}"] = partial(_plain, _turned, weights, frames, size, bits)
    weights = (min(size * 8, width) + 1) * width * 2
    ways["binary"] = partial(_plain, _binary, weights, frames, size)
    ways["PQ"] = partial(_plain, _product, 256 * width * 2, frames, size, seed)
    weights = 2 * size * width * 2
    ways["dense autoencoder"] = partial(_plain, _autoencoder, weights, frames, size, seed)
    return ways


def recipes(seed: int) -> dict[str, Recipe | None]:
    """Every way to refine; None is the identity."""
    base = Recipe(normalise=False, seed=seed)
    return {
        "identity": None,
        "semantic": base,
        "temporal": replace(base, route="temporal"),
        "random": replace(base, route="random"),
        "hash": replace(base, route="hash"),
        "dense": replace(base, route="dense"),
        "within-scene whitening": replace(base, strength=0.0, normalise=True),
        "semantic and whitening": replace(base, normalise=True),
        "semantic, hubs taken off": replace(base, from_mean=1.0),
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


def _residual(
    seen: FilmVectors, size: int, centroids: FloatArray, texts: FloatArray, seed: int
) -> tuple[Coder, float]:
    """A shared basis for three quarters of the bytes, and what it leaves of a frame by directions
    and bits of each category (its covariance, shrunk to that of all)."""
    own = max(1, size // 4)

    def routed(film: FilmVectors) -> NDArray[np.int64]:
        return np.asarray(np.argmax(film.scenes @ centroids.T, axis=1))

    def base(film: FilmVectors) -> FloatArray:
        coded = codec.encode(film.scenes, routed(film), film.frames, film.frame_scenes)
        return codec.sums(coded, film.frame_scenes)[1]

    codec = ExpertCodec.fit(
        seen.scenes, routed(seen), seen.frames, seen.frame_scenes, size - own, texts
    )
    owners = routed(seen)[seen.frame_scenes]
    rest = Quantiser.fit(seen.frames - base(seen), owners, len(centroids), own, texts, 30.0)

    def code(film: FilmVectors) -> FloatArray:
        decoded, experts = base(film), routed(film)[film.frame_scenes]
        rests = film.frames - decoded
        return decoded + rest.decode(rest.encode(rests, experts), experts)

    kept = (rest.back, rest.steps, rest.scales, rest.bits)
    return code, codec.nbytes + sum(array.nbytes for array in kept)


def _nearest(seen: FilmVectors, size: int, texts: FloatArray) -> tuple[Coder, float]:
    """Each scene from the most alike that was seen before, an expert whose mean costs nothing since
    the memory holds it: one byte more names it, of what the code had."""
    alike = seen.scenes @ seen.scenes.T
    np.fill_diagonal(alike, -1)
    earlier = np.argmax(alike, axis=1)
    means = (0.8 * seen.scenes).astype(np.float16)
    rests = seen.scenes - means[earlier].astype(np.float32)
    near = seen.frames - means[earlier[seen.frame_scenes]].astype(np.float32)
    both, nobody = np.concatenate([rests, near]), np.zeros(len(rests) + len(near), np.int64)
    entries = Quantiser.fit(both, nobody, 1, size - 1, texts)
    flat = nobody[: len(rests)]
    decoded = means[earlier] + entries.decode(entries.encode(rests, flat), flat)
    rest = seen.frames - decoded[seen.frame_scenes]
    frames = Quantiser.fit(rest, nobody[: len(rest)], 1, size, texts)

    def code(film: FilmVectors) -> FloatArray:
        own = np.argmax(film.scenes @ seen.scenes.T, axis=1)
        start = means[own].astype(np.float32)
        zeros = np.zeros(len(own), np.int64)
        scenes = start + entries.decode(entries.encode(film.scenes - start, zeros), zeros)
        rests = film.frames - scenes[film.frame_scenes]
        zeros = np.zeros(len(rests), np.int64)
        coded = frames.decode(frames.encode(rests, zeros), zeros)
        return np.asarray(scenes[film.frame_scenes] + coded, dtype=np.float32)

    kept = [
        getattr(quantiser, name)
        for quantiser in (entries, frames)
        for name in ("back", "steps", "scales", "bits")
    ]
    return code, sum(array.nbytes for array in kept)


def _by_word(seen: FilmVectors, bank: FloatArray) -> tuple[FilmVectors, FloatArray]:
    """The film with the word that stands out most as the category of a scene, and the centres."""
    words = words_of(seen.scenes, bank, seen.scenes)
    labels = np.unique(words, return_inverse=True)[1]
    sums = np.zeros((int(labels.max()) + 1, seen.scenes.shape[1]), np.float32)
    np.add.at(sums, labels, seen.scenes)
    return replace(seen, categories=labels.astype(np.int64)), unit_rows(sums)


def _nearest_pairs(seen: FilmVectors) -> FilmVectors:
    """The film with a category for each two scenes that are nearest to one another, at any time."""
    likeness = seen.scenes @ seen.scenes.T
    np.fill_diagonal(likeness, -np.inf)
    nearest = likeness.argmax(axis=1)
    own = np.arange(len(nearest))
    return replace(
        seen, categories=np.where(nearest[nearest] == own, np.minimum(own, nearest), own)
    )


def _whiten_each(moe: Any, seen: FilmVectors) -> None:
    """Give each expert what varies within the scenes of its category, to be taken out."""
    import torch

    labels = seen.categories[seen.frame_scenes]
    for number, expert in enumerate(moe.experts):
        if (labels == number).sum() < 2:
            continue
        axes, factors = within_scene_axes(part_of(seen, seen.categories == number), moe.rank)
        count = len(factors)
        with torch.no_grad():
            expert.down.zero_()
            expert.down[:count] = torch.from_numpy(axes.T.astype(np.float32))
            expert.up[:, :count] = torch.from_numpy((axes * (factors - 1)).astype(np.float32))


def _near_hubs_off(moe: Any, seen: FilmVectors) -> None:
    """Take off each expert's centre the mean of the centres nearest to it, as CSLS does."""
    import torch

    with torch.no_grad():
        centres = moe.router.weight
        likeness = centres @ centres.T
        likeness.fill_diagonal_(-torch.inf)
        near = likeness.topk(min(_NEAR_CENTRES, len(centres) - 1), dim=1).indices  # [K, near]
        hubs = centres[near].mean(dim=1)  # [K, D]
        for expert, centre, hub in zip(moe.experts, centres, hubs, strict=True):
            expert.bias.copy_(Recipe().strength * (centre - hub))


_NEAR_CENTRES = 10
_ALTERED = {"semantic, whitening of each": _whiten_each, "semantic, near hubs off": _near_hubs_off}
"""What is done to the experts of the semantic recipe after they are fitted."""


def _plain(
    make: Callable[..., Callable[[FloatArray], FloatArray]], weights: float, *arguments: Any
) -> tuple[Coder, float]:
    """A way to code that looks at single frames only."""
    coder = make(*arguments)
    return (lambda film: coder(film.frames)), weights


def _turned(vectors: FloatArray, size: int, bits: int) -> Callable[[FloatArray], FloatArray]:
    """Leading principal coordinates turned by chance, so that one step serves all of them."""
    centre = vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(vectors - centre, full_matrices=False)
    axes = axes[: size * 8 // bits]
    noise = np.random.default_rng(0).standard_normal((len(axes), len(axes)))
    axes = np.linalg.qr(noise)[0] @ axes
    levels = normal_levels(bits) * np.float32(((vectors - centre) @ axes.T).std())
    edges = (levels[1:] + levels[:-1]) / 2

    def code(others: FloatArray) -> FloatArray:
        steps = np.searchsorted(edges, (others - centre) @ axes.T)
        return np.asarray(centre + levels[steps] @ axes, dtype=np.float32)

    return code


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
        axes = torch.nn.functional.pad(axes[:size], (0, 0, 0, max(0, size - len(axes))))
        inner.weight.copy_(axes)
        inner.bias.copy_(-axes @ centre)
        outer.weight.copy_(axes.T)
        outer.bias.copy_(centre)
    optimiser = torch.optim.Adam([*inner.parameters(), *outer.parameters()], 1e-4)
    for _ in range(100):
        hidden = inner(x)
        loss = (outer(hidden + torch.randn_like(hidden) * hidden.std() / 64) - x).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        step = inner(x).abs().amax(dim=0).clamp_min(1e-9) / 127

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


def tables(measured: Mapping[str, Any]) -> str:
    """What was measured of a film as Markdown: a table a job, a line a variant."""
    lines = [
        f"`{measured['film']}`: {measured['scenes']} scenes, {measured['vectors']} vectors of "
        f"{measured['bytes']} bytes, {measured['seeds']} seeds.",
        "",
        *_compress_table(measured["compress"]),
    ]
    if measured["adapt"]:
        lines += ["", *_adapt_table(measured["adapt"])]
    return "\n".join(lines) + "\n"


def _compress_table(figures: Figures) -> list[str]:
    """A line a codec: for each size the means of all figures, of ``text@10`` with its interval."""
    sizes = list(dict.fromkeys(name.partition(" ")[0] for name in figures))
    codecs = list(dict.fromkeys(name.partition(" ")[2] for name in figures))
    shown = [name for name in _SHOWN if name in next(iter(figures.values()))[0]]
    heads = [f"{size} bytes" for size in sizes]
    lines = [
        f"Each cell: {' / '.join(shown)}.",
        "",
        f"| codec | {' | '.join(heads)} | weights at {sizes[-1]} bytes, kB | pays from, vectors |",
        "| --- " * (len(sizes) + 3) + "|",
    ]
    for codec in codecs:
        cells = []
        for size in sizes:
            runs = figures.get(f"{size} {codec}", [])
            parts = [_mean_of(name, runs, name == "text@10") for name in shown if runs]
            cells.append(" / ".join(parts))
        last = next(figures[f"{s} {codec}"] for s in reversed(sizes) if f"{s} {codec}" in figures)
        for name in ("weights, kB", "pays from"):
            cells.append(f"{np.mean([run[name] for run in last]):.0f}")
        lines.append(f"| {codec} | " + " | ".join(cells) + " |")
    return lines


def _adapt_table(figures: Figures) -> list[str]:
    """A line a variant; gains are those over the identity on the same held-out blocks."""
    columns = list(next(iter(figures.values()))[0])
    lines = [
        "| adapt | " + " | ".join(columns) + " | gain in mAP | gain in text R5 |",
        "| --- " * (len(columns) + 3) + "|",
    ]
    for name, runs in figures.items():
        cells = [_mean_of(column, runs, True) for column in columns]
        for column in ("mAP", "text R5"):
            gains = [
                {column: run[column] - other[column]}
                for run, other in zip(runs, figures["identity"], strict=True)
            ]
            cells.append(_mean_of(column, gains, True, "+"))
        lines.append(f"| {name} | " + " | ".join(cells) + " |")
    return lines


def _mean_of(column: str, runs: Sequence[Mapping[str, float]], spread: bool, sign: str = "") -> str:
    values = [run[column] for run in runs]
    text = f"{sum(values) / len(values):{sign}.3f}"
    if not spread or len(values) < 2:
        return text
    return f"{text} +- {half_interval(values):.3f}"


if __name__ == "__main__":
    main()
