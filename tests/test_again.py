"""What is said of scenes that return: the right name or none, and when it was on last."""

from __future__ import annotations

from dataclasses import replace

import numpy as np

from semantic_video.cli.memory import again_line, again_lines
from semantic_video.memory_hierarchy import Budget, MemoryHierarchy, MemoryStream, SceneEntries
from semantic_video.memory_hierarchy.again import Again, Sightings
from semantic_video.records import Return, Span
from semantic_video.semantic_clustering import Clustering, first_appearance

SUBJECTS = np.eye(8, dtype=np.float32)
# What is on screen, ten seconds each: "a dog" comes first, so that it would be the wrong default.
SHOWN = ["a dog", "a cat", "a pier", "a cat", "a pier", "a cat", "a cat", "a dog"]
KINDS = list(dict.fromkeys(SHOWN))


def film(shown: list[str]) -> tuple[list[Span], list[np.ndarray]]:
    spans = [Span(10.0 * i, 10.0 * i + 10) for i in range(len(shown))]
    return spans, [SUBJECTS[[KINDS.index(what)]] for what in shown]


def grouped(shown: list[str], returns: tuple[Return, ...] = ()) -> MemoryHierarchy:
    spans, frames = film(shown)
    entries = SceneEntries.from_scenes(spans, [np.array([s.start_s + 1]) for s in spans], frames)
    labels = first_appearance([KINDS.index(what) for what in shown])
    names = tuple(dict.fromkeys(shown))
    clustering = Clustering("kmeans", len(names), 0, labels, "for a test")
    return MemoryHierarchy.build(entries, clustering, names, returns=returns)


def test_the_last_time_is_that_of_the_cluster_not_of_the_most_alike_scene() -> None:
    found = (Return(3, 1, 20.0, 0.9), Return(5, 1, 20.0, 0.9), Return(7, 0, 10.0, 0.8))
    assert again_lines(grouped(SHOWN, found)) == [
        "0:00:30 again: a cat, last at 0:00:20 (90% sure)",
        "0:00:50 again: a cat, last at 0:00:40, most like 0:00:20 (90% sure)",
        "0:01:10 again: a dog, last at 0:00:10 (80% sure)",
    ]


def test_a_scene_that_goes_on_counts_from_the_run_before() -> None:
    # Of two scenes of a run, the second was last on before the run, whichever it is most like.
    found = (Return(6, 1, 20.0, 0.9), Return(3, 3, 20.0, 0.9))
    lines = again_lines(grouped(SHOWN, (found[0],)))
    assert lines == ["0:01:00 again: a cat, last at 0:00:40, most like 0:00:20 (90% sure)"]
    only_a_run = grouped(["a dog", "a cat", "a cat", "a cat"], (Return(3, 1, 20.0, 0.9),))
    assert again_lines(only_a_run) == []


def test_a_scene_that_the_budget_gave_up_has_no_name() -> None:
    memory = replace(grouped(SHOWN), returns=(Return(3, 99, 20.0, 0.9),))
    assert again_lines(memory) == ["0:00:30 again: seen at 0:00:20 (90% sure)"]


def stream(publish_after: set[int]) -> list[Again | None]:
    """What is said of each scene, where a grouping is published after some of them."""
    memory, told = Sightings(), []
    scenes = MemoryStream(Budget(8, 100))
    for number, (span, frames) in enumerate(zip(*film(SHOWN), strict=True)):
        told.append(memory.add(span, scenes.add(span, [span.start_s + 1], frames)))
        if number in publish_after:
            memory.grouped(grouped(SHOWN[: number + 1]))
    return told


def test_while_watching_what_is_in_no_cluster_yet_has_no_name() -> None:
    told = stream(publish_after={0})
    assert [one and (one.name, one.last_s) for one in told] == [
        None,
        None,
        None,
        ("", 20.0),
        ("", 30.0),
        ("", 40.0),
        ("", 40.0),
        ("a dog", 10.0),
    ]
    assert told[3] is not None
    assert again_line(told[3]) == "again: seen at 0:00:20 (97% sure)"


def test_while_watching_scenes_since_the_last_grouping_count() -> None:
    told = stream(publish_after={0, 2})
    assert [one and (one.name, one.last_s) for one in told[3:]] == [
        ("a cat", 20.0),
        ("a pier", 30.0),
        ("a cat", 40.0),
        ("a cat", 40.0),
        ("a dog", 10.0),
    ]
