"""Many vectors summed up by one, or by a few of them."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

_WEISZFELD_STEPS = 20


def robust_mean(frame_vectors: ArrayLike) -> NDArray[np.float32]:
    """One unit vector, float32[D], for the frames [F, D] of a scene; an odd frame does not decide.

    The geometric median (Weiszfeld 1937) of the rows, at unit length: up to half of the frames
    may be of something else. With one or two frames it is their mean.
    """
    frames = np.asarray(frame_vectors, dtype=np.float64)
    centre = frames.mean(axis=0)
    if len(frames) > 2:
        # The centre is a mix of the frames, so their products tell all distances.
        products = frames @ frames.T
        squares, shares = products.diagonal(), np.full(len(frames), 1 / len(frames))
        for _ in range(_WEISZFELD_STEPS):
            mixed = products @ shares
            # The floor keeps the shares finite when the centre falls upon a frame.
            shares = 1 / np.sqrt(np.maximum(squares - 2 * mixed + shares @ mixed, 1e-12))
            shares /= shares.sum()
        centre = shares @ frames
    norm = float(np.linalg.norm(centre))
    if norm < 1e-6:  # frames that cancel out: the first is as good as any
        centre, norm = frames[0], float(np.linalg.norm(frames[0]))
    return np.asarray(centre / max(norm, 1e-12), dtype=np.float32)


def farthest_first(
    frames: ArrayLike, vector: ArrayLike, count: int
) -> tuple[NDArray[np.intp], NDArray[np.float64]]:
    """Rows of ``frames`` [M, D] that cover them best, and what each tells beside those before it.

    The one nearest to ``vector`` [D] first, then ``count`` times in all the one farthest from those
    taken (k-centre greedy, Gonzalez 1985), so what is rare is kept and what repeats is dropped.
    What a row tells is its squared distance to the nearest of those before; infinite for the first.
    """
    points = np.asarray(frames, dtype=np.float32)
    count = min(count, len(points))
    rows, worths = np.zeros(count, dtype=np.intp), np.full(count, np.inf)
    if not count:
        return rows, worths
    rows[0] = np.argmax(points @ np.asarray(vector, dtype=np.float32))
    distances = np.full(len(points), np.inf)
    for place in range(1, count):
        last = points[rows[place - 1]]
        distances = np.minimum(distances, ((points - last) ** 2).sum(axis=1))
        distances[rows[place - 1]] = -1.0  # never again, even among equals
        rows[place] = np.argmax(distances)
        worths[place] = distances[rows[place]]
    return rows, worths


def worths(frames: ArrayLike, vector: ArrayLike) -> NDArray[np.float64]:
    """What each row of ``frames`` [M, D] tells, in the sense of `farthest_first`."""
    found = np.empty(len(np.asarray(frames)))
    rows, told = farthest_first(frames, vector, len(found))
    found[rows] = told
    return found


def thin(frames: ArrayLike, vector: ArrayLike, count: int) -> NDArray[np.intp]:
    """Rows of ``frames`` [M, D] to keep, at most ``count``, ascending: see `farthest_first`."""
    candidates = np.asarray(frames)
    if len(candidates) <= count:
        return np.arange(len(candidates))
    return np.sort(farthest_first(candidates, vector, count)[0])
