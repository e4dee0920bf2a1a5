"""The tree of themes of a memory, with what each one shows and when."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from semantic_video.records import Span, Theme
from semantic_video.semantic_clustering import find_occurrences, theme_name

if TYPE_CHECKING:
    from semantic_video.memory_hierarchy.hierarchy import MemoryHierarchy


def theme_tree(memory: MemoryHierarchy) -> tuple[Theme, ...]:
    """The coarsest themes, each with the finer ones in it."""
    clusters, scenes = memory.clusters(), memory.scenes()
    seconds = np.array([cluster.total_s for cluster in clusters])
    labels = np.array([scene.cluster for scene in scenes])
    centroids = memory.cluster_vectors
    levels = memory.theme_levels
    spans = [Span(scene.start_s, scene.end_s) for scene in scenes]
    names = [cluster.name for cluster in clusters]
    occurrences = [find_occurrences(spans, level[labels]) for level in levels]

    def node(level: int, theme: int) -> Theme:
        members = np.flatnonzero(levels[level] == theme)
        middle = seconds[members] @ centroids[members]
        medoid = int(members[np.argmax(centroids[members] @ middle)])
        children: tuple[Theme, ...] = ()
        if level + 1 < len(levels):
            finer = np.unique(levels[level + 1][members])
            children = tuple(node(level + 1, int(child)) for child in finer)
        runs = occurrences[level][theme]
        return Theme(
            id=theme,
            level=level,
            name=theme_name(members.tolist(), names, memory.clustering.words, seconds, medoid),
            clusters=tuple(members.tolist()),
            occurrences=runs,
            total_s=sum(run.duration_s for run in runs),
            medoid_cluster=medoid,
            medoid_scene=clusters[medoid].medoid_scene,
            medoid_s=clusters[medoid].medoid_s,
            children=children,
        )

    return tuple(node(0, theme) for theme in range(int(levels[0].max()) + 1))
