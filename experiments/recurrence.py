"""The recurrence benchmark: long films in which subjects return, with exact truth.

    python -m experiments.recurrence FOLDER --out FILM.mp4 [--count 3 4] [--gap 9] [--seed 0] ...

From subjects (a folder of captioned pictures or clips) to a schedule with chosen recurrence
statistics, from the schedule to a film, and from the schedule to its truth:

    subjects ─ schedule() ─► shots ─┬─ render() ─► film.mp4
                                    ├─ truth()  ─► film.json
                                    └─ held_out_views() ─► film.queries/*.jpg

All chance lies in ``schedule``; the same seed gives the same shots. docs/recurrence-benchmark.md
has the specification.
"""

from __future__ import annotations

import argparse
import csv
import io
import json
import random
import sys
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import cache
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import av
import numpy as np
from PIL import Image, ImageEnhance

from experiments.film_writer import write_film

WIDTH, HEIGHT, FPS = 640, 360, 24
FADE_FRAMES = 12
"""Length of a transition: it covers the first half second of the shot that comes in."""
CAPTIONS = "captions.csv"
_CLIP_SUFFIXES = frozenset({".avi", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".webm"})
_LONGEST_CLIP_S = 10.0


@dataclass(frozen=True, slots=True)
class Subject(ABC):
    """Something recognisable that the film can show: a picture, or a stretch of a clip.

    ``captions`` say what is seen in different words. ``themes`` name the broader things it is one
    of. ``focus`` is the point (x, y, as shares of width and height) that every view keeps near its
    middle. ``clip_s`` is the stretch of a clip; None for a picture.
    """

    name: str
    file: str
    captions: tuple[str, ...]
    themes: tuple[str, ...] = ()
    focus: tuple[float, float] = (0.5, 0.5)
    clip_s: tuple[float, float] | None = None

    @property
    @abstractmethod
    def path(self) -> Path:
        """Where the file lies."""

    @property
    @abstractmethod
    def source(self) -> str:
        """What the truth calls the file."""


@dataclass(frozen=True, slots=True)
class FolderSubject(Subject):
    """A picture or clip in a folder of one's own."""

    folder: Path = Path()

    @property
    def path(self) -> Path:
        return self.folder / self.file

    @property
    def source(self) -> str:
        return self.file


@dataclass(frozen=True, slots=True)
class Recurrence:
    """The statistics of a schedule.

    Every subject is shown between ``appearances[0]`` and ``appearances[1]`` times, except
    ``distractors`` of them, which are shown once. Between two showings of a subject lie at least
    ``min_gap`` other shots. A shot lasts between ``shot_s[0]`` and ``shot_s[1]`` seconds.
    ``fade_share`` of the shots fade in over the one before and ``dip_share`` come out of black, the
    others are cut. What comes back has been encoded again: every showing has a brightness drawn
    from ``gain`` and is compressed as JPEG at a quality drawn from ``quality`` before the film is
    (None: not at all).
    """

    appearances: tuple[int, int] = (3, 4)
    distractors: int = 3
    min_gap: int = 9
    shot_s: tuple[float, float] = (3.0, 7.0)
    fade_share: float = 0.25
    dip_share: float = 0.0
    gain: tuple[float, float] = (1.0, 1.0)
    quality: tuple[int, int] | None = None


View: TypeAlias = tuple[float, float, float]
"""What the camera sees: the middle (x, y) as shares of the picture, and the size of the view, where
1 is the largest box of the film's shape."""


@dataclass(frozen=True, slots=True)
class Shot:
    """One showing of a subject, ``start`` and ``frames`` in frames of the film.

    The camera moves evenly from ``view_from`` to ``view_to``. ``fade`` says that the shot before
    goes on into this one and is faded over, ``dip`` that this one comes out of black.
    """

    subject: Subject
    start: int
    frames: int
    fade: bool
    view_from: View
    view_to: View
    dip: bool = False
    gain: float = 1.0
    quality: int | None = None

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
    again = random.Random(f"encoded again {seed}")  # of its own, so that shots stay where they are
    once = set(chance.sample(range(len(subjects)), min(recurrence.distractors, len(subjects))))
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
        dip = bool(shots) and not fade and again.random() < recurrence.dip_share
        gain = again.uniform(*recurrence.gain)
        quality = again.randint(*recurrence.quality) if recurrence.quality else None
        shots.append(
            Shot(subjects[index], start, frames, fade, view_from, view_to, dip, gain, quality)
        )
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
    """Write the film: H.264, 640x360 at 24 frames per second, without sound."""
    frames = (
        av.VideoFrame.from_ndarray(np.asarray(picture), format="rgb24")
        for picture in _pictures(shots)
    )
    write_film(path, frames, FPS, (WIDTH, HEIGHT), {"preset": "superfast", "crf": "25"})


def _pictures(shots: Sequence[Shot]) -> Iterator[Image.Image]:
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
    pictures, fps = _load(shot.subject)
    # To and fro, so that a clip that is shorter than its shot never jumps.
    turn = max(2 * (len(pictures) - 1), 1)
    phase = int(frame * fps / FPS) % turn
    picture = pictures[min(phase, turn - phase) if len(pictures) > 1 else 0]
    share = min(frame / max(shot.frames - 1, 1), 1.0)
    x, y, size = (a + share * (b - a) for a, b in zip(shot.view_from, shot.view_to, strict=True))
    shown = _seen(picture, (x, y, size))
    if shot.gain != 1.0:
        shown = ImageEnhance.Brightness(shown).enhance(shot.gain)
    if shot.quality is not None:
        packed = io.BytesIO()
        shown.save(packed, "JPEG", quality=shot.quality)
        shown = Image.open(packed).convert("RGB")
    return shown


def _seen(picture: Image.Image, view: View) -> Image.Image:
    x, y, size = view
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


def truth(
    shots: Sequence[Shot],
    video: str,
    themes: Mapping[str, str] | None = None,
    absent: Sequence[str] = (),
) -> dict[str, Any]:
    """Describe the film: what is shown when, and queries with the intervals that answer them.

    Times in seconds, rounded to the millisecond. A ``moment`` query is a caption of one subject, a
    ``concept`` query a theme that several subjects share (``themes``: its name and its query), an
    ``absent`` query is answered by nothing. A segment with ``fade`` begins where its transition
    begins.
    """
    shown = list(dict.fromkeys(shot.subject for shot in shots))
    segments = [
        {
            "start_s": _span(shot)[0],
            "end_s": _span(shot)[1],
            "kind": "photo" if shot.subject.clip_s is None else "clip",
            "category": shot.subject.name,
            "caption": shot.subject.captions[0],
            "source": shot.subject.source,
            "fade": shot.fade or shot.dip,
        }
        for shot in shots
    ]
    queries: list[dict[str, Any]] = []
    for subject in shown:
        spans = [_span(shot) for shot in shots if shot.subject == subject]
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
            "spans": [_span(shot) for shot in shots if theme in shot.subject.themes],
        }
        for number, (theme, text) in enumerate((themes or {}).items())
        if any(theme in subject.themes for subject in shown)
    ]
    queries += [
        {"id": f"b{number:03}", "type": "absent", "text": text, "spans": []}
        for number, text in enumerate(absent)
    ]
    return {
        "video": video,
        "duration_s": round(shots[-1].end / FPS, 3),
        "segments": segments,
        "queries": queries,
    }


def statistics(shots: Sequence[Shot]) -> dict[str, Any]:
    """What came of the recurrence that was asked for: counts, and the time between showings."""
    places: dict[str, list[int]] = {}
    for place, shot in enumerate(shots):
        places.setdefault(shot.subject.name, []).append(place)
    gaps = [b - a - 1 for own in places.values() for a, b in pairwise(own)]
    away = [
        (shots[b].start - shots[a].end) / FPS for own in places.values() for a, b in pairwise(own)
    ]
    counts = [len(own) for own in places.values()]
    return {
        "subjects": len(places),
        "shots": len(shots),
        "shown_once": counts.count(1),
        "showings": [min(counts), round(float(np.mean(counts)), 2), max(counts)],
        "gap_shots": [min(gaps), float(np.median(gaps)), max(gaps)] if gaps else None,
        "gap_s": [round(float(g), 1) for g in (min(away), np.median(away), max(away))]
        if away
        else None,
    }


def held_out_views(shots: Sequence[Shot], folder: Path, seed: int = 0) -> list[dict[str, Any]]:
    """A picture of each subject that returns, framed as no shot frames it, as ``image`` queries.

    They are written into ``folder``, whose name begins the paths in the queries.
    """
    chance = random.Random(f"held out {seed}")
    folder.mkdir(parents=True, exist_ok=True)
    queries: list[dict[str, Any]] = []
    for subject in dict.fromkeys(shot.subject for shot in shots):
        spans = [_span(shot) for shot in shots if shot.subject == subject]
        pictures, _ = _load(subject)
        x, y = subject.focus
        view = (x + chance.uniform(-0.15, 0.15), y + chance.uniform(-0.15, 0.15), 0.6)
        if len(spans) < 2:
            continue
        number = len(queries)
        path = folder / f"i{number:03}.jpg"
        _seen(chance.choice(pictures), view).save(path, quality=85)
        queries.append(
            {
                "id": path.stem,
                "type": "image",
                "image": f"{folder.name}/{path.name}",
                "text": "",
                "category": subject.name,
                "spans": spans,
            }
        )
    return queries


def _span(shot: Shot) -> list[float]:
    return [round(shot.start / FPS, 3), round(shot.end / FPS, 3)]


def make_film(
    path: Path,
    subjects: Sequence[Subject],
    recurrence: Recurrence = Recurrence(),
    seed: int = 0,
    themes: Mapping[str, str] | None = None,
    absent: Sequence[str] = (),
    pictures: bool = True,
) -> Path:
    """Render a film to ``path`` and its truth beside it, as JSON; return the latter.

    ``pictures`` says whether there are queries by picture.
    """
    shots = schedule(subjects, recurrence, seed)
    labels = truth(shots, path.name, themes, absent)
    path.parent.mkdir(parents=True, exist_ok=True)
    if pictures:
        labels["queries"] += held_out_views(shots, path.with_suffix(".queries"), seed)
    labels["recurrence"] = {"asked": asdict(recurrence), "seed": seed, "came": statistics(shots)}
    manifest = path.with_suffix(".json")
    manifest.write_text(json.dumps(labels, indent=1) + "\n", encoding="utf-8")
    render(shots, path)
    return manifest


def read_folder(folder: Path) -> tuple[list[Subject], dict[str, str]]:
    """The subjects in a folder, and its themes with a query each.

    ``captions.csv`` in it has the columns ``file``, ``caption`` and, if wanted, ``theme``; a file
    with several lines has several captions and themes. The name of a theme is its query.

    Raises:
        ValueError: the list is missing or at fault; one line says what.
    """
    table = folder / CAPTIONS
    try:
        with table.open(encoding="utf-8-sig", newline="") as lines:
            rows = list(csv.DictReader(lines))
    except OSError as error:
        raise ValueError(f"{table}: {error.strerror}; it lists file, caption and theme") from error
    captions: dict[str, dict[str, None]] = {}
    themes: dict[str, dict[str, None]] = {}
    for number, row in enumerate(rows, start=2):
        file, caption = row.get("file") or "", row.get("caption") or ""
        if not file or not caption.strip():
            raise ValueError(f"{table}: line {number}: file and caption are wanted")
        if not (folder / file).is_file():
            raise ValueError(f"{table}: line {number}: there is no {folder / file}")
        captions.setdefault(file, {})[caption.strip()] = None
        themes.setdefault(file, {})
        if (row.get("theme") or "").strip():
            themes[file][row["theme"].strip()] = None
    if not captions:
        raise ValueError(f"{table}: no file is listed; its columns are file, caption and theme")
    subjects: list[Subject] = [
        FolderSubject(
            Path(file).stem,
            file,
            tuple(captions[file]),
            tuple(themes[file]),
            clip_s=(0.0, _LONGEST_CLIP_S) if Path(file).suffix.lower() in _CLIP_SUFFIXES else None,
            folder=folder,
        )
        for file in captions
    ]
    if len({subject.name for subject in subjects}) < len(subjects):
        raise ValueError(f"{table}: two files differ in their endings only: rename one")
    every = dict.fromkeys(theme for own in themes.values() for theme in own)
    return subjects, {theme: theme for theme in every}


def recurrence_options(parser: argparse.ArgumentParser, default: Recurrence) -> None:
    """Options for every statistic of a schedule."""

    def pair(name: str, kind: type, given: Sequence[float] | None, text: str) -> None:
        metavar = ("LEAST", "MOST")
        parser.add_argument(name, type=kind, nargs=2, default=given, metavar=metavar, help=text)

    def one(name: str, kind: type, given: float, text: str) -> None:
        parser.add_argument(name, type=kind, default=given, help=f"{text} (default: %(default)s)")

    one("--seed", int, 0, "of the schedule")
    pair("--count", int, default.appearances, "showings of a subject (default: 3 4)")
    one("--distractors", int, default.distractors, "subjects shown once")
    one("--gap", int, default.min_gap, "least other shots between two showings")
    pair("--shot-s", float, default.shot_s, "seconds of a shot (default: 3 7)")
    one("--fades", float, default.fade_share, "share of shots that fade in")
    one("--dips", float, default.dip_share, "share of shots that come out of black")
    pair("--gain", float, default.gain, "brightness of a showing (default: 1 1)")
    pair("--quality", int, default.quality, "JPEG quality of a showing (default: not compressed)")


def recurrence_of(arguments: argparse.Namespace) -> Recurrence:
    """The statistics that the options ask for."""
    return Recurrence(
        tuple(arguments.count),
        arguments.distractors,
        arguments.gap,
        tuple(arguments.shot_s),
        arguments.fades,
        arguments.dips,
        tuple(arguments.gain),
        tuple(arguments.quality) if arguments.quality else None,
    )


def _lines(path: Path) -> list[str]:
    return [line for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]


def main() -> int:
    """Compose a film from a folder."""
    parser = argparse.ArgumentParser(description="Compose a film in which subjects return.")
    parser.add_argument("folder", type=Path, help="pictures or clips, and captions.csv")
    parser.add_argument("--out", type=Path, required=True, help="the film to write, an .mp4")
    parser.add_argument(
        "--absent", type=Path, help="a text file: a caption of nothing in it a line"
    )
    recurrence_options(parser, Recurrence())
    arguments = parser.parse_args()
    try:
        subjects, themes = read_folder(arguments.folder)
        absent = (
            arguments.absent.read_text(encoding="utf-8").splitlines() if arguments.absent else []
        )
        manifest = make_film(
            arguments.out, subjects, recurrence_of(arguments), arguments.seed, themes, absent
        )
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    print(f"{arguments.out} and its truth {manifest}")
    return 0


if __name__ == "__main__":
    sys.exit(main())
