"""Ways between boxes on a page: bent so that an arrow runs over as little as may be."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_BENDS = tuple(side * step / 20 for step in range(2, 15) for side in (1, -1))
"""How far the middle of a way is pushed aside, as a share of its length; the first is likeliest."""
_SAMPLES = 200
_MOST_COVERED = 0.3
_LEAST_IN = 0.12
"""A shorter arrow is nothing but its head."""
_CROWDED = 0.3
"""What running along another way costs, beside running over a picture."""
_NEAR_IN = 0.08


@dataclass(frozen=True, slots=True)
class Way:
    """A curve from the edge of one box to the edge of another: three points [3, 2] of a parabola.

    ``covered`` is the share of it that runs over other boxes.
    """

    points: FloatArray
    covered: float


def ways(
    boxes: FloatArray, names: FloatArray, pairs: Sequence[tuple[int, int]], most: int
) -> list[Way | None]:
    """A way for each pair of rows of ``boxes`` [N, 4] (left, top, right, bottom), in turn.

    None runs over any of ``names`` [M, 4], which nobody could read any more. None is given for a
    pair whose every way would run over boxes for much of its length, and for all that follow when
    ``most`` are found.
    """
    found: list[Way | None] = []
    drawn = np.empty((0, 2))
    count = 0
    for start, end in pairs:
        way = _best(boxes, names, start, end, drawn) if count < most else None
        found.append(way)
        if way is not None:
            count += 1
            drawn = np.concatenate([drawn, _curve(way.points)])
    return found


def _best(
    boxes: FloatArray, names: FloatArray, start: int, end: int, drawn: FloatArray
) -> Way | None:
    others = np.delete(boxes, [start, end], axis=0)
    best: tuple[float, Way] | None = None
    for bend in _BENDS:
        points = _between(boxes[start], boxes[end], bend)
        if points is None:
            continue
        curve = _curve(points)
        covered = float(_inside(curve, others).mean())
        near = np.abs(curve[:, None] - drawn[None]).max(axis=2, initial=0.0) < _NEAR_IN
        crowded = float(near.any(axis=1).mean())
        cost = covered + _CROWDED * crowded + 0.3 * abs(bend)
        free = covered <= _MOST_COVERED and not _inside(curve, names).any()
        if free and (best is None or cost < best[0] - 1e-9):
            best = cost, Way(points, covered)
    return best[1] if best is not None else None


def _between(one: FloatArray, other: FloatArray, bend: float) -> FloatArray | None:
    """The part outside both boxes of a parabola between their middles; None where hardly any."""
    first, last = (one[:2] + one[2:]) / 2, (other[:2] + other[2:]) / 2
    along = last - first
    aside = np.array([-along[1], along[0]])
    points = np.stack([first, (first + last) / 2 + bend * aside, last])
    curve = _curve(points)
    free = np.flatnonzero(~_inside(curve, np.stack([one, other])))
    if len(free) < 2:
        return None
    shares = np.linspace(0.0, 1.0, _SAMPLES)[[free[0], free[-1]]]
    kept = _part(points, float(shares[0]), float(shares[1]))
    return kept if np.linalg.norm(kept[2] - kept[0]) >= _LEAST_IN else None


def _curve(points: FloatArray) -> FloatArray:
    """Places [S, 2] along a parabola."""
    return _at(points, np.linspace(0.0, 1.0, _SAMPLES))


def _at(points: FloatArray, shares: FloatArray) -> FloatArray:
    t = shares[:, None]
    places: FloatArray = (1 - t) ** 2 * points[0] + 2 * t * (1 - t) * points[1] + t**2 * points[2]
    return places


def _part(points: FloatArray, start: float, end: float) -> FloatArray:
    """The same parabola from one share of it to another (de Casteljau)."""
    first, last = _at(points, np.array([start, end]))
    before = (1 - start) * points[0] + start * points[1]
    after = (1 - start) * points[1] + start * points[2]
    return np.stack([first, (1 - end) * before + end * after, last])


def _inside(places: FloatArray, boxes: FloatArray) -> NDArray[np.bool_]:
    """Which of the places [S, 2] lie in any of the boxes [N, 4]."""
    within = (places[:, None] >= boxes[None, :, :2]) & (places[:, None] <= boxes[None, :, 2:])
    return np.asarray(np.logical_and.reduce(within, axis=2).any(axis=1), dtype=np.bool_)
