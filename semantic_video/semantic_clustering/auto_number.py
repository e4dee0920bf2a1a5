"""How many clusters fit: a cut through a linkage tree, by its silhouettes, and why.

Of all cuts the smallest is taken whose mean silhouette (Rousseeuw 1987) is within 5 % of the best
one: the curve is flat near its top, and fewer clusters say the same. One cut cannot suit all of a
film, though: two tight subjects far from everything else join before loose ones are whole. So a
cluster whose two halves are clearly apart is divided. Scenes that are far less distinct than the
rest then stand alone: what occurs once pairs up with what is least unlike. A film whose scenes are
all alike, and fall into no clear groups, is one cluster.

Where there are too many scenes to compare all pairs, the cut is found on scenes drawn at random,
and the others join the nearest of its clusters (Buckshot: Cutting et al. 1992). A random draw has
the silhouettes of the film. Means of k-means groups have not: what occurs once ends in a few means
of unlike scenes, and returning subjects in means without their noise.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semantic_video.semantic_clustering.arrays import centred, group_means
from semantic_video.semantic_clustering.clustering import first_appearance
from semantic_video.semantic_clustering.linkage import merge_order
from semantic_video.semantic_clustering.prototypes import PAIRWISE_LIMIT
from semantic_video.semantic_clustering.ward import join

TOLERANCE = 0.05
"""How far below the best mean silhouette the smallest cut may lie, as a share of it."""

LOOSE = 0.25
"""A scene whose silhouette is below this share of the grouped scenes' mean stands alone."""

ALIKE = 0.8
"""Mean cosine between scenes from which on a film may show one single thing."""

CLEAR = 0.5
"""Mean silhouette that speaks for groups in a film of one thing, and for two in a cluster ("a
reasonable structure", Kaufman and Rousseeuw 1990)."""

NOTHING = 0.05
"""Mean silhouette below which scenes that are half alike (mean cosine 0.5) show one thing too."""

_SAME = 1e-5
"""Cosine distance below which scenes are the same: rounding alone makes some 1e-7 of it, of either
sign, and a silhouette of such distances would say anything."""

_BLOCK = 4096
"""Scenes compared with all clusters at once, which bounds the memory that takes."""


def choose_groups(
    distinct: NDArray[np.float32], times: NDArray[np.intp], seed: int, free: bool
) -> tuple[NDArray[np.int32], str]:
    """A grouping of distinct scenes [N, D] in a fitting number of groups, and why that number.

    ``times`` [N] is how often each occurs to the bit: what repeats exactly is the clearest group
    there is, so the criterion sees every occurrence. ``free``: scenes that fit no group stand
    alone.
    """
    count = len(distinct)
    if count < 3:
        return np.arange(count, dtype=np.int32), f"auto: {count} different scene{'s' * (count > 1)}"
    labels, reason = _choose(np.repeat(distinct, times, axis=0), seed, free)
    firsts = np.cumsum(times) - times  # the same vector has one cluster, whatever it was given
    return first_appearance(labels[firsts]), reason


def _choose(points: NDArray[np.float32], seed: int, free: bool) -> tuple[NDArray[np.int32], str]:
    """The same for all scenes [N, D], alike or not."""
    count = len(points)
    directions = centred(points)
    seen = np.arange(count)
    if count > PAIRWISE_LIMIT:
        seen = np.sort(np.random.default_rng(seed).choice(count, PAIRWISE_LIMIT, replace=False))
    labels, values, best = _smallest_good_cut(directions[seen])
    likeness = mean_cosine(points)
    if (likeness >= ALIKE and best < CLEAR) or (likeness >= 0.5 and best < NOTHING):
        return np.zeros(count, dtype=np.int32), (
            f"auto: one cluster, for all scenes are alike (mean cosine {likeness:.2f}) and no cut "
            f"separates them (best mean silhouette {best:.2f})"
        )
    reason = (
        f"auto: {labels.max() + 1} clusters are the fewest whose mean silhouette "
        f"({values.mean():.2f}) is within {TOLERANCE:.0%} of the best of all cuts ({best:.2f})"
    )
    divided = _divide_clear(directions[seen], labels)
    if divided.max() > labels.max():
        reason += f"; dividing those that are clearly two makes {divided.max() + 1}"
        labels, values = divided, silhouettes(directions[seen], divided)
    if len(seen) < count:
        reason += f", of {len(seen)} scenes drawn at random, which the others then join"
        labels = _join_nearest(directions, seen, labels)
        values = silhouettes(directions, labels)
    if free:
        labels, freed = _free_loose(labels, values)
        if freed:
            reason += f"; {freed} scenes that fit none stand alone"
    return labels, reason


def silhouettes(points: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.float64]:
    """How much nearer each scene is to its own cluster than to the next (Rousseeuw 1987).

    Cosine distances; float64[N] in -1 to 1, and 0 for a scene alone in its cluster. The mean
    distance to a cluster is one minus the product with its mean vector, so that all take
    O(N K D) time. ``points`` has unit rows, ``labels`` are 0 to K-1 with none empty.
    """
    sizes = np.bincount(labels)
    sums = np.zeros((len(sizes), points.shape[1]))
    np.add.at(sums, labels, points)
    means = sums / sizes[:, None]
    values = [
        _block_silhouettes(points[rows], labels[rows], means.astype(points.dtype), sizes)
        for rows in np.array_split(np.arange(len(points)), len(points) // _BLOCK + 1)
    ]
    return np.concatenate(values)


def _block_silhouettes(
    points: NDArray[np.float32],
    labels: NDArray[np.int32],
    means: NDArray[np.float32],
    sizes: NDArray[np.intp],
) -> NDArray[np.float64]:
    distances = np.maximum(1 - (points @ means.T).astype(np.float64), 0)
    rows, own_size = np.arange(len(points)), sizes[labels]
    # A scene's distance to itself is no part of the mean distance to the others.
    own = distances[rows, labels] * own_size / np.maximum(own_size - 1, 1)
    distances[rows, labels] = np.inf
    other = distances.min(axis=1)
    larger = np.maximum(np.maximum(own, other), _SAME)
    return np.where(own_size > 1, (other - own) / larger, 0.0)


def cut_silhouettes(
    points: NDArray[np.float32], tree: Sequence[tuple[int, int]]
) -> NDArray[np.float64]:
    """The mean of `silhouettes` for every cut through a tree: float64[N - 2], 2 to N - 1 clusters.

    ``tree`` has N - 1 merges, of which the first N - K leave K clusters; a merged one goes by its
    lower row. Every cut counts: subjects that stand apart make a peak one cut wide, which a sparse
    grid of cuts misses. From cut to cut only what the merge touches is looked at, so that all take
    O(N^2) memory and, in practice, time.
    """
    count = len(points)
    rows, own, sizes = np.arange(count), np.arange(count), np.ones(count)
    near = (points @ points.T).astype(np.float64)  # [scene, cluster], -inf where there is none
    other, beside, third = np.empty(count, dtype=np.int64), np.empty(count), np.empty(count)

    def look(some: NDArray[np.intp]) -> None:
        there, each = near[some], np.arange(len(some))
        there[each, own[some]] = -np.inf
        other[some] = there.argmax(axis=1)
        beside[some] = there[each, other[some]]
        there[each, other[some]] = -np.inf
        third[some] = there.max(axis=1)

    look(rows)
    means = np.zeros(count)
    for clusters, (low, high) in zip(range(count - 1, 1, -1), tree, strict=False):
        n, m = sizes[low], sizes[high]
        near[:, low] = joined = (n * near[:, low] + m * near[:, high]) / (n + m)
        near[:, high] = -np.inf
        sizes[low] = n + m
        own[own == high] = low
        # A merged cluster is never nearer than the nearer of its two, so only scenes beside one of
        # them can change, and a third one is at most as near as it was when last looked at.
        touched = (other == low) | (other == high)
        still = touched & (joined >= third) & (own != low)
        other[still], beside[still] = low, joined[still]
        look(np.flatnonzero(touched & ~still))
        size = sizes[own]
        inside = np.maximum(1 - near[rows, own], 0) * size / np.maximum(size - 1, 1)
        outside = np.maximum(1 - beside, 0)
        larger = np.maximum(np.maximum(inside, outside), _SAME)
        means[clusters] = np.where(size > 1, (outside - inside) / larger, 0.0).mean()
    return means[2:]


def mean_cosine(points: NDArray[np.float32]) -> float:
    """The mean cosine between two different rows of ``points`` [N, D], which have unit length."""
    count = len(points)
    total = float(np.sum(points.sum(axis=0, dtype=np.float64) ** 2))
    return (total - count) / max(count * (count - 1), 1)


def _smallest_good_cut(
    directions: NDArray[np.float32],
) -> tuple[NDArray[np.int32], NDArray[np.float64], float]:
    """Labels and silhouettes of the cut that is taken, and the best mean silhouette of all."""
    count = len(directions)
    tree = [(a, b) for _, a, b in merge_order(directions, np.ones(count))]
    means = cut_silhouettes(directions, tree)
    best = float(means.max())
    size = 2 + int(np.argmax(means >= best - TOLERANCE * abs(best)))
    labels = first_appearance(join(count, tree[: count - size]))
    return labels, silhouettes(directions, labels), best


def _divide_clear(directions: NDArray[np.float32], labels: NDArray[np.int32]) -> NDArray[np.int32]:
    """Labels in which no cluster's last merge joined two groups that are clearly apart.

    A single scene is no group: whether it stands alone, `_free_loose` decides.
    """
    divided, number = labels.copy(), int(labels.max()) + 1
    undecided = [np.flatnonzero(labels == label) for label in range(number)]
    while undecided:
        rows = undecided.pop()
        if len(rows) < 4:
            continue
        tree = merge_order(directions[rows], np.ones(len(rows)))
        halves = first_appearance(join(len(rows), [(a, b) for _, a, b in tree[:-1]]))
        lone = np.bincount(halves).min() < 2
        if lone or silhouettes(directions[rows], halves).mean() < CLEAR:
            continue
        divided[rows[halves == 1]] = number
        number += 1
        undecided += [rows[halves == 0], rows[halves == 1]]
    return first_appearance(divided)


def _join_nearest(
    directions: NDArray[np.float32], seen: NDArray[np.intp], labels: NDArray[np.int32]
) -> NDArray[np.int32]:
    """Labels of all scenes: the groups of those ``seen``, each other in the least distant group."""
    means = group_means(directions[seen], labels, np.ones(len(seen)))
    every = np.concatenate(
        [
            (block @ means.T).argmax(axis=1)
            for block in np.array_split(directions, len(directions) // _BLOCK + 1)
        ]
    )
    every[seen] = labels
    return first_appearance(every)


def _free_loose(
    labels: NDArray[np.int32], values: NDArray[np.float64]
) -> tuple[NDArray[np.int32], int]:
    """Labels in which scenes that are far less distinct than the rest are alone; how many."""
    grouped = np.bincount(labels)[labels] > 1
    if not grouped.any():
        return labels, 0
    loose = grouped & (values < LOOSE * values[grouped].mean())
    freed = np.where(loose, len(labels) + np.arange(len(labels)), labels)
    return first_appearance(freed), int(loose.sum())
