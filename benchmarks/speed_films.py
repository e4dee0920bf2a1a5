"""The films that indexing speed is measured on, made of films given on the command line.

    python -m benchmarks.speed_films --out FOLDER FILM [FILM ...]

Writes what is not there yet: the first minutes of the films, joined and brought to 1080p at 30
frames a second in H.264, once with a key frame every two seconds and once with the distances that
x264 chooses; each of both repeated to two hours (packets are copied, so nothing is lost); the first
film's first seconds in HEVC and AV1; and five minutes of a view in which hardly anything
happens, as a surveillance camera sees it. `parts.json` beside them says what was joined.
``--cut`` adds short cuts of the given films and of the joined ones, from their middle on.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from pathlib import Path
from typing import cast

import av
import numpy as np
from av.video.frame import PictureType
from av.video.reformatter import Interpolation
from av.video.stream import VideoStream

WIDTH, HEIGHT, FPS = 1920, 1080, 30
EACH_S = 100.0
LONG_S = 7200.0
PARTS = "parts.json"
SHORT_S = 20.0
STATIC_S = 300.0

# Quick to encode, so that the films can be made on two cores within the hour, and as dear to decode
# as others: with B-frames, arithmetic coding, deblocking and key frames at cuts.
_X264 = {
    "preset": "ultrafast",
    "crf": "23",
    "bf": "2",
    "coder": "1",
    "sc_threshold": "40",
    "x264-params": "no-deblock=0",
}
_CODECS: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "joined-2s": ("libx264", _X264 | {"g": str(2 * FPS), "keyint_min": "60", "sc_threshold": "0"}),
    "joined-default": ("libx264", _X264),
    "short-hevc": ("libx265", {"preset": "ultrafast", "x265-params": "log-level=error"}),
    "short-av1": ("libsvtav1", {"preset": "11", "crf": "38"}),
    "static": ("libx264", _X264),
}
_JOINED = ("joined-2s", "joined-default")
NAMES = (*_CODECS, "long-2s", "long-default")


def main() -> None:
    """Make the films and print where they are."""
    parser = argparse.ArgumentParser(description="Make the films that speed is measured on.")
    parser.add_argument("films", type=Path, nargs="+")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument(
        "--each-s",
        type=float,
        nargs="+",
        default=[EACH_S],
        help=f"at most so many seconds of each film; the last number counts for all after it "
        f"(default: {EACH_S:g})",
    )
    parser.add_argument("--only", nargs="+", help="names of the films to make")
    parser.add_argument("--cut", type=float, nargs="+", default=[], help="seconds of the cuts")
    arguments = parser.parse_args()
    made = make_films(arguments.films, arguments.out, arguments.only, arguments.each_s)
    whole = [*arguments.films, *(path for name, path in made.items() if name in _JOINED)]
    for film, length_s in itertools.product(whole, arguments.cut):
        cut = _cut(film, arguments.out, length_s)
        made[cut.stem] = cut
    print(json.dumps({name: str(path) for name, path in made.items()}, indent=2))


def make_films(
    films: Sequence[Path],
    out: Path,
    only: Sequence[str] | None = None,
    each_s: Sequence[float] = (EACH_S,),
) -> dict[str, Path]:
    """Make those films that are not in ``out`` yet; name -> path of all that are wanted."""
    out.mkdir(parents=True, exist_ok=True)
    os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder greets on standard error
    made = {name: out / f"{name}.mp4" for name in only or NAMES}
    missing = {name: path for name, path in made.items() if not path.exists()}
    if missing.keys() & {*_JOINED, "long-2s", "long-default"}:
        joined = {name: out / f"{name}.mp4" for name in _JOINED}
        wanted = {name: path for name, path in joined.items() if not path.exists()}
        limits_s = [each_s[min(place, len(each_s) - 1)] for place in range(len(films))]
        parts = list(zip(films, limits_s, strict=True))
        if wanted:
            _encode(_pictures(parts), wanted)
            told = [{"film": film.name, "at_most_s": limit_s} for film, limit_s in parts]
            (out / PARTS).write_text(json.dumps(told, indent=2) + "\n", encoding="utf-8")
        for name in missing:
            if name.startswith("long-"):
                _copy(joined[name.replace("long", "joined")], missing[name], LONG_S)
    for name, path in missing.items():
        if name.startswith("short-"):
            _encode(_pictures([(films[0], SHORT_S)]), {name: path})
        elif name == "static":
            _encode(_still_view(), {name: path}, size=(1280, 720))
    return made


def _pictures(parts: Sequence[tuple[Path, float]]) -> Iterator[av.VideoFrame]:
    """So many seconds of each film, one after the other at the common rate."""
    shown = 0
    start_s = 0.0
    for film, limit_s in parts:
        last: av.VideoFrame | None = None
        end_s = start_s
        with av.open(str(film)) as container:
            stream = container.streams.video[0]
            stream.thread_type = "AUTO"
            assert stream.average_rate is not None
            for frame in container.decode(stream):
                assert frame.time is not None
                if frame.time >= limit_s:
                    break
                while last is not None and shown / FPS < start_s + frame.time:
                    yield last
                    shown += 1
                last = frame
                end_s = start_s + frame.time + float(1 / stream.average_rate)
        while last is not None and shown / FPS < end_s:
            yield last
            shown += 1
        start_s = end_s


def _still_view() -> Iterator[av.VideoFrame]:
    """A noisy, unmoving view past which a block of one colour walks for 5 s."""
    rng = np.random.default_rng(0)
    view = np.kron(rng.integers(40, 200, (9, 16, 3)), np.ones((80, 80, 1))).astype(np.int16)
    noisy = [(view + rng.normal(0, 2, view.shape)).clip(0, 255).astype(np.uint8) for _ in range(8)]
    for index in range(int(STATIC_S * FPS)):
        picture, second = noisy[index % len(noisy)], index / FPS
        if 60 <= second < 65:
            left = int((second - 60) / 5 * 1000)
            picture = picture.copy()
            picture[300:600, left : left + 120] = (40, 60, 200)
        yield av.VideoFrame.from_ndarray(picture, format="rgb24")


def _encode(
    pictures: Iterator[av.VideoFrame],
    outputs: Mapping[str, Path],
    size: tuple[int, int] = (WIDTH, HEIGHT),
) -> None:
    """Encode the same pictures once for each of ``outputs``, as its name says."""
    partial = {name: path.with_suffix(".partial") for name, path in outputs.items()}
    with contextlib.ExitStack() as stack:
        streams = []
        for name, path in partial.items():
            codec, options = _CODECS[name]
            output = stack.enter_context(av.open(str(path), "w", format="mp4"))
            stream = cast(VideoStream, output.add_stream(codec, rate=FPS))
            stream.width, stream.height = size
            stream.pix_fmt = "yuv420p"
            stream.codec_context.time_base = Fraction(1, FPS)
            stream.options = dict(options)
            streams.append((output, stream))
        scaled: av.VideoFrame | None = None
        last: av.VideoFrame | None = None
        for index, picture in enumerate(pictures if streams else ()):
            if scaled is None or picture is not last:
                scaled = picture.reformat(*size, "yuv420p", interpolation=Interpolation.BILINEAR)
                scaled.pict_type = PictureType.NONE  # the encoder chooses
                last = picture
            scaled.pts, scaled.time_base = index, Fraction(1, FPS)
            for output, stream in streams:
                output.mux(stream.encode(scaled))
        for output, stream in streams:
            output.mux(stream.encode(None))
    for name, path in partial.items():
        path.rename(outputs[name])


def _copy(source: Path, target: Path, length_s: float) -> None:
    """Copy the packets into an MP4, over and over until it is ``length_s`` long, at least once."""
    partial = target.with_suffix(".partial.mp4")
    with av.open(str(partial), "w", format="mp4") as output:
        stream: VideoStream | None = None
        offset, ended = 0, False
        while not ended:
            end, begin = 0, None
            with av.open(str(source)) as container:
                video = container.streams.video[0]
                assert video.time_base is not None
                if stream is None:
                    stream = output.add_stream_from_template(video)
                for packet in container.demux(video):
                    if packet.dts is None or packet.pts is None:
                        continue
                    begin = packet.pts if begin is None else begin
                    end = max(end, packet.pts + (packet.duration or 1))
                    packet.pts += offset - begin
                    packet.dts += offset - begin
                    packet.stream = stream
                    output.mux(packet)
                offset += end - (begin or 0)
                ended = offset * video.time_base >= length_s
    partial.rename(target)


def _cut(source: Path, folder: Path, length_s: float) -> Path:
    """Copy the packets of so many seconds, from the last key frame before the middle on."""
    target = folder / f"cut-{source.stem}-{length_s:g}.mp4"
    if target.exists():
        return target
    partial = target.with_suffix(".partial.mp4")
    with av.open(str(source)) as container, av.open(str(partial), "w", format="mp4") as output:
        video = container.streams.video[0]
        assert video.time_base is not None
        assert container.duration is not None
        container.seek(container.duration // 2)
        stream = output.add_stream_from_template(video)
        begin: int | None = None
        for packet in container.demux(video):
            if packet.dts is None or packet.pts is None:
                continue
            begin = packet.dts if begin is None else begin
            if (packet.dts - begin) * video.time_base >= length_s:
                break
            packet.pts -= begin
            packet.dts -= begin
            packet.stream = stream
            output.mux(packet)
    partial.rename(target)
    return target


if __name__ == "__main__":
    main()
