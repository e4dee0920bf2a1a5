"""Category-wise codes: vectors at a fraction of their bytes, searched as they are.

Three tiers code one another's rest: the expert of a category gives its mean, an entry codes how it
differs from that mean, and a frame how it differs from its decoded entry; `quantiser` says how a
rest becomes a code.

Axes: N entries, M frames, D length of a vector, K experts, B bytes of a code.
Numpy only: fitting is closed-form, and a search must not need torch.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_video.moe_experts.quantiser import Codes, FloatArray, Quantiser

MAX_EXPERTS = 256
"""A byte names an expert."""
CODE_FORMAT = 1
"""How codes are read. A change of levels, order of bits or tiers raises it: older codes would still
decode, to other vectors."""

_KEPT = ("back", "steps", "scales", "bits")
_OF_FRAMES = ("codes", "owners", "entry_codes", "experts", "lengths")
# Vectors decoded at once to measure them: bounds the memory.
_CHUNK = 4096
# Vectors that the mean of all counts for in the mean of a category.
_MEAN_SHRINKAGE = 4.0


@dataclass(frozen=True, slots=True, eq=False)
class CodedVectors:
    """The vectors of N entries and M frames as codes of B bytes, an expert for each entry."""

    entry_experts: NDArray[np.uint8]  # [N]
    entry_codes: Codes  # [N, B]
    frame_codes: Codes  # [M, B]

    @property
    def nbytes(self) -> int:
        """Bytes of everything."""
        return self.entry_experts.nbytes + self.entry_codes.nbytes + self.frame_codes.nbytes


@dataclass(frozen=True, slots=True, eq=False)
class ExpertCodec:
    """An expert for each category, and the quantisers of the two tiers below it.

    ``means`` float16[K, D] are the experts' means.
    """

    means: NDArray[np.float16]
    entries: Quantiser
    frames: Quantiser

    @classmethod
    def fit(
        cls,
        entry_vectors: FloatArray,
        entry_labels: NDArray[np.int64],
        frame_vectors: FloatArray,
        frame_entries: NDArray[np.int64],
        size: int,
        texts: FloatArray | None = None,
        local: float | None = None,
    ) -> ExpertCodec:
        """A codec of ``size`` bytes a vector.

        ``entry_vectors`` [N, D] with the category 0..K-1 of each in ``entry_labels`` [N];
        ``frame_vectors`` [M, D] of the entries ``frame_entries`` [M]. ``texts`` [V, D] is the bank
        that says what a search can see; without it all directions count alike. ``local``: see
        `Quantiser.fit`.
        """
        if size < 1:
            raise ValueError(f"a code needs at least 1 byte, not {size}")
        experts = int(entry_labels.max()) + 1
        if experts > MAX_EXPERTS:
            raise ValueError(f"a code names one of at most {MAX_EXPERTS} experts, not {experts}")
        overall = entry_vectors.mean(axis=0)
        sums = np.zeros((experts, entry_vectors.shape[1]), np.float64)
        np.add.at(sums, entry_labels, entry_vectors)
        counts = np.bincount(entry_labels, minlength=experts)[:, None]
        means = (sums + _MEAN_SHRINKAGE * overall) / (counts + _MEAN_SHRINKAGE)
        means = means.astype(np.float16)
        rests = entry_vectors - means[entry_labels].astype(np.float32)
        owners = entry_labels[frame_entries]
        # Frames lie as entries do, and there are more of them: fewer directions stay unseen.
        near = frame_vectors - means[owners].astype(np.float32)
        entries = Quantiser.fit(
            np.concatenate([rests, near]),
            np.concatenate([entry_labels, owners]),
            experts,
            size,
            texts,
            local,
        )
        decoded = means[entry_labels] + entries.decode(
            entries.encode(rests, entry_labels), entry_labels
        )
        rests = frame_vectors - decoded[frame_entries]
        return cls(means, entries, Quantiser.fit(rests, owners, experts, size, texts, local))

    @property
    def experts(self) -> int:
        """K."""
        return len(self.means)

    @property
    def bytes_per_vector(self) -> int:
        """Of an entry or a frame; an entry has one more, which names its expert."""
        return max(self.entries.bytes, self.frames.bytes)

    @property
    def nbytes(self) -> int:
        """Bytes of the experts themselves."""
        return sum(array.nbytes for array in self.arrays().values())

    def encode(
        self,
        entry_vectors: FloatArray,
        entry_labels: NDArray[np.int64],
        frame_vectors: FloatArray,
        frame_entries: NDArray[np.int64],
    ) -> CodedVectors:
        """Codes of vectors; the arguments are those of `fit`."""
        means = self.means[entry_labels].astype(np.float32)
        entry_codes = self.entries.encode(entry_vectors - means, entry_labels)
        decoded = means + self.entries.decode(entry_codes, entry_labels)
        rests = frame_vectors - decoded[frame_entries]
        return CodedVectors(
            entry_labels.astype(np.uint8),
            self._padded(entry_codes),
            self._padded(self.frames.encode(rests, entry_labels[frame_entries])),
        )

    def _padded(self, codes: Codes) -> Codes:
        return np.pad(codes, ((0, 0), (0, self.bytes_per_vector - codes.shape[1])))

    def route(self, entry_vectors: FloatArray) -> NDArray[np.int64]:
        """The expert [N] whose mean is nearest to each entry [N, D]."""
        means = self.means.astype(np.float32)
        half = np.einsum("kd,kd->k", means, means) / 2
        return np.asarray(np.argmax(entry_vectors @ means.T - half, axis=1))

    def decode(
        self, coded: CodedVectors, frame_entries: NDArray[np.int64]
    ) -> tuple[FloatArray, FloatArray]:
        """Entry vectors [N, D] and frame vectors [M, D] of unit length."""
        entries, frames = self.sums(coded, frame_entries)
        return unit_rows(entries), unit_rows(frames)

    def sums(
        self, coded: CodedVectors, frame_entries: NDArray[np.int64]
    ) -> tuple[FloatArray, FloatArray]:
        """What `decode` gives before lengths are made 1."""
        labels = coded.entry_experts.astype(np.int64)
        entries = self.means[labels] + self.entries.decode(coded.entry_codes, labels)
        rests = self.frames.decode(coded.frame_codes, labels[frame_entries])
        return entries, entries[frame_entries] + rests

    def arrays(self) -> dict[str, NDArray[Any]]:
        """Everything that has to be kept, by name; `from_arrays` is the inverse."""
        arrays: dict[str, NDArray[Any]] = {"means": self.means}
        for tier in ("entries", "frames"):
            quantiser: Quantiser = getattr(self, tier)
            for name in _KEPT:
                arrays[f"{tier}.{name}"] = getattr(quantiser, name)
        return arrays

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> ExpertCodec:
        """The codec that `arrays` described; what it codes anew, it codes by least squares."""
        tiers = {}
        for tier in ("entries", "frames"):
            kept: list[Any] = [arrays[f"{tier}.{name}"] for name in _KEPT]
            tiers[tier] = Quantiser(*kept)
        return cls(arrays["means"], **tiers)


@dataclass(frozen=True, slots=True, eq=False)
class CodedFrames:
    """Frames to be scored straight from their codes; no vector of length D is made.

    ``codes`` uint8[M, B] are those of the frames, ``owners`` int64[M] the entry of each,
    ``entry_codes`` uint8[N, B] and ``experts`` uint8[N] those of the entries, and ``lengths``
    float32[M] how long the decoded vectors would be.
    """

    codec: ExpertCodec
    codes: Codes
    owners: NDArray[np.int64]
    entry_codes: Codes
    experts: NDArray[np.uint8]
    lengths: FloatArray

    @classmethod
    def of(
        cls, codec: ExpertCodec, coded: CodedVectors, frame_entries: NDArray[np.int64]
    ) -> CodedFrames:
        """All frames of these codes, which belong to the entries ``frame_entries`` [M]."""
        lengths = np.ones(len(frame_entries), np.float32)
        for start in range(0, len(lengths), _CHUNK):
            some = slice(start, start + _CHUNK)
            own, entries = np.unique(frame_entries[some], return_inverse=True)
            part = CodedVectors(
                coded.entry_experts[own], coded.entry_codes[own], coded.frame_codes[some]
            )
            lengths[some] = np.linalg.norm(codec.sums(part, entries)[1], axis=1)
        return cls(
            codec,
            coded.frame_codes,
            frame_entries.astype(np.int64),
            coded.entry_codes,
            coded.entry_experts,
            np.maximum(lengths, 1e-12),
        )

    def __len__(self) -> int:
        return len(self.codes)

    def rows(self, order: NDArray[np.intp]) -> CodedFrames:
        """Some of the frames, in this order."""
        return replace(
            self, codes=self.codes[order], owners=self.owners[order], lengths=self.lengths[order]
        )

    def followed_by(self, other: CodedFrames) -> CodedFrames:
        """These frames, and then those of another film with the same codec."""
        return replace(
            self,
            codes=np.concatenate([self.codes, other.codes]),
            owners=np.concatenate([self.owners, other.owners + len(self.experts)]),
            entry_codes=np.concatenate([self.entry_codes, other.entry_codes]),
            experts=np.concatenate([self.experts, other.experts]),
            lengths=np.concatenate([self.lengths, other.lengths]),
        )

    def scores(self, queries: FloatArray, at: NDArray[np.intp]) -> FloatArray:
        """Cosines [Q, n] of the frames ``at`` [n] with unit queries [Q, D].

        A query is projected by the experts: what its product with an entry is comes from the
        expert's mean and the entry's code, and a frame's code adds to that.
        """
        codec = self.codec
        own, owners = np.unique(self.owners[at], return_inverse=True)
        experts = self.experts[own].astype(np.int64)
        entries = (queries @ codec.means.astype(np.float32).T)[:, experts]
        entries += codec.entries.products(self.entry_codes[own], experts, queries)
        frames = codec.frames.products(self.codes[at], experts[owners], queries)
        scores: FloatArray = (entries[:, owners] + frames) / self.lengths[at]
        return scores

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As arrays by name, for `from_arrays`."""
        own = {name: getattr(self, name) for name in _OF_FRAMES}
        return own | {f"codec.{name}": array for name, array in self.codec.arrays().items()}

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> CodedFrames:
        """The inverse of `arrays`."""
        codec = {
            name.removeprefix("codec."): array
            for name, array in arrays.items()
            if name.startswith("codec.")
        }
        own: dict[str, Any] = {name: arrays[name] for name in _OF_FRAMES}
        return cls(codec=ExpertCodec.from_arrays(codec), **own)


def unit_rows(vectors: FloatArray) -> FloatArray:
    """The rows [N, D] at length 1."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.asarray(vectors / np.maximum(lengths, 1e-12), dtype=np.float32)
