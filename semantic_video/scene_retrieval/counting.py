"""How many of the candidates for a phrase are to be counted: a decision for all of them together.

Whether something is there at all asks for one sure moment; how often it is there asks for the best
set of moments, and a threshold that is right for the first is too strict for the second. Calibrated
probabilities say how good a set can be expected to be: of the k most probable candidates,
2 * sum(p of these) / (k + sum(p of all)) is its expected F1 (nearly; Ye et al., "Optimizing
F-measure", 2012). The best k is where candidates fall below half of the best F1 (Lipton et al.,
"Thresholding classifiers to maximize F1", 2014).
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np


def occurrence_level(probabilities: Sequence[float], needed: float = 0.5) -> float:
    """The probability from which on candidates count as occurrences of one phrase.

    Args:
        probabilities: of all candidates, in any order, calibrated.
        needed: what the first of them must reach; below it nothing is there, and the level is this.
    """
    falling = -np.sort(-np.asarray(probabilities, dtype=np.float64))
    if len(falling) == 0 or falling[0] < needed:
        return needed
    listed = np.arange(1, len(falling) + 1)
    expected = 2 * np.cumsum(falling) / (listed + falling.sum())
    return min(needed, float(falling[int(np.argmax(expected))]))
