"""Frames to shots to scenes that tile the timeline.

``SceneSegmenter`` finds shots while frames stream by; ``build_scenes`` joins those that continue
one another and divides what is too long to be one thing to remember.
"""

from semantic_video.scene_segmentation.scenes import build_scenes, common_likeness
from semantic_video.scene_segmentation.shots import SceneSegmenter, Segmentation, TimedPicture

__all__ = [
    "SceneSegmenter",
    "Segmentation",
    "TimedPicture",
    "build_scenes",
    "common_likeness",
]
