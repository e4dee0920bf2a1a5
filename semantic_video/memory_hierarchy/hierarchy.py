"""The memory of one video: scene entries in semantic clusters, under a hard budget.

Tiers, from fine to coarse: *frames* (of the one scene that is open while a video streams in),
*entries* (a scene, or scenes that were merged, with a few frame vectors as exemplars), *clusters*
(the bank of all entries that show the same, wherever they lie on the timeline) and *themes* (groups
of clusters). Each has a `Budget` in entries and in bytes. Above it, what repeats within a cluster
is merged, across time; exemplars are thinned so that what is rare among them survives; the timeline
is coarsened where that tells the fewest wrong seconds. There is no other vector store.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from semantic_video.errors import QueryError
from semantic_video.memory_hierarchy import recurrence
from semantic_video.memory_hierarchy.budget import (
    DEFAULT_EXEMPLARS,
    DEFAULT_MEMORY_SIZE,
    DEFAULT_SPANS,
    NAME_BYTES,
    NODE_BYTES,
    Budget,
)
from semantic_video.memory_hierarchy.entries import Coder, SceneEntries
from semantic_video.memory_hierarchy.history import History
from semantic_video.memory_hierarchy.recurrence import Absence
from semantic_video.records import Cluster, Return, Scene, SceneSpan, Span, Theme
from semantic_video.semantic_clustering import (
    Clustering,
    Correction,
    Found,
    find_occurrences,
    replay,
)


class Clusters(tuple[Cluster, ...]):
    """All clusters of a video; a notebook shows their timeline, a terminal a line for each."""

    __slots__ = ()

    def __repr__(self) -> str:
        widest = max((len(cluster.name) for cluster in self), default=0)
        lines = [
            f"  {cluster.id:4}  {cluster.name:{widest}}  {len(cluster.occurrences):3}×  "
            f"{cluster.total_s:8.2f} s"
            for cluster in self
        ]
        return "\n".join([f"Clusters: {len(self)}", *lines])

    def _repr_html_(self) -> str:
        from semantic_video.utils.visualization.notebook import timeline_html

        end_s = max((span.end_s for cluster in self for span in cluster.occurrences), default=0.0)
        return timeline_html(self, end_s)


@dataclass(frozen=True, slots=True)
class Tier:
    """How full one tier is: its entries and bytes, and how many it may hold."""

    name: str
    entries: int
    bytes: int
    budget_entries: int
    budget_bytes: int


@dataclass(frozen=True, eq=False)
class MemoryHierarchy:
    """Scene entries grouped in semantic clusters, never more than the budget allows.

    Make one with `build`; it does not change afterwards: `consolidate` and `recluster` return new
    ones. ``clustering.labels`` and the rows of ``entries`` belong together; ``names`` has one name
    per cluster. ``returns`` says which scenes show again what was seen before, ``history`` what the
    budget cost so far, and ``uses`` how often queries found a scene, where that is counted.
    """

    entries: SceneEntries
    clustering: Clustering
    names: tuple[str, ...]
    memory_size: int = DEFAULT_MEMORY_SIZE
    exemplars: int = DEFAULT_EXEMPLARS
    spans: int = DEFAULT_SPANS
    max_bytes: int | None = None
    returns: tuple[Return, ...] = ()
    history: History = field(default_factory=History)
    uses: Mapping[int, int] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if len(self.clustering.labels) != len(self.entries):
            raise ValueError("a clustering needs one label per entry")
        if len(self.names) != self.clustering.size:
            raise ValueError("a clustering needs one name per cluster")
        object.__setattr__(self, "names", _short_names(self.names, self.budget.cluster.bytes))
        owners = self.entries.exemplar_entries
        if len(owners) and np.bincount(owners).max() > self.exemplars:
            raise ValueError(f"an entry has more than {self.exemplars} exemplars")
        for tier in self._stored_tiers():
            if tier.entries > tier.budget_entries or tier.bytes > tier.budget_bytes:
                raise ValueError(f"{tier} exceeds its budget")

    @classmethod
    def build(
        cls,
        entries: SceneEntries,
        clustering: Clustering,
        names: Sequence[str],
        memory_size: int = DEFAULT_MEMORY_SIZE,
        exemplars: int = DEFAULT_EXEMPLARS,
        *,
        spans: int = DEFAULT_SPANS,
        max_bytes: int | None = None,
        returns: Sequence[Return] = (),
        history: History | None = None,
        uses: Mapping[int, int] | None = None,
        coder: Coder | None = None,
    ) -> MemoryHierarchy:
        """A memory of these entries within its budget.

        Above it, entries of one cluster that are most alike merge first (Ward 1963, weighted by the
        scenes an entry holds). If there are more clusters than may be, clusters merge by the same
        rule, and the one with more screen time lends its name. See `Budget` and
        `consolidation.fit`. With a ``coder``, or where the entries have one, vectors are kept as
        codes: more fits into ``max_bytes``.

        Raises:
            ConfigError: a budget that cannot be.
        """
        from semantic_video.memory_hierarchy.consolidation import fit

        coder = coder or entries.coder
        code = coder.size if coder else None
        budget = Budget(entries.dimension, memory_size, exemplars, spans, max_bytes, code, True)
        fitted = fit(entries, clustering.labels, budget, returns, uses)
        held = fitted.entries
        if coder is not None:
            # What has these codes already and lost nothing keeps them.
            held = entries if entries.coder is coder and fitted.whole else coder.code(held)
        seconds = np.bincount(clustering.labels, weights=entries.entry_weights)
        kept = []
        for cluster in range(fitted.cluster_map.max() + 1):
            merged = np.flatnonzero(fitted.cluster_map == cluster)
            kept.append(names[merged[np.argmax(seconds[merged])]])
        return cls(
            entries=held,
            clustering=clustering.reduced(fitted.labels, fitted.heads),
            names=tuple(kept),
            memory_size=memory_size,
            exemplars=exemplars,
            spans=spans,
            max_bytes=max_bytes,
            returns=fitted.returns,
            history=(history or History()) + fitted.history,
            uses=uses or {},
        )

    def consolidate(self, memory_size: int, max_bytes: int | None = None) -> MemoryHierarchy:
        """The same memory within another budget; what a smaller one merges stays merged.

        ``max_bytes`` is as it was unless given.
        """
        return self._rebuilt(self.clustering, self.names, memory_size, max_bytes or self.max_bytes)

    def coded(self, coder: Coder) -> MemoryHierarchy:
        """The same memory with its vectors as codes."""
        return self._rebuilt(self.clustering, self.names, self.memory_size, self.max_bytes, coder)

    def recluster(self, clustering: Clustering, names: Sequence[str]) -> MemoryHierarchy:
        """The same entries in other clusters; those beyond the budget merge."""
        if clustering.size > self.budget.cluster.entries:
            return self._rebuilt(clustering, names, self.memory_size, self.max_bytes)
        return replace(self, clustering=clustering, names=tuple(names))

    def corrected(self, corrections: Sequence[Correction]) -> MemoryHierarchy:
        """The same entries, grouped as they were found and corrected by exactly these."""
        found = self.clustering.found or Found(self.labels, self.names)
        labels, names = replay(
            found,
            corrections,
            self.vectors.astype(np.float32),
            self.entries.entry_weights.astype(np.float64),
            self.entries.entry_spans,
        )
        changed = replace(
            self.clustering,
            labels=labels,
            corrections=tuple(corrections),
            found=found if corrections else None,
        )
        return self.recluster(changed, names)

    def _rebuilt(
        self,
        clustering: Clustering,
        names: Sequence[str],
        memory_size: int,
        max_bytes: int | None,
        coder: Coder | None = None,
    ) -> MemoryHierarchy:
        return self.build(
            self.entries,
            clustering,
            names,
            memory_size,
            self.exemplars,
            spans=self.spans,
            max_bytes=max_bytes,
            returns=self.returns,
            history=self.history,
            uses=self.uses,
            coder=coder,
        )

    @cached_property
    def budget(self) -> Budget:
        """What each tier may hold."""
        return Budget(
            self.entries.dimension,
            self.memory_size,
            self.exemplars,
            self.spans,
            self.max_bytes,
            self.entries.coder.size if self.entries.coder else None,
            at_rest=True,
        )

    def __len__(self) -> int:
        """The number of entries."""
        return len(self.entries)

    def __repr__(self) -> str:
        hours, seconds = divmod(round(self._scene_spans[-1].end_s), 3600)
        scenes, clusters = len(self._scene_spans), len(self.names)
        return (
            f"MemoryHierarchy: {scenes} scene{'s' * (scenes != 1)} "
            f"in {clusters} cluster{'s' * (clusters != 1)}, "
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
        occurrences = self._occurrences
        members: list[list[int]] = [[] for _ in self.names]
        for span, label in zip(spans, labels, strict=True):
            members[label].append(span.scene)
        medoids = self.clustering.medoids(self.vectors, self.entries.entry_weights)
        given = {each.name for each in self.clustering.corrections if each.kind == "rename"}
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
                    words=self.clustering.words.get(self.names[label], ()),
                    examples=self._examples(label),
                    named_by="user" if self.names[label] in given else "words",
                )
            )
        return Clusters(clusters)

    def themes(self) -> tuple[Theme, ...]:
        """The coarsest themes, each with the finer ones in it: a tree above the clusters."""
        from semantic_video.memory_hierarchy.theme_tree import theme_tree

        return theme_tree(self)

    @cached_property
    def theme_levels(self) -> list[NDArray[np.int32]]:
        """The theme of each cluster, int32[K] a level, coarse to fine, within the budget."""
        from semantic_video.semantic_clustering import theme_levels

        return theme_levels(self.cluster_vectors, self.budget.theme.entries)

    def _examples(self, label: int) -> tuple[int, ...]:
        """Up to three scenes of different entries, nearest to the middle of a cluster."""
        rows = np.flatnonzero(self.labels == label)
        nearness = self.vectors[rows].astype(np.float32) @ self.cluster_vectors[label]
        best = rows[np.argsort(-nearness, kind="stable")[:3]]
        return tuple(self.entries.entry_spans[row][0].scene for row in best)

    def occurrences(self, cluster: int) -> tuple[Span, ...]:
        """When a cluster is on screen: maximal runs, in time order."""
        if not 0 <= cluster < len(self.names):
            raise QueryError(
                f"there is no cluster {cluster}: this video has 0 to {len(self.names) - 1}"
            )
        return self._occurrences[cluster]

    def tiers(self) -> tuple[Tier, ...]:
        """How full each tier is, from fine to coarse.

        Bytes are those of the arrays, spans and names as they are stored. No scene is open in a
        memory that is whole, so there are no frames; themes are worked out from the clusters when
        they are asked for, and nothing of them is stored.
        """
        themes = sum(int(level.max()) + 1 for level in self.theme_levels)
        return (*self._stored_tiers(), Tier("theme", themes, 0, *self.budget.tiers["theme"]))

    def _stored_tiers(self) -> tuple[Tier, ...]:
        """All but the themes, which are within their budget by the way they are made.

        They take a linkage of all clusters, so that a memory which is only searched does not make
        them.
        """
        held, budget = self.entries, self.budget
        spans = sum(len(own) for own in held.entry_spans)
        names = sum(len(name.encode()) + NODE_BYTES for name in self.names)
        entries = budget.entry_bytes(len(held), len(held.exemplar_times), spans, len(self.returns))
        used = {
            "frame": (0, 0),
            "entry": (len(held), entries),
            "cluster": (len(self.names), names),
        }
        return tuple(Tier(name, *used[name], *budget.tiers[name]) for name in used)

    def returns_from(self, scene: int) -> tuple[Return, ...]:
        """What a scene shows again, surest first; empty where it is new."""
        return tuple(one for one in self.returns if one.scene == scene)

    def present(self, start_s: float, end_s: float) -> tuple[tuple[int, float], ...]:
        """The clusters on screen in [start_s, end_s) and for how many seconds, longest first."""
        return recurrence.present(self._occurrences, start_s, end_s)

    def absences(self) -> tuple[Absence, ...]:
        """What left and came back, and after how long, in order of its coming back."""
        return recurrence.absences(self._occurrences)

    def unique(self) -> tuple[int, ...]:
        """The clusters that are on screen once only."""
        return recurrence.unique(self._occurrences)

    def transitions(self) -> NDArray[np.int32]:
        """How often cluster j follows cluster i at once, int32 [K, K]."""
        return recurrence.transitions(self._occurrences)

    @cached_property
    def _timeline(self) -> tuple[tuple[SceneSpan, ...], NDArray[np.int32]]:
        """All scene spans in time order, and the entry that each belongs to."""
        rows = [(s, entry) for entry, spans in enumerate(self.entries.entry_spans) for s in spans]
        rows.sort(key=lambda row: row[0].start_s)
        return tuple(span for span, _ in rows), np.array([e for _, e in rows], dtype=np.int32)

    @cached_property
    def _occurrences(self) -> tuple[tuple[Span, ...], ...]:
        return find_occurrences(self._scene_spans, self._scene_labels)

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


def _short_names(names: Sequence[str], limit: int) -> tuple[str, ...]:
    """The names, each cut to what a name may weigh, so that all fit into ``limit`` bytes."""
    cut = [_cut(name, NAME_BYTES) for name in names]
    if sum(len(name.encode()) + NODE_BYTES for name in cut) > limit:
        cut = [_cut(name, limit // len(names) - NODE_BYTES) for name in cut]
    return tuple(cut)


def _cut(name: str, most: int) -> str:
    return name.encode()[: max(most, 0)].decode(errors="ignore")
