"""The memory keeps its budget and every span, whatever it is given."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from semantic_video.errors import ConfigError, QueryError
from semantic_video.memory_hierarchy import (
    Budget,
    MemoryHierarchy,
    MemoryStream,
    SceneEntries,
    farthest_first,
    robust_mean,
)
from semantic_video.records import SceneSpan, Span
from semantic_video.semantic_clustering import (
    Clustering,
    SemanticClustering,
    first_appearance,
    join,
    ward_tree,
)

D = 8


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def film(scenes: int, subjects: int, frames: int = 3, seed: int = 0) -> SceneEntries:
    """A film of random subjects that return, with up to ``frames`` encoded frames per scene."""
    rng = np.random.default_rng(seed)
    centres = rng.normal(size=(subjects, D))
    edges = np.concatenate([[0.0], np.cumsum(rng.uniform(0.5, 6.0, scenes))])
    spans = [Span(float(start), float(end)) for start, end in pairwise(edges)]
    times, vectors = [], []
    for span in spans:
        count = int(rng.integers(1, frames + 1))
        times.append(np.sort(rng.uniform(span.start_s, span.end_s, count)))
        subject = centres[rng.integers(subjects)]
        vectors.append(unit(subject + 0.2 * rng.normal(size=(count, D))))
    return SceneEntries.from_scenes(spans, times, vectors)


def random_clustering(entries: int, clusters: int, seed: int) -> Clustering:
    labels = np.random.default_rng(seed).integers(0, clusters, entries)
    return Clustering("kmeans", clusters, seed, first_appearance(labels), "for a test")


def names_of(clustering: Clustering) -> tuple[str, ...]:
    return tuple(f"name {cluster}" for cluster in range(clustering.size))


def all_spans(memory: MemoryHierarchy) -> list[SceneSpan]:
    return sorted(span for spans in memory.entries.entry_spans for span in spans)


films = st.builds(
    film,
    scenes=st.integers(1, 40),
    subjects=st.integers(1, 8),
    frames=st.integers(1, 12),
    seed=st.integers(0, 999),
)


@settings(max_examples=80, deadline=None)
@given(
    entries=films,
    clusters=st.integers(1, 12),
    budgets=st.lists(st.integers(1, 45), min_size=1, max_size=4),
    exemplars=st.integers(1, 8),
)
def test_budgets_hold_and_nothing_of_the_timeline_is_lost(
    entries: SceneEntries, clusters: int, budgets: list[int], exemplars: int
) -> None:
    clustering = random_clustering(len(entries), clusters, seed=1)
    memory = MemoryHierarchy.build(
        entries, clustering, names_of(clustering), budgets[0], exemplars, spans=40
    )
    originals = [spans[0] for spans in entries.entry_spans]
    cluster_of_scene = {scene.id: scene.cluster for scene in memory.scenes()}
    for budget in budgets:
        smaller = budget < len(memory)
        previous, memory = memory, memory.consolidate(budget)
        held = memory.entries
        assert len(memory) <= budget == memory.memory_size
        assert len(memory) == (budget if smaller else len(previous))
        assert len(memory.names) == memory.clustering.size <= len(memory)
        # Every scene is still there, with its exact times, and the scenes tile the timeline.
        assert all_spans(memory) == originals
        scenes = memory.scenes()
        assert [(s.id, s.start_s, s.end_s) for s in scenes] == [tuple(s) for s in originals]
        assert all(first.end_s == second.start_s for first, second in pairwise(scenes))
        assert held.entry_weights.sum() == pytest.approx(entries.entry_weights.sum(), rel=1e-5)
        lengths = [sum(s.end_s - s.start_s for s in spans) for spans in held.entry_spans]
        assert held.entry_weights == pytest.approx(lengths, rel=1e-5)
        assert np.linalg.norm(memory.vectors.astype(float), axis=1) == pytest.approx(1, abs=2e-3)
        # What was together stays together.
        assert np.array_equal(memory.labels, first_appearance(memory.labels))
        now = {scene.id: scene.cluster for scene in scenes}
        merged = {(cluster_of_scene[scene], now[scene]) for scene in now}
        assert len(merged) == len({before for before, _ in merged})
        cluster_of_scene = now
        # Exemplars are few, genuine, and of the entry that they are kept with.
        known = {
            (time, vector.tobytes())
            for time, vector in zip(entries.exemplar_times, entries.exemplar_vectors, strict=True)
        }
        for entry in range(len(memory)):
            rows = held.exemplar_rows(entry)
            times = held.exemplar_times[rows]
            assert 1 <= len(times) <= exemplars
            for time, vector in zip(times, held.exemplar_vectors[rows], strict=True):
                assert (time, vector.tobytes()) in known
                assert any(s.start_s <= time < s.end_s for s in held.entry_spans[entry])


@settings(max_examples=40, deadline=None)
@given(entries=films, clusters=st.integers(1, 6), budget=st.integers(1, 40))
def test_arrays_round_trip_exactly(entries: SceneEntries, clusters: int, budget: int) -> None:
    clustering = random_clustering(len(entries), clusters, seed=2)
    memory = MemoryHierarchy.build(entries, clustering, names_of(clustering), budget)
    stored = {name: getattr(memory.entries, name) for name in SceneEntries.__slots__}
    again = MemoryHierarchy.build(SceneEntries(**stored), memory.clustering, memory.names, budget)
    for name, array in stored.items():
        if name == "entry_spans":
            assert again.entries.entry_spans == array
        else:
            other = getattr(again.entries, name)
            assert other.dtype == array.dtype
            assert other.tobytes() == array.tobytes()
    assert again.clusters() == memory.clusters()
    assert again.scenes() == memory.scenes()
    assert repr(again) == repr(memory)


@settings(max_examples=40, deadline=None)
@given(entries=films, clusters=st.integers(1, 10), budget=st.integers(1, 40))
def test_clusters_account_for_every_second(
    entries: SceneEntries, clusters: int, budget: int
) -> None:
    clustering = random_clustering(len(entries), clusters, seed=3)
    memory = MemoryHierarchy.build(entries, clustering, names_of(clustering), budget, spans=40)
    found = memory.clusters()
    assert [cluster.id for cluster in found] == list(range(len(memory.names)))
    assert sorted(scene for c in found for scene in c.scenes) == list(range(len(entries)))
    total = all_spans(memory)[-1].end_s
    assert sum(cluster.total_s for cluster in found) == pytest.approx(total)
    spans = {span.scene: span for span in all_spans(memory)}
    for cluster in found:
        assert cluster.occurrences == memory.occurrences(cluster.id)
        assert cluster.medoid_scene in cluster.scenes
        medoid = spans[cluster.medoid_scene]
        assert medoid.start_s <= cluster.medoid_s < medoid.end_s
    tiers = {tier.name: tier for tier in memory.tiers()}
    assert list(tiers) == ["frame", "entry", "cluster", "theme"]
    assert all(tier.entries <= tier.budget_entries for tier in tiers.values())
    assert all(tier.bytes <= tier.budget_bytes for tier in tiers.values())
    exemplars = len(memory.entries.exemplar_times)
    vectors = len(memory) * (2 * D + 4 + 4) + exemplars * (2 * D + 8 + 4)
    assert tiers["entry"].bytes == vectors + 20 * len(entries)


def scene(vector: list[float], start_s: float, seconds: float = 2.0) -> tuple[Span, list[float]]:
    return Span(start_s, start_s + seconds), vector


def memory_of(
    scenes: list[tuple[Span, list[float]]], labels: list[int], names: list[str], size: int
) -> MemoryHierarchy:
    spans = [span for span, _ in scenes]
    entries = SceneEntries.from_scenes(
        spans,
        [np.array([(span.start_s + span.end_s) / 2]) for span in spans],
        [unit(np.array([vector])) for _, vector in scenes],
    )
    clustering = Clustering("kmeans", "auto", 0, first_appearance(labels), "for a test")
    return MemoryHierarchy.build(entries, clustering, names, size)


def test_what_repeats_merges_across_time_and_what_is_rare_is_kept() -> None:
    memory = memory_of(
        [
            scene([1, 0, 0], 0),
            scene([0, 1, 0.3], 2),
            scene([1, 0.01, 0], 4),
            scene([0, 1, -0.3], 6),
            scene([1, 0, 0.01], 8),
        ],
        labels=[0, 1, 0, 1, 0],
        names=["harbour", "street"],
        size=3,
    )
    assert [len(spans) for spans in memory.entries.entry_spans] == [3, 1, 1]
    assert memory.occurrences(0) == (Span(0, 2), Span(4, 6), Span(8, 10))
    assert memory.entries.entry_weights.tolist() == [6, 2, 2]


def test_entries_of_different_clusters_do_not_merge_while_there_is_a_choice() -> None:
    memory = memory_of(
        [scene([1, 0], 0), scene([1, 0.01], 2), scene([0, 1], 4), scene([0.5, 1], 6)],
        labels=[0, 1, 2, 2],
        names=["a", "b", "c"],
        size=3,
    )
    assert memory.labels.tolist() == [0, 1, 2]
    assert [len(spans) for spans in memory.entries.entry_spans] == [1, 1, 2]


def test_fewer_entries_than_clusters_merges_clusters_and_keeps_the_longer_name() -> None:
    memory = memory_of(
        [scene([1, 0], 0, 2.0), scene([1, 0.01], 2, 9.0), scene([0, 1], 11)],
        labels=[0, 1, 2],
        names=["a boat", "a harbour", "a street"],
        size=2,
    )
    assert memory.names == ("a harbour", "a street")
    assert memory.occurrences(0) == (Span(0, 11),)
    assert repr(memory) == "MemoryHierarchy: 3 scenes in 2 clusters, 2 of 2 entries, 0:00:13"


def test_reclustering_keeps_the_entries() -> None:
    entries = film(scenes=20, subjects=4)
    first = SemanticClustering(num_clusters=2).fit(entries.entry_vectors)
    memory = MemoryHierarchy.build(entries, first, names_of(first), memory_size=12)
    second = SemanticClustering(num_clusters=5).fit(memory.vectors, memory.entries.entry_weights)
    again = memory.recluster(second, names_of(second))
    assert again.entries is memory.entries
    assert len(again.clusters()) == 5
    assert again.cluster_vectors.shape == (5, D)
    assert len(memory.clusters()) == 2


def test_thinned_exemplars_keep_the_rare_frame() -> None:
    common = np.repeat([[1.0, 0, 0]], 20, axis=0)
    common += 0.01 * np.random.default_rng(0).normal(size=common.shape)
    frames = unit(np.concatenate([common, [[0.0, 1, 0]]]))
    entries = SceneEntries.from_scenes([Span(0, 21)], [np.arange(21.0)], [frames])
    clustering = SemanticClustering().fit(entries.entry_vectors)
    memory = MemoryHierarchy.build(entries, clustering, ["it"], exemplars=2)
    assert 20.0 in memory.entries.exemplar_times
    assert len(memory.entries.exemplar_times) == 2


def test_one_odd_frame_does_not_decide() -> None:
    frames = unit(np.array([[1.0, 0, 0], [1, 0.02, 0], [1, 0, 0.02], [0, 0, -1]]))
    plain = unit(frames.mean(axis=0))
    robust = robust_mean(frames)
    assert robust @ frames[0] > 0.99 > plain @ frames[0]


@settings(max_examples=60, deadline=None)
@given(frames=st.integers(1, 9), seed=st.integers(0, 99), copies=st.booleans())
def test_a_robust_mean_has_unit_length_and_lies_among_its_frames(
    frames: int, seed: int, copies: bool
) -> None:
    rng = np.random.default_rng(seed)
    vectors = unit(rng.normal(size=(1 if copies else frames, D)) + 2)
    vectors = np.repeat(vectors, frames if copies else 1, axis=0)
    mean = robust_mean(vectors)
    assert np.linalg.norm(mean) == pytest.approx(1, abs=1e-5)
    assert (vectors @ mean).min() >= (vectors @ vectors.T).min() - 1e-5


def test_frames_that_cancel_out_still_have_a_mean() -> None:
    assert np.linalg.norm(robust_mean([[1.0, 0.0], [-1.0, 0.0]])) == pytest.approx(1)


@settings(max_examples=40, deadline=None)
@given(points=st.integers(1, 20), count=st.integers(1, 20), seed=st.integers(0, 99))
def test_farthest_first_is_within_twice_the_best_cover(points: int, count: int, seed: int) -> None:
    vectors = np.random.default_rng(seed).normal(size=(points, 2))
    rows, _ = farthest_first(vectors, vectors[0], count)
    assert len(set(rows.tolist())) == len(rows) == min(points, count)
    distances = np.linalg.norm(vectors[:, None] - vectors[rows], axis=2).min(axis=1)
    chosen = vectors[rows]
    gaps = np.linalg.norm(chosen[:, None] - chosen, axis=2)[~np.eye(len(rows), dtype=bool)]
    # Gonzalez: what is taken lies at least as far apart as anything lies from what is taken.
    assert not gaps.size or distances.max() <= gaps.min() + 1e-5


@pytest.mark.parametrize(("memory_size", "exemplars"), [(0, 8), (-1, 8), (5, 0)])
def test_impossible_budgets_are_refused(memory_size: int, exemplars: int) -> None:
    entries = film(scenes=3, subjects=2)
    clustering = random_clustering(3, 1, seed=0)
    with pytest.raises(ConfigError, match="must be 1 or more"):
        MemoryHierarchy.build(entries, clustering, ["x"], memory_size, exemplars)


def test_unknown_cluster_says_which_there_are() -> None:
    entries = film(scenes=5, subjects=2)
    clustering = SemanticClustering(num_clusters=2).fit(entries.entry_vectors)
    memory = MemoryHierarchy.build(entries, clustering, names_of(clustering))
    with pytest.raises(QueryError, match="no cluster 9: this video has 0 to 1"):
        memory.occurrences(9)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"entry_weights": np.ones(2)}, "as many weights"),
        ({"entry_spans": ((), (), ())}, "at least one span"),
        ({"exemplar_entries": np.array([2, 1, 0])}, "ascending"),
        ({"exemplar_entries": np.array([0, 1, 3])}, "0..2"),
        ({"exemplar_vectors": np.ones((3, D + 1))}, "exemplar times need vectors"),
    ],
)
def test_arrays_that_do_not_fit_together_are_refused(
    change: dict[str, object], message: str
) -> None:
    entries = film(scenes=3, subjects=2, frames=1)
    arrays = {name: getattr(entries, name) for name in SceneEntries.__slots__} | change
    with pytest.raises(ValueError, match=message):
        SceneEntries(**arrays)


@pytest.mark.parametrize(("subjects", "noise"), [(8, 0.3), (20, 0.6), (60, 0.9), (200, 1.0)])
@pytest.mark.parametrize("size", [8, 16, 32, 64])
def test_streaming_is_within_a_stated_distance_of_merging_all_at_once(
    subjects: int, noise: float, size: int
) -> None:
    """The squared distance of scenes to their entries is at most 15 % above that of Ward's tree."""
    rng = np.random.default_rng(subjects)
    centres = rng.normal(size=(subjects, 32))
    scenes = unit(centres[rng.integers(subjects, size=200)] + noise * rng.normal(size=(200, 32)))
    stream = MemoryStream(Budget(32, size, 1, 200))
    for row, vector in enumerate(scenes):
        stream.add(Span(5.0 * row, 5.0 * row + 5), [5.0 * row + 1], vector[None])
    streamed = np.empty(200, dtype=np.intp)
    for entry, spans in enumerate(stream.entries().entry_spans):
        streamed[[span.scene for span in spans]] = entry
    tree = ward_tree(scenes.astype(np.float64), np.ones(200))
    at_once = join(200, ((a, b) for _, a, b in tree[: 200 - size]))

    def distance(groups: NDArray[np.integer]) -> float:
        return sum(float(scenes[groups == g].var(axis=0).sum() * (groups == g).sum())
                   for g in np.unique(groups))  # fmt: skip

    assert distance(streamed) <= 1.15 * distance(at_once)
