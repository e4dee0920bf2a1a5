"""Moments cut into files of their own.

By default packets are copied as they are: quick and without loss, but a copy can only begin at a
key frame, so it begins at the last one at or before the moment. With ``exact``, or where packets
cannot be copied into a file, pictures and sound are decoded and encoded again, and the clip begins
and ends at the frame.
"""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from semantic_video.errors import OutputError, VideoError
from semantic_video.records import Moment, Span

if TYPE_CHECKING:
    from av import AudioFrame, Packet
    from av.container import InputContainer, OutputContainer

_SUFFIXES = frozenset({".mp4", ".mkv", ".webm", ".mov", ".m4v"})
_OTHERWISE = ".mkv"  # holds almost any stream
_EDGE_S = 1e-4
_TICK = Fraction(1, 90_000)
_FULL_SIZE = (100_000, 100_000)


@dataclass(frozen=True, slots=True)
class Clip:
    """A file that was cut: where it begins and ends in the film, and whether it is a copy."""

    path: Path
    start_s: float
    end_s: float
    copied: bool


def cut_clip(moment: Moment, folder: Path, rank: int = 1, exact: bool = False) -> Clip:
    """Cut one moment into a new file in ``folder``; no file is ever overwritten.

    Raises:
        VideoError: the film is not there, or nothing of the moment can be read.
        OutputError: the file cannot be written.
    """
    from av.error import FFmpegError

    from semantic_video.utils.video_utils.files import check_path

    film = Path(moment.video)
    check_path(film)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if not exact:
            suffix = film.suffix.lower() if film.suffix.lower() in _SUFFIXES else _OTHERWISE
            path = _free_name(folder, film, moment, rank, suffix)
            with contextlib.suppress(FFmpegError, ValueError, _NothingReadError):
                return _whole(path, lambda target: _copy(film, moment, target))
        path = _free_name(folder, film, moment, rank, ".mp4")
        return _whole(path, lambda target: _encode(film, moment, target))
    except _NothingReadError as error:
        raise VideoError(f"{film}: nothing of {moment.start_s:.1f} s could be read") from error
    except (FileExistsError, NotADirectoryError) as error:
        raise OutputError(
            f"cannot cut clips into {folder}: that is a file, or in one; name a folder"
        ) from error
    except (OSError, FFmpegError) as error:
        reason = getattr(error, "strerror", None) or str(error)
        raise OutputError(f"cannot cut {film.name} into {folder}: {reason}") from error


class _NothingReadError(Exception):
    """There is no packet or frame in the span."""


def _whole(path: Path, write: Any) -> Clip:
    """Write to a name beside it first, so that a clip is whole or absent."""
    partial = path.with_name(f".{path.stem}.partial{path.suffix}")
    try:
        start_s, end_s, copied = write(partial)
        os.replace(partial, path)
    finally:
        partial.unlink(missing_ok=True)
    return Clip(path, start_s, end_s, copied)


def _free_name(folder: Path, film: Path, moment: Moment, rank: int, suffix: str) -> Path:
    whole = int(moment.start_s)
    stamp = f"{whole // 3600}h{whole // 60 % 60:02}m{whole % 60:02}s"
    stem = f"{rank:03}-{film.stem}-{stamp}"
    path, number = folder / f"{stem}{suffix}", 1
    while path.exists():
        number += 1
        path = folder / f"{stem}-{number}{suffix}"
    return path


def _copy(film: Path, moment: Moment, target: Path) -> tuple[float, float, bool]:
    """Copy the packets from the last key frame at or before the moment to its end."""
    with _opened(film) as (source, origin_s):
        video = source.streams.video[0]
        streams = [video, *source.streams.audio[:1]]
        start, end = (Fraction(t + origin_s - _EDGE_S) for t in (moment.start_s, moment.end_s))
        start += 2 * Fraction(_EDGE_S)  # a key frame right there counts
        _seek(source, moment.start_s + origin_s)
        first: Fraction | None = None
        last = Fraction(0)
        kept: list[tuple[Fraction, Fraction, Packet[Any]]] = []
        over: set[int] = set()
        for packet in source.demux(streams):
            if packet.dts is None:
                continue
            if len(over) == len(streams):
                break
            tick = Fraction(packet.time_base)
            decoded = packet.dts * tick
            shown = decoded if packet.pts is None else packet.pts * tick
            if packet.stream.index == video.index:
                if packet.is_keyframe and (first is None or shown <= start):
                    kept = [own for own in kept if own[1] >= shown and own[2].stream is not video]
                    first = shown
                if first is None or decoded >= end:
                    over |= {video.index} if first is not None else set()
                    continue
                if shown < end:
                    last = max(last, shown + (packet.duration or 0) * tick)
            elif shown >= end:
                over.add(packet.stream.index)
                continue
            kept.append((decoded, shown, packet))
        if first is None:
            raise _NothingReadError
        with _created(target) as sink:
            outputs = {own.index: sink.add_stream_from_template(own) for own in streams}
            for _, shown, packet in sorted(kept, key=lambda own: own[0]):
                if packet.stream.index != video.index and shown < first:
                    continue
                shift = round(first / Fraction(packet.time_base))
                packet.pts = None if packet.pts is None else packet.pts - shift
                packet.dts = None if packet.dts is None else packet.dts - shift
                packet.stream = outputs[packet.stream.index]
                sink.mux(packet)
        return float(first) - origin_s, float(last) - origin_s, True


def _encode(film: Path, moment: Moment, target: Path) -> tuple[float, float, bool]:
    """Decode the moment and encode it again, upright: H.264, and AAC where there is sound."""
    import av

    from semantic_video.utils.video_utils import Plan, VideoReader

    span = Span(max(0.0, moment.start_s - _EDGE_S), moment.end_s - _EDGE_S)
    with VideoReader(film, cover=_FULL_SIZE) as reader, _created(target) as sink:
        rate = Fraction(reader.info.expected_fps).limit_denominator(1001)
        pictures: Any = sink.add_stream("libx264", rate=rate)
        pictures.pix_fmt = "yuv420p"
        pictures.options = {"crf": "18", "preset": "fast"}
        pictures.codec_context.time_base = _TICK
        sound = _sound(film, span) if reader.info.audio_streams else []
        if sound:
            sounds: Any = sink.add_stream("aac", rate=sound[0].sample_rate)
        first = last = None
        for frame in reader.frames(Plan.all([span])):
            rgb = frame.rgb()
            if first is None:
                first = frame.time_s
                # 4:2:0 wants even sides.
                pictures.height, pictures.width = (side // 2 * 2 for side in rgb.shape[:2])
            picture = av.VideoFrame.from_ndarray(
                np.ascontiguousarray(rgb[: pictures.height, : pictures.width]), format="rgb24"
            )
            picture.pts, picture.time_base = round((frame.time_s - first) / _TICK), _TICK
            last = frame.time_s
            sink.mux(pictures.encode(picture))
        if first is None or last is None:
            raise _NothingReadError
        sink.mux(pictures.encode(None))
        samples = 0
        for heard in sound:
            heard.pts, heard.time_base = samples, Fraction(1, heard.sample_rate)
            samples += heard.samples
            sink.mux(sounds.encode(heard))
        if sound:
            sink.mux(sounds.encode(None))
        return first, last + float(1 / rate), False


def _sound(film: Path, span: Span) -> list[AudioFrame]:
    """What of the first sound track lies in a span, as stereo."""
    from av.audio.resampler import AudioResampler

    frames: list[AudioFrame] = []
    with _opened(film) as (source, origin_s):
        track = source.streams.audio[0]
        resampler = AudioResampler("fltp", "stereo", track.rate)
        _seek(source, span.start_s + origin_s)
        for frame in source.decode(track):
            time_s = None if frame.time is None else frame.time - origin_s
            if time_s is None or time_s < span.start_s:
                continue
            if time_s >= span.end_s:
                break
            frames += resampler.resample(frame)
    return frames


@contextlib.contextmanager
def _opened(film: Path) -> Iterator[tuple[InputContainer, float]]:
    """The film, and the time that its first picture has in its own clock."""
    from semantic_video.utils.video_utils import VideoReader
    from semantic_video.utils.video_utils.containers import open_local_file

    with VideoReader(film) as reader:
        origin_s = reader.info.start_time_s
    with open_local_file(film) as container:
        if not container.streams.video:
            raise VideoError(f"{film} holds no pictures")
        yield container, origin_s


@contextlib.contextmanager
def _created(target: Path) -> Iterator[OutputContainer]:
    import av

    with av.open(str(target), "w") as container:
        yield container


def _seek(source: InputContainer, time_s: float) -> None:
    source.seek(round(max(0.0, time_s) * 1_000_000), backward=True, any_frame=False)
