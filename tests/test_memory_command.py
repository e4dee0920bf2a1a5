"""What the `memory` command says: other budgets without a wrong picture, no empty tables, words."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from semantic_video.cli.app import run
from semantic_video.library import Library
from semantic_video.memory_hierarchy import MemoryHierarchy, SceneEntries
from semantic_video.memory_hierarchy.report import report_on
from semantic_video.semantic_clustering import Clustering, first_appearance
from semantic_video.stored_memory import clustering_record, stored_from_memory
from tests.library_cases import make_record
from tests.test_memory_hierarchy import film, names_of


def memory_of(entries: SceneEntries, clusters: int, size: int) -> MemoryHierarchy:
    labels = first_appearance(np.arange(len(entries)) % clusters)
    clustering = Clustering("kmeans", clusters, 0, labels, "for a test")
    return MemoryHierarchy.build(entries, clustering, names_of(clustering), size)


def shown(
    memory: MemoryHierarchy, shelf: Path, capsys: pytest.CaptureFixture[str], *more: str
) -> str:
    record = replace(
        make_record(1),
        settings={
            "memory_size": memory.memory_size,
            "exemplars": 8,
            "spans": 16,
            "num_clusters": "auto",
        },
    )
    own = replace(clustering_record("k", memory), active=True)
    Library(shelf, create=True).save(record, stored_from_memory(memory, [own], {}))
    assert run(["memory", "1.mp4", "--library", str(shelf), *more]) == 0
    return capsys.readouterr().out


def test_a_watched_address_is_found_by_its_name_and_is_not_offline(tmp_path, capsys) -> None:
    memory = memory_of(film(scenes=3, subjects=2), 2, size=10)
    shown(memory, tmp_path, capsys)
    shelf = Library(tmp_path)
    address = "http://camera.local/live.ts"
    shelf.update(replace(shelf.resolve("1.mp4"), path=address, name=address))
    assert run(["info", "live.ts", "--library", str(tmp_path)]) == 0
    told = capsys.readouterr().out
    assert address in told
    assert "offline" not in told


def test_a_smaller_budget_says_whose_times_are_lost(tmp_path, capsys) -> None:
    memory = memory_of(film(scenes=92, subjects=12), 12, size=10)
    one, two, five = report_on(memory).other_budgets[:3]
    for other in (one, two, five):
        smaller = memory.consolidate(other.memory_size)
        assert 92 - len(smaller.scenes()) == smaller.history.absorbed
    # One entry remembers 16 scenes one by one, two 32, five 80.
    assert one.what == (
        "16 scenes would share an entry and the times of 76 scenes would be lost "
        "to those beside them"
    )
    assert "the times of 60 scenes" in two.what
    assert "the times of 12 scenes" in five.what
    text = shown(memory, tmp_path, capsys)
    assert "the times of 76 scenes would be lost" in text


def test_a_film_of_one_scene_has_no_empty_tables(tmp_path, capsys) -> None:
    memory = memory_of(film(scenes=1, subjects=1), 1, size=10)
    assert repr(memory).startswith("MemoryHierarchy: 1 scene in 1 cluster, ")
    lines = shown(memory, tmp_path, capsys, "--transitions").splitlines()
    assert lines == [
        "no cluster follows another",
        "",
        "nothing came back",
        "",
        "once only: name 0",
    ]
    assert "1 of 1 scene remembered one by one; no two share" in shown(memory, tmp_path, capsys)
