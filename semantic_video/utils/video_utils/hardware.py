"""Decoding by a GPU (NVDEC), for films that it takes; FFmpeg drives it, nothing else is needed."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from av.codec import Codec
from av.codec.hwaccel import HWAccel
from av.container import InputContainer
from av.error import FFmpegError

from semantic_video.errors import ConfigError
from semantic_video.utils.video_utils.containers import open_local_file
from semantic_video.utils.video_utils.description import VideoInfo
from semantic_video.utils.video_utils.opening import video_stream

_CUDA = "cuda"
# With `auto`, films of fewer pixels in all (15 s at 1080p30) are decoded before a GPU is set up.
_LEAST_MEGAPIXELS = 1000.0


class HardwareDecoder:
    """Opens films so that a device decodes them; the frames come back to the machine's memory.

    Args:
        device: what FFmpeg calls the kind of device.
        least_megapixels: films of fewer pixels, over all frames, are not worth it.
    """

    def __init__(self, device: str = _CUDA, least_megapixels: float = 0.0) -> None:
        self.name = device
        self._least_megapixels = least_megapixels

    def suits(self, info: VideoInfo) -> bool:
        """Whether the film is long and large enough."""
        frames = info.duration_s * info.expected_fps
        return info.width * info.height * frames >= self._least_megapixels * 1e6

    def open(self, path: Path) -> InputContainer | None:
        """The film, to be decoded there and nowhere else; None where the device does not take it.

        That may show only at the first frame, which then fails to decode.
        """
        try:
            container = open_local_file(path, HWAccel(self.name, allow_software_fallback=False))
        except (FFmpegError, RuntimeError):  # no such device; no stream of a kind that it decodes
            return None
        if video_stream(path, container).codec_context.is_hwaccel:
            return container
        container.close()  # the device only takes its cover picture
        return None


def hardware_decoder(asked: str) -> HardwareDecoder | None:
    """What decodes beside the CPU where ``reading.decoder`` is ``asked``: auto, cpu or cuda.

    Raises:
        ConfigError: a device is asked for by name that is not there.
    """
    if asked == "cpu":
        return None
    reason = why_unusable()
    if asked == "auto":
        return None if reason else HardwareDecoder(least_megapixels=_LEAST_MEGAPIXELS)
    if reason:
        raise ConfigError(
            f"no CUDA device can decode here ({reason}): use decoder auto or cpu, or install "
            "NVIDIA's driver"
        )
    return HardwareDecoder(asked)


@cache
def why_unusable(device: str = _CUDA) -> str | None:
    """Why this kind of device cannot decode here, None where it can: tried once in a process."""
    try:
        HWAccel(device).create(Codec("h264", "r"))
    except FFmpegError as error:
        return str(error.strerror or error)
    except RuntimeError as error:  # this FFmpeg was built without it
        return str(error)
    return None
