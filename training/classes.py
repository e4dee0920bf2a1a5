"""Features for classes nobody gave pictures of, from the pretrained classifier's weights.

A linear softmax classifier over features with one shared within-class covariance S has weights
w_c = S^-1 (m_c - m) (linear discriminant analysis), so S (w_c - mean w) points from the mean of
all features to the mean of class c. Adding what is left of a real picture's features when its own
classes are taken away gives a sample.
"""

from __future__ import annotations

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor


class ClassFeatures:
    """Draws features [N, 1280] for ImageNet classes."""

    def __init__(self, features: NDArray[np.float16], weight: Tensor, bias: Tensor):
        """``features`` float16 [M, 1280] of real pictures; ``weight`` [1000, 1280], ``bias``."""
        x = torch.from_numpy(features.astype(np.float32))
        self._x, self.mean = x, x.mean(0)
        self._probabilities = torch.softmax(x @ weight.T + bias, 1)
        centered = weight - weight.mean(0)
        directions = centered @ torch.cov(x.T)
        # Length of a class's step away from the mean: fitted on the pictures themselves.
        for _ in range(2):
            explained = self._probabilities @ directions
            step = ((x - self.mean) * explained).sum() / explained.square().sum()
            directions = directions * step
            residual = x - self.mean - self._probabilities @ directions
            directions = directions.norm() * _unit(centered @ torch.cov(residual.T))
        explained = self._probabilities @ directions
        step = ((x - self.mean) * explained).sum() / explained.square().sum()
        self.directions = directions * step
        self._residual = x - self.mean - self._probabilities @ self.directions

    def draw(self, classes: Tensor, generator: torch.Generator, noise: float = 1.0) -> Tensor:
        """Features [N, 1280] for int64 [N] classes."""
        pick = torch.randint(len(self._x), (len(classes),), generator=generator)
        drawn: Tensor = self.mean + self.directions[classes] + noise * self._residual[pick]
        return drawn.clamp(0, 6)


def _unit(x: Tensor) -> Tensor:
    unit: Tensor = x / x.norm()
    return unit
