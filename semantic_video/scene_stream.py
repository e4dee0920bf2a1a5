"""Frames -> scenes with their vectors while a video streams in, in constant memory.

The same parts that watch a film once, fed step by step: a boundary is told some five seconds after
it was seen, shots that continue one another are joined as they close, and the one scene that is
open keeps a bounded number of frames.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import Config
from semantic_video.encoders import ImageTextEncoder
from semantic_video.errors import VideoError
from semantic_video.records import Span
from semantic_video.scene_encoder import FrameSampler
from semantic_video.scene_segmentation import SceneSegmenter, build_scenes, common_likeness

_SETTLE_EVERY_S = 0.5
_LAG_S = 6.0  # what is older than this is settled
_SAMPLE = 256
_PICTURES = 8


class StreamFrame(Protocol):
    """What is needed of a frame (``utils.video_utils.Frame`` has it)."""

    @property
    def time_s(self) -> float:
        """Presentation time in seconds."""

    @property
    def small(self) -> NDArray[np.uint8]:
        """Luma and chroma of the reduced picture, uint8 [h, w, 3]."""

    def rgb(self) -> NDArray[np.uint8]:
        """The picture, uint8 [H, W, 3]."""

    def jpeg(self) -> bytes:
        """A small picture in JPEG."""


@dataclass(frozen=True, slots=True, eq=False)
class ClosedScene:
    """A scene that is over: its frames' times float64 [F], vectors float32 [F, D], a picture."""

    span: Span
    times: NDArray[np.float64]
    vectors: NDArray[np.float32]
    picture: tuple[float, bytes] | None


class SceneStream:
    """Cuts a video without end into scenes.

    Args:
        encoder: encodes the frames that are worth it.
        config: how scenes are found and frames are sampled.
        most_frames: frame vectors kept of the scene that is open.
    """

    def __init__(self, encoder: ImageTextEncoder, config: Config, most_frames: int) -> None:
        self._encoder, self._config, self._most = encoder, config, max(2, most_frames)
        self._sample = np.zeros((0, encoder.dimension), dtype=np.float32)
        self._stride = self._seen = 0
        self._latest_s = self._settle_at_s = self._shot_s = 0.0
        self._begin(0.0)

    @property
    def open_frames(self) -> int:
        """Frame vectors held of the scene that is open."""
        return len(self._times)

    @property
    def latest_s(self) -> float:
        """Time of the latest frame."""
        return self._latest_s

    def update(self, frames: Iterable[StreamFrame]) -> list[ClosedScene]:
        """Take frames in order of time; the scenes that closed meanwhile.

        Raises:
            VideoError: a frame lies before the one that came last.
        """
        closed: list[ClosedScene] = []
        for frame in frames:
            if not frame.time_s >= self._latest_s:
                raise VideoError(
                    f"frames have to come in order of time: one at {frame.time_s:.3f} s came "
                    f"after {self._latest_s:.3f} s"
                )
            self._latest_s = frame.time_s
            self._segmenter.update(frame)
            if self._sampler.wants(frame.time_s, frame.small):
                self._pending.append((frame.time_s, frame.rgb()))
                if self._config.memory.thumbnails:
                    self._pictures.append((frame.time_s, frame.jpeg()))
                    if len(self._pictures) > _PICTURES:
                        del self._pictures[1::2]
                if len(self._pending) >= self._config.encoder.batch_size:
                    self._encode()
            if frame.time_s >= self._settle_at_s:
                self._settle_at_s = frame.time_s + _SETTLE_EVERY_S
                closed += self._settle(frame.time_s)
        return closed

    def close(self, end_s: float) -> list[ClosedScene]:
        """The video ends at ``end_s``, or is interrupted: the scenes that were still open.

        What comes after begins anew, at the time of its first frame.
        """
        closed: list[ClosedScene] = []
        if self._latest_s >= self._shot_s and (self._pending or self._times or self._open):
            found = self._segmenter.finish(end_s)
            for shot in found.shots[1:]:
                if shot.start_s > self._shot_s:
                    closed += self._cut(shot.start_s, shot.start_s in found.slides)
            closed += self._cut(end_s, False)
            if self._open is not None:
                closed.append(self._take(self._open))
        self._begin(end_s)
        return closed

    def _begin(self, start_s: float) -> None:
        self._segmenter = SceneSegmenter(self._config.segmentation)
        self._sampler = FrameSampler(self._config.sampling)
        self._pending: list[tuple[float, NDArray[np.uint8]]] = []
        self._pictures: list[tuple[float, bytes]] = []
        self._times: list[float] = []
        self._vectors = np.zeros((0, self._encoder.dimension), dtype=np.float32)
        self._open: Span | None = None
        self._open_firm = False
        self._shot_s = start_s
        self._settle_at_s = start_s
        self._shot_firm = False

    def resume(self, start_s: float) -> None:
        """After `close`: the video goes on at ``start_s``."""
        self._begin(start_s)
        self._latest_s = start_s

    def _settle(self, now_s: float) -> list[ClosedScene]:
        closed: list[ClosedScene] = []
        for cut_s, firm in self._segmenter.settle():
            if cut_s > self._shot_s:
                closed += self._cut(cut_s, firm)
        if now_s - _LAG_S - self._shot_s > self._config.segmentation.max_scene_s:
            closed += self._divide(now_s - _LAG_S)
        return closed

    def _cut(self, cut_s: float, firm: bool) -> list[ClosedScene]:
        """The shot ends here and another begins, ``firm`` if that one is never joined to it."""
        self._encode()
        shot = Span(self._shot_s, cut_s)
        shots = [shot] if self._open is None else [self._open, shot]
        parts = self._parts(shots, {shot.start_s} if self._shot_firm else set())
        self._shot_s, self._shot_firm = cut_s, firm
        self._open = parts[-1]
        return [self._take(part) for part in parts[:-1]]

    def _divide(self, until_s: float) -> list[ClosedScene]:
        """The shot is too long for one scene: what is certain of it is closed, the rest goes on."""
        self._encode()
        shot = Span(self._shot_s, until_s)
        shots = [shot] if self._open is None else [self._open, shot]
        parts = self._parts(shots, {shot.start_s} if self._shot_firm else set())
        if len(parts) < 2:
            return []
        self._open, self._shot_s, self._shot_firm = None, parts[-1].start_s, True
        return [self._take(part) for part in parts[:-1]]

    def _parts(self, shots: list[Span], firm: set[float]) -> tuple[Span, ...]:
        return build_scenes(
            shots,
            np.array(self._times),
            self._vectors,
            self._config.segmentation,
            firm=firm,
            common=common_likeness(self._sample),
        )

    def _take(self, span: Span) -> ClosedScene:
        """Close a scene; what comes before its end is let go."""
        times = np.array(self._times)
        inside = (times >= span.start_s) & (times < span.end_s)
        own, vectors = times[inside], self._vectors[inside]
        if not len(own) and len(times):  # too short for a frame of its own
            middle_s = (span.start_s + span.end_s) / 2
            nearest = int(np.abs(times - middle_s).argmin())
            own, vectors = np.array([middle_s]), self._vectors[nearest : nearest + 1]
        pictures = [one for one in self._pictures if span.start_s <= one[0] < span.end_s]
        middle = (span.start_s + span.end_s) / 2
        picture = min(pictures, key=lambda one: abs(one[0] - middle)) if pictures else None
        later = times >= span.end_s
        if later.any():
            self._times, self._vectors = times[later].tolist(), self._vectors[later]
        self._pictures = [one for one in self._pictures if one[0] >= span.end_s]
        return ClosedScene(span, own, vectors, picture)

    def _encode(self) -> None:
        if not self._pending:
            return
        vectors = self._encoder.encode_images([rgb for _, rgb in self._pending])
        self._times += [time_s for time_s, _ in self._pending]
        self._vectors = np.concatenate([self._vectors, vectors])
        self._pending = []
        for vector in vectors:
            self._remember(vector)
        while len(self._times) > self._most:
            # Every other frame, but not the latest: the next cut is decided by those beside it.
            kept = np.r_[0 : len(self._times) : 2, len(self._times) - 1]
            kept = np.unique(kept)
            self._times = [self._times[row] for row in kept]
            self._vectors = self._vectors[kept]

    def _remember(self, vector: NDArray[np.float32]) -> None:
        """Keep a sample of all frames, evenly spread over the video so far."""
        self._stride = self._stride or 1
        if self._seen % self._stride == 0:
            self._sample = np.concatenate([self._sample, vector[None]])
            if len(self._sample) > _SAMPLE:
                self._sample, self._stride = self._sample[::2], self._stride * 2
        self._seen += 1
