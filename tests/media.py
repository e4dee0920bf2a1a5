"""Small films for tests, rendered with PyAV, and ways to damage them.

A film is described by the pictures it shows: ``render([Shot(seed=1, seconds=2), ...])`` yields
uint8 [H, W, 3] pictures, ``write_video(path, pictures)`` encodes them. Everything is deterministic.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Literal

import av
import numpy as np
from numpy.typing import NDArray

Picture = NDArray[np.uint8]
TIME_BASE = Fraction(1, 12_000)  # of films with a variable rate
os.environ.setdefault("SVT_LOG", "1")  # the AV1 encoder greets on standard error


@dataclass(frozen=True)
class Shot:
    """What one shot shows and for how long; ``fade_s`` is a cross-fade from the shot before.

    ``seed`` names the picture: shots with the same seed show the same thing.
    """

    seed: int
    seconds: float
    motion: Literal["still", "pan", "zoom", "shake"] = "still"
    fade_s: float = 0.0


def picture(seed: int, width: int = 160, height: int = 96) -> Picture:
    """Blobs of a few colours over a gradient, as different from seed to seed as two photographs."""
    rng = np.random.default_rng(seed)
    y, x = np.mgrid[0:height, 0:width].astype(np.float32)
    x, y = x / width, y / height
    image = np.empty((height, width, 3), np.float32)
    image[:] = rng.uniform(20, 235, 3)
    image += (x * rng.uniform(-80, 80) + y * rng.uniform(-80, 80))[..., None]
    for _ in range(14):
        centre_x, centre_y = rng.uniform(0, 1, 2)
        radius_x, radius_y = rng.uniform(0.05, 0.3, 2)
        inside = ((x - centre_x) / radius_x) ** 2 + ((y - centre_y) / radius_y) ** 2 < 1
        image[inside] = rng.uniform(0, 255, 3)
    grain = rng.normal(0, 6, (height, width, 1))
    return np.asarray(np.clip(image + grain, 0, 255), np.uint8)


def render(
    shots: Sequence[Shot], width: int = 160, height: int = 96, fps: int = 24
) -> Iterator[Picture]:
    """The pictures of a film, shot after shot."""
    before: Picture | None = None
    for shot in shots:
        count = max(1, round(shot.seconds * fps))
        fading = round(shot.fade_s * fps) if before is not None else 0
        canvas = picture(shot.seed, width * 3 // 2, height * 3 // 2)
        rng = np.random.default_rng(shot.seed + 1_000_003)
        last = before
        for index in range(count):
            shown = _framed(canvas, shot.motion, index / count, width, height, rng)
            if index < fading and before is not None:
                share = (index + 1) / (fading + 1)
                shown = np.asarray(before * (1 - share) + shown * share, np.uint8)
            last = shown
            yield shown
        before = last


def _framed(
    canvas: Picture,
    motion: str,
    progress: float,
    width: int,
    height: int,
    rng: np.random.Generator,
) -> Picture:
    room_y, room_x = canvas.shape[0] - height, canvas.shape[1] - width
    if motion == "zoom":
        crop_h = round(height * (1.45 - 0.4 * progress))
        crop_w = round(width * (1.45 - 0.4 * progress))
        rows = np.linspace(0, crop_h - 1, height).round().astype(int)
        columns = np.linspace(0, crop_w - 1, width).round().astype(int)
        return canvas[np.ix_(rows, columns)]
    if motion == "pan":
        top, left = room_y // 2, round(room_x * progress)
    elif motion == "shake":
        top, left = (room_y // 2 + rng.integers(-3, 4), room_x // 2 + rng.integers(-3, 4))
    else:
        top, left = room_y // 2, room_x // 2
    return canvas[top : top + height, left : left + width]


def write_video(
    path: Path,
    pictures: Iterable[Picture],
    *,
    fps: int = 24,
    codec: str = "libx264",
    pix_fmt: str = "yuv420p",
    key_every: int = 12,
    options: Mapping[str, str] | None = None,
    times: Callable[[int], float] | None = None,
    start_s: float = 0.0,
    rotation: int = 0,
    sample_aspect: Fraction | None = None,
    metadata: Mapping[str, str] | None = None,
    audio_s: float = 0.0,
    second_stream: bool = False,
    format: str | None = None,
    container_options: Mapping[str, str] | None = None,
) -> Path:
    """Encode ``pictures`` to ``path`` and return it.

    Args:
        key_every: distance of key frames, in frames.
        times: presentation time of picture i in seconds (variable rate); default i / fps.
        start_s: added to every presentation time.
        rotation: degrees counterclockwise by which a player has to turn the picture.
        audio_s: length of a tone beside the pictures.
        second_stream: a second video stream with the first picture, all through.
    """
    with av.open(
        str(path), "w", format=format, container_options=dict(container_options or {})
    ) as output:
        output.metadata.update(metadata or {})
        all_pictures = iter(pictures)
        first = next(all_pictures)
        height, width = first.shape[:2]
        # Some codecs know only a few time bases, so only variable rates get the fine one.
        time_base = TIME_BASE if times else Fraction(1, fps)
        streams = []
        for _ in range(2 if second_stream else 1):
            stream = output.add_stream(codec, rate=fps)
            stream.width, stream.height, stream.pix_fmt = width, height, pix_fmt
            stream.codec_context.time_base = time_base
            stream.codec_context.gop_size = key_every
            if sample_aspect is not None:
                stream.codec_context.sample_aspect_ratio = sample_aspect
            stream.options = {"threads": "1", **_quick(codec, key_every), **(options or {})}
            if rotation:
                stream.set_display_rotation(rotation)
            streams.append(stream)
        tone = output.add_stream("aac", rate=44_100) if audio_s else None
        if tone is not None:
            _write_tone(output, tone, audio_s)
        for index, shown in enumerate([first, *all_pictures]):
            time_s = start_s + (times(index) if times else index / fps)
            for number, stream in enumerate(streams):
                content = np.ascontiguousarray(shown if number == 0 else first)
                frame = av.VideoFrame.from_ndarray(content)
                frame.pts, frame.time_base = round(time_s / time_base), time_base
                output.mux(stream.encode(frame))
        for stream in streams:
            output.mux(stream.encode(None))
    return path


def _quick(codec: str, key_every: int) -> dict[str, str]:
    if codec == "libx264":
        return {"preset": "veryfast", "crf": "20", "sc_threshold": "0"}
    if codec == "libx265":
        return {"preset": "ultrafast", "x265-params": f"log-level=none:pools=1:keyint={key_every}"}
    if codec == "libsvtav1":
        return {"preset": "12", "svtav1-params": f"keyint={key_every}:lp=1"}
    if codec.startswith("libvpx"):
        return {"deadline": "realtime", "cpu-used": "8", "b": "800k"}
    return {}


def _write_tone(
    output: av.container.OutputContainer, stream: av.audio.stream.AudioStream, seconds: float
) -> None:
    rate, chunk = 44_100, 1024
    for start in range(0, round(seconds * rate), chunk):
        wave = 0.2 * np.sin(2 * np.pi * 440 * (start + np.arange(chunk)) / rate)
        frame = av.AudioFrame.from_ndarray(
            np.asarray(wave[None], np.float32), format="fltp", layout="mono"
        )
        frame.sample_rate, frame.pts, frame.time_base = rate, start, Fraction(1, rate)
        output.mux(stream.encode(frame))
    output.mux(stream.encode(None))


def write_audio(path: Path, seconds: float = 1.0) -> Path:
    """A tone without pictures."""
    with av.open(str(path), "w") as output:
        _write_tone(output, output.add_stream("aac", rate=44_100), seconds)
    return path


def write_song_with_cover(path: Path, seconds: float = 1.0) -> Path:
    """An MP3 with a cover picture in its ID3 tag: containers show it as a video stream."""
    with av.open(str(path), "w", format="mp3") as output:
        stream = output.add_stream("libmp3lame", rate=44_100)
        for start in range(0, round(seconds * 44_100), 1152):
            frame = av.AudioFrame.from_ndarray(
                np.zeros((1, 1152), np.float32), format="fltp", layout="mono"
            )
            frame.sample_rate, frame.pts = 44_100, start
            output.mux(stream.encode(frame))
        output.mux(stream.encode(None))
    body = b"\0image/jpeg\0\x03\0" + jpeg_bytes(picture(5))
    tag_frame = b"APIC" + len(body).to_bytes(4, "big") + b"\0\0" + body
    size = len(tag_frame)
    sync_safe = bytes(size >> shift & 0x7F for shift in (21, 14, 7, 0))
    path.write_bytes(b"ID3\x03\0\0" + sync_safe + tag_frame + path.read_bytes())
    return path


def jpeg_bytes(shown: Picture) -> bytes:
    """A picture file."""
    encoder = av.CodecContext.create("mjpeg", "w")
    encoder.width, encoder.height, encoder.pix_fmt = shown.shape[1], shown.shape[0], "yuvj420p"
    encoder.time_base = Fraction(1, 25)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(shown)).reformat(format="yuvj420p")
    return b"".join(bytes(packet) for packet in [*encoder.encode(frame), *encoder.encode(None)])


def remux(
    source: Path,
    target: Path,
    change: Callable[[int, av.Packet], av.Packet | None],
    format: str | None = None,
) -> Path:
    """Copy the video stream packet by packet; ``change`` edits packet i or drops it (None)."""
    with (
        av.open(str(source)) as input_,
        av.open(str(target), "w", format=format) as output,
    ):
        stream = output.add_stream_from_template(input_.streams.video[0])
        index = 0
        for packet in input_.demux(input_.streams.video[0]):
            if packet.dts is None:
                continue
            kept = change(index, packet)
            index += 1
            if kept is not None:
                kept.stream = stream
                output.mux(kept)
    return target


def damaged(packet: av.Packet) -> av.Packet:
    """The packet with every byte zeroed: no decoder makes a frame of it."""
    broken = av.Packet(bytes(packet.size))
    broken.pts, broken.dts, broken.duration = packet.pts, packet.dts, packet.duration
    broken.time_base = packet.time_base
    broken.is_keyframe = packet.is_keyframe
    return broken


def damage_packets(source: Path, target: Path, which: Callable[[int], bool]) -> Path:
    """Copy the film with the packets ``which(i)`` (in file order) made undecodable."""
    return remux(source, target, lambda i, packet: damaged(packet) if which(i) else packet)


def zero_bytes(path: Path, first_share: float, last_share: float) -> Path:
    """Overwrite the stretch between two shares (0 to 1) of the file with zeros."""
    content = bytearray(path.read_bytes())
    first, last = round(first_share * len(content)), round(last_share * len(content))
    content[first:last] = bytes(last - first)
    path.write_bytes(content)
    return path


def truncate(path: Path, share: float) -> Path:
    """Keep the first ``share`` (0 to 1) of the file."""
    content = path.read_bytes()
    path.write_bytes(content[: round(share * len(content))])
    return path
