"""Policies that merge neighbours in time that look alike."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
from numpy.typing import NDArray

from semantic_video.memory_hierarchy.policies.base import NeighbourMerging
from semantic_video.memory_hierarchy.pool import Pool


class AdjacentPlain(NeighbourMerging):
    """The most similar neighbours become their plain average.

    The memory consolidation of MovieChat (Song et al., "MovieChat: From Dense Token to Sparse
    Memory for Long Video Understanding", CVPR 2024).
    """

    name: ClassVar[str] = "adjacent-plain"
    plain: ClassVar[bool] = True

    def costs(self, pool: Pool, slots: NDArray[np.intp]) -> NDArray[np.float64]:
        vectors = pool.vectors[slots]
        return np.asarray(-np.einsum("nd,nd->n", vectors[1:], vectors[:-1]), dtype=np.float64)


class AdjacentWeighted(AdjacentPlain):
    """The most similar neighbours become their average, weighted by what each stands for.

    The memory bank compression of MA-LMM (He et al., "MA-LMM: Memory-Augmented Large Multimodal
    Model for Long-Term Video Understanding", CVPR 2024).
    """

    name: ClassVar[str] = "adjacent-weighted"
    plain: ClassVar[bool] = False
