"""The timeline of a memory at the resolution that its budget affords.

Every scene costs a span, so a video without end would fill any memory with spans alone. Above the
budget the cheapest boundaries go: a scene is absorbed by one beside it, where that tells the fewest
wrong seconds, weighted by how unlike the two are. Two scenes of one entry that touch cost nothing.
What occurs once is never absorbed, so nothing rare is lost, and the timeline stays tiled.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from semantic_video.records import SceneSpan

_TOUCHING_S = 1e-6


@dataclass(slots=True)
class Absorbed:
    """The outcome: the spans of each entry, and what it cost."""

    spans: list[list[SceneSpan]]
    seconds: float = 0.0
    boundaries: list[float] = field(default_factory=list)
    """When the boundaries were that are no more: one for each scene that was given up."""
    moved: list[tuple[SceneSpan, int, int]] = field(default_factory=list)
    """Scenes that another entry took over: (scene, entry it was of, entry that has it now)."""


def absorb(spans: list[list[SceneSpan]], vectors: NDArray[np.float32], limit: int) -> Absorbed:
    """Give up boundaries until at most ``limit`` scenes are left, but one for each entry at least.

    ``spans[i]`` are the scenes of entry i, ``vectors`` float32 [N, D] its vector at unit length.
    """
    pieces = sorted(
        ((span, entry) for entry, own in enumerate(spans) for span in own),
        key=lambda piece: (piece[0].start_s, piece[0].scene),
    )
    excess = len(pieces) - max(limit, len(spans))
    if excess <= 0:
        return Absorbed(spans)
    done = Absorbed([[] for _ in spans])
    counts = [len(own) for own in spans]
    for _ in range(excess):
        place, into = _cheapest(pieces, counts, vectors)
        span, entry = pieces[place]
        counts[entry] -= 1
        after = into is not None and into > place
        done.boundaries.append(span.end_s if after else span.start_s)
        if into is None:  # nothing touches it: a hole in the timeline is left
            done.seconds += span.end_s - span.start_s
            done.moved.append((span, entry, -1))
        else:
            other, owner = pieces[into]
            if owner != entry:
                done.seconds += span.end_s - span.start_s
                done.moved.append((span, entry, owner))
            longer = max(span, other, key=lambda one: one.end_s - one.start_s)
            scene = other.scene if owner != entry else longer.scene
            start_s, end_s = min(span.start_s, other.start_s), max(span.end_s, other.end_s)
            pieces[into] = SceneSpan(scene, start_s, end_s), owner
        del pieces[place]
    for span, entry in pieces:
        done.spans[entry].append(span)
    return done


def _cheapest(
    pieces: list[tuple[SceneSpan, int]], counts: list[int], vectors: NDArray[np.float32]
) -> tuple[int, int | None]:
    """Which piece to give up, and the piece beside it that takes it over."""
    starts = np.array([span.start_s for span, _ in pieces])
    ends = np.array([span.end_s for span, _ in pieces])
    owners = np.array([entry for _, entry in pieces])
    lengths = ends - starts
    spare = np.array(counts)[owners] > 1
    touching = np.abs(starts[1:] - ends[:-1]) <= _TOUCHING_S
    same = owners[1:] == owners[:-1]
    unlike = 1 - np.einsum("nd,nd->n", vectors[owners[1:]], vectors[owners[:-1]])
    unlike = np.where(same, 0.0, np.maximum(unlike, 1e-3))
    costs = np.full((2, len(pieces)), np.inf)  # taken over by the one before, by the one after
    costs[0, 1:] = np.where(touching & spare[1:], lengths[1:] * unlike, np.inf)
    costs[1, :-1] = np.where(touching & spare[:-1], lengths[:-1] * unlike, np.inf)
    side, place = np.unravel_index(int(np.argmin(costs)), costs.shape)
    if np.isfinite(costs[side, place]):
        return int(place), int(place) + (-1 if side == 0 else 1)
    return int(np.argmin(np.where(spare, lengths, np.inf))), None
