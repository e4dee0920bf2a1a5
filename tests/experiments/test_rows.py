"""Rows of baselines and ablations: measured once, each with its commit, each held to another."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.ablation_studies import chosen, read_rows, regrouped
from experiments.rows import Bench, Rows
from experiments.run_record import commit
from semantic_video.config import load_config
from semantic_video.errors import SemanticVideoError
from semantic_video.semantic_clustering import Clustering


def measure(rows: Rows, name: str, value: float) -> bool:
    """Whether the row was measured, and not known."""
    with rows.row(name=name) as row:
        if row is not None:
            row["figures"] = {"moment_R1": {"value": value}}
        return row is not None


def test_a_row_is_measured_once_and_says_at_which_commit(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    first = Rows(path, "film 1")
    assert measure(first, "a", 0.5)
    with path.open("a", encoding="utf-8") as lines:
        lines.write('{"key": "torn, "')  # killed while it wrote
    again = Rows(path, "film 1")
    assert not measure(again, "a", 0.7)
    assert measure(again, "b", 0.7)
    assert [row["figures"]["moment_R1"]["value"] for row in again.rows] == [0.5, 0.7]
    assert {row["commit"] for row in again.rows} == {commit()}
    third = Rows(path, "film 1")
    assert not measure(third, "b", 0.9)
    assert measure(Rows(path, "film 2"), "a", 0.5)


def test_a_row_that_failed_is_not_kept(tmp_path: Path) -> None:
    path = tmp_path / "rows.jsonl"
    with pytest.raises(RuntimeError), Rows(path, "film").row(name="a"):
        raise RuntimeError("no memory left")
    assert measure(Rows(path, "film"), "a", 0.5)


def test_where_nothing_can_be_written_is_said_in_a_line(tmp_path: Path) -> None:
    labels = tmp_path / "film.json"
    labels.write_text('{"video": "film.mp4", "duration_s": 4, "segments": [], "queries": []}')
    (tmp_path / "file").touch()
    with pytest.raises(SemanticVideoError, match="cannot write into"):
        Bench.open(labels, None, tmp_path / "file" / "runs")


def test_groups_are_chosen_by_a_part_of_their_names() -> None:
    groups = read_rows()
    memory = chosen(groups, ["memory"])
    assert next(iter(memory)) == "as shipped"
    assert [name for name in groups if "memory" in name] == list(memory)[1:]
    assert len(memory) > 3
    assert chosen(groups, None) == groups
    assert list(chosen(groups, ["words"])) == ["as shipped"]
    with pytest.raises(ValueError, match="no group is called 'memmory'; there are 'as shipped'"):
        chosen(groups, ["memmory"])


def test_every_row_is_held_to_one_that_is_there_and_changes_options_that_exist() -> None:
    groups = read_rows()
    names = [row.name for rows in groups.values() for row in rows]
    assert len(set(names)) == len(names)
    config = load_config()
    for rows in groups.values():
        for row in rows:
            config.override(row.config, row.name)
            assert row.against is None or row.against in names


@pytest.mark.parametrize("grouping", ["temporal", "random", "none"])
def test_other_groupings_have_the_same_size(grouping: str) -> None:
    labels = np.array([0, 1, 0, 2, 1, 0, 3, 3, 2, 0])
    clustering = Clustering("kmeans", "auto", 0, labels, "for the test")
    other: Any = regrouped(clustering, grouping, seed=1)
    assert len(other.labels) == len(labels)
    if grouping == "temporal":
        assert (np.diff(other.labels) >= 0).all()
        assert other.size == clustering.size
    if grouping == "random":
        assert sorted(np.bincount(other.labels)) == sorted(np.bincount(labels))
        assert (other.labels != labels).any()
    if grouping == "none":
        assert other.size == 1
