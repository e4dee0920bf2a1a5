"""What a search reads of the memories, gathered into arrays over all videos together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semantic_video.memory_hierarchy import MemoryHierarchy

FloatArray = NDArray[np.float32]


@dataclass(frozen=True, slots=True)
class Rows:
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


def gather(memories: Sequence[MemoryHierarchy]) -> Rows:
    """The rows of these memories, one after another."""
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
    return Rows(
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
