"""The passes over a film: a few glimpses, its key frames, what those leave in doubt; or all.

A long film is told of after each pass, and within a pass now and then, so that what breaks off is
not lost.
"""

from __future__ import annotations

import bisect
import copy
import itertools
import math
import time
from collections.abc import Callable, Collection, Generator, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import Config, SegmentationOptions, default_config
from semantic_video.encoders import ImageTextEncoder
from semantic_video.perception import expectation
from semantic_video.perception.notebook import Notebook, Perception, tiled
from semantic_video.perception.workload import Portion, Workload
from semantic_video.records import Span
from semantic_video.scene_encoder import FrameSampler, SceneEncoder
from semantic_video.scene_segmentation import (
    Doubt,
    GroupJudge,
    Judgement,
    SceneSegmenter,
)
from semantic_video.utils.video_utils import PacketIndex, Plan, VideoReader
from semantic_video.utils.video_utils.hardware import hardware_decoder

Progress = Callable[[str, float, float], None]
"""Called as ``progress(stage, done_s, total_s)`` while a film is watched."""

_Cuts = tuple[Sequence[float], Collection[float]]
"""Times of cuts, in order, and which of them are slides."""

# From what length on, in seconds, a film is told of before all is seen, and from what length on it
# may be skimmed: shorter ones are watched whole at once.
_EARLY_FROM_S = 600.0
_SKIM_FROM_S = 30.0
_GLIMPSE_EVERY_S, _GLIMPSES = 60.0, 64  # as often, and at most so many
# A film is told of this often within a pass, less where telling takes more than a twentieth.
_TELL_EVERY_S, _TELL_SHARE = 10.0, 20.0
# Files in which so many key frames come at less than this distance are watched whole; where every
# frame is one, ten a second are enough to see fades.
_MANY_KEYS = 60
_DENSE_KEYS_S = 0.4
_KEYS_APART_S = 0.09
# What will have to be decoded is judged anew whenever so many times as many key frames were seen,
# by so many groups of pictures.
_FIRST_JUDGED, _JUDGED_AGAIN, _JUDGED_GROUPS = 4, 4, 128
# Between key frames further apart than this, everything is decoded.
_SPARSE_S = 12.0
# `auto` decodes doubts that probably hide so much; for the others the guess is taken.
_LEAST_UNSEEN_S = 0.75
_SETTLE_S = 0.4  # decoded beyond a group's end, to see a cut there
_LOOK_S = 0.25  # a frame is looked for in so much
# After a frame that stands for long, others are looked for, but not where decoding up to them is
# dear, in megapixels a second: there they cost as much as all the rest, and hardly help.
_LOOK_AHEAD_S = (1.5, 3.2)
_DEAR = 20.0
_NEARLY = 0.999
_SKIPPING_PAYS_BELOW = 0.7  # share to be decoded, above which the film is watched whole


def perceive(
    path: Path,
    encoder: ImageTextEncoder,
    config: Config,
    progress: Progress,
    scenes: Sequence[Span] | None = None,
    known: Mapping[float, NDArray[np.floating[Any]]] | None = None,
) -> Generator[Perception]:
    """Watch the film at ``path`` as deep as ``config.reading.depth`` says, coarse to fine.

    Each perception covers the whole film and is finer than the one before; the last has
    ``refined`` 1. Scenes in ``scenes`` that are known already are taken as they are; vectors in
    ``known``, by time, are not made again.

    Raises:
        VideoError: the file cannot be read, or nothing of it decodes.
        ConfigError: it is to be decoded on a device that is not there.
    """
    hardware = hardware_decoder(config.reading.decoder)
    with (
        VideoReader(path, encoder.input_size, hardware=hardware) as reader,
        SceneEncoder(encoder, config.encoder.batch_size, known) as scene_encoder,
    ):
        yield from _Passes(reader, Notebook(scene_encoder, config), config, progress, scenes).run()


class _Passes:
    """One watching of one film."""

    def __init__(
        self,
        reader: VideoReader,
        notebook: Notebook,
        config: Config,
        progress: Progress,
        scenes: Sequence[Span] | None,
    ) -> None:
        self._reader = reader
        self._notebook = notebook
        self._config = config
        self._progress = progress
        self._scenes = scenes
        self._total_s = reader.info.duration_s
        info = reader.info
        rate = info.expected_fps
        self._megapixels_s = info.width * info.height * rate / 1e6
        self._listed = reader.listed_packets()
        self._work = expectation.workload(info, self._listed)
        self._ahead_s = _LOOK_AHEAD_S if self._megapixels_s < _DEAR else ()
        self._whole = Plan.all(skip_nonreference=not config.reading.every_frame)
        self._coarse: list[float] = []  # edges of the scenes that glimpses gave
        self._tell_at_s = time.monotonic() + _TELL_EVERY_S

    def run(self) -> Iterator[Perception]:
        """The passes that the depth asks for; what is known is told early of long films."""
        if self._total_s >= _EARLY_FROM_S:
            yield from self._glimpse()
        if self._may_skip():
            judgement = yield from self._skim()
            if judgement is not None:
                yield from self._refine(judgement)
                return
        yield from self._watch()

    def _may_skip(self) -> bool:
        """Whether leaving out most of the film may be asked for, and worth it."""
        reading = self._config.reading
        if reading.depth == "full" or self._total_s < _SKIM_FROM_S:
            return False
        return reading.depth == "quick" or self._megapixels_s >= reading.whole_below

    def _glimpse(self) -> Iterator[Perception]:
        """Some frames spread over the film: enough for a first answer."""
        count = min(_GLIMPSES, math.ceil(self._total_s / _GLIMPSE_EVERY_S))
        for frame in self._reader.glimpses(count):
            self._notebook.looked_at += 1
            self._notebook.note(frame)
        times = self._notebook.frames().times_s
        if len(times) >= max(2, count // 4):
            self._coarse = ((times[1:] + times[:-1]) / 2).tolist()
            yield self._perception(self._scenes_between((self._coarse, ())), refined=0.0)
            self._tell_at_s = time.monotonic() + _TELL_EVERY_S

    def _now_and_then(
        self, refined: float, seen_s: float, cuts: Callable[[float], _Cuts]
    ) -> Iterator[Perception]:
        """What is known when the film was seen up to ``seen_s``, if nothing was told for a while.

        ``cuts`` gives the cuts up to a time; what comes later is as the glimpses left it.
        """
        began_s = time.monotonic()
        if not self._coarse or began_s < self._tell_at_s:
            return
        found, slides = cuts(seen_s)
        later = [time_s for time_s in self._coarse if time_s > seen_s]
        scenes = self._scenes_between(([*found, *later], slides))
        yield self._perception(scenes, refined=min(refined, _NEARLY))
        now_s = time.monotonic()
        self._tell_at_s = now_s + max(_TELL_EVERY_S, _TELL_SHARE * (now_s - began_s))

    def _skim(self) -> Generator[Perception, None, Judgement | None]:
        """The key frames; None where they are no help, so that all has to be watched."""
        reader = self._reader
        judge = GroupJudge(self._config.segmentation)
        sampler = _KeySampler(self._config)
        keys, next_judged = 0, _FIRST_JUDGED

        def judged_up_to(end_s: float) -> Judgement:
            packets = reader.packets_so_far()
            return judge.finish(packets.time_s, packets.size, end_s)

        for frame in reader.frames(Plan.keyframes()):
            keys += 1
            self._notebook.looked_at += 1
            judge.update(frame)
            if sampler.wants(frame.time_s, judge.step):
                self._notebook.note(frame)
            if judge.step < self._config.sampling.static_change:
                self._notebook.still_since.add(frame.time_s)
            if keys == _MANY_KEYS and frame.time_s < _MANY_KEYS * _DENSE_KEYS_S:
                if frame.time_s < _MANY_KEYS * _KEYS_APART_S:
                    self._whole = Plan.keyframes(apart_s=_KEYS_APART_S)
                return None
            seen_s = frame.time_s
            if keys == next_judged:
                next_judged *= _JUDGED_AGAIN
                self._expect_more(judge, seen_s)
            yield from self._now_and_then(0.0, seen_s, lambda end_s: _cuts(judged_up_to(end_s)))
            share = seen_s / max(self._total_s, seen_s)
            if self._listed is not None:
                share = min(1.0, keys / max(1, int(self._listed.is_key.sum())))
            self._tell("key frames", self._counted().skimmed(share))
        packets = reader.packets()
        if reader.broken_packets or reader.undecoded_s or not keys:
            return None  # only decoding everything tells what is left of a damaged film
        judgement = judge.finish(packets.time_s, packets.size, reader.end_s)
        judgement = _with_sparse_groups(judgement, packets, reader.end_s)
        if _span_s(self._chosen(judgement)) > _SKIPPING_PAYS_BELOW * reader.end_s:
            return None
        return judgement

    def _refine(self, judgement: Judgement) -> Iterator[Perception]:
        """Decode what is in doubt, and a frame of each scene that has none."""
        reader, notebook = self._reader, self._notebook
        stretches = _merged(doubt.span for doubt in self._chosen(judgement))
        wanted_s = sum(stretch.duration_s for stretch in stretches)
        self._expect(judgement, reader.packets())
        unseen = wanted_s / reader.end_s
        if stretches and reader.end_s >= _EARLY_FROM_S:
            scenes = self._scenes_between(_cuts(judgement))
            yield self._perception(scenes, refined=min(1.0 - unseen, _NEARLY))
        undecoded_s = done_s = 0.0
        decoded: list[_Decoded] = []
        if stretches:
            for stretch in self._decode(stretches):
                decoded.append(stretch)
                done_s += stretch.span.duration_s
                yield from self._now_and_then(
                    1.0 - unseen * (1.0 - done_s / wanted_s),
                    reader.end_s,
                    lambda _: _cuts(judgement, decoded, self._config.segmentation),
                )
                self._tell("refining", self._counted().refined(done_s / wanted_s))
            undecoded_s = reader.undecoded_s
        scenes = self._scenes_between(_cuts(judgement, decoded, self._config.segmentation))
        if self._config.reading.depth != "quick":
            looks = _merged_looks(notebook.looks(scenes, stretches, self._ahead_s))
            self._look(looks)
            scenes = self._scenes_between(_cuts(judgement, decoded, self._config.segmentation))
        yield self._perception(scenes, undecoded_s=undecoded_s)

    def _watch(self) -> Iterator[Perception]:
        """Every frame, each decoded once."""
        reader, notebook = self._reader, self._notebook
        segmenter = SceneSegmenter(self._config.segmentation)
        sampler = FrameSampler(self._config.sampling)
        before = set(notebook.frames().times_s.tolist())
        for frame in reader.frames(self._whole):
            notebook.looked_at += 1
            if self._scenes is None:
                segmenter.update(frame)
            if sampler.wants(frame.time_s, frame.small):
                notebook.note(frame)
                before.discard(frame.time_s)
            seen_s = frame.time_s
            share = seen_s / max(self._total_s, seen_s, 1e-9)
            yield from self._now_and_then(
                share, seen_s, lambda end_s: _found(copy.deepcopy(segmenter), end_s)
            )
            self._tell("watching", self._counted().watched(share))
        notebook.outdated |= before  # so the scenes do not depend on where was looked before
        scenes = self._scenes_between(_found(segmenter, reader.end_s))
        yield self._perception(scenes, undecoded_s=reader.undecoded_s)

    # ---- their parts

    def _chosen(self, judgement: Judgement) -> list[Doubt]:
        """The doubts worth decoding."""
        if self._config.reading.depth != "auto" or self._scenes is not None:
            return []
        return [doubt for doubt in judgement.doubts if doubt.unseen_s >= _LEAST_UNSEEN_S]

    def _decode(self, stretches: Sequence[Span]) -> Iterator[_Decoded]:
        """Watch ``stretches``, sorted and apart, one after the other."""
        notebook = self._notebook
        skip = not self._config.reading.every_frame
        frames = self._reader.frames(Plan.all(stretches, skip_nonreference=skip))
        frame = next(frames, None)
        for stretch in stretches:
            segmenter = SceneSegmenter(self._config.segmentation)
            sampler = FrameSampler(self._config.sampling)
            while frame is not None and frame.time_s < stretch.end_s:
                notebook.looked_at += 1
                segmenter.update(frame)
                if sampler.wants(frame.time_s, frame.small):
                    notebook.note(frame)
                elif notebook.has(frame.time_s):  # a key frame
                    sampler.took(frame.time_s, frame.small)
                frame = next(frames, None)
            # Its own end is not one of the timeline: cuts near it count.
            found = segmenter.finish(stretch.end_s + self._config.segmentation.min_shot_s)
            cuts = [shot.start_s for shot in found.shots[1:] if shot.start_s < stretch.end_s]
            yield _Decoded(stretch, cuts, found.slides)

    def _look(self, looks: Sequence[Span]) -> None:
        """Note a frame of each of ``looks``, sorted and apart."""
        if not looks:
            return
        skip = not self._config.reading.every_frame
        place = 0
        for frame in self._reader.frames(Plan.all(looks, skip_nonreference=skip)):
            self._notebook.looked_at += 1
            while place < len(looks) and frame.time_s >= looks[place].end_s:
                place += 1
            if place < len(looks) and frame.time_s >= looks[place].start_s:
                self._notebook.note(frame)
                place += 1
                self._tell("looking", self._counted().looked(place / len(looks)))

    def _expect_more(self, judge: GroupJudge, seen_s: float) -> None:
        """Expect doubts as in what was seen; where the file lists its packets, by all of them."""
        packets, listed = self._reader.packets_so_far(), self._listed
        if listed is None:
            judgement = judge.finish(packets.time_s, packets.size, seen_s)
            self._expect(judgement, packets, on=self._total_s / max(seen_s, 1e-9))
            return
        keys = listed.time_s[listed.is_key]
        every = max(1, len(keys) // _JUDGED_GROUPS)
        judgement = judge.finish(listed.time_s, listed.size, self._total_s, keys, every)
        self._expect(judgement, listed, every)

    def _expect(
        self, judgement: Judgement, packets: PacketIndex, every: int = 1, on: float = 1.0
    ) -> None:
        """Expect what the judgement of one in ``every`` groups leaves to be decoded.

        The film is ``on`` times as long as what was judged.
        """
        doubts = _merged(doubt.span for doubt in self._chosen(judgement))
        interval_s = self._config.sampling.interval_s
        refining = expectation.decoding(doubts, packets, interval_s) * (every * on)
        looking = Portion()
        if self._config.reading.depth == "auto" and self._ahead_s:
            end_s = max(self._total_s / on, float(packets.time_s.max(initial=0.0)))
            groups = tiled(packets.time_s[packets.is_key][1:].tolist(), end_s)[::every]
            looking = expectation.looking(groups, doubts, self._ahead_s, packets) * (every * on)
        self._work.expect(refining, looking)

    def _scenes_between(self, cuts: _Cuts) -> Sequence[Span]:
        if self._scenes is not None:
            return self._scenes
        return self._notebook.scenes(*cuts, self._reader.end_s)

    def _perception(
        self, scenes: Sequence[Span], undecoded_s: float = 0.0, refined: float = 1.0
    ) -> Perception:
        return self._notebook.perception(self._reader, undecoded_s, scenes, refined)

    def _tell(self, stage: str, share: float) -> None:
        self._progress(stage, share * self._total_s, self._total_s)

    def _counted(self) -> Workload:
        """The workload, with what is done by now."""
        taken, encoded = self._notebook.pictures
        done = Portion(self._reader.frames_decoded, self._reader.bytes_decoded, taken)
        self._work.count(done, encoded)
        return self._work


@dataclass(frozen=True, slots=True)
class _Decoded:
    """A stretch that was decoded, and the cuts in it."""

    span: Span
    cuts: Sequence[float]
    slides: Collection[float]


class _KeySampler:
    """Chooses key frames to encode: what differs clearly from the last, and one now and then."""

    def __init__(self, config: Config) -> None:
        self._options = config.sampling
        self._clear = config.segmentation.cut_change
        self._encoded_s = -math.inf
        self._change = 0.0

    def wants(self, time_s: float, step: float) -> bool:
        """Whether the key frame at ``time_s`` is wanted; ``step``: change from the one before."""
        options = self._options
        self._change += step
        after_s = time_s - self._encoded_s
        wanted = (
            self._change >= self._clear
            or (self._change >= options.static_change and after_s >= _NEARLY * options.interval_s)
            or after_s >= options.static_interval_s
        )
        if wanted:
            self._encoded_s, self._change = time_s, 0.0
        return wanted


def _found(segmenter: SceneSegmenter, end_s: float) -> _Cuts:
    """The cuts up to ``end_s``; closes the segmenter."""
    found = segmenter.finish(end_s)
    return [shot.start_s for shot in found.shots[1:]], found.slides


def _cuts(
    judgement: Judgement,
    decoded: Sequence[_Decoded] = (),
    options: SegmentationOptions | None = None,
) -> _Cuts:
    """The cuts of a film, and which of them are slides: what was decoded counts before what was
    placed by packets, and that before what was guessed."""
    least_s = (options or default_config().segmentation).min_shot_s
    spans = [each.span for each in decoded]
    starts = [span.start_s for span in spans]

    def seen(time_s: float) -> bool:
        place = bisect.bisect_right(starts, time_s) - 1
        return place >= 0 and starts[place] + least_s < time_s < spans[place].end_s - _SETTLE_S

    cuts = sorted(time_s for each in decoded for time_s in each.cuts)
    slides = {time_s for each in decoded for time_s in each.slides}
    guesses = [doubt.guess for doubt in judgement.doubts if doubt.guess is not None]
    for some in (judgement.cuts, guesses):
        for cut in sorted(some, key=lambda cut: -cut.strength):
            place = bisect.bisect_left(cuts, cut.time_s)
            around = cuts[max(0, place - 1) : place + 1]
            if cut.time_s < least_s or seen(cut.time_s):
                continue
            if all(abs(cut.time_s - time_s) >= least_s for time_s in around):
                cuts.insert(place, cut.time_s)
                if cut.slide:
                    slides.add(cut.time_s)
    return cuts, slides


def _with_sparse_groups(judgement: Judgement, packets: PacketIndex, end_s: float) -> Judgement:
    """The judgement, with long groups of pictures in doubt as a whole."""
    keys = packets.time_s[packets.is_key].tolist()
    sparse = [
        Span(start_s, stop_s)
        for start_s, stop_s in itertools.pairwise([*keys, end_s])
        if stop_s - start_s > _SPARSE_S
    ]
    if not sparse:
        return judgement
    starts = {span.start_s for span in sparse}
    kept = [doubt for doubt in judgement.doubts if doubt.span.start_s not in starts]
    kept += [Doubt(span, span.duration_s) for span in sparse]
    return Judgement(judgement.cuts, tuple(sorted(kept, key=lambda doubt: doubt.span)))


def _merged(spans: Iterable[Span]) -> list[Span]:
    """The stretches that ``spans`` cover, each with what tells whether a cut ends it."""
    merged: list[Span] = []
    for start_s, end_s in sorted(spans):
        if merged and start_s <= merged[-1].end_s:
            merged[-1] = Span(merged[-1].start_s, max(merged[-1].end_s, end_s + _SETTLE_S))
        else:
            merged.append(Span(start_s, end_s + _SETTLE_S))
    return merged


def _span_s(doubts: Iterable[Doubt]) -> float:
    return sum(doubt.span.duration_s for doubt in doubts)


def _merged_looks(looks: Iterable[float]) -> list[Span]:
    """Short stretches from the times of ``looks`` on, sorted and apart."""
    spans: list[Span] = []
    for time_s in sorted(looks):
        if not spans or time_s >= spans[-1].end_s:
            spans.append(Span(time_s, time_s + _LOOK_S))
    return spans
