"""The frames of one video file, by plan, any number of times."""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Self

import numpy as np
from av import VideoFrame
from av.container import InputContainer
from av.error import FFmpegError
from av.video.stream import VideoStream

from semantic_video.errors import VideoError
from semantic_video.records import Span
from semantic_video.utils.cores import available_cores
from semantic_video.utils.video_utils.description import VideoInfo, describe
from semantic_video.utils.video_utils.hardware import HardwareDecoder
from semantic_video.utils.video_utils.opening import open_film, video_stream
from semantic_video.utils.video_utils.packets import PacketIndex, PacketRows
from semantic_video.utils.video_utils.pictures import Frame, Orientation, Scalers
from semantic_video.utils.video_utils.plan import Plan
from semantic_video.utils.video_utils.timeline import Ledger, stamp_of

_DEFAULT_FPS = 25
# Decoder threads for each core: more than one, since what they hold is decoded while the caller is
# busy. Of stretches one, since what they hold at the end of each is decoded in vain.
_THREADS_A_CORE, _THREADS_A_CORE_OF_SPANS, _MAX_THREADS = 2, 1, 16
_GLIMPSES_MISSED = 4
_SEEK_BACK_S = (0.0, 2.0, 20.0)


class VideoReader:
    """Reads one video file.

    Args:
        path: a video file.
        cover: (height, width) that ``Frame.rgb`` covers, as displayed.
        threads: decoder threads; None for as many as suit the cores available.
        hardware: decodes in place of the CPU, but for the first frame and glimpses, where it takes
            the film. At the first sign of trouble the CPU decodes the same again, and the rest.

    Raises:
        VideoError: the path is missing or no readable video, or nothing of it decodes.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        cover: tuple[int, int] = (224, 224),
        threads: int | None = None,
        hardware: HardwareDecoder | None = None,
    ) -> None:
        self._path = Path(path)
        self._threads = threads
        self._containers: list[InputContainer] = []
        self._index: PacketIndex | None = None
        self._passing: PacketRows | None = None
        self._continuous = True
        with self._opened() as (container, stream):
            self._time_base = stream.time_base or Fraction(1, 90_000)
            rate = stream.average_rate or stream.guessed_rate or _DEFAULT_FPS
            self._frame_s = float(1 / rate)
            self._origin = 0
            first, self._origin = self._probe(container, stream)
            self._ledger = self._new_ledger()
            self._decoded_before, self._bytes_before = 1, 0  # the first, to know what the file is
            orientation = Orientation.of(first)
            self._scalers = Scalers(orientation, stream.sample_aspect_ratio, cover)
            self._info = describe(
                self._path,
                container,
                stream,
                first,
                size=self._scalers.displayed_size(first),
                origin_s=float(self._origin * self._time_base),
                measured_s=self._measured_s,
            )
        self._end_s = self._info.duration_s
        suited = hardware is not None and hardware.suits(self._info)
        self._hardware = hardware if suited else None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file, also for iterations that have not ended."""
        while self._containers:
            self._containers.pop().close()

    @property
    def info(self) -> VideoInfo:
        """What the file is."""
        return self._info

    @property
    def decoder(self) -> str:
        """What decodes: ``cpu``, or the device that has not failed by now."""
        return "cpu" if self._hardware is None else self._hardware.name

    @property
    def undecoded_s(self) -> float:
        """Seconds of the timeline in which the last iteration found nothing decodable.

        Broken and missing packets; after a complete iteration over the whole video also what the
        header promises beyond what is there. Of key frames alone, only theirs are known.
        """
        return self._ledger.undecoded_s

    @property
    def broken_packets(self) -> int:
        """Packets of the last iteration that could not be read, or not decoded as they should."""
        return self._ledger.broken_packets

    @property
    def frames_decoded(self) -> int:
        """Frames that were decoded so far, by all iterations, served or not."""
        return self._decoded_before + self._ledger.decoded

    @property
    def bytes_decoded(self) -> int:
        """Bytes that frames were decoded from so far."""
        return self._bytes_before + self._ledger.decoded_bytes

    @property
    def end_s(self) -> float:
        """Where the timeline ends, as far as frames go: the last scene ends here.

        ``info.duration_s``, until a complete iteration over the whole video has shown that the
        file holds less than its header promises, or more.
        """
        return self._end_s

    def packets(self) -> PacketIndex:
        """Time, size and key flag of every packet, without decoding.

        From one pass over the file; a complete iteration over the key frames has made it already.
        """
        if self._index is None:
            ledger = self._new_ledger()
            rows = PacketRows()
            with self._opened() as (container, stream):
                for time_s, packet in ledger.read(container, stream):
                    rows.add(time_s, packet)
            self._continuous = ledger.continuous
            self._index = rows.index()
        return self._index

    def listed_packets(self) -> PacketIndex | None:
        """Every packet as the file's own list has it, by decoding time; None where it has none.

        Read with the header, not from all of the file: good enough to tell how much there is.
        """
        with self._opened() as (container, stream):
            if not container.format.name.startswith("mov,") or not stream.frames:
                return None
            entries = stream.index_entries
            if len(entries) != stream.frames:
                return None
            fields = [("stamp", np.int64), ("size", np.int64), ("is_key", np.bool_)]
            rows = np.fromiter(
                ((entry.timestamp, entry.size, entry.is_keyframe) for entry in entries), fields
            )
        stamps = rows["stamp"]
        times = (stamps - stamps[0]) * float(self._time_base)
        return PacketIndex(times, rows["size"], rows["is_key"], stamps)

    def packets_so_far(self) -> PacketIndex:
        """The packets that an iteration over the key frames has passed by now."""
        rows = self._passing or PacketRows()
        return self._index or rows.index()

    def glimpses(self, count: int) -> Iterator[Frame]:
        """Some ``count`` key frames spread evenly over the video, each found by seeking.

        Fewer where key frames are rarer, or where the file cannot be searched.
        """
        self._begin()
        last_s = -1.0
        misses = 0
        with self._opened(Plan.keyframes()) as (container, stream):
            for place in range(count):
                time_s = (place + 0.5) / count * self._info.duration_s
                stamp = self._origin + round(time_s / self._time_base)
                try:
                    container.seek(stamp, stream=stream)
                except FFmpegError:
                    return
                stream.codec_context.flush_buffers()
                self._ledger.jump()
                frame = self._next_key_frame(container, stream)
                if frame is not None and frame.time_s > last_s:
                    last_s, misses = frame.time_s, 0
                    yield frame
                else:  # one key frame for a long stretch, or no way to seek
                    misses += 1
                    if misses >= _GLIMPSES_MISSED:
                        return

    def _next_key_frame(self, container: InputContainer, stream: VideoStream) -> Frame | None:
        for packet_s, packet in self._ledger.read(container, stream):
            if not packet.is_keyframe:
                continue
            for item in (packet, None):  # the end of the stream makes the decoder hand it out
                for time_s, picture in self._ledger.decode(stream, item, packet_s):
                    return Frame(time_s, picture, self._scalers)
            return None
        return None

    def frames(self, plan: Plan | None = None) -> Iterator[Frame]:
        """Serve the frames of ``plan`` (default: all) in presentation order, one at a time.

        Times increase strictly. A frame without timestamp follows the one before at the average
        rate; a frame that is not later than the one before is left out; where decoding time steps
        back by a second or more (joined recordings), the rest is moved to follow on.
        """
        plan = plan or Plan.all()
        served_s = -math.inf
        while True:
            try:
                for frame in self._pass(plan):
                    if frame.time_s > served_s:
                        served_s = frame.time_s
                        yield frame
                return
            except _HardwareFailedError:
                self._hardware = None  # what is damaged, and what is not, the CPU tells exactly

    def _pass(self, plan: Plan) -> Iterator[Frame]:
        self._begin(plan.skip_nonreference)
        with self._opened(plan, self._hardware) as (container, stream):
            if plan.spans is None:
                yield from self._serve_everything(container, stream, plan)
            else:
                yield from self._serve_spans(container, stream, plan, plan.spans)
        if self._hardware is not None and not self._ledger.decoded:
            raise _HardwareFailedError  # without a word

    def _serve_everything(
        self, container: InputContainer, stream: VideoStream, plan: Plan
    ) -> Iterator[Frame]:
        last_s = 0.0
        self._passing = PacketRows() if plan.keyframes_only else None
        for frame in self._decode(container, stream, plan):
            last_s = frame.time_s
            yield frame
        if self._passing is not None:
            self._continuous = self._ledger.continuous
            self._index, self._passing = self._passing.index(), None
            last_s = max(last_s, float(self._index.time_s.max(initial=0.0)))
        missing = self._ledger.close(self._info.duration_s)
        self._trust_hardware()
        promise_holds = not missing and self._info.duration_s > last_s
        self._end_s = self._info.duration_s if promise_holds else last_s + self._frame_s

    def _serve_spans(
        self, container: InputContainer, stream: VideoStream, plan: Plan, spans: tuple[Span, ...]
    ) -> Iterator[Frame]:
        for key_stamp, group in self._groups(spans):
            if key_stamp is None:
                yield from self._serve_group(container, stream, plan, group)
            elif self._seek(container, stream, key_stamp):
                self._ledger.jump()
                yield from self._serve_group(container, stream, plan, group, from_key=True)
            else:  # no way to seek in this file: decode up to the stretch
                with self._opened(plan, self._hardware) as (another, its_stream):
                    self._ledger.jump()
                    yield from self._serve_group(another, its_stream, plan, group)

    def _serve_group(
        self,
        container: InputContainer,
        stream: VideoStream,
        plan: Plan,
        group: list[Span],
        from_key: bool = False,
    ) -> Iterator[Frame]:
        for frame in self._decode(container, stream, plan, from_key):
            if frame.time_s >= group[-1].end_s:
                return
            if any(start_s <= frame.time_s < end_s for start_s, end_s in group):
                yield frame

    def _decode(
        self,
        container: InputContainer,
        stream: VideoStream,
        plan: Plan,
        from_key: bool = False,
    ) -> Iterator[Frame]:
        """Decode to the end of the file, with ``from_key`` from the next key frame on."""
        ledger, passing = self._ledger, self._passing
        next_s = -math.inf
        for packet_s, packet in ledger.read(container, stream):
            if passing is not None:
                passing.add(packet_s, packet)
            if (plan.keyframes_only or from_key) and not packet.is_keyframe:
                continue
            if packet_s < next_s:
                continue
            if plan.apart_s:
                next_s = packet_s + plan.apart_s
            from_key = False
            pictures = ledger.decode(stream, packet, packet_s)
            self._trust_hardware()
            for time_s, picture in pictures:
                yield Frame(time_s, picture, self._scalers)
        pictures = ledger.decode(stream, None)
        self._trust_hardware()
        for time_s, picture in pictures:
            yield Frame(time_s, picture, self._scalers)

    def _trust_hardware(self) -> None:
        """Go on with a device only while everything that went in came out well."""
        if self._hardware is not None and self._ledger.broken_packets:
            raise _HardwareFailedError

    def _groups(self, spans: tuple[Span, ...]) -> Iterator[tuple[int | None, list[Span]]]:
        """Join spans with no key frame between them, each group with the key frame to start at.

        None instead of a timestamp: start at the beginning of the file.
        """
        index = self.packets()
        key_times, key_stamps = index.time_s[index.is_key], index.stamp[index.is_key]
        if not self._continuous:  # timestamps are ambiguous: no seeking
            key_times = key_times[:0]
        keys = np.searchsorted(key_times, [span.start_s for span in spans], side="right") - 1
        group: list[Span] = []
        start_key = -1
        for key, span in zip(keys.tolist(), spans, strict=True):
            if group and key > 0 and key_times[key] > group[-1].end_s:
                yield (int(key_stamps[start_key]) if start_key > 0 else None), group
                group = []
            if not group:
                start_key = key
            group.append(span)
        if group:
            yield (int(key_stamps[start_key]) if start_key > 0 else None), group

    def _seek(self, container: InputContainer, stream: VideoStream, stamp: int) -> bool:
        """Place the container at a key frame not after ``stamp``, where the format allows."""
        for back_s in _SEEK_BACK_S:
            place = stamp - round(back_s / self._time_base)
            try:
                container.seek(place, stream=stream)
                landed = (p for _, p in self._new_ledger().read(container, stream) if p.is_keyframe)
                first = next((stamp_of(packet) for packet in landed), None)
                if first is not None and first <= stamp:
                    container.seek(place, stream=stream)
                    return True
            except FFmpegError:
                return False
        return False

    @contextmanager
    def _opened(
        self, plan: Plan | None = None, hardware: HardwareDecoder | None = None
    ) -> Iterator[tuple[InputContainer, VideoStream]]:
        """The file, open at its start; with a plan, its decoder set up for that plan."""
        container = None if hardware is None else hardware.open(self._path)
        if container is None:
            if hardware is not None:  # it takes no such film
                hardware = self._hardware = None
            container = open_film(self._path)
        self._containers.append(container)
        try:
            stream = video_stream(self._path, container)
            if plan is not None:
                stream.thread_type = "AUTO"
                threads = self._threads or _threads_for(plan)
                stream.thread_count = threads if hardware is None else 1
                if plan.skip_nonreference:
                    stream.codec_context.skip_frame = "NONREF"
            yield container, stream
        finally:
            container.close()
            if container in self._containers:
                self._containers.remove(container)

    def _begin(self, skipping: bool = False) -> None:
        """Keep account anew."""
        self._decoded_before += self._ledger.decoded
        self._bytes_before += self._ledger.decoded_bytes
        self._ledger = self._new_ledger(skipping)

    def _new_ledger(self, skipping: bool = False) -> Ledger:
        return Ledger(self._origin, self._time_base, self._frame_s, skipping)

    def _probe(self, container: InputContainer, stream: VideoStream) -> tuple[VideoFrame, int]:
        """Decode the first frame; return it and the first presentation timestamp of the file."""
        ledger, stamps = self._new_ledger(), []
        for _, packet in chain(ledger.read(container, stream), [(0.0, None)]):
            if packet is not None and not packet.is_discard:
                stamps.append(stamp_of(packet))
            for _, frame in ledger.decode(stream, packet):
                known = [stamp for stamp in (*stamps, stamp_of(frame)) if stamp is not None]
                return frame, min(known, default=0)
        raise VideoError(f"nothing of {self._path} can be decoded; get another copy of it")

    def _measured_s(self) -> float:
        times = self.packets().time_s
        return (float(times[-1]) if len(times) else 0.0) + self._frame_s


class _HardwareFailedError(Exception):
    """Something that went into a device did not come out as it should."""


def _threads_for(plan: Plan) -> int:
    a_core = _THREADS_A_CORE if plan.spans is None else _THREADS_A_CORE_OF_SPANS
    return min(_MAX_THREADS, a_core * available_cores())
