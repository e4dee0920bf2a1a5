"""A film opened, and the stream of it that is watched; what is no film says what it is."""

from __future__ import annotations

from pathlib import Path

from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream

from semantic_video.errors import VideoError
from semantic_video.utils.video_utils.containers import open_local_file
from semantic_video.utils.video_utils.files import check_path

# Text that FFmpeg would draw; what it calls a pipe of pictures is a still picture.
_TEXT_FORMATS = frozenset({"adf", "bin", "idf", "tty", "xbin"})


def open_film(path: Path) -> InputContainer:
    """Open a video file; raises VideoError where it cannot be read, or is text or a picture."""
    check_path(path)
    try:
        container = open_local_file(path)
    except FFmpegError as error:
        raise VideoError(_why_not_opened(path)) from error
    name = container.format.name
    refuse_text(str(path), container)
    if name.endswith("_pipe") or name == "image2":
        container.close()
        raise VideoError(f"{path} is a picture, not a video")
    return container


def refuse_text(name: str, container: InputContainer) -> None:
    """Close what FFmpeg would draw letters of, and raise the VideoError that says so."""
    if container.format.name in _TEXT_FORMATS:
        container.close()
        raise VideoError(f"{name} is a text, not a video")


def _why_not_opened(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        return f"cannot read {path} ({error.strerror}); is the disk still there?"
    if head[4:8] == b"ftyp":
        return (
            f"{path} has no index (it was cut short or never finished), so nothing of it can be "
            "decoded; get another copy of it"
        )
    return f"{path} is not a video that FFmpeg can read; convert it or name another file"


def is_picture(stream: VideoStream) -> bool:
    """Whether a video stream is cover art or a thumbnail."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def video_stream(path: Path, container: InputContainer) -> VideoStream:
    """The first video stream that FFmpeg decodes; raises VideoError where there is none."""
    videos = [stream for stream in container.streams.video if not is_picture(stream)]
    for stream in videos:
        if stream.codec_context is not None:
            return stream
    if videos:
        raise VideoError(f"{path} is coded in a way that FFmpeg cannot decode; convert it to H.264")
    if container.streams.audio:
        raise VideoError(f"{path} holds sound only, no video")
    raise VideoError(f"{path} is not a video: it holds no pictures")
