"""A cut through the linkage tree."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from semantic_video.semantic_clustering.arrays import centred
from semantic_video.semantic_clustering.linkage import merge_order
from semantic_video.semantic_clustering.methods.base import Problem
from semantic_video.semantic_clustering.prototypes import summarise
from semantic_video.semantic_clustering.ward import join


def agglomerative(problem: Problem) -> NDArray[np.int32]:
    """What two are most alike merges until ``count`` groups are left, see `merge_order`.

    Above some thousands of scenes the tree stands on prototypes of them. Weights are left out: a
    long scene shows no more than a short one.
    """
    if problem.start is not None:
        return problem.start
    row, means, sizes = summarise(problem.points, np.ones(len(problem.points)), problem.seed)
    merges = merge_order(centred(means), sizes)
    labels = join(len(means), ((a, b) for _, a, b in merges[: len(means) - problem.count]))
    return np.asarray(labels[row], dtype=np.int32)
