"""HDBSCAN: groups are where scenes lie dense, and a scene may belong to none."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semantic_video.semantic_clustering.arrays import centred, group_means
from semantic_video.semantic_clustering.clustering import first_appearance
from semantic_video.semantic_clustering.linkage import merge_order
from semantic_video.semantic_clustering.methods.base import Problem
from semantic_video.semantic_clustering.prototypes import summarise
from semantic_video.semantic_clustering.ward import join

LEAST = 3
"""Scenes that make a group."""


def density_groups(points: NDArray[np.float32], seed: int) -> tuple[NDArray[np.int32], str]:
    """Groups of distinct scenes [N, D] by excess of mass (Campello et al. 2015), and why so many.

    A scene that belongs to none ("noise") is a cluster of its own, so that every scene has one.
    """
    count = len(points)
    if count <= LEAST:
        return np.arange(count, dtype=np.int32), f"hdbscan: {count} different scenes"
    from sklearn.cluster import HDBSCAN

    row, means, _ = summarise(points, np.ones(count), seed)
    model = HDBSCAN(min_cluster_size=LEAST, min_samples=1, copy=True)
    found = model.fit(centred(means).astype(np.float64)).labels_
    noise = found < 0
    alone = found.max() + 1 + np.arange(len(found))
    labels = first_appearance(np.where(noise, alone, found)[row])
    reason = (
        f"hdbscan: {found.max() + 1} groups of {LEAST} scenes or more outlast their neighbours in "
        f"the hierarchy of densities; {int(noise[row].sum())} scenes belong to none and stand alone"
    )
    return labels, reason


def hdbscan(problem: Problem) -> NDArray[np.int32]:
    """The groups of `density_groups`, merged or taken apart until there are ``count``."""
    points, count = problem.points, problem.count
    units = problem.start
    if units is None:
        units, _ = density_groups(points, problem.seed)
    found = int(units.max()) + 1
    if found > count:
        sizes = np.bincount(units).astype(np.float64)
        merges = merge_order(group_means(centred(points), units, np.ones(len(points))), sizes)
        return join(found, ((a, b) for _, a, b in merges[: found - count]))[units]
    if found == count:
        return units
    inside: list[tuple[float, int, int]] = []
    directions = centred(points)
    for unit in np.flatnonzero(np.bincount(units) > 1):
        rows = np.flatnonzero(units == unit)
        inside += [
            (cost, int(rows[a]), int(rows[b]))
            for cost, a, b in merge_order(directions[rows], np.ones(len(rows)))
        ]
    # Later merges of a group can be cheaper than earlier ones; join() needs no order, only that
    # the dearest are left out, and each left out makes one group more.
    kept = sorted(inside)[: len(points) - count]
    return join(len(points), ((a, b) for _, a, b in kept))
