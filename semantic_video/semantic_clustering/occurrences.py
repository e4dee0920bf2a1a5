"""When each cluster is on screen."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike

from semantic_video.records import SceneSpan, Span


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
