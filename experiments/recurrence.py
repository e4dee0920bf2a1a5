"""The recurrence benchmark: long films in which subjects return, with exact truth.

    python -m experiments.recurrence FOLDER --out FILM.mp4 [--count 3 4] [--gap 9] [--seed 0] ...

From subjects (a folder of captioned pictures or clips) to a schedule with chosen recurrence
statistics, from the schedule to a film, and from the schedule to its truth:

    subjects ─ schedule() ─► shots ─┬─ render() ─► film.mp4
                                    ├─ truth()  ─► film.json
                                    └─ held_out_views() ─► film.queries/*.jpg

``schedule`` is in recurrence_schedule.py, ``render`` in recurrence_pictures.py;
docs/recurrence-benchmark.md has the specification.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from experiments.recurrence_pictures import pictures_of, render, seen
from experiments.recurrence_schedule import (
    FPS,
    Recurrence,
    Shot,
    Subject,
    schedule,
    statistics,
)

CAPTIONS = "captions.csv"
_CLIP_SUFFIXES = frozenset({".avi", ".gif", ".m4v", ".mkv", ".mov", ".mp4", ".webm"})
_LONGEST_CLIP_S = 10.0
_FILMS = (".mp4", ".mkv", ".mov")


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


def held_out_views(shots: Sequence[Shot], folder: Path, seed: int = 0) -> list[dict[str, Any]]:
    """A picture of each subject that returns, framed as no shot frames it, as ``image`` queries.

    They are written into ``folder``, whose name begins the paths in the queries.
    """
    chance = random.Random(f"held out {seed}")
    folder.mkdir(parents=True, exist_ok=True)
    queries: list[dict[str, Any]] = []
    for subject in dict.fromkeys(shot.subject for shot in shots):
        spans = [_span(shot) for shot in shots if shot.subject == subject]
        pictures, _ = pictures_of(subject)
        x, y = subject.focus
        view = (x + chance.uniform(-0.15, 0.15), y + chance.uniform(-0.15, 0.15), 0.6)
        if len(spans) < 2:
            continue
        number = len(queries)
        path = folder / f"i{number:03}.jpg"
        seen(chance.choice(pictures), view).save(path, quality=85)
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
    recurrence: Recurrence,
    seed: int = 0,
    themes: Mapping[str, str] | None = None,
    absent: Sequence[str] = (),
    pictures: bool = True,
) -> Path:
    """Render a film to ``path`` and its truth beside it, as JSON; return the latter.

    ``pictures`` says whether there are queries by picture. The truth appears when the film is
    complete.

    Raises ValueError where no such film can be.
    """
    if path.suffix not in _FILMS:
        raise ValueError(f"cannot write a film as {path.name!r}: end it in {', '.join(_FILMS)}")
    shots = schedule(subjects, recurrence, seed)
    labels = truth(shots, path.name, themes, absent)
    path.parent.mkdir(parents=True, exist_ok=True)
    render(shots, path)
    if pictures:
        labels["queries"] += held_out_views(shots, path.with_suffix(".queries"), seed)
    labels["recurrence"] = {"asked": asdict(recurrence), "seed": seed, "came": statistics(shots)}
    manifest = path.with_suffix(".json")
    manifest.write_text(json.dumps(labels, indent=1) + "\n", encoding="utf-8")
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
    one("--dips", float, default.dip_share, "share of the others that come out of black")
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
    """What a text file holds, a line each; empty ones do not count."""
    lines = path.read_text(encoding="utf-8").splitlines()
    return [line.strip() for line in lines if line.strip()]


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
        absent = _lines(arguments.absent) if arguments.absent else []
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
