"""What each part of the retrieval gives: an ablation, and how far probabilities can be trusted.

    python -m experiments.retrieval_report MANIFEST --library DIR [--figure FILE.png]
                                           [--foreign VIDEO] [--frames-of VIDEO ...]

MANIFEST names a film and its labelled queries, and the library holds that film indexed. Prints a
line per variant: share of `moment` queries answered among the first 1, 5 and 10 moments, share
whose first moment overlaps by half of the union, mean distance of its borders in seconds, share of
the spans of `concept` queries found by ten moments, area under the curve of the first moment's
probability for what is there (`moment`, and `concept`) against what is not, and how often queries
of either kind are found. Then the shares found at other rates of false alarms: of each kind of
query and, with ``--foreign``, of all queries in a video of the library that shows none of it. With
``--frames-of``, also of frames of these video files, asked as pictures.
``--figure`` draws the reliability diagram: probabilities against how many were right.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.figures import hits, recall
from semantic_video.config import RetrievalOptions, default_config
from semantic_video.encoders import load_encoder
from semantic_video.library import Library
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.queries import encode_queries
from semantic_video.records import Moment
from semantic_video.scene_retrieval import Asked, Moments, References, SceneRetriever
from semantic_video.stored_memory import memory_from_stored
from semantic_video.utils.video_utils import VideoReader

RATES = (0.05, 0.1, 0.2, 0.3)
"""Of false alarms, as asked for."""
_FRAMES = 64


def main() -> None:
    """Score every variant on one film."""
    parser = argparse.ArgumentParser(description="Ablation of the retrieval.")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--library", required=True)
    parser.add_argument("--figure", type=Path)
    parser.add_argument("--foreign", metavar="VIDEO")
    parser.add_argument("--frames-of", metavar="VIDEO", type=Path, nargs="+", default=[])
    arguments = parser.parse_args()
    manifest = json.loads(arguments.manifest.read_text(encoding="utf-8"))
    library = Library(arguments.library)
    record = library.resolve(manifest["video"])
    memories = [(record.name, memory_from_stored(library.load(record.id), record))]
    encoder = load_encoder(record.model_id)
    references = References.of(encoder, library.cached_array)
    kinds = ("moment", "concept", "absent")
    queries = [query for query in manifest["queries"] if query["type"] in kinds]
    vectors = encode_queries(encoder, [query["text"] for query in queries])
    names = "R1 R5 R10 R1@.5 border concept AUROC c-AUROC true false"
    print(f"{'variant':34}" + "".join(f"{name:>9}" for name in names.split()))
    for name, options, judged in variants(default_config().retrieval, references):
        retriever = SceneRetriever(memories, options, judged)
        answers = [retriever.search(vector, k=10) for vector in vectors]
        figures = scores(queries, answers)
        print(f"{name:34}" + "".join(f"{figure:9.3f}" for figure in figures))
        if name == "as shipped" and arguments.figure is not None:
            draw(*probabilities(queries, answers), arguments.figure)
    print(f"\n{'found at a rate asked for of':34}" + "".join(f"{rate:9.2f}" for rate in RATES))
    default = default_config().retrieval
    searched = [(record.name, memories[0][1])]
    for kind in kinds:
        own = [v for query, v in zip(queries, vectors, strict=True) if query["type"] == kind]
        print(f"{kind:34}" + accepted(searched, own, default, references))
    if arguments.foreign is not None:
        other = library.resolve(arguments.foreign)
        foreign = [(other.name, memory_from_stored(library.load(other.id), other))]
        print(f"{'all, in ' + other.name:34}" + accepted(foreign, vectors, default, references))
    for path in arguments.frames_of:
        with VideoReader(path, cover=encoder.input_size) as reader:
            pictures = [frame.rgb() for frame in reader.glimpses(_FRAMES)]
        looks = encoder.encode_images(pictures)
        name = f"{len(looks)} frames of {path.name}"
        print(f"{name:34}" + accepted(searched, looks, default, references, "picture"))


def accepted(
    memories: Sequence[tuple[str, MemoryHierarchy]],
    vectors: Sequence[NDArray[np.float32]] | NDArray[np.float32],
    options: RetrievalOptions,
    references: References,
    asked: Asked = "text",
) -> str:
    """The share of queries that are found in some videos, for each of `RATES`."""
    shares = []
    for rate in RATES:
        retriever = SceneRetriever(memories, replace(options, false_accept_rate=rate), references)
        shares.append(np.mean([retriever.search(v, k=1, asked=asked).found for v in vectors]))
    return "".join(f"{share:9.3f}" for share in shares)


def variants(
    options: RetrievalOptions, references: References
) -> Iterator[tuple[str, RetrievalOptions, References | None]]:
    """What is compared: the product, and the product with one part changed."""
    yield "as shipped", options, references
    for kin, cluster in ((0.0, 0.0), (0.0, 0.2), (0.0, 0.3), (0.3, 0.0), (0.3, 0.3)):
        changed = replace(options, kin_weight=kin, cluster_weight=cluster)
        yield f"kin {kin}, cluster {cluster}", changed, references
    for theme in (0.05, 0.15):
        changed = replace(options, theme_weight=theme)
        yield f"kin 0.15, cluster 0.15, theme {theme}", changed, references
    yield "scenes as cut, never joined", replace(options, join_likeness=2.0), references
    yield "joined by score alone", replace(options, join_likeness=-1.0), references
    for depth in (0.5, 2.0):
        yield f"join depth {depth}", replace(options, join_depth=depth), references
    for contrast in (1.0, 3.0, 100.0):
        yield (
            f"divide contrast {contrast:g}",
            replace(options, divide_contrast=contrast),
            references,
        )
    without = References(references.texts, references.pictures[:0])
    yield "no reference pictures", options, without
    yield "nothing to judge against", options, None
    yield "false alarms asked for: 0.3", replace(options, false_accept_rate=0.3), references


def scores(queries: Sequence[dict[str, Any]], answers: Sequence[Moments]) -> list[float]:
    """The figures of a line, in the order of its heading."""
    of: dict[str, list[tuple[dict[str, Any], Moments]]] = {}
    for query, answer in zip(queries, answers, strict=True):
        of.setdefault(query["type"], []).append((query, answer))
    right = [[hits(moment, query["spans"]) for moment in answer] for query, answer in of["moment"]]
    overlap = [
        max(tiou(answer[0], span) for span in query["spans"]) for query, answer in of["moment"]
    ]
    borders = [
        border_error(answer[0], query["spans"])
        for (query, answer), found in zip(of["moment"], right, strict=True)
        if found[0]
    ]
    easy = [pair for pair in of["absent"] if pair[0]["id"].startswith("b")]
    return [
        *(float(np.mean([any(found[:k]) for found in right])) for k in (1, 5, 10)),
        float(np.mean(np.array(overlap) >= 0.5)),
        float(np.mean(borders)),
        float(np.mean([recall(list(answer), query["spans"]) for query, answer in of["concept"]])),
        auroc(of["moment"], of["absent"]),
        auroc(of["concept"], easy),
        float(np.mean([answer.found for _, answer in of["moment"]])),
        float(np.mean([answer.found for _, answer in of["absent"]])),
    ]


def auroc(
    there: Sequence[tuple[dict[str, Any], Moments]],
    not_there: Sequence[tuple[dict[str, Any], Moments]],
) -> float:
    """How often what is there has the higher probability; ties count half."""
    high, low = (
        np.array([answer[0].probability for _, answer in side]) for side in (there, not_there)
    )
    above, level = high[:, None] > low[None], high[:, None] == low[None]
    return float(np.mean(above + 0.5 * level))


def tiou(moment: Moment, span: Sequence[float]) -> float:
    """Intersection over union of two intervals."""
    inside = max(0.0, min(moment.end_s, span[1]) - max(moment.start_s, span[0]))
    return inside / (max(moment.end_s, span[1]) - min(moment.start_s, span[0]))


def border_error(moment: Moment, spans: Sequence[Sequence[float]]) -> float:
    """Mean distance of start and end from those of the nearest span, in seconds."""
    start_s, end_s = max(spans, key=lambda span: tiou(moment, span))
    return (abs(moment.start_s - start_s) + abs(moment.end_s - end_s)) / 2


def probabilities(
    queries: Sequence[dict[str, Any]], answers: Sequence[Moments]
) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """The probability of every moment that was listed, and whether it was right."""
    listed = [
        (moment.probability or 0.0, bool(query["spans"]) and hits(moment, query["spans"]))
        for query, answer in zip(queries, answers, strict=True)
        for moment in answer
    ]
    stated, right = zip(*listed, strict=True)
    return np.array(stated), np.array(right)


def draw(stated: NDArray[np.float64], right: NDArray[np.bool_], path: Path) -> None:
    """The reliability diagram: stated probability against the share that was right."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(4.5, 4.2), layout="constrained")
    axes = figure.subplots()
    axes.plot([0, 1], [0, 1], color="0.7", linewidth=1)
    for low in np.arange(0, 1, 0.1):
        inside = (stated >= low) & (stated < low + 0.1 + (low > 0.85))
        count = int(inside.sum())
        if count < 5:
            continue
        x, y = stated[inside].mean(), right[inside].mean()
        # The interval of Agresti and Coull (1998), which few cases do not shrink to nothing.
        middle = (right[inside].sum() + 2) / (count + 4)
        error = 1.96 * np.sqrt(middle * (1 - middle) / (count + 4))
        axes.plot([x, x], [max(0, middle - error), min(1, middle + error)], color="C0", alpha=0.5)
        axes.plot(x, y, "o", color="C0")
        axes.annotate(str(count), (x, y), (5, -10), textcoords="offset points", fontsize=8)
    axes.set(xlabel="stated probability", ylabel="share that was right", xlim=(0, 1), ylim=(0, 1))
    figure.savefig(path, dpi=130)


if __name__ == "__main__":
    main()
