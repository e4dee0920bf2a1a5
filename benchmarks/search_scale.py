"""Search in libraries of 10^3 to 10^6 scenes: recall, time, memory, and what others do.

    python -m benchmarks.search_scale --library DIR [--sizes 1000 ... 1000000] [--others] [--json]
        [--out REPORT.json]
    python -m benchmarks.search_scale --table REPORT.json

The library gives real scenes, and the shipped pictures are such: they are sampled again with noise
until there are enough, three frames to a scene, and asked for by texts. *exact* is what
`search --exact` scores, *routed* what `search` does in a small library, *packed* in a large one (a
whole search, in a process of its own whose memory is told, with what it maps); recall is the share
of the exact ten best that each finds too. A million scenes want 9 GB of memory to be made.
``--others`` asks approximate indexes for the ten nearest entries: faiss (flat, HNSW, IVF), usearch,
and Lance's own, against their exact order; product quantisation up to 100,000 scenes, where its
recall is lost already. Needs ``faiss-cpu`` and ``usearch``, which the product does not.
``--out`` adds what was measured to a report, ``--table`` writes one as Markdown.
"""

from __future__ import annotations

import argparse
import json
import multiprocessing
import os
import resource
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from experiments.run_record import conditions, write_json
from semantic_video.config import default_config
from semantic_video.encoders import load_encoder
from semantic_video.library import Library
from semantic_video.library.packs import read_pack, write_pack
from semantic_video.scene_retrieval import Packed, References, SceneRetriever
from semantic_video.scene_retrieval.rows import FloatArray, Rows
from semantic_video.scene_retrieval.scoring import likeliest, score_scenes, summary_scores
from semantic_video.utils.cores import available_cores

FRAMES = 3
QUERIES = 100
EXACT_QUERIES = 3
"""So many of them are timed where all scenes are looked at, which takes seconds."""
CHUNK = 5_000
PQ_UP_TO = 100_000
K = 10
SCENES_OF_A_VIDEO = 300
SCENE_NOISE, FRAME_NOISE = 0.5, 0.3
"""Lengths of what is added to a unit vector: cosines of 0.89 and 0.96 to where it came from."""


Measured = tuple[str, dict[str, float]]


def main() -> None:
    """Measure every size."""
    parser = argparse.ArgumentParser(description="Search at scale.")
    parser.add_argument("--library")
    parser.add_argument("--sizes", type=int, nargs="+", default=[1_000, 10_000, 100_000])
    parser.add_argument("--others", action="store_true")
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--out", type=Path)
    parser.add_argument("--table", type=Path, metavar="REPORT")
    arguments = parser.parse_args()
    if arguments.table:
        print(table_of(json.loads(arguments.table.read_text(encoding="utf-8"))))
        return
    if not arguments.library:
        parser.error("name a --library to search in")
    library = Library(arguments.library)
    records = library.videos()
    stored = library.load_many([record.id for record in records])
    references = References.of(load_encoder(records[0].model_id), library.cached_array)
    seeds = np.concatenate(
        [*(memory.entry_vectors for memory in stored.values()), references.pictures]
    ).astype(np.float32)
    seeds /= np.linalg.norm(seeds, axis=1, keepdims=True)
    queries = references.texts[:QUERIES]
    for size in arguments.sizes:
        rows = sampled(seeds, size)
        with tempfile.TemporaryDirectory() as folder:
            methods: Iterator[Measured] = ours(rows, queries, references, Path(folder))
            if arguments.others:
                methods = chain(methods, others(rows, queries))
            for method, own in methods:
                line = {"scenes": size, "method": method, **own}
                print(json.dumps(line) if arguments.json else line_of(line), flush=True)
                if arguments.out:
                    add_to(arguments.out, line)
        del rows


def add_to(path: Path, line: dict[str, Any]) -> None:
    """Put a line into a report, in the place of an earlier one of that size and method."""
    report = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {"rows": []}
    load = round(os.getloadavg()[0], 1)
    measured = {**line, "load": load, "conditions": conditions(default_config())}
    same = ("scenes", "method")
    rows = [row for row in report["rows"] if any(row[key] != line[key] for key in same)]
    write_json(path, {"rows": [*rows, measured]})


def table_of(report: dict[str, Any]) -> str:
    """A table with a line for each size and method."""
    lines = [
        "| scenes | method | recall@10 | median ms | 99th percentile | built in s | peak MB |",
        "| --- | --- | --- | --- | --- | --- | --- |",
    ]
    for row in report["rows"]:
        cells = (
            f"{row['scenes']:,}",
            row["method"],
            f"{row['recall']:.3f}",
            f"{row['median_ms']:,.2f}",
            f"{row['p99_ms']:,.2f}",
            f"{row['build_s']:,.1f}" if "build_s" in row else "",
            f"{row['peak_mb']:,}",
        )
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines)


def sampled(seeds: FloatArray, size: int) -> Rows:
    """``size`` scenes as a search sees them, made of real ones."""
    rng = np.random.default_rng(0)
    dimension = seeds.shape[1]
    entries = np.empty((size, dimension), np.float32)
    frames = np.empty((size * FRAMES, dimension), np.float16)
    for start in range(0, size, 10_000):
        part = slice(start, min(start + 10_000, size))
        count = part.stop - part.start
        scenes = noisy(seeds[rng.integers(len(seeds), size=count)], SCENE_NOISE, rng)
        own = noisy(np.repeat(scenes, FRAMES, axis=0), FRAME_NOISE, rng)
        frames[part.start * FRAMES : part.stop * FRAMES] = own
        means = own.reshape(count, FRAMES, dimension).mean(axis=1)
        entries[part] = means / np.linalg.norm(means, axis=1, keepdims=True)
    options = default_config().retrieval
    video = np.arange(size) // SCENES_OF_A_VIDEO
    return Rows(
        entry_vectors=entries.astype(np.float16),
        entry_summary=entries,  # kin and clusters of noise would be noise
        entry_cluster=video,
        frame_vectors=frames,
        frame_times=np.arange(size * FRAMES, dtype=np.float64),
        scene_frames=np.arange(size + 1) * FRAMES,
        scene_entry=np.arange(size),
        scene_start=np.arange(0, size * FRAMES, FRAMES, dtype=np.float64),
        scene_end=np.arange(FRAMES, (size + 1) * FRAMES, FRAMES, dtype=np.float64),
        scene_video=video,
        cluster_vectors=entries[::SCENES_OF_A_VIDEO],
        cluster_label=np.zeros(video[-1] + 1, dtype=np.int64),
        video_scenes=np.append(np.arange(0, size, SCENES_OF_A_VIDEO), size),
        video_likeness=np.zeros(video[-1] + 1),
        video_coded=np.zeros(video[-1] + 1, dtype=np.bool_),
        frame_share=options.own_weight * (1 - options.entry_weight),
    )


def noisy(vectors: FloatArray, length: float, rng: np.random.Generator) -> FloatArray:
    """Unit vectors near to unit vectors."""
    moved = vectors + rng.normal(size=vectors.shape, scale=length / vectors.shape[1] ** 0.5)
    return (moved / np.linalg.norm(moved, axis=1, keepdims=True)).astype(np.float32)


def ours(
    rows: Rows, queries: FloatArray, references: References, folder: Path
) -> Iterator[Measured]:
    """The product's search: all scenes, routed by all summaries, and through a pack."""
    options = default_config().retrieval
    everything = np.arange(len(rows.scene_entry))

    def best(query: FloatArray, scenes: NDArray[np.int64]) -> NDArray[np.int64]:
        chunks = [scenes[start : start + 20_000] for start in range(0, len(scenes), 20_000)]
        scores = [score_scenes(rows, query[None], chunk, options)[0] for chunk in chunks]
        return scenes[np.argsort(-np.concatenate(scores), kind="stable")[:K]]

    # All queries in one pass over the frames for what is right, some one by one for the time.
    chunks = np.split(everything, range(CHUNK, len(everything), CHUNK))
    scores = np.hstack([score_scenes(rows, queries, chunk, options) for chunk in chunks])
    exact = [np.argsort(-own, kind="stable")[:K] for own in scores]
    del scores
    _, exact_s = timed(lambda query: best(query, everything), queries[:EXACT_QUERIES])
    yield "exact", figures(exact, exact, exact_s)
    routed, routed_s = timed(
        lambda query: best(query, likeliest(summary_scores(rows, query, everything), options)),
        queries,
    )
    yield "routed", figures(routed, exact, routed_s)
    started = time.perf_counter()
    videos = len(rows.video_scenes) - 1
    retriever = SceneRetriever.of_rows([""] * videos, [[""]] * videos, rows, options, references)
    write_pack(folder, "search", str(len(everything)), lambda: retriever.packed().arrays())
    built_s = time.perf_counter() - started
    # In a process of its own, as a search is, so that its memory can be told.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(1, mp_context=context) as process:
        found, seconds, more = process.submit(
            packed_search, folder, str(len(everything)), queries, references
        ).result()
    share = figures(found, exact, seconds)
    yield "packed", {**share, **more, "build_s": round(built_s, 2)}


def packed_search(
    folder: Path, key: str, queries: FloatArray, references: References
) -> tuple[list[Any], NDArray[np.float64], dict[str, float]]:
    """The ten best scenes of each query by a pack, the seconds of whole searches, and more.

    A whole search makes moments and judges them, so that it does more than the others are timed at.
    """
    options = default_config().retrieval
    before = peak_mb()
    started = time.perf_counter()
    arrays = read_pack(folder, "search", key)
    assert arrays is not None
    packed = Packed.from_arrays(arrays)
    videos = len(packed.cluster_names)
    retriever = SceneRetriever.of_packed([""] * videos, packed, options, references)
    opened_s = time.perf_counter() - started
    retriever.search(queries[0])
    first_s = time.perf_counter() - started - opened_s
    for query in queries:  # as warm as it gets
        retriever.search(query)
    _, seconds = timed(retriever.search, queries)
    found = []
    for query in queries:
        scenes = packed.coarse.likeliest(packed.rows, query, options)
        scores = score_scenes(packed.rows, query[None], scenes, options)[0]
        found.append(scenes[np.argsort(-scores, kind="stable")[:K]])
    more = {
        "open_ms": round(1000 * opened_s, 1),
        "first_ms": round(1000 * first_s, 1),
        "peak_mb": peak_mb(),
        "own_mb": memory_mb("RssAnon"),  # without pages of the file, which the system can take back
        "before_mb": before,
    }
    return found, seconds, more


def others(rows: Rows, queries: FloatArray) -> Iterator[Measured]:
    """Approximate indexes over the entries' vectors, and numpy's exact product over them."""
    import faiss
    from usearch.index import Index

    vectors = rows.entry_summary
    size, dimension = vectors.shape
    exact, exact_s = timed(lambda query: np.argsort(-(vectors @ query))[:K], queries)
    yield "numpy, entries alone", figures(exact, exact, exact_s)
    lists = int(4 * size**0.5)
    inner = faiss.METRIC_INNER_PRODUCT
    makers: dict[str, Callable[[], Any]] = {
        "faiss flat": lambda: faiss.IndexFlatIP(dimension),
        "faiss HNSW32, ef 128": lambda: faiss.IndexHNSWFlat(dimension, 32, inner),
        "faiss IVF, 5 % probed": lambda: faiss.index_factory(dimension, f"IVF{lists},Flat", inner),
        "faiss IVF PQ48, 5 % probed": lambda: faiss.index_factory(
            dimension, f"IVF{lists},PQ48", inner
        ),
    }
    for name, make in makers.items():
        if "PQ" in name and size > PQ_UP_TO:
            continue
        faiss.omp_set_num_threads(available_cores())
        started = time.perf_counter()
        index = make()
        if not index.is_trained:
            index.train(vectors[: 64 * lists])
        index.add(vectors)
        built_s = time.perf_counter() - started
        faiss.omp_set_num_threads(1)  # one query has no use for more
        if "IVF" in name:
            index.nprobe = max(1, lists // 20)
        if "HNSW" in name:
            index.hnsw.efSearch = 128
        answers, seconds = timed(partial(_faiss_best, index), queries)
        yield name, {**figures(answers, exact, seconds), "build_s": round(built_s, 2)}
    started = time.perf_counter()
    usearch = Index(ndim=dimension, metric="ip", dtype="f16", expansion_search=128)
    usearch.add(np.arange(size), vectors)
    built_s = time.perf_counter() - started
    answers, seconds = timed(lambda query: usearch.search(query, K).keys, queries)
    measured = {**figures(answers, exact, seconds), "build_s": round(built_s, 2)}
    yield "usearch HNSW f16, ef 128", measured
    yield from lance_indexes(vectors, queries, exact).items()


def _faiss_best(index: Any, query: FloatArray) -> Any:
    return index.search(query[None], K)[1][0]


def lance_indexes(
    vectors: FloatArray, queries: FloatArray, exact: list[NDArray[np.int64]]
) -> dict[str, dict[str, float]]:
    """Lance's own indexes."""
    import lance
    import pyarrow as pa

    size, dimension = vectors.shape
    found = {}
    with tempfile.TemporaryDirectory() as folder:
        column = pa.FixedSizeListArray.from_arrays(pa.array(vectors.ravel()), dimension)
        table = pa.table({"row": pa.array(np.arange(size)), "vector": column})
        kinds: dict[str, tuple[str, dict[str, Any]]] = {
            "Lance IVF_FLAT, 5 % probed": ("IVF_FLAT", {}),
            "Lance IVF_PQ, 5 % probed": ("IVF_PQ", {"num_sub_vectors": 48}),
        }
        for name, (kind, more) in kinds.items():
            if kind == "IVF_PQ" and size > PQ_UP_TO:
                continue
            dataset = lance.write_dataset(table, Path(folder) / kind)
            lists = max(1, int(size**0.5))
            started = time.perf_counter()
            dataset = dataset.create_index(
                "vector", kind, metric="dot", num_partitions=lists, **more
            )
            built_s = time.perf_counter() - started

            def ask(query: FloatArray, dataset: Any = dataset, lists: int = lists) -> Any:
                nearest = {
                    "column": "vector",
                    "q": query,
                    "k": K,
                    "nprobes": max(1, lists // 20),
                }
                return dataset.to_table(
                    columns=["row"], nearest=nearest, disable_scoring_autoprojection=True
                )["row"].to_numpy()

            answers, seconds = timed(ask, queries)
            found[name] = {**figures(answers, exact, seconds), "build_s": round(built_s, 2)}
    return found


def timed(
    ask: Callable[[FloatArray], Any], queries: FloatArray
) -> tuple[list[Any], NDArray[np.float64]]:
    """The answers, and the seconds that each took; the first query is asked twice."""
    ask(queries[0])
    answers, seconds = [], []
    for query in queries:
        started = time.perf_counter()
        answers.append(ask(query))
        seconds.append(time.perf_counter() - started)
    return answers, np.array(seconds)


def figures(
    answers: list[Any], exact: list[NDArray[np.int64]], seconds: NDArray[np.float64]
) -> dict[str, float]:
    """Recall of the ten best, median and 99th percentile in ms, peak memory in MB."""
    shared = [
        len(set(a.tolist()) & set(e.tolist())) / K for a, e in zip(answers, exact, strict=False)
    ]
    return {
        "recall": round(float(np.mean(shared)), 4),
        "median_ms": round(1000 * float(np.median(seconds)), 2),
        "p99_ms": round(1000 * float(np.quantile(seconds, 0.99)), 2),
        "peak_mb": peak_mb(),
    }


def peak_mb() -> int:
    """The most memory that this process has held, with what it has mapped and touched."""
    # What getrusage says is never less than what the parent process held.
    return memory_mb("VmHWM") or round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024)


def memory_mb(figure: str) -> int:
    """A figure of this process as Linux names it; 0 elsewhere."""
    status = Path("/proc/self/status")
    lines = status.read_text().splitlines() if status.exists() else []
    return sum(round(int(line.split()[1]) / 1024) for line in lines if line.startswith(figure))


def line_of(line: dict[str, Any]) -> str:
    """One line for people."""
    built = f"  built in {line['build_s']} s" if "build_s" in line else ""
    if "open_ms" in line:
        built += f" (not of the file: {line['own_mb']} MB)  opened in {line['open_ms']} ms"
        built += f", first answer {line['first_ms']} ms"
    return (
        f"{line['scenes']:>8}  {line['method']:28} recall {line['recall']:.3f}  "
        f"median {line['median_ms']:8.2f} ms  p99 {line['p99_ms']:8.2f} ms  "
        f"peak {line['peak_mb']} MB{built}"
    )


if __name__ == "__main__":
    main()
