"""A name for each cluster, from words that are encoded like scenes."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from importlib import resources

import numpy as np
from numpy.typing import ArrayLike, NDArray


@cache
def load_vocabulary() -> tuple[str, ...]:
    """The phrases that clusters may be named with."""
    text = resources.files("semantic_video").joinpath("data/vocabulary.txt")
    lines = text.read_text(encoding="utf-8").splitlines()
    return tuple(line for line in lines if line and not line.startswith("#"))


def rank_words(
    centroids: ArrayLike,
    vocabulary: Sequence[str],
    vocabulary_vectors: ArrayLike,
    background: ArrayLike | None = None,
    top: int = 10,
) -> tuple[tuple[str, ...], ...]:
    """For each cluster the words that set it apart within its video, best first.

    A word's score for a cluster is its cosine with the centroid minus its mean cosine with the
    ``background`` [N, D] (the video's scenes; without them, the centroids): what is everywhere in
    the video, or near to everything, names nothing.
    """
    order = np.argsort(
        -_distinctiveness(centroids, vocabulary_vectors, background), axis=1, kind="stable"
    )
    return tuple(tuple(vocabulary[word] for word in row[:top]) for row in order)


def name_clusters(
    centroids: ArrayLike,
    vocabulary: Sequence[str],
    vocabulary_vectors: ArrayLike,
    background: ArrayLike | None = None,
) -> tuple[str, ...]:
    """One name per cluster: the word that sets it apart most, no word twice.

    ``centroids`` is float32[K, D], ``vocabulary_vectors`` float32[V, D] the encoded words, all with
    unit rows; scores are those of `rank_words`. Where two clusters want one word, the better score
    takes it and the other goes on to its next; a cluster whose ten best words are all taken gets
    its best one with a number.
    """
    scores = _distinctiveness(centroids, vocabulary_vectors, background)
    candidates = np.argsort(-scores, axis=1, kind="stable")[:, :10]
    wishes = sorted(
        (-float(scores[cluster, word]), cluster, int(word))
        for cluster, row in enumerate(candidates)
        for word in row
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
            best = vocabulary[int(row[0])]
            numbered = (f"{best} {number}" for number in range(2, len(scores) + 2))
            names[cluster] = next(name for name in numbered if name not in used)
            used.add(names[cluster])
    return tuple(names[cluster] for cluster in range(len(scores)))


def _distinctiveness(
    centroids: ArrayLike, vocabulary_vectors: ArrayLike, background: ArrayLike | None
) -> NDArray[np.float32]:
    """Scores [K, V] of words for clusters."""
    clusters = np.asarray(centroids, dtype=np.float32)
    words = np.asarray(vocabulary_vectors, dtype=np.float32)
    scenes = clusters if background is None else np.asarray(background, dtype=np.float32)
    scores = clusters @ words.T
    if len(scenes) > 1:
        scores = scores - scenes.mean(axis=0) @ words.T
    return scores
