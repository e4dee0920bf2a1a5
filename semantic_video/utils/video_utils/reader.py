"""The frames of one video file, by plan, any number of times."""

from __future__ import annotations

import math
import os
from array import array
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from fractions import Fraction
from itertools import chain
from pathlib import Path
from typing import Any, Self

import av
import numpy as np
from av import Packet, VideoFrame
from av.container import InputContainer
from av.error import FFmpegError
from av.stream import Disposition
from av.video.stream import VideoStream
from numpy.typing import NDArray

from semantic_video.errors import VideoError
from semantic_video.records import Span
from semantic_video.utils.cores import available_cores
from semantic_video.utils.video_utils.containers import open_local_file
from semantic_video.utils.video_utils.files import check_path
from semantic_video.utils.video_utils.pictures import Frame, Orientation, Scalers
from semantic_video.utils.video_utils.timeline import Ledger, stamp_of

_DEFAULT_FPS = 25
# Decoder threads for each core: more than one, since what they hold is decoded while the caller is
# busy. Of stretches one, since what they hold at the end of each is decoded in vain.
_THREADS_A_CORE, _THREADS_A_CORE_OF_SPANS, _MAX_THREADS = 2, 1, 16
# Streams without timestamps: FFmpeg guesses their duration from the bit rate.
_RAW_FORMATS = frozenset({"h261", "h263", "h264", "hevc", "m4v", "mpegvideo", "obu", "vc1", "vvc"})
# Text that FFmpeg would draw; what it calls a pipe of pictures is a still picture.
_TEXT_FORMATS = frozenset({"adf", "bin", "idf", "tty", "xbin"})
_GLIMPSES_MISSED = 4
_SEEK_BACK_S = (0.0, 2.0, 20.0)


@dataclass(frozen=True, slots=True)
class VideoInfo:
    """What a video file is, as far as its header and first frame tell.

    ``width`` and ``height`` are as displayed: pixel aspect and rotation applied. ``rotation`` is in
    degrees counterclockwise, 0 to 359. ``duration_s`` is what the file promises, or measured where
    it promises nothing. ``start_time_s`` is the first presentation time in the file's own clock.
    ``recorded_at`` is ISO 8601 as it stands in the file. ``notes`` are sentences for the user.
    """

    path: Path
    duration_s: float
    width: int
    height: int
    rotation: int
    codec: str
    pixel_format: str
    average_fps: float | None
    recorded_at: str | None
    video_streams: int
    audio_streams: int
    start_time_s: float
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True, eq=False)
class PacketIndex:
    """Every packet of the video stream in presentation order; none is decoded to know it.

    ``time_s`` float64 [P], ``size`` in bytes int64 [P], ``is_key`` bool [P], and ``stamp``, the
    file's own timestamp in units of the stream's time base, int64 [P].
    """

    time_s: NDArray[np.float64]
    size: NDArray[np.int64]
    is_key: NDArray[np.bool_]
    stamp: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Plan:
    """Which frames to serve; made with ``Plan.all`` or ``Plan.keyframes``.

    ``spans`` are the stretches to serve, sorted and apart, None for the whole video: served is what
    is presented in them, decoding starts at the key frame before. ``keyframes_only`` decodes
    nothing but key frames, and leaves out those that follow within ``apart_s``.
    ``skip_nonreference`` leaves out frames that no other frame needs (many B-frames), where the
    codec tells.
    """

    spans: tuple[Span, ...] | None = None
    keyframes_only: bool = False
    skip_nonreference: bool = False
    apart_s: float = 0.0

    @classmethod
    def all(cls, spans: Iterable[Span] | None = None, *, skip_nonreference: bool = False) -> Self:
        """Every frame, of the whole video or of ``spans`` (in any order)."""
        return cls(_tidy(spans), skip_nonreference=skip_nonreference)

    @classmethod
    def keyframes(cls, spans: Iterable[Span] | None = None, *, apart_s: float = 0.0) -> Self:
        """Key frames, of the whole video or of ``spans`` (in any order), at least so far apart."""
        return cls(_tidy(spans), keyframes_only=True, apart_s=apart_s)


class _PacketRows:
    """Collects packets in the order of the file."""

    def __init__(self) -> None:
        self._times = array("d")
        self._sizes = array("q")
        self._stamps = array("q")
        self._keys = bytearray()

    def add(self, time_s: float, packet: Packet[Any]) -> None:
        if not packet.is_discard:
            self._times.append(time_s)
            self._sizes.append(packet.size)
            self._stamps.append(stamp_of(packet) or 0)
            self._keys.append(packet.is_keyframe)

    def index(self) -> PacketIndex:
        """Those collected so far, in presentation order."""
        times = np.array(self._times, np.float64)
        order = np.argsort(times, kind="stable")
        return PacketIndex(
            time_s=times[order],
            size=np.array(self._sizes, np.int64)[order],
            is_key=np.array(self._keys, np.bool_)[order],
            stamp=np.array(self._stamps, np.int64)[order],
        )


class VideoReader:
    """Reads one video file.

    Args:
        path: a video file.
        cover: (height, width) that ``Frame.rgb`` covers, as displayed.
        threads: decoder threads; None for as many as suit the cores available.

    Raises:
        VideoError: the path is missing or no readable video, or nothing of it decodes.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        cover: tuple[int, int] = (224, 224),
        threads: int | None = None,
    ) -> None:
        self._path = Path(path)
        self._threads = threads
        self._containers: list[InputContainer] = []
        self._index: PacketIndex | None = None
        self._passing: _PacketRows | None = None
        self._continuous = True
        with self._opened() as (container, stream):
            self._time_base = stream.time_base or Fraction(1, 90_000)
            rate = stream.average_rate or stream.guessed_rate or _DEFAULT_FPS
            self._frame_s = float(1 / rate)
            self._origin = 0
            first, self._origin = self._probe(container, stream)
            self._ledger = self._new_ledger()
            self._decoded_before = 1  # the first, to know what the file is
            orientation = Orientation.of(first)
            self._scalers = Scalers(orientation, stream.sample_aspect_ratio, cover)
            self._info = self._describe(container, stream, first)
        self._end_s = self._info.duration_s

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
            rows = _PacketRows()
            with self._opened() as (container, stream):
                for time_s, packet in ledger.read(container, stream):
                    rows.add(time_s, packet)
            self._continuous = ledger.continuous
            self._index = rows.index()
        return self._index

    def packets_so_far(self) -> PacketIndex:
        """The packets that an iteration over the key frames has passed by now."""
        rows = self._passing or _PacketRows()
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
        self._begin(plan.skip_nonreference)
        with self._opened(plan) as (container, stream):
            if plan.spans is None:
                yield from self._serve_everything(container, stream, plan)
            else:
                yield from self._serve_spans(container, stream, plan, plan.spans)

    def _serve_everything(
        self, container: InputContainer, stream: VideoStream, plan: Plan
    ) -> Iterator[Frame]:
        last_s = 0.0
        self._passing = _PacketRows() if plan.keyframes_only else None
        for frame in self._decode(container, stream, plan):
            last_s = frame.time_s
            yield frame
        if self._passing is not None:
            self._continuous = self._ledger.continuous
            self._index, self._passing = self._passing.index(), None
            last_s = max(last_s, float(self._index.time_s.max(initial=0.0)))
        missing = self._ledger.close(self._info.duration_s)
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
                with self._opened(plan) as (another, its_stream):
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
            for time_s, picture in ledger.decode(stream, packet, packet_s):
                yield Frame(time_s, picture, self._scalers)
        for time_s, picture in ledger.decode(stream, None):
            yield Frame(time_s, picture, self._scalers)

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
    def _opened(self, plan: Plan | None = None) -> Iterator[tuple[InputContainer, VideoStream]]:
        """The file, open at its start; with a plan, its decoder set up for that plan."""
        container = _open_container(self._path)
        self._containers.append(container)
        try:
            stream = _video_stream(self._path, container)
            if plan is not None:
                stream.thread_type = "AUTO"
                stream.thread_count = self._threads or _threads_for(plan)
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

    def _describe(
        self, container: InputContainer, stream: VideoStream, first: VideoFrame
    ) -> VideoInfo:
        origin_s = float(self._origin * self._time_base)
        notes: list[str] = []
        duration_s = _promised_s(container, stream, origin_s)
        if duration_s is None or duration_s <= 0:
            times = self.packets().time_s
            duration_s = (float(times[-1]) if len(times) else 0.0) + self._frame_s
            notes.append("the file does not say how long it is; its packets were counted")
        videos = [other for other in container.streams.video if not _is_picture(other)]
        if len(videos) > 1:
            notes.append(f"{len(videos)} video streams; the first is used")
        height, width = self._scalers.displayed_size(first)
        return VideoInfo(
            path=self._path,
            duration_s=duration_s,
            width=width,
            height=height,
            rotation=round(first.rotation) % 360,
            codec=stream.codec_context.codec.canonical_name,
            pixel_format=first.format.name,
            average_fps=float(stream.average_rate) if stream.average_rate else None,
            recorded_at=_recorded_at(container, stream),
            video_streams=len(videos),
            audio_streams=len(container.streams.audio),
            start_time_s=origin_s,
            notes=tuple(notes),
        )


def _threads_for(plan: Plan) -> int:
    a_core = _THREADS_A_CORE if plan.spans is None else _THREADS_A_CORE_OF_SPANS
    return min(_MAX_THREADS, a_core * available_cores())


def _tidy(spans: Iterable[Span] | None) -> tuple[Span, ...] | None:
    """Sort spans, join those that overlap or touch, drop empty ones."""
    if spans is None:
        return None
    tidy: list[Span] = []
    for start_s, end_s in sorted(spans):
        if tidy and start_s <= tidy[-1].end_s:
            tidy[-1] = Span(tidy[-1].start_s, max(end_s, tidy[-1].end_s))
        elif end_s > start_s:
            tidy.append(Span(start_s, end_s))
    return tuple(tidy)


def _open_container(path: Path) -> InputContainer:
    check_path(path)
    try:
        container = open_local_file(path)
    except FFmpegError as error:
        raise VideoError(_why_not_opened(path)) from error
    name = container.format.name
    if name in _TEXT_FORMATS or name.endswith("_pipe") or name == "image2":
        container.close()
        raise VideoError(
            f"{path} is a {'text' if name in _TEXT_FORMATS else 'picture'}, not a video"
        )
    return container


def _why_not_opened(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(12)
    except OSError as error:
        return f"cannot read {path} ({error.strerror}); is the disk still there?"
    if head[4:8] == b"ftyp":
        return (
            f"{path} has no index (it was cut short or never finished), so nothing of it can be "
            "decoded; get another copy of it"
        )
    return f"{path} is not a video that FFmpeg can read; convert it or name another file"


def _is_picture(stream: VideoStream) -> bool:
    """Whether a video stream is cover art or a thumbnail."""
    return bool(stream.disposition & (Disposition.attached_pic | Disposition.timed_thumbnails))


def _video_stream(path: Path, container: InputContainer) -> VideoStream:
    videos = [stream for stream in container.streams.video if not _is_picture(stream)]
    for stream in videos:
        if stream.codec_context is not None:
            return stream
    if videos:
        raise VideoError(f"{path} is coded in a way that FFmpeg cannot decode; convert it to H.264")
    if container.streams.audio:
        raise VideoError(f"{path} holds sound only, no video")
    raise VideoError(f"{path} is not a video: it holds no pictures")


def _promised_s(container: InputContainer, stream: VideoStream, origin_s: float) -> float | None:
    """How long the video is according to its header, in seconds from its first frame."""
    name = container.format.name
    if name in _RAW_FORMATS:
        return None
    if stream.duration is not None and stream.time_base is not None:
        return float(stream.duration * stream.time_base)
    # Matroska counts from the start of its clock, not from the first frame.
    before_s = origin_s if name.startswith("matroska") else 0.0
    for key, value in stream.metadata.items():
        if key.upper().split("-")[0] == "DURATION":
            hours, _, rest = value.partition(":")
            minutes, _, seconds = rest.partition(":")
            try:
                return int(hours) * 3600 + int(minutes) * 60 + float(seconds) - before_s
            except ValueError:
                break
    if container.duration is not None:
        return container.duration / av.time_base - before_s
    return None


def _recorded_at(container: InputContainer, stream: VideoStream) -> str | None:
    """When the video was recorded, ISO 8601 as it stands in the file; a zone is preferred."""
    for metadata, key in (
        (container.metadata, "com.apple.quicktime.creationdate"),
        (stream.metadata, "com.apple.quicktime.creationdate"),
        (container.metadata, "creation_time"),
        (stream.metadata, "creation_time"),
        (container.metadata, "DATE_RECORDED"),
    ):
        value = metadata.get(key)
        try:
            if value and datetime.fromisoformat(value):
                return value
        except ValueError:
            continue
    return None
