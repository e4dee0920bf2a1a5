"""Pictures framed anew at every step, so that no crop of them is learned by heart."""

from __future__ import annotations

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np
from numpy.typing import NDArray

from training.data import Picture, View, render


class FreshViews:
    """Renders rows of ``pictures``; the same seed gives the same pixels in the same order of calls.

    A view that is not random is framed as in the cache: whole.
    """

    def __init__(
        self, pictures: Sequence[Picture], views: Sequence[View], threads: int, seed: int
    ) -> None:
        self._pictures, self._views = pictures, views
        self._rng = np.random.default_rng([seed, 1])
        self._pool = ThreadPoolExecutor(threads)

    def pixels(self, rows: NDArray[np.int64], view: int) -> NDArray[np.uint8]:
        """uint8 [B, height, width, 3] of the pictures ``rows`` [B], in one of the views."""
        seeds = self._rng.integers(2**63, size=len(rows))
        framed = self._pool.map(
            lambda row, seed: render(
                self._pictures[row], self._views[view], np.random.default_rng(seed)
            ),
            rows.tolist(),
            seeds.tolist(),
        )
        return np.stack(list(framed))
