"""Frames -> vectors: which frames of a shot are worth encoding, and encoding them in batches.

Encoding runs in a thread of its own beside decoding (both release the interpreter lock), with a
bounded queue between them, so that memory does not grow with the length of the film.
"""

from __future__ import annotations

import queue
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import SamplingOptions
from semantic_video.encoders.base import ImageTextEncoder


class EncodedFrames(NamedTuple):
    """Frame vectors in order of time: ``times_s`` float64 [F], ``vectors`` float32 [F, D]."""

    times_s: NDArray[np.float64]
    vectors: NDArray[np.float32]

    def within(self, start_s: float, end_s: float) -> EncodedFrames:
        """The frames of the half-open interval."""
        first, last = np.searchsorted(self.times_s, (start_s, end_s), side="left")
        return EncodedFrames(self.times_s[first:last], self.vectors[first:last])


class FrameSampler:
    """Chooses the frames to encode: soon after a cut, then at a distance, less often in stillness.

    A jump between neighbouring frames counts as a cut at once, without waiting for the segmenter
    to be sure: a false alarm costs one frame. A frame that hardly differs from the last one
    encoded adds nothing and is passed over until ``static_interval_s`` has gone by.
    """

    def __init__(self, options: SamplingOptions) -> None:
        self._options = options
        self._due_s = 0.0
        self._fresh = True  # nothing of the shot has been encoded yet
        self._encoded_s = 0.0
        self._encoded: NDArray[np.int16] | None = None
        self._previous: NDArray[np.int16] | None = None

    def wants(self, time_s: float, small: NDArray[np.uint8]) -> bool:
        """Whether the frame shown at ``time_s`` is to be encoded; frames come in order of time.

        ``small``: the frame's reduced picture, uint8 [h, w, 3].
        """
        options = self._options
        picture = small.astype(np.int16)
        if self._previous is not None and _change(picture, self._previous) > options.jump:
            self._fresh = True
            self._due_s = time_s + options.first_offset_s
        self._previous = picture
        if time_s < self._due_s:
            return False
        still = (
            not self._fresh
            and self._encoded is not None
            and time_s < self._encoded_s + options.static_interval_s
            and _change(picture, self._encoded) < options.static_change
        )
        self._due_s = time_s + options.interval_s
        if still:
            return False
        self._fresh = False
        self._encoded_s = time_s
        self._encoded = picture
        return True


def _change(picture: NDArray[np.int16], other: NDArray[np.int16]) -> float:
    return float(np.abs(picture - other).mean())


class SceneEncoder:
    """Encodes pictures with any ``ImageTextEncoder`` while the caller goes on decoding.

        with SceneEncoder(encoder, batch_size=8) as scene_encoder:
            scene_encoder.add(time_s, rgb)
        frames = scene_encoder.frames

    Leaving the block waits for what is queued; an error in the encoder is raised there or by the
    next ``add``.
    """

    def __init__(self, encoder: ImageTextEncoder, batch_size: int = 8) -> None:
        self._encoder = encoder
        self._batch_size = batch_size
        self._queue: queue.Queue[tuple[float, NDArray[np.uint8]] | None] = queue.Queue(
            maxsize=2 * batch_size
        )
        self._times: list[float] = []
        self._vectors: list[NDArray[np.float32]] = []
        self._error: BaseException | None = None
        self._thread = threading.Thread(target=self._run, name="scene-encoder", daemon=True)

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if kind is not None:
            # The caller failed: what is still queued is of no use to anyone.
            while not self._queue.empty():
                self._queue.get_nowait()
        self._queue.put(None)
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def add(self, time_s: float, rgb: NDArray[np.uint8]) -> None:
        """Queue the picture shown at ``time_s``, uint8 [H, W, 3]; waits while the queue is full."""
        if self._error is not None:
            raise self._error
        self._queue.put((time_s, rgb))

    @property
    def frames(self) -> EncodedFrames:
        """All that was added, in order of time."""
        order = np.argsort(np.asarray(self._times, dtype=np.float64), kind="stable")
        vectors = (
            np.concatenate(self._vectors)
            if self._vectors
            else np.zeros((0, self._encoder.dimension), dtype=np.float32)
        )
        return EncodedFrames(np.asarray(self._times, dtype=np.float64)[order], vectors[order])

    def _run(self) -> None:
        ended = False
        while not ended:
            batch: list[tuple[float, NDArray[np.uint8]]] = []
            while len(batch) < self._batch_size and not ended:
                item = self._queue.get()
                if item is None:
                    ended = True
                else:
                    batch.append(item)
            if batch and self._error is None:
                self._encode(batch)

    def _encode(self, batch: Sequence[tuple[float, NDArray[np.uint8]]]) -> None:
        try:
            vectors = self._encoder.encode_images([rgb for _, rgb in batch])
        except BaseException as error:  # handed to the caller's thread, which raises it
            self._error = error
            return
        self._vectors.append(vectors)
        self._times.extend(time_s for time_s, _ in batch)
