"""The frames of a film of the recurrence benchmark, drawn from its shots."""

from __future__ import annotations

import io
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path

import av
import numpy as np
from PIL import Image, ImageEnhance

from experiments.film_writer import write_film
from experiments.recurrence_schedule import FPS, Shot, Subject, View

WIDTH, HEIGHT = 640, 360
FADE_FRAMES = 12
"""Length of a transition: it covers the first half second of the shot that comes in."""


def render(shots: Sequence[Shot], path: Path) -> None:
    """Write the film: H.264, 640x360 at 24 frames per second, without sound."""
    frames = (
        av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
        for picture in frames_of(shots)
    )
    write_film(path, frames, FPS, (WIDTH, HEIGHT), {"preset": "superfast", "crf": "25"})


def frames_of(shots: Sequence[Shot]) -> Iterator[Image.Image]:
    """All frames of the film, transitions included."""
    previous: Shot | None = None
    black = Image.new("RGB", (WIDTH, HEIGHT))
    for shot in shots:
        for frame in range(shot.frames):
            picture = _frame(shot, frame)
            if previous is not None and frame < FADE_FRAMES and (shot.fade or shot.dip):
                outgoing = _frame(previous, previous.frames + frame) if shot.fade else black
                picture = Image.blend(outgoing, picture, (frame + 1) / (FADE_FRAMES + 1))
            yield picture
        previous = shot


def _frame(shot: Shot, frame: int) -> Image.Image:
    """Frame ``frame`` of a shot; the move goes on for as long as a fade needs it."""
    pictures, fps = pictures_of(shot.subject)
    # To and fro, so that a clip that is shorter than its shot never jumps.
    turn = max(2 * (len(pictures) - 1), 1)
    phase = int(frame * fps / FPS) % turn
    picture = pictures[min(phase, turn - phase) if len(pictures) > 1 else 0]
    share = min(frame / max(shot.frames - 1, 1), 1.0)
    x, y, size = (a + share * (b - a) for a, b in zip(shot.view_from, shot.view_to, strict=True))
    shown = seen(picture, (x, y, size))
    if shot.gain != 1.0:
        shown = ImageEnhance.Brightness(shown).enhance(shot.gain)
    if shot.quality is not None:
        packed = io.BytesIO()
        shown.save(packed, "JPEG", quality=shot.quality)
        shown = Image.open(packed).convert("RGB")
    return shown


def seen(picture: Image.Image, view: View) -> Image.Image:
    """What a view shows of a picture, in the size of the film."""
    x, y, size = view
    width = size * min(picture.width, picture.height * WIDTH / HEIGHT)
    height = width * HEIGHT / WIDTH
    left = min(max(x * picture.width - width / 2, 0.0), picture.width - width)
    top = min(max(y * picture.height - height / 2, 0.0), picture.height - height)
    return picture.resize(
        (WIDTH, HEIGHT), Image.Resampling.BILINEAR, box=(left, top, left + width, top + height)
    )


@cache
def pictures_of(subject: Subject) -> tuple[list[Image.Image], float]:
    """The pictures of a subject (one, or those of its stretch of a clip) and their rate per s.

    Raises ValueError where a clip has none.
    """
    if subject.clip_s is None:
        with Image.open(subject.path) as image:
            picture = image.convert("RGB")
        return [_shrink(picture)], 1.0
    first_s, last_s = subject.clip_s
    with av.open(str(subject.path)) as container:
        stream = next(iter(container.streams.video), None)
        if stream is None:
            raise ValueError(f"{subject.path}: there are no pictures in it")
        fps = float(stream.average_rate or FPS)
        pictures = [
            _shrink(Image.fromarray(frame.to_ndarray(format="rgb24")))
            for frame in container.decode(stream)
            if frame.time is not None and first_s <= frame.time + 1e-6 < last_s
        ]
    if not pictures:
        raise ValueError(f"{subject.path}: no picture from {first_s:g} to {last_s:g} s")
    return pictures, fps


def _shrink(picture: Image.Image) -> Image.Image:
    """Reduce what is larger than any view needs: it would cost time in every frame."""
    picture.thumbnail((3 * WIDTH // 2, 3 * WIDTH // 2), Image.Resampling.BILINEAR)
    return picture
