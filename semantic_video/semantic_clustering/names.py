"""A name for each cluster, from words that are encoded like scenes, and the words behind it.

A word names a cluster if it is true of it and sets it apart within its video. Where no word does
both as well as it does for the video's other clusters, a word for the kind of thing is taken.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import ArrayLike, NDArray

EVIDENCE_WORDS = 5
"""Words kept with a cluster as the evidence for its name."""

KINDS = 3
"""Words for kinds of things kept with a cluster."""

_UNSURE = 0.75
"""A best word scoring below this share of the median cluster's is not trusted."""

_CANDIDATES = 10


@dataclass(frozen=True, slots=True)
class ClusterName:
    """A name, whether it is ``sure``, the words that speak for it and its kinds, best first."""

    name: str
    sure: bool
    words: tuple[str, ...]
    kinds: tuple[str, ...]


@cache
def load_vocabulary() -> tuple[str, ...]:
    """The phrases that clusters may be named with."""
    return _lines("vocabulary.txt")


@cache
def load_kinds() -> tuple[str, ...]:
    """Phrases for kinds of things: what is said of unsure clusters and of themes."""
    return _lines("general_words.txt")


def _lines(name: str) -> tuple[str, ...]:
    text = resources.files("semantic_video").joinpath(f"data/{name}")
    lines = text.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def rank_words(
    centroids: ArrayLike,
    vocabulary: Sequence[str],
    vocabulary_vectors: ArrayLike,
    background: ArrayLike | None = None,
    top: int = 10,
) -> tuple[tuple[str, ...], ...]:
    """For each cluster the words that describe it within its video, best first.

    A word's score for a cluster is the geometric mean of its cosine with the centroid, and of that
    minus its mean cosine with the ``background`` [N, D] (the video's scenes; without them, the
    centroids): what is everywhere in the video names nothing, and what is merely less untrue here
    than elsewhere does not either. A single cluster is named by the cosine alone.
    """
    scores = _scores(centroids, vocabulary_vectors, background)
    order = np.argsort(-scores, axis=1, kind="stable")
    return tuple(tuple(vocabulary[word] for word in row[:top]) for row in order)


def name_clusters(
    centroids: ArrayLike,
    vocabulary: Sequence[str],
    vocabulary_vectors: ArrayLike,
    background: ArrayLike | None = None,
) -> tuple[str, ...]:
    """One name per cluster, see `describe_clusters`."""
    described = describe_clusters(centroids, vocabulary, vocabulary_vectors, background)
    return tuple(each.name for each in described)


def describe_clusters(
    centroids: ArrayLike,
    vocabulary: Sequence[str],
    vocabulary_vectors: ArrayLike,
    background: ArrayLike | None = None,
    kinds: Sequence[str] = (),
    kind_vectors: ArrayLike | None = None,
) -> tuple[ClusterName, ...]:
    """A name for each cluster: the word that describes it best, no word twice.

    ``centroids`` is float32[K, D], ``vocabulary_vectors`` float32[V, D] and ``kind_vectors`` the
    encoded words, all with unit rows; scores are those of `rank_words`. Where two clusters want one
    word, the better score takes it and the other goes on to its next; a cluster whose ten best are
    all taken gets its best one with a number. Unsure ones get a kind of thing, where there are any.
    """
    scores = _scores(centroids, vocabulary_vectors, background)
    candidates = np.argsort(-scores, axis=1, kind="stable")[:, :_CANDIDATES]
    best = scores.max(axis=1)
    sure = best >= _UNSURE * np.median(best)
    of_kind: list[tuple[str, ...]] = [()] * len(scores)
    if kinds and kind_vectors is not None:
        of_kind = list(rank_words(centroids, kinds, kind_vectors, background, top=KINDS))
    wishes = sorted(
        (-float(scores[cluster, word]), cluster, int(word))
        for cluster, row in enumerate(candidates)
        for word in row
        if sure[cluster] or not of_kind[cluster]
    )
    names: dict[int, str] = {}
    taken: set[int] = set()
    for _, cluster, word in wishes:
        if cluster not in names and word not in taken:
            names[cluster] = vocabulary[word]
            taken.add(word)
    used = set(names.values())
    for cluster, row in enumerate(candidates):
        if cluster not in names:
            unsure = not sure[cluster] and of_kind[cluster]
            name = of_kind[cluster][0] if unsure else vocabulary[int(row[0])]
            numbered = (f"{name} {number}" for number in range(2, len(scores) + 2))
            names[cluster] = next(each for each in (name, *numbered) if each not in used)
            used.add(names[cluster])
    return tuple(
        ClusterName(
            names[cluster],
            bool(sure[cluster]),
            tuple(vocabulary[int(word)] for word in candidates[cluster][:EVIDENCE_WORDS]),
            of_kind[cluster],
        )
        for cluster in range(len(scores))
    )


def _scores(
    centroids: ArrayLike, word_vectors: ArrayLike, background: ArrayLike | None
) -> NDArray[np.float32]:
    """Scores [K, V] of words for clusters, see `rank_words`."""
    clusters = np.asarray(centroids, dtype=np.float32)
    words = np.asarray(word_vectors, dtype=np.float32)
    scenes = clusters if background is None else np.asarray(background, dtype=np.float32)
    true = clusters @ words.T
    if len(clusters) == 1:  # there is nothing to be set apart from
        return np.asarray(true, dtype=np.float32)
    apart = true - scenes.mean(axis=0) @ words.T
    # The last term only orders words that score nothing.
    scores = np.sqrt(np.maximum(true, 0) * np.maximum(apart, 0)) + 1e-3 * apart
    return np.asarray(scores, dtype=np.float32)
