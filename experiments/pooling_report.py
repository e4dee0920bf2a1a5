"""How scenes are scored, compared: max, mean or mean of the best frames, and what is mixed in.

    python -m experiments.pooling_report MANIFEST --library DIR

MANIFEST names a film and its labelled queries, and the library holds that film indexed. Prints a
line per variant with the share of `moment` queries answered among the first k and the share of the
spans of `concept` queries found by ten moments. Only the retrieval options differ.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import replace
from itertools import product
from pathlib import Path

import numpy as np

from experiments.figures import hits, recall
from semantic_video.config import RetrievalOptions, default_config
from semantic_video.encoders import load_encoder
from semantic_video.library import Library
from semantic_video.scene_retrieval import SceneRetriever
from semantic_video.stored_memory import memory_from_stored


def main() -> None:
    """Score every variant on one film."""
    parser = argparse.ArgumentParser(description="Compare ways to score a scene.")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--library", required=True)
    arguments = parser.parse_args()
    manifest = json.loads(arguments.manifest.read_text(encoding="utf-8"))
    library = Library(arguments.library)
    record = library.resolve(manifest["video"])
    memories = [(record.name, memory_from_stored(library.load(record.id), record))]
    queries = [query for query in manifest["queries"] if query["type"] in ("moment", "concept")]
    vectors = load_encoder(record.model_id).encode_texts([query["text"] for query in queries])
    print(f"{'variant':42} {'R1':>6} {'R5':>6} {'R10':>6} {'concept':>8}")
    for name, options in variants(default_config().retrieval):
        retriever = SceneRetriever(memories, options)
        answers = [list(retriever.search(vector, k=10)) for vector in vectors]
        moments = [
            [hits(moment, query["spans"]) for moment in answer]
            for query, answer in zip(queries, answers, strict=True)
            if query["type"] == "moment"
        ]
        shares = [np.mean([any(found[:k]) for found in moments]) for k in (1, 5, 10)]
        concept = np.mean(
            [
                recall(answer, query["spans"])
                for query, answer in zip(queries, answers, strict=True)
                if query["type"] == "concept"
            ]
        )
        print(f"{name:42} " + " ".join(f"{share:6.3f}" for share in shares) + f" {concept:8.3f}")


def variants(default: RetrievalOptions) -> Iterator[tuple[str, RetrievalOptions]]:
    """Names and options of what is compared, the default first."""
    yield "default", default
    plain = replace(default, entry_weight=0.0, cluster_weight=0.0)
    yield "max of frames", replace(plain, pooling="max")
    yield "mean of frames", replace(plain, pooling="mean")
    for top in (2, 3, 4):
        yield f"mean of the best {top} frames", replace(plain, pooling="top", top_frames=top)
    yield "entry vector alone", replace(plain, entry_weight=1.0)
    for entry, cluster in product((0.3, 0.5), (0.0, 0.1, 0.2, 0.3, 0.4)):
        options = replace(default, entry_weight=entry, cluster_weight=cluster)
        yield f"best 3, entry {entry}, cluster {cluster}", options


if __name__ == "__main__":
    main()
