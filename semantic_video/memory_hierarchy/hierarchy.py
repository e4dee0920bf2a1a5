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
from numpy.typing import NDArray

from semantic_video.errors import ConfigError, QueryError
from semantic_video.memory_hierarchy.consolidation import merge_groups, merge_rows
from semantic_video.memory_hierarchy.entries import SceneEntries
from semantic_video.records import Cluster, Scene, SceneSpan, Span
from semantic_video.semantic_clustering import Clustering, find_occurrences, first_appearance

DEFAULT_MEMORY_SIZE = 1000
DEFAULT_EXEMPLARS = 8


class Clusters(tuple[Cluster, ...]):
    """All clusters of a video; a notebook shows their timeline."""

    __slots__ = ()

    def _repr_html_(self) -> str:
        from semantic_video.utils.visualization.notebook import timeline_html

        end_s = max((span.end_s for cluster in self for span in cluster.occurrences), default=0.0)
        return timeline_html(self, end_s)


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
        groups, banks = merge_groups(entries, clustering.labels, memory_size)
        bank_of_row = first_appearance(banks)
        seconds = np.bincount(clustering.labels, weights=entries.entry_weights)
        kept = []
        for bank in range(bank_of_row.max() + 1):
            merged = np.unique(clustering.labels[bank_of_row == bank])
            kept.append(names[merged[np.argmax(seconds[merged])]])
        return cls(
            entries=merge_rows(entries, groups, exemplars),
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

    def _repr_html_(self) -> str:
        from semantic_video.utils.visualization.notebook import titled_html

        return titled_html(repr(self), self.clusters()._repr_html_())

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

    def clusters(self) -> Clusters:
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
        return Clusters(clusters)

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
