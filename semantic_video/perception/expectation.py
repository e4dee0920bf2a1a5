"""What the passes over a film will take, as far as it shows before they are made."""

from __future__ import annotations

import bisect
from collections.abc import Sequence

import numpy as np

from semantic_video.perception.workload import Portion, Workload
from semantic_video.records import Span
from semantic_video.utils.video_utils import PacketIndex, VideoInfo

# What is expected of a film that nothing is known of: a key frame as often, and so much of its
# bytes in key frames; and of any film a picture as often, if all of it is decoded.
_KEY_S, _KEY_BYTES, _PICTURE_S = 5.0, 0.15, 2.5
_REFERENCES = 0.65  # share of frames that others refer to: the only ones decoded


def workload(info: VideoInfo, listed: PacketIndex | None) -> Workload:
    """What is to be expected of a film of which nothing was seen.

    ``listed`` are its packets, where the file lists them.
    """
    if listed is None:
        frames = info.expected_fps * info.duration_s
        size = float(info.path.stat().st_size)
        keys, key_size = info.duration_s / _KEY_S, size * _KEY_BYTES
    else:
        frames, size = float(len(listed.size)), float(listed.size.sum())
        keys, key_size = float(listed.is_key.sum()), float(listed.size[listed.is_key].sum())
    return Workload(
        info.duration_s,
        info.width * info.height / 1e6,
        frames,
        Portion(keys, key_size, keys),
        Portion(frames * _REFERENCES, size, info.duration_s / _PICTURE_S),
        listed is not None,
    )


def decoding(stretches: Sequence[Span], packets: PacketIndex, picture_s: float) -> Portion:
    """Decoding ``stretches``, and a picture of them every ``picture_s``."""
    portion = Portion()
    sizes = np.concatenate([[0], np.cumsum(packets.size)])
    for start_s, end_s in stretches:
        first, last = np.searchsorted(packets.time_s, (start_s, end_s))
        portion += Portion(
            float(last - first) * _REFERENCES,
            float(sizes[last] - sizes[first]),
            (end_s - start_s) / picture_s,
        )
    return portion


def looking(
    groups: Sequence[Span], decoded: Sequence[Span], ahead_s: Sequence[float], packets: PacketIndex
) -> Portion:
    """Looking into those ``groups`` of pictures that are not ``decoded`` (sorted and apart).

    ``ahead_s``: how long after a key frame, where the group goes on for a second longer.
    """
    ends = [span.end_s for span in decoded]
    portion = Portion()
    for key_s, end_s in groups:
        place = bisect.bisect_right(ends, key_s)
        wanted = [after_s for after_s in ahead_s if after_s < end_s - key_s - 1]
        if wanted and (place == len(decoded) or decoded[place].start_s > key_s):
            way = decoding([Span(key_s, key_s + max(wanted))], packets, 1.0)
            portion += Portion(way.frames, way.bytes, len(wanted))
    return portion
