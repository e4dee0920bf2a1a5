"""Small sums over vectors that several parts need."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray


def unit_rows(matrix: NDArray[np.float32]) -> NDArray[np.float32]:
    """The same directions at length one."""
    lengths = np.linalg.norm(matrix, axis=1, keepdims=True)
    return np.asarray(matrix / np.maximum(lengths, 1e-12), dtype=np.float32)


def centred(points: NDArray[np.float32]) -> NDArray[np.float32]:
    """Unit rows without what all scenes of the video have in common, which tells none apart."""
    return unit_rows(points - points.mean(axis=0))


def group_means(
    points: NDArray[np.float32], labels: NDArray[np.int32], weights: NDArray[np.float64]
) -> NDArray[np.float32]:
    """The weighted mean of each group 0 to K-1: float32[K, D], not of unit length."""
    masses = np.bincount(labels, weights=weights)
    sums = np.zeros((len(masses), points.shape[1]), dtype=np.float64)
    np.add.at(sums, labels, points * weights[:, None])
    return np.asarray(sums / masses[:, None], dtype=np.float32)
