"""Shots found by our segmenter beside PySceneDetect's AdaptiveDetector, on the same films.

    python -m experiments.segmentation_report FILM.mp4 [FILM.json ...]

A ``.json`` is a manifest: ``{"video", "segments": [{"start_s", "end_s", "kind", "fade"}]}``, with
the film beside it; for it the share of true joins found and the false cuts inside panned stills
are printed too. Needs ``pip install semantic-video[scenedetect]``.
"""

from __future__ import annotations

import argparse
import bisect
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semantic_video.scene_segmentation import SceneSegmenter
from semantic_video.utils.video_utils import VideoReader

TOLERANCE_S = 0.5
FADE_S = 0.5


@dataclass(frozen=True, slots=True)
class Found:
    """The cuts that one method found, and the CPU seconds it took, decoding included."""

    method: str
    cuts: list[float]
    cpu_s: float


def find_with_ours(film: Path) -> Found:
    """Decode every frame and segment."""
    started = time.process_time()
    segmenter = SceneSegmenter()
    with VideoReader(film) as reader:
        for frame in reader.frames():
            segmenter.update(frame)
        shots = segmenter.finish(reader.end_s).shots
    cuts = [shot.start_s for shot in shots[1:]]
    return Found("SceneSegmenter", cuts, time.process_time() - started)


def find_with_adaptive_detector(film: Path) -> Found:
    """Run PySceneDetect with its defaults (which let OpenCV decode and scale down)."""
    from scenedetect import AdaptiveDetector, detect

    started = time.process_time()
    scenes = detect(str(film), AdaptiveDetector())
    cuts = [start.seconds for start, _ in scenes[1:]]
    return Found("AdaptiveDetector", cuts, time.process_time() - started)


def share_matched(cuts: Sequence[float], reference: Sequence[float]) -> float:
    """Share of the reference that has a cut within the tolerance."""
    return sum(nearest(cuts, time_s) <= TOLERANCE_S for time_s in reference) / max(
        1, len(reference)
    )


def nearest(cuts: Sequence[float], time_s: float) -> float:
    """Distance from ``time_s`` to the nearest of the sorted ``cuts``."""
    place = bisect.bisect_left(cuts, time_s)
    return min((abs(cut - time_s) for cut in cuts[max(0, place - 1) : place + 1]), default=1e9)


def against_truth(cuts: Sequence[float], segments: Sequence[dict[str, Any]]) -> str:
    """Share of hard joins and of fades found, and false cuts for each panned still."""
    hits: dict[bool, list[bool]] = {False: [], True: []}
    for segment in segments[1:]:
        fade = bool(segment["fade"])
        middle_s = segment["start_s"] + (FADE_S / 2 if fade else 0.0)
        allowed_s = TOLERANCE_S + (FADE_S / 2 if fade else 0.0)
        hits[fade].append(nearest(cuts, middle_s) <= allowed_s)
    stills = [segment for segment in segments if segment["kind"] == "photo"]
    false_cuts = sum(
        segment["start_s"] + 1 < cut < segment["end_s"] - 1 for segment in stills for cut in cuts
    )
    found = (f"{sum(hits[fade])}/{len(hits[fade])}" for fade in (False, True))
    return " | ".join([*found, f"{false_cuts / max(1, len(stills)):.3f}"])


def main() -> None:
    """Print a table for every film named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0] if __doc__ else None)
    parser.add_argument("films", nargs="+", type=Path, help="video files, or manifests of films")
    for path in parser.parse_args().films:
        segments: list[dict[str, Any]] = []
        film = path
        if path.suffix == ".json":
            manifest = json.loads(path.read_text(encoding="utf-8"))
            film, segments = path.parent / manifest["video"], manifest["segments"]
        ours, theirs = find_with_ours(film), find_with_adaptive_detector(film)
        print(f"\n{film.name}\n")
        print("| method | cuts | in the other's | CPU s | hard | fades | false per still |")
        print("| --- | --- | --- | --- | --- | --- | --- |")
        for found, other in ((ours, theirs), (theirs, ours)):
            shared = share_matched(other.cuts, found.cuts)
            truth = against_truth(found.cuts, segments) if segments else "- | - | -"
            print(
                f"| {found.method} | {len(found.cuts)} | {shared:.2f} | {found.cpu_s:.0f} "
                f"| {truth} |"
            )
        only = [
            [cut for cut in a.cuts if nearest(b.cuts, cut) > TOLERANCE_S]
            for a, b in ((ours, theirs), (theirs, ours))
        ]
        print("\nonly ours:", *(f"{cut:.1f}" for cut in only[0]))
        print("only theirs:", *(f"{cut:.1f}" for cut in only[1]))


if __name__ == "__main__":
    main()
