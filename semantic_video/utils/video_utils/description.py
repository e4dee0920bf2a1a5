"""What a video file says of itself, in its header and its first frame."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

import av
from av import VideoFrame
from av.container import InputContainer
from av.video.stream import VideoStream

from semantic_video.utils.video_utils.opening import is_picture

# Streams without timestamps: FFmpeg guesses their duration from the bit rate.
_RAW_FORMATS = frozenset({"h261", "h263", "h264", "hevc", "m4v", "mpegvideo", "obu", "vc1", "vvc"})
_USUAL_FPS = 25.0


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video file is, as far as its header and first frame tell.

    ``width`` and ``height`` are as displayed: pixel aspect and rotation applied. ``rotation`` is in
    degrees counterclockwise, 0 to 359. ``duration_s`` is what the file promises, or measured where
    it promises nothing. ``start_time_s`` is the first presentation time in the file's own clock.
    ``recorded_at`` is ISO 8601 as it stands in the file. ``notes`` are sentences for the user.
    """

    path: Path
    duration_s: float
    width: int
    height: int
    rotation: int
    codec: str
    pixel_format: str
    average_fps: float | None
    recorded_at: str | None
    video_streams: int
    audio_streams: int
    start_time_s: float
    notes: tuple[str, ...]

    @property
    def expected_fps(self) -> float:
        """``average_fps``, or the usual rate where the file does not tell it."""
        return self.average_fps or _USUAL_FPS


def describe(
    path: Path,
    container: InputContainer,
    stream: VideoStream,
    first: VideoFrame,
    *,
    size: tuple[int, int],
    origin_s: float,
    measured_s: Callable[[], float],
) -> VideoInfo:
    """Describe an open file.

    Args:
        path: the file.
        container: the open file.
        stream: the stream that is watched.
        first: its first frame.
        size: (height, width) as displayed.
        origin_s: the first presentation time in the file's own clock.
        measured_s: measures how long the video is, where the file promises nothing.
    """
    notes: list[str] = []
    duration_s = _promised_s(container, stream, origin_s)
    if duration_s is None or duration_s <= 0:
        duration_s = measured_s()
        notes.append("the file does not say how long it is; its packets were counted")
    videos = [other for other in container.streams.video if not is_picture(other)]
    if len(videos) > 1:
        notes.append(f"{len(videos)} video streams; the first is used")
    height, width = size
    return VideoInfo(
        path=path,
        duration_s=duration_s,
        width=width,
        height=height,
        rotation=round(first.rotation) % 360,
        codec=stream.codec_context.codec.canonical_name,
        pixel_format=first.format.name,
        average_fps=float(stream.average_rate) if stream.average_rate else None,
        recorded_at=_recorded_at(container, stream),
        video_streams=len(videos),
        audio_streams=len(container.streams.audio),
        start_time_s=origin_s,
        notes=tuple(notes),
    )


def _promised_s(container: InputContainer, stream: VideoStream, origin_s: float) -> float | None:
    """How long the video is according to its header, in seconds from its first frame."""
    name = container.format.name
    if name in _RAW_FORMATS:
        return None
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    # Matroska counts from the start of its clock, not from the first frame.
    before_s = origin_s if name.startswith("matroska") else 0.0
    for key, value in stream.metadata.items():
        if key.upper().split("-")[0] == "DURATION":
            hours, _, rest = value.partition(":")
            minutes, _, seconds = rest.partition(":")
            try:
                return int(hours) * 3600 + int(minutes) * 60 + float(seconds) - before_s
            except ValueError:
                break
    if container.duration is not None:
        return container.duration / av.time_base - before_s
    return None


def _recorded_at(container: InputContainer, stream: VideoStream) -> str | None:
    """When the video was recorded, ISO 8601 as it stands in the file; a zone is preferred."""
    for metadata, key in (
        (container.metadata, "com.apple.quicktime.creationdate"),
        (stream.metadata, "com.apple.quicktime.creationdate"),
        (container.metadata, "creation_time"),
        (stream.metadata, "creation_time"),
        (container.metadata, "DATE_RECORDED"),
    ):
        value = metadata.get(key)
        try:
            if value and datetime.fromisoformat(value):
                return value
        except ValueError:
            continue
    return None
