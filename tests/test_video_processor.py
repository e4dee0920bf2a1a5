"""The promised Python interface, on a small film made by code."""

from __future__ import annotations

from pathlib import Path

import pytest

from semantic_video import (
    Library,
    MemoryHierarchy,
    Moment,
    Moments,
    SemanticVideoError,
    SemanticVideoProcessor,
)
from semantic_video.asking import Request
from semantic_video.config import default_config
from semantic_video.errors import QueryError
from tests.media import Shot, render, write_video

SHOTS = [Shot(seed, 1.5) for seed in (1, 2, 3, 1, 2, 3)]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("films") / "film.mp4", render(SHOTS))


@pytest.fixture(scope="module")
def shelf(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("libraries") / "library"


@pytest.mark.parametrize("method", ["kmeans", "spectral"])
def test_the_promised_usage(film: Path, shelf: Path, method: str) -> None:
    processor = SemanticVideoProcessor(
        video_path=film,
        num_clusters=3,
        memory_size=1000,
        clustering_method=method,
        library=shelf,
    )
    memory = processor.build_semantic_memory()
    assert isinstance(memory, MemoryHierarchy)
    assert len(memory.scenes()) == 6
    labels = [scene.cluster for scene in memory.scenes()]
    assert labels[:3] == labels[3:]
    assert len(set(labels)) == 3
    moments = processor.query_semantic_memory("person walking")
    assert isinstance(moments, Moments)
    assert not moments.found  # nobody walks in patterns; the nearest are there all the same
    assert len(moments) == 6
    assert all(isinstance(moment, Moment) for moment in moments)
    assert moments[0].video == str(film)
    assert len(processor.query_semantic_memory("person walking", k=2)) == 2
    assert "6 scenes" in repr(processor)


def test_the_default_is_ten_clusters_and_the_users_library(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SEMANTIC_VIDEO_LIBRARY", str(tmp_path / "mine"))
    processor = SemanticVideoProcessor(video_path=str(film))
    # Asking builds the memory; six scenes of three places are fewer than ten clusters.
    assert processor.query_semantic_memory("a street")
    (video,) = Library(tmp_path / "mine").videos()
    assert video.settings["num_clusters"] == 10
    assert video.clusters <= 6


def test_another_processor_leaves_the_active_clustering_alone(film: Path, tmp_path: Path) -> None:
    first = SemanticVideoProcessor(film, num_clusters=3, library=tmp_path / "l")
    first.build_semantic_memory()
    (before,) = Library(tmp_path / "l").videos()
    other = SemanticVideoProcessor(film, num_clusters=2, library=tmp_path / "l")
    assert len(other.build_semantic_memory().clusters()) == 2
    (after,) = Library(tmp_path / "l").videos()
    assert after.active_clustering == before.active_clustering
    assert after.generation == before.generation, "the film was not watched again"
    again = SemanticVideoProcessor(film, num_clusters=2, library=tmp_path / "l")
    assert again.build_semantic_memory().names == other.build_semantic_memory().names


def test_memory_size_is_a_hard_limit_that_keeps_every_span(film: Path, tmp_path: Path) -> None:
    processor = SemanticVideoProcessor(film, 3, memory_size=3, library=tmp_path / "l")
    memory = processor.build_semantic_memory()
    assert len(memory) == 3
    assert len(memory.scenes()) == 6
    assert memory.scenes()[-1].end_s == pytest.approx(9, abs=0.1)
    found = processor.query_semantic_memory("anything", k=10)
    assert len(found) == 6


def test_a_memory_is_the_same_after_reopening(film: Path, tmp_path: Path) -> None:
    first = SemanticVideoProcessor(film, 3, library=tmp_path / "l")
    answer = first.query_semantic_memory("a red thing")
    second = SemanticVideoProcessor(film, 3, library=tmp_path / "l")
    assert second.query_semantic_memory("a red thing").as_dict() == answer.as_dict()


def test_bad_arguments(film: Path, shelf: Path, tmp_path: Path) -> None:
    with pytest.raises(SemanticVideoError, match="kmeans or spectral"):
        SemanticVideoProcessor(film, clustering_method="kmean", library=shelf)
    with pytest.raises(SemanticVideoError, match="did you mean 'lite'"):
        SemanticVideoProcessor(film, model="lit", library=shelf)
    with pytest.raises(SemanticVideoError, match="no such file"):
        SemanticVideoProcessor(tmp_path / "none.mp4", library=shelf).build_semantic_memory()
    processor = SemanticVideoProcessor(film, library=shelf)
    with pytest.raises(SemanticVideoError, match="empty"):
        processor.query_semantic_memory(" ")
    ask = processor.query_semantic_memory
    for asked, message in (
        (lambda: ask("a dog", k=0), "at least 1"),
        (lambda: ask("a dog", k=2.5), "whole number"),  # type: ignore[arg-type]
        (lambda: ask(None), "text or a Request"),  # type: ignore[arg-type]
        (lambda: ask(b"a dog"), "text or a Request"),  # type: ignore[arg-type]
        (lambda: ask("a dog", right=[1]), "moments of an earlier answer"),  # type: ignore[list-item]
        (lambda: ask(Request("a dog"), k=2), "a Request says all"),
    ):
        with pytest.raises(QueryError, match=message):
            asked()
    for size in (0, -1):
        with pytest.raises(SemanticVideoError, match="memory_size"):
            SemanticVideoProcessor(film, memory_size=size, library=tmp_path / "x")


def test_a_film_that_changes_while_it_is_read_is_refused(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", render(SHOTS))

    def disturb(stage: str, done_s: float, total_s: float) -> None:
        with film.open("ab") as file:
            file.write(b"more")

    processor = SemanticVideoProcessor(film, library=tmp_path / "l", progress=disturb)
    with pytest.raises(SemanticVideoError, match="changed while it was read"):
        processor.index()
    assert Library(tmp_path / "l").videos() == []


@pytest.mark.parametrize("depth", ["quick", "auto", "full"])
def test_progress_reaches_the_end(film: Path, tmp_path: Path, depth: str) -> None:
    shares: list[float] = []
    config = default_config().override({"reading": {"depth": depth}}, source="test")
    processor = SemanticVideoProcessor(
        film,
        library=tmp_path / "l",
        config=config,
        progress=lambda stage, done_s, total_s: shares.append(done_s / total_s),
    )
    processor.build_semantic_memory()
    assert shares == sorted(shares)
    assert shares[-1] == 1


def test_a_processor_never_changes_what_the_command_line_uses(film: Path, tmp_path: Path) -> None:
    library = Library(tmp_path / "l", create=True)
    SemanticVideoProcessor(film, 2, memory_size=2, library=library).index()
    (before,) = library.videos()
    # A larger budget, other scenes: nothing that is kept is touched.
    memory = SemanticVideoProcessor(film, library=library).build_semantic_memory()
    assert len(memory) == 2
    finer = default_config().override({"segmentation": {"min_shot_s": 0.2}}, source="test")
    other = SemanticVideoProcessor(film, library=library, config=finer).build_semantic_memory()
    assert len(other) == 6
    (after,) = library.videos()
    assert (after.generation, after.active_clustering, after.settings) == (
        before.generation,
        before.active_clustering,
        before.settings,
    )


def test_a_larger_memory_is_one_where_nothing_was_cut(film: Path, tmp_path: Path) -> None:
    library = Library(tmp_path / "l", create=True)
    SemanticVideoProcessor(film, 3, memory_size=50, library=library).index()
    memory = SemanticVideoProcessor(
        film, 3, memory_size=90, library=library
    ).build_semantic_memory()
    assert (len(memory), memory.memory_size) == (6, 90)
    (record,) = library.videos()
    assert record.settings["memory_size"] == 50


def test_an_offline_film_is_still_answered_from(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", render(SHOTS))
    SemanticVideoProcessor(film, 2, memory_size=2, library=tmp_path / "l").index()
    film.unlink()
    finer = default_config().override({"segmentation": {"min_shot_s": 0.2}}, source="test")
    for config in (None, finer):
        processor = SemanticVideoProcessor(film, library=tmp_path / "l", config=config)
        assert processor.query_semantic_memory("a street")


def test_a_configuration_counts_unless_arguments_say_otherwise(film: Path, shelf: Path) -> None:
    config = default_config().override({"clustering": {"num_clusters": 2}}, source="test")
    assert SemanticVideoProcessor(film, library=shelf, config=config).config == config
    given = SemanticVideoProcessor(film, 4, library=shelf, config=config).config
    assert given.clustering.num_clusters == 4
    assert SemanticVideoProcessor(film, library=shelf).config.clustering.num_clusters == 10
