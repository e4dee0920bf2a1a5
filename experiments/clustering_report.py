"""Semantic clusters against as many stretches of time and against chance, on our own scenes.

    python -m experiments.clustering_report FILM.json --library DIR [--seeds 5]

FILM.json names a film and the category of its segments; the library holds its index. Purity and
NMI are weighted by time over scenes whose segment has a category. ``groups`` are clusters of two
scenes or more, of all scenes.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantic_video.library import Library
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.semantic_clustering import METHODS, SemanticClustering
from semantic_video.stored_memory import memory_from_stored
from semantic_video.utils.metrics import normalised_mutual_information, purity


def purity_and_nmi(
    labels: Sequence[int], categories: Sequence[str | None], weights: Sequence[float]
) -> tuple[float, float]:
    """Both over the scenes whose category is known, weighted."""
    known = [row for row, category in enumerate(categories) if category is not None]
    found = np.array([labels[row] for row in known])
    truth = np.unique([str(categories[row]) for row in known], return_inverse=True)[1]
    held = np.array([weights[row] for row in known])
    return purity(found, truth, held), normalised_mutual_information(found, truth, held)


def scene_categories(manifest: Path, memory: MemoryHierarchy) -> list[str | None]:
    """The category of the segment around each scene's middle."""
    segments = json.loads(manifest.read_text(encoding="utf-8"))["segments"]
    found: list[str | None] = []
    for scene in memory.scenes():
        middle = (scene.start_s + scene.end_s) / 2
        inside = [s for s in segments if s["start_s"] <= middle < s["end_s"]]
        found.append(inside[0]["category"] if inside else None)
    return found


def equal_stretches(starts: NDArray[np.float64], end_s: float, count: int) -> list[int]:
    """Scenes by which of ``count`` equal stretches of the film they begin in."""
    return [min(int(start / end_s * count), count - 1) for start in starts]


def main() -> None:
    """Print the table in Markdown."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--library", required=True)
    parser.add_argument("--seeds", type=int, default=5)
    arguments = parser.parse_args()
    library = Library(arguments.library)
    film = json.loads(arguments.manifest.read_text(encoding="utf-8"))["video"]
    record = library.resolve(film)
    memory = memory_from_stored(library.load(record.id), record)
    if len(memory) < record.scenes:
        raise SystemExit("entries were merged: index with a larger --memory-size")
    order = np.argsort([own[0].start_s for own in memory.entries.entry_spans])
    vectors = memory.vectors[order].astype(np.float32)
    seconds = memory.entries.entry_weights[order]
    scenes = memory.scenes()
    lengths = [scene.end_s - scene.start_s for scene in scenes]
    starts = np.array([scene.start_s for scene in scenes])
    categories = scene_categories(arguments.manifest, memory)
    print(f"{len(scenes)} scenes, {len(set(categories) - {None})} categories\n")
    print("| clusters | purity / NMI | groups | as many stretches | random (mean of seeds) |")
    print("| --- | --- | --- | --- | --- |")
    for method in METHODS:
        for count in ("auto", 10, 25, 40, 60):
            clustering = SemanticClustering(method, count).fit(vectors, seconds)
            size = clustering.size
            ours = purity_and_nmi(clustering.labels.tolist(), categories, lengths)
            time = purity_and_nmi(
                equal_stretches(starts, scenes[-1].end_s, size), categories, lengths
            )
            chance = np.mean(
                [
                    purity_and_nmi(
                        np.random.default_rng(seed).permutation(clustering.labels).tolist(),
                        categories,
                        lengths,
                    )
                    for seed in range(arguments.seeds)
                ],
                axis=0,
            )
            groups = int((np.bincount(clustering.labels) > 1).sum())
            print(
                f"| {method} {count} ({size}) | {ours[0]:.2f} / {ours[1]:.2f} | {groups} "
                f"| {time[0]:.2f} / {time[1]:.2f} | {chance[0]:.2f} / {chance[1]:.2f} |"
            )


if __name__ == "__main__":
    main()
