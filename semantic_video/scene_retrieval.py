"""Query vector -> moments: from clusters to entries to the scenes behind them.

A scene's score blends its best frames with its entry's own vector and, where asked for, with its
cluster's support (scenes that mean the same support each other). Scenes tile the timeline, so
moments never overlap. The search is exact over everything the visited clusters hold; with
``exact=True`` every cluster is visited.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import overload

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import RetrievalOptions
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.records import Moment

FloatArray = NDArray[np.float32]


class Moments(Sequence[Moment]):
    """The answer to one query: the best moments, best first.

    ``found`` says whether the first one passes as an answer; until scores are calibrated it is
    True whenever there is a moment. It never removes results.
    """

    def __init__(self, query: str, moments: Sequence[Moment], found: bool) -> None:
        self.query = query
        self.found = found
        self._moments = tuple(moments)

    @overload
    def __getitem__(self, index: int) -> Moment: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Moment]: ...
    def __getitem__(self, index: int | slice) -> Moment | Sequence[Moment]:
        return self._moments[index]

    def __len__(self) -> int:
        return len(self._moments)

    def __iter__(self) -> Iterator[Moment]:
        return iter(self._moments)

    def __repr__(self) -> str:
        lines = [
            f"  {moment.start_s:9.2f} - {moment.end_s:9.2f} s  {moment.score:.3f}  "
            f"{moment.cluster_name}"
            for moment in self._moments
        ]
        return "\n".join([f"Moments for {self.query!r}:", *(lines or ["  none"])])

    def as_dict(self) -> dict[str, object]:
        """The JSON contract of ``search``."""
        return {
            "version": 1,
            "query": self.query,
            "found": self.found,
            "value": None,
            "moments": [moment.as_dict() for moment in self._moments],
        }


@dataclass(frozen=True, slots=True)
class _Rows:
    """What is scored, of all videos together.

    N entries, M exemplars, S scenes, K clusters (over all videos). ``frame_*`` and ``scene_*``
    arrays are sorted by entry, so that a cluster's rows are found by a mask over entries.
    """

    entry_vectors: FloatArray  # [N, D]
    entry_cluster: NDArray[np.int64]  # [N] row of cluster_vectors
    frame_vectors: FloatArray  # [M, D]
    frame_times: NDArray[np.float64]  # [M]
    frame_scene: NDArray[np.int64]  # [M] row of the scene arrays
    scene_entry: NDArray[np.int64]  # [S]
    scene_start: NDArray[np.float64]  # [S]
    scene_end: NDArray[np.float64]  # [S]
    scene_video: NDArray[np.int64]  # [S] position in the list of memories
    cluster_vectors: FloatArray  # [K, D]
    cluster_label: NDArray[np.int64]  # [K] the cluster's id within its video


class SceneRetriever:
    """Searches the memories of one or more videos, all made with the same encoder.

    ``memories`` pairs what a moment should call its video with that video's memory.
    """

    def __init__(
        self, memories: Sequence[tuple[str, MemoryHierarchy]], options: RetrievalOptions
    ) -> None:
        self._names = [name for name, _ in memories]
        self._cluster_names = [memory.names for _, memory in memories]
        self._options = options
        self._rows = _gather([memory for _, memory in memories])

    def search(
        self, query: FloatArray, text: str = "", k: int | None = None, exact: bool = False
    ) -> Moments:
        """The ``k`` best moments for a unit query vector [D].

        ``text`` is what the answer calls the query; ``exact`` visits every cluster.
        """
        rows, options = self._rows, self._options
        k = options.k if k is None else k
        if len(rows.scene_entry) == 0:
            return Moments(text, (), found=False)
        cluster_scores = rows.cluster_vectors @ query
        visited = self._visited_entries(cluster_scores, exact)
        scores, keyframes = self._score_scenes(query, cluster_scores, visited)
        candidates = np.flatnonzero(np.isfinite(scores))
        # Equal scores keep the order of the timeline, so that answers are repeatable.
        best = candidates[np.argsort(-scores[candidates], kind="stable")[:k]]
        moments = [self._moment(row, scores[row], keyframes[row]) for row in best]
        return Moments(text, moments, found=bool(moments))

    def _visited_entries(self, cluster_scores: FloatArray, exact: bool) -> NDArray[np.bool_]:
        """Entries [N] of the clusters nearest to the query, until enough of them are gathered."""
        rows, options = self._rows, self._options
        total = len(rows.entry_cluster)
        wanted = max(options.probe_entries, int(np.ceil(options.probe_share * total)))
        if exact or wanted >= total:
            return np.ones(total, dtype=np.bool_)
        order = np.argsort(-cluster_scores, kind="stable")
        sizes = np.bincount(rows.entry_cluster, minlength=len(order))[order]
        count = int(np.searchsorted(np.cumsum(sizes), wanted)) + 1
        opened = np.zeros(len(order), dtype=np.bool_)
        opened[order[:count]] = True
        visited: NDArray[np.bool_] = opened[rows.entry_cluster]
        return visited

    def _score_scenes(
        self, query: FloatArray, cluster_scores: FloatArray, visited: NDArray[np.bool_]
    ) -> tuple[FloatArray, NDArray[np.float64]]:
        """Score [S] of every scene, -inf where its entry was not visited, and its best time [S]."""
        rows, options = self._rows, self._options
        everything = bool(visited.all())
        entry_scores = np.full(len(visited), -np.inf, dtype=np.float32)
        chosen = slice(None) if everything else visited
        entry_scores[chosen] = rows.entry_vectors[chosen] @ query
        frames = (
            np.arange(len(rows.frame_scene))
            if everything
            else np.flatnonzero(visited[rows.scene_entry[rows.frame_scene]])
        )
        scores = entry_scores[rows.scene_entry]
        keyframes = (rows.scene_start + rows.scene_end) / 2
        if len(frames):
            frame_scores = rows.frame_vectors[frames] @ query
            scene = rows.frame_scene[frames]
            # By scene, best frame first within each.
            order = np.lexsort((-frame_scores, scene))
            scene, frame_scores = scene[order], frame_scores[order]
            first = np.flatnonzero(np.r_[True, scene[1:] != scene[:-1]])
            pooled = _pool(frame_scores, first, options)
            own = scene[first]
            keyframes[own] = rows.frame_times[frames[order][first]]
            scores[own] = (1 - options.entry_weight) * pooled + options.entry_weight * scores[own]
        support = options.cluster_weight
        if support:
            cluster = cluster_scores[rows.entry_cluster[rows.scene_entry]]
            scores = (1 - support) * scores + support * cluster
        return scores, keyframes

    def _moment(self, row: int, score: float, keyframe_s: float) -> Moment:
        rows = self._rows
        video = int(rows.scene_video[row])
        cluster = int(rows.cluster_label[rows.entry_cluster[rows.scene_entry[row]]])
        return Moment(
            video=self._names[video],
            start_s=float(rows.scene_start[row]),
            end_s=float(rows.scene_end[row]),
            score=round(float(score), 4),
            probability=None,
            cluster=cluster,
            cluster_name=self._cluster_names[video][cluster],
            keyframe_s=float(keyframe_s),
            signals={"picture": round(float(score), 4)},
        )


def _pool(scores: FloatArray, first: NDArray[np.int64], options: RetrievalOptions) -> FloatArray:
    """Pool runs of descending scores that begin at ``first`` into one score each.

    Mean of the best few beats both the best alone (one odd frame decides) and the mean of all.
    """
    if options.pooling == "max":
        return scores[first]
    counts = np.diff(np.r_[first, len(scores)])
    if options.pooling == "top":
        rank = np.arange(len(scores)) - np.repeat(first, counts)
        kept = rank < options.top_frames
        sums = np.add.reduceat(np.where(kept, scores, 0), first)
        counts = np.minimum(counts, options.top_frames)
    else:
        sums = np.add.reduceat(scores, first)
    pooled: FloatArray = (sums / counts).astype(np.float32)
    return pooled


def _gather(memories: Sequence[MemoryHierarchy]) -> _Rows:
    entries: list[FloatArray] = []
    entry_cluster: list[NDArray[np.int64]] = []
    frames: list[FloatArray] = []
    frame_times: list[NDArray[np.float64]] = []
    frame_scene: list[NDArray[np.int64]] = []
    scene_entry: list[int] = []
    scene_spans: list[tuple[float, float]] = []
    scene_video: list[int] = []
    clusters: list[FloatArray] = []
    cluster_label: list[NDArray[np.int64]] = []
    entry_base = cluster_base = 0
    for video, memory in enumerate(memories):
        held = memory.entries
        # Scenes of one video in order of time: equal scores keep that order.
        spans = sorted(
            (span.start_s, span.end_s, entry)
            for entry, own in enumerate(held.entry_spans)
            for span in own
        )
        starts = np.array([start for start, _, _ in spans])
        row = np.searchsorted(starts, held.exemplar_times, side="right") - 1
        frame_scene.append(np.maximum(row, 0) + len(scene_entry))
        scene_entry += [entry + entry_base for _, _, entry in spans]
        scene_spans += [(start, end) for start, end, _ in spans]
        scene_video += [video] * len(spans)
        entries.append(held.entry_vectors.astype(np.float32))
        frames.append(held.exemplar_vectors.astype(np.float32))
        frame_times.append(held.exemplar_times)
        entry_cluster.append(memory.labels.astype(np.int64) + cluster_base)
        clusters.append(memory.cluster_vectors)
        cluster_label.append(np.arange(len(memory.cluster_vectors)))
        entry_base += len(held)
        cluster_base += len(memory.cluster_vectors)
    spans_array = np.array(scene_spans, dtype=np.float64).reshape(-1, 2)
    return _Rows(
        entry_vectors=np.concatenate(entries),
        entry_cluster=np.concatenate(entry_cluster),
        frame_vectors=np.concatenate(frames),
        frame_times=np.concatenate(frame_times),
        frame_scene=np.concatenate(frame_scene),
        scene_entry=np.array(scene_entry, dtype=np.int64),
        scene_start=spans_array[:, 0],
        scene_end=spans_array[:, 1],
        scene_video=np.array(scene_video, dtype=np.int64),
        cluster_vectors=np.concatenate(clusters),
        cluster_label=np.concatenate(cluster_label),
    )
