"""Rests of vectors as codes of a few bytes, so that a search loses least.

A rest is turned into the directions that matter, each quantised with as many bits as its variance
earns (reverse water-filling, Cover and Thomas 13.3) to the best levels for a normal distribution
(Lloyd 1957, Max 1960). What matters is measured in the metric of a bank of texts: an error across a
direction in which texts differ costs a search more than one that no text can see.

Axes: N rests, D length of a vector, K experts, P bases, R directions, B bytes of a code.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass
from functools import cache
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float32]
Codes = NDArray[np.uint8]

MAX_BITS = 8

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
