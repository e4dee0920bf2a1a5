"""Scene vectors -> clusters across the timeline, and names for them.

Scenes are grouped by what they show, not by when. Fitting needs scikit-learn, which is imported
only then; reading and using a clustering does not.
"""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Literal

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semantic_video.errors import ConfigError
from semantic_video.records import SceneSpan, Span

METHODS = ("kmeans", "spectral")

SPECTRAL_LIMIT = 3000
"""Scenes that ``spectral`` takes: it needs the N x N matrix of affinities and its eigenvectors."""

_TREE_LIMIT = 3000
"""Scenes in the Ward tree that finds the number of clusters; more are summarised first."""

_CUTS = 80
"""How many cuts through the tree are compared, spaced geometrically from 2 clusters to N - 1."""


@dataclass(frozen=True, eq=False)
class Clustering:
    """Which cluster each of N scenes (or entries) belongs to, and how that came about.

    ``labels`` is int32[N] with values 0 to K-1, none empty, numbered in order of first appearance.
    ``num_clusters`` is what was asked for; ``reason`` says in a sentence why there are K.
    """

    method: str
    num_clusters: int | Literal["auto"]
    seed: int
    labels: NDArray[np.int32]
    reason: str

    @property
    def size(self) -> int:
        """K, the number of clusters."""
        return int(self.labels.max()) + 1

    def centroids(
        self, vectors: ArrayLike, weights: ArrayLike | None = None
    ) -> NDArray[np.float32]:
        """The weighted mean direction of each cluster: float32[K, D], rows of unit length."""
        points = np.asarray(vectors, dtype=np.float32)
        masses = np.ones(len(points)) if weights is None else np.asarray(weights)
        sums = np.zeros((self.size, points.shape[1]), dtype=np.float32)
        np.add.at(sums, self.labels, points * masses[:, None].astype(np.float32))
        return _unit_rows(sums)

    def medoids(self, vectors: ArrayLike, weights: ArrayLike | None = None) -> NDArray[np.int32]:
        """The row nearest to the centroid of each cluster: int32[K]."""
        points = np.asarray(vectors, dtype=np.float32)
        nearness = np.einsum("nd,nd->n", points, self.centroids(points, weights)[self.labels])
        order = np.lexsort((np.arange(len(points)), -nearness, self.labels))
        starts = np.searchsorted(self.labels[order], np.arange(self.size))
        return order[starts].astype(np.int32)


class SemanticClustering:
    """Groups scene vectors by meaning, in the manner of a scikit-learn estimator.

    ``method`` is ``kmeans`` (on the unit sphere, weighted) or ``spectral`` (cosine affinity with
    local scaling). ``num_clusters`` is a number or ``auto``. The same vectors, options and seed
    give the same clusters.
    """

    def __init__(
        self,
        method: str = "kmeans",
        num_clusters: int | Literal["auto"] = "auto",
        seed: int = 0,
    ) -> None:
        if method not in METHODS:
            near = difflib.get_close_matches(method, METHODS, n=1, cutoff=0.0)[0]
            raise ConfigError(
                f"unknown clustering method {method!r}: did you mean {near!r}? "
                f"There are {' and '.join(METHODS)}."
            )
        if num_clusters != "auto" and num_clusters < 1:
            raise ConfigError(f"num_clusters must be 'auto' or 1 or more, not {num_clusters}")
        self.method = method
        self.num_clusters = num_clusters
        self.seed = seed

    def fit(self, vectors: ArrayLike, weights: ArrayLike | None = None) -> Clustering:
        """Cluster N scenes: ``vectors`` float32[N, D] with unit rows, ``weights`` float32[N].

        Weights (for instance seconds) say how much a scene counts; without them all count alike.
        Asking for more clusters than there are different vectors gives as many as there are.
        """
        points = np.asarray(vectors, dtype=np.float32)
        if points.ndim != 2 or not len(points):
            raise ValueError("vectors must be a matrix with at least one row")
        distinct, inverse = np.unique(points, axis=0, return_inverse=True)
        counts = np.ones(len(points)) if weights is None else np.asarray(weights, np.float64)
        masses = np.bincount(inverse, weights=np.maximum(counts, 1e-6)).astype(np.float64)
        if self.method == "spectral" and len(distinct) > SPECTRAL_LIMIT:
            raise ConfigError(
                f"spectral clustering takes up to {SPECTRAL_LIMIT} scenes and this video has "
                f"{len(distinct)}: use --clustering-method kmeans"
            )
        count, start = self.num_clusters, None
        if count == "auto":
            start, reason = self._choose(distinct)
            count = int(start.max()) + 1
        else:
            reason = f"{count} asked for"
            if count > len(distinct):
                reason += f", but there are only {len(distinct)} different scenes"
                count = len(distinct)
        labels: NDArray[np.int32]
        if count == len(distinct):
            labels = np.arange(count, dtype=np.int32)
        elif count == 1:
            labels = np.zeros(len(distinct), dtype=np.int32)
        elif self.method == "kmeans":
            labels = _kmeans(distinct, masses, count, start, self.seed)
        else:
            labels = _spectral(distinct, count, self.seed)
        return Clustering(
            self.method, self.num_clusters, self.seed, first_appearance(labels[inverse]), reason
        )

    def _choose(self, points: NDArray[np.float32]) -> tuple[NDArray[np.int32], str]:
        """A first grouping in a fitting number of clusters, and why that number."""
        if len(points) > _TREE_LIMIT:
            from sklearn.cluster import KMeans

            model = KMeans(
                _TREE_LIMIT, init="random", n_init=1, max_iter=10, random_state=self.seed
            ).fit(points)
            _, row, sizes = np.unique(model.labels_, return_inverse=True, return_counts=True)
            means = np.zeros((len(sizes), points.shape[1]), dtype=np.float32)
            np.add.at(means, row, points)
            labels, values, reason = _best_cut(_unit_rows(means), sizes.astype(np.float64))
            reason += f", over {len(sizes)} prototypes of the scenes"
        else:
            row = np.arange(len(points))
            labels, values, reason = _best_cut(points, np.ones(len(points)))
        if self.method == "kmeans":
            labels, clause = _free_one_offs(labels, values)
            reason += clause
        return labels[row], reason


def first_appearance(labels: ArrayLike) -> NDArray[np.int32]:
    """The same groups, numbered 0 to K-1 in the order in which they first appear: int32[N]."""
    _, first, inverse = np.unique(labels, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[inverse].astype(np.int32)


def find_occurrences(
    spans: Sequence[Span | SceneSpan], labels: ArrayLike
) -> tuple[tuple[Span, ...], ...]:
    """For each cluster the maximal runs of it in time.

    ``spans`` are the scenes in time order and ``labels`` int[N] their clusters. A run ends where
    another cluster begins or where the timeline has a hole.
    """
    clusters = np.asarray(labels)
    runs: list[list[Span]] = [[] for _ in range(int(clusters.max()) + 1)]
    for index, span in enumerate(spans):
        cluster = int(clusters[index])
        joins = index > 0 and clusters[index - 1] == cluster
        if joins and runs[cluster][-1].end_s >= span.start_s:
            runs[cluster][-1] = Span(runs[cluster][-1].start_s, span.end_s)
        else:
            runs[cluster].append(Span(span.start_s, span.end_s))
    return tuple(map(tuple, runs))


def ward_tree(
    points: NDArray[np.float64], weights: NDArray[np.float64]
) -> list[tuple[float, int, int]]:
    """The merges of weighted Ward linkage (Ward 1963) as (cost, row, row), cheapest first.

    A chain of nearest neighbours (Benzecri 1982) is followed until two are each other's nearest;
    those merge, and the chain goes on. A merged group goes by the lowest row in it. Costs grow up
    the tree, so the list can be cut anywhere. ``points`` is [N, D]; needs O(N D) memory and
    O(N^2 D) time.
    """
    centres, masses = points.copy(), weights.copy()
    norms = (centres**2).sum(axis=1)
    active = np.ones(len(points), dtype=bool)
    merges: list[tuple[float, int, int]] = []
    chain: list[int] = []
    while len(merges) < len(points) - 1:
        if not chain:
            chain.append(int(np.argmax(active)))
        tip = chain[-1]
        squared = np.maximum(norms + norms[tip] - 2 * (centres @ centres[tip]), 0)
        costs = np.where(active, masses * masses[tip] / (masses + masses[tip]) * squared, np.inf)
        costs[tip] = np.inf
        nearest = int(np.argmin(costs))
        # Only a clear gain extends the chain: among equals, rounding could lead it in circles.
        if len(chain) < 2 or costs[nearest] < costs[chain[-2]] - 1e-9 * masses[tip]:
            chain.append(nearest)
            continue
        low, high = sorted((tip, chain[-2]))
        merges.append((float(costs[chain[-2]]), low, high))
        total = masses[low] + masses[high]
        centres[low] = (masses[low] * centres[low] + masses[high] * centres[high]) / total
        norms[low] = centres[low] @ centres[low]
        masses[low] = total
        active[high] = False
        del chain[-2:]
    return sorted(merges)


def join(count: int, pairs: Iterable[tuple[int, int]]) -> NDArray[np.int32]:
    """Groups of 0 to ``count`` - 1 once all pairs are joined: each one's lowest member, int32."""
    parents = list(range(count))

    def root(row: int) -> int:
        while parents[row] != row:
            parents[row] = parents[parents[row]]
            row = parents[row]
        return row

    for a, b in pairs:
        low, high = sorted((root(a), root(b)))
        parents[high] = low
    return np.array([root(row) for row in range(count)], dtype=np.int32)


def silhouettes(points: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.float64]:
    """How much nearer each scene is to its own cluster than to the next (Rousseeuw 1987).

    Cosine distances; float64[N] in -1 to 1, and 0 for a scene alone in its cluster. The mean
    distance to a cluster is one minus the product with its mean vector, so that all take
    O(N K D) time. ``points`` has unit rows, ``labels`` are 0 to K-1 with none empty.
    """
    sizes = np.bincount(labels)
    sums = np.zeros((len(sizes), points.shape[1]))
    np.add.at(sums, labels, points)
    distances = 1 - points @ (sums / sizes[:, None]).T
    rows, own_size = np.arange(len(points)), sizes[labels]
    # A scene's distance to itself is no part of the mean distance to the others.
    own = distances[rows, labels] * own_size / np.maximum(own_size - 1, 1)
    distances[rows, labels] = np.inf
    other = distances.min(axis=1)
    larger = np.maximum(np.maximum(own, other), 1e-12)
    return np.where(own_size > 1, (other - own) / larger, 0.0)


def _best_cut(
    points: NDArray[np.float32], weights: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.float64], str]:
    """The cut through a Ward tree with the best mean silhouette: labels, silhouettes, and why.

    What all scenes of the video have in common is taken off first: it tells none apart.
    """
    count = len(points)
    if count < 3:
        why = f"auto: {count} different scene{'s' * (count > 1)}"
        return np.arange(count, dtype=np.int32), np.zeros(count), why
    points = _unit_rows(points - points.mean(axis=0))
    tree = [(a, b) for _, a, b in ward_tree(points.astype(np.float64), weights)]
    best, best_values = np.zeros(count, dtype=np.int32), np.full(count, -1.0)
    for size in np.unique(np.geomspace(2, count - 1, _CUTS).round().astype(int)):
        labels = first_appearance(join(count, tree[: count - size]))
        values = silhouettes(points, labels)
        if values.mean() > best_values.mean():
            best, best_values = labels, values
    return (
        best,
        best_values,
        f"auto: of all cuts through a Ward tree the one in {best.max() + 1} clusters has the best "
        f"mean silhouette ({best_values.mean():.2f})",
    )


def _free_one_offs(
    labels: NDArray[np.int32], values: NDArray[np.float64]
) -> tuple[NDArray[np.int32], str]:
    """Loose pairs and threes taken apart, and a clause that says so.

    Scenes that occur once are each other's nearest too, and a cut that keeps larger clusters whole
    pairs them up. Such a group is freed if it is less than half as distinct (by its mean
    silhouette) as grouped scenes are on average.
    """
    sizes = np.bincount(labels)
    grouped = sizes[labels] > 1
    if not grouped.any():
        return labels, ""
    distinctness = np.bincount(labels, weights=values) / sizes
    loose = (distinctness < values[grouped].mean() / 2) & (sizes > 1) & (sizes <= 3)
    if not loose.any():
        return labels, ""
    alone = loose[labels]
    freed = first_appearance(np.where(alone, len(sizes) + np.arange(len(labels)), labels))
    return freed, (
        f"; {loose.sum()} loose pairs and threes among them count as {alone.sum()} single scenes"
    )


def _kmeans(
    points: NDArray[np.float32],
    weights: NDArray[np.float64],
    count: int,
    start: NDArray[np.int32] | None,
    seed: int,
) -> NDArray[np.int32]:
    """K-means (Lloyd 1982) from the means of the groups ``start``, else from k-means++ seeds."""
    from sklearn.cluster import KMeans

    if start is None:
        model = KMeans(count, n_init=4, random_state=seed)
    else:
        means = np.zeros((count, points.shape[1]), dtype=np.float32)
        np.add.at(means, start, points)
        means /= np.bincount(start)[:, None]
        model = KMeans(count, init=means, n_init=1, random_state=seed)
    labels: NDArray[np.int32] = model.fit(points, sample_weight=weights).labels_
    return labels


def _spectral(points: NDArray[np.float32], count: int, seed: int) -> NDArray[np.int32]:
    """Normalised spectral clustering (Ng, Jordan and Weiss 2002) with self-tuning affinities.

    The affinity of two scenes at distance d is exp(-d^2 / (s_1 s_2)), where s is a scene's distance
    to its seventh neighbour (Zelnik-Manor and Perona 2004). For unit vectors d^2 is twice the
    cosine distance.
    """
    from sklearn.cluster import SpectralClustering

    squared = np.clip(2 - 2 * points @ points.T, 0, None)
    np.fill_diagonal(squared, 0)
    neighbour = min(7, len(points) - 1)
    scale = np.sqrt(np.partition(squared, neighbour, axis=1)[:, neighbour])
    affinity = np.exp(-squared / np.maximum(np.outer(scale, scale), 1e-12))
    affinity = np.maximum(affinity, 1e-6)  # the method assumes a connected graph
    model = SpectralClustering(
        count, affinity="precomputed", assign_labels="cluster_qr", random_state=seed
    )
    labels: NDArray[np.int32] = model.fit(affinity).labels_
    return labels


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


def _unit_rows(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.maximum(lengths, 1e-12), dtype=np.float32)
