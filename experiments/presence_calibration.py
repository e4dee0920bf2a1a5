"""Fit and check the probability of `semantic_video.temporal_reasoning.presence` on composed films.

    python -m experiments.presence_calibration DATA [--films 40] [--cache PICTURES.npz]

DATA is the folder of parquet files that `training` reads; only pictures that the built-in model was
not trained on are shown. Half of the films show kinds of sport, actions and places, one to eight
pictures of each, among photos that are shown once; the other half photos only, of which several
show a thing that is asked for ("a dog running in the snow": two of a photo's five captions say so;
photos of which one does leave the question out). Scenes have one to three frames, and are grouped
and searched by the product's own code. A third of the questions is about what is not there.

Prints the coefficients, and by four-fold cross-validation over films: how well scenes are ranked,
the shares of counts that are right, right within one (or a fifth), of things that are there and of
things that are not, at several levels for the scenes that follow a certain one, and how often it is
told right which of two things that are there comes first.
"""

from __future__ import annotations

import argparse
import itertools
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score

from semantic_video.config import load_config
from semantic_video.encoders import load_encoder
from semantic_video.memory_hierarchy import MemoryHierarchy, SceneEntries
from semantic_video.records import SceneSpan
from semantic_video.scene_retrieval import References, SceneRetriever
from semantic_video.semantic_clustering import SemanticClustering, load_vocabulary
from semantic_video.temporal_reasoning import presence
from semantic_video.temporal_reasoning.evidence import ALSO, LEVEL
from training.data import VIEWS, Picture, load_pictures, render
from training.prompts import SCORED, phrases

FloatArray = NDArray[np.float32]

_KINDS = ("sports", "actions", "scenes")
_FRAMES = 3
_SCENE_S = 5.0
_THINGS = {
    "a dog running in the snow": r"\bdogs?\b.*\bsnow|\bsnow.*\bdogs?\b",
    "someone riding a bicycle": r"\b(bike|bicycle|biker|cyclist|bicyclist)s?\b",
    "a person on a skateboard": r"skateboard|skater",
    "a surfer on a wave": r"\bsurf",
    "children playing soccer": r"soccer",
    "a man climbing a rock": r"climb",
    "people in a swimming pool": r"\bpool\b|swimming",
    "a motorcycle race": r"motorcycle|motorbike|dirt bike",
    "someone playing a guitar": r"guitar",
    "a person skiing down a slope": r"\bski(s|ing|er|ers)?\b",
    "a dog jumping over a hurdle": r"\bdogs?\b.*(hurdle|obstacle|jumping over)",
    "dogs in the water": r"\bdogs?\b.*\b(water|swim|lake|ocean|river|pool)",
    "a football game": r"football",
    "a child on a swing": r"\bswing(ing|s)?\b",
    "people on a beach": r"\bbeach\b",
    "a girl blowing bubbles": r"bubble",
    "a person holding a camera": r"camera|photograph",
    "people sitting on a bench": r"\bbench",
    "a horse with a rider": r"\bhorse",
    "a basketball player": r"basketball",
    "a tennis player": r"tennis",
    "a person in a red jacket": r"red (jacket|coat)",
    "people in a boat": r"\b(boat|canoe|kayak|raft)",
    "a person jumping on a trampoline": r"trampoline",
    "a street performer with a crowd": r"perform",
    "a baseball game": r"baseball",
    "a person snowboarding": r"snowboard",
    "a man on a mountain top": r"mountain",
    "a baby laughing": r"\bbaby\b",
    "a girl in a pink dress": r"pink",
    "people dancing": r"danc",
    "a man with a beard": r"beard",
    "an elephant": r"elephant",
    "a train at a station": r"\btrain\b",
    "people playing golf": r"golf",
    "a cat": r"\bcat\b",
    "a wedding": r"wedding|bride",
    "a volleyball game": r"volleyball",
    "a hockey game": r"hockey",
    "a bird flying": r"\bbirds?\b|seagull",
}


@dataclass(frozen=True, slots=True, eq=False)
class Asked:
    """A question of one film: the features of its scenes [S, F] and which of them show it [S]."""

    film: int
    features: NDArray[np.float64]
    shows: NDArray[np.bool_]

    @property
    def count(self) -> int:
        return int(self.shows.sum())


class Composer:
    """Composes films of ``pictures`` (their views are encoded once) and asks about them."""

    def __init__(self, pictures: Sequence[Picture], vectors: FloatArray) -> None:
        self._encoder = load_encoder("lite")
        self._pictures = pictures
        self._vectors = vectors
        self._vocabulary = self._encoder.encode_texts(load_vocabulary())
        self._references = References.of(self._encoder, lambda name, key, make: make())
        self._options = load_config(None)
        self._phrases = phrases()
        self._texts: dict[str, FloatArray] = {}
        self._kind = np.array(
            [f"{p.source}/{p.label}" if p.source in _KINDS else "" for p in pictures]
        )
        self._photos = np.flatnonzero(self._kind == "")
        self._shows = {
            thing: np.array([_captions_with(p, pattern) for p in pictures])
            for thing, pattern in _THINGS.items()
        }

    def of_kinds(self, film: int, rng: np.random.Generator) -> Iterator[Asked]:
        """A film of labelled pictures and photos."""
        kinds = rng.permutation(np.unique(self._kind[self._kind != ""]))
        inside = int(rng.integers(8, 40))
        rows: list[int] = []
        for kind in kinds[:inside]:
            own = rng.permutation(np.flatnonzero(self._kind == kind))
            rows += own[: rng.integers(1, 9)].tolist()
        rows += rng.permutation(self._photos)[: rng.integers(30, 160)].tolist()
        shown = rng.permutation(rows)
        questions = []
        for kind in [*kinds[: min(inside, 16)], *kinds[inside : inside + 8]]:
            source, label = kind.split("/", 1)
            texts = [SCORED[source].format(label), *self._phrases.get(label, ())]
            questions.append((str(rng.choice(texts)), self._kind[shown] == kind))
        yield from self._asked(film, shown, questions, rng)

    def of_things(self, film: int, rng: np.random.Generator) -> Iterator[Asked]:
        """A film of photos and places, some of which show things that are asked for."""
        things = rng.permutation(list(_THINGS))
        inside = int(rng.integers(8, 24))
        asked = things[: inside + 10]
        rows: list[int] = []
        for thing in things[:inside]:
            own = rng.permutation(np.flatnonzero(self._shows[thing] >= 2))
            rows += own[: rng.integers(1, 7)].tolist()
        others = [row for row in self._photos if not any(self._shows[own][row] for own in things)]
        rows += rng.permutation(others)[: rng.integers(60, 160)].tolist()
        places = np.flatnonzero(np.char.startswith(self._kind, "scenes/"))
        rows += rng.permutation(places)[: rng.integers(5, 60)].tolist()
        shown = rng.permutation(list(dict.fromkeys(rows)))
        questions = [
            (thing, self._shows[thing][shown] >= 2)
            for thing in asked
            if (self._shows[thing][shown] == 1).sum() <= 1
        ]
        yield from self._asked(film, shown, questions, rng)

    def _asked(
        self,
        film: int,
        shown: NDArray[np.int64],
        questions: Sequence[tuple[str, NDArray[np.bool_]]],
        rng: np.random.Generator,
    ) -> Iterator[Asked]:
        memory = self._memory(shown, rng)
        retriever = SceneRetriever([("film", memory)], self._options.retrieval, self._references)
        scenes = presence.scenes_of(memory, self._vocabulary)
        for text, shows in questions:
            if text not in self._texts:
                self._texts[text] = self._encoder.encode_texts([text])[0]
            vector = self._texts[text]
            moments = retriever.scenes(vector)
            yield Asked(film, presence.features(scenes, moments, vector, self._vocabulary), shows)

    def _memory(self, shown: NDArray[np.int64], rng: np.random.Generator) -> MemoryHierarchy:
        frames, times, owners = [], [], []
        for scene, row in enumerate(shown):
            own = self._vectors[row][rng.permutation(_FRAMES)[: rng.integers(1, _FRAMES + 1)]]
            frames.append(own)
            times += [scene * _SCENE_S + 1 + place for place in range(len(own))]
            owners += [scene] * len(own)
        entries = np.stack([own.mean(axis=0) for own in frames])
        entries /= np.linalg.norm(entries, axis=1, keepdims=True)
        memory = SceneEntries(
            entries.astype(np.float16),
            np.full(len(shown), _SCENE_S, np.float32),
            tuple(
                (SceneSpan(scene, scene * _SCENE_S, (scene + 1) * _SCENE_S),)
                for scene in range(len(shown))
            ),
            np.concatenate(frames).astype(np.float16),
            np.array(times),
            np.array(owners, np.int32),
        )
        clustering = SemanticClustering(self._options.clustering.method, "auto", 0).fit(
            memory.entry_vectors.astype(np.float32), memory.entry_weights
        )
        names = [str(cluster) for cluster in range(clustering.labels.max() + 1)]
        return MemoryHierarchy.build(memory, clustering, names, len(shown))


def views(pictures: Sequence[Picture], cache: Path | None) -> FloatArray:
    """Vectors [P, 3, D] of each picture, framed differently; kept in ``cache``."""
    if cache is not None and cache.exists():
        with np.load(cache) as stored:
            vectors: FloatArray = stored["vectors"].astype(np.float32)
            return vectors
    encoder = load_encoder("lite")
    rng = np.random.default_rng(0)
    chosen = [VIEWS[place % len(VIEWS)] for place in (0, 3, 2)]
    vectors = np.stack(
        [encoder.encode_images([render(own, view, rng) for view in chosen]) for own in pictures]
    )
    if cache is not None:
        np.savez(cache, vectors=vectors)
    return vectors


def report(asked: Sequence[Asked], name: str, predicted: Sequence[NDArray[np.float64]]) -> None:
    """Print how well scenes are ranked and counted."""
    shows = np.concatenate([own.shows for own in asked])
    precision = average_precision_score(shows, np.concatenate(predicted))
    print(f"{name}: {len(asked)} questions, average precision {precision:.3f}")
    truth = np.array([own.count for own in asked])
    for also in (LEVEL, 0.45, 0.4, 0.35, 0.3, 0.25):
        found = np.array(
            [int((own >= also).sum()) if own.max() >= LEVEL else 0 for own in predicted]
        )
        exact = found == truth
        near = np.abs(found - truth) <= np.maximum(1, np.round(0.2 * truth))
        print(
            f"  also from {also:.2f}: exact {exact.mean():.3f} within {near.mean():.3f}, there "
            f"{exact[truth > 0].mean():.3f} not there {exact[truth == 0].mean():.3f}"
        )


def report_order(asked: Sequence[Asked], predicted: Sequence[NDArray[np.float64]]) -> None:
    """Print how often the first of two things is the right one, by several ways to tell."""

    def above(own: NDArray[np.float64]) -> int:
        certain = own.max() >= LEVEL
        return int(np.argmax(own >= ALSO)) if certain else int(np.argmax(own))

    ways: dict[str, Callable[[NDArray[np.float64]], int]] = {
        "the first scene that counts": above,
        "the most probable first": presence.first_of,
    }
    right: dict[str, list[float]] = {name: [] for name in ways}
    there = [place for place, own in enumerate(asked) if own.count]
    for one, other in itertools.combinations(there, 2):
        truth = int(np.argmax(asked[one].shows)) - int(np.argmax(asked[other].shows))
        if asked[one].film == asked[other].film and truth:
            for name, first in ways.items():
                told = first(predicted[one]) - first(predicted[other])
                right[name].append(0.5 if not told else float((told < 0) == (truth < 0)))
    for name, own in right.items():
        print(f"  order by {name}: {np.mean(own):.3f} of {len(own)} pairs")


def main() -> None:
    """Print the coefficients, and how good they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("data", type=Path)
    parser.add_argument("--films", type=int, default=40)
    parser.add_argument("--cache", type=Path)
    arguments = parser.parse_args()
    sources = (*_KINDS, "flickr8k")
    pictures = [
        own
        for own in load_pictures(arguments.data)
        if own.split != "train" and own.source in sources
    ]
    composer = Composer(pictures, views(pictures, arguments.cache))
    asked: list[Asked] = []
    for film in range(2 * arguments.films):
        rng = np.random.default_rng(film)
        compose = composer.of_kinds if film % 2 == 0 else composer.of_things
        asked += compose(film, rng)
    predicted: list[NDArray[np.float64]] = [np.empty(0)] * len(asked)
    for fold in range(4):
        model = _fitted([own for own in asked if own.film // 2 % 4 != fold])
        for place, own in enumerate(asked):
            if own.film // 2 % 4 == fold:
                predicted[place] = model.predict_proba(own.features)[:, 1]
    for name, odd in (("kinds", 0), ("things", 1)):
        chosen = [place for place, own in enumerate(asked) if own.film % 2 == odd]
        own_predicted = [predicted[own] for own in chosen]
        report([asked[own] for own in chosen], name, own_predicted)
        report_order([asked[own] for own in chosen], own_predicted)
    model = _fitted(asked)
    print(f"features {presence.FEATURES}")
    print(f"bias {model.intercept_[0]:.2f} weights {model.coef_[0].round(2)}")


def _fitted(asked: Sequence[Asked]) -> LogisticRegression:
    features = np.concatenate([own.features for own in asked])
    shows = np.concatenate([own.shows for own in asked])
    return LogisticRegression(C=10.0, max_iter=3000).fit(features, shows)


def _captions_with(picture: Picture, pattern: str) -> int:
    return sum(bool(re.search(pattern, caption.lower())) for caption in picture.captions)


if __name__ == "__main__":
    main()
