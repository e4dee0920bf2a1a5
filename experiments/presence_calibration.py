"""Fit and check the probability of `semantic_video.temporal_reasoning.presence` on labelled films.

    python -m experiments.presence_calibration LIBRARY FIT.json [--check CHECK.json ...]

Each JSON is the manifest of a labelled film (queries of type ``moment`` and ``concept`` with their
spans, ``absent`` with none) whose film, named by ``video``, is in the library. The model is fitted
on the first and checked on the others.
"""

from __future__ import annotations

import argparse
import json
import math
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, roc_auc_score

from semantic_video.config import RetrievalOptions, load_config
from semantic_video.encoders import load_encoder
from semantic_video.library import Library
from semantic_video.queries import encode_queries
from semantic_video.scene_retrieval import SceneRetriever
from semantic_video.semantic_clustering import load_vocabulary
from semantic_video.stored_memory import memory_from_stored
from semantic_video.temporal_reasoning import presence

Labelled = tuple[NDArray[np.float64], NDArray[np.bool_]]


def labelled(
    manifest: dict[str, Any], library: Library, options: RetrievalOptions, kinds: tuple[str, ...]
) -> list[tuple[dict[str, Any], NDArray[np.float64], NDArray[np.bool_]]]:
    """Of each query of these kinds, the features of all scenes and which of them show it."""
    record = library.resolve(manifest["video"])
    memory = memory_from_stored(library.load(record.id), record)
    encoder = load_encoder(record.model_id)
    vocabulary = encoder.encode_texts(load_vocabulary())
    retriever = SceneRetriever([(record.path, memory)], options)
    scenes = presence.scenes_of(memory, vocabulary)
    queries = [query for query in manifest["queries"] if query["type"] in kinds]
    vectors = encode_queries(encoder, [query["text"] for query in queries])
    found = []
    for query, vector in zip(queries, vectors, strict=True):
        moments = retriever.scenes(vector)
        shows = [
            any(start <= (m.start_s + m.end_s) / 2 < end for start, end in query.get("spans", ()))
            for m in moments
        ]
        values = presence.features(scenes, moments, vector, vocabulary)
        found.append((query, values, np.array(shows)))
    return found


def main() -> None:
    """Print the coefficients, and how good they are on each film."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("library")
    parser.add_argument("fit", type=Path)
    parser.add_argument("--check", type=Path, nargs="*", default=[])
    arguments = parser.parse_args()
    library = Library(arguments.library)
    options = load_config(None).retrieval
    kinds = ("moment", "concept", "absent")
    model = None
    for path in [arguments.fit, *arguments.check]:
        rows = labelled(json.loads(path.read_text()), library, options, kinds)
        x = np.concatenate([values for _, values, _ in rows])
        y = np.concatenate([shows for _, _, shows in rows])
        if model is None:
            model = LogisticRegression(C=10.0, max_iter=2000).fit(x, y)
            clusters = library.resolve(json.loads(path.read_text())["video"]).clusters
            bias = float(model.intercept_[0]) + math.log(clusters)
            print(f"bias {bias:.2f} weights {model.coef_[0].round(2)}")
        print(path.name)
        predicted = model.predict_proba(x)[:, 1]
        columns = {"model": predicted, **dict(zip(presence.FEATURES, x.T, strict=True))}
        for name, values in columns.items():
            auroc, precision = roc_auc_score(y, values), average_precision_score(y, values)
            print(f"  {name:15} AUROC {auroc:.3f} average precision {precision:.3f}")
        for low, high in ((0, 0.1), (0.1, 0.3), (0.3, 0.5), (0.5, 0.7), (0.7, 0.9), (0.9, 1.01)):
            inside = (predicted >= low) & (predicted < high)
            if inside.any():
                print(f"  said {low:.1f} to {high:.1f}: {y[inside].mean():.2f} of {inside.sum()}")


if __name__ == "__main__":
    main()
