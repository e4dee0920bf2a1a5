"""`SceneRetriever`: a query vector against the memories of one or more videos."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import RetrievalOptions
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.records import Moment, Scope
from semantic_video.scene_retrieval.moments import Moments
from semantic_video.scene_retrieval.rows import FloatArray, gather
from semantic_video.scene_retrieval.scoring import score_scenes, visited_entries

Where = Scope | Mapping[str, Scope] | None
"""Where to look: one scope for all videos, or one for each video by its name in the answer; videos
that such a mapping leaves out are not searched."""


class SceneRetriever:
    """Searches the memories of one or more videos, all made with the same encoder.

    ``memories`` pairs what a moment should call its video with that video's memory. The search is
    exact over everything the visited clusters hold; with ``exact`` every cluster is visited.
    """

    def __init__(
        self, memories: Sequence[tuple[str, MemoryHierarchy]], options: RetrievalOptions
    ) -> None:
        self._names = [name for name, _ in memories]
        self._cluster_names = [memory.names for _, memory in memories]
        self._options = options
        self._rows = gather([memory for _, memory in memories])

    def search(
        self,
        query: FloatArray,
        text: str = "",
        k: int | None = None,
        exact: bool = False,
        scope: Where = None,
    ) -> Moments:
        """The ``k`` best moments for a unit query vector [D].

        ``text`` is what the answer calls the query; ``exact`` visits every cluster; ``scope`` says
        where to look.
        """
        k = self._options.k if k is None else k
        moments = self._moments(query, exact, scope, k)
        return Moments(text, moments, found=bool(moments))

    def candidates(self, query: FloatArray, scope: Where = None) -> tuple[Moment, ...]:
        """Every candidate moment for a unit query vector [D], best first, never overlapping.

        Each has a ``probability``; together they cover all that lies in ``scope``.
        """
        return tuple(self._moments(query, exact=True, scope=scope, k=None))

    def _moments(self, query: FloatArray, exact: bool, scope: Where, k: int | None) -> list[Moment]:
        rows, options = self._rows, self._options
        if len(rows.scene_entry) == 0:
            return []
        cluster_scores = rows.cluster_vectors @ query
        if exact:
            visited = np.ones(len(rows.entry_cluster), dtype=np.bool_)
        else:
            visited = visited_entries(rows, cluster_scores, options)
        scores, keyframes = score_scenes(rows, query, cluster_scores, visited, options)
        starts, ends = self._within(scope)
        candidates = np.flatnonzero(np.isfinite(scores) & (starts < ends))
        if len(candidates) == 0:
            return []
        # Provisional: how far a score stands out among the scenes of all videos.
        everywhere = scores[np.isfinite(scores)].astype(np.float64)
        spread = max(float(everywhere.std()), 1e-6)
        standing_out = (scores.astype(np.float64) - everywhere.mean()) / spread
        probabilities = 1 / (1 + np.exp(-2 * (standing_out - 2.5)))
        # Equal scores keep the order of the timeline, so that answers are repeatable.
        best = candidates[np.argsort(-scores[candidates], kind="stable")[:k]]
        return [
            self._moment(
                row, starts[row], ends[row], scores[row], probabilities[row], keyframes[row]
            )
            for row in best
        ]

    def _within(self, scope: Where) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
        """Start and end [S] of what of each scene lies in ``scope``; empty where nothing does."""
        rows = self._rows
        starts, ends = rows.scene_start, rows.scene_end
        if scope is None:
            return starts, ends
        starts, ends = starts.copy(), ends.copy()
        labels = rows.cluster_label[rows.entry_cluster[rows.scene_entry]]
        for video, name in enumerate(self._names):
            own = rows.scene_video == video
            asked = scope.get(name) if isinstance(scope, Mapping) else scope
            if asked is None:
                ends[own] = starts[own]
                continue
            starts[own] = np.maximum(starts[own], asked.start_s)
            ends[own] = np.minimum(ends[own], asked.end_s)
            kept = ends - starts >= asked.min_length_s
            if asked.clusters is not None:
                kept &= np.isin(labels, list(asked.clusters))
            ends[own & ~kept] = starts[own & ~kept]
        return starts, ends

    def _moment(
        self,
        row: int,
        start_s: float,
        end_s: float,
        score: float,
        probability: float,
        keyframe_s: float,
    ) -> Moment:
        rows = self._rows
        video = int(rows.scene_video[row])
        cluster = int(rows.cluster_label[rows.entry_cluster[rows.scene_entry[row]]])
        if not start_s <= keyframe_s < end_s:
            keyframe_s = (start_s + end_s) / 2
        return Moment(
            video=self._names[video],
            start_s=float(start_s),
            end_s=float(end_s),
            score=round(float(score), 4),
            probability=round(float(probability), 4),
            cluster=cluster,
            cluster_name=self._cluster_names[video][cluster],
            keyframe_s=float(keyframe_s),
            signals={"picture": round(float(score), 4)},
        )
