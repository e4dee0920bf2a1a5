"""The memory of one video: scene entries in semantic clusters, under a hard budget.

- `entries`: `SceneEntries`, the arrays that a memory holds
- `hierarchy`: `MemoryHierarchy`, entries in clusters within a budget
- `budget`: how much each tier may hold, in entries and bytes
- `stream`: `MemoryStream`, which takes one scene after another without end
- `policies`: what a full memory gives up, ours and those it is measured against
- `consolidation`: which entries become one, and how a whole memory is made to fit
- `timeline`: the timeline at the resolution that the budget affords
- `returns`: what a new scene returns from
- `recurrence`: access in time
- `combine`: two memories become one
- `history`: what was merged and given up, and `time_counts`: where
- `pool`: entries that come, merge and go
- `vectors`: many vectors summed up by one, or by a few of them
"""

from typing import TYPE_CHECKING

from semantic_video.utils.lazy import lazily

if TYPE_CHECKING:
    from semantic_video.memory_hierarchy.budget import (
        DEFAULT_EXEMPLARS,
        DEFAULT_MEMORY_SIZE,
        DEFAULT_SPANS,
        Budget,
        CodeSize,
        TierBudget,
    )
    from semantic_video.memory_hierarchy.combine import merge
    from semantic_video.memory_hierarchy.entries import Coder, SceneEntries
    from semantic_video.memory_hierarchy.hierarchy import MemoryHierarchy, Tier
    from semantic_video.memory_hierarchy.history import History
    from semantic_video.memory_hierarchy.policies import POLICIES, Policy
    from semantic_video.memory_hierarchy.recurrence import Absence
    from semantic_video.memory_hierarchy.returns import find_returns
    from semantic_video.memory_hierarchy.stream import MemoryStream
    from semantic_video.memory_hierarchy.vectors import farthest_first, robust_mean

__all__ = [
    "DEFAULT_EXEMPLARS",
    "DEFAULT_MEMORY_SIZE",
    "DEFAULT_SPANS",
    "POLICIES",
    "Absence",
    "Budget",
    "CodeSize",
    "Coder",
    "History",
    "MemoryHierarchy",
    "MemoryStream",
    "Policy",
    "SceneEntries",
    "Tier",
    "TierBudget",
    "farthest_first",
    "find_returns",
    "merge",
    "robust_mean",
]

__getattr__ = lazily(
    __name__,
    {
        "budget": "DEFAULT_EXEMPLARS DEFAULT_MEMORY_SIZE DEFAULT_SPANS Budget CodeSize TierBudget",
        "combine": "merge",
        "entries": "Coder SceneEntries",
        "hierarchy": "MemoryHierarchy Tier",
        "history": "History",
        "policies": "POLICIES Policy",
        "recurrence": "Absence",
        "returns": "find_returns",
        "stream": "MemoryStream",
        "vectors": "farthest_first robust_mean",
    },
)
