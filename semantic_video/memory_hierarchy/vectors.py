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


def farthest_first(vectors: ArrayLike, count: int, first: int) -> NDArray[np.intp]:
    """Rows of ``vectors`` [M, D] that cover them best, ascending: k-centre greedy (Gonzalez 1985).

    Starts at the row ``first`` and takes, ``count`` times in all, the row farthest from those
    taken, so what is rare is kept and what repeats is dropped.
    """
    points = np.asarray(vectors, dtype=np.float32)
    if count >= len(points):
        return np.arange(len(points))
    taken = [first]
    distances = np.linalg.norm(points - points[first], axis=1)
    while len(taken) < count:
        distances[taken[-1]] = -1.0  # never again, even among equals
        farthest = int(np.argmax(distances))
        taken.append(farthest)
        distances = np.minimum(distances, np.linalg.norm(points - points[farthest], axis=1))
    return np.sort(np.array(taken))


def worths(frames: ArrayLike, vector: ArrayLike) -> NDArray[np.float64]:
    """What each row of ``frames`` [M, D] adds to ``vector`` [D] and to the rows worth more.

    The squared distance to the nearest of these, where the farthest row comes first (Gonzalez
    1985), so that rows in order of their worth are those of k-centre greedy.
    """
    points = np.asarray(frames, dtype=np.float32)
    found = np.zeros(len(points))
    distances = ((points - np.asarray(vector, dtype=np.float32)) ** 2).sum(axis=1)
    left = np.ones(len(points), dtype=np.bool_)
    for _ in range(len(points)):
        row = int(np.argmax(np.where(left, distances, -1.0)))
        found[row], left[row] = distances[row], False
        distances = np.minimum(distances, ((points - points[row]) ** 2).sum(axis=1))
    return found


def thin(frames: ArrayLike, vector: ArrayLike, count: int) -> NDArray[np.intp]:
    """Rows of ``frames`` [M, D] to keep, at most ``count``, ascending.

    The one nearest to ``vector`` [D] first, then those farthest from what is kept.
    """
    candidates = np.asarray(frames, dtype=np.float32)
    if len(candidates) <= count:
        return np.arange(len(candidates))
    nearest = int(np.argmax(candidates @ np.asarray(vector, dtype=np.float32)))
    return farthest_first(candidates, count, first=nearest)
