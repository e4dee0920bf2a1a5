"""From scored scenes to intervals: a scene is divided, or joined with its neighbours, per query.

Cuts are not the borders of what was asked for. Along the timeline the scores of scenes and, within
a scene, of its frames form a curve. *Dividing*: where some frames that follow one another stand out
against the rest of their scene as far as scenes differ from one another, they are a part of their
own (the stretch of largest contrast, a change point at either end). *Joining*: from its best part
a moment floods to the neighbours (watershed) while they score nearly as well and look alike, so
that a subject kept through a cut is one moment and two subjects that score alike are two.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import RetrievalOptions
from semantic_video.scene_retrieval.rows import FloatArray, Rows
from semantic_video.scene_retrieval.scoring import frame_scores

# Fewer frames than this cannot tell a part from an odd frame.
_LEAST_FRAMES = 4
# Scenes whose frames are looked at together: bounds the memory.
_CHUNK = 4096


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of one scene: its interval, its score, and when it answers best."""

    scene: int
    start_s: float
    end_s: float
    score: float
    best_s: float


@dataclass(frozen=True, slots=True)
class Interval:
    """Parts that follow one another: a moment. ``peak`` is the best of them."""

    start_s: float
    end_s: float
    peak: Part


def parts(
    rows: Rows,
    query: FloatArray,
    scenes: NDArray[np.int64],
    scores: FloatArray,
    spread: float,
    options: RetrievalOptions,
) -> list[Part]:
    """The scenes [n] with their scores [n], in order, some of them divided.

    ``spread`` is the standard deviation of scores over the scenes of a video.
    """
    contrast = spread * options.divide_contrast
    divided: list[Part] = []
    for start in range(0, len(scenes), _CHUNK):
        some = slice(start, start + _CHUNK)
        times, values, bounds = frame_scores(rows, query, scenes[some])
        starts, ends = rows.scene_start[scenes[some]], rows.scene_end[scenes[some]]
        best, differing = (starts + ends) / 2, np.zeros(len(starts), dtype=np.bool_)
        counts = np.diff(bounds)
        held = np.flatnonzero(counts)
        if len(held):
            first = bounds[held]
            highest = np.maximum.reduceat(values, first)
            peaks = np.flatnonzero(values == np.repeat(highest, counts[held]))
            best[held] = times[peaks[np.searchsorted(peaks, first)]]
            differing[held] = highest - np.minimum.reduceat(values, first) >= contrast
            differing &= counts >= _LEAST_FRAMES
        wholes = map(Part, scenes[some].tolist(), starts.tolist(), ends.tolist(),
                     scores[some].tolist(), best.tolist())  # fmt: skip
        for whole, divide, (low, high) in zip(
            wholes, differing.tolist(), pairwise(bounds.tolist()), strict=True
        ):
            if divide:
                divided += _divide(whole, times[low:high], values[low:high], contrast, options)
            else:
                divided.append(whole)
    return divided


def join(
    rows: Rows, in_order: Sequence[Part], spread: float, options: RetrievalOptions
) -> Iterator[Interval]:
    """Moments, best first; every part belongs to exactly one.

    ``in_order`` holds parts by video and time.
    """
    count = len(in_order)
    score = np.array([part.score for part in in_order])
    joined = _alike(rows, in_order, options.join_likeness)  # [count + 1], with the one before
    depth = spread * options.join_depth
    taken = np.zeros(count, dtype=np.bool_)
    # Equal scores keep the order of the timeline, so that answers are repeatable.
    for peak in np.argsort(-score, kind="stable").tolist():
        if taken[peak]:
            continue
        first = last = peak
        taken[peak] = True
        while True:
            left, right = first - 1, last + 1
            levels = (
                score[left] if joined[first] and not taken[left] else -np.inf,
                score[right] if right < count and joined[right] and not taken[right] else -np.inf,
            )
            if max(levels) < score[peak] - depth:
                break
            if levels[0] >= levels[1]:
                first = left
                taken[left] = True
            else:
                last = right
                taken[right] = True
        yield Interval(in_order[first].start_s, in_order[last].end_s, in_order[peak])


def _alike(rows: Rows, in_order: Sequence[Part], likeness: float) -> NDArray[np.bool_]:
    """Whether each part, and one past the last, may join with the one before it."""
    joined = np.zeros(len(in_order) + 1, dtype=np.bool_)
    scene = np.array([part.scene for part in in_order], dtype=np.int64)
    touching = np.array(
        [abs(b.start_s - a.end_s) < 1e-6 for a, b in pairwise(in_order)],
        dtype=np.bool_,
    )
    touching &= rows.scene_video[scene[1:]] == rows.scene_video[scene[:-1]]
    touching &= scene[1:] != scene[:-1]  # what was divided stays divided
    at = np.flatnonzero(touching)
    joined[1 + at] = rows.likeness(scene[at], scene[at + 1]) >= likeness
    return joined


def _divide(
    scene: Part,
    times: NDArray[np.float64],
    values: FloatArray,
    contrast: float,
    options: RetrievalOptions,
) -> list[Part]:
    """A whole scene, in parts if some of its frames, with times [F] and scores [F], stand out."""
    start_s, end_s, score = scene.start_s, scene.end_s, scene.score
    first, last = _standing_out(values)
    inside = np.zeros(len(values), dtype=np.bool_)
    inside[first:last] = True
    if abs(values[inside].mean() - values[~inside].mean()) < contrast:
        return [scene]
    edges = [start_s, *(times[:-1] + times[1:]) / 2, end_s]
    bounds = sorted({0, first, last, len(values)})
    found = []
    for low, high in pairwise(bounds):
        own = values[low:high]
        # What supports the scene supports its parts; only the frames' share differs.
        level = np.sort(own)[-options.top_frames :].mean()
        usual = np.sort(values)[-options.top_frames :].mean()
        part_score = score + options.own_weight * float(level - usual)
        found.append(
            Part(
                scene.scene,
                float(edges[low]),
                float(edges[high]),
                part_score,
                float(times[low + int(np.argmax(own))]),
            )
        )
    return found


def _standing_out(values: FloatArray) -> tuple[int, int]:
    """First and past-last index of the run that differs most from the rest.

    The maximum over all runs of the difference of means by its standard error (the scan statistic
    of a change in mean with two change points; values are few, so all are looked at). A single
    frame may stand out upwards only: one odd frame does not end what goes on around it.
    """
    count = len(values)
    sums = np.concatenate([[0.0], np.cumsum(values, dtype=np.float64)])
    first, last = np.triu_indices(count + 1, k=1)
    length = last - first
    proper = length < count
    first, last, length = first[proper], last[proper], length[proper]
    inner = sums[last] - sums[first]
    difference = inner / length - (sums[-1] - inner) / (count - length)
    difference = np.where((difference < 0) & (length < 2), 0, np.abs(difference))
    best = int(np.argmax(difference * np.sqrt(length * (count - length) / count)))
    return int(first[best]), int(last[best])
