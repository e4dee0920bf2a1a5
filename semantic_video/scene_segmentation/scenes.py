"""Shots to scenes: what continues is joined by the vectors of its frames, long ones divided."""

from __future__ import annotations

from collections.abc import Collection, Sequence

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import SegmentationOptions, default_config
from semantic_video.records import Span

_EDGE_FRAMES = 3  # frames on each side of a boundary that are compared
_STEADY_LIKENESS = 0.95  # above it a long shot is divided evenly
_BASELINE_FRAMES = 256
_MAX_BASELINE = 0.7


def build_scenes(
    shots: Sequence[Span],
    frame_times: NDArray[np.float64],
    frame_vectors: NDArray[np.float32],
    options: SegmentationOptions | None = None,
    *,
    firm: Collection[float] = (),
    common: float | None = None,
) -> tuple[Span, ...]:
    """Join shots that continue one another and divide what is too long.

    Args:
        shots: the tiles of the timeline, in order.
        frame_times: times [F] of the encoded frames, in order.
        frame_vectors: their vectors [F, D], rows of unit length.
        options: thresholds; default as configured.
        firm: starts of shots that are never joined to the one before (``Segmentation.slides``).
        common: what any two frames of the film have in common, where these are not all of them.

    Returns:
        Scenes that tile the same timeline exactly, none longer than ``max_scene_s``.
    """
    options = options or default_config().segmentation
    frames = _Frames(frame_times, frame_vectors, common)
    return tuple(
        part
        for scene in _join(shots, frames, options, firm)
        for part in _divide(scene, frames, options.max_scene_s)
    )


def common_likeness(vectors: NDArray[np.float32]) -> float:
    """What any two of these unit vectors [N, D] have in common: their median cosine.

    It differs from model to model and film to film. In a film of one view everything is alike,
    hence the upper limit.
    """
    sample = vectors[:: max(1, len(vectors) // _BASELINE_FRAMES)]
    pairs = (sample @ sample.T)[np.triu_indices(len(sample), k=1)]
    return float(np.clip(np.median(pairs), 0.0, _MAX_BASELINE)) if len(pairs) else 0.0


class _Frames:
    """The encoded frames of a film, and how alike two neighbouring runs of them are."""

    def __init__(
        self, times: NDArray[np.float64], vectors: NDArray[np.float32], common: float | None
    ) -> None:
        self.times = times
        self._vectors = vectors
        self._baseline = common_likeness(vectors) if common is None else common

    def index(self, time_s: float) -> int:
        """Index of the first frame at or after ``time_s``."""
        return int(np.searchsorted(self.times, time_s))

    def likeness(self, start: int, middle: int, end: int) -> float:
        """How alike the last frames of [start, middle) and the first of [middle, end) are.

        1 for the same vectors, 0 for what any two frames of the film have in common; -1 where
        there are no frames.
        """
        before = self._vectors[max(start, middle - _EDGE_FRAMES) : middle]
        after = self._vectors[middle : min(end, middle + _EDGE_FRAMES)]
        if not len(before) or not len(after):
            return -1.0
        one, other = before.mean(axis=0), after.mean(axis=0)
        cosine = float(one @ other) / max(float(np.sqrt((one @ one) * (other @ other))), 1e-12)
        return (cosine - self._baseline) / (1.0 - self._baseline)


def _join(
    shots: Sequence[Span], frames: _Frames, options: SegmentationOptions, firm: Collection[float]
) -> list[Span]:
    scenes: list[Span] = []
    for shot in shots:
        if scenes and shot.start_s not in firm:
            before = scenes[-1]
            likeness = frames.likeness(*map(frames.index, (before.start_s, *shot)))
            fits = shot.end_s - before.start_s <= options.max_scene_s
            if fits and likeness >= options.merge_similarity:
                scenes[-1] = Span(before.start_s, shot.end_s)
                continue
        scenes.append(shot)
    return scenes


def _divide(scene: Span, frames: _Frames, max_scene_s: float) -> list[Span]:
    """Cut a scene that is too long where its frames change most, away from its ends."""
    if scene.duration_s <= max_scene_s:
        return [scene]
    margin_s = max_scene_s / 4
    start, end = frames.index(scene.start_s), frames.index(scene.end_s)
    first = max(start + 1, frames.index(scene.start_s + margin_s) + 1)
    last = min(end, frames.index(scene.end_s - margin_s))
    cut_s, least = (scene.start_s + scene.end_s) / 2, _STEADY_LIKENESS
    for place in range(first, last):
        likeness = frames.likeness(start, place, end)
        if likeness < least:
            cut_s, least = float(frames.times[place - 1] + frames.times[place]) / 2, likeness
    halves = (Span(scene.start_s, cut_s), Span(cut_s, scene.end_s))
    return [part for half in halves for part in _divide(half, frames, max_scene_s)]
