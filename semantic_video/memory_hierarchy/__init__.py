"""The memory of one video: scene entries in semantic clusters, under a hard budget.

- `entries`: `SceneEntries`, the arrays that a memory holds
- `hierarchy`: `MemoryHierarchy`, entries in clusters within a budget
- `consolidation`: which entries become one, and what they become
- `vectors`: many vectors summed up by one, or by a few of them
"""

from semantic_video.memory_hierarchy.entries import SceneEntries
from semantic_video.memory_hierarchy.hierarchy import (
    DEFAULT_EXEMPLARS,
    DEFAULT_MEMORY_SIZE,
    MemoryHierarchy,
    Tier,
)
from semantic_video.memory_hierarchy.vectors import farthest_first, robust_mean

__all__ = [
    "DEFAULT_EXEMPLARS",
    "DEFAULT_MEMORY_SIZE",
    "MemoryHierarchy",
    "SceneEntries",
    "Tier",
    "farthest_first",
    "robust_mean",
]
