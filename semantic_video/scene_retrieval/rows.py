"""What a search reads of the memories, gathered into arrays over all videos together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, cast

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import RetrievalOptions
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.scene_retrieval.frames import Frames, gather_frames

if TYPE_CHECKING:
    from semantic_video.moe_experts import CodedEntries
    from semantic_video.moe_experts.codec import CodedFrames

FloatArray = NDArray[np.float32]
HalfArray = NDArray[np.float16]

# Likeness of every two entries of a video is looked at up to so many of them.
_KIN_LIMIT = 4000
_KIN_SHARPNESS = 3


@dataclass(frozen=True, slots=True)
class Rows:
    """What is scored, of all videos together.

    N entries, M exemplars, S scenes, K clusters, V videos. Scenes are sorted by video and time,
    exemplars by scene and time.
    """

    entry_vectors: HalfArray  # [N, D]
    entry_summary: FloatArray  # [N, D] what a scene scores if its frames score as its entry does
    entry_cluster: NDArray[np.int64]  # [N] row of cluster_vectors
    frame_vectors: Frames  # [M, D]
    frame_times: NDArray[np.float64]  # [M]
    scene_frames: NDArray[np.int64]  # [S + 1] where each scene's exemplars begin
    scene_entry: NDArray[np.int64]  # [S]
    scene_start: NDArray[np.float64]  # [S]
    scene_end: NDArray[np.float64]  # [S]
    scene_video: NDArray[np.int64]  # [S] position in the list of memories
    cluster_vectors: FloatArray  # [K, D]
    cluster_label: NDArray[np.int64]  # [K] the cluster's id within its video
    video_scenes: NDArray[np.int64]  # [V + 1] where each video's scenes begin
    video_likeness: NDArray[np.float64]  # [V] mean cosine of any two entries of a video
    video_coded: NDArray[np.bool_]  # [V] whether a video's frames are scored from codes
    frame_share: float  # of the frames in a scene's score, beside what supports it

    def likeness(self, scenes: NDArray[np.int64], others: NDArray[np.int64]) -> FloatArray:
        """How alike scenes of one video are: 1 for the same, 0 for any two scenes of it."""
        left = self.entry_vectors[self.scene_entry[scenes]].astype(np.float32)
        right = self.entry_vectors[self.scene_entry[others]].astype(np.float32)
        usual = self.video_likeness[self.scene_video[scenes]]
        alike = np.einsum("nd,nd->n", left, right)
        scaled: FloatArray = np.clip((alike - usual) / np.maximum(1 - usual, 1e-6), -1, 1)
        return scaled


def gather(
    memories: Sequence[MemoryHierarchy], options: RetrievalOptions, codes: bool = True
) -> Rows:
    """The rows of these memories, one after another.

    Frames that are kept as codes are scored from them, or decoded without ``codes``.
    What supports a scene is a weighted sum of vectors, which is one vector: a single product with a
    query scores the entry itself, its kin and its cluster.
    """
    own = options.own_weight
    entries: list[HalfArray] = []
    summaries: list[FloatArray] = []
    entry_cluster: list[NDArray[np.int64]] = []
    frames: list[HalfArray | CodedFrames] = []
    frame_times: list[NDArray[np.float64]] = []
    frame_counts: list[NDArray[np.int64]] = []
    scene_entry: list[int] = []
    scene_spans: list[tuple[float, float]] = []
    clusters: list[FloatArray] = []
    cluster_label: list[NDArray[np.int64]] = []
    video_scenes, video_likeness = [0], []
    entry_base = cluster_base = 0
    for memory in memories:
        held = memory.entries
        # Scenes of one video in order of time: equal scores keep that order.
        spans = sorted(
            (span.start_s, span.end_s, entry)
            for entry, spans_of in enumerate(held.entry_spans)
            for span in spans_of
        )
        starts = np.array([start for start, _, _ in spans])
        scene = np.searchsorted(starts, held.exemplar_times, side="right") - 1
        scene = np.maximum(scene, 0)
        order = np.lexsort((held.exemplar_times, scene))
        if codes and held.coder is not None:
            frames.append(cast("CodedEntries", held).frames.rows(order))
        else:
            frames.append(held.exemplar_vectors[order])
        frame_times.append(held.exemplar_times[order])
        frame_counts.append(np.bincount(scene, minlength=len(spans)))
        scene_entry += [entry + entry_base for _, _, entry in spans]
        scene_spans += [(start, end) for start, end, _ in spans]
        video_scenes.append(len(scene_spans))
        vectors = held.entry_vectors.astype(np.float32)
        mean = vectors.mean(axis=0)
        video_likeness.append(float(mean @ mean))
        entries.append(held.entry_vectors)
        summary = own * vectors + options.cluster_weight * memory.cluster_vectors[memory.labels]
        if options.kin_weight:
            summary += options.kin_weight * _kin(vectors, video_likeness[-1])
        if options.theme_weight:
            summary += options.theme_weight * _theme_vectors(memory)[memory.labels]
        summaries.append(summary)
        entry_cluster.append(memory.labels.astype(np.int64) + cluster_base)
        clusters.append(memory.cluster_vectors)
        cluster_label.append(np.arange(len(memory.cluster_vectors)))
        entry_base += len(held)
        cluster_base += len(memory.cluster_vectors)
    spans_array = np.array(scene_spans, dtype=np.float64).reshape(-1, 2)
    return Rows(
        entry_vectors=np.concatenate(entries),
        entry_summary=np.concatenate(summaries).astype(np.float32),
        entry_cluster=np.concatenate(entry_cluster),
        frame_vectors=gather_frames(frames),
        frame_times=np.concatenate(frame_times),
        scene_frames=np.concatenate([[0], np.cumsum(np.concatenate(frame_counts))]),
        scene_entry=np.array(scene_entry, dtype=np.int64),
        scene_start=spans_array[:, 0],
        scene_end=spans_array[:, 1],
        scene_video=np.repeat(np.arange(len(memories)), np.diff(video_scenes)),
        cluster_vectors=np.concatenate(clusters),
        cluster_label=np.concatenate(cluster_label),
        video_scenes=np.array(video_scenes),
        video_likeness=np.array(video_likeness),
        video_coded=np.array([not isinstance(film, np.ndarray) for film in frames]),
        frame_share=own * (1 - options.entry_weight),
    )


def _theme_vectors(memory: MemoryHierarchy) -> FloatArray:
    """For each cluster [K, D] the mean of all entries of its coarsest theme."""
    theme = memory.theme_levels[0] if memory.theme_levels else np.arange(len(memory.names))
    sums = np.zeros((theme.max() + 1, memory.cluster_vectors.shape[1]), np.float32)
    np.add.at(sums, theme[memory.labels], memory.entries.entry_vectors.astype(np.float32))
    norms = np.maximum(np.linalg.norm(sums, axis=1, keepdims=True), 1e-6)
    means: FloatArray = (sums / norms)[theme]
    return means


def _kin(vectors: FloatArray, usual: float) -> FloatArray:
    """For each entry [N, D] the mean of all entries of the video, weighted by their likeness to it.

    Ranking on the manifold of the film's own scenes (Zhou et al. 2004) in a single step: no
    clusters, so no borders, and what is like nothing else stays itself.
    """
    if len(vectors) > _KIN_LIMIT:
        return vectors
    likeness = (vectors @ vectors.T - usual) / max(1 - usual, 1e-6)
    mixed = np.maximum(likeness, 0) ** _KIN_SHARPNESS @ vectors
    norms = np.linalg.norm(mixed, axis=1, keepdims=True)
    return np.where(norms > 1e-6, mixed / np.maximum(norms, 1e-6), vectors).astype(np.float32)
