"""What a full memory gives up: one interface for our way and for those it is measured against.

- `base`: the interface
- `semantic`: ours
- `temporal`: first in first out, uniform, reservoir, a tree over time
- `adjacent`: neighbours in time that look alike (MovieChat, MA-LMM)
- `selection`: k-centre greedy
- `nearest`: the cheapest pair of a changing set
"""

from semantic_video.memory_hierarchy.policies.adjacent import AdjacentPlain, AdjacentWeighted
from semantic_video.memory_hierarchy.policies.base import Policy
from semantic_video.memory_hierarchy.policies.selection import KCentre
from semantic_video.memory_hierarchy.policies.semantic import Semantic
from semantic_video.memory_hierarchy.policies.temporal import (
    Fifo,
    Reservoir,
    TemporalTree,
    Uniform,
)

POLICIES: dict[str, type[Policy]] = {
    policy.name: policy
    for policy in (
        Semantic,
        Fifo,
        Uniform,
        Reservoir,
        AdjacentPlain,
        AdjacentWeighted,
        KCentre,
        TemporalTree,
    )
}
"""By name, ours first."""

__all__ = [
    "POLICIES",
    "AdjacentPlain",
    "AdjacentWeighted",
    "Fifo",
    "KCentre",
    "Policy",
    "Reservoir",
    "Semantic",
    "TemporalTree",
    "Uniform",
]
