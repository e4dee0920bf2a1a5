"""Corrections by hand: what they do, that they last, and that they can be taken back."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic_video import editing
from semantic_video.cli.app import run
from semantic_video.errors import QueryError
from semantic_video.library import Library, VideoRecord
from semantic_video.memory_hierarchy import MemoryHierarchy, SceneEntries
from semantic_video.records import Span, Theme
from semantic_video.semantic_clustering import (
    Correction,
    SemanticClustering,
    first_appearance,
    theme_levels,
)
from semantic_video.stored_memory import (
    clustering_record,
    memory_from_stored,
    stored_from_memory,
)


def memory_of(
    scenes: int = 18,
    subjects: int = 6,
    clusters: int | str = 6,
    seed: int = 0,
    method: str = "kmeans",
) -> MemoryHierarchy:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(subjects, 16))
    vectors = centres[np.arange(scenes) % subjects] + 0.2 * rng.normal(size=(scenes, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    spans = [Span(2.0 * i, 2.0 * i + 2) for i in range(scenes)]
    frames = [vectors[i : i + 1].astype(np.float32) for i in range(scenes)]
    entries = SceneEntries.from_scenes(spans, [np.array([s.start_s + 1]) for s in spans], frames)
    clustering = SemanticClustering(method, clusters).fit(vectors, entries.entry_weights)  # type: ignore[arg-type]
    names = tuple(f"subject {chr(97 + i)}" for i in range(clustering.size))
    return MemoryHierarchy.build(entries, clustering, names)


def edited(memory: MemoryHierarchy, change: editing.Change) -> MemoryHierarchy:
    return memory.corrected(change(memory))


def scenes_of(memory: MemoryHierarchy, cluster: int) -> set[int]:
    return set(memory.clusters()[cluster].scenes)


def test_merge_changes_those_two_and_nothing_else() -> None:
    memory = memory_of()
    after = edited(memory, editing.merge(1, 4))
    assert len(after.names) == 5
    assert scenes_of(memory, 1) | scenes_of(memory, 4) == scenes_of(after, 1)
    untouched = {(memory.names[c], frozenset(scenes_of(memory, c))) for c in (0, 2, 3, 5)}
    assert untouched <= {(c.name, frozenset(c.scenes)) for c in after.clusters()}


def test_split_parts_the_two_subjects_of_a_coarse_cluster() -> None:
    memory = edited(memory_of(), editing.merge(0, 3))
    after = edited(memory, editing.split(0))
    parts = {frozenset(c.scenes) for c in after.clusters()}
    assert {frozenset(range(0, 18, 6)), frozenset(range(3, 18, 6))} <= parts
    assert len(set(after.names)) == len(after.names) == 6


def test_undo_takes_back_one_after_the_other() -> None:
    memory = memory_of()
    one = edited(memory, editing.rename(2, "harbour"))
    two = edited(one, editing.apart(0, 6))
    assert edited(two, editing.undo).names == one.names
    back = edited(edited(two, editing.undo), editing.undo)
    assert np.array_equal(back.labels, memory.labels)
    assert back.names == memory.names
    with pytest.raises(QueryError, match="nothing to undo"):
        editing.undo(back)


@pytest.mark.parametrize("clusters", [2, 4, 9, "auto"])
@pytest.mark.parametrize("method", ["kmeans", "hdbscan", "agglomerative", "spectral"])
def test_corrections_hold_whatever_the_grouping(method: str, clusters: int | str) -> None:
    memory = edited(memory_of(), editing.rename(2, "harbour"))
    memory = edited(memory, editing.together(0, 1))
    memory = edited(memory, editing.apart(2, 8))
    other = memory_of(clusters=clusters, method=method)
    after = other.corrected(memory.clustering.corrections)
    of_scene = [scene.cluster for scene in after.scenes()]
    assert of_scene[0] == of_scene[1]
    assert of_scene[2] != of_scene[8]
    assert after.names.count("harbour") == 1


def test_later_corrections_overrule_earlier_ones() -> None:
    memory = edited(memory_of(), editing.apart(0, 6))
    assert memory.labels[0] != memory.labels[6]
    memory = edited(memory, editing.together(0, 6))
    assert memory.labels[0] == memory.labels[6]
    memory = edited(edited(memory, editing.rename(0, "pier")), editing.rename(0, "quay"))
    assert memory.names[0] == "quay"


def test_corrections_find_their_scenes_when_the_film_is_cut_anew() -> None:
    memory = edited(memory_of(), editing.together(0, 1))
    finer = memory_of(scenes=36, subjects=12, clusters=12)
    spans = [Span(1.0 * i, 1.0 * i + 1) for i in range(36)]
    entries = SceneEntries.from_scenes(
        spans,
        [np.array([s.start_s + 0.5]) for s in spans],
        [finer.entries.entry_vectors[i : i + 1].astype(np.float32) for i in range(36)],
    )
    finer = MemoryHierarchy.build(entries, finer.clustering, finer.names)
    after = finer.corrected(memory.clustering.corrections)
    assert len({scene.cluster for scene in after.scenes()[:4]}) == 1  # what was 0 to 4 s


EDITS = st.one_of(
    st.tuples(st.just("merge"), st.integers(0, 7), st.integers(0, 7)),
    st.tuples(st.just("split"), st.integers(0, 7), st.just(0)),
    st.tuples(st.just("together"), st.integers(0, 17), st.integers(0, 17)),
    st.tuples(st.just("apart"), st.integers(0, 17), st.integers(0, 17)),
)


@settings(max_examples=40, deadline=None)
@given(edits=st.lists(EDITS, max_size=8))
def test_any_edits_keep_a_clustering_whole_and_can_all_be_undone(
    edits: list[tuple[str, int, int]],
) -> None:
    start = memory_of()
    memory, done = start, 0
    for kind, a, b in edits:
        change = editing.split(a) if kind == "split" else getattr(editing, kind)(a, b)
        try:
            memory = edited(memory, change)
        except QueryError:
            continue
        done += 1
        assert np.array_equal(memory.labels, first_appearance(memory.labels))
        assert len(set(memory.names)) == len(memory.names) == memory.clustering.size
        if kind == "together":
            assert memory.labels[a] == memory.labels[b]
        if kind == "apart":
            assert memory.labels[a] != memory.labels[b]
    assert len(memory.clustering.corrections) == done
    stored = [Correction.from_dict(c.as_dict()) for c in memory.clustering.corrections]
    assert tuple(stored) == memory.clustering.corrections
    for _ in range(done):
        memory = edited(memory, editing.undo)
    assert np.array_equal(memory.labels, start.labels)
    assert memory.names == start.names


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (editing.merge(0, 0), "with itself"),
        (editing.merge(0, 99), "no cluster 99: this video has 0 to 5"),
        (editing.split(-1), "no cluster -1"),
        (editing.rename(1, "  "), "1 to 64 bytes"),
        (editing.rename(1, "Subject A"), "cluster 0 is already called 'subject a'"),
        (editing.together(3, 400), "no scene 400: this video has 0 to 17"),
        (editing.apart(3, 3), "scene 3 twice"),
    ],
)
def test_what_makes_no_sense_is_refused(change: editing.Change, message: str) -> None:
    with pytest.raises(QueryError, match=message):
        change(memory_of())


def test_scenes_that_share_an_entry_cannot_be_parted() -> None:
    memory = memory_of().consolidate(6)
    with pytest.raises(QueryError, match="larger --memory-size"):
        editing.apart(0, 6)(memory)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    """A library with one video, of which it holds two clusterings; the film is offline."""
    library = Library(tmp_path / "library", create=True)
    memory, coarse = memory_of(), memory_of(clusters=3)
    record = VideoRecord(
        path="/films/a.mp4",
        name="a.mp4",
        size=1,
        mtime_ns=1,
        fingerprint="0123456789abcdef",
        settings={"memory_size": 1000, "exemplars": 8},
    )
    active = replace(clustering_record("fine", memory), active=True)
    kept = [active, clustering_record("coarse", coarse)]
    library.save(record, stored_from_memory(memory, kept, {}))
    return library


def test_a_library_keeps_corrections_and_other_clusterings_replay_them(library: Library) -> None:
    record = library.resolve("a.mp4")
    record, after = editing.edit_video(library, record, editing.rename(2, "harbour"))
    editing.edit_video(library, record, editing.merge(0, 1))
    stored = library.load(record.id)
    again = memory_from_stored(stored, record)
    assert after.names[2] == "harbour"
    assert "harbour" in again.names
    assert len(again.names) == 5
    other = next(c for c in stored.clusterings if c.id == "coarse")
    assert other.corrections == ()
    fresh = editing.brought_up_to_date(
        other, stored.active_clustering, memory_from_stored(stored, record, other)
    )
    assert "harbour" in fresh.names
    _, through = editing.edit_video(library, record, editing.undo, clustering="coarse")
    assert len(through.clustering.corrections) == 1  # the merge is gone, for both
    assert len(memory_from_stored(library.load(record.id), record).names) == 6


def test_edit_command(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    def call(*words: str) -> str:
        assert run(["edit", "a.mp4", "--library", str(library.path), *words]) == 0
        return capsys.readouterr().out

    assert "cluster 4: the old harbour, 3 scenes" in call("--rename", "4", "the old harbour")
    assert "\x1b" not in call("--rename", "4", "the \x1b[31m harbour")
    call("--undo")
    answer = json.loads(call("--merge", "1", "4", "--json"))
    assert answer["clusters"] == 5
    assert [cluster["name"] for cluster in answer["changed"]] == ["the old harbour"]
    assert [c["kind"] for c in answer["corrections"]] == ["rename", "merge"]
    assert run(["clusters", "a.mp4", "--library", str(library.path)]) == 0
    assert "the old harbour" in capsys.readouterr().out
    assert "6 clusters, 1 correction by hand" in call("--undo")
    assert "6 clusters, 0 corrections by hand" in call("--undo")


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "one change at a time"),
        (["--split", "1", "--undo"], "one change at a time"),
        (["--undo"], "nothing to undo"),
        (["--merge", "0", "77"], "no cluster 77"),
        (["--rename", "0", ""], "a name needs"),
    ],
)
def test_edit_command_says_what_is_wrong(
    library: Library, words: list[str], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["edit", "a.mp4", "--library", str(library.path), *words]) == 2
    said = capsys.readouterr()
    assert message in said.err
    assert said.out == ""
    assert len(said.err.strip().splitlines()) == 1


def test_themes_nest_and_share_out_clusters_and_screen_time(library: Library) -> None:
    memory = memory_of(scenes=90, subjects=30, clusters=30)
    tree = memory.themes()
    total = sum(cluster.total_s for cluster in memory.clusters())

    def check(themes: tuple[Theme, ...], level: int) -> int:
        depth = 1
        for theme in themes:
            assert theme.level == level
            assert theme.medoid_cluster in theme.clusters
            assert theme.name
            if theme.children:
                inside = [cluster for child in theme.children for cluster in child.clusters]
                assert sorted(inside) == sorted(theme.clusters)
                depth = 1 + check(theme.children, level + 1)
        return depth

    assert check(tree, 0) == 2
    assert 1 < len(tree) < 30
    assert sorted(c for theme in tree for c in theme.clusters) == list(range(30))
    assert sum(theme.total_s for theme in tree) == pytest.approx(total)
    assert [theme.as_dict() for theme in memory.themes()] == [theme.as_dict() for theme in tree]
    for theme in tree:  # the name says what the picture shows
        words = theme.name.rpartition(": ")[2]
        assert words.startswith(memory.names[theme.medoid_cluster])


def test_themes_command(library: Library, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["clusters", "a.mp4", "--library", str(library.path), "--themes"]) == 0
    text = capsys.readouterr().out
    assert all(f"subject {letter}" in text for letter in "abcdef")
    assert run(["clusters", "a.mp4", "--library", str(library.path), "--themes", "--json"]) == 0
    (line,) = capsys.readouterr().out.splitlines()
    assert {"name", "clusters", "medoid_scene", "occurrences", "total_s", "children"} <= set(
        json.loads(line)[0]
    )


@pytest.mark.parametrize("clusters", [1, 2, 3])
def test_few_clusters_have_themes_too(clusters: int) -> None:
    tree = memory_of(clusters=clusters).themes()
    assert sorted(c for theme in tree for c in theme.clusters) == list(range(clusters))


@pytest.mark.parametrize("limit", [1, 2, 5, 40])
@pytest.mark.parametrize("clusters", [1, 2, 4, 30, 90])
def test_themes_keep_to_their_budget(clusters: int, limit: int) -> None:
    levels = theme_levels(np.eye(clusters, 90, dtype=np.float32), limit)
    assert 1 <= sum(len(np.unique(level)) for level in levels) <= limit
