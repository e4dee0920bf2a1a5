"""Text in the picture, with RapidOCR (extra ``ocr``; its wheel carries its models).

Reading a picture takes far longer than everything else that indexing does, so little is read: the
encoder's vectors say which scenes look as if they held text, the likeliest first; what was seen
before, in any scene, is not read again; a detection pass over a small picture (a fifth of the cost
of reading) drops those without text, and those whose text stands unchanged in a picture seen
before; and the pass ends when its share is used up. Both sides are counted in processor time,
loading the models included: time on the wall would make an index depend on what else runs.
"""

from __future__ import annotations

import difflib
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from importlib.util import find_spec
from itertools import pairwise, product
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_video.encoders import ImageTextEncoder
from semantic_video.errors import EncoderError
from semantic_video.records import Line, Span
from semantic_video.utils.cores import available_cores
from semantic_video.utils.video_utils import Frame, Plan, VideoReader

INSTALL = "pip install 'semantic-video[ocr]'"

# What text looks like to a CLIP-family model. Chosen by how far up they bring slides and
# screencasts among all frames (docs/experiment-log.md); "a lecture slide" brings lecture halls.
_PROMPTS = (
    "a page of text",
    "a document",
    "a sign with words",
    "a photo with large letters",
    "a screenshot",
    "a title card with words on it",
)
# (height, width) that frames are read at; the small picture has the same shape.
_COVER = (720, 1280)
_SMALL_SIDE = 480
_LARGE_SIDE = 960
# So many scenes are done with before less likely ones are looked at.
_BLOCK = 20
_LEAST_CONFIDENCE = 0.6
# Of the small picture: a box of text is about as high as its letters.
_LEAST_DETECTION = 0.5
# Mean absolute difference (0 to 255) of a cell or a box of text above which it shows another.
_CHANGED = 6.0
_CELL = 24
# So many pictures are compared with a new one.
_REMEMBERED = 200
# Processor seconds that loading the models and reading a picture take at least: with less left,
# neither is begun.
_LOADING_S = 1.5
_READING_S = 1.5
# Lines that read alike up to this ratio are one line, read twice.
_ALIKE = 0.85
_GAP_S = 2.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of a pass: ``lines``, how many scenes were looked at of how many, and at what cost.

    ``seconds`` is processor time; ``complete`` is False where the budget was used up first.
    """

    lines: tuple[Line, ...]
    scenes_read: int
    scenes: int
    complete: bool
    seconds: float


@dataclass(frozen=True, slots=True)
class TextScene:
    """A scene that may hold text: the times at which it can be looked at, the likeliest first.

    ``likelihood`` compares scenes of one film, see `text_likelihood`.
    """

    span: Span
    times_s: tuple[float, ...]
    likelihood: float


def can_read() -> bool:
    """Whether the extra is installed; nothing is imported to know it."""
    return find_spec("rapidocr") is not None


def text_likelihood(
    encoder: ImageTextEncoder, vectors: NDArray[np.floating[Any]]
) -> NDArray[np.float32]:
    """How much each frame vector [N, D] looks like text: mean cosine to prompts [N]."""
    prompts = encoder.encode_texts(_PROMPTS).mean(axis=0)
    likelihood: NDArray[np.float32] = vectors.astype(np.float32) @ prompts
    return likelihood


def text_scenes(
    spans: Sequence[Span],
    times_s: NDArray[np.float64],
    likelihoods: NDArray[np.float32],
) -> list[TextScene]:
    """Every scene that can be looked at, the likeliest first.

    ``times_s`` and ``likelihoods`` are of the encoded frames [N], in any order. Frames of a scene
    are taken in order of time after the likeliest.
    """
    order = np.argsort(times_s, kind="stable")
    times_s, likelihoods = times_s[order], likelihoods[order]
    scenes = []
    for span in spans:
        low, high = np.searchsorted(times_s, [span.start_s, span.end_s])
        if low == high:
            continue
        own = likelihoods[low:high]
        best = int(own.argmax())
        times = times_s[low:high].tolist()
        first = times.pop(best)
        scenes.append(TextScene(span, (first, *times), float(own[best])))
    return sorted(scenes, key=lambda scene: -scene.likelihood)


def read_screen_text(
    film: Path,
    scenes: Sequence[TextScene],
    budget_s: float | None = None,
    on_progress: Callable[[float], None] = lambda share: None,
) -> Reading:
    """Read the text of ``scenes`` in the order given, for at most ``budget_s`` of processor time.

    Loading the models, once in a process, is part of that. Nothing is begun that would probably end
    beyond it: what is left must be enough for the costliest picture so far.

    Raises:
        EncoderError: the extra is not installed.
        VideoError: the film cannot be read.
    """
    started = time.process_time()
    budget = math.inf if budget_s is None else budget_s
    loading_s = 0.0 if _engines.cache_info().currsize else _LOADING_S
    if budget < loading_s + _READING_S:
        return Reading((), 0, len(scenes), not scenes, 0.0)
    reader_of_text = _Reader(*_engines())
    pages = [_Pages(scene) for scene in scenes]
    done, costliest, complete = 0, _READING_S, True
    with VideoReader(film, cover=_COVER) as reader:
        for first in range(0, len(pages), _BLOCK):
            block = pages[first : first + _BLOCK]
            # The likeliest frame of every scene comes before a second one of any.
            for number, page in product(range(max(page.frames for page in block)), block):
                before = time.process_time()
                if before - started + costliest > budget:
                    complete = False
                    break
                page.look(reader, number, reader_of_text)
                costliest = max(costliest, time.process_time() - before)
                if number == 0:
                    done += 1
                    on_progress(done / len(scenes))
    lines = merge_lines(line for page in pages for line in page.lines())
    return Reading(lines, done, len(scenes), complete, time.process_time() - started)


def merge_lines(lines: Iterable[Line]) -> tuple[Line, ...]:
    """Lines in order of time, those that read alike and follow one another as one.

    Of two readings of a line the more confident is kept.
    """
    merged: list[Line] = []
    for line in sorted(lines, key=lambda line: (line.start_s, line.end_s)):
        for index in range(len(merged) - 1, -1, -1):
            other = merged[index]
            if line.start_s > other.end_s + _GAP_S:
                continue
            if _alike(line.text, other.text):
                better = max(line, other, key=lambda one: one.confidence)
                merged[index] = replace(
                    better, start_s=other.start_s, end_s=max(other.end_s, line.end_s)
                )
                break
        else:
            merged.append(line)
    return tuple(merged)


def _alike(text: str, other: str) -> bool:
    if text == other:
        return True
    if text[:1].isdigit() and other[:1].isdigit():
        return False  # 1628 and 1629 are not two readings of one number
    return difflib.SequenceMatcher(None, text.lower(), other.lower()).ratio() >= _ALIKE


@dataclass(frozen=True, slots=True, eq=False)
class _Seen:
    """A picture that was looked at: in grey, reduced [H, W], and what is written in it."""

    grey: NDArray[np.uint8]
    text: list[tuple[str, float]]


class _Reader:
    """Reads pictures, each text once: what was seen before is known."""

    def __init__(self, small: Any, large: Any) -> None:
        self._small = small
        self._large = large
        self._seen: deque[_Seen] = deque(maxlen=_REMEMBERED)

    def read(self, picture: NDArray[np.uint8]) -> list[tuple[str, float]]:
        """(text, confidence) of each line in a picture [H, W, 3]."""
        grey = _reduced(picture)
        for known in reversed(self._seen):
            if _same(known.grey, grey):
                return known.text
        boxes = _detect(self._small, picture)
        text: list[tuple[str, float]] = []
        if boxes is not None:
            # A head that talks beside a slide: all that is written is as it was.
            for known in reversed(self._seen):
                if known.text and not _changed(known.grey, grey, boxes):
                    return known.text
            text = _read(self._large, picture)
        self._seen.append(_Seen(grey, text))
        return text


class _Pages:
    """What is written in one scene, as far as it was looked at."""

    def __init__(self, scene: TextScene) -> None:
        self._scene = scene
        self._readings: list[tuple[float, list[tuple[str, float]]]] = []

    @property
    def frames(self) -> int:
        """How many frames of the scene can be looked at."""
        return len(self._scene.times_s)

    def look(self, reader: VideoReader, number: int, text: _Reader) -> None:
        """Look at the scene's frame of this number; not if the first two held no text."""
        if number >= self.frames or (number > 1 and not self._readings):
            return
        frame = _frame_at(reader, self._scene.times_s[number], self._scene.span)
        if frame is None:
            return
        lines = text.read(frame.rgb())
        if lines:
            self._readings.append((frame.time_s, lines))

    def lines(self) -> Iterator[Line]:
        """Each line, from half-way to the reading before to half-way to the one after."""
        readings = sorted(self._readings, key=lambda reading: reading[0])
        middles = [(before + after) / 2 for (before, _), (after, _) in pairwise(readings)]
        edges = [self._scene.span.start_s, *middles, self._scene.span.end_s]
        for (_, text), (start_s, end_s) in zip(readings, pairwise(edges), strict=False):
            for words, confidence in text:
                yield Line(start_s, end_s, words, "text", round(confidence, 3))


def _frame_at(reader: VideoReader, time_s: float, span: Span) -> Frame | None:
    """The first frame at or after a time, inside its scene."""
    wanted = Plan.all([Span(max(span.start_s, time_s - 1e-3), span.end_s)])
    frames = reader.frames(wanted)
    return next(frames, None)


def _reduced(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """In grey, and small enough to keep many of."""
    step = max(1, picture.shape[1] // _SMALL_SIDE)
    grey: NDArray[np.uint8] = picture[::step, ::step].mean(axis=2).astype(np.uint8)
    return grey


def _same(before: NDArray[np.uint8], after: NDArray[np.uint8]) -> bool:
    """Whether two pictures look the same everywhere."""
    if before.shape != after.shape:
        return False
    difference = np.abs(before.astype(np.int16) - after)
    for axis in (0, 1):
        edges = np.arange(0, difference.shape[axis], _CELL)
        difference = np.add.reduceat(difference, edges, axis=axis, dtype=np.int64)
    return bool(difference.max() <= _CHANGED * _CELL**2)


def _changed(
    before: NDArray[np.uint8], after: NDArray[np.uint8], boxes: NDArray[np.float32]
) -> bool:
    """Whether any box of text [4 corners, x and y as shares] looks different."""
    if before.shape != after.shape:
        return True
    height, width = after.shape
    for box in boxes:
        left, top = np.floor(box.min(axis=0) * (width, height)).astype(int)
        right, bottom = np.ceil(box.max(axis=0) * (width, height)).astype(int)
        one = before[max(0, top) : bottom, max(0, left) : right].astype(np.int16)
        other = after[max(0, top) : bottom, max(0, left) : right]
        if one.size and float(np.abs(one - other).mean()) > _CHANGED:
            return True
    return False


@cache
def _engines() -> tuple[Any, Any]:
    """RapidOCR twice: one to find text in a small picture, one to read it in a large one."""
    if not can_read():
        raise EncoderError(f"text in the picture is not read: {INSTALL}")
    from rapidocr import RapidOCR

    logging.getLogger("RapidOCR").setLevel(logging.ERROR)
    common = {
        "Global.use_cls": False,
        "Global.log_level": "critical",
        "Det.limit_type": "max",
        # More threads take more processor time than they save of it.
        "EngineConfig.onnxruntime.intra_op_num_threads": min(2, available_cores()),
    }
    small = RapidOCR(params=common | {"Det.limit_side_len": _SMALL_SIDE})
    large = RapidOCR(params=common | {"Det.limit_side_len": _LARGE_SIDE})
    return small, large


def _detect(engine: Any, picture: NDArray[np.uint8]) -> NDArray[np.float32] | None:
    """Boxes of text [N, 4, 2] as shares of width and height; None where there are none."""
    found = engine(picture[..., ::-1], use_det=True, use_cls=False, use_rec=False)
    if found.boxes is None or not len(found.boxes):
        return None
    sure = np.array(found.scores) >= _LEAST_DETECTION
    if not sure.any():
        return None
    height, width = picture.shape[:2]
    boxes = np.array(found.boxes, dtype=np.float32)[sure]
    boxes /= np.array([width, height], dtype=np.float32)
    return boxes


def _read(engine: Any, picture: NDArray[np.uint8]) -> list[tuple[str, float]]:
    """(text, confidence) of each line, from top to bottom."""
    found = engine(picture[..., ::-1], use_det=True, use_cls=False, use_rec=True)
    if found.txts is None:
        return []
    return [
        (" ".join(text.split()), float(score))
        for text, score in zip(found.txts, found.scores, strict=True)
        if score >= _LEAST_CONFIDENCE and any(c.isalnum() for c in text)
    ]
