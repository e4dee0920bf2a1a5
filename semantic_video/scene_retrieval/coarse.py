"""Which scenes of very many are worth a look, without looking at each.

Summaries are rotated to their principal axes, of which the first few keep their order nearly, one
byte each; these codes lie grouped by likeness (an inverted file, Sivic and Zisserman 2003). A query
reads the codes of the groups whose centres it is nearest to, and the full summaries of the best.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import RetrievalOptions
from semantic_video.scene_retrieval.rows import FloatArray, Rows

_AXES = 64
_READ_SHARE, _READ_LEAST = 0.15, 50_000
"""Of the codes, how many are read: recall against time (`benchmarks.search_scale`)."""
_SHORTLIST = 4
"""Times `probe_scenes`: of so many the full summaries are read."""
_CHUNK = 8192
_ROUNDS = 8
_LEARN_FROM = 65_536


@dataclass(frozen=True, slots=True)
class Coarse:
    """S scenes in G groups, by d principal axes of D dimensions."""

    mean: FloatArray  # [D] of the scenes' summaries
    covariance: FloatArray  # [D, D]
    axes: FloatArray  # [D, d] each as long as one step of its code
    centres: FloatArray  # [G, d] in steps
    group_scenes: NDArray[np.int64]  # [G + 1] where each group begins
    codes: NDArray[np.int8]  # [S, d] by group
    scenes: NDArray[np.int64]  # [S] whose code it is

    @classmethod
    def of(cls, rows: Rows) -> Coarse:
        """Made from the summaries; takes some seconds for a million."""
        count, dimension = len(rows.scene_entry), rows.entry_summary.shape[1]
        parts = [slice(start, start + _CHUNK) for start in range(0, count, _CHUNK)]
        total: NDArray[np.float64] = np.zeros(dimension)
        products: NDArray[np.float64] = np.zeros((dimension, dimension))
        for part in parts:
            own = rows.entry_summary[rows.scene_entry[part]]
            total += own.sum(axis=0, dtype=np.float64)
            products += (own.T @ own).astype(np.float64)
        mean: FloatArray = (total / count).astype(np.float32)
        covariance = products / count - np.outer(total / count, total / count)
        axes: FloatArray = np.linalg.eigh(covariance)[1][:, ::-1][:, :_AXES].astype(np.float32)

        def seen(scenes: NDArray[np.int64]) -> FloatArray:
            summaries = rows.entry_summary[rows.scene_entry[scenes]]
            return np.asarray((summaries - mean) @ axes, dtype=np.float32)

        every = np.arange(count)
        reach = np.max([np.abs(seen(every[part])).max(axis=0) for part in parts], axis=0)
        step = np.maximum(reach / 127, 1e-9).astype(np.float32)
        sample = every[:: max(1, -(-count // _LEARN_FROM))]
        # In the true scale: the steps of the axes differ.
        centres = _centres(seen(sample), int(count**0.5))
        codes = np.empty((count, axes.shape[1]), np.int8)
        group = np.empty(count, np.int64)
        for part in parts:
            own = seen(every[part])
            codes[part] = np.rint(own / step)
            group[part] = _nearest(own, centres)
        order = np.argsort(group, kind="stable")
        return cls(
            mean=mean,
            covariance=covariance.astype(np.float32),
            axes=axes * step,
            centres=centres / step,
            group_scenes=np.searchsorted(group[order], np.arange(len(centres) + 1)),
            codes=codes[order],
            scenes=order,
        )

    def usual(self, query: FloatArray) -> tuple[float, float]:
        """Mean and standard deviation of the summary scores of all scenes."""
        variance = float(query @ self.covariance @ query)
        return float(self.mean @ query), max(variance, 0.0) ** 0.5

    def likeliest(
        self, rows: Rows, query: FloatArray, options: RetrievalOptions
    ) -> NDArray[np.int64]:
        """The ``probe_scenes`` scenes with the best summaries, in order, but for a few missed."""
        shortlist = self._shortlist(query @ self.axes, _SHORTLIST * options.probe_scenes)
        scores = rows.entry_summary[rows.scene_entry[shortlist]] @ query
        return np.sort(shortlist[_best(scores, options.probe_scenes)])

    def _shortlist(self, place: FloatArray, count: int) -> NDArray[np.int64]:
        """The ``count`` best scenes by their codes, of the groups that are read."""
        sizes = np.diff(self.group_scenes)
        nearest = np.argsort(-(self.centres @ place), kind="stable")
        wanted = max(_READ_LEAST, int(_READ_SHARE * len(self.codes)), count)
        groups = int(np.searchsorted(np.cumsum(sizes[nearest]), wanted)) + 1
        scores, at = [], []
        for group in np.sort(nearest[:groups]).tolist():
            first, last = int(self.group_scenes[group]), int(self.group_scenes[group + 1])
            for start in range(first, last, _CHUNK):
                # In pieces that stay in the processor's cache while they become floats.
                piece = slice(start, min(start + _CHUNK, last))
                scores.append(self.codes[piece].astype(np.float32) @ place)
                at.append(self.scenes[piece])
        return np.concatenate(at)[_best(np.concatenate(scores), count)]


def _best(scores: FloatArray, count: int) -> NDArray[np.int64]:
    if len(scores) <= count:
        return np.arange(len(scores))
    return np.argpartition(scores, -count)[-count:]


def _centres(sample: FloatArray, count: int) -> FloatArray:
    """``count`` centres [count, d] of groups of a sample [n, d] (Lloyd 1982)."""
    centres = sample[np.random.default_rng(0).permutation(len(sample))[:count]]
    for _ in range(_ROUNDS):
        group = _nearest(sample, centres)
        order = np.argsort(group, kind="stable")
        own, first = np.unique(group[order], return_index=True)
        sums = np.add.reduceat(sample[order], first, axis=0)
        centres = centres.copy()
        centres[own] = sums / np.bincount(group, minlength=count)[own, None]
    return centres


def _nearest(vectors: FloatArray, centres: FloatArray) -> NDArray[np.int64]:
    """The nearest centre of each vector [n]."""
    half = np.einsum("cd,cd->c", centres, centres) / 2
    parts = [
        np.argmax(vectors[start : start + _CHUNK] @ centres.T - half, axis=1)
        for start in range(0, len(vectors), _CHUNK)
    ]
    return np.concatenate(parts)
