"""What a memory holds: scene entries and their exemplars, as arrays that store without loss."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semantic_video.memory_hierarchy.budget import CodeSize
from semantic_video.memory_hierarchy.vectors import robust_mean
from semantic_video.records import SceneSpan, Span


class Coder(Protocol):
    """Keeps the vectors of entries as codes, in fewer bytes."""

    @property
    def size(self) -> CodeSize:
        """What codes weigh."""
        ...

    def code(self, entries: SceneEntries) -> SceneEntries:
        """The same entries as far as their codes tell."""
        ...


@dataclass(frozen=True, slots=True, eq=False)
class SceneEntries:
    """Everything a memory holds of N entries with M exemplars, as arrays that store without loss.

    ``entry_vectors`` is float16[N, D] with rows of unit length, ``entry_weights`` float32[N] the
    seconds that an entry stands for, ``entry_spans`` the scenes of each entry in time order,
    ``exemplar_vectors`` float16[M, D], ``exemplar_times`` float64[M] seconds, and
    ``exemplar_entries`` int32[M] the row of the entry that an exemplar belongs to, ascending.
    The arrays are converted where needed and must not be written to afterwards. Where the vectors
    are kept as codes, they are what the `coder` decodes.
    """

    entry_vectors: NDArray[np.float16]
    entry_weights: NDArray[np.float32]
    entry_spans: tuple[tuple[SceneSpan, ...], ...]
    exemplar_vectors: NDArray[np.float16]
    exemplar_times: NDArray[np.float64]
    exemplar_entries: NDArray[np.int32]

    def __post_init__(self) -> None:
        for name, dtype in (
            ("entry_vectors", np.float16),
            ("entry_weights", np.float32),
            ("exemplar_vectors", np.float16),
            ("exemplar_times", np.float64),
            ("exemplar_entries", np.int32),
        ):
            object.__setattr__(self, name, np.asarray(getattr(self, name), dtype=dtype))
        entries, dimension = self.entry_vectors.shape
        exemplars = len(self.exemplar_times)
        if not entries:
            raise ValueError("a memory needs at least one entry")
        if self.entry_weights.shape != (entries,):
            raise ValueError(f"{entries} entry vectors need as many weights")
        if self.exemplar_vectors.shape != (exemplars, dimension):
            raise ValueError(f"{exemplars} exemplar times need vectors [{exemplars}, {dimension}]")
        self._check()

    def _check(self) -> None:
        """Raise `ValueError` where spans or owners do not belong to the entries."""
        entries, exemplars = len(self), len(self.exemplar_times)
        if len(self.entry_spans) != entries:
            raise ValueError(f"{entries} entry vectors need as many span lists")
        if not all(self.entry_spans):
            raise ValueError("every entry needs at least one span")
        owners = self.exemplar_entries
        if owners.shape != (exemplars,) or (np.diff(owners) < 0).any():
            raise ValueError("exemplar_entries must be ascending, one row number per exemplar")
        if exemplars and not 0 <= owners[0] <= owners[-1] < entries:
            raise ValueError(f"exemplar_entries must lie in 0..{entries - 1}")

    def __len__(self) -> int:
        return len(self.entry_weights)

    @property
    def coder(self) -> Coder | None:
        """What made the codes that are kept in place of vectors; None where vectors are kept."""
        return None

    @property
    def dimension(self) -> int:
        """D, the length of a vector."""
        return int(self.entry_vectors.shape[1])

    def exemplar_rows(self, entry: int) -> slice:
        """The rows of an entry's exemplars in the exemplar arrays."""
        low, high = np.searchsorted(self.exemplar_entries, [entry, entry + 1])
        return slice(int(low), int(high))

    @classmethod
    def from_scenes(
        cls,
        spans: Sequence[Span],
        frame_times: Sequence[NDArray[np.float64]],
        frame_vectors: Sequence[NDArray[np.float32]],
    ) -> SceneEntries:
        """One entry per scene, from the encoded frames of each scene.

        ``frame_times[i]`` is float64[F] and ``frame_vectors[i]`` float32[F, D] for the scene
        ``spans[i]``, F at least 1. Scenes are numbered in the order given; the entry's vector is
        the `robust_mean` of its frames and all frames are exemplars (`MemoryHierarchy.build` thins
        them).
        """
        return cls(
            entry_vectors=np.stack([robust_mean(vectors) for vectors in frame_vectors]),
            entry_weights=np.array([end - start for start, end in spans]),
            entry_spans=tuple((SceneSpan(i, *span),) for i, span in enumerate(spans)),
            exemplar_vectors=np.concatenate(frame_vectors),
            exemplar_times=np.concatenate(frame_times),
            exemplar_entries=np.repeat(np.arange(len(spans)), [len(t) for t in frame_times]),
        )
