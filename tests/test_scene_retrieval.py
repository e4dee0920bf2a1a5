"""A query returns the best scenes, exactly, without overlap, however the memory is visited."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from semantic_video.config import RetrievalOptions, default_config
from semantic_video.encoders import load_encoder
from semantic_video.memory_hierarchy import MemoryHierarchy, SceneEntries
from semantic_video.records import Scope, Span
from semantic_video.scene_retrieval import References, SceneRetriever
from semantic_video.scene_retrieval.foreign_texts import foreign_texts
from semantic_video.semantic_clustering import SemanticClustering

DIMENSION = 12
OPTIONS = default_config().retrieval
AS_CUT = replace(OPTIONS, join_likeness=2.0, divide_contrast=100.0)
"""Every scene is a moment, as the film was cut."""


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


def kin_of(memory: MemoryHierarchy, entry: int) -> NDArray[np.float32]:
    """The mean of all entries by the cube of their likeness, pair by pair."""
    vectors = memory.vectors.astype(np.float64)
    usual = float(np.mean([a @ b for a in vectors for b in vectors]))
    spread = max(1 - usual, 1e-6)
    weights = [max((vectors[entry] @ other - usual) / spread, 0) ** 3 for other in vectors]
    mixed = np.average(vectors, axis=0, weights=weights) if sum(weights) > 0 else vectors[entry]
    return unit(mixed)


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
            kin = float(kin_of(memory, entry) @ query)
            own_share = 1 - options.cluster_weight - options.kin_weight
            scores[span.start_s] = (
                own_share * float(score)
                + options.cluster_weight * cluster
                + options.kin_weight * kin
            )
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
    options = replace(AS_CUT, cluster_weight=support)
    query = unit(np.random.default_rng(seed + 1).normal(size=DIMENSION))
    answer = SceneRetriever([("film", memory)], options).search(query, "q", k=k, exact=True)

    expected = brute_force(memory, query, options)
    assert len(answer) == min(k, len(memory.scenes()))
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
    options = replace(AS_CUT, probe_scenes=30)
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
    options = replace(AS_CUT, pooling=pooling, entry_weight=0.0, kin_weight=0.0, cluster_weight=0.0)
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


def directions(count: int) -> NDArray[np.float32]:
    return unit(np.random.default_rng(7).normal(size=(count, 64)))


def film(
    shots: list[tuple[float, list[NDArray[np.float32]]]],
) -> tuple[MemoryHierarchy, list[Span]]:
    """A film of scenes: each its length in seconds and the vectors of its frames, evenly spread."""
    rng = np.random.default_rng(3)
    spans, times, vectors, start_s = [], [], [], 0.0
    for length_s, frames in shots:
        spans.append(Span(start_s, start_s + length_s))
        times.append(start_s + (np.arange(len(frames)) + 0.5) * length_s / len(frames))
        noise = 0.2 * unit(rng.normal(size=(len(frames), 64)))
        vectors.append(unit(np.stack(frames) + noise))
        start_s += length_s
    entries = SceneEntries.from_scenes(spans, times, vectors)
    clustering = SemanticClustering("kmeans", "auto", seed=0).fit(
        entries.entry_vectors.astype(np.float32)
    )
    names = [f"kind {i}" for i in range(clustering.size)]
    return MemoryHierarchy.build(entries, clustering, names), spans


def test_two_scenes_that_go_on_are_one_moment_and_two_that_score_alike_are_two() -> None:
    kinds = directions(20)
    shots = [(6.0, [kinds[i]] * 3) for i in range(16)]
    shots[5] = (8.0, [kinds[18]] * 4)
    shots[6] = (5.0, [kinds[18]] * 3)  # the same subject, goes on behind a cut
    shots[9] = (6.0, [unit(kinds[18] + kinds[19])] * 3)
    shots[10] = (6.0, [unit(kinds[18] - kinds[19])] * 3)  # as good an answer, another subject
    memory, spans = film(shots)
    answer = SceneRetriever([("film", memory)], OPTIONS).search(kinds[18], k=3)
    assert (answer[0].start_s, answer[0].end_s) == (spans[5].start_s, spans[6].end_s)
    assert {(m.start_s, m.end_s) for m in answer[1:]} == {spans[9], spans[10]}


def test_a_moment_inside_a_long_scene_is_cut_out() -> None:
    kinds = directions(20)
    shots = [(6.0, [kinds[i]] * 3) for i in range(16)]
    shots[8] = (40.0, [kinds[18]] * 3 + [kinds[19]] * 2 + [kinds[18]] * 3)
    memory, spans = film(shots)
    start_s = spans[8].start_s
    retriever = SceneRetriever([("film", memory)], OPTIONS)
    inside = retriever.search(kinds[19], k=1)[0]
    assert (inside.start_s, inside.end_s) == pytest.approx((start_s + 15, start_s + 25))
    around = sorted(retriever.search(kinds[18], k=2), key=lambda moment: moment.start_s)
    assert (around[0].start_s, around[0].end_s) == pytest.approx((start_s, start_s + 15))
    assert (around[1].start_s, around[1].end_s) == pytest.approx((start_s + 25, start_s + 40))
    # A scene whose frames only vary a little is left whole.
    assert (retriever.search(kinds[3], k=1)[0].end_s) == spans[3].end_s


class Words:
    """An encoder of texts as random directions, each its own: nothing belongs to any film."""

    model_id = licence = fingerprint = "words"
    dimension, input_size = 64, (1, 1)

    def encode_images(self, rgb: object) -> NDArray[np.float32]:
        raise NotImplementedError

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        rng = np.random.default_rng(len(texts))
        return unit(rng.normal(size=(len(texts), 64)))


@pytest.mark.parametrize("rate", [0.05, 0.1, 0.3])
def test_what_does_not_belong_is_found_no_more_often_than_asked(rate: float) -> None:
    rng = np.random.default_rng(11)
    memory, _ = film([(6.0, list(unit(rng.normal(size=(3, 64))))) for _ in range(60)])
    references = References.of(Words(), lambda name, key, make: make())
    options = replace(OPTIONS, false_accept_rate=rate)
    retriever = SceneRetriever([("film", memory)], options, references)
    foreign = [retriever.search(q, k=1) for q in unit(rng.normal(size=(400, 64)))]
    assert np.mean([answer.found for answer in foreign]) <= rate + 0.06  # of 256 and 400 draws
    assert np.mean([answer.perhaps for answer in foreign]) > np.mean([a.found for a in foreign])
    own = memory.entries.exemplar_vectors.astype(np.float32)
    there = [retriever.search(q, k=1) for q in unit(own + 0.4 * unit(rng.normal(size=own.shape)))]
    assert np.mean([answer.found for answer in there]) > 0.75
    # Whatever is found or not, the best candidates are there, the surest first.
    assert all(len(answer) == 1 for answer in foreign)
    sure = [answer[0].probability or 0 for answer in there]
    unsure = [answer[0].probability or 0 for answer in foreign]
    assert np.quantile(sure, 0.1) > np.quantile(unsure, 0.9)
    assert foreign[0].verdict.startswith(("found", "perhaps", "probably not in this video"))


def test_a_picture_is_held_to_what_scenes_of_the_film_have_in_common() -> None:
    """Frames of films are more alike than photos are: what a film's own scenes score in other
    clusters is what a frame of another film scores too."""
    rng = np.random.default_rng(13)
    common = unit(rng.normal(size=64))

    def frames(scenes: int) -> NDArray[np.float32]:
        return unit(common + unit(rng.normal(size=(scenes, 64))))

    memory, _ = film([(6.0, [look]) for look in frames(60)])
    references = References(unit(rng.normal(size=(64, 64))), unit(rng.normal(size=(300, 64))))
    retriever = SceneRetriever([("film", memory)], OPTIONS, references)
    foreign = [retriever.search(look, k=1, asked="picture") for look in frames(200)]
    assert np.mean([answer.found for answer in foreign]) <= 0.2
    own = unit(memory.vectors.astype(np.float64) + 0.3 * unit(rng.normal(size=(60, 64))))
    there = [retriever.search(look, k=1, asked="picture") for look in own.astype(np.float32)]
    assert np.mean([answer.found for answer in there]) > 0.9


def test_a_reference_picture_is_no_evidence_for_itself() -> None:
    rng = np.random.default_rng(14)
    pictures = unit(rng.normal(size=(40, 64)))
    references = References(pictures[:1], pictures)
    others = [References(pictures[:1], np.delete(pictures, row, axis=0)) for row in range(40)]
    alone = [own.level(pictures[row : row + 1])[0] for row, own in enumerate(others)]
    assert references.picture_levels == pytest.approx(alone)


def test_unrelated_pictures_that_answer_as_well_lower_the_probability() -> None:
    rng = np.random.default_rng(12)
    memory, _ = film([(6.0, list(unit(rng.normal(size=(3, 64))))) for _ in range(60)])
    texts = unit(rng.normal(size=(128, 64)))
    query = unit(memory.vectors[7].astype(np.float64))
    others = unit(rng.normal(size=(200, 64)))
    alike = np.concatenate([others, unit(query + 0.3 * unit(rng.normal(size=(20, 64))))])
    sure, unsure = (
        SceneRetriever([("film", memory)], OPTIONS, References(texts, pictures)).search(query, k=1)
        for pictures in (others, alike)
    )
    assert sure.found
    assert not unsure.found
    assert (sure[0].start_s, sure[0].score) == (unsure[0].start_s, unsure[0].score)
    assert (sure[0].probability or 0) > (unsure[0].probability or 0)


def test_the_shipped_references_are_those_of_the_built_in_model() -> None:
    encoder = load_encoder("lite")

    def refuse(name: str, key: str, make: object) -> NDArray[np.float32]:
        raise AssertionError("nothing is to be made")

    references = References.of(encoder, refuse)
    assert len(references.pictures) > 1000
    texts = foreign_texts()
    assert len(set(texts)) > 0.95 * len(texts) == 0.95 * len(references.texts)
    again = encoder.encode_texts(texts[:8])
    assert np.einsum("nd,nd->n", again, references.texts[:8]) == pytest.approx(1, abs=1e-3)
    assert np.linalg.norm(references.pictures, axis=1) == pytest.approx(1, abs=0.02)
