"""No operation exceeds the budget of any tier, and the bytes really stored say so."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from semantic_video import editing
from semantic_video.errors import ConfigError, QueryError
from semantic_video.library import Library, StoredMemory
from semantic_video.memory_hierarchy import (
    POLICIES,
    Budget,
    History,
    MemoryHierarchy,
    MemoryStream,
    SceneEntries,
    find_returns,
    merge,
)
from semantic_video.memory_hierarchy.report import report_on
from semantic_video.records import Return, Span
from semantic_video.semantic_clustering import Clustering, first_appearance
from semantic_video.stored_memory import (
    clustering_record,
    memory_facts,
    memory_from_stored,
    reinforced,
    stored_from_memory,
)
from tests.library_cases import make_record
from tests.test_memory_hierarchy import D, film, films, names_of, random_clustering

budgets = st.fixed_dictionaries(
    {
        "memory_size": st.integers(1, 45),
        "exemplars": st.integers(1, 9),
        "spans": st.integers(1, 4),
        "max_bytes": st.none() | st.integers(1000, 12000),
    }
)


def bytes_of(stored: StoredMemory) -> int:
    """What a memory weighs, array by array: vectors, numbers, spans and names."""
    (clustering,) = stored.clusterings
    spans = [span for own in stored.entry_spans for span in own]
    return (
        stored.entry_vectors.nbytes
        + stored.entry_weights.nbytes
        + stored.exemplar_vectors.nbytes
        + stored.exemplar_times.nbytes
        + stored.exemplar_entries.nbytes
        + len(spans) * (4 + 8 + 8)
        + len(stored.returns) * (4 + 4 + 8 + 8)
        + clustering.assignments.nbytes
        + sum(len(name.encode()) for name in clustering.names)
    )


def check(memory: MemoryHierarchy, limits: dict[str, Any]) -> None:
    stored = stored_from_memory(memory, [clustering_record("c", memory)], {})
    tiers = {tier.name: tier for tier in memory.tiers()}
    assert len(stored.entry_vectors) <= limits["memory_size"]
    assert len(stored.exemplar_vectors) <= limits["memory_size"] * limits["exemplars"]
    scenes = sum(len(spans) for spans in stored.entry_spans)
    assert scenes <= max(len(memory), limits["memory_size"] * limits["spans"])
    for tier in tiers.values():
        assert tier.entries <= tier.budget_entries
        assert tier.bytes <= tier.budget_bytes
    parents = 4 * len(memory.names)
    assert bytes_of(stored) + parents == sum(tier.bytes for tier in tiers.values())
    if limits["max_bytes"] is not None:
        assert sum(tier.budget_bytes for tier in tiers.values()) <= limits["max_bytes"]
        assert bytes_of(stored) <= limits["max_bytes"]


@settings(max_examples=100, deadline=None)
@given(
    entries=films,
    clusters=st.integers(1, 12),
    limits=budgets,
    later=st.lists(st.integers(1, 45), max_size=3),
    long_name=st.text(min_size=1, max_size=200),
    seed=st.integers(0, 9),
)
def test_no_operation_exceeds_a_budget(
    entries: SceneEntries,
    clusters: int,
    limits: dict[str, Any],
    later: list[int],
    long_name: str,
    seed: int,
) -> None:
    clustering = random_clustering(len(entries), clusters, seed)
    returns = find_returns(
        [spans[0] for spans in entries.entry_spans], entries.entry_vectors.astype(np.float32)
    )
    names = [f"{long_name} {cluster}" for cluster in range(clustering.size)]
    memory = MemoryHierarchy.build(
        entries,
        clustering,
        names,
        limits["memory_size"],
        limits["exemplars"],
        spans=limits["spans"],
        max_bytes=limits["max_bytes"],
        returns=returns,
    )
    check(memory, limits)
    for size in later:
        memory = memory.consolidate(size)
        limits = limits | {"memory_size": size}
        check(memory, limits)
        other = random_clustering(len(memory), clusters, seed + 1)
        memory = memory.recluster(other, [f"{long_name} {c}" for c in range(other.size)])
        check(memory, limits)
    assert {one.scene for one in memory.returns} <= {scene.id for scene in memory.scenes()}


operations = st.lists(
    st.tuples(
        st.sampled_from(
            ["consolidate", "recluster", "combine", "go on", "use", "undo"]
            + ["merge", "split", "rename", "together", "apart"] * 2
        ),
        st.integers(0, 45),
        st.integers(0, 45),
    ),
    min_size=1,
    max_size=8,
)


@settings(max_examples=100, deadline=None)
@given(entries=films, more=films, limits=budgets, seed=st.integers(0, 9), todo=operations)
def test_no_row_of_operations_exceeds_a_budget(
    entries: SceneEntries,
    more: SceneEntries,
    limits: dict[str, Any],
    seed: int,
    todo: list[tuple[str, int, int]],
) -> None:
    """Whatever happens to a memory in its life, in any order, and again and again."""

    def grown(held: SceneEntries, returns: Sequence[Return] = ()) -> MemoryHierarchy:
        clustering = random_clustering(len(held), 6, seed)
        names = [f"a name of some length {c}" for c in range(clustering.size)]
        return MemoryHierarchy.build(held, clustering, names, **limits, returns=returns)

    memory = grown(
        entries,
        find_returns(
            [own[0] for own in entries.entry_spans], entries.entry_vectors.astype(np.float32)
        ),
    )
    for what, a, b in todo:
        end_s = memory.scenes()[-1].end_s
        if what == "consolidate":
            limits = limits | {"memory_size": min(limits["memory_size"], a + 1)}
            memory = memory.consolidate(limits["memory_size"])
        elif what == "recluster":
            other = random_clustering(len(memory), 1 + a % 12, b)
            memory = memory.recluster(other, names_of(other))
        elif what == "combine":
            memory = merge(memory, grown(more), offset_s=end_s)
        elif what == "go on":
            stream = MemoryStream(memory.budget)
            stream.resume(memory.entries, memory.returns, memory.history)
            for row, (span, *_) in enumerate(more.entry_spans[: a % 10]):
                rows = more.exemplar_rows(row)
                stream.add(
                    Span(span.start_s + end_s, span.end_s + end_s),
                    more.exemplar_times[rows] + end_s,
                    more.exemplar_vectors[rows],
                )
            memory = grown(stream.entries(), stream.returns)
        elif what == "use":
            record = replace(make_record(1), memory=memory_facts(memory))
            used = reinforced(record, memory, [float(a), float(b), end_s / 2]).memory["uses"]
            assert len(used) <= limits["memory_size"]
            memory = replace(memory, uses={int(scene): n for scene, n in used.items()})
        else:
            change = {
                "merge": editing.merge(a, b),
                "split": editing.split(a),
                "rename": editing.rename(a, "a name given by hand " * 2),
                "together": editing.together(a, b),
                "apart": editing.apart(a, b),
                "undo": editing.undo,
            }[what]
            try:
                memory = memory.corrected(change(memory))
            except QueryError:  # no such cluster or scene: nothing is changed
                continue
        check(memory, limits)


def added(stream: MemoryStream, entries: SceneEntries) -> Iterator[int]:
    """Add the scenes one by one; the number of each once it is in."""
    for row, (span,) in enumerate(entries.entry_spans):
        rows = entries.exemplar_rows(row)
        stream.add(
            Span(span.start_s, span.end_s),
            entries.exemplar_times[rows],
            entries.exemplar_vectors[rows],
        )
        yield row


@settings(max_examples=60, deadline=None)
@given(entries=films, limits=budgets, policy=st.sampled_from(sorted(POLICIES)))
def test_a_stream_is_within_its_budget_after_every_scene(
    entries: SceneEntries, limits: dict[str, Any], policy: str
) -> None:
    budget = Budget(D, **limits)
    stream = MemoryStream(budget, POLICIES[policy](seed=3))
    for _ in added(stream, entries):
        held = stream.entries()
        labels = np.zeros(len(held), dtype=np.int32)
        memory = MemoryHierarchy(
            held,
            Clustering("kmeans", 1, 0, labels, "for a test"),
            ("all",),
            **limits,
            returns=tuple(stream.returns),
        )
        check(memory, limits)
    assert stream.history.scenes == len(entries)
    assert stream.history.frames == len(entries.exemplar_times)
    gone = stream.history.merged + stream.history.dropped
    assert len(stream) + gone == len(entries)
    if policy in ("fifo", "uniform", "reservoir", "k-centre"):
        assert all(len(spans) == 1 for spans in held.entry_spans)
        assert stream.history.merged == 0
    else:
        assert stream.history.dropped == 0


@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(entries=films, clusters=st.integers(1, 6), limits=budgets, seed=st.integers(0, 99))
def test_the_library_stores_no_more_and_gives_it_back_bit_for_bit(
    tmp_path: Path, entries: SceneEntries, clusters: int, limits: dict[str, Any], seed: int
) -> None:
    clustering = random_clustering(len(entries), clusters, seed)
    returns = find_returns(
        [spans[0] for spans in entries.entry_spans], entries.entry_vectors.astype(np.float32)
    )
    memory = MemoryHierarchy.build(
        entries,
        clustering,
        names_of(clustering),
        **limits,
        returns=returns,
        history=History(scenes=len(entries), frames=len(entries.exemplar_times)),
        uses={0: 3},
    )
    library = Library(tmp_path / "library", create=True)
    record = library.save(
        replace(make_record(seed), settings=limits, memory=memory_facts(memory)),
        stored_from_memory(memory, [clustering_record("c", memory)], {}),
    )
    library.update(library.resolve(record.id))
    stored = library.load(record.id)
    check(memory, limits)
    assert bytes_of(stored) <= sum(tier.bytes for tier in memory.tiers())
    again = memory_from_stored(stored, library.resolve(record.id), stored.clusterings[0])
    assert again.tiers() == memory.tiers()
    assert again.returns == memory.returns
    assert again.history == memory.history
    assert again.uses == memory.uses
    assert again.clusters() == memory.clusters()
    assert report_on(again) == report_on(memory)
    for name in SceneEntries.__slots__:
        mine, back = getattr(memory.entries, name), getattr(again.entries, name)
        assert back == mine if name == "entry_spans" else back.tobytes() == mine.tobytes()
    assert not [finding for finding in library.health(verify=True) if not finding.ok]


def test_a_larger_byte_budget_keeps_more() -> None:
    entries = film(scenes=40, subjects=8, frames=6)
    clustering = random_clustering(40, 5, seed=0)
    sizes = []
    for max_bytes in (1500, 3000, 6000, 20000):
        memory = MemoryHierarchy.build(
            entries, clustering, names_of(clustering), max_bytes=max_bytes
        )
        used = sum(tier.bytes for tier in memory.tiers())
        assert used <= max_bytes
        sizes.append((len(memory), used))
    assert sizes == sorted(sizes)
    assert sizes[0][0] < sizes[-1][0] == 40


@pytest.mark.parametrize("max_bytes", [2000, 4000, 8000])
def test_bytes_go_to_entries_before_exemplars_and_hardly_any_is_left(max_bytes: int) -> None:
    entries = film(scenes=80, subjects=8, frames=6)
    clustering = random_clustering(80, 5, seed=0)
    memory = MemoryHierarchy.build(entries, clustering, names_of(clustering), max_bytes=max_bytes)
    assert len(memory) == 80 or not len(memory.entries.exemplar_times)
    spare = memory.budget.entry.bytes - memory.tiers()[1].bytes
    assert spare < memory.budget.entry_bytes(1, 1, 0)
    assert memory.budget.entry.bytes >= 0.9 * max_bytes


def test_a_stream_short_of_bytes_gives_up_exemplars_before_entries() -> None:
    entries = film(scenes=30, subjects=8, frames=6)
    stream = MemoryStream(Budget(D, 30, max_bytes=4000))
    for row in added(stream, entries):
        assert len(stream) == row + 1 or not len(stream.entries().exemplar_times)
    assert stream.history.thinned


def test_names_share_few_bytes() -> None:
    entries = film(scenes=40, subjects=8, frames=6)
    clustering = random_clustering(40, 12, seed=0)
    names = [f"{cluster} a name that is far longer than most" for cluster in range(12)]
    memory = MemoryHierarchy.build(entries, clustering, names, max_bytes=3000)
    cluster = memory.tiers()[2]
    assert cluster.bytes <= cluster.budget_bytes
    assert all(name and names[int(name.split()[0])].startswith(name) for name in memory.names)


def test_a_coarser_timeline_still_tiles_and_keeps_what_occurs_once() -> None:
    entries = film(scenes=40, subjects=3, frames=2, seed=4)
    labels = first_appearance(np.arange(40) % 2)
    memory = MemoryHierarchy.build(
        entries, Clustering("kmeans", 2, 0, labels, "for a test"), ["a", "b"], 6, spans=2
    )
    scenes = memory.scenes()
    assert len(scenes) == 12
    assert scenes[0].start_s == 0
    assert scenes[-1].end_s == entries.entry_spans[-1][0].end_s
    assert all(one.end_s == two.start_s for one, two in pairwise(scenes))
    assert all(spans for spans in memory.entries.entry_spans)
    assert memory.history.absorbed == 28 == sum(memory.history.absorbed_at.counts)
    seconds = sum(scene.end_s - scene.start_s for scene in scenes)
    assert memory.entries.entry_weights.sum() == pytest.approx(seconds, rel=1e-5)


def test_a_report_says_what_was_merged_and_evicted_and_what_other_budgets_do() -> None:
    entries = film(scenes=30, subjects=4, frames=9)
    clustering = random_clustering(30, 3, seed=1)
    memory = MemoryHierarchy.build(
        entries, clustering, names_of(clustering), 8, 2, history=History(scenes=30)
    )
    report = report_on(memory)
    assert sum(len(one.scenes) for one in report.merged) + sum(
        len(spans) == 1 for spans in memory.entries.entry_spans
    ) == len(entries)
    assert [gone.what for gone in report.evicted] == ["frame vectors"]
    assert report.evicted[0].count == len(entries.exemplar_times) - len(
        memory.entries.exemplar_times
    )
    assert sum(count for _, count in report.evicted[0].where) == report.evicted[0].count
    smaller = [other for other in report.other_budgets if other.memory_size < 8]
    assert [other.entries for other in smaller] == [1, 2, 4]
    likeness = [other.likeness for other in smaller]
    assert likeness == sorted(likeness, key=lambda value: value or 0)
    larger = [other for other in report.other_budgets if other.memory_size > 8]
    assert all("index the film anew" in other.what for other in larger)
    assert set(report.as_dict()) >= {"tiers", "merged", "evicted"}


def test_a_budget_into_which_nothing_fits_is_refused() -> None:
    with pytest.raises(ConfigError, match="max_bytes must be"):
        Budget(384, max_bytes=100)


@settings(max_examples=30, deadline=None)
@given(entries=films)
def test_a_scene_returns_only_from_what_is_over(entries: SceneEntries) -> None:
    spans = [own[0] for own in entries.entry_spans]
    assume(len(spans) > 2)
    found = find_returns(spans, entries.entry_vectors.astype(np.float32))
    by_id = {span.scene: span for span in spans}
    for one in found:
        assert by_id[one.earlier].end_s == one.last_s < by_id[one.scene].start_s
        assert 0.5 <= one.sure <= 1
    assert list(found) == sorted(found, key=lambda one: (one.scene, -one.sure))


def test_a_scene_returns_from_the_same_seen_before() -> None:
    rng = np.random.default_rng(0)
    a, b, c = np.linalg.qr(rng.normal(size=(D, D)))[0][:3]
    vectors = np.stack([a, b, a, c, b]).astype(np.float32)
    entries = SceneEntries.from_scenes(
        [Span(5.0 * i, 5.0 * i + 5) for i in range(5)],
        [np.array([5.0 * i + 1]) for i in range(5)],
        [vector[None] for vector in vectors],
    )
    found = find_returns([own[0] for own in entries.entry_spans], vectors)
    assert [(one.scene, one.earlier, one.last_s) for one in found] == [(2, 0, 5.0), (4, 1, 10.0)]
