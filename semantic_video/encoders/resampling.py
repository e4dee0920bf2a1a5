"""Resizing pictures the way Pillow does, in numpy.

CLIP-family models are trained and published with Pillow's resampling: a convolution whose kernel
widens when a picture shrinks, first along rows, then along columns, rounded to 8 bits after each.
FFmpeg's scaler differs from it by enough to change the vectors, so it is written out here.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

Kernel = Callable[[NDArray[np.float64]], NDArray[np.float64]]

# Output pixels computed by one product: small enough that few of its weights are zero.
_BLOCK = 32


def _box(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where((x > -0.5) & (x <= 0.5), 1.0, 0.0)


def _triangle(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.maximum(1.0 - np.abs(x), 0.0)


def _cubic(x: NDArray[np.float64]) -> NDArray[np.float64]:
    a = -0.5  # Keys 1981
    x = np.abs(x)
    near = ((a + 2.0) * x - (a + 3.0)) * x * x + 1.0
    far = (((x - 5.0) * x + 8.0) * x - 4.0) * a
    return np.where(x < 1.0, near, np.where(x < 2.0, far, 0.0))


def _lanczos(x: NDArray[np.float64]) -> NDArray[np.float64]:
    return np.where(np.abs(x) < 3.0, np.sinc(x) * np.sinc(x / 3.0), 0.0)


KERNELS: dict[str, tuple[Kernel, float]] = {
    "box": (_box, 0.5),
    "bilinear": (_triangle, 1.0),
    "bicubic": (_cubic, 2.0),
    "lanczos": (_lanczos, 3.0),
}
"""Name -> kernel and its reach in pixels on either side."""


def resample(
    rgb: NDArray[np.uint8],
    size: tuple[int, int],
    kernel: str,
    window: tuple[int, int, int, int] | None = None,
) -> NDArray[np.uint8]:
    """A picture uint8 [H, W, C] scaled to ``size`` (height, width).

    Args:
        rgb: the picture.
        size: (height, width) of the whole result.
        kernel: a name in ``KERNELS``.
        window: (top, left, height, width) of the part of the result that is wanted, default all;
            nothing else is computed, so a crop of a panorama costs what the crop costs.
    """
    top, left, height, width = window or (0, 0, *size)
    columns = rgb.swapaxes(0, 1)
    # Only the rows that the second pass reads.
    rows = _Weights(rgb.shape[0], size[0], top, height, kernel)
    columns = columns[:, rows.first : rows.last]
    columns = _Weights(rgb.shape[1], size[1], left, width, kernel).apply(columns)
    return rows.apply(columns.swapaxes(0, 1), offset=rows.first)


class _Weights:
    """What each wanted output pixel of one axis takes from the input pixels of that axis."""

    def __init__(self, length: int, wanted: int, start: int, count: int, kernel: str) -> None:
        self._identity = length == wanted
        self._start, self._count = start, count
        if self._identity:
            self.first, self.last = start, start + count
            return
        weigh, reach = KERNELS[kernel]
        scale = length / wanted
        widening = max(scale, 1.0)
        centre = (np.arange(start, start + count) + 0.5) * scale
        support = reach * widening
        low = np.maximum((centre - support + 0.5).astype(np.int64), 0)
        high = np.minimum((centre + support + 0.5).astype(np.int64), length)
        taps = low[:, None] + np.arange((high - low).max())
        weights = weigh((taps - centre[:, None] + 0.5) / widening)
        weights[taps >= high[:, None]] = 0.0
        self._taps = taps
        self._weights = weights / weights.sum(axis=1, keepdims=True)
        self._low, self._high = low, high
        self.first, self.last = int(low[0]), int(high[-1])

    def apply(self, pixels: NDArray[np.uint8], offset: int = 0) -> NDArray[np.uint8]:
        """[L, M, C] -> [count, M, C]; ``pixels`` begins with input pixel ``offset``."""
        if self._identity:
            return pixels[self._start - offset : self._start - offset + self._count]
        _, across, channels = pixels.shape
        flat = pixels.reshape(len(pixels), -1)
        result = np.empty((self._count, across * channels), np.uint8)
        for start in range(0, self._count, _BLOCK):
            block = slice(start, min(start + _BLOCK, self._count))
            low, high = int(self._low[block][0]), int(self._high[block][-1])
            matrix = np.zeros((block.stop - start, high - low), np.float32)
            taps = np.minimum(self._taps[block], high - 1) - low
            # Taps past the end weigh nothing: adding them anywhere changes nothing.
            np.add.at(matrix, (np.arange(len(matrix))[:, None], taps), self._weights[block])
            sums = matrix @ flat[low - offset : high - offset].astype(np.float32)
            result[block] = np.clip(np.floor(sums + 0.5), 0, 255)
        return result.reshape(self._count, across, channels)
