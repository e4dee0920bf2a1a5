"""Frames of a video that need not end: a pipe, a camera, a stream, a file that grows."""

from __future__ import annotations

import io
import math
import os
import stat
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import Any, BinaryIO
from urllib.parse import urlsplit, urlunsplit

import av
from av.container import InputContainer
from av.error import ExitError, FFmpegError
from av.video.stream import VideoStream

from semantic_video.errors import VideoError
from semantic_video.records import Span
from semantic_video.utils.video_utils.opening import open_film, refuse_text
from semantic_video.utils.video_utils.pictures import Frame, Orientation, Scalers

_SCHEMES = {"http", "https", "rtsp", "rtsps", "rtmp", "rtmps", "udp", "tcp", "srt", "rtp"}
# What a stream on the network may refer to: never a file of this machine.
_PROTOCOLS = "http,https,httpproxy,tcp,tls,udp,rtp,rtsp,rtsps,rtmp,rtmps,srt,crypto"
_JUMP_S = 10.0  # a longer step of the timestamps, or one back, is not time that passed
_PLAYLISTS = frozenset({"hls", "dash"})
_POLL_S = 0.2
_OPEN_S, _READ_S = 10.0, 15.0  # after which an address that says nothing is lost


@dataclass(frozen=True, slots=True)
class Retry:
    """How a lost stream is sought again: after ``first_s`` seconds, then twice as long each time.

    Waits are at most ``most_s``, and given up after ``attempts`` (None: never), which count anew
    once a stream has run for ``steady_s`` seconds.
    """

    first_s: float = 1.0
    most_s: float = 30.0
    attempts: int | None = None
    steady_s: float = 60.0


class LiveSource:
    """Serves the frames of ``source`` in order of time, with the gaps of a stream that was lost.

    Args:
        source: a file, a named pipe, ``-`` for standard input, a device such as ``/dev/video0``, or
            an address (RTSP, HTTP, UDP ...). An address is opened as it is; nothing else is.
        cover: (height, width) that ``Frame.rgb`` covers, as displayed.
        retry: how a lost stream is sought again.
        follow_s: a file that grows is read on until nothing was added for so long; 0: to its end.
        every_frame: decode also what no other frame refers to.
        note: called with a line for the user.
    """

    def __init__(
        self,
        source: str,
        cover: tuple[int, int],
        retry: Retry | None = None,
        follow_s: float = 0.0,
        every_frame: bool = False,
        note: Callable[[str], None] = lambda line: None,
    ) -> None:
        self.source = source
        self.is_address = urlsplit(source).scheme.lower() in _SCHEMES and "://" in source
        self.width = self.height = 0
        self.codec = ""
        self._cover, self._follow_s, self._note = cover, follow_s, note
        self._every_frame = every_frame
        self._finite = True
        self._connected: Iterator[Frame | Span] | None = None
        self._reading: _ReadOnly | None = None
        self._retry = retry or Retry()
        self._waiting = time.sleep

    @property
    def name(self) -> str:
        """What the source is called, without names and passwords in an address."""
        if not self.is_address:
            return "standard input" if self.source == "-" else self.source
        parts = urlsplit(self.source)
        host = parts.netloc.rpartition("@")[2]
        return urlunsplit((parts.scheme, host, parts.path, parts.query, ""))

    def connect(self) -> None:
        """Wait for the first picture, which `frames` then begins with.

        Raises:
            VideoError: the source cannot be opened, or shows nothing.
        """
        frames = self._frames()
        first = next(frames, None)
        if first is None:
            raise VideoError(f"nothing of {self.name} was seen; is it a video?")
        self._connected = chain([first], frames)

    def frames(self) -> Iterator[Frame | Span]:
        """Frames with times from 0 on; a `Span` where the stream was lost, before it goes on.

        Raises:
            VideoError: the source cannot be opened, or was lost and not found again.
        """
        connected, self._connected = self._connected, None
        return connected or self._frames()

    def _frames(self) -> Iterator[Frame | Span]:
        offset_s, last_s, failures, lost = 0.0, -1.0, 0, False
        seen_at = time.monotonic()
        while True:
            found_at: float | None = None
            try:
                for frame in self._connection():
                    if found_at is None:
                        found_at = time.monotonic()
                    if lost:
                        lost = False
                        if last_s >= 0:
                            gap_s = time.monotonic() - seen_at
                            yield Span(last_s, last_s + gap_s)
                            offset_s = last_s + gap_s
                    time_s = offset_s + frame.time_s
                    if time_s <= last_s:
                        continue
                    frame.time_s = last_s = time_s
                    seen_at = time.monotonic()
                    yield frame
                if not self.is_address:
                    return
                if self._finite:
                    self._note(f"{self.name}: it is at its end")
                    return
                reason = "it ended"
            except FFmpegError as error:
                if last_s < 0 and not failures:
                    raise VideoError(
                        f"cannot open {self.name} ({_why(error)}); is it there, and is it a video?"
                    ) from error
                if not self.is_address:
                    self._note(f"{self.name}: reading stopped ({_why(error)})")
                    return
                reason = _why(error)
            except VideoError as error:  # something else is there now, as while a camera restarts
                if last_s < 0 or not self.is_address:
                    raise
                reason = str(error)
            lost = True
            # What breaks off soon after it was found again is not yet well.
            if found_at is not None and time.monotonic() - found_at >= self._retry.steady_s:
                failures = 0
            failures += 1
            if self._retry.attempts is not None and failures > self._retry.attempts:
                self._note(f"{self.name}: lost ({reason}) and not found again")
                return
            wait_s = min(self._retry.most_s, self._retry.first_s * 2 ** (failures - 1))
            self._note(f"{self.name}: lost ({reason}); trying again in {wait_s:.0f} s")
            self._waiting(wait_s)

    def _connection(self) -> Iterator[Frame]:
        """The frames of one connection; times from 0 on, whatever its clock says."""
        container = self._open()
        refuse_text(self.name, container)
        try:
            stream = _video_stream(container, self.name)
            stream.thread_type = "AUTO"
            if not self._every_frame:
                stream.codec_context.skip_frame = "NONREF"
            self._finite = _has_an_end(container, stream)
            step_s = float(1 / (stream.average_rate or stream.guessed_rate or 25))
            scalers: Scalers | None = None
            size = (0, 0)
            clock: float | None = None
            now_s = -step_s
            for picture in container.decode(stream):
                if scalers is None or size != (picture.width, picture.height):
                    scalers = Scalers(
                        Orientation.of(picture), stream.sample_aspect_ratio, self._cover
                    )
                    size = (picture.width, picture.height)
                    self.height, self.width = scalers.displayed_size(picture)
                    self.codec = stream.codec_context.codec.canonical_name
                stamp_s = None if picture.time is None else float(picture.time)
                passed = step_s if stamp_s is None or clock is None else stamp_s - clock
                if not 0 < passed <= _JUMP_S:
                    if passed <= 0 and passed > -_JUMP_S:
                        continue
                    passed = step_s
                now_s += passed
                clock = stamp_s
                yield Frame(now_s, picture, scalers)
            if self._reading is not None and self._reading.interrupted:
                raise KeyboardInterrupt
        finally:
            container.close()

    def _open(self) -> InputContainer:
        if self.is_address:
            options = {"protocol_whitelist": _PROTOCOLS}
            if self.source.lower().startswith("rtsp"):
                options["rtsp_transport"] = "tcp"
            return av.open(self.source, options=options, timeout=(_OPEN_S, _READ_S))
        if self.source == "-":
            if sys.stdin is None:  # closed by the caller
                raise VideoError("standard input is closed; pipe a video into it")
            return self._from_stream(sys.stdin.buffer)
        path = Path(self.source)
        try:
            mode = path.stat().st_mode
        except OSError as error:
            raise VideoError(f"cannot read {path} ({error.strerror}); name another file") from error
        if stat.S_ISCHR(mode):
            return av.open(str(path), format="v4l2" if sys.platform == "linux" else None)
        if stat.S_ISFIFO(mode):
            return self._from_stream(path.open("rb", buffering=0))
        if stat.S_ISREG(mode) and self._follow_s:
            return self._from_stream(_Growing(path, self._follow_s))
        return open_film(path)

    def _from_stream(self, stream: BinaryIO | io.RawIOBase) -> InputContainer:
        # Without seek: a pipe has none, and a growing file has no end to seek from.
        self._reading = _ReadOnly(stream)
        return av.open(self._reading, mode="r")


class _Growing(io.RawIOBase):
    """A file that another program writes: read on until nothing was added for a while."""

    def __init__(self, path: Path, patience_s: float) -> None:
        self._file = path.open("rb", buffering=0)
        self._patience_s = patience_s

    def read(self, size: int = -1) -> bytes:
        until = time.monotonic() + self._patience_s
        while True:
            content = self._file.read(size)
            if content or time.monotonic() >= until:
                return content or b""
            time.sleep(_POLL_S)

    def readable(self) -> bool:
        return True

    def close(self) -> None:
        self._file.close()
        super().close()


class _ReadOnly:
    """Only ``read`` of a stream, so that FFmpeg does not try to seek."""

    def __init__(self, stream: Any) -> None:
        self._stream = stream
        self.interrupted = False

    def read(self, size: int) -> bytes:
        if self.interrupted:  # FFmpeg asks again after an end, and would wait for more
            return b""
        try:
            content: bytes = self._stream.read(size)
        except KeyboardInterrupt:  # FFmpeg, which calls this, would swallow it
            self.interrupted = True
            return b""
        return content


def _why(error: FFmpegError) -> str:
    """What went wrong, in words; FFmpeg calls a time-out an exit."""
    return "nothing came" if isinstance(error, ExitError) else str(error.strerror or error)


def _has_an_end(container: InputContainer, stream: VideoStream) -> bool:
    """Whether what comes over the network says how long it is, in seconds or in bytes.

    It is over there; others that end are lost. FFmpeg fails where it breaks off before its size.
    """
    # The size of a playlist is not that of what it lists.
    sized = container.size > 0 and container.format.name not in _PLAYLISTS
    return sized or bool(container.duration or stream.duration)


def _video_stream(container: InputContainer, name: str) -> VideoStream:
    videos = [one for one in container.streams.video if one.codec_context is not None]
    if not videos:
        raise VideoError(f"{name} holds no pictures that can be decoded")
    return videos[0]


def is_device(source: str) -> bool:
    """Whether ``source`` is a camera or another device."""
    try:
        return stat.S_ISCHR(os.stat(source).st_mode)
    except OSError:
        return False


def frame_of_picture(time_s: float, rgb: Any, cover: tuple[int, int]) -> Frame:
    """A frame of a picture in memory, RGB uint8 [H, W, 3]; `VideoError` where it is none."""
    shape: tuple[int, ...] = getattr(rgb, "shape", ())
    kind = getattr(rgb, "dtype", type(rgb).__name__)
    if len(shape) != 3 or shape[2] != 3 or 0 in shape or kind != "uint8":
        raise VideoError(
            f"a frame has to be an RGB picture, uint8 [height, width, 3], not {kind} {list(shape)}"
        )
    if not math.isfinite(time_s):
        raise VideoError(f"a frame needs a time in seconds, not {time_s}")
    picture = av.VideoFrame.from_ndarray(rgb, "rgb24")
    return Frame(time_s, picture, Scalers(Orientation(False, False, False), None, cover))
