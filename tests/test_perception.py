"""Watching in passes: little is decoded, nothing is missed, and what breaks off goes on later."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semantic_video import SemanticVideoProcessor
from semantic_video.config import Config, load_config
from semantic_video.encoders import load_encoder
from semantic_video.indexer import IndexReport
from semantic_video.indexing import refined_share
from semantic_video.library import Library
from semantic_video.perception import Perception, perceive
from semantic_video.records import Span
from tests.media import Picture, Shot, render, write_video

FPS = 12
# 42 s: hard cuts at 5, 9.5, ..., a fade, and a shot that returns.
SHOTS = [
    Shot(1, 5, "pan"),
    Shot(2, 4.5),
    Shot(3, 6, "zoom"),
    Shot(4, 5.5, "pan", fade_s=0.5),
    Shot(2, 4),
    Shot(5, 7, "zoom"),
    Shot(6, 5, "pan"),
    Shot(2, 5),
]
JOINS = np.cumsum([shot.seconds for shot in SHOTS])[:-1]


@pytest.fixture(scope="module")
def pictures() -> list[Picture]:
    return list(render(SHOTS, fps=FPS))


@pytest.fixture(scope="module")
def film(pictures: list[Picture], tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "film.mp4"
    options = {"sc_threshold": "40"}  # key frames at cuts, as x264 places them
    return write_video(path, pictures, fps=FPS, key_every=125, options=options)


def at_depth(depth: str) -> Config:
    # Blobs of colour all mean the same to the encoder: shots are not joined.
    options = {
        "reading": {"depth": depth, "whole_below": 0.0},  # as if they were of many pixels
        "segmentation": {"merge_similarity": 2.0},
    }
    return load_config().override(options, source="a test")


def watched(film: Path, depth: str = "auto", **options: Any) -> Perception:
    *_, last = perceive(film, load_encoder("lite"), at_depth(depth), lambda *_: None, **options)
    return last


def starts(perception: Perception) -> list[float]:
    return sorted(span.start_s for spans in perception.entries.entry_spans for span in spans)[1:]


def found(joins: Any, perception: Perception, within_s: float = 0.5) -> float:
    cuts = np.array(starts(perception))
    return float(np.mean([np.abs(cuts - join).min(initial=99) <= within_s for join in joins]))


def test_auto_finds_what_full_finds_with_a_fraction_of_the_work(film: Path) -> None:
    auto, full = watched(film), watched(film, "full")
    assert found(JOINS, full) == 1
    assert found(JOINS, auto) >= 6 / 7
    assert len(starts(auto)) <= len(starts(full)) + 1
    # Slow pans of grainy pictures are the worst case.
    assert auto.decoded < 0.9 * full.decoded
    assert auto.encoded <= full.encoded + 2
    # Each scene has a frame of its own.
    for spans, own in zip(auto.entries.entry_spans, exemplar_times(auto), strict=True):
        assert any(span.start_s <= time_s < span.end_s for span in spans for time_s in own)


def test_skipping_saves_work_beside_a_dense_loop(film: Path) -> None:
    """Guards the point of it all, in counts: dense is each frame decoded, one a second encoded."""
    seconds = sum(shot.seconds for shot in SHOTS)
    skipped = watched(film)
    assert 2.0 * skipped.decoded <= seconds * FPS
    assert 2.0 * skipped.encoded <= seconds


def exemplar_times(perception: Perception) -> Iterator[list[float]]:
    entries = perception.entries
    for entry in range(len(entries)):
        yield entries.exemplar_times[entries.exemplar_entries == entry].tolist()


def test_quick_decodes_key_frames_only(film: Path) -> None:
    quick, auto = watched(film, "quick"), watched(film)
    assert quick.decoded < 10
    assert quick.decoded < auto.decoded
    assert quick.refined == 1


@pytest.mark.parametrize(
    ("name", "options"),
    [
        ("two-seconds.mp4", {"key_every": 24, "options": {"sc_threshold": "0"}}),
        ("one-key.mp4", {"key_every": 10_000, "options": {"sc_threshold": "0"}}),
        ("open.mp4", {"codec": "libx265", "key_every": 60}),
        ("av1.mkv", {"codec": "libsvtav1", "key_every": 60}),
        ("intra.avi", {"codec": "mjpeg", "pix_fmt": "yuvj420p"}),
        ("old.avi", {"codec": "mpeg4", "key_every": 24}),
        ("stream.ts", {"key_every": 48}),
    ],
)
def test_whatever_the_coding_the_joins_are_found(
    pictures: list[Picture], tmp_path: Path, name: str, options: dict[str, Any]
) -> None:
    path = write_video(tmp_path / name, pictures, fps=FPS, **options)
    perception = watched(path)
    # At twelve frames a second a fade has six, and a packet is three frames off at most.
    assert found(JOINS, perception, within_s=0.6) >= 4 / 7
    # Pans change all of a picture in two seconds; in real films the vectors join their parts.
    assert len(starts(perception)) <= len(JOINS) + 5
    assert perception.refined == 1


def test_a_variable_rate_is_no_obstacle(pictures: list[Picture], tmp_path: Path) -> None:
    def shown_at(index: int) -> float:
        return index / FPS + (0.03 if index % 3 else 0.0)

    path = write_video(tmp_path / "phone.mp4", pictures, fps=FPS, key_every=125, times=shown_at)
    assert found(JOINS, watched(path)) >= 6 / 7


def test_what_returns_is_encoded_once(tmp_path: Path) -> None:
    turns = [Shot(seed, 3) for seed in (1, 2, 3) * 5]
    path = write_video(tmp_path / "turns.mp4", render(turns, fps=FPS), fps=FPS, key_every=125)
    perception = watched(path)
    assert len(starts(perception)) >= 13
    assert perception.encoded <= 9
    vectors = perception.entries.entry_vectors.astype(np.float32)
    assert float(vectors[0] @ vectors[3]) > 0.99


def test_known_scenes_and_vectors_are_taken_over(film: Path) -> None:
    first = watched(film)
    spans = [Span(span.start_s, span.end_s) for own in first.entries.entry_spans for span in own]
    known = dict(
        zip(first.entries.exemplar_times.tolist(), first.entries.exemplar_vectors, strict=True)
    )
    again = watched(film, scenes=spans, known=known)
    assert starts(again) == starts(first)
    assert again.encoded < first.encoded / 2


def test_a_damaged_film_is_watched_whole(pictures: list[Picture], tmp_path: Path) -> None:
    path = write_video(tmp_path / "cut.mkv", pictures, fps=FPS, key_every=24)
    path.write_bytes(path.read_bytes()[: path.stat().st_size * 2 // 3])
    perception, whole = watched(path), watched(path, "full")
    assert perception.undecoded_s == pytest.approx(whole.undecoded_s, abs=0.5)
    assert perception.undecoded_s > 5


class _StoppedError(Exception):
    pass


def test_a_run_that_breaks_off_leaves_an_index_that_the_next_refines(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semantic_video.perception.passes._EARLY_FROM_S", 0.0)

    def stop(stage: str, done_s: float, total_s: float) -> None:
        if stage == "refining":
            raise _StoppedError

    shelf, config = Library(tmp_path / "l", create=True), at_depth("auto")
    with pytest.raises(_StoppedError):
        SemanticVideoProcessor(film, library=shelf, config=config, progress=stop).index()
    (record,) = shelf.videos()
    assert 0 < refined_share(record) < 1
    assert record.scenes > 4
    processor = SemanticVideoProcessor(film, library=shelf, config=config)
    report = processor.index()
    assert report.done[0] == "scenes"
    assert refined_share(report.record) == 1
    fresh = SemanticVideoProcessor(film, library=tmp_path / "fresh", config=config).index()
    assert report.record.scenes == fresh.record.scenes
    assert report.record.info["frames_encoded"] < fresh.record.info["frames_encoded"]
    assert processor.index().done == ()


def test_a_long_film_is_searchable_after_a_few_glimpses(
    film: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("semantic_video.perception.passes._EARLY_FROM_S", 0.0)
    monkeypatch.setattr("semantic_video.perception.passes._GLIMPSE_EVERY_S", 7.0)
    first = next(perceive(film, load_encoder("lite"), at_depth("auto"), lambda *_: None))
    assert first.refined == 0
    assert 2 <= first.decoded <= 8
    spans = [span for own in first.entries.entry_spans for span in own]
    assert spans[0].start_s == 0
    assert all(one.end_s == other.start_s for one, other in itertools.pairwise(spans))


def test_another_depth_redoes_the_scenes_and_stays(film: Path, tmp_path: Path) -> None:
    library = Library(tmp_path / "l", create=True)

    def index(depth: str) -> IndexReport:
        return SemanticVideoProcessor(film, library=library, config=at_depth(depth)).index()

    assert index("quick").record.settings["depth"] == "quick"
    assert index("quick").done == ()
    assert index("full").done[0] == "scenes"


def test_progress_never_falls_and_counts_what_comes_after_it(film: Path) -> None:
    shares: list[float] = []
    config = replace(at_depth("auto"))
    for _ in perceive(film, load_encoder("lite"), config, lambda _, d, t: shares.append(d / t)):
        pass
    assert shares == sorted(shares)
    assert 0.5 < shares[-1] < 1  # pictures are left to be encoded, and scenes to be grouped


def test_a_film_of_few_pixels_is_watched_whole(film: Path) -> None:
    config = at_depth("auto").override({"reading": {"whole_below": 8.0}}, source="a test")
    *_, auto = perceive(film, load_encoder("lite"), config, lambda *_: None)
    full = watched(film, "full")
    assert (auto.decoded, auto.encoded) == (full.decoded, full.encoded)
    assert starts(auto) == starts(full)


@pytest.mark.parametrize("whole_below", [0.0, 8.0])
def test_within_a_pass_what_is_known_is_told_now_and_then(
    film: Path, monkeypatch: pytest.MonkeyPatch, whole_below: float
) -> None:
    monkeypatch.setattr("semantic_video.perception.passes._EARLY_FROM_S", 0.0)
    monkeypatch.setattr("semantic_video.perception.passes._GLIMPSE_EVERY_S", 7.0)
    config = at_depth("auto").override({"reading": {"whole_below": whole_below}}, source="a test")
    calm = list(perceive(film, load_encoder("lite"), config, lambda *_: None))
    monkeypatch.setattr("semantic_video.perception.passes._TELL_EVERY_S", 0.0)
    monkeypatch.setattr("semantic_video.perception.passes._TELL_SHARE", 0.0)
    told = list(perceive(film, load_encoder("lite"), config, lambda *_: None))
    assert len(told) >= len(calm) + 3
    refined = [perception.refined for perception in told]
    assert refined == sorted(refined)
    assert refined[-1] == 1 > refined[-2]
    for perception in told:  # each covers the film without gaps
        spans = sorted(span for own in perception.entries.entry_spans for span in own)
        assert spans[0].start_s == 0
        assert spans[-1].end_s == pytest.approx(42, abs=0.1)
        assert all(one.end_s == other.start_s for one, other in itertools.pairwise(spans))
    # Telling changes nothing of what is found.
    assert starts(told[-1]) == starts(calm[-1])
    assert told[-1].encoded == calm[-1].encoded
