"""Times, sizes and key flags of the packets of a video, which tell much without decoding."""

from __future__ import annotations

from array import array
from dataclasses import dataclass
from typing import Any

import numpy as np
from av import Packet
from numpy.typing import NDArray

from semantic_video.utils.video_utils.timeline import stamp_of


@dataclass(frozen=True, slots=True, eq=False)
class PacketIndex:
    """Every packet of the video stream in presentation order; none is decoded to know it.

    ``time_s`` float64 [P], ``size`` in bytes int64 [P], ``is_key`` bool [P], and ``stamp``, the
    file's own timestamp in units of the stream's time base, int64 [P].
    """

    time_s: NDArray[np.float64]
    size: NDArray[np.int64]
    is_key: NDArray[np.bool_]
    stamp: NDArray[np.int64]


class PacketRows:
    """Collects packets in the order of the file."""

    def __init__(self) -> None:
        self._times = array("d")
        self._sizes = array("q")
        self._stamps = array("q")
        self._keys = bytearray()

    def add(self, time_s: float, packet: Packet[Any]) -> None:
        """Take the next packet, unless it is one that is never shown."""
        if not packet.is_discard:
            self._times.append(time_s)
            self._sizes.append(packet.size)
            self._stamps.append(stamp_of(packet) or 0)
            self._keys.append(packet.is_keyframe)

    def index(self) -> PacketIndex:
        """Those collected so far, in presentation order."""
        times = np.array(self._times, np.float64)
        order = np.argsort(times, kind="stable")
        return PacketIndex(
            time_s=times[order],
            size=np.array(self._sizes, np.int64)[order],
            is_key=np.array(self._keys, np.bool_)[order],
            stamp=np.array(self._stamps, np.int64)[order],
        )
