"""What each part of the product gives: the product with one thing changed, a row each.

    python -m experiments.ablation_studies --video FILM --manifest LABELS.json --out DIR

The rows are in experiments/configs/ablations.yaml. The film is watched once as shipped and once for
each other segmentation; all else works on the vectors that are kept in DIR, and a row that is there
is not run again. Rows that hang on chance are means over five seeds of the clustering; differences
from the row named in ``against``, else from the product as shipped, are paired by query. Writes
DIR/ablation.json.

With ``--library`` (an index of the film with its subtitles, and text read from the screen where
that is installed) speech and screen text are switched off as well.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import numpy as np
import yaml
from numpy.typing import NDArray

from experiments.evaluation import segments_over_seeds
from experiments.figures import Found, all_figures, mean_values, search_values, segment_figures
from experiments.film_vectors import scene_entries
from experiments.manifest import SEARCHED, ManifestError, Query
from experiments.rows import Bench, Rows, at_least_one, finish, vectors_of
from experiments.variants import coded_by, kept_by
from semantic_video import SemanticVideoProcessor
from semantic_video.asking import Request
from semantic_video.config import Config, options_hash
from semantic_video.encoders import ImageTextEncoder
from semantic_video.encoders.lite import WEIGHTS, LiteEncoder
from semantic_video.errors import SemanticVideoError
from semantic_video.library import Library
from semantic_video.memory_hierarchy import MemoryHierarchy, SceneEntries
from semantic_video.moe_experts.routes import Route
from semantic_video.scene_retrieval import References, SceneRetriever
from semantic_video.semantic_clustering import Clustering, SemanticClustering, load_vocabulary
from semantic_video.semantic_clustering.clustering import first_appearance
from semantic_video.signal_fusion import SIGNALS, Signal

ROWS = Path(__file__).with_name("configs") / "ablations.yaml"
SEEDS = 5
WORDS = "words"
"""The group that needs an index with speech and text."""


@dataclass(frozen=True)
class Variant:
    """A row of the configuration; see the comment there."""

    name: str
    config: Mapping[str, Any] = field(default_factory=dict)
    windows_s: float | None = None
    encoder: str | None = None
    grouping: str = "semantic"
    references: str = "all"
    policy: str | None = None
    experts: Route | None = None
    against: str | None = None


class Study:
    """One film, and what its variants share: watched once, grouped once for each seed."""

    def __init__(self, bench: Bench, seeds: int) -> None:
        self._bench = bench
        self._seeds = seeds
        self._clusterings: dict[str, Clustering] = {}
        self._shuffled = cache(self._shuffled_encoder)

    def measure(self, variant: Variant) -> dict[str, Any]:
        """Figures of one variant, over its seeds."""
        bench = self._bench
        config = bench.config.override(variant.config, variant.name)
        if variant.encoder == "random":
            encoder = self._shuffled()
            entries = scene_entries(bench.film, encoder, config, bench.cache)
            vectors = vectors_of(encoder, bench.queries)
            references = References.of(encoder, lambda name, key, make: make())
        else:
            entries = bench.entries(config, variant.windows_s)
            vectors, references = bench.query_vectors, bench.references
        if variant.references == "texts":
            references = References(references.texts, references.pictures[:0])
        judged = None if variant.references == "none" else references
        runs, figures, facts = [], [], []
        for seed in range(self._seeds):
            memory = self._memory(entries, config, variant, seed)
            retriever = SceneRetriever([("film", memory)], config.retrieval, judged)
            runs.append(bench.answers(retriever, vectors))
            figures.append(segment_figures(bench.manifest, memory.scenes()))
            facts.append((len(memory), len(memory.names), sum(t.bytes for t in memory.tiers())))
        row = bench.scored(runs)
        if bench.manifest.segments:
            row["figures"] |= segments_over_seeds(figures)
        names = ("entries", "clusters", "bytes")
        row |= dict(zip(names, np.mean(facts, axis=0).round().astype(int).tolist(), strict=True))
        return row

    def _memory(
        self, entries: SceneEntries, config: Config, variant: Variant, seed: int
    ) -> MemoryHierarchy:
        limits, spans = config.memory, config.memory.spans
        if variant.policy is not None:
            entries = kept_by(variant.policy, entries, limits, seed)
            spans = max(spans, *map(len, entries.entry_spans))
        clustering = regrouped(self._clustering(entries, config, seed), variant.grouping, seed)
        memory = MemoryHierarchy.build(
            entries,
            clustering,
            tuple(map(str, range(clustering.size))),
            limits.memory_size,
            limits.exemplars,
            spans=spans,
        )
        if variant.experts is not None:
            memory = coded_by(variant.experts, memory, self._texts, limits.code_bytes, seed)
        return memory

    @cached_property
    def _texts(self) -> NDArray[np.float32]:
        """Vectors [V, D] of the texts that codes are to serve."""
        return self._bench.encoder.encode_texts(load_vocabulary())

    def _clustering(self, entries: SceneEntries, config: Config, seed: int) -> Clustering:
        options = config.clustering
        seen = hash(entries.entry_vectors.tobytes())
        key = options_hash(seen, options.method, options.num_clusters, seed)
        if key not in self._clusterings:
            fitted = SemanticClustering(options.method, options.num_clusters, seed)
            vectors = entries.entry_vectors.astype(np.float32)
            self._clusterings[key] = fitted.fit(vectors, entries.entry_weights)
        return self._clusterings[key]

    def _shuffled_encoder(self) -> ImageTextEncoder:
        return shuffled_encoder(self._bench.cache / "shuffled")


def regrouped(clustering: Clustering, grouping: str, seed: int) -> Clustering:
    """The same number of clusters, put together in another way."""
    count = len(clustering.labels)
    match grouping:
        case "semantic":
            return clustering
        case "temporal":  # entries come in order of time
            labels: NDArray[np.int64] = np.arange(count) * clustering.size // count
        case "random":
            labels = np.random.default_rng(seed).permutation(clustering.labels)
        case "none":
            labels = np.zeros(count, np.int64)
        case _:
            raise ValueError(f"no grouping is called {grouping!r}")
    return Clustering(
        grouping, clustering.num_clusters, seed, first_appearance(labels), "for comparison"
    )


def shuffled_encoder(folder: Path, seed: int = 0) -> ImageTextEncoder:
    """The built-in model with the weights of every layer shuffled: the same in all but what it
    learned."""
    import onnx
    from onnx import numpy_helper

    folder.mkdir(parents=True, exist_ok=True)
    if not (folder / "lite.json").exists():
        random = np.random.default_rng(seed)
        for name in ("image.onnx", "text.onnx"):
            model = onnx.load(str(WEIGHTS / name))
            for tensor in model.graph.initializer:
                if len(tensor.dims) > 1:
                    flat = random.permutation(numpy_helper.to_array(tensor).ravel())
                    own = numpy_helper.from_array(flat.reshape(tensor.dims), tensor.name)
                    tensor.CopyFrom(own)
            onnx.save(model, str(folder / name))
        (folder / "tokenizer.json").write_bytes((WEIGHTS / "tokenizer.json").read_bytes())
        about = json.loads((WEIGHTS / "lite.json").read_text(encoding="utf-8"))
        about["fingerprint"] = f"shuffled-{seed}"
        (folder / "lite.json").write_text(json.dumps(about), encoding="utf-8")
    return LiteEncoder(weights=folder)


def read_rows(path: Path = ROWS) -> dict[str, list[Variant]]:
    """The variants of each group."""
    groups = yaml.safe_load(path.read_text(encoding="utf-8"))
    return {group: [Variant(**row) for row in rows] for group, rows in groups.items()}


def chosen(
    groups: Mapping[str, list[Variant]], only: Sequence[str] | None
) -> dict[str, list[Variant]]:
    """The groups whose names hold one of these texts, and the row that others are held to.

    Raises ValueError where a text is in no name; the message lists them.
    """
    if not only:
        return dict(groups)
    for text in only:
        if text != WORDS and not any(text in group for group in groups):
            names = ", ".join(repr(name) for name in (*groups, WORDS))
            raise ValueError(f"no group is called {text!r}; there are {names}")
    first = next(iter(groups))
    return {
        group: rows
        for group, rows in groups.items()
        if group == first or any(text in group for text in only)
    }


def words_rows(bench: Bench, library: Path, rows: Rows) -> None:
    """Speech and screen text on and off, on an index that has both."""
    queries = bench.manifest.of_type(*SEARCHED)
    choices: dict[str, tuple[Signal, ...]] = {
        "pictures, speech and screen text": SIGNALS,
        "speech and screen text off": ("picture",),
    }
    first = next(iter(choices))
    for name, signals in choices.items():
        with rows.row(name=name, group=WORDS, against=first) as row:
            if row is not None:
                row |= words_figures(bench, library, queries, signals)


def words_figures(
    bench: Bench, library: Path, queries: Sequence[Query], signals: tuple[Signal, ...]
) -> dict[str, Any]:
    """Figures of all queries in words, answered by some signals only."""
    processor = SemanticVideoProcessor(
        bench.film, num_clusters="auto", library=Library(library), config=bench.config
    )
    requests = [Request(query.text, plain=True, signals=signals) for query in queries]
    found = [Found.of(processor.query_semantic_memory(request)) for request in requests]
    values = mean_values([search_values(queries, found)])
    return {
        "figures": all_figures(queries, [found]),
        "seeds": 1,
        "values": values,
        "predictions": {q.id: one.as_dict() for q, one in zip(queries, found, strict=True)},
    }


def main() -> int:
    """Measure every row."""
    parser = argparse.ArgumentParser(description="The product with one thing changed.")
    parser.add_argument("--video", type=Path)
    parser.add_argument("--manifest", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--library", type=Path, help="an index of the film with speech and text")
    parser.add_argument("--seeds", type=at_least_one, default=SEEDS)
    parser.add_argument(
        "--only", nargs="+", metavar="TEXT", help="groups of rows whose names hold one of these"
    )
    arguments = parser.parse_args()
    try:
        groups = chosen(read_rows(), arguments.only)
    except ValueError as error:
        parser.error(f"--only: {error}")
    try:
        bench = Bench.open(arguments.manifest, arguments.video, arguments.out)
        rows = Rows(arguments.out / "ablation.rows.jsonl", bench.key)
        study = Study(bench, arguments.seeds)
        for group, variants in groups.items():
            for variant in variants:
                spec = {k: v for k, v in vars(variant).items() if v is not None}
                with rows.row(group=group, **spec) as row:
                    if row is not None:
                        row |= study.measure(variant)
        if arguments.library and (not arguments.only or WORDS in arguments.only):
            words_rows(bench, arguments.library, rows)
    except (ManifestError, SemanticVideoError) as error:
        print(error, file=sys.stderr)
        return 2
    finish(arguments.out / "ablation.json", "ablation", bench, rows, arguments.seeds)
    return 0


if __name__ == "__main__":
    sys.exit(main())
