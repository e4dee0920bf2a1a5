"""Watching a film, coarse to fine: each pass gives a perception that an index can be made of.

path - VideoReader -> frames - GroupJudge, SceneSegmenter -> shots -> scenes
                        `----- SceneEncoder --------------> frame vectors -> scene entries
"""

from semantic_video.perception.notebook import Perception
from semantic_video.perception.passes import Progress, perceive

__all__ = ["Perception", "Progress", "perceive"]
