"""Processor time per scene and per consolidation of a memory, against the entries that it may hold.

    python -m benchmarks.memory_scale [--out report.json]

Made-up scenes of 200 subjects stream into a full memory. Prints JSON: milliseconds for a scene, and
seconds to bring a whole memory down to half. Figures of one machine.
"""

from __future__ import annotations

import argparse
import json
import statistics
import time
from pathlib import Path
from typing import Any

import numpy as np

from semantic_video.memory_hierarchy import Budget, MemoryHierarchy, MemoryStream
from semantic_video.records import Span
from semantic_video.semantic_clustering import Clustering, first_appearance

SIZES = (64, 256, 1000, 4000)
_DIMENSION, _SUBJECTS, _SCENES = 384, 200, 100


def measure(size: int) -> dict[str, Any]:
    """A memory of so many entries that is full, and 100 more scenes."""
    random = np.random.default_rng(0)
    subjects = random.normal(size=(_SUBJECTS, _DIMENSION))
    stream = MemoryStream(Budget(_DIMENSION, size))
    taken: list[float] = []
    for number in range(size + _SCENES):
        frames = subjects[random.integers(_SUBJECTS)] + 0.5 * random.normal(size=(3, _DIMENSION))
        frames /= np.linalg.norm(frames, axis=1, keepdims=True)
        start_s = 5.0 * number
        began = time.process_time()
        stream.add(Span(start_s, start_s + 5), start_s + np.arange(1.0, 4.0), frames)
        taken.append(time.process_time() - began)
    entries = stream.entries()
    labels = first_appearance(np.arange(len(entries)) % 20)
    clustering = Clustering("kmeans", 20, 0, labels, "made up")
    names = [f"cluster {number}" for number in range(clustering.size)]
    began = time.process_time()
    MemoryHierarchy.build(entries, clustering, names, max(1, size // 2))
    return {
        "entries": size,
        "scene_ms": round(1000 * statistics.median(taken[-_SCENES:]), 2),
        "consolidation_s": round(time.process_time() - began, 3),
    }


def main() -> None:
    """Measure every size."""
    parser = argparse.ArgumentParser(description="Time of a memory against its entries.")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    text = json.dumps([measure(size) for size in SIZES], indent=2)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
