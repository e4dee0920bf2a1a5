"""Category-wise codes: vectors at a fraction of their bytes, searched as they are.

Three tiers code one another's rest: the expert of a category gives its mean, an entry codes how it
differs from that mean, and a frame how it differs from its decoded entry. The rest is turned into
the directions that matter, each quantised with as many bits as its variance earns (reverse
water-filling, Cover and Thomas 13.3) to the best levels for a normal distribution (Lloyd 1957,
Max 1960). What matters is measured in the metric of a bank of texts: an error across a direction
in which texts differ costs a search more than one that no text can see.

Axes: N entries, M frames, D length of a vector, K experts, R directions, B bytes of a code.
Numpy only: fitting is closed-form, and a search must not need torch.
"""

from __future__ import annotations

import heapq
from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cache
from statistics import NormalDist
from typing import Any

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Codes = NDArray[np.uint8]

MAX_BITS = 8
MAX_EXPERTS = 256
CODE_FORMAT = 1
"""How codes are read. A change of levels, order of bits or tiers raises it: older codes would still
decode, to other vectors."""
"""A byte names an expert."""

_KEPT = ("back", "steps", "scales", "bits")
_OF_FRAMES = ("codes", "owners", "entry_codes", "experts", "lengths")
# Vectors decoded at once to measure them: bounds the memory.
_CHUNK = 4096
# Vectors that the mean of all counts for in the mean of a category.
_MEAN_SHRINKAGE = 4.0
# How much every direction counts beside those of the texts, whose mean weight is 1.
_TEXT_FLOOR = 1.0


@dataclass(frozen=True, slots=True, eq=False)
class Quantiser:
    """Rests of vectors <-> codes of ``bytes`` bytes, by a basis for all or one for each expert.

    ``back`` int8[P, R, D] times ``steps`` float16[P, R] turns coefficients into a rest, and
    ``basis`` float32[P, D, R] a rest into coefficients; they differ where a metric weighs the
    directions. Without a basis, as a codec is kept, coefficients are those of least squares.
    ``scales`` float16[P, R] are the standard deviations and ``bits`` uint8[P, R] how many each
    takes. P is 1 (shared) or K.
    """

    back: NDArray[np.int8]
    steps: NDArray[np.float16]
    scales: NDArray[np.float16]
    bits: NDArray[np.uint8]
    basis: FloatArray | None = None

    @classmethod
    def fit(
        cls,
        rests: FloatArray,
        labels: NDArray[np.int64],
        experts: int,
        size: int,
        texts: FloatArray | None,
        local: float | None = None,
    ) -> Quantiser:
        """For ``rests`` [N, D] coded in ``size`` bytes.

        With ``local`` each expert has a basis of its own: the covariance of its rests, in which
        the covariance of all counts as so many vectors.
        """
        dimension = rests.shape[1]
        metric, inverse = _metric(texts, dimension)
        weighted = rests.astype(np.float64) @ metric
        pooled = weighted.T @ weighted / len(rests)
        covariances = [pooled]
        if local is not None:
            covariances = []
            for expert in range(experts):
                own = weighted[labels == expert]
                covariances.append((own.T @ own + local * pooled) / (len(own) + local))
        parts = [_directions(covariance, size * 8) for covariance in covariances]
        width = max(len(bits) for _, _, bits in parts)
        shape = (len(parts), width)
        basis, back = np.zeros((*shape, dimension)), np.zeros((*shape, dimension))
        scales, bits = np.zeros(shape), np.zeros(shape, np.uint8)
        for part, (axes, deviations, own_bits) in enumerate(parts):
            count = len(own_bits)
            basis[part, :count] = (metric @ axes).T
            back[part, :count] = (inverse @ axes).T
            scales[part, :count], bits[part, :count] = deviations, own_bits
        # In bytes the directions weigh half, and lose less than a code does.
        steps = np.maximum(np.abs(back).max(axis=2) / 127, 1e-6).astype(np.float16)
        return cls(
            np.clip(np.round(back / steps[:, :, None].astype(np.float64)), -127, 127).astype(
                np.int8
            ),
            steps,
            scales.astype(np.float16),
            bits,
            basis.transpose(0, 2, 1).astype(np.float32),
        )

    @property
    def directions(self) -> FloatArray:
        """What a coefficient of 1 stands for along each axis: float32[P, R, D]."""
        return np.asarray(self.back * self.steps.astype(np.float32)[:, :, None])

    @property
    def bytes(self) -> int:
        """Bytes of one code."""
        return -(-int(self.bits.sum(axis=1).max()) // 8)

    def encode(self, rests: FloatArray, labels: NDArray[np.int64]) -> Codes:
        """uint8[N, B] for rests [N, D] of the experts ``labels`` [N]."""
        codes = np.zeros((len(rests), self.bytes), np.uint8)
        basis = np.linalg.pinv(self.directions) if self.basis is None else self.basis
        for part, rows in self._parts(labels):
            coefficients = rests[rows] @ basis[part]
            columns = []
            for axis, bits in enumerate(self.bits[part]):
                if not bits:
                    continue
                levels = normal_levels(int(bits)) * np.float32(self.scales[part, axis])
                step = np.searchsorted((levels[1:] + levels[:-1]) / 2, coefficients[:, axis])
                columns.append(step[:, None] >> np.arange(bits)[::-1] & 1)
            if columns:
                packed = np.packbits(np.concatenate(columns, axis=1).astype(np.uint8), axis=1)
                codes[rows, : packed.shape[1]] = packed
        return codes

    def coefficients(self, codes: Codes, labels: NDArray[np.int64]) -> FloatArray:
        """What the codes say along each direction: float32[N, R]."""
        found = np.zeros((len(codes), self.bits.shape[1]), np.float32)
        for part, rows in self._parts(labels):
            axes = np.flatnonzero(self.bits[part])
            if not len(axes):
                continue
            widths = self.bits[part, axes].astype(np.int64)
            starts = np.cumsum(widths) - widths
            worth = 1 << np.concatenate([np.arange(width)[::-1] for width in widths])
            bits = np.unpackbits(codes[rows], axis=1)[:, : len(worth)]
            places = np.add.reduceat(bits * worth, starts, axis=1)  # [n, axes]
            levels = np.zeros((len(axes), 2 ** int(widths.max())), np.float32)
            for row, (axis, width) in enumerate(zip(axes, widths, strict=True)):
                levels[row, : 2**width] = normal_levels(int(width)) * np.float32(
                    self.scales[part, axis]
                )
            found[rows[:, None], axes] = levels[np.arange(len(axes)), places]
        return found

    def decode(self, codes: Codes, labels: NDArray[np.int64]) -> FloatArray:
        """The rests [N, D] as far as the codes tell."""
        coefficients = self.coefficients(codes, labels)
        rests = np.zeros((len(codes), self.back.shape[2]), np.float32)
        directions = self.directions
        for part, rows in self._parts(labels):
            rests[rows] = coefficients[rows] @ directions[part]
        return rests

    def products(self, codes: Codes, labels: NDArray[np.int64], queries: FloatArray) -> FloatArray:
        """Products [Q, N] of the rests with ``queries`` [Q, D], which are projected once."""
        coefficients = self.coefficients(codes, labels)
        found = np.zeros((len(queries), len(codes)), np.float32)
        directions = self.directions
        for part, rows in self._parts(labels):
            found[:, rows] = queries @ directions[part].T @ coefficients[rows].T
        return found

    def _parts(self, labels: NDArray[np.int64]) -> list[tuple[int, NDArray[np.intp]]]:
        if len(self.bits) == 1:
            return [(0, np.arange(len(labels)))]
        return [(int(part), np.flatnonzero(labels == part)) for part in np.unique(labels)]


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


@cache
def normal_levels(bits: int) -> FloatArray:
    """The 2**bits levels that quantise a standard normal variable with least squared error.

    Lloyd's iteration on the quantiles of the distribution itself; ascending.
    """
    count, points = 2**bits, 20001
    values = np.array([NormalDist().inv_cdf((i + 0.5) / points) for i in range(points)])
    # Companding (Panter and Dite 1951) is near the optimum already.
    levels = np.array([NormalDist(0, 3**0.5).inv_cdf((i + 0.5) / count) for i in range(count)])
    for _ in range(30):
        groups = np.searchsorted((levels[1:] + levels[:-1]) / 2, values)
        sums = np.bincount(groups, weights=values, minlength=count)
        sizes = np.bincount(groups, minlength=count)
        levels = np.where(sizes > 0, sums / np.maximum(sizes, 1), levels)
    return levels.astype(np.float32)


@cache
def _distortion(bits: int) -> float:
    """Mean squared error of `normal_levels` for a variance of 1."""
    if bits == 0:
        return 1.0
    points = 4001
    values = np.array([NormalDist().inv_cdf((i + 0.5) / points) for i in range(points)])
    levels = normal_levels(bits)
    nearest = levels[np.searchsorted((levels[1:] + levels[:-1]) / 2, values)]
    return float(((values - nearest) ** 2).mean())


def allocate_bits(variances: NDArray[np.float64], total: int) -> NDArray[np.uint8]:
    """How many of ``total`` bits each direction gets, so that the squared error is least.

    Greedy, a bit at a time to where it saves most, which is optimal here; at most `MAX_BITS` each.
    """
    bits = np.zeros(len(variances), np.uint8)
    saving = [_distortion(b) - _distortion(b + 1) for b in range(MAX_BITS)]
    heap = [(-variance * saving[0], axis) for axis, variance in enumerate(variances)]
    heapq.heapify(heap)
    for _ in range(total):
        if not heap:
            break
        gain, axis = heapq.heappop(heap)
        if gain >= 0:  # nothing left to tell
            break
        bits[axis] += 1
        if bits[axis] < MAX_BITS:
            heapq.heappush(heap, (-variances[axis] * saving[bits[axis]], axis))
    return bits


def _directions(
    covariance: NDArray[np.float64], total_bits: int
) -> tuple[NDArray[np.float64], NDArray[np.float64], NDArray[np.uint8]]:
    """Axes [D, R], deviations [R] and bits [R] of the directions that get any, largest first."""
    variances, axes = np.linalg.eigh(covariance)
    variances, axes = np.maximum(variances[::-1], 0), axes[:, ::-1]
    # Rounding is no variance: a single vector, or none, has nothing to tell.
    variances[variances < 1e-9] = 0
    bits = allocate_bits(variances, total_bits)
    kept = bits > 0
    return axes[:, kept], np.sqrt(variances[kept]), bits[kept]


def _metric(
    texts: FloatArray | None, dimension: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The symmetric root [D, D] of what errors cost, and its inverse."""
    if texts is None or not len(texts):
        return np.eye(dimension), np.eye(dimension)
    spread = texts.T.astype(np.float64) @ texts / len(texts)
    values, axes = np.linalg.eigh(
        spread * (dimension / np.trace(spread)) + _TEXT_FLOOR * np.eye(dimension)
    )
    root = np.sqrt(values)
    return (axes * root) @ axes.T, (axes / root) @ axes.T
