"""Which subject a film of the recurrence benchmark shows when: the statistics, and all chance.

The same seed gives the same shots. Times are in frames of the film.
"""

from __future__ import annotations

import math
import random
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

FPS = 24


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
class Recurrence:
    """The statistics of a schedule.

    Every subject is shown between ``appearances[0]`` and ``appearances[1]`` times, except
    ``distractors`` of them, which are shown once. Between two showings of a subject lie at least
    ``min_gap`` other shots. A shot lasts between ``shot_s[0]`` and ``shot_s[1]`` seconds.
    ``fade_share`` of the shots fade in over the one before, ``dip_share`` of the others come out of
    black, the rest are cut. What comes back has been encoded again: every showing has a brightness
    drawn from ``gain`` and is compressed as JPEG at a quality drawn from ``quality`` before the
    film is (None: not at all).

    Raises ValueError for what no film can have; one line says what.
    """

    appearances: tuple[int, int] = (3, 4)
    distractors: int = 3
    min_gap: int = 9
    shot_s: tuple[float, float] = (3.0, 7.0)
    fade_share: float = 0.25
    dip_share: float = 0.0
    gain: tuple[float, float] = (1.0, 1.0)
    quality: tuple[int, int] | None = None

    def __post_init__(self) -> None:
        ranges: list[tuple[str, tuple[float, float], float, float]] = [
            ("showings of a subject", self.appearances, 1, math.inf),
            ("seconds of a shot", self.shot_s, 1 / FPS, math.inf),
            ("brightness", self.gain, 0, math.inf),
            ("JPEG quality", self.quality or (1, 1), 1, 100),
            ("share of fades", (self.fade_share, self.fade_share), 0, 1),
            ("share of dips", (self.dip_share, self.dip_share), 0, 1),
            ("subjects shown once", (self.distractors, self.distractors), 0, math.inf),
            ("shots between two showings", (self.min_gap, self.min_gap), 0, math.inf),
        ]
        for what, (least, most), lowest, highest in ranges:
            if not lowest <= least <= most <= highest:
                asked = f"{least:g}" if least == most else f"{least:g} to {most:g}"
                within = f"at least {lowest:.3g}" + (
                    f", at most {highest:g}" if highest < math.inf else ""
                )
                raise ValueError(f"{what}: {asked} cannot be; {within}, the lower number first")


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
