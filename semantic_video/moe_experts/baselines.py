"""What codes of as many bytes are without experts: the null that experts have to beat."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Coder = Callable[[FloatArray], FloatArray]
"""Vectors [N, D] -> what is left of them after coding and decoding, [N, D]."""


def scalar_pca(vectors: FloatArray, size: int, bits: int = 4) -> Coder:
    """The leading principal coordinates of ``vectors`` [N, D], as many as ``size`` bytes hold.

    Each in ``bits`` bits (8 or 4), evenly spaced over the range seen, with a scale for each.
    """
    centre = vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(vectors - centre, full_matrices=False)
    axes = axes[: size * 8 // bits]
    most = 2 ** (bits - 1) - 1
    scales = np.maximum(np.abs((vectors - centre) @ axes.T).max(axis=0), 1e-9) / most

    def code(others: FloatArray) -> FloatArray:
        steps = np.clip(np.round((others - centre) @ axes.T / scales), -most, most)
        return np.asarray(centre + (steps * scales) @ axes, dtype=np.float32)

    return code
