"""Shots and scenes: what is a boundary, what is not, and that the timeline is always tiled."""

from __future__ import annotations

import itertools
import tracemalloc
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from semantic_video.config import default_config
from semantic_video.records import Span
from semantic_video.scene_segmentation import (
    GroupJudge,
    Judgement,
    SceneSegmenter,
    Segmentation,
    build_scenes,
)
from semantic_video.utils.video_utils import VideoReader
from tests.media import Picture, Shot, picture, render, write_video

FPS = 25


@dataclass(frozen=True)
class Still:
    """A frame without a film around it."""

    time_s: float
    small: NDArray[np.uint8]


def small(shown: Picture) -> NDArray[np.uint8]:
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(shown))
    return frame.reformat(64, 36, "yuv444p", interpolation="AREA").to_ndarray(channel_last=True)


def segment(
    pictures: Iterable[Picture],
    fps: float = FPS,
    *,
    complete: bool = True,
    times: Sequence[float] | None = None,
) -> Segmentation:
    segmenter = SceneSegmenter(complete=complete)
    index = -1
    for index, shown in enumerate(pictures):
        segmenter.update(Still(times[index] if times else index / fps, small(shown)))
    return segmenter.finish(times[index] + 1 / fps if times else (index + 1) / fps)


def cuts(segmentation: Segmentation) -> list[float]:
    assert_tiled(segmentation.shots, segmentation.shots[-1].end_s)
    return [shot.start_s for shot in segmentation.shots[1:]]


def assert_tiled(spans: Sequence[Span], end_s: float) -> None:
    assert spans[0].start_s == 0.0
    assert spans[-1].end_s == end_s
    assert all(before.end_s == after.start_s for before, after in itertools.pairwise(spans))
    assert all(span.end_s > span.start_s for span in spans)


def test_a_decoded_film(tmp_path: Path) -> None:
    """Cuts and fades are found where they are; pans, zooms and shaking hands are not cut."""
    shots = [
        Shot(1, 3, "pan"),
        Shot(2, 3, "zoom"),
        Shot(3, 3, "still", 0.5),
        Shot(4, 3, "shake"),
        Shot(5, 3, "pan", 1.0),
        Shot(6, 3, "zoom"),
    ]
    path = write_video(tmp_path / "film.mp4", render(shots, fps=FPS), fps=FPS)
    segmenter = SceneSegmenter()
    with VideoReader(path) as reader:
        for frame in reader.frames():
            segmenter.update(frame)
        segmentation = segmenter.finish(reader.end_s)
    assert cuts(segmentation) == [
        pytest.approx(3.0, abs=1e-6),
        pytest.approx(6.25, abs=0.25),
        pytest.approx(9.0, abs=1e-6),
        pytest.approx(12.5, abs=0.3),
        pytest.approx(15.0, abs=1e-6),
    ]
    assert segmentation.doubts == ()


@pytest.mark.parametrize("fps", [10, 24, 50])
@pytest.mark.parametrize("fade_s", [0.3, 0.5, 1.0, 2.0])
def test_fades_of_any_length_and_rate(fade_s: float, fps: int) -> None:
    shots = [Shot(seed, 4, "pan", fade_s) for seed in range(20, 24)]
    found = cuts(segment(render(shots, fps=fps), fps))
    middles = [4 + fade_s / 2, 8 + fade_s / 2, 12 + fade_s / 2]
    assert found == [pytest.approx(middle, abs=max(0.3, fade_s / 3)) for middle in middles]


@pytest.mark.parametrize("gain", [1.0, 0.3, 0.15])
def test_dark_films_are_cut_like_bright_ones(gain: float) -> None:
    shots = [Shot(seed, 3, "zoom", 0.6 if seed % 2 else 0.0) for seed in range(30, 35)]
    dark = (np.asarray(shown * gain, np.uint8) for shown in render(shots, fps=FPS))
    assert len(cuts(segment(dark))) == 4


def test_a_flash_is_no_cut() -> None:
    shown = list(render([Shot(1, 5, "shake")], fps=FPS))
    for index in (50, 51, 90):
        shown[index] = np.full_like(shown[index], 250)
    assert cuts(segment(shown)) == []


def test_light_that_goes_on_or_off_is_no_fade() -> None:
    still = picture(3)
    gains = np.concatenate([np.full(60, 0.4), np.linspace(0.4, 1.0, 15), np.full(60, 1.0)])
    assert cuts(segment(np.asarray(still * gain, np.uint8) for gain in gains)) == []


def test_one_cut_for_a_fade_through_black() -> None:
    one, other = picture(1), picture(2)
    gains = np.linspace(1, 0, 12)
    shown = [one] * 60 + [np.asarray(one * gain, np.uint8) for gain in gains]
    shown += [np.zeros_like(one)] * 10
    shown += [np.asarray(other * gain, np.uint8) for gain in gains[::-1]] + [other] * 60
    assert cuts(segment(shown)) == [pytest.approx(77 / FPS, abs=0.5)]


def slide(*lines: int) -> Picture:
    """A white slide with text-like strokes; ``lines`` seed one line each."""
    shown = np.full((360, 640, 3), 240, np.uint8)
    for number, seed in enumerate(lines):
        rng = np.random.default_rng(seed)
        top = 30 + 55 * number
        for left in range(40, 480, 16):
            shown[top : top + 22, left : left + rng.integers(2, 12)] = 30
    return shown


def test_the_next_slide_is_a_boundary_and_a_pop_up_is_not() -> None:
    one, other = slide(1, 2, 3, 4), slide(5, 6, 7, 8)
    pop_up = one.copy()
    pop_up[250:330, 420:560] = 200
    segmentation = segment([one] * 60 + [pop_up] * 60 + [one] * 60 + [other] * 60)
    assert cuts(segmentation) == [180 / FPS]
    assert segmentation.slides == {180 / FPS}


def test_boundaries_close_together_are_one() -> None:
    shown = [picture(1)] * 50 + [picture(2)] * 8 + [picture(3)] * 50
    assert len(cuts(segment(shown))) == 1


def test_a_slide_show_at_one_frame_a_second() -> None:
    shown = [picture(1)] * 6 + [picture(2)] * 5 + [picture(3)] * 4
    assert cuts(segment(shown, fps=1)) == [6.0, 11.0]


def test_a_gap_in_the_frames_is_a_doubt_and_not_a_cut() -> None:
    """Two dense stretches, then a key frame now and then, as a plan may serve them."""
    film = list(render([Shot(1, 4), Shot(2, 4), Shot(3, 4)], fps=FPS))
    indices = [*range(0, 75), *range(150, 225), 250, 275, 299]
    segmentation = segment(
        [film[i] for i in indices], complete=False, times=[i / FPS for i in indices]
    )
    assert cuts(segmentation) == [8.0], "only where frames are dense"
    assert segmentation.doubts == (Span(74 / FPS, 150 / FPS),)


def test_the_running_change() -> None:
    segmenter = SceneSegmenter()
    assert segmenter.change == 0.0
    for time_s, level in ((0.0, 10), (0.04, 10), (0.08, 40)):
        segmenter.update(Still(time_s, np.full((36, 64, 3), level, np.uint8)))
    assert segmenter.change == pytest.approx(30.0)


def test_memory_does_not_grow() -> None:
    noise = np.random.default_rng(0).integers(0, 255, (500, 36, 64, 3), np.uint8)
    segmenter = SceneSegmenter()

    def held_after(frames: range) -> int:
        for index in frames:
            segmenter.update(Still(index / FPS, noise[index % 500]))
        return tracemalloc.get_traced_memory()[0]

    tracemalloc.start()
    try:
        early, late = held_after(range(500)), held_after(range(500, 3000))
    finally:
        tracemalloc.stop()
    assert late - early < 300_000


@given(
    steps=st.lists(st.sampled_from([0.001, 0.02, 0.04, 0.3, 2.0]), min_size=1, max_size=60),
    shown=st.lists(st.integers(0, 3), min_size=1, max_size=6),
    complete=st.booleans(),
    tail_s=st.floats(0.001, 100),
)
@settings(max_examples=60, deadline=None)
def test_shots_tile_whatever_comes(
    steps: list[float], shown: list[int], complete: bool, tail_s: float
) -> None:
    levels = [np.full((36, 64, 3), 80 * number, np.uint8) for number in range(4)]
    segmenter = SceneSegmenter(complete=complete)
    time_s = 0.0
    for index, step in enumerate(steps):
        segmenter.update(Still(time_s, levels[shown[index * len(shown) // len(steps)]]))
        time_s += step
    segmentation = segmenter.finish(time_s + tail_s)
    assert_tiled(segmentation.shots, time_s + tail_s)
    assert segmentation.slides <= {shot.start_s for shot in segmentation.shots}


def unit(rows: NDArray[np.float64]) -> NDArray[np.float32]:
    return np.asarray(rows / np.linalg.norm(rows, axis=1, keepdims=True), np.float32)


@given(
    seed=st.integers(0, 1000),
    count=st.integers(1, 30),
    longest_s=st.sampled_from([2.0, 60.0, 400.0]),
    max_scene_s=st.floats(1.0, 90.0),
    frames=st.integers(0, 80),
    share_firm=st.floats(0, 1),
)
@settings(max_examples=120, deadline=None)
def test_scenes_tile_and_keep_their_limits(
    seed: int, count: int, longest_s: float, max_scene_s: float, frames: int, share_firm: float
) -> None:
    rng = np.random.default_rng(seed)
    ends = np.cumsum(rng.uniform(0.05, longest_s, count)).tolist()
    shots = [Span(start, end) for start, end in itertools.pairwise([0.0, *ends])]
    times = np.sort(rng.uniform(0, ends[-1], frames))
    kinds = rng.integers(0, 3, frames)
    vectors = unit(np.eye(4)[kinds] + rng.normal(0, 0.1, (frames, 4)))
    firm = {shot.start_s for shot in shots if rng.random() < share_firm}
    options = replace(default_config().segmentation, max_scene_s=max_scene_s)
    scenes = build_scenes(shots, times, vectors, options, firm=firm)
    assert_tiled(scenes, ends[-1])
    assert max(scene.duration_s for scene in scenes) <= max_scene_s
    assert firm <= {scene.start_s for scene in scenes} | {0.0}


def test_shots_that_show_the_same_are_joined_and_others_are_not() -> None:
    rng = np.random.default_rng(0)
    things = unit(rng.normal(size=(3, 64)))
    shots = [Span(start, start + 5.0) for start in (0.0, 5.0, 10.0, 15.0, 20.0)]
    shown = [0, 0, 1, 2, 2]
    times = np.arange(25) + 0.5
    vectors = unit(np.repeat(things[shown], 5, axis=0) + rng.normal(0, 0.03, (25, 64)))
    assert build_scenes(shots, times, vectors) == (Span(0, 10), Span(10, 15), Span(15, 25))
    firm = build_scenes(shots, times, vectors, firm={20.0})
    assert firm == (Span(0, 10), Span(10, 15), Span(15, 20), Span(20, 25))


def test_a_long_shot_is_divided_where_it_changes() -> None:
    rng = np.random.default_rng(1)
    things = unit(rng.normal(size=(3, 64)))
    times = np.arange(120) + 0.5
    shown = np.repeat([0, 1, 2], [50, 30, 40])
    vectors = unit(things[shown] + rng.normal(0, 0.03, (120, 64)))
    assert build_scenes([Span(0.0, 120.0)], times, vectors) == (
        Span(0.0, 50.0),
        Span(50.0, 80.0),
        Span(80.0, 120.0),
    )


def test_a_view_that_never_changes_is_divided_evenly() -> None:
    times = np.arange(0, 3600, 10.0)
    vectors = np.tile(unit(np.ones((1, 8))), (len(times), 1))
    scenes = build_scenes([Span(0.0, 3600.0)], times, vectors)
    assert_tiled(scenes, 3600.0)
    assert {round(scene.duration_s, 6) for scene in scenes} == {56.25}


def test_hard_cuts_agree_with_pyscenedetect(tmp_path: Path) -> None:
    scenedetect = pytest.importorskip("scenedetect")
    shots = [Shot(seed, 2 + seed % 3, "pan" if seed % 2 else "zoom") for seed in range(40, 48)]
    path = write_video(tmp_path / "film.mp4", render(shots, fps=FPS), fps=FPS)
    segmenter = SceneSegmenter()
    with VideoReader(path) as reader:
        for frame in reader.frames():
            segmenter.update(frame)
        ours = cuts(segmenter.finish(reader.end_s))
    scenes = scenedetect.detect(str(path), scenedetect.AdaptiveDetector())
    assert ours == [pytest.approx(start.seconds, abs=0.05) for start, _ in scenes[1:]]


def judged(sizes: Sequence[float], same: bool = False) -> Judgement:
    """What is said of one group of packets of such sizes, as shares of a key frame's, before
    another key frame that shows the same or something else."""
    judge = GroupJudge()
    end_s = (len(sizes) + 1) / FPS
    judge.update(Still(0.0, small(picture(1))))
    judge.update(Still(end_s, small(picture(1 if same else 2))))
    packets = 1000 * np.array([1.0, *sizes, 1.0])
    return judge.finish(np.arange(len(packets)) / FPS, packets.astype(np.int64), end_s + 1)


def in_motion(seconds: float, swell_at_s: float | None = None) -> list[float]:
    """Packets of a scene with a cut after two seconds, and one in which more is spent for a
    while later on, as in a fade."""
    sizes = np.full(round(seconds * FPS), 0.15)
    sizes[2 * FPS] = 1.5
    if swell_at_s is not None:
        sizes[round((swell_at_s - 0.3) * FPS) : round((swell_at_s + 0.3) * FPS)] *= 2
    return sizes.tolist()


def test_a_fade_amid_motion_is_a_doubt_though_no_packet_stands_out() -> None:
    (doubt,) = judged(in_motion(8, swell_at_s=5)).doubts
    assert doubt.span.start_s == 0
    assert 5.2 <= doubt.span.end_s <= 6
    assert doubt.unseen_s == pytest.approx(5 - 2, abs=0.5)
    assert not judged(in_motion(8)).doubts
    assert not judged(in_motion(8, swell_at_s=5), same=True).doubts
    # Of short groups the key frames tell enough.
    assert not judged(in_motion(2.9, swell_at_s=2.5)).doubts


def test_groups_not_seen_yet_are_judged_as_those_seen() -> None:
    """Six groups, each with a fade that only its packets show; the key frames of two were seen."""
    group = [1.0, *in_motion(8, swell_at_s=5)]
    sizes = (1000 * np.array(group * 6)).astype(np.int64)
    times = np.arange(len(sizes)) / FPS
    keys = times[:: len(group)]
    seen = GroupJudge()
    for place, key_s in enumerate(keys[:3].tolist()):
        seen.update(Still(key_s, small(picture(place))))
    starts = [doubt.span.start_s for doubt in seen.finish(times, sizes, 50.0, keys).doubts]
    assert starts == keys[:5].tolist()  # nobody knows what the last one leads to
    starts = [doubt.span.start_s for doubt in seen.finish(times, sizes, 50.0, keys, 2).doubts]
    assert starts == keys[:5:2].tolist()
    still = GroupJudge()
    for key_s in keys[:3].tolist():
        still.update(Still(key_s, small(picture(1))))
    assert not still.finish(times, sizes, 50.0, keys).doubts
