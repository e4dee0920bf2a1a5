"""The interval of a mean over a few seeds."""

from __future__ import annotations

import math
from collections.abc import Sequence
from statistics import stdev

# 0.975 quantiles of Student's t for 1, 2, ... degrees of freedom.
_QUANTILES = (12.71, 4.30, 3.18, 2.78, 2.57, 2.45, 2.36, 2.31, 2.26)


def half_interval(values: Sequence[float]) -> float:
    """Half of the 95 % interval of the mean (Student 1908); infinite for a single value."""
    if len(values) < 2:
        return float("inf")
    quantile = _QUANTILES[min(len(values) - 1, len(_QUANTILES)) - 1]
    spread: float = stdev(values)
    return quantile * spread / math.sqrt(len(values))
