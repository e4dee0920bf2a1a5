"""Where cuts lie between key frames, judged without decoding what is in between.

Encoders spend bytes where a picture cannot be predicted from the one before: a cut is one large
packet, a fade is a burst of them, a pan is neither. And many place a key frame at a cut, before it
is due. So two key frames and the sizes of the packets between them tell most groups of pictures
from start to end; what they leave open is a doubt, for which the group is decoded.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import SegmentationOptions, default_config
from semantic_video.records import Span
from semantic_video.scene_segmentation.changes import (
    deviation,
    differ_in_kind,
    difference_signed,
    spread,
)
from semantic_video.scene_segmentation.shots import SLIDE_SPREAD, TimedPicture

_REACH_S = 0.2  # bytes are summed over so much on either side
_GAP_S = 0.3  # bursts nearer to one another are one
# A burst, against the usual sum of its group (a quantile) and against a key frame.
_BURST_RATIO = 3.0
_USUAL_QUANTILE = 0.3
_BURST_KEYS = 0.35
_STILL_KEYS = 0.02  # groups that spend less stand still: there a smaller burst is a change
_STILL_BURST_KEYS = 0.06
_LEAST_PEAK_RATIO = 1.15
_LONG_GROUP_S = 3.0  # in which a long burst may be more than one change
_LONG_BURST_S = 0.8  # longer than a fade: what begins there goes on
_PEAK_KEYS = 0.2
_PEAK_RATIO = 1.6  # of the largest packet over nearly all others
_WHOLE_CHANGE_KEYS = 0.5
# A swell: too small for a burst, but well above what is spent before and after it. In a long group
# it may be a fade amid motion, which takes no packet that stands out.
_SWELL_RATIO = 1.6
_SWELL_AROUND_S, _SWELL_APART_S = 2.5, 0.6
_SWELL_FROM_CUT_S = 0.7
# Decoded beyond a burst: a frame past the worst of a fade, or the stillness behind a slide.
_BEYOND_S = 0.5
_BEYOND_SLIDE_S = 1.3
# How likely a doubt hides something.
_QUIET_CHANCE = 0.25
_SLIDE_CHANCE = 0.3
_SAME_LENGTH_S = 0.025
_UNKNOWN_CHANGE = 255.0
_USUAL_DEVIATION, _LEAST_CONTRAST = 45.0, 0.2


@dataclass(frozen=True, slots=True)
class PlacedCut:
    """A cut found without decoding; ``strength`` as the changes of ``SegmentationOptions``."""

    time_s: float
    strength: float
    slide: bool = False


@dataclass(frozen=True, slots=True)
class Doubt:
    """A stretch to decode: from a key frame to ``span.end_s``.

    ``unseen_s``: how many seconds probably show what no key frame shows. ``guess``: where a cut
    would be taken to lie if the stretch is not decoded.
    """

    span: Span
    unseen_s: float
    guess: PlacedCut | None = None


@dataclass(frozen=True, slots=True)
class Judgement:
    """What can be said of the groups of pictures: cuts, and doubts in order of time."""

    cuts: tuple[PlacedCut, ...]
    doubts: tuple[Doubt, ...]


class GroupJudge:
    """Compares key frames as they come; judges the groups between them when packets are known.

    judge = GroupJudge(options)
    for frame in reader.frames(Plan.keyframes()):
        judge.update(frame)
    judgement = judge.finish(packets.time_s, packets.size, reader.end_s)
    """

    def __init__(self, options: SegmentationOptions | None = None) -> None:
        self._options = options or default_config().segmentation
        self._times: list[float] = []
        self._steps: list[_Step] = []
        self._previous: NDArray[np.uint8] | None = None

    @property
    def step(self) -> float:
        """Change from the key frame before to the latest, 0 to 255; 255 for the first."""
        return self._steps[-1].change if self._steps else _UNKNOWN_CHANGE

    def update(self, frame: TimedPicture) -> None:
        """Take the next key frame; times have to increase."""
        small, previous = frame.small, self._previous
        if previous is not None:
            one, other = (p[::2, ::2].astype(np.int16) for p in (previous, small))
            change = difference_signed(one, other)
            deviations = deviation(one), deviation(other)
            contrast = min(1.0, max(_LEAST_CONTRAST, max(deviations) / _USUAL_DEVIATION))
            clear = change >= self._options.cut_change * contrast
            self._steps.append(
                _Step(
                    change,
                    clear,
                    clear and differ_in_kind(one, other, contrast),
                    spread(previous, small) if change >= self._options.still_change else 0.0,
                )
            )
        self._previous = small
        self._times.append(frame.time_s)

    def finish(
        self,
        packet_times: NDArray[np.float64],
        packet_sizes: NDArray[np.int64],
        end_s: float,
        key_times: NDArray[np.float64] | None = None,
        every: int = 1,
    ) -> Judgement:
        """Judge every group up to ``end_s``.

        Args:
            packet_times: presentation times [P] of all packets of the video, in order.
            packet_sizes: their sizes in bytes [P].
            end_s: where the last group ends.
            key_times: of all key frames [K], where only some were seen by now: others are taken to
                change as those did, which is good enough to know how much is in doubt.
            every: only one in so many groups is judged.
        """
        cuts: list[PlacedCut] = []
        doubts: list[Doubt] = []
        times = np.asarray(self._times) if key_times is None else key_times
        places = np.searchsorted(packet_times, times)
        key_bytes = packet_sizes[np.minimum(places, len(packet_sizes) - 1)]
        aimed_at = _aimed_lengths(np.diff(times))
        last_step = _Step(_UNKNOWN_CHANGE, False, False, 0.0)
        seen = itertools.cycle(self._steps or [last_step])
        steps = [
            *self._steps,
            *itertools.islice(seen, len(times) - 1 - len(self._steps)),
            last_step,
        ]
        groups = enumerate(itertools.pairwise([*times.tolist(), end_s]))
        for index, (start_s, stop_s) in itertools.islice(groups, 0, None, every):
            first = int(places[index]) + 1
            last = int(places[index + 1]) if index + 1 < len(places) else len(packet_times)
            # A single key frame may be black; a picture's usual cost is that of those around it.
            near = key_bytes[max(0, index - 2) : index + 4]
            group = _Group(
                start_s,
                stop_s,
                packet_times[first:last],
                packet_sizes[first:last] / max(1.0, float(np.median(near))),
                due=any(abs(stop_s - start_s - length_s) < _SAME_LENGTH_S for length_s in aimed_at),
            )
            own_cuts, own_doubts = _judge(group, steps[index], self._options)
            cuts += own_cuts
            doubts += own_doubts
        return Judgement(tuple(sorted(cuts, key=lambda cut: cut.time_s)), tuple(doubts))


@dataclass(frozen=True, slots=True)
class _Step:
    """From one key frame to the next: how much changed, whether clearly, whether in kind."""

    change: float
    clear: bool
    in_kind: bool
    spread: float


@dataclass(frozen=True, slots=True)
class _Group:
    """The packets between two key frames: times [P], sizes [P] as shares of a key frame's."""

    start_s: float
    end_s: float
    times: NDArray[np.float64]
    sizes: NDArray[np.float64]
    due: bool
    """Whether the encoder would have begun the next group there anyway."""

    def doubt(self, until_s: float, unseen_s: float, guess: PlacedCut | None = None) -> Doubt:
        return Doubt(Span(self.start_s, min(until_s, self.end_s)), unseen_s, guess)


@dataclass(frozen=True, slots=True)
class _Burst:
    """A stretch of large packets; ``middle_s`` is weighted by their sizes, ``keys`` their sum."""

    start_s: float
    end_s: float
    middle_s: float
    keys: float

    @property
    def place_s(self) -> float:
        """Where the cut lies, if it is one: the start of a new manner, the middle of a fade."""
        return self.start_s if self.end_s - self.start_s > _LONG_BURST_S else self.middle_s


def _judge(
    group: _Group, step: _Step, options: SegmentationOptions
) -> tuple[list[PlacedCut], list[Doubt]]:
    """The cuts and doubts of ``group``, ``step`` being from its key frame to the next."""
    cuts: list[PlacedCut] = []
    doubts: list[Doubt] = []
    _judge_bursts(group, step, options, cuts, doubts)
    if step.in_kind and not doubts and group.end_s - group.start_s > _LONG_GROUP_S:
        placed = [cut.time_s for cut in cuts]
        swell_s = _last_swell(group, placed)
        if swell_s is not None:
            unseen_s = max(abs(swell_s - time_s) for time_s in placed or [group.start_s])
            doubts.append(group.doubt(swell_s + _BEYOND_S, unseen_s))
    return cuts, doubts


def _judge_bursts(
    group: _Group,
    step: _Step,
    options: SegmentationOptions,
    cuts: list[PlacedCut],
    doubts: list[Doubt],
) -> None:
    """Add what the bursts of ``group`` and its key frames tell."""
    bursts, still = _bursts(group)
    change = step.change
    at_end = step.clear and not group.due
    if at_end:
        cuts.append(PlacedCut(group.end_s, change))
    elif still and not bursts and step.spread >= SLIDE_SPREAD:
        cuts.append(PlacedCut(group.end_s, change, slide=True))
    length_s = group.end_s - group.start_s
    if change < options.still_change:
        # The same again; something else may have been in between.
        whole = [burst for burst in bursts if burst.keys >= _WHOLE_CHANGE_KEYS]
        if len(whole) > 1:
            between_s = whole[-1].end_s - whole[0].start_s
            doubts.append(group.doubt(whole[-1].end_s + _BEYOND_S, between_s))
    elif not bursts:
        if step.in_kind and not at_end and len(group.times):
            peak_s, ratio = _peak(group)
            # No packet stands out: if it is a cut, the key frame itself is.
            stands_out = ratio >= _LEAST_PEAK_RATIO and group.sizes.max() >= _PEAK_KEYS
            cut = PlacedCut(peak_s if stands_out else group.end_s, change)
            if stands_out and ratio >= _PEAK_RATIO:
                cuts.append(cut)
            else:
                doubts.append(group.doubt(group.end_s, _QUIET_CHANCE * length_s, cut))
    elif at_end:
        # Between the burst and the cut nothing has been seen.
        unseen_s = group.end_s - bursts[0].start_s
        guess = PlacedCut(bursts[-1].place_s, change)
        doubts.append(group.doubt(bursts[-1].end_s + _BEYOND_S, unseen_s, guess))
    elif len(bursts) > 1:
        unseen_s = bursts[-1].end_s - bursts[0].start_s
        likely = PlacedCut(bursts[-1].place_s, change) if step.in_kind else None
        doubts.append(group.doubt(bursts[-1].end_s + _BEYOND_S, unseen_s, likely))
    elif still:
        unseen_s = _SLIDE_CHANCE * (group.end_s - bursts[0].start_s)
        doubts.append(group.doubt(bursts[0].end_s + _BEYOND_SLIDE_S, unseen_s))
    elif step.in_kind:
        (burst,) = bursts
        cut = PlacedCut(burst.place_s, change)
        burst_s = burst.end_s - burst.start_s
        if burst_s > _LONG_BURST_S and length_s > _LONG_GROUP_S:
            doubts.append(group.doubt(burst.end_s + _BEYOND_S, burst_s / 2, cut))
        else:
            cuts.append(cut)


def _last_swell(group: _Group, cuts: Sequence[float]) -> float | None:
    """When a group last spends well more than around it, away from its cuts and its ends."""
    times, rates = group.times, _rates(group)
    least = _SWELL_RATIO * float(rates.min(initial=np.inf))  # no median is lower
    for place in range(len(times) - 1, -1, -1):
        time_s = float(times[place])
        if rates[place] < least:
            continue
        if not group.start_s + _SWELL_APART_S < time_s < group.end_s - _SWELL_APART_S:
            continue
        if any(abs(time_s - cut_s) <= _SWELL_FROM_CUT_S for cut_s in cuts):
            continue
        first, last = np.searchsorted(times, (time_s - _SWELL_AROUND_S, time_s + _SWELL_AROUND_S))
        around = rates[first:last][np.abs(times[first:last] - time_s) > _SWELL_APART_S]
        if len(around) and rates[place] >= _SWELL_RATIO * _median(around):
            return time_s
    return None


def _median(values: NDArray[np.float64]) -> float:
    """As `numpy.median`, which takes most of its time to look for what is not a number."""
    middle = len(values) // 2
    if len(values) % 2:
        return float(np.partition(values, middle)[middle])
    return float(np.partition(values, (middle - 1, middle))[middle - 1 : middle + 1].mean())


def _rates(group: _Group) -> NDArray[np.float64]:
    """What is spent a second around each packet [P], less where the group ends."""
    times = group.times
    total = np.concatenate([[0.0], np.cumsum(group.sizes)])
    first = np.searchsorted(times, times - _REACH_S, side="left")
    last = np.searchsorted(times, times + _REACH_S, side="right")
    reached = np.minimum(times + _REACH_S, group.end_s) - np.maximum(
        times - _REACH_S, group.start_s
    )
    return np.asarray((total[last] - total[first]) / np.maximum(reached, 1e-3))


def _peak(group: _Group) -> tuple[float, float]:
    """The time of the largest packet, and its size over that of nearly all others'."""
    peak = int(group.sizes.argmax())
    away = np.abs(group.times - group.times[peak]) > _REACH_S
    others = float(np.quantile(group.sizes[away], 0.95)) if away.any() else 0.0
    return float(group.times[peak]), float(group.sizes[peak]) / max(others, 1e-9)


def _bursts(group: _Group) -> tuple[list[_Burst], bool]:
    """The bursts of a group, and whether it stands still otherwise."""
    times, sizes = group.times, group.sizes
    if not len(times):
        return [], False
    total = np.concatenate([[0.0], np.cumsum(sizes)])
    first = np.searchsorted(times, times - _REACH_S, side="left")
    last = np.searchsorted(times, times + _REACH_S, side="right")
    sums = total[last] - total[first]
    usual = float(np.quantile(sums, _USUAL_QUANTILE))
    still = usual < _STILL_KEYS
    least = max(_STILL_BURST_KEYS if still else _BURST_KEYS, _BURST_RATIO * usual)
    large = np.flatnonzero((sums >= least) & (sizes >= 0.1 * sums))
    bursts: list[_Burst] = []
    if len(large):
        for run in np.split(large, np.flatnonzero(np.diff(times[large]) > _GAP_S) + 1):
            weight = sizes[run]
            bursts.append(
                _Burst(
                    start_s=float(times[run[0]]),
                    end_s=float(times[run[-1]]),
                    middle_s=float((times[run] * weight).sum() / weight.sum()),
                    keys=float(weight.sum()),
                )
            )
    return bursts, still


def _aimed_lengths(lengths: NDArray[np.float64]) -> list[float]:
    """The lengths after which the encoder begins a group anyway: a key frame there says nothing.

    An encoder that puts key frames at cuts makes groups of any length up to that one.
    """
    if not len(lengths):
        return []
    values, counts = np.unique(np.round(lengths / _SAME_LENGTH_S), return_counts=True)
    returning = values[counts > 1]
    longest = float(lengths.max())
    return [longest, _SAME_LENGTH_S * float(returning.max(initial=0.0)) or longest]
