"""Themes: a tree above the clusters of a video."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semantic_video.semantic_clustering.arrays import centred
from semantic_video.semantic_clustering.clustering import first_appearance
from semantic_video.semantic_clustering.linkage import merge_order
from semantic_video.semantic_clustering.names import load_kinds
from semantic_video.semantic_clustering.ward import join

_DEEP = 64
"""Clusters from which on there are three levels of themes rather than two."""


def theme_levels(
    centroids: NDArray[np.float32], limit: int | None = None
) -> list[NDArray[np.int32]]:
    """Which theme each of K clusters lies in, level by level from coarse to fine.

    All levels are cuts of one linkage tree, so that they nest; their sizes are spaced
    geometrically between one theme and K. ``centroids`` is [K, D] with unit rows. With a ``limit``
    of at least 1, there are never more themes than that in all levels together: the finest levels
    go first.
    """
    count = len(centroids)
    depth = 3 if count >= _DEEP else 2
    sizes = [max(1, round(count ** (level / (depth + 1)))) for level in range(1, depth + 1)]
    if limit is not None:
        while len(sizes) > 1 and sum(sizes) > limit:
            sizes.pop()
        sizes[0] = min(sizes[0], limit)
    if count < 3:
        return [np.zeros(count, dtype=np.int32)] * len(sizes)
    merges = [(a, b) for _, a, b in merge_order(centred(centroids), np.ones(count))]
    return [first_appearance(join(count, merges[: count - size])) for size in sizes]


def theme_name(
    members: Sequence[int],
    names: Sequence[str],
    words: Mapping[str, Sequence[str]],
    seconds: NDArray[np.float64],
    medoid: int,
) -> str:
    """Its ``medoid`` and the cluster with most time beside it, after the kind of most of its time.

    The medoid is what a theme's picture shows; the longest alone may be unlike all the others.
    ``words`` holds for a cluster's name the words behind it, kinds of things among them.
    """
    if len(members) == 1:
        return names[members[0]]
    longest = sorted(members, key=lambda cluster: (cluster != medoid, -seconds[cluster], cluster))
    votes = dict.fromkeys(load_kinds(), 0.0)
    for cluster in members:
        own = [word for word in words.get(names[cluster], ()) if word in votes]
        if own:
            votes[own[0]] += float(seconds[cluster])
    shown = ", ".join(names[cluster] for cluster in longest[:2])
    kind = max(votes, key=lambda word: votes[word])
    most = votes[kind] * 2 > float(seconds[list(members)].sum())
    return f"{kind}: {shown}" if most else shown
