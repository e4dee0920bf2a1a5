"""What a new scene returns from: the nearest of what was seen before, when, and how sure that is.

Whether a scene shows again what an earlier one showed is a question of likeness beyond what any two
scenes of the video have in common. The sureness is a logistic function of that likeness, fitted on
scenes whose subjects are known (see the experiment log).
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semantic_video.memory_hierarchy.budget import RETURNS_PER_SCENE
from semantic_video.records import Return, SceneSpan
from semantic_video.scene_segmentation import common_likeness

LEAST_SURE = 0.5
"""Below it a scene counts as new."""

_SLOPE, _MIDDLE = 9.3, 0.61
_CHUNK = 512


def sureness(likeness: ArrayLike) -> NDArray[np.float64]:
    """How sure it is, 0 to 1, that two scenes of this likeness show the same."""
    values = np.asarray(likeness, dtype=np.float64)
    return np.asarray(1 / (1 + np.exp(-_SLOPE * (values - _MIDDLE))))


def likeness(cosine: ArrayLike, common: float) -> NDArray[np.float64]:
    """Cosines beyond ``common``, what any two scenes share: 1 for the same, 0 for any two."""
    return np.asarray((np.asarray(cosine, dtype=np.float64) - common) / (1 - common))


def find_returns(spans: list[SceneSpan], vectors: NDArray[np.float32]) -> tuple[Return, ...]:
    """For each scene the nearest earlier ones that it is likely to show again, surest first.

    ``spans`` are scenes in order of time, ``vectors`` float32 [N, D] theirs with unit rows. A scene
    that touches the one before only goes on; it does not return.
    """
    common = common_likeness(vectors)
    found: list[Return] = []
    for first in range(0, len(spans), _CHUNK):
        block = vectors[first : first + _CHUNK]
        sure = sureness(likeness(block @ vectors[: first + len(block)].T, common))
        for offset, row in enumerate(sure):
            scene = first + offset
            earlier = row[: max(0, scene - 1)]  # not the one just before
            best = np.argsort(-earlier, kind="stable")[:RETURNS_PER_SCENE]
            found += [
                Return(spans[scene].scene, spans[j].scene, spans[j].end_s, round(float(row[j]), 4))
                for j in best
                if row[j] >= LEAST_SURE
            ]
    return tuple(found)
