"""The vector of a sum of parts and marks.

Similarities of pictures to pictures lie farther apart than those of words to pictures (the gap
between the modalities: Liang et al., "Mind the gap", 2022; 1.3 to 1.8 times with `lite`), so in a
plain sum of unit vectors a picture outweighs any words. Each summand is therefore divided by how
much its scores differ over the memory: a weight then means what it says, whatever the summand is.
Scores are linear, so the sum of such scores is the score of one vector.

Marks follow J. Rocchio, "Relevance feedback in information retrieval" (1971), with the weights of
Manning, Raghavan and Schütze, "Introduction to Information Retrieval" (2008), section 9.1.1.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from semantic_video.errors import QueryError

FloatArray = NDArray[np.float32]

RIGHT = 0.75
WRONG = 0.15
"""How much the mean of the right and of the wrong moments counts beside the query's 1."""
_NOTHING = 1e-3  # of the lengths of what is summed: a sum that is rounding


def composed(summands: Sequence[tuple[FloatArray, float]], sample: FloatArray) -> FloatArray:
    """The unit vector [D] of weighted unit vectors, balanced over ``sample`` [N, D] of a memory.

    Raises:
        QueryError: they cancel each other out.
    """
    if len(summands) == 1 and summands[0][1] > 0:
        return summands[0][0]
    total = np.zeros(sample.shape[1], dtype=np.float64)
    gross = 0.0
    for vector, weight in summands:
        spread = float(np.std(sample @ vector)) if len(sample) > 1 else 1.0
        share = weight * vector.astype(np.float64) / max(spread, 1e-6)
        total += share
        gross += float(np.linalg.norm(share))
    if np.linalg.norm(total) < _NOTHING * gross:
        raise QueryError("what is asked for and what is taken away are the same: nothing is left")
    return unit(total)


def refined(
    query: FloatArray, right: FloatArray, wrong: FloatArray, sample: FloatArray
) -> FloatArray:
    """Rocchio's query: towards the marked moments ``right`` [R, D], away from ``wrong`` [W, D]."""
    summands = [(query, 1.0)]
    if len(right):
        summands.append((unit(right.mean(axis=0)), RIGHT))
    if len(wrong):
        summands.append((unit(wrong.mean(axis=0)), -WRONG))
    return composed(summands, sample)


def unit(vector: NDArray[np.floating]) -> FloatArray:
    """The vector at length 1; as it is where it has none."""
    length = float(np.linalg.norm(vector))
    return np.asarray(vector / length if length else vector, dtype=np.float32)
