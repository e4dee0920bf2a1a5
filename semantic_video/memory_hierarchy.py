"""The memory of one video: scene entries in semantic clusters, under a hard budget.

Tiers, from fine to coarse: *exemplars* (frame vectors kept with an entry), *entries* (a scene, or
scenes that were merged), *clusters* (the bank of all entries that show the same, wherever they lie
on the timeline). ``memory_size`` bounds the entries. Above it, what repeats within a cluster is
merged, across time, and every span of the timeline is kept; exemplars are thinned so that what is
rare among them survives. There is no other vector store.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semantic_video.errors import ConfigError, QueryError
from semantic_video.records import Cluster, Scene, SceneSpan, Span
from semantic_video.semantic_clustering import (
    Clustering,
    find_occurrences,
    first_appearance,
    join,
    ward_tree,
)

DEFAULT_MEMORY_SIZE = 1000
DEFAULT_EXEMPLARS = 8

_WEISZFELD_STEPS = 20


@dataclass(frozen=True, slots=True, eq=False)
class SceneEntries:
    """Everything a memory holds of N entries with M exemplars, as arrays that store without loss.

    ``entry_vectors`` is float16[N, D] with rows of unit length, ``entry_weights`` float32[N] the
    seconds that an entry stands for, ``entry_spans`` the scenes of each entry in time order,
    ``exemplar_vectors`` float16[M, D], ``exemplar_times`` float64[M] seconds, and
    ``exemplar_entries`` int32[M] the row of the entry that an exemplar belongs to, ascending.
    The arrays are converted where needed and must not be written to afterwards.
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
        if self.entry_weights.shape != (entries,) or len(self.entry_spans) != entries:
            raise ValueError(f"{entries} entry vectors need as many weights and span lists")
        if not all(self.entry_spans):
            raise ValueError("every entry needs at least one span")
        if self.exemplar_vectors.shape != (exemplars, dimension):
            raise ValueError(f"{exemplars} exemplar times need vectors [{exemplars}, {dimension}]")
        owners = self.exemplar_entries
        if owners.shape != (exemplars,) or (np.diff(owners) < 0).any():
            raise ValueError("exemplar_entries must be ascending, one row number per exemplar")
        if exemplars and not 0 <= owners[0] <= owners[-1] < entries:
            raise ValueError(f"exemplar_entries must lie in 0..{entries - 1}")

    def __len__(self) -> int:
        return len(self.entry_weights)

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


@dataclass(frozen=True, slots=True)
class Tier:
    """How full one tier is: its entries, their bytes, and how many entries it may hold."""

    name: str
    entries: int
    bytes: int
    budget: int


@dataclass(frozen=True, eq=False)
class MemoryHierarchy:
    """Scene entries grouped in semantic clusters; never more than ``memory_size`` entries.

    Make one with `build`; it does not change afterwards: `consolidate` and `recluster` return new
    ones. ``clustering.labels`` and the rows of ``entries`` belong together; ``names`` has one name
    per cluster.
    """

    entries: SceneEntries
    clustering: Clustering
    names: tuple[str, ...]
    memory_size: int = DEFAULT_MEMORY_SIZE
    exemplars: int = DEFAULT_EXEMPLARS

    def __post_init__(self) -> None:
        if len(self.entries) > self.memory_size:
            raise ValueError(f"{len(self.entries)} entries exceed a memory of {self.memory_size}")
        if len(self.clustering.labels) != len(self.entries):
            raise ValueError("a clustering needs one label per entry")
        if len(self.names) != self.clustering.size:
            raise ValueError("a clustering needs one name per cluster")
        owners = self.entries.exemplar_entries
        if len(owners) and np.bincount(owners).max() > self.exemplars:
            raise ValueError(f"an entry has more than {self.exemplars} exemplars")

    @classmethod
    def build(
        cls,
        entries: SceneEntries,
        clustering: Clustering,
        names: Sequence[str],
        memory_size: int = DEFAULT_MEMORY_SIZE,
        exemplars: int = DEFAULT_EXEMPLARS,
    ) -> MemoryHierarchy:
        """A memory of these entries within its budget.

        Above ``memory_size`` entries, those of one cluster that are most alike merge first (Ward
        1963, weighted by the scenes an entry holds). If there are more clusters than
        ``memory_size``, clusters merge by the same rule, and the one with more screen time
        lends its name. Each entry keeps at most ``exemplars`` frame vectors.
        """
        if memory_size < 1:
            raise ConfigError(f"memory_size must be 1 or more, not {memory_size}")
        if exemplars < 1:
            raise ConfigError(f"exemplars must be 1 or more, not {exemplars}")
        groups, banks = _merge_groups(entries, clustering.labels, memory_size)
        bank_of_row = first_appearance(banks)
        seconds = np.bincount(clustering.labels, weights=entries.entry_weights)
        kept = []
        for bank in range(bank_of_row.max() + 1):
            merged = np.unique(clustering.labels[bank_of_row == bank])
            kept.append(names[merged[np.argmax(seconds[merged])]])
        return cls(
            entries=_merge(entries, groups, exemplars),
            clustering=replace(clustering, labels=bank_of_row[[group[0] for group in groups]]),
            names=tuple(kept),
            memory_size=memory_size,
            exemplars=exemplars,
        )

    def consolidate(self, memory_size: int) -> MemoryHierarchy:
        """The same memory within another budget; what a smaller one merges stays merged."""
        return self.build(self.entries, self.clustering, self.names, memory_size, self.exemplars)

    def recluster(self, clustering: Clustering, names: Sequence[str]) -> MemoryHierarchy:
        """The same entries in other clusters."""
        return replace(self, clustering=clustering, names=tuple(names))

    def __len__(self) -> int:
        """The number of entries."""
        return len(self.entries)

    def __repr__(self) -> str:
        hours, seconds = divmod(round(self._scene_spans[-1].end_s), 3600)
        return (
            f"MemoryHierarchy: {len(self._scene_spans)} scenes in {len(self.names)} clusters, "
            f"{len(self)} of {self.memory_size} entries, "
            f"{hours}:{seconds // 60:02}:{seconds % 60:02}"
        )

    @property
    def vectors(self) -> NDArray[np.float16]:
        """The entries' vectors, float16[N, D], rows of unit length."""
        return self.entries.entry_vectors

    @property
    def labels(self) -> NDArray[np.int32]:
        """The cluster of each entry, int32[N]."""
        return self.clustering.labels

    @cached_property
    def cluster_vectors(self) -> NDArray[np.float32]:
        """The clusters' centroids, float32[K, D], rows of unit length."""
        return self.clustering.centroids(self.vectors, self.entries.entry_weights)

    def scenes(self) -> tuple[Scene, ...]:
        """Every scene of the video in time order, also those that share an entry."""
        return tuple(
            Scene(*span, cluster=int(cluster))
            for span, cluster in zip(self._scene_spans, self._scene_labels, strict=True)
        )

    def clusters(self) -> tuple[Cluster, ...]:
        """Every cluster with its name, its scenes, and when it is on screen."""
        spans, labels = self._scene_spans, self._scene_labels
        occurrences = find_occurrences(spans, labels)
        members: list[list[int]] = [[] for _ in self.names]
        for span, label in zip(spans, labels, strict=True):
            members[label].append(span.scene)
        medoids = self.clustering.medoids(self.vectors, self.entries.entry_weights)
        clusters = []
        for label, entry in enumerate(medoids):
            time_s, scene = self._best_view(int(entry), self.cluster_vectors[label])
            clusters.append(
                Cluster(
                    id=label,
                    name=self.names[label],
                    scenes=tuple(members[label]),
                    occurrences=occurrences[label],
                    total_s=sum(span.duration_s for span in occurrences[label]),
                    medoid_scene=scene,
                    medoid_s=time_s,
                )
            )
        return tuple(clusters)

    def occurrences(self, cluster: int) -> tuple[Span, ...]:
        """When a cluster is on screen: maximal runs, in time order."""
        if not 0 <= cluster < len(self.names):
            raise QueryError(
                f"there is no cluster {cluster}: this video has 0 to {len(self.names) - 1}"
            )
        return find_occurrences(self._scene_spans, self._scene_labels)[cluster]

    def tiers(self) -> tuple[Tier, ...]:
        """How full each tier is, from fine to coarse.

        Bytes are those of the arrays and spans that the tier holds. A span is 20 bytes and every
        scene keeps its own, so that part alone grows with the video.
        """
        held = self.entries
        span_bytes = 20 * len(self._scene_spans)
        return (
            Tier(
                "exemplar",
                len(held.exemplar_times),
                held.exemplar_vectors.nbytes
                + held.exemplar_times.nbytes
                + held.exemplar_entries.nbytes,
                self.memory_size * self.exemplars,
            ),
            Tier(
                "entry",
                len(held),
                held.entry_vectors.nbytes + held.entry_weights.nbytes + span_bytes,
                self.memory_size,
            ),
            Tier(
                "cluster",
                len(self.names),
                self.labels.nbytes + sum(len(name.encode()) for name in self.names),
                self.memory_size,
            ),
        )

    @cached_property
    def _timeline(self) -> tuple[tuple[SceneSpan, ...], NDArray[np.int32]]:
        """All scene spans in time order, and the entry that each belongs to."""
        rows = [(s, entry) for entry, spans in enumerate(self.entries.entry_spans) for s in spans]
        rows.sort(key=lambda row: row[0].start_s)
        return tuple(span for span, _ in rows), np.array([e for _, e in rows], dtype=np.int32)

    @property
    def _scene_spans(self) -> tuple[SceneSpan, ...]:
        return self._timeline[0]

    @property
    def _scene_labels(self) -> NDArray[np.int32]:
        return self.labels[self._timeline[1]]

    def _best_view(self, entry: int, centroid: NDArray[np.float32]) -> tuple[float, int]:
        """The time of an entry's exemplar nearest to ``centroid``, and the scene it lies in."""
        spans = self.entries.entry_spans[entry]
        rows = self.entries.exemplar_rows(entry)
        likeness = self.entries.exemplar_vectors[rows].astype(np.float32) @ centroid
        for row in np.argsort(-likeness, kind="stable"):
            time_s = float(self.entries.exemplar_times[rows][row])
            for span in spans:
                if span.start_s <= time_s < span.end_s:
                    return time_s, span.scene
        longest = max(spans, key=lambda span: span.end_s - span.start_s)
        return (longest.start_s + longest.end_s) / 2, longest.scene


def robust_mean(frame_vectors: ArrayLike) -> NDArray[np.float32]:
    """One unit vector, float32[D], for the frames [F, D] of a scene; an odd frame does not decide.

    The geometric median (Weiszfeld 1937) of the rows, at unit length: up to half of the frames
    may be of something else. With one or two frames it is their mean.
    """
    frames = np.asarray(frame_vectors, dtype=np.float64)
    centre = frames.mean(axis=0)
    if len(frames) > 2:
        for _ in range(_WEISZFELD_STEPS):
            # The floor keeps the weights finite when the centre falls upon a frame.
            distances = np.maximum(np.linalg.norm(frames - centre, axis=1), 1e-6)
            centre = np.average(frames, axis=0, weights=1 / distances)
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


def _merge_groups(
    entries: SceneEntries, labels: NDArray[np.int32], memory_size: int
) -> tuple[list[NDArray[np.intp]], NDArray[np.int32]]:
    """Which rows become one entry, in order of their first row, and the new cluster of each row."""
    count = len(entries)
    excess = count - memory_size
    if excess <= 0:
        return [np.array([row]) for row in range(count)], labels
    vectors = entries.entry_vectors.astype(np.float64)
    scenes = np.array([len(spans) for spans in entries.entry_spans], dtype=np.float64)
    clusters = int(labels.max()) + 1
    if clusters > memory_size:
        sizes = np.bincount(labels, weights=scenes).astype(np.float64)
        sums = np.zeros((clusters, entries.dimension))
        np.add.at(sums, labels, vectors * scenes[:, None])
        tree = ward_tree(sums / sizes[:, None], sizes)[: clusters - memory_size]
        labels = join(clusters, ((a, b) for _, a, b in tree))[labels]
    merges: list[tuple[float, int, int]] = []
    for bank in np.unique(labels):
        rows = np.flatnonzero(labels == bank)
        tree = ward_tree(vectors[rows], scenes[rows])
        merges += [(cost, int(rows[a]), int(rows[b])) for cost, a, b in tree]
    group_of_row = join(count, ((a, b) for _, a, b in sorted(merges)[:excess]))
    return [np.flatnonzero(group_of_row == group) for group in np.unique(group_of_row)], labels


def _merge(
    entries: SceneEntries, groups: Sequence[NDArray[np.intp]], exemplars: int
) -> SceneEntries:
    """One entry per group of rows, each with at most ``exemplars`` exemplars."""
    vectors: list[NDArray[np.float16]] = []
    spans: list[tuple[SceneSpan, ...]] = []
    kept: list[NDArray[np.intp]] = []
    for group in groups:
        if len(group) == 1:
            vectors.append(entries.entry_vectors[group[0]])
            spans.append(entries.entry_spans[group[0]])
        else:
            mean = entries.entry_weights[group] @ entries.entry_vectors[group].astype(np.float32)
            vectors.append((mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float16))
            together = [span for row in group for span in entries.entry_spans[row]]
            spans.append(tuple(sorted(together, key=lambda span: span.start_s)))
        slices = [entries.exemplar_rows(int(row)) for row in group]
        rows = np.concatenate([np.arange(part.start, part.stop) for part in slices])
        if len(rows) > exemplars:
            rows = rows[np.argsort(entries.exemplar_times[rows], kind="stable")]
            candidates = entries.exemplar_vectors[rows].astype(np.float32)
            nearest = int(np.argmax(candidates @ vectors[-1].astype(np.float32)))
            rows = rows[farthest_first(candidates, exemplars, first=nearest)]
        kept.append(rows)
    order = np.concatenate(kept)
    weights = entries.entry_weights.astype(np.float64)
    return SceneEntries(
        entry_vectors=np.stack(vectors),
        entry_weights=np.array([weights[group].sum() for group in groups], dtype=np.float32),
        entry_spans=tuple(spans),
        exemplar_vectors=entries.exemplar_vectors[order],
        exemplar_times=entries.exemplar_times[order],
        exemplar_entries=np.repeat(np.arange(len(groups)), [len(rows) for rows in kept]),
    )
