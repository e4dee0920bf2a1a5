"""Text in the picture, with RapidOCR (extra ``ocr``; its wheel carries its models).

Reading a picture takes far longer than everything else that indexing does, so little is read: the
encoder's vectors say which scenes look as if they held text, the likeliest first; a detection pass
over a small picture (a fifth of the cost of reading) drops those without; a scene's later frames
are read only where the text has changed; and the pass ends when its time is used up.
"""

from __future__ import annotations

import difflib
import logging
import math
import time
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
# Mean absolute difference (0 to 255) inside the boxes above which the text is another.
_CHANGED = 6.0
# Lines that read alike up to this ratio are one line, read twice.
_ALIKE = 0.85
_GAP_S = 2.0


@dataclass(frozen=True, slots=True)
class Reading:
    """What came of a pass: ``lines``, how many scenes were looked at of how many, and in what time.

    ``complete`` is False where the time was used up first.
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
    """Read the text of ``scenes`` in the order given, until ``budget_s`` seconds are used.

    Loading the models, once in a run, is not counted.

    Raises:
        EncoderError: the extra is not installed.
        VideoError: the film cannot be read.
    """
    small, large = _engines()
    started = time.perf_counter()
    deadline = math.inf if budget_s is None else started + budget_s
    pages = [_Pages(scene, small, large) for scene in scenes]
    done = 0
    with VideoReader(film, cover=_COVER) as reader:
        for first in range(0, len(pages), _BLOCK):
            block = pages[first : first + _BLOCK]
            # The likeliest frame of every scene comes before a second one of any.
            for number, page in product(range(max(page.frames for page in block)), block):
                if time.perf_counter() >= deadline:
                    break
                page.look(reader, number)
                if number == 0:
                    done += 1
                    on_progress(done / len(scenes))
    complete = time.perf_counter() < deadline
    lines = merge_lines(line for page in pages for line in page.lines())
    return Reading(lines, done, len(scenes), complete, time.perf_counter() - started)


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


class _Pages:
    """What one scene shows to read; a later frame is read only where the text has changed."""

    def __init__(self, scene: TextScene, small: Any, large: Any) -> None:
        self._scene = scene
        self._small = small
        self._large = large
        self._seen: list[tuple[NDArray[np.uint8], NDArray[np.float32]]] = []
        self._readings: list[tuple[float, list[tuple[str, float]]]] = []

    @property
    def frames(self) -> int:
        """How many frames of the scene can be looked at."""
        return len(self._scene.times_s)

    def look(self, reader: VideoReader, number: int) -> None:
        """Look at the scene's frame of this number; not if the first two held no text."""
        if number >= self.frames or (number > 1 and not self._seen):
            return
        frame = _frame_at(reader, self._scene.times_s[number], self._scene.span)
        if frame is None:
            return
        picture = frame.rgb()
        reduced = _reduced(picture)
        if any(not _changed(before, reduced, boxes) for before, boxes in self._seen):
            return
        boxes = _detect(self._small, picture)
        if boxes is None:
            return
        self._seen.append((reduced, boxes))
        text = _read(self._large, picture)
        if text:
            self._readings.append((frame.time_s, text))

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
    """Little enough to keep for every scene with text."""
    step = max(1, picture.shape[1] // _SMALL_SIDE)
    return picture[::step, ::step].copy()


def _changed(
    before: NDArray[np.uint8], after: NDArray[np.uint8], boxes: NDArray[np.float32]
) -> bool:
    """Whether any box of text [4 corners, x and y as shares] looks different."""
    height, width = after.shape[:2]
    for box in boxes:
        left, top = np.floor(box.min(axis=0) * (width, height)).astype(int)
        right, bottom = np.ceil(box.max(axis=0) * (width, height)).astype(int)
        one = before[max(0, top) : bottom, max(0, left) : right].astype(np.int16)
        other = after[max(0, top) : bottom, max(0, left) : right].astype(np.int16)
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
        "EngineConfig.onnxruntime.intra_op_num_threads": available_cores(),
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
