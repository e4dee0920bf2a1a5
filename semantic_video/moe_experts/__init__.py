"""Experts for the categories of a film's scenes, which have to earn their place.

Two jobs: *compress* (`codec` and `quantiser`: category-wise codes at a fraction of the bytes;
`coded_entries`: a memory that keeps them) and *adapt* (`model`, `adapt`: vectors refined to one
film). `training` lets held-out time say which are on (`training_report`); `frozen` is what a search
reads, with numpy alone; `overview` is for looking at. Only `model` and `adapt` need torch.
"""

from typing import TYPE_CHECKING

from semantic_video.utils.lazy import lazily

if TYPE_CHECKING:
    from semantic_video.moe_experts.codec import ExpertCodec
    from semantic_video.moe_experts.coded_entries import CodedEntries, ExpertCoder
    from semantic_video.moe_experts.frozen import FrozenMoE, TrainedExperts
    from semantic_video.moe_experts.model import Expert, MoEOutput, Router, SceneMoE
    from semantic_video.moe_experts.overview import ExpertsOverview, overview_of
    from semantic_video.moe_experts.routes import ROUTES, Route

__all__ = [
    "ROUTES",
    "CodedEntries",
    "Expert",
    "ExpertCodec",
    "ExpertCoder",
    "ExpertsOverview",
    "FrozenMoE",
    "MoEOutput",
    "Route",
    "Router",
    "SceneMoE",
    "TrainedExperts",
    "overview_of",
]

__getattr__ = lazily(
    __name__,
    {
        "codec": "ExpertCodec",
        "coded_entries": "CodedEntries ExpertCoder",
        "frozen": "FrozenMoE TrainedExperts",
        "model": "Expert MoEOutput Router SceneMoE",
        "overview": "ExpertsOverview overview_of",
        "routes": "ROUTES Route",
    },
)
