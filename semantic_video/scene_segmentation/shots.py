"""Frames to shots, while they stream by, from how much small pictures change:

- hard cuts, where one change stands out from those around it (the idea of the AdaptiveDetector of
  PySceneDetect, Castellano, with a window that also looks ahead);
- fades, where a frame is the blend of one before and one after, and those two differ: the linear
  model of a dissolve (Lienhart, "Comparison of automatic shot boundary detection algorithms",
  1999), which a pan or a zoom over a still picture does not follow;
- a sudden change of a picture that stands still before and after, however small: the next slide.
"""

from __future__ import annotations

import bisect
import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import SegmentationOptions, default_config
from semantic_video.records import Span
from semantic_video.scene_segmentation.changes import (
    deviation,
    differ_in_kind,
    difference,
    difference_signed,
    spread,
)

# Times are in seconds, changes as in SegmentationOptions.

_DENSE_GAP_S = 0.21  # five frames a second are dense, rounded timestamps and all
_DECIDE_AFTER_S = 1.0  # what follows a frame is looked at for so long
_MEMORY_S = 2.5
_LOOK_BACK_FRAMES = 12

# Cuts. Amid motion a lower peak is enough, if the two pictures differ in kind.
_NEIGHBOURHOOD_S = 0.3
_LEAST_CUT_RATIO = 2.5
_FLASH_S = 0.35
_SAME_AGAIN = 0.4  # share of a cut's change below which two frames around it are the same again
_LEAST_CONTRAST = 0.2  # thresholds follow the contrast of dark pictures down to this share
_USUAL_DEVIATION = 45.0  # standard deviation of luma in an ordinary picture

# Fades. Each is found at the reach (half the stretch tested for a blend) that suits its length.
_FADE_REACH_S = (0.3, 0.8)
_FADE_STEP_S = 0.06
_FADE_RUN_GAP_S = 0.25
_MIN_FADE_DISTANCE_S = 1.0

# Slides. The next slide touches more of the picture than a pop-up or a window does.
_STILL_S = 1.0
_STILL_CHANGE = 0.15
_STILL_RATIO = 20.0
SLIDE_SPREAD = 0.25
_LASTING = 0.7

# Empty pictures between two shots.
_BLANK_DEVIATION = 2.0
_MAX_BLANK_S = 3.0
_MIN_BLANK_SHARE = 0.3

# Nothing seen later changes a boundary of so long ago: a fade, and a blank stretch beside it.
_SETTLED_S = 5.0


@dataclass(frozen=True, slots=True)
class Segmentation:
    """What a timeline consists of.

    ``shots`` tile it. ``slides`` are the starts of those shots that begin with a sudden change of
    a still picture. ``doubts`` are gaps in the frames in which a cut may lie.
    """

    shots: tuple[Span, ...]
    slides: frozenset[float]
    doubts: tuple[Span, ...]


class TimedPicture(Protocol):
    """What the segmenter needs of a frame (``utils.video_utils.Frame`` has it)."""

    @property
    def time_s(self) -> float:
        """Presentation time in seconds."""

    @property
    def small(self) -> NDArray[np.uint8]:
        """Luma and chroma, uint8 [h, w, 3] with even h and w, the same for all frames."""


class SceneSegmenter:
    """Finds shots in frames that come in order of time, at whatever distances.

    Memory is constant: two seconds of small pictures. A boundary is known at most about two
    seconds after it was seen.

    Args:
        options: thresholds; default as configured.
        complete: whether the frames are all that the video has. If so, a long gap between two of
            them is how the video is (a slide show, one frame a second) and a cut may lie at its
            end; otherwise a difference across a gap of more than 0.2 s is a doubt.
    """

    def __init__(
        self, options: SegmentationOptions | None = None, *, complete: bool = True
    ) -> None:
        self._options = options or default_config().segmentation
        self._complete = complete
        self._times: list[float] = []
        self._tiny: list[NDArray[np.int16]] = []
        self._deviations: list[float] = []
        self._changes: list[float] = []
        self._spreads: list[float] = []
        self._comparable: list[bool] = []
        self._undecided = 0
        self._previous: NDArray[np.uint8] | None = None
        self._dense_since_s = 0.0
        self._next_fade_test_s = 0.0
        self._fades = [_FadeScale(reach_s) for reach_s in _FADE_REACH_S]
        self._boundaries: list[_Boundary] = []
        self._blanks: list[Span] = []
        self._doubts: list[Span] = []
        self._told_s = 0.0

    @property
    def change(self) -> float:
        """Change from the frame before to the latest frame, 0 to 255; 0 for the first."""
        return self._changes[-1] if self._changes else 0.0

    def update(self, frame: TimedPicture) -> None:
        """Take the next frame; times have to increase."""
        time_s, small = frame.time_s, frame.small
        previous, change, touched, comparable = self._previous, 0.0, 0.0, False
        if previous is not None:
            change = difference(small, previous)
            if change >= max(self._options.still_change, _STILL_RATIO * self._changes[-1]):
                touched = spread(small, previous)
            dense = time_s - self._times[-1] <= _DENSE_GAP_S
            comparable = dense or self._complete
            if not dense:
                self._dense_since_s = time_s
            if not comparable and change >= self._options.doubt_change:
                self._doubts.append(Span(self._times[-1], time_s))
        self._previous = small
        self._times.append(time_s)
        self._tiny.append(small[::2, ::2].astype(np.int16))
        self._deviations.append(deviation(self._tiny[-1]))
        self._changes.append(change)
        self._spreads.append(touched)
        self._comparable.append(comparable)
        self._note_blank()
        if time_s >= self._next_fade_test_s:
            self._next_fade_test_s = time_s + _FADE_STEP_S
            for scale in self._fades:
                self._test_fade(scale)
        self._decide(time_s - _DECIDE_AFTER_S)
        self._forget(time_s - _MEMORY_S)

    def settle(self) -> list[tuple[float, bool]]:
        """Boundaries that are certain by now and were not told yet, for a video without end.

        Each with whether it is a slide (see ``Segmentation``). What they were found from is
        forgotten, so memory stays constant however long the video is; ``finish`` then tells only
        of the last seconds.
        """
        if not self._times:
            return []
        last_s = self._times[-1]
        for scale in self._fades:
            self._boundaries.extend(scale.close_before(last_s - _FADE_RUN_GAP_S))
        until_s, least_s = last_s - _SETTLED_S, self._options.min_shot_s
        cuts = _pass_over_blanks(_resolve(self._boundaries, least_s), self._blanks, last_s)
        slides = {boundary.time_s for boundary in self._boundaries if boundary.kind == "slide"}
        told = [(cut, cut in slides) for cut in cuts if self._told_s + least_s <= cut <= until_s]
        if told:
            self._told_s = told[-1][0]
        keep_s = until_s - _SETTLED_S
        self._boundaries = [b for b in self._boundaries if b.time_s >= keep_s]
        self._blanks = [blank for blank in self._blanks if blank.end_s >= keep_s]
        self._doubts = [doubt for doubt in self._doubts if doubt.end_s >= keep_s]
        return told

    def finish(self, end_s: float) -> Segmentation:
        """Close the timeline at ``end_s`` and return what it consists of."""
        self._decide(None)
        for scale in self._fades:
            self._boundaries.extend(scale.close())
        least_s = self._options.min_shot_s
        cuts = _resolve(self._boundaries, least_s)
        cuts = _pass_over_blanks(cuts, self._blanks, end_s)
        cuts = [time_s for time_s in cuts if least_s <= time_s <= end_s - least_s]
        slides = {boundary.time_s for boundary in self._boundaries if boundary.kind == "slide"}
        return Segmentation(
            _tile(cuts, end_s), frozenset(slides.intersection(cuts)), tuple(self._doubts)
        )

    def _decide(self, until_s: float | None) -> None:
        """Decide about the frames up to ``until_s``, for which what follows is known by now."""
        while self._undecided < len(self._times):
            index = self._undecided
            following = len(self._times) - 1 - index
            if until_s is not None and (self._times[index] > until_s or following < 2):
                return
            self._undecided += 1
            change = self._changes[index]
            if not self._comparable[index] or change < self._options.still_change:
                continue
            if self._is_next_slide(index, change):
                self._boundaries.append(_Boundary(self._times[index], change, "slide"))
            elif self._is_cut(index, change):
                self._boundaries.append(_Boundary(self._times[index], change, "cut"))

    def _is_cut(self, index: int, change: float) -> bool:
        options = self._options
        if change < options.cut_change * _LEAST_CONTRAST:
            return False
        contrast = self._contrast(index - 1, index)
        around = self._changes_around(index, _NEIGHBOURHOOD_S)
        if change < max(options.cut_change * contrast, _LEAST_CUT_RATIO * around):
            return False
        before, after = self._tiny[index - 1], self._tiny[index]
        # Amid much motion a cut stands out less, but it still shows something else.
        stands_out = change >= options.cut_ratio * around
        if not stands_out and not differ_in_kind(before, after, contrast):
            return False
        return not self._returns(index, change)

    def _is_next_slide(self, index: int, change: float) -> bool:
        if self._spreads[index] < SLIDE_SPREAD:
            return False
        around = self._changes_around(index, _STILL_S)
        if around > min(_STILL_CHANGE, change / _STILL_RATIO):
            return False
        lasting = difference_signed(self._tiny[index - 1], self._tiny[-1])
        return lasting >= _LASTING * change

    def _changes_around(self, index: int, reach_s: float) -> float:
        """Mean change of the frames near ``index``: those in reach, on either side at least two."""
        time_s = self._times[index]
        around: list[float] = []
        for step in (-1, 1):
            place = index + step
            count = 0
            while 0 <= place < len(self._times):
                if count >= 2 and abs(self._times[place] - time_s) > reach_s:
                    break
                if self._comparable[place]:
                    around.append(self._changes[place])
                    count += 1
                place += step
        return sum(around) / len(around) if around else 0.0

    def _contrast(self, one: int, other: int) -> float:
        """Contrast of the richer of two pictures as a share of a usual one: less in the dark."""
        deviation = max(self._deviations[one], self._deviations[other])
        return min(1.0, max(_LEAST_CONTRAST, deviation / _USUAL_DEVIATION))

    def _returns(self, index: int, change: float) -> bool:
        """Whether the change is undone at once (a flash), or undoes one."""
        time_s = self._times[index]
        before, after = self._tiny[index - 1], self._tiny[index]
        for place in range(index - 2, -1, -1):
            if time_s - self._times[place] > _FLASH_S:
                break
            if difference_signed(self._tiny[place], after) < _SAME_AGAIN * change:
                return True
        for place in range(index + 1, len(self._times)):
            if self._times[place] - time_s > _FLASH_S:
                break
            if difference_signed(self._tiny[place], before) < _SAME_AGAIN * change:
                return True
        return False

    def _test_fade(self, scale: _FadeScale) -> None:
        """Test whether the frames of the last ``2 * reach_s`` blend from the first to the last."""
        options, times = self._options, self._times
        last = len(times) - 1
        first = bisect.bisect_right(times, times[last] - 2 * scale.reach_s) - 1
        if first < 0 or times[first] < self._dense_since_s:
            return
        middle = bisect.bisect_left(times, times[last] - scale.reach_s)
        start, end, between = self._tiny[first], self._tiny[last], self._tiny[middle]
        step = end - start
        difference = float(np.abs(step).sum()) / step.size
        contrast = self._contrast(first, last)
        if difference < options.fade_change * contrast:
            return
        share = (times[middle] - times[first]) / (times[last] - times[first])
        off = np.abs(between - start - np.float32(share) * step)
        bend = float(off.sum()) / off.size / difference
        if bend <= options.fade_bend and differ_in_kind(start, end, contrast):
            self._boundaries.extend(scale.add(times[middle], difference * (1 - bend)))

    def _note_blank(self) -> None:
        """Keep the stretches in which the picture is empty (black, white or one colour)."""
        time_s = self._times[-1]
        if self._deviations[-1] >= _BLANK_DEVIATION:
            return
        if self._blanks and time_s - self._blanks[-1].end_s <= _DENSE_GAP_S:
            self._blanks[-1] = Span(self._blanks[-1].start_s, time_s)
        else:
            self._blanks.append(Span(time_s, time_s))

    def _forget(self, before_s: float) -> None:
        """Drop what no decision needs any more, in larger pieces."""
        count = min(bisect.bisect_left(self._times, before_s), self._undecided - _LOOK_BACK_FRAMES)
        if count < 64:
            return
        for kept in (
            self._times,
            self._tiny,
            self._deviations,
            self._changes,
            self._spreads,
            self._comparable,
        ):
            del kept[:count]
        self._undecided -= count


@dataclass(frozen=True, slots=True)
class _Boundary:
    time_s: float
    strength: float
    kind: Literal["cut", "fade", "slide"]


class _FadeScale:
    """Collects the frames that look like the middle of a fade, at one length of fade."""

    def __init__(self, reach_s: float) -> None:
        self.reach_s = reach_s
        self._run: list[tuple[float, float]] = []

    def add(self, time_s: float, strength: float) -> list[_Boundary]:
        """Add a frame; return the fade before it if it does not belong to that one."""
        ended = self.close() if self._run and time_s - self._run[-1][0] > _FADE_RUN_GAP_S else []
        self._run.append((time_s, strength))
        return ended

    def close_before(self, time_s: float) -> list[_Boundary]:
        """End the fade that is being collected if its last frame is older than ``time_s``."""
        return self.close() if self._run and self._run[-1][0] < time_s else []

    def close(self) -> list[_Boundary]:
        """End the fade that is being collected, if any, and return it."""
        if not self._run:
            return []
        times, strengths = np.array(self._run).T
        self._run = []
        middle_s = float((times * strengths).sum() / strengths.sum())
        return [_Boundary(middle_s, float(strengths.max()), "fade")]


def _resolve(boundaries: Sequence[_Boundary], min_shot_s: float) -> list[float]:
    """Times of the boundaries, in order; of those too close together the strongest."""
    kept: list[float] = []
    for boundary in sorted(boundaries, key=lambda boundary: -boundary.strength):
        near_s = _MIN_FADE_DISTANCE_S if boundary.kind == "fade" else min_shot_s
        place = bisect.bisect_left(kept, boundary.time_s)
        around = kept[max(0, place - 1) : place + 1]
        if all(abs(boundary.time_s - time_s) >= near_s for time_s in around):
            kept.insert(place, boundary.time_s)
    return kept


def _pass_over_blanks(cuts: list[float], blanks: Sequence[Span], end_s: float) -> list[float]:
    """Make one cut of the two around a short empty stretch, such as a fade through black."""
    passed = set(cuts)
    ends = [blank.end_s for blank in blanks]
    for start_s, stop_s in itertools.pairwise([0.0, *cuts, end_s]):
        if stop_s - start_s > _MAX_BLANK_S:
            continue
        empty_s = 0.0
        for blank in blanks[bisect.bisect_left(ends, start_s) :]:
            if blank.start_s >= stop_s:
                break
            empty_s += min(blank.end_s, stop_s) - max(blank.start_s, start_s)
        if empty_s < _MIN_BLANK_SHARE * (stop_s - start_s):
            continue
        passed -= {start_s, stop_s}
        if start_s > 0.0 and stop_s < end_s:
            passed.add((start_s + stop_s) / 2)
    return sorted(passed)


def _tile(cuts: Sequence[float], end_s: float) -> tuple[Span, ...]:
    """Spans from 0 over the cuts to the end, without gaps."""
    return tuple(itertools.starmap(Span, itertools.pairwise([0.0, *cuts, end_s])))
