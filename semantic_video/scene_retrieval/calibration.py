"""How likely a score means that the moment is there at all.

Similarity has no absolute scale: it depends on the encoder, the film and the words. So a score is
judged three times over, as in the verification of speakers:

- against what *unrelated pictures* score for the same query (T-norm, Auckenthaler et al. 2000): a
  query that many pictures answer well proves nothing by a high score;
- against what *foreign texts* score in the same videos (Z-norm): the distribution of the best score
  of a query that does not belong. The threshold for "found" is its conformal quantile (Vovk et al.
  2005) at the rate of false alarms that the user accepts;
- by a logistic curve from that standard score to a probability, fitted on films composed of other
  pictures (``python -m training.calibration``).

Pictures cannot be encoded by an encoder that is not at hand, so only ``lite`` ships some vectors.
Others do without the first step until ``models references`` made such vectors of a user's own
pictures. The texts are encoded once for each encoder.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import options_hash
from semantic_video.encoders.base import ImageTextEncoder
from semantic_video.scene_retrieval.foreign_texts import foreign_texts
from semantic_video.scene_retrieval.rows import FloatArray

# Fitted by `training.calibration`.
SLOPE, INTERCEPT = 1.37, -1.91
"""Log-odds of a moment being right = SLOPE * standard score + INTERCEPT."""
CAUTION = 1.15
"""Real queries that do not belong score a little more widely than the texts made by rule."""
PICTURE_SHARE = 0.9
"""Of the level of unrelated pictures, how much is taken off a score."""

_BEST_PICTURES = 3
_PICTURE_QUERIES = 256
_SHIPPED = Path(__file__).with_name("references")

CachedArray = Callable[[str, str, Callable[[], NDArray[Any]]], NDArray[Any]]
"""As `Library.cached_array`: name, key, how to make it."""


@dataclass(frozen=True, eq=False)
class References:
    """What scores are judged against: vectors of one encoder.

    ``texts`` [T, D] are foreign texts; ``pictures`` [R, D] unrelated pictures, R may be 0. Rows
    have unit length.
    """

    texts: FloatArray
    pictures: FloatArray

    @classmethod
    def of(cls, encoder: ImageTextEncoder, cached: CachedArray) -> References:
        """Those of an encoder: shipped, made by the user, or texts alone, kept by ``cached``."""
        path = _SHIPPED / f"{encoder.fingerprint}.npz"
        if not path.exists():
            path = references_path(encoder)
        if path.exists():
            with np.load(path, allow_pickle=False) as stored:
                scale = stored["scale"].astype(np.float32)
                return cls(
                    stored["texts"].astype(np.float32),
                    stored["pictures"].astype(np.float32) * scale[:, None],
                )
        texts = foreign_texts()
        vectors = cached(
            "foreign-texts",
            options_hash(encoder.fingerprint, texts),
            lambda: encoder.encode_texts(texts).astype(np.float16),
        ).astype(np.float32)
        return cls(vectors, np.zeros((0, vectors.shape[1]), np.float32))

    def save(self, path: Path) -> None:
        """Keep them: pictures in int8 with a scale each, texts in float16."""
        scale = np.maximum(np.abs(self.pictures).max(axis=1), 1e-6) / 127
        path.parent.mkdir(parents=True, exist_ok=True)
        np.savez(
            path,
            texts=self.texts.astype(np.float16),
            pictures=np.rint(self.pictures / scale[:, None]).astype(np.int8),
            scale=scale.astype(np.float32),
        )

    def level(self, queries: FloatArray) -> NDArray[np.float64]:
        """What is taken off the scores of each query [Q, D] for what any picture scores: [Q]."""
        return self._level(queries @ self.pictures.T)

    def _level(self, scores: FloatArray) -> NDArray[np.float64]:
        count = scores.shape[1]
        if count <= _BEST_PICTURES:
            return np.zeros(len(scores))
        best = np.partition(scores, count - _BEST_PICTURES, axis=1)[:, -_BEST_PICTURES:]
        level: NDArray[np.float64] = PICTURE_SHARE * best.mean(axis=1, dtype=np.float64)
        return level

    @cached_property
    def picture_queries(self) -> FloatArray:
        """Some of the pictures, for what is asked by a picture."""
        return self.pictures[:: self._step]

    @cached_property
    def picture_levels(self) -> NDArray[np.float64]:
        """The levels of `picture_queries`, each among the other pictures."""
        scores = self.picture_queries @ self.pictures.T
        row = np.arange(len(scores))
        scores[row, row * self._step] = -1.0
        return self._level(scores)

    @property
    def _step(self) -> int:
        return max(1, len(self.pictures) // _PICTURE_QUERIES)


def references_path(encoder: ImageTextEncoder) -> Path:
    """Where the vectors lie that a user made for an encoder which ships none."""
    from semantic_video.encoders.hub import models_path

    return models_path() / "references" / f"{encoder.fingerprint}.npz"


@dataclass(frozen=True, eq=False)
class NullDistribution:
    """Best scores of queries that do not belong, in the videos that are searched.

    ``evidence`` [T] is the best score of each less its level, ascending.
    """

    evidence: NDArray[np.float64]

    @cached_property
    def centre(self) -> float:
        return float(self.evidence.mean())

    @cached_property
    def spread(self) -> float:
        return max(float(self.evidence.std()), 1e-6)

    def probability(self, evidence: NDArray[np.float64]) -> NDArray[np.float64]:
        """How likely moments with this evidence are right."""
        return _logistic(SLOPE * (evidence - self.centre) / self.spread + INTERCEPT)

    def threshold(self, false_accept_rate: float) -> float:
        """The evidence that a query which does not belong exceeds at this rate.

        The conformal quantile: the rank is rounded up over T + 1, so that the rate holds for finite
        T too, and widened by `CAUTION` about the median.
        """
        count = len(self.evidence)
        rank = min(int(np.ceil((1 - false_accept_rate) * (count + 1))), count) - 1
        # The median of what is in order: numpy's own costs a cold search a tenth of a second.
        middle = float(self.evidence[(count - 1) // 2] + self.evidence[count // 2]) / 2
        return middle + CAUTION * (float(self.evidence[max(rank, 0)]) - middle)


def standing_out(scores: NDArray[np.float64]) -> NDArray[np.float64]:
    """Probabilities where there is nothing to judge against but the scenes themselves.

    ``scores`` are in standard deviations of the scores of all scenes. A makeshift: what stands out
    in a film need not be what was asked for.
    """
    return _logistic(2 * (scores - 2.5))


def _logistic(odds: NDArray[np.float64]) -> NDArray[np.float64]:
    probabilities: NDArray[np.float64] = 1 / (1 + np.exp(-np.clip(odds, -50, 50)))
    return probabilities
