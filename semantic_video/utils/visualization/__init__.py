"""Pictures of a video's memory. Needs matplotlib: ``pip install 'semantic-video[viz]'``."""

from semantic_video.utils.visualization.experts import ExpertRow, experts
from semantic_video.utils.visualization.memory_account import TierUse, memory_account
from semantic_video.utils.visualization.palette import GREY, cluster_colours
from semantic_video.utils.visualization.query import TermRow, query_curve, query_terms
from semantic_video.utils.visualization.report import Answered, report
from semantic_video.utils.visualization.scene_map import scene_map
from semantic_video.utils.visualization.sheet import sheet
from semantic_video.utils.visualization.themes import theme_tree
from semantic_video.utils.visualization.timeline import shown_window, timeline

__all__ = [
    "GREY",
    "Answered",
    "ExpertRow",
    "TermRow",
    "TierUse",
    "cluster_colours",
    "experts",
    "memory_account",
    "query_curve",
    "query_terms",
    "report",
    "scene_map",
    "sheet",
    "shown_window",
    "theme_tree",
    "timeline",
]
