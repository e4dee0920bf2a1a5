"""Frames -> vectors: which frames of a shot are worth encoding, and encoding them in batches.

Encoding runs in a thread of its own beside decoding (both release the interpreter lock), with a
bounded queue between them, so that memory does not grow with the length of the film.
"""

from __future__ import annotations

import enum
import queue
import threading
from collections.abc import Mapping, Sequence
from types import TracebackType
from typing import Any, NamedTuple, Self

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import SamplingOptions
from semantic_video.encoders.base import ImageTextEncoder
from semantic_video.scene_segmentation.changes import difference


class EncodedFrames(NamedTuple):
    """Frame vectors in order of time: ``times_s`` float64 [F], ``vectors`` float32 [F, D]."""

    times_s: NDArray[np.float64]
    vectors: NDArray[np.float32]

    def within(self, start_s: float, end_s: float) -> EncodedFrames:
        """The frames of the half-open interval."""
        first, last = np.searchsorted(self.times_s, (start_s, end_s), side="left")
        return EncodedFrames(self.times_s[first:last], self.vectors[first:last])


class FrameSampler:
    """Chooses the frames to encode: soon after a cut, then ever less often, least in stillness.

    A jump between neighbouring frames counts as a cut at once, without waiting for the segmenter
    to be sure: a false alarm costs one frame. A frame that hardly differs from the last one
    encoded adds nothing and is passed over until ``static_interval_s`` has gone by.
    """

    def __init__(self, options: SamplingOptions) -> None:
        self._options = options
        self._due_s = 0.0
        self._interval_s = options.interval_s
        self._fresh = True  # nothing of the shot has been encoded yet
        self._encoded_s = 0.0
        self._encoded: NDArray[np.uint8] | None = None
        self._previous: NDArray[np.uint8] | None = None

    def wants(self, time_s: float, small: NDArray[np.uint8]) -> bool:
        """Whether the frame shown at ``time_s`` is to be encoded; frames come in order of time.

        ``small``: the frame's reduced picture, uint8 [h, w, 3].
        """
        options = self._options
        if self._previous is not None and difference(small, self._previous) > options.jump:
            self._fresh = True
            self._due_s = time_s + options.first_offset_s
            self._interval_s = options.interval_s
        self._previous = small
        if time_s < self._due_s:
            return False
        still = (
            not self._fresh
            and self._encoded is not None
            and time_s < self._encoded_s + options.static_interval_s
            and difference(small, self._encoded) < options.static_change
        )
        if still:
            self._due_s = time_s + options.interval_s
            return False
        self._take(time_s, small)
        return True

    def took(self, time_s: float, small: NDArray[np.uint8]) -> None:
        """Hear that the frame last asked about is encoded all the same, for another reason."""
        self._take(time_s, small)

    def _take(self, time_s: float, small: NDArray[np.uint8]) -> None:
        options = self._options
        self._due_s = time_s + self._interval_s
        if not self._fresh:  # three frames speak for a scene: the first three are as near
            longest_s = max(options.interval_s, options.static_interval_s)
            self._interval_s = min(longest_s, self._interval_s * options.interval_growth)
        self._fresh = False
        self._encoded_s = time_s
        self._encoded = small


class SeenPictures:
    """The pictures encoded so far, to know one that returns: static views, slides, titles.

    Pictures are compared by the means of their blocks, so that noise and recompression do not
    count and a line of text more does.
    """

    def __init__(self, same: float) -> None:
        self._same = same
        self._times: list[float] = []
        self._blocks = np.empty((64, *_BLOCKS, 3), np.float32)
        self._means = np.empty((64, 3), np.float32)

    def find(self, small: NDArray[np.uint8]) -> float | None:
        """The time of an earlier picture that shows the same as ``small``, uint8 [h, w, 3]."""
        count = len(self._times)
        blocks = _block_means(small)
        near = np.abs(self._means[:count] - blocks.mean(axis=(0, 1))).max(axis=1) <= self._same
        places = np.flatnonzero(near)
        if not len(places):
            return None
        off = np.abs(self._blocks[places] - blocks).max(axis=(1, 2, 3))
        best = int(off.argmin())
        return self._times[places[best]] if off[best] <= self._same else None

    def add(self, time_s: float, small: NDArray[np.uint8]) -> None:
        """Remember the picture shown at ``time_s``."""
        count = len(self._times)
        if count == len(self._blocks):
            self._blocks = np.concatenate([self._blocks, np.empty_like(self._blocks)])
            self._means = np.concatenate([self._means, np.empty_like(self._means)])
        self._times.append(time_s)
        self._blocks[count] = _block_means(small)
        self._means[count] = self._blocks[count].mean(axis=(0, 1))


_BLOCKS = (9, 16)


def _block_means(small: NDArray[np.uint8]) -> NDArray[np.float32]:
    height, width, _ = small.shape
    rows, columns = _BLOCKS
    blocks = small.reshape(rows, height // rows, columns, width // columns, 3)
    return np.asarray(blocks.mean(axis=(1, 3), dtype=np.float32))


class SceneEncoder:
    """Encodes pictures with any ``ImageTextEncoder`` while the caller goes on decoding.

        with SceneEncoder(encoder, batch_size=8) as scene_encoder:
            scene_encoder.add(time_s, rgb)
        frames = scene_encoder.frames

    Leaving the block waits for what is queued; an error in the encoder is raised there or by the
    next ``add``.

    Args:
        encoder: any image-text encoder.
        batch_size: pictures encoded in one call; fewer with an encoder that says it does not
            take so many ``at_once``, so that all are done sooner after the last is added.
        known: vectors [D] of frames that were encoded before, by time: they are not again.
    """

    def __init__(
        self,
        encoder: ImageTextEncoder,
        batch_size: int = 8,
        known: Mapping[float, NDArray[np.floating[Any]]] | None = None,
    ) -> None:
        self._encoder = encoder
        self._batch_size = min(batch_size, getattr(encoder, "at_once", batch_size))
        self._known = known or {}
        self._queue: queue.Queue[tuple[float, NDArray[np.uint8]] | _Mark] = queue.Queue(
            maxsize=2 * batch_size
        )
        self._vectors: dict[float, NDArray[np.float32]] = {}
        self._repeats: dict[float, float] = {}
        self.added = 0
        """Pictures that were queued so far."""
        self.encoded = 0
        """Pictures that were given to the encoder so far, and came out."""
        self.in_hand = 0
        """Pictures that it is at."""
        self._flushed = threading.Event()
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
        self._queue.put(_Mark.END)
        self._thread.join()
        if kind is None and self._error is not None:
            raise self._error

    def add(self, time_s: float, rgb: NDArray[np.uint8]) -> None:
        """Queue the picture shown at ``time_s``, uint8 [H, W, 3]; waits while the queue is full."""
        if self._error is not None:
            raise self._error
        self.added += 1
        self._queue.put((time_s, rgb))

    def knows(self, time_s: float) -> bool:
        """Whether the frame at ``time_s`` was encoded before; if so, its vector is taken over."""
        if time_s in self._known:
            self._vectors[time_s] = np.asarray(self._known[time_s], np.float32)
        return time_s in self._vectors or time_s in self._repeats

    def repeat(self, time_s: float, as_at_s: float) -> None:
        """Take for ``time_s`` the vector of the picture that was added for ``as_at_s``."""
        self._repeats[time_s] = as_at_s

    def flush(self) -> None:
        """Wait until all that was added is encoded."""
        done = threading.Event()
        self._flushed = done
        self._queue.put(_Mark.FLUSH)
        done.wait()
        if self._error is not None:
            raise self._error

    @property
    def frames(self) -> EncodedFrames:
        """All that was added and is encoded by now, in order of time."""
        vectors = dict(self._vectors)
        for time_s, as_at_s in self._repeats.items():
            if as_at_s in vectors:
                vectors.setdefault(time_s, vectors[as_at_s])
        times = sorted(vectors)
        rows = [vectors[time_s] for time_s in times]
        return EncodedFrames(
            np.asarray(times, dtype=np.float64),
            np.stack(rows) if rows else np.zeros((0, self._encoder.dimension), dtype=np.float32),
        )

    def _run(self) -> None:
        mark = None
        size = 1  # the first picture alone: the encoder is loaded while others are decoded
        while mark is not _Mark.END:
            batch: list[tuple[float, NDArray[np.uint8]]] = []
            mark = None
            while len(batch) < size and mark is None:
                item = self._queue.get()
                if isinstance(item, _Mark):
                    mark = item
                else:
                    batch.append(item)
            if batch and self._error is None:
                self._encode(batch)
                size = self._batch_size
            if mark is _Mark.FLUSH:
                self._flushed.set()

    def _encode(self, batch: Sequence[tuple[float, NDArray[np.uint8]]]) -> None:
        self.in_hand = len(batch)
        try:
            vectors = self._encoder.encode_images([rgb for _, rgb in batch])
        except BaseException as error:  # handed to the caller's thread, which raises it
            self._error = error
            return
        self.encoded, self.in_hand = self.encoded + len(batch), 0
        self._vectors.update((time_s, row) for (time_s, _), row in zip(batch, vectors, strict=True))


class _Mark(enum.Enum):
    """What is put into the queue beside pictures."""

    FLUSH = enum.auto()
    END = enum.auto()
