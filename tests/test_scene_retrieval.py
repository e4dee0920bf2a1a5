"""A query returns the best scenes, exactly, without overlap, however the memory is visited."""

from __future__ import annotations

import itertools
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from semantic_video.config import RetrievalOptions, default_config
from semantic_video.memory_hierarchy import MemoryHierarchy, SceneEntries
from semantic_video.records import Scope, Span
from semantic_video.scene_retrieval import SceneRetriever
from semantic_video.semantic_clustering import SemanticClustering

DIMENSION = 12
OPTIONS = default_config().retrieval


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return (rows / np.linalg.norm(rows, axis=-1, keepdims=True)).astype(np.float32)


def make_memory(seed: int, scenes: int, memory_size: int = 1000) -> MemoryHierarchy:
    rng = np.random.default_rng(seed)
    edges = np.r_[0.0, np.cumsum(rng.uniform(0.5, 9, scenes))]
    spans = [Span(float(a), float(b)) for a, b in itertools.pairwise(edges)]
    kinds = unit(rng.normal(size=(max(1, scenes // 3), DIMENSION)))
    times, vectors = [], []
    for start_s, end_s in spans:
        count = int(rng.integers(1, 6))
        times.append(np.sort(rng.uniform(start_s, end_s, count)))
        kind = kinds[rng.integers(len(kinds))]
        vectors.append(unit(kind + 0.3 * rng.normal(size=(count, DIMENSION))))
    entries = SceneEntries.from_scenes(spans, times, vectors)
    clustering = SemanticClustering("kmeans", min(5, scenes), seed=0).fit(
        entries.entry_vectors.astype(np.float32)
    )
    names = [f"kind {i}" for i in range(clustering.size)]
    return MemoryHierarchy.build(entries, clustering, names, memory_size)


def brute_force(
    memory: MemoryHierarchy, query: NDArray[np.float32], options: RetrievalOptions
) -> dict[float, float]:
    """Scene start -> score, written out scene by scene."""
    held = memory.entries
    scores = {}
    for entry, spans in enumerate(held.entry_spans):
        own = float(held.entry_vectors[entry].astype(np.float32) @ query)
        for span in spans:
            inside = (held.exemplar_times >= span.start_s) & (held.exemplar_times < span.end_s)
            frames = held.exemplar_vectors[inside].astype(np.float32) @ query
            score = own
            if len(frames):
                best = np.sort(frames)[::-1][: options.top_frames]
                score = (1 - options.entry_weight) * best.mean() + options.entry_weight * own
            cluster = float(memory.cluster_vectors[memory.labels[entry]] @ query)
            support = options.cluster_weight
            scores[span.start_s] = float((1 - support) * score + support * cluster)
    return scores


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000),
    scenes=st.integers(1, 40),
    memory_size=st.integers(1, 50),
    k=st.integers(1, 60),
    support=st.sampled_from([0.0, 0.3]),
)
def test_search_equals_brute_force_and_never_overlaps(
    seed: int, scenes: int, memory_size: int, k: int, support: float
) -> None:
    memory = make_memory(seed, scenes, memory_size)
    options = replace(OPTIONS, cluster_weight=support)
    query = unit(np.random.default_rng(seed + 1).normal(size=DIMENSION))
    answer = SceneRetriever([("film", memory)], options).search(query, "q", k=k, exact=True)

    expected = brute_force(memory, query, options)
    assert len(answer) == min(k, scenes)
    assert answer.found
    scores = [moment.score for moment in answer]
    assert scores == sorted(scores, reverse=True)
    assert scores == pytest.approx(sorted(expected.values(), reverse=True)[:k], abs=2e-4)
    for moment in answer:
        assert expected[moment.start_s] == pytest.approx(moment.score, abs=2e-4)
        assert moment.start_s <= moment.keyframe_s < moment.end_s
        assert moment.cluster_name == memory.names[moment.cluster]
        assert moment.probability is not None
        assert 0 <= moment.probability <= 1
    spans = sorted((moment.start_s, moment.end_s) for moment in answer)
    assert all(left[1] <= right[0] for left, right in itertools.pairwise(spans))


def test_routed_search_visits_part_and_agrees_with_exact() -> None:
    memories = {f"film {i}": make_memory(i, 40) for i in range(6)}
    options = replace(OPTIONS, probe_entries=60, probe_share=0.5)
    retriever = SceneRetriever(list(memories.items()), options)
    rng = np.random.default_rng(0)
    agreed = []
    for _ in range(50):
        # Queries near to something that is there, as real ones are.
        memory = memories[f"film {rng.integers(6)}"]
        near = memory.vectors[rng.integers(len(memory))].astype(np.float64)
        query = unit(near + 0.2 * rng.normal(size=DIMENSION))
        routed = retriever.search(query, k=5)
        exact = retriever.search(query, k=5, exact=True)
        assert [m.score for m in routed] <= [m.score for m in exact]
        found = {(m.video, m.start_s) for m in routed}
        agreed.append(len(found & {(m.video, m.start_s) for m in exact}) / len(exact))
    assert np.mean(agreed) >= 0.95


@settings(max_examples=40, deadline=None)
@given(
    seed=st.integers(0, 10_000), start_ms=st.integers(0, 60_000), length_ms=st.integers(0, 60_000)
)
def test_candidates_tile_the_scope(seed: int, start_ms: int, length_ms: int) -> None:
    memory = make_memory(seed, 12)
    end_s = memory.scenes()[-1].end_s
    query = unit(np.random.default_rng(seed).normal(size=DIMENSION))
    retriever = SceneRetriever([("film", memory), ("other", memory)], OPTIONS)
    everything = retriever.candidates(query)
    assert sum(m.end_s - m.start_s for m in everything) == pytest.approx(2 * end_s)
    assert [m.score for m in everything] == sorted((m.score for m in everything), reverse=True)

    window = Scope(start_ms / 1000, (start_ms + length_ms) / 1000)
    inside = retriever.candidates(query, {"film": window})
    assert {m.video for m in inside} <= {"film"}
    assert all(
        window.start_s <= m.start_s <= m.keyframe_s < m.end_s <= window.end_s for m in inside
    )
    covered = max(0.0, min(end_s, window.end_s) - window.start_s)
    assert sum(m.end_s - m.start_s for m in inside) == pytest.approx(covered)
    assert retriever.search(query, k=2, scope={"film": window})[:] == inside[:2]


def test_scope_bounds_clusters_and_length() -> None:
    memory = make_memory(5, 30)
    query = unit(np.random.default_rng(5).normal(size=DIMENSION))
    retriever = SceneRetriever([("film", memory)], OPTIONS)
    only = retriever.candidates(query, Scope(clusters=frozenset({1, 3})))
    assert {m.cluster for m in only} == {1, 3}
    long = retriever.candidates(query, Scope(min_length_s=4.0))
    assert 0 < len(long) < len(retriever.candidates(query))
    assert all(m.end_s - m.start_s >= 4.0 for m in long)


@pytest.mark.parametrize("pooling", ["max", "mean", "top"])
def test_one_odd_frame_decides_only_for_max(pooling: str) -> None:
    """A scene with one frame of the query against a scene that shows it half the time."""
    target, other = np.eye(DIMENSION)[0], np.eye(DIMENSION)[1]
    odd = np.stack([target, *[other] * 7])
    half = unit(np.stack([target + 0.3 * other] * 4 + [other] * 4).astype(np.float64))
    spans = [Span(0, 8), Span(8, 16)]
    entries = SceneEntries.from_scenes(
        spans, [np.arange(8.0), np.arange(8.0, 16.0)], [odd.astype(np.float32), half]
    )
    clustering = SemanticClustering("kmeans", 1).fit(entries.entry_vectors.astype(np.float32))
    memory = MemoryHierarchy.build(entries, clustering, ["all"])
    options = replace(OPTIONS, pooling=pooling, entry_weight=0.0)
    best = SceneRetriever([("film", memory)], options).search(target.astype(np.float32), k=1)[0]
    assert best.start_s == (0.0 if pooling == "max" else 8.0)


def test_answer_reads_as_the_json_contract() -> None:
    memory = make_memory(3, 10)
    query = unit(np.random.default_rng(0).normal(size=DIMENSION))
    answer = SceneRetriever([("/films/a.mp4", memory)], OPTIONS).search(query, "a dog", k=2)
    record = answer.as_dict()
    assert set(record) == {"version", "query", "found", "value", "moments"}
    assert record["version"] == 1
    assert record["query"] == "a dog"
    assert record["value"] is None
    assert set(record["moments"][0]) == {  # type: ignore[index]
        "video", "start_s", "end_s", "score", "probability", "cluster", "cluster_name",
        "keyframe_s", "signals",
    }  # fmt: skip
    assert "a dog" in repr(answer)
