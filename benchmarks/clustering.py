"""How long each clustering method takes on so many scenes: a line of JSON a run, as it ends.

    python -m benchmarks.clustering [--scenes 20000] [--methods kmeans spectral ...]

Scenes are made by code: subjects of very different frequency, with noise, in 384 dimensions.
"""

from __future__ import annotations

import argparse
import json
import resource
import time

import numpy as np
from numpy.typing import NDArray

from semantic_video.semantic_clustering import METHODS, SemanticClustering


def made_scenes(count: int, dimension: int = 384, seed: int = 0) -> NDArray[np.float32]:
    """Unit vectors [count, dimension]: a fifth occur once, the others return."""
    rng = np.random.default_rng(seed)
    subjects = max(2, count // 40)
    shares = rng.pareto(1.2, subjects) + 0.2
    owner = rng.choice(subjects, size=count - count // 5, p=shares / shares.sum())
    centres = rng.normal(size=(subjects, dimension))
    returning = centres[owner] + 0.9 * rng.normal(size=(len(owner), dimension))
    scenes = np.concatenate([returning, rng.normal(size=(count // 5, dimension))])
    scenes /= np.linalg.norm(scenes, axis=1, keepdims=True)
    return rng.permutation(scenes).astype(np.float32)


def main() -> None:
    """Time every method with ``auto`` and with a number."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--scenes", type=int, default=20_000)
    parser.add_argument("--methods", nargs="+", default=list(METHODS), choices=METHODS)
    arguments = parser.parse_args()
    scenes = made_scenes(arguments.scenes)
    SemanticClustering("kmeans", 2).fit(scenes[:50])  # imports are not what is measured
    for method in arguments.methods:
        for count in ("auto", 10):
            wall, cpu = time.perf_counter(), time.process_time()
            clustering = SemanticClustering(method, count).fit(scenes)  # type: ignore[arg-type]
            run = {
                "scenes": len(scenes),
                "dimension": scenes.shape[1],
                "method": method,
                "num_clusters": count,
                "clusters": clustering.size,
                "seconds": round(time.perf_counter() - wall, 2),
                "cpu_seconds": round(time.process_time() - cpu, 2),
                "peak_mb": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024,
            }
            print(json.dumps(run), flush=True)


if __name__ == "__main__":
    main()
