"""Reading videos: which files, what is in them, and their frames by plan with exact times."""

from semantic_video.utils.video_utils.description import VideoInfo
from semantic_video.utils.video_utils.files import VIDEO_SUFFIXES, find_videos
from semantic_video.utils.video_utils.packets import PacketIndex
from semantic_video.utils.video_utils.pictures import SMALL_SIZE, Frame
from semantic_video.utils.video_utils.plan import Plan
from semantic_video.utils.video_utils.reader import VideoReader

__all__ = [
    "SMALL_SIZE",
    "VIDEO_SUFFIXES",
    "Frame",
    "PacketIndex",
    "Plan",
    "VideoInfo",
    "VideoReader",
    "find_videos",
]
