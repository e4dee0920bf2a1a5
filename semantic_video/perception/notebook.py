"""What has been seen of a film so far, and what an index is made of at any time."""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Collection, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import Config
from semantic_video.memory_hierarchy import SceneEntries
from semantic_video.records import Span
from semantic_video.scene_encoder import EncodedFrames, SceneEncoder, SeenPictures
from semantic_video.scene_segmentation import build_scenes
from semantic_video.utils.video_utils import Frame, VideoInfo, VideoReader
from semantic_video.utils.video_utils.pictures import jpeg

# Black is 16 in video range; compression adds a little.
_BLACK_LUMA = 20
_LEAST_SCENE_S = 0.7
_INTO_SCENE_S = 0.5
_THUMBNAIL_WIDTH, _THUMBNAIL_BYTES = 160, 6000
# Largest difference of block means between two pictures that are the same, 0 to 255.
_SAME = 2.0


@dataclass(frozen=True, slots=True)
class Perception:
    """What watching a film gave, before anything is grouped or cut to a budget.

    ``duration_s`` is where the timeline that could be decoded ends, ``undecoded_s`` how many
    seconds of what the file promises could not be, ``notes`` are sentences for the user, and
    ``thumbnails`` JPEG by time, one a scene. ``refined`` is the share of the timeline that further
    passes will not change: 1 for the last. ``decoded`` and ``encoded`` count frames, and
    ``decoder`` is what decoded them, ``cpu`` also where a device did not to the end.
    """

    info: VideoInfo
    duration_s: float
    undecoded_s: float
    notes: tuple[str, ...]
    entries: SceneEntries
    thumbnails: dict[float, bytes]
    refined: float
    decoded: int
    encoded: int
    decoder: str


class Notebook:
    """Keeps the frames that were worth encoding; each picture is encoded once in a film.

    Args:
        scene_encoder: encodes beside the caller.
        config: thresholds, and whether thumbnails are kept.
    """

    def __init__(self, scene_encoder: SceneEncoder, config: Config) -> None:
        self._encoder = scene_encoder
        self._config = config
        self._seen = SeenPictures(_SAME)
        self._thumbnails: dict[float, bytes] = {}
        self._brightest = 0
        self.still_since: set[float] = set()
        """Times of frames before which the picture stood still; the caller adds them."""
        self.outdated: set[float] = set()
        """Times of frames that better ones have replaced; the caller adds them."""
        self.looked_at = 0
        """Frames served; the caller counts them."""

    @property
    def pictures(self) -> tuple[int, float]:
        """How many pictures were taken to be encoded, and how many of them are: some half."""
        return self._encoder.added, self._encoder.encoded + self._encoder.in_hand / 2

    def has(self, time_s: float) -> bool:
        """Whether the frame shown at ``time_s`` was noted."""
        return time_s in self._thumbnails

    def note(self, frame: Frame) -> None:
        """Encode the frame, unless it was, or an earlier one shows the same."""
        time_s, small = frame.time_s, frame.small
        if self.has(time_s):
            return
        self._brightest = max(self._brightest, int(small[..., 0].max()))
        known, earlier_s = self._encoder.knows(time_s), self._seen.find(small)
        if earlier_s is not None:
            self._thumbnails[time_s] = self._thumbnails[earlier_s]
            if not known:
                self._encoder.repeat(time_s, earlier_s)
            return
        rgb = frame.rgb()
        if not known:
            self._encoder.add(time_s, rgb)
        self._seen.add(time_s, small)
        self._thumbnails[time_s] = (
            jpeg(rgb, _THUMBNAIL_WIDTH, _THUMBNAIL_BYTES) if self._config.memory.thumbnails else b""
        )

    def frames(self) -> EncodedFrames:
        """All frames noted so far with their vectors, but those outdated."""
        self._encoder.flush()
        times_s, vectors = self._encoder.frames
        kept = [time_s not in self.outdated for time_s in times_s.tolist()]
        return EncodedFrames(times_s[kept], vectors[kept])

    def looks(
        self, scenes: Sequence[Span], watched: Sequence[Span], ahead_s: Sequence[float]
    ) -> list[float]:
        """When to look again: into scenes without a frame, or in which one stands for long.

        Args:
            scenes: what is known by now.
            watched: sorted and apart; here all frames were at hand.
            ahead_s: how long after a frame others are looked for, if it stands a second longer.
        """
        ends = [span.end_s for span in watched]

        def was_watched(time_s: float) -> bool:
            place = bisect.bisect_right(ends, time_s)
            return place < len(watched) and watched[place].start_s <= time_s

        times = self.frames().times_s
        looks: list[float] = []
        for start_s, end_s in scenes:
            first, last = np.searchsorted(times, (start_s, end_s))
            if first == last:
                if end_s - start_s >= _LEAST_SCENE_S:
                    looks.append(start_s + min(_INTO_SCENE_S, (end_s - start_s) / 2))
                continue
            still = [time_s for time_s in self.still_since if start_s <= time_s < end_s]
            own = sorted({*times[first:last].tolist(), *still, end_s})
            for one_s, next_s in itertools.pairwise(own):
                if next_s in self.still_since:
                    continue
                wanted = [one_s + after_s for after_s in ahead_s]
                looks += [
                    time_s for time_s in wanted if time_s < next_s - 1 and not was_watched(time_s)
                ]
        return looks

    def scenes(self, cuts: Sequence[float], slides: Collection[float], end_s: float) -> list[Span]:
        """The scenes between ``cuts``, in order, that tile the timeline up to ``end_s``."""
        shots = tiled(cuts, end_s)
        options = self._config.segmentation
        return list(build_scenes(shots, *self.frames(), options, firm=slides))

    def perception(
        self,
        reader: VideoReader,
        undecoded_s: float,
        scenes: Sequence[Span],
        refined: float = 1.0,
    ) -> Perception:
        """What is known now, as entries of ``scenes``."""
        return Perception(
            info=reader.info,
            duration_s=reader.end_s,
            undecoded_s=undecoded_s,
            notes=reader.info.notes + _oddities(self.looked_at, self._brightest),
            entries=_entries(scenes, self.frames()),
            thumbnails=self._one_per_scene(scenes),
            refined=refined,
            decoded=reader.frames_decoded,
            encoded=self._encoder.encoded,
            decoder=reader.decoder,
        )

    def _one_per_scene(self, scenes: Sequence[Span]) -> dict[float, bytes]:
        """The picture nearest to the middle of each scene, if there is one inside."""
        if not self._config.memory.thumbnails:
            return {}
        times = sorted(self._thumbnails)
        chosen: dict[float, bytes] = {}
        for start_s, end_s in scenes:
            own = times[bisect.bisect_left(times, start_s) : bisect.bisect_left(times, end_s)]
            if own:
                time_s = min(own, key=lambda time_s: abs(time_s - (start_s + end_s) / 2))
                chosen[time_s] = self._thumbnails[time_s]
        return chosen


def tiled(cuts: Sequence[float], end_s: float) -> list[Span]:
    """Spans from 0 over the cuts to the end, without gaps."""
    edges = [0.0, *cuts, end_s]
    return [Span(start_s, stop_s) for start_s, stop_s in itertools.pairwise(edges)]


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
