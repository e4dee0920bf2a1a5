"""What our memory is measured against: the methods of others, each a small class.

    python -m experiments.baselines --video FILM --manifest LABELS.json --out DIR

All see the same frames of the same encoder, answer the same queries, and keep no more bytes than
the same budget, counted as the product counts its own. Frames are encoded once and kept in DIR, so
another run takes a minute or two; a row that is there is not run again. Writes DIR/baselines.json.

Those that only find frames answer with the stretch around a frame, `REACH_S` to either side at
most, or as far as their source says. None of them says whether something is there at all; for
`absent_auroc` their score stands in.
"""

from __future__ import annotations

import argparse
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar, Self

import numpy as np
from numpy.typing import NDArray

from experiments.figures import Found, K
from experiments.film_vectors import FilmFrames, second_frames
from experiments.manifest import ManifestError
from experiments.rows import Bench, Rows, at_least_one, finish
from semantic_video.errors import SemanticVideoError
from semantic_video.memory_hierarchy import POLICIES, Budget, MemoryHierarchy, MemoryStream
from semantic_video.memory_hierarchy.budget import SPAN_BYTES
from semantic_video.records import Span
from semantic_video.scene_retrieval import SceneRetriever
from semantic_video.semantic_clustering import SemanticClustering

REACH_S = 3.0
BUDGETS_KB: tuple[int | None, ...] = (32, 64, 128, 256, 512, None)
"""Kilobytes (1000 bytes) of vectors and spans; None is what a method keeps if nobody asks."""
SEEDS = 5

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True, eq=False)
class Held:
    """What a method keeps of a film: vectors [N, D] as float16, each with where it is shown."""

    vectors: FloatArray
    spans: tuple[tuple[Span, ...], ...]

    @property
    def nbytes(self) -> int:
        """As `Budget.entry_bytes` counts: numbers of two bytes, a span as the product stores it."""
        return 2 * self.vectors.size + SPAN_BYTES * sum(map(len, self.spans))

    def ranked(self, query: FloatArray, k: int) -> list[tuple[Span, float]]:
        """The ``k`` best spans that do not overlap, by their vectors' scores."""
        scores = self.vectors @ query
        found: list[tuple[Span, float]] = []
        for row in np.argsort(-scores, kind="stable").tolist():
            for span in self.spans[row]:
                if all(span.end_s <= o.start_s or span.start_s >= o.end_s for o, _ in found):
                    found.append((span, float(scores[row])))
                if len(found) == k:
                    return found
        return found


class Baseline(ABC):
    """A method: `fit` it to a film within a budget of bytes, then `search`."""

    name: ClassVar[str]
    source: ClassVar[str]
    random: ClassVar[bool] = False
    """Whether the seed matters."""

    nbytes: int
    """What it keeps of the film."""

    @abstractmethod
    def fit(self, film: FilmFrames, budget: int | None, seed: int) -> Self:
        """Keep what fits into ``budget`` bytes; None for no limit."""

    @abstractmethod
    def search(self, query: FloatArray, k: int = K) -> list[tuple[Span, float]]:
        """The ``k`` best intervals for a unit vector [D], best first, with their scores."""


class _Keeping(Baseline):
    """Ranks what it keeps by its vectors."""

    held: Held

    @property
    def nbytes(self) -> int:  # type: ignore[override]
        return self.held.nbytes

    def search(self, query: FloatArray, k: int = K) -> list[tuple[Span, float]]:
        return self.held.ranked(query, k)


class DenseFrames(_Keeping):
    """One frame a second; the film is cut where neighbours differ most, and a piece scores the mean
    of its three best frames. Theirs cut into eight pieces a result; here into as many as there are
    shots, which is better for them."""

    name = "dense 1 fps, mean of the best 3"
    source = "framesieve 0.2 (github.com/AyushExel/framesieve): index.cut_into, pooling.topk_mean"

    def fit(self, film: FilmFrames, budget: int | None, seed: int) -> Self:
        rows = _spread(len(film.times_s), _frames_within(film, budget))
        self.held = Held(film.vectors[rows], _stretches(film, rows))
        likeness = (self.held.vectors[1:] * self.held.vectors[:-1]).sum(axis=1)
        pieces = min(len(film.shots), len(rows))
        self._starts = np.sort(np.append(0, 1 + np.argsort(likeness)[: pieces - 1]))
        return self

    def search(self, query: FloatArray, k: int = K) -> list[tuple[Span, float]]:
        scores = self.held.vectors @ query
        ends = np.append(self._starts[1:], len(scores))
        pooled = [
            np.sort(scores[start:end])[-3:].mean()
            for start, end in zip(self._starts, ends, strict=True)
        ]
        best = np.argsort(-np.array(pooled), kind="stable")[:k]
        spans = self.held.spans
        return [
            (
                Span(spans[self._starts[one]][0].start_s, spans[ends[one] - 1][0].end_s),
                float(pooled[one]),
            )
            for one in best
        ]


class UniformFrames(_Keeping):
    """So many frames at equal distances, as most video language models see a film."""

    source = "common practice, such as LLaVA-Video with 8 to 128 frames"
    count: ClassVar[int]

    def fit(self, film: FilmFrames, budget: int | None, seed: int) -> Self:
        rows = _spread(len(film.times_s), min(self.count, _frames_within(film, budget)))
        self.held = Held(film.vectors[rows], _stretches(film, rows))
        return self


class Uniform8(UniformFrames):
    """8 of them."""

    name = "uniform, 8 frames"
    count = 8


class Uniform32(UniformFrames):
    """32 of them."""

    name = "uniform, 32 frames"
    count = 32


class Uniform128(UniformFrames):
    """128 of them."""

    name = "uniform, 128 frames"
    count = 128


class ShotKeyframes(_Keeping):
    """The middle frame of every shot; within a budget, of the longest shots."""

    name = "a key frame a shot"
    source = "common practice, such as PySceneDetect's save-images and CLIP"

    def fit(self, film: FilmFrames, budget: int | None, seed: int) -> Self:
        room = _frames_within(film, budget)
        longest = sorted(film.shots, key=lambda shot: -shot.duration_s)[:room]
        shots = sorted(longest)
        middles = np.array([(shot.start_s + shot.end_s) / 2 for shot in shots])
        rows = np.abs(film.times_s[None] - middles[:, None]).argmin(axis=1)
        self.held = Held(film.vectors[rows], tuple((shot,) for shot in shots))
        return self


class HashGated(_Keeping):
    """A frame is kept if its block hash differs in more than 4 of 64 bits from the last one kept;
    hits less than 4 s apart are one. Within a budget, fewer differences count. Theirs merges ten
    hits; here fifty, so that ten intervals are left."""

    name = "hash-gated, adjacent hits merged"
    source = "amon-hen (github.com/flxhrdyn/amon-hen): AdaptiveSampler, merge_hits"
    gap_s: ClassVar[float] = 4.0
    hits: ClassVar[int] = 50

    def fit(self, film: FilmFrames, budget: int | None, seed: int) -> Self:
        room = _frames_within(film, budget)
        rows = next(rows for bits in range(4, 65) if len(rows := _gated(film, bits)) <= room)
        self.held = Held(film.vectors[rows], _stretches(film, rows, reach_s=0.5))
        return self

    def search(self, query: FloatArray, k: int = K) -> list[tuple[Span, float]]:
        hits = sorted(self.held.ranked(query, self.hits))
        merged = [hits[0]]
        for span, score in hits[1:]:
            last, best = merged[-1]
            if span.start_s - last.end_s <= self.gap_s - 1:
                merged[-1] = (Span(last.start_s, span.end_s), max(best, score))
            else:
                merged.append((span, score))
        return sorted(merged, key=lambda one: -one[1])[:k]


class TemporalMemory(_Keeping):
    """A memory of fixed size over the frames of every second: where it is full, the two neighbours
    in time that look most alike become one."""

    policy: ClassVar[str]

    def fit(self, film: FilmFrames, budget: int | None, seed: int) -> Self:
        size = len(film.times_s)
        if budget is not None:
            size = min(size, budget // (2 * film.vectors.shape[1] + SPAN_BYTES))
        spans = -(-len(film.times_s) // size) + 1
        limits = Budget(film.vectors.shape[1], size, 1, spans)
        stream = MemoryStream(limits, POLICIES[self.policy](seed))
        own = _stretches(film, np.arange(len(film.times_s)), reach_s=0.5)
        for (span,), time_s, vector in zip(own, film.times_s, film.vectors, strict=True):
            stream.add(span, [time_s], vector[None])
        entries = stream.entries()
        self.held = Held(
            entries.entry_vectors.astype(np.float32),
            tuple(
                (Span(own[0].start_s, max(one.end_s for one in own)),)
                for own in entries.entry_spans
            ),
        )
        return self


class PlainMerging(TemporalMemory):
    """Merged into their plain average."""

    name = "temporal memory, plain merging"
    source = "MovieChat (Song et al., CVPR 2024): memory consolidation"
    policy = "adjacent-plain"


class WeightedMerging(TemporalMemory):
    """Merged into their average, weighted by what each stands for."""

    name = "temporal memory, weighted merging"
    source = "MA-LMM (He et al., CVPR 2024): memory bank compression"
    policy = "adjacent-weighted"


class QueryTree(_Keeping):
    """All frames are kept and grouped when a query comes: k-means, with twice as many clusters as
    long as fewer than four are relevant (from 4 to 32); a relevant cluster is divided in five, a
    very relevant one once more. The frames nearest to the middles answer. Theirs asks a language
    model how relevant a caption is; here a middle is relevant if its score is in the upper tenth
    of all frames, very if in the upper twentieth."""

    name = "adaptive-breadth tree at query time"
    source = "VideoTree (Wang et al., CVPR 2025): adaptive breadth and depth expansion"
    random = True
    breadths: ClassVar[tuple[int, ...]] = (4, 8, 16, 32)
    enough: ClassVar[int] = 4
    branches: ClassVar[int] = 5

    def fit(self, film: FilmFrames, budget: int | None, seed: int) -> Self:
        rows = _spread(len(film.times_s), _frames_within(film, budget))
        self.held = Held(film.vectors[rows], _stretches(film, rows))
        self._seed = seed
        self._breadth = cache(self._grouped)
        self._depth = cache(self._divided)
        return self

    def search(self, query: FloatArray, k: int = K) -> list[tuple[Span, float]]:
        scores = self.held.vectors @ query
        very, fairly = np.quantile(scores, [0.95, 0.9])
        for breadth in self.breadths:
            groups = self._breadth(min(breadth, len(scores)))
            middles = np.array([self._middle(group) for group in groups])
            if (scores[middles] >= very).sum() >= self.enough:
                break
        chosen = set(middles.tolist())
        for group, middle in zip(groups, middles.tolist(), strict=True):
            if scores[middle] < fairly:
                continue
            parts = self._depth(group)
            if scores[middle] >= very:
                parts = tuple(leaf for part in parts for leaf in self._depth(part))
            chosen |= {self._middle(part) for part in parts}
        rows = np.array(sorted(chosen))
        picked = Held(self.held.vectors[rows], tuple(self.held.spans[row] for row in rows))
        return picked.ranked(query, k)

    def _grouped(self, breadth: int) -> tuple[tuple[int, ...], ...]:
        from sklearn.cluster import KMeans

        labels = KMeans(breadth, n_init=1, random_state=self._seed).fit_predict(self.held.vectors)
        return tuple(tuple(np.flatnonzero(labels == one).tolist()) for one in np.unique(labels))

    def _divided(self, group: tuple[int, ...]) -> tuple[tuple[int, ...], ...]:
        from scipy.cluster.hierarchy import fcluster, linkage

        if len(group) <= self.branches:
            return tuple((row,) for row in group)
        rows = np.array(group)
        tree = linkage(self.held.vectors[rows], method="ward")
        labels = fcluster(tree, self.branches, criterion="maxclust")
        return tuple(tuple(rows[labels == one].tolist()) for one in np.unique(labels))

    def _middle(self, group: Sequence[int]) -> int:
        rows = np.array(group)
        own = self.held.vectors[rows]
        return int(rows[np.argmax(own @ own.mean(axis=0))])


class FlatClusters(_Keeping):
    """K-means over the frames of every second; a centroid is kept with all the times at which its
    cluster is on screen, and nothing below it."""

    name = "flat clusters"
    source = "k-means (Lloyd 1982) over frames, as a codebook of the film"
    random = True

    def fit(self, film: FilmFrames, budget: int | None, seed: int) -> Self:
        low, high = 1, len(film.times_s) // 4
        self.held = self._clustered(film, high, seed)
        if budget is None or self.held.nbytes <= budget:
            return self
        while low < high:  # the most clusters that fit
            middle = (low + high + 1) // 2
            if self._clustered(film, middle, seed).nbytes <= budget:
                low = middle
            else:
                high = middle - 1
        self.held = self._clustered(film, low, seed)
        return self

    def _clustered(self, film: FilmFrames, count: int, seed: int) -> Held:
        from sklearn.cluster import KMeans

        model = KMeans(count, n_init=1, max_iter=20, random_state=seed).fit(film.vectors)
        centres = model.cluster_centers_ / np.linalg.norm(model.cluster_centers_, axis=1)[:, None]
        stretches = _stretches(film, np.arange(len(film.times_s)), reach_s=0.5)
        runs: list[list[Span]] = [[] for _ in range(count)]
        starts = np.append(0, 1 + np.flatnonzero(np.diff(model.labels_)))
        ends = np.append(starts[1:], len(model.labels_))
        for start, end in zip(starts.tolist(), ends.tolist(), strict=True):
            span = Span(stretches[start][0].start_s, stretches[end - 1][0].end_s)
            runs[model.labels_[start]].append(span)
        return Held(centres.astype(np.float32), tuple(map(tuple, runs)))


BASELINES: tuple[type[Baseline], ...] = (
    DenseFrames,
    Uniform8,
    Uniform32,
    Uniform128,
    ShotKeyframes,
    HashGated,
    PlainMerging,
    WeightedMerging,
    QueryTree,
    FlatClusters,
)


def _frames_within(film: FilmFrames, budget: int | None) -> int:
    """How many frames fit, each with its vector and the interval it answers with."""
    if budget is None:
        return len(film.times_s)
    return min(len(film.times_s), budget // (2 * int(film.vectors.shape[1]) + SPAN_BYTES))


def _spread(total: int, count: int) -> NDArray[np.intp]:
    """``count`` rows of ``total`` at equal distances, each in the middle of its stretch."""
    return np.unique(((np.arange(count) + 0.5) * total / count).astype(np.intp))


def _stretches(
    film: FilmFrames, rows: NDArray[np.intp], reach_s: float = REACH_S
) -> tuple[tuple[Span, ...], ...]:
    """The stretch nearest to each frame of ``rows``, no further than ``reach_s`` to either side."""
    times = film.times_s[rows]
    borders = [0.0, *((times[:-1] + times[1:]) / 2).tolist(), film.duration_s]
    return tuple(
        (Span(max(start, time_s - reach_s), min(end, time_s + reach_s)),)
        for time_s, (start, end) in zip(times.tolist(), pairwise(borders), strict=True)
    )


def _gated(film: FilmFrames, bits: int) -> NDArray[np.intp]:
    kept = [0]
    for row in range(1, len(film.hashes)):
        if (film.hashes[row] != film.hashes[kept[-1]]).sum() > bits:
            kept.append(row)
    return np.array(kept)


def answers_of(method: Baseline, queries: Iterable[FloatArray]) -> list[Found]:
    """What a method answers to unit vectors [D]."""
    found = []
    for query in queries:
        ranked = method.search(query)
        count = len(ranked)
        scores = tuple(score for _, score in ranked)
        found.append(Found(tuple(span for span, _ in ranked), scores, (None,) * count))
    return found


def ours(bench: Bench, budget: int | None, seed: int) -> tuple[list[Found], int]:
    """The product's memory within a budget of bytes: what it answers, and what it keeps."""
    entries, options = bench.entries(bench.config), bench.config
    clustering = SemanticClustering("kmeans", "auto", seed).fit(
        entries.entry_vectors.astype(np.float32), entries.entry_weights
    )
    names = tuple(map(str, range(clustering.size)))
    memory = MemoryHierarchy.build(
        entries,
        clustering,
        names,
        options.memory.memory_size,
        options.memory.exemplars,
        max_bytes=budget,
    )
    kept = sum(tier.bytes for tier in memory.tiers())
    retriever = SceneRetriever([("film", memory)], options.retrieval, bench.references)
    return bench.answers(retriever), kept


def main() -> int:
    """Measure every method at every budget."""
    parser = argparse.ArgumentParser(description="Our memory and the methods of others.")
    parser.add_argument("--video", type=Path)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seeds", type=at_least_one, default=SEEDS)
    arguments = parser.parse_args()
    try:
        bench = Bench.open(arguments.manifest, arguments.video, arguments.out)
        shots = bench.config.override({"segmentation": {"merge_similarity": 2}}, "shots")
        spans = [Span(*own[0][1:]) for own in bench.entries(shots).entry_spans]
        film = second_frames(bench.film, bench.encoder, spans, bench.cache)
    except (ManifestError, SemanticVideoError) as error:
        print(error, file=sys.stderr)
        return 2
    rows = Rows(arguments.out / "baselines.rows.jsonl", bench.key)
    vectors = bench.query_vectors
    for kilobytes in BUDGETS_KB:
        budget = None if kilobytes is None else 1000 * kilobytes
        common: dict[str, Any] = {"budget_kb": kilobytes}
        seeds = range(arguments.seeds)
        with rows.row(name="semantic memory (ours)", source="this project", **common) as row:
            if row is not None:
                runs = [ours(bench, budget, seed) for seed in seeds]
                row |= bench.scored([run for run, _ in runs]) | {"bytes": runs[0][1]}
        for method in BASELINES:
            count = getattr(method, "count", None)
            if count is not None and kilobytes is not None:
                continue  # its size is its definition
            with rows.row(name=method.name, source=method.source, **common) as row:
                if row is not None:
                    own = seeds if method.random else range(1)
                    fitted = [method().fit(film, budget, seed) for seed in own]
                    found = [answers_of(one, vectors) for one in fitted]
                    row |= bench.scored(found) | {"bytes": fitted[0].nbytes}
    finish(arguments.out / "baselines.json", "baselines", bench, rows, arguments.seeds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
