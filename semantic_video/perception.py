"""Watching a film once: each frame is decoded once and feeds every stage that wants it.

path - VideoReader -> frames - SceneSegmenter -> shots -> scenes
                        `----- SceneEncoder ---> frame vectors -> scene entries
"""

from __future__ import annotations

import bisect
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import Config
from semantic_video.encoders import ImageTextEncoder
from semantic_video.memory_hierarchy import SceneEntries
from semantic_video.records import Span
from semantic_video.scene_encoder import EncodedFrames, FrameSampler, SceneEncoder
from semantic_video.scene_segmentation import SceneSegmenter, build_scenes
from semantic_video.utils.video_utils import Plan, VideoInfo, VideoReader

Progress = Callable[[str, float, float], None]
"""Called as ``progress(stage, done_s, total_s)`` while a film is watched."""


# Black is 16 in video range; compression adds a little.
_BLACK_LUMA = 20


@dataclass(frozen=True, slots=True)
class Perception:
    """What watching a film gave, before anything is grouped or cut to a budget.

    ``duration_s`` is where the timeline that could be decoded ends, ``undecoded_s`` how many
    seconds of what the file promises could not be, ``notes`` are sentences for the user, and
    ``thumbnails`` JPEG by time, one a scene.
    """

    info: VideoInfo
    duration_s: float
    undecoded_s: float
    notes: tuple[str, ...]
    entries: SceneEntries
    thumbnails: dict[float, bytes]


def perceive(
    path: Path,
    encoder: ImageTextEncoder,
    config: Config,
    progress: Progress,
    scenes: Sequence[Span] | None = None,
) -> Perception:
    """Decode the film at ``path`` and make one entry of every scene.

    ``scenes`` that are known already are taken as they are; otherwise they are found.

    Raises:
        VideoError: the file cannot be read, or nothing of it decodes.
    """
    thumbnails: dict[float, bytes] = {}
    count = brightest = 0
    plan = Plan.all(skip_nonreference=not config.reading.every_frame)
    with VideoReader(path, cover=encoder.input_size) as reader:
        total_s = reader.info.duration_s
        segmenter = SceneSegmenter(config.segmentation)
        sampler = FrameSampler(config.sampling)
        with SceneEncoder(encoder, config.encoder.batch_size) as scene_encoder:
            for frame in reader.frames(plan):
                if scenes is None:
                    segmenter.update(frame)
                count += 1
                if sampler.wants(frame.time_s, frame.small):
                    brightest = max(brightest, int(frame.small[..., 0].max()))
                    scene_encoder.add(frame.time_s, frame.rgb())
                    if config.memory.thumbnails:
                        thumbnails[frame.time_s] = frame.jpeg()
                    progress("watching", frame.time_s, total_s)
        frames = scene_encoder.frames
        if scenes is None:
            found = segmenter.finish(reader.end_s)
            scenes = build_scenes(
                found.shots,
                frames.times_s,
                frames.vectors,
                config.segmentation,
                firm=found.slides,
            )
        entries = _entries(scenes, frames)
        return Perception(
            info=reader.info,
            duration_s=reader.end_s,
            undecoded_s=reader.undecoded_s,
            notes=reader.info.notes + _oddities(count, brightest),
            entries=entries,
            thumbnails=_one_per_scene(scenes, thumbnails),
        )


def _entries(scenes: Sequence[Span], frames: EncodedFrames) -> SceneEntries:
    times: list[NDArray[np.float64]] = []
    vectors: list[NDArray[np.float32]] = []
    for start_s, end_s in scenes:
        own = frames.within(start_s, end_s)
        if not len(own.times_s):
            # Too short for a frame of its own: the nearest one stands for it.
            middle_s = (start_s + end_s) / 2
            nearest = int(np.abs(frames.times_s - middle_s).argmin())
            own = EncodedFrames(np.array([middle_s]), frames.vectors[nearest : nearest + 1])
        times.append(own.times_s)
        vectors.append(own.vectors)
    return SceneEntries.from_scenes(scenes, times, vectors)


def _oddities(count: int, brightest: int) -> tuple[str, ...]:
    """What a user should know of ``count`` frames whose luma reaches ``brightest``."""
    notes = []
    if count == 1:
        notes.append("it has a single frame")
    if brightest <= _BLACK_LUMA:
        notes.append("it is black throughout")
    return tuple(notes)


def _one_per_scene(scenes: Sequence[Span], pictures: dict[float, bytes]) -> dict[float, bytes]:
    """The picture nearest to the middle of each scene, if there is one inside."""
    times = sorted(pictures)
    chosen: dict[float, bytes] = {}
    for start_s, end_s in scenes:
        own = times[bisect.bisect_left(times, start_s) : bisect.bisect_left(times, end_s)]
        if own:
            time_s = min(own, key=lambda time_s: abs(time_s - (start_s + end_s) / 2))
            chosen[time_s] = pictures[time_s]
    return chosen
