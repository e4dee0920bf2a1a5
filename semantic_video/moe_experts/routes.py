"""Which expert a vector goes to: by what it shows (ours), and the controls."""

from __future__ import annotations

from typing import Literal, get_args

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Route = Literal["semantic", "temporal", "random", "hash", "dense"]
ROUTES: tuple[Route, ...] = get_args(Route)


def route_labels(
    route: Route,
    vectors: FloatArray,
    times_s: NDArray[np.float64],
    centroids: FloatArray,
    seed: int = 0,
    end_s: float | None = None,
) -> NDArray[np.int64]:
    """The expert 0..K-1 of each of N vectors [N, D] shown at ``times_s`` [N], with K ``centroids``.

    ``semantic``: the nearest centroid. ``temporal``: the K-th of the film, up to ``end_s``.
    ``random``: by chance, ``seed`` says how. ``hash``: by the signs of 16 random projections, which
    is chance for the content but the same for the same vector (Roller 2021). ``dense``: the one
    there is.
    """
    count = len(centroids)
    if route == "semantic":
        return np.asarray(np.argmax(vectors @ centroids.T, axis=1))
    if route == "temporal":
        end = float(times_s.max()) if end_s is None else end_s
        return np.clip((times_s / max(end, 1e-9) * count).astype(np.int64), 0, count - 1)
    if route == "random":
        return np.random.default_rng(seed).integers(0, count, len(vectors))
    if route == "hash":
        planes = np.random.default_rng(seed).standard_normal((vectors.shape[1], 16))
        keys = (vectors @ planes > 0) @ (1 << np.arange(16))
        return np.asarray(keys * 2654435761 % 2**32 % count, dtype=np.int64)
    if route == "dense":
        return np.zeros(len(vectors), np.int64)
    raise ValueError(f"unknown route {route!r}: use one of {', '.join(ROUTES)}")
