"""Frames, and the views of them that other stages need, scaled straight from the decoder."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Self, cast

import numpy as np
from av import CodecContext, VideoFrame
from av.sidedata.sidedata import SideData
from av.video.reformatter import ColorRange, Colorspace, Interpolation, VideoReformatter
from numpy.typing import NDArray

SMALL_SIZE = (36, 64)
"""(height, width) of ``Frame.small``, whatever the shape of the video."""

_UNSPECIFIED_COLORSPACE = 2
_JPEG_QUANTISERS = (3, 5, 8, 12, 18, 31)
_LAMBDA_PER_QUANTISER = 118  # FFmpeg's FF_QP2LAMBDA


class Frame:
    """A decoded picture and its time; scaled views are made when they are asked for.

    A frame holds the decoder's picture until it is dropped, so keep arrays rather than frames.
    The frames of one reader share its scalers: use them from one thread at a time.
    """

    __slots__ = ("_picture", "_scalers", "_small", "is_key", "time_s")

    def __init__(self, time_s: float, picture: VideoFrame, scalers: Scalers) -> None:
        self.time_s = time_s
        """Presentation time in seconds from the video's first presentation time."""
        self.is_key = picture.key_frame
        """Whether decoding can start here."""
        self._picture = picture
        self._scalers = scalers
        self._small: NDArray[np.uint8] | None = None

    @property
    def small(self) -> NDArray[np.uint8]:
        """Luma and both chroma channels, uint8 [36, 64, 3], as decoded (not rotated).

        Meant to measure change with; computed once.
        """
        if self._small is None:
            self._small = self._scalers.small(self._picture)
        return self._small

    def rgb(self) -> NDArray[np.uint8]:
        """The picture as displayed, uint8 [H, W, 3], both sides at least the reader's ``cover``.

        Scaled down with the displayed aspect kept, never scaled up.
        """
        return self._scalers.rgb(self._picture)

    def jpeg(self, width: int = 160, max_bytes: int = 6000) -> bytes:
        """A thumbnail in JPEG, at most ``width`` pixels wide and at most ``max_bytes`` long."""
        return jpeg(self.rgb(), width, max_bytes)


@dataclass(frozen=True, slots=True)
class Orientation:
    """How a player turns the decoded picture: transpose it first, then flip rows and columns."""

    transpose: bool
    flip_rows: bool
    flip_columns: bool

    @classmethod
    def of(cls, picture: VideoFrame) -> Self:
        """Read the display matrix that comes with a frame (ISO 14496-12, 6.2.2)."""
        matrix = picture.side_data.get("DISPLAYMATRIX")
        if matrix is None:
            return cls(False, False, False)
        a, b, _, c, d = np.frombuffer(bytes(cast(SideData, matrix)), np.int32)[:5].tolist()
        if abs(a) >= abs(b):
            return cls(False, d < 0, a < 0)
        return cls(True, b < 0, c < 0)

    def apply(self, picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """Turn [H, W, C] as displayed; contiguous."""
        if self.transpose:
            picture = picture.swapaxes(0, 1)
        if self.flip_rows:
            picture = picture[::-1]
        if self.flip_columns:
            picture = picture[:, ::-1]
        return np.ascontiguousarray(picture)


class Scalers:
    """The scalers of one reader: one per view, each set up once for all frames.

    Args:
        orientation: how pictures are turned for display.
        sample_aspect: width of a pixel over its height; None for square pixels.
        cover: (height, width) that ``rgb`` covers, as displayed.
    """

    def __init__(
        self, orientation: Orientation, sample_aspect: Fraction | None, cover: tuple[int, int]
    ) -> None:
        self._orientation = orientation
        self._sample_aspect = sample_aspect or Fraction(1)
        self._cover = cover
        self._small_scaler = VideoReformatter()
        self._rgb_scaler = VideoReformatter()

    def displayed_size(self, picture: VideoFrame) -> tuple[int, int]:
        """(height, width) of the unscaled picture as displayed."""
        height, width = picture.height, max(1, round(picture.width * self._sample_aspect))
        return (width, height) if self._orientation.transpose else (height, width)

    def small(self, picture: VideoFrame) -> NDArray[np.uint8]:
        height, width = SMALL_SIZE
        scaled = self._small_scaler.reformat(
            picture, width, height, "yuv444p", interpolation=Interpolation.AREA, threads=1
        )
        return cast("NDArray[np.uint8]", scaled.to_ndarray(channel_last=True))

    def rgb(self, picture: VideoFrame) -> NDArray[np.uint8]:
        displayed_h, displayed_w = self.displayed_size(picture)
        scale = min(1.0, max(self._cover[0] / displayed_h, self._cover[1] / displayed_w))
        height, width = round(displayed_h * scale), round(displayed_w * scale)
        if self._orientation.transpose:
            height, width = width, height
        colorspace = None
        if picture.colorspace == _UNSPECIFIED_COLORSPACE and picture.height >= 720:
            colorspace = Colorspace.ITU709  # what players take untagged HD for
        scaled = self._rgb_scaler.reformat(
            picture,
            max(1, width),
            max(1, height),
            "rgb24",
            src_colorspace=colorspace,
            interpolation=Interpolation.BILINEAR,
            threads=1,
        )
        return self._orientation.apply(cast("NDArray[np.uint8]", scaled.to_ndarray()))


def jpeg(picture: NDArray[np.uint8], width: int, max_bytes: int) -> bytes:
    """Encode RGB [H, W, 3] as the best JPEG of at most ``max_bytes``, at most ``width`` wide."""
    source = VideoFrame.from_ndarray(picture)
    width = min(width, picture.shape[1])
    while True:
        height = max(1, round(picture.shape[0] * width / picture.shape[1]))
        scaled = VideoReformatter().reformat(
            source,
            width,
            height,
            "yuvj420p",
            interpolation=Interpolation.AREA,
            dst_color_range=ColorRange.JPEG,
            threads=1,
        )
        for quantiser in _JPEG_QUANTISERS:
            content = _encode_jpeg(scaled, quantiser)
            if len(content) <= max_bytes:
                return content
        if width == 1:
            raise ValueError(f"no JPEG fits into {max_bytes} bytes")
        width = max(1, width // 2)


def _encode_jpeg(picture: VideoFrame, quantiser: int) -> bytes:
    encoder = CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = picture.width, picture.height, "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    encoder.qscale = True
    encoder.global_quality = quantiser * _LAMBDA_PER_QUANTISER
    encoder.thread_count = 1
    picture.pts = 0
    return b"".join(bytes(packet) for packet in [*encoder.encode(picture), *encoder.encode(None)])
