"""How much two small pictures differ, and in what way."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

_MIN_HISTOGRAM_DISTANCE = 0.8  # of at most 4
_MAX_LIKENESS = 0.85  # correlation of luma; above it only the light has changed
_BLOCK = (6, 8)
_CLEAR_DIFFERENCE = 20


def difference(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Mean absolute difference of two pictures."""
    return float((np.maximum(one, other) - np.minimum(one, other)).sum()) / one.size


def spread(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> float:
    """Share of the blocks of a picture in which some luma differs clearly."""
    luma = np.maximum(one[..., 0], other[..., 0]) - np.minimum(one[..., 0], other[..., 0])
    rows = np.maximum.reduceat(luma, range(0, luma.shape[0], _BLOCK[0]), axis=0)
    blocks = np.maximum.reduceat(rows, range(0, luma.shape[1], _BLOCK[1]), axis=1)
    return float((blocks > _CLEAR_DIFFERENCE).mean())


def difference_signed(one: NDArray[np.int16], other: NDArray[np.int16]) -> float:
    """Mean absolute difference of two pictures in a type that holds their difference."""
    return float(np.abs(one - other).sum()) / one.size


def deviation(picture: NDArray[np.int16]) -> float:
    """Standard deviation of luma."""
    luma = picture[..., 0].ravel().astype(np.float32)
    mean = float(luma.sum()) / luma.size
    return math.sqrt(max(0.0, float(luma @ luma) / luma.size - mean * mean))


def differ_in_kind(one: NDArray[np.int16], other: NDArray[np.int16], contrast: float) -> bool:
    """Whether two pictures show different things: neither the same moved, nor lit otherwise."""
    centre = np.array([(one[..., 0].mean() + other[..., 0].mean()) / 2, 128, 128])
    a, b = (((picture - centre) / contrast + 128).clip(0, 255) for picture in (one, other))
    if float(np.abs(_histogram(a) - _histogram(b)).sum()) < _MIN_HISTOGRAM_DISTANCE:
        return False
    x, y = (picture[..., 0].ravel() - picture[..., 0].mean() for picture in (a, b))
    return float(x @ y) < _MAX_LIKENESS * float(np.sqrt((x @ x) * (y @ y)))


def _histogram(picture: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of 16 levels of luma, then of 16 x 16 pairs of chroma; both parts sum to 1."""
    levels = (picture / 16).astype(np.int64).reshape(-1, 3)
    luma = np.bincount(levels[:, 0], minlength=16)
    chroma = np.bincount(levels[:, 1] * 16 + levels[:, 2], minlength=256)
    return np.concatenate([luma, chroma]) / len(levels)
