"""Experts for the categories of a film's scenes, which have to earn their place.

Two jobs: *compress* (`codec`: category-wise codes at a fraction of the bytes) and *adapt* (`model`,
`adapt`: vectors refined to one film). `training` lets held-out time say which are on; `frozen` is
what a search reads, with numpy alone; `overview` is for looking at. Only `model` and `adapt` need
torch.
"""

from typing import TYPE_CHECKING, Any

from semantic_video.moe_experts.codec import ExpertCodec
from semantic_video.moe_experts.frozen import FrozenMoE, TrainedExperts
from semantic_video.moe_experts.overview import ExpertsOverview, overview_of
from semantic_video.moe_experts.routes import ROUTES, Route

if TYPE_CHECKING:
    from semantic_video.moe_experts.model import Expert, MoEOutput, Router, SceneMoE

__all__ = [
    "ROUTES",
    "Expert",
    "ExpertCodec",
    "ExpertsOverview",
    "FrozenMoE",
    "MoEOutput",
    "Route",
    "Router",
    "SceneMoE",
    "TrainedExperts",
    "overview_of",
]


def __getattr__(name: str) -> Any:
    if name in ("Expert", "MoEOutput", "Router", "SceneMoE"):
        from semantic_video.moe_experts import model

        return getattr(model, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
