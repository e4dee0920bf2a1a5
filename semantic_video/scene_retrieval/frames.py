"""Frame vectors of many films: as they are, or as the codes of their film's experts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    from semantic_video.moe_experts.codec import CodedFrames

FloatArray = NDArray[np.float32]
HalfArray = NDArray[np.float16]


@dataclass(frozen=True, slots=True)
class MixedFrames:
    """Frames of films one after another, where some keep codes: blocks of one kind each.

    ``bounds`` int64[P + 1] are the rows at which the blocks begin.
    """

    blocks: Sequence[HalfArray | CodedFrames]
    bounds: NDArray[np.int64]

    def scores(self, queries: FloatArray, at: NDArray[np.intp]) -> FloatArray:
        """Cosines [Q, n] of the frames ``at`` [n] with unit queries [Q, D]."""
        found = np.empty((len(queries), len(at)), np.float32)
        block = np.searchsorted(self.bounds, at, side="right") - 1
        for number in np.unique(block).tolist():
            own = np.flatnonzero(block == number)
            rows = at[own] - self.bounds[number]
            found[:, own] = _products(self.blocks[number], queries, rows)
        return found

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As arrays by name, for `from_arrays`."""
        found: dict[str, NDArray[Any]] = {"bounds": self.bounds}
        for number, block in enumerate(self.blocks):
            own = {"vectors": block} if isinstance(block, np.ndarray) else block.arrays()
            found |= {f"{number}.{name}": array for name, array in own.items()}
        return found

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> MixedFrames:
        """The inverse of `arrays`."""
        from semantic_video.moe_experts.codec import CodedFrames

        parts: list[dict[str, NDArray[Any]]] = [{} for _ in arrays["bounds"][1:]]
        for name, array in arrays.items():
            number, _, own = name.partition(".")
            if own:
                parts[int(number)][own] = array
        blocks = [
            part["vectors"] if "vectors" in part else CodedFrames.from_arrays(part)
            for part in parts
        ]
        return cls(blocks, arrays["bounds"])


Frames = HalfArray | MixedFrames
"""Float16 vectors [M, D] where no film keeps codes."""


def gather_frames(films: Sequence[HalfArray | CodedFrames]) -> Frames:
    """The frames of these films, one after another."""
    blocks: list[HalfArray | CodedFrames] = []
    plain: list[HalfArray] = []
    for film in films:
        if isinstance(film, np.ndarray):
            plain.append(film)
            continue
        if plain:
            blocks.append(np.concatenate(plain))
            plain = []
        last = blocks[-1] if blocks else None
        if last is not None and not isinstance(last, np.ndarray) and last.codec is film.codec:
            blocks[-1] = last.followed_by(film)
        else:
            blocks.append(film)
    if len(plain) == len(films):
        return np.concatenate(plain)
    if plain:
        blocks.append(np.concatenate(plain))
    return MixedFrames(blocks, np.cumsum([0, *map(len, blocks)]))


def frame_products(frames: Frames, queries: FloatArray, at: NDArray[np.intp]) -> FloatArray:
    """Cosines [Q, n] of the frames ``at`` [n] with unit queries [Q, D]."""
    if isinstance(frames, MixedFrames):
        return frames.scores(queries, at)
    return _products(frames, queries, at)


def _products(
    frames: HalfArray | CodedFrames, queries: FloatArray, at: NDArray[np.intp]
) -> FloatArray:
    if isinstance(frames, np.ndarray):
        products: FloatArray = queries @ frames[at].astype(np.float32).T
        return products
    return frames.scores(queries, at)
