"""How FFmpeg opens what a user names: that one local file, and nothing else through it."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import av
from av.codec.hwaccel import HWAccel
from av.container import InputContainer

# What names other files or addresses to read: lists to play, descriptions of streams, scripts.
_REFERRING_FORMATS = frozenset(
    {"concat", "dash", "hls", "imf", "lavfi", "rtp", "rtsp", "sap", "sdp", "vobsub"}
)


def open_local_file(path: Path, hardware: HWAccel | None = None) -> InputContainer:
    """Open a film or picture for reading, with ``hardware`` to be decoded there.

    Raises FFmpegError where it is neither.

    Neither the name of the file nor anything in it makes FFmpeg read another one or reach for the
    network: a playlist, whatever it is called, is not a film.
    """
    return av.open(
        # "file:" and an absolute path, so that no name passes for an address, or an option.
        f"file:{path.absolute()}",
        container_options={
            "protocol_whitelist": "file",
            "format_whitelist": _own_formats(),
            # "%d" and "*" in the name of a picture are characters, not a series of pictures.
            "pattern_type": "none",
        },
        metadata_errors="replace",
        hwaccel=hardware,
    )


@cache
def _own_formats() -> str:
    """The formats that hold what they show, as FFmpeg wants to be told."""
    return ",".join(sorted(av.formats_available - _REFERRING_FORMATS))
