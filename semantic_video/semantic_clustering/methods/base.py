"""What a clustering method is given, and what it returns."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray


@dataclass(frozen=True, slots=True, eq=False)
class Problem:
    """N different scenes to group.

    ``points`` float32[N, D] with unit rows, ``weights`` float64[N] above zero, ``count`` the
    number of clusters, 2 to N - 1. ``start`` int32[N] is the grouping that ``auto`` found, in
    ``count`` groups; None where the user gave the number.
    """

    points: NDArray[np.float32]
    weights: NDArray[np.float64]
    count: int
    seed: int
    start: NDArray[np.int32] | None = None


Method = Callable[[Problem], NDArray[np.int32]]
"""Labels int32[N], any numbering; the same problem gives the same labels."""
