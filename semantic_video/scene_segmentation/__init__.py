"""Frames to shots to scenes that tile the timeline.

``SceneSegmenter`` finds shots while frames stream by, ``GroupJudge`` finds what it can from key
frames and the sizes of packets; ``build_scenes`` joins shots that continue one another and divides
what is too long to be one thing to remember.
"""

from semantic_video.scene_segmentation.groups import Doubt, GroupJudge, Judgement, PlacedCut
from semantic_video.scene_segmentation.scenes import build_scenes, common_likeness
from semantic_video.scene_segmentation.shots import SceneSegmenter, Segmentation, TimedPicture

__all__ = [
    "Doubt",
    "GroupJudge",
    "Judgement",
    "PlacedCut",
    "SceneSegmenter",
    "Segmentation",
    "TimedPicture",
    "build_scenes",
    "common_likeness",
]
