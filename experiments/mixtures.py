"""Made-up films of labelled pictures that the built-in model was not trained on, as vectors.

    python -m experiments.mixtures DATA --cache POOL.npz [--films 24]

DATA is the folder of parquet files that `training` reads. A film has categories of a few pictures
each and photos that occur once, some of which return framed differently. A scene has one to three
frames, slightly different crops of its picture. Prints how well `auto` groups them (purity, NMI
and adjusted Rand index against the categories, groups of two scenes or more for each category),
mean over the films. To choose methods on, so that the labelled film remains one to measure on.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantic_video.encoders import load_encoder
from semantic_video.memory_hierarchy import SceneEntries
from semantic_video.records import Span
from semantic_video.semantic_clustering import METHODS, SemanticClustering
from semantic_video.utils.metrics import normalised_mutual_information, purity
from training.data import View, load_pictures, render
from training.prompts import SCORED

FRAMES = 3
_SCENE_S = 5.0
_MOST_OF_A_LABEL = 10
_LABELS = {"sports": 30, "scenes": 12, "actions": 12, "objects": 10}
_PHOTOS = 600
_VIEW = View(192, 320, random=True, mildest_crop=0.8, flip=0.0)
_RETURN = View(192, 320, random=True, mildest_crop=0.55, flip=0.0)


@dataclass(frozen=True, slots=True, eq=False)
class Pool:
    """Pictures: vectors float32 [P, FRAMES + 1, D] (the last framed differently), and what each is.

    ``kinds`` is the label of a picture or empty, ``texts`` its caption, ``text_vectors`` [P, D].
    """

    vectors: NDArray[np.float32]
    kinds: NDArray[np.str_]
    texts: NDArray[np.str_]
    text_vectors: NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class MadeFilm:
    """Scenes in order of time: their frames, the picture [N] and category [N] of each."""

    spans: tuple[Span, ...]
    times: tuple[NDArray[np.float64], ...]
    vectors: tuple[NDArray[np.float32], ...]
    pictures: NDArray[np.intp]
    categories: NDArray[np.intp]
    """-1 where a photo belongs to none."""

    def entries(self) -> SceneEntries:
        """The scenes as a memory without limit holds them."""
        return SceneEntries.from_scenes(self.spans, self.times, self.vectors)


def read_pool(cache: Path, data: Path | None) -> Pool:
    """The pictures' vectors, from the cache or encoded and cached."""
    if not cache.exists():
        if data is None:
            raise SystemExit("DATA says where the pictures are")
        rng = np.random.default_rng(0)
        held_out = [picture for picture in load_pictures(data) if picture.split != "train"]
        chosen = []
        for source, count in _LABELS.items():
            labels = sorted({p.label for p in held_out if p.source == source})
            for label in rng.permutation(labels)[:count]:
                own = [p for p in held_out if (p.source, p.label) == (source, label)]
                chosen += [own[i] for i in rng.permutation(len(own))[:_MOST_OF_A_LABEL]]
        photos = [p for p in held_out if p.source == "flickr8k"]
        chosen += [photos[i] for i in rng.permutation(len(photos))[:_PHOTOS]]
        encoder = load_encoder("lite")
        views = [_VIEW] * FRAMES + [_RETURN]
        vectors = [encoder.encode_images([render(p, v, rng) for v in views]) for p in chosen]
        texts = [SCORED[p.source].format(p.label) if p.label else p.captions[0] for p in chosen]
        np.savez(
            cache,
            vectors=np.stack(vectors),
            kinds=np.array([p.label_id for p in chosen]),
            texts=np.array(texts),
            text_vectors=encoder.encode_texts(texts),
        )
    with np.load(cache, allow_pickle=False) as stored:
        return Pool(*(stored[name] for name in ("vectors", "kinds", "texts", "text_vectors")))


def compose(pool: Pool, seed: int) -> MadeFilm:
    """A film of some categories and some photos, in random order; some photos return."""
    rng = np.random.default_rng(seed)
    kinds = rng.permutation(np.unique(pool.kinds[pool.kinds != ""]))[: rng.integers(6, 40)]
    shown: list[tuple[int, int, bool]] = []
    for number, kind in enumerate(kinds):
        rows = rng.permutation(np.flatnonzero(pool.kinds == kind))
        shown += [(int(row), number, False) for row in rows[: rng.integers(2, 11)]]
    photos = rng.permutation(np.flatnonzero(pool.kinds == ""))[: rng.integers(0, 200)]
    shown += [(int(row), -1, False) for row in photos]
    shown += [(int(row), -1, True) for row in photos[: len(photos) // 5]]
    frames = int(rng.integers(1, FRAMES + 1))
    vectors: list[NDArray[np.float32]] = []
    times: list[NDArray[np.float64]] = []
    spans: list[Span] = []
    order = rng.permutation(len(shown))
    for place, number in enumerate(order):
        row, _, again = shown[number]
        vectors.append(pool.vectors[row, FRAMES:] if again else pool.vectors[row, :frames])
        spans.append(Span(_SCENE_S * place, _SCENE_S * (place + 1)))
        times.append(_SCENE_S * place + 1.0 + np.arange(len(vectors[-1]), dtype=np.float64))
    return MadeFilm(
        tuple(spans),
        tuple(times),
        tuple(vectors),
        np.array([shown[number][0] for number in order]),
        np.array([shown[number][1] for number in order]),
    )


def figures(labels: NDArray[np.int32], film: MadeFilm) -> tuple[float, float, float, float]:
    """Purity, NMI, adjusted Rand index, and groups for each category."""
    from sklearn.metrics import adjusted_rand_score

    # A photo that occurs twice is a subject of its own; one that occurs once belongs to none.
    truth = np.where(film.categories >= 0, film.categories, 1000 + film.pictures)
    known = np.bincount(truth)[truth] > 1
    weights = np.ones(int(known.sum()))
    found, true = labels[known], np.unique(truth[known], return_inverse=True)[1]
    groups = int((np.bincount(labels) > 1).sum())
    return (
        purity(found, true, weights),
        normalised_mutual_information(found, true, weights),
        float(adjusted_rand_score(true, found)),
        groups / len(np.unique(true)),
    )


def main() -> None:
    """Group every film by every method."""
    parser = argparse.ArgumentParser(description="Grouping of made-up films.")
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--cache", type=Path, required=True)
    parser.add_argument("--films", type=int, default=24)
    arguments = parser.parse_args()
    pool = read_pool(arguments.cache, arguments.data)
    films = [compose(pool, seed) for seed in range(arguments.films)]
    print("| auto | purity | NMI | adjusted Rand | groups for each subject |")
    print("| --- | --- | --- | --- | --- |")
    for method in METHODS:
        rows = [
            figures(SemanticClustering(method).fit(film.entries().entry_vectors).labels, film)
            for film in films
        ]
        means = " | ".join(f"{value:.3f}" for value in np.mean(rows, axis=0))
        print(f"| {method} | {means} |", flush=True)


if __name__ == "__main__":
    main()
