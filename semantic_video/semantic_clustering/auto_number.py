"""How many clusters fit: the cut through a Ward tree with the best mean silhouette."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semantic_video.semantic_clustering.arrays import unit_rows
from semantic_video.semantic_clustering.clustering import first_appearance
from semantic_video.semantic_clustering.ward import join, ward_tree

_CUTS = 80
"""How many cuts through the tree are compared, spaced geometrically from 2 clusters to N - 1."""


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


def best_cut(
    points: NDArray[np.float32], weights: NDArray[np.float64]
) -> tuple[NDArray[np.int32], NDArray[np.float64], str]:
    """The cut through a Ward tree with the best mean silhouette: labels, silhouettes, and why.

    What all scenes of the video have in common is taken off first: it tells none apart.
    """
    count = len(points)
    if count < 3:
        why = f"auto: {count} different scene{'s' * (count > 1)}"
        return np.arange(count, dtype=np.int32), np.zeros(count), why
    points = unit_rows(points - points.mean(axis=0))
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


def free_one_offs(
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
