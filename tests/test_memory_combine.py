"""Two memories make one: nothing is lost, and the order in which several merge hardly matters."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic_video import editing
from semantic_video.errors import QueryError
from semantic_video.memory_hierarchy import MemoryHierarchy, SceneEntries, merge
from semantic_video.semantic_clustering import SemanticClustering
from tests.test_memory_hierarchy import film, names_of

TOLERANCE = 0.1
"""Of the mean likeness of scenes to their entries; see `merge`."""


def memory_of(seed: int, scenes: int, size: int, spans: int = 100) -> MemoryHierarchy:
    entries = film(scenes, 4, seed=seed)
    clustering = SemanticClustering(num_clusters=3).fit(
        entries.entry_vectors.astype(np.float32), entries.entry_weights
    )
    return MemoryHierarchy.build(entries, clustering, names_of(clustering), size, spans=spans)


def end_of(memory: MemoryHierarchy) -> float:
    return memory.scenes()[-1].end_s


def likeness(memory: MemoryHierarchy) -> float:
    """Mean cosine of the exemplars with the entries that they belong to."""
    held: SceneEntries = memory.entries
    vectors = held.entry_vectors[held.exemplar_entries].astype(np.float32)
    return float(np.einsum("nd,nd->n", vectors, held.exemplar_vectors.astype(np.float32)).mean())


def three(seeds: tuple[int, int, int], scenes: int, size: int) -> tuple[MemoryHierarchy, ...]:
    a, b, c = (memory_of(seed, scenes, size) for seed in seeds)
    left = merge(merge(a, b, offset_s=end_of(a)), c, offset_s=end_of(a) + end_of(b))
    right = merge(a, merge(b, c, offset_s=end_of(b)), offset_s=end_of(a))
    return left, right


seeds = st.tuples(st.integers(0, 99), st.integers(0, 99), st.integers(0, 99))


@settings(max_examples=12, deadline=None)
@given(seeds=seeds, scenes=st.integers(2, 12))
def test_within_the_budget_merging_is_associative_to_the_bit(
    seeds: tuple[int, int, int], scenes: int
) -> None:
    left, right = three(seeds, scenes, size=100)
    for name in SceneEntries.__slots__:
        one, other = getattr(left.entries, name), getattr(right.entries, name)
        if name in ("entry_spans", "exemplar_times"):
            continue
        assert one.tobytes() == other.tobytes()
    for one, other in zip(left.scenes(), right.scenes(), strict=True):
        assert (one.id, one.start_s) == (other.id, pytest.approx(other.start_s))
    assert len(left.scenes()) == 3 * scenes
    assert left.history == right.history


@settings(max_examples=12, deadline=None)
@given(seeds=seeds, scenes=st.integers(8, 20), size=st.integers(4, 8))
def test_above_the_budget_merging_is_associative_within_a_tolerance(
    seeds: tuple[int, int, int], scenes: int, size: int
) -> None:
    left, right = three(seeds, scenes, size)
    for memory in (left, right):
        assert len(memory) <= size == memory.memory_size
        assert len(memory.scenes()) == 3 * scenes
        assert sum(c.total_s for c in memory.clusters()) == pytest.approx(end_of(memory))
    assert likeness(left) == pytest.approx(likeness(right), abs=TOLERANCE)


def test_what_both_show_becomes_one_cluster_and_keeps_its_occurrences() -> None:
    a, b = memory_of(1, 12, 50), memory_of(1, 12, 50)
    both = merge(a, b, offset_s=end_of(a))
    assert len(both.names) == len(a.names)
    for cluster in range(len(a.names)):
        spans = both.occurrences(cluster)
        total = sum(span.end_s - span.start_s for span in spans)
        assert total == pytest.approx(2 * a.clusters()[cluster].total_s, rel=1e-4)


def test_corrections_by_hand_hold_for_both() -> None:
    a, b = memory_of(1, 10, 100), memory_of(2, 10, 100)
    a = a.corrected(editing.rename(0, "the harbour")(a))
    b = b.corrected(editing.apart(0, 1)(b))
    b = b.corrected(editing.rename(b.scenes()[1].cluster, "the garden")(b))
    both = merge(a, b, offset_s=end_of(a))
    scenes = both.scenes()
    assert both.names[scenes[0].cluster] == "the harbour"
    assert both.names[scenes[len(a.scenes()) + 1].cluster] == "the garden"
    assert scenes[len(a.scenes())].cluster != scenes[len(a.scenes()) + 1].cluster
    assert len(both.clustering.corrections) == 3
    plain = both.corrected(())
    assert {"the harbour", "the garden"}.isdisjoint(plain.names)


def test_memories_that_overlap_are_refused() -> None:
    a = memory_of(1, 5, 50)
    with pytest.raises(QueryError, match="overlap"):
        merge(a, a)
