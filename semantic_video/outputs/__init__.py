"""Answers in the forms that other programs read.

- `timecode`: frame rates and timecode (SMPTE 12M)
- `edit_lists`: CMX 3600 EDL and OpenTimelineIO, for editing programs
- `lists`: CSV, SubRip subtitles, and bare paths with times
- `clips`: the moments themselves, cut into files
"""

from semantic_video.outputs.clips import Clip, cut_clip
from semantic_video.outputs.edit_lists import EDL_EVENTS, edl, otio
from semantic_video.outputs.lists import csv_table, path_lines, srt
from semantic_video.outputs.timecode import Rate

__all__ = [
    "EDL_EVENTS",
    "Clip",
    "Rate",
    "csv_table",
    "cut_clip",
    "edl",
    "otio",
    "path_lines",
    "srt",
]
