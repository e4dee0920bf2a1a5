"""A long film joined from copies of shorter ones, so that what is known of those is known of it.

    python -m experiments.long_film FILM.json FILLER.mp4 --out LONG.mp4

FILM.json names a labelled film. Its copies start elsewhere in it, are cropped, dimmed, scaled and
compressed anew at 12 frames a second; the filler, which has no labels, comes between them. Beside
LONG.mp4 a manifest of the same shape is written, with every query's spans in all the copies.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

from experiments.film_writer import write_film

FPS = 12
SIZE = (640, 360)
_LEAST_S = 1.0  # shorter pieces of a span cut by the joint are left out


@dataclass(frozen=True, slots=True)
class Part:
    """A stretch of one film at its place in the long one, with what was done to its pictures."""

    film: str
    source_s: float
    end_s: float
    at_s: float
    crop: float = 0.0
    gain: float = 1.0

    def place(self, start_s: float, end_s: float) -> tuple[float, float] | None:
        """Where an interval of the film lies in the long one, None where it is not shown."""
        start_s, end_s = max(start_s, self.source_s), min(end_s, self.end_s)
        if end_s - start_s < _LEAST_S:
            return None
        return start_s - self.source_s + self.at_s, end_s - self.source_s + self.at_s


def parts_of(labelled: str, labelled_s: float, filler: str, filler_s: float) -> tuple[Part, ...]:
    """Four copies of the labelled film and two of the filler, cut to two hours."""
    wanted: list[tuple[str, float, float, float, float]] = [
        (labelled, 0, labelled_s, 0.0, 1.0),
        (filler, 0, filler_s, 0.0, 1.0),
        (labelled, labelled_s * 0.35, labelled_s, 0.06, 1.0),
        (labelled, 0, labelled_s * 0.35, 0.06, 1.0),
        (labelled, labelled_s * 0.7, labelled_s, 0.0, 0.82),
        (labelled, 0, labelled_s * 0.7, 0.0, 0.82),
        (filler, filler_s * 0.4, filler_s, 0.05, 0.9),
        (filler, 0, filler_s * 0.4, 0.05, 0.9),
        (labelled, labelled_s * 0.2, labelled_s, 0.1, 1.12),
        (labelled, 0, labelled_s * 0.2, 0.1, 1.12),
        (filler, 0, filler_s, 0.1, 1.05),
    ]
    parts, at_s = [], 0.0
    for film, start_s, end_s, crop, gain in wanted:
        end_s = min(end_s, start_s + 7200 - at_s)
        if end_s > start_s:
            parts.append(Part(film, start_s, end_s, at_s, crop, gain))
            at_s += end_s - start_s
    return tuple(parts)


def manifest_of(parts: tuple[Part, ...], labels: dict[str, Any], name: str) -> dict[str, Any]:
    """The labels of the long film."""
    film = labels["video"]

    def placed(start_s: float, end_s: float) -> list[tuple[float, float]]:
        found = (part.place(start_s, end_s) for part in parts if Path(part.film).name == film)
        return [span for span in found if span is not None]

    segments = [
        segment | {"start_s": start_s, "end_s": end_s}
        for segment in labels["segments"]
        for start_s, end_s in placed(segment["start_s"], segment["end_s"])
    ]
    queries = [
        query | {"spans": sorted(place for span in query["spans"] for place in placed(*span))}
        for query in labels["queries"]
        if query["type"] in ("moment", "concept", "image", "absent")
    ]
    return {
        "video": name,
        "duration_s": parts[-1].at_s + parts[-1].end_s - parts[-1].source_s,
        "segments": sorted(segments, key=lambda segment: segment["start_s"]),
        "queries": queries,
    }


def render(parts: tuple[Part, ...], out: Path) -> None:
    """Write the long film: H.264, 640x360, 12 frames a second."""
    write_film(out, _numbered(parts), FPS, SIZE, {"preset": "veryfast", "crf": "30"})


def _numbered(parts: tuple[Part, ...]) -> Iterator[av.VideoFrame]:
    for number, picture in enumerate(frame for part in parts for frame in frames_of(part)):
        frame = av.VideoFrame.from_ndarray(picture, "yuv420p")
        frame.pts, frame.time_base = number, Fraction(1, FPS)
        yield frame


def frames_of(part: Part) -> Iterator[NDArray[Any]]:
    """The pictures of a part, one each twelfth of a second, as yuv420p."""
    count = round((part.end_s - part.source_s) * FPS)
    with av.open(part.film) as source:
        video = source.streams.video[0]
        video.thread_type = "AUTO"
        assert video.time_base is not None
        source.seek(int(part.source_s / video.time_base), stream=video)
        done, last = 0, None
        for frame in source.decode(video):
            assert frame.time is not None
            if frame.time < part.source_s:
                continue
            if last is not None and frame.time < part.source_s + done / FPS:
                continue
            last = changed(frame, part)
            while done < count and part.source_s + done / FPS <= frame.time:
                yield last
                done += 1
            if done == count:
                return
        while done < count and last is not None:
            yield last
            done += 1


def changed(frame: av.VideoFrame, part: Part) -> NDArray[Any]:
    """The picture cropped, scaled and dimmed as its part says."""
    width, height = SIZE
    picture: NDArray[Any] = frame.reformat(
        round(width * (1 + 2 * part.crop) / 2) * 2, round(height * (1 + 2 * part.crop) / 2) * 2,
        "yuv420p",
    ).to_ndarray()  # fmt: skip
    if part.crop:
        wide = av.VideoFrame.from_ndarray(picture, "yuv420p").to_rgb().to_ndarray()
        top, left = (wide.shape[0] - height) // 2, (wide.shape[1] - width) // 2
        inner: NDArray[Any] = np.ascontiguousarray(wide[top : top + height, left : left + width])
        picture = av.VideoFrame.from_ndarray(inner, "rgb24").reformat(format="yuv420p").to_ndarray()
    if part.gain != 1.0:
        luma = picture[:height].astype(np.float32)
        picture = picture.copy()
        picture[:height] = np.clip((luma - 16) * part.gain + 16, 16, 235).astype(np.uint8)
    return picture


def main() -> None:
    """Render the film and write its manifest."""
    parser = argparse.ArgumentParser(description="Join a long film from copies of shorter ones.")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("filler", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    arguments = parser.parse_args()
    labels = json.loads(arguments.manifest.read_text(encoding="utf-8"))
    film = arguments.manifest.parent / labels["video"]
    with av.open(str(arguments.filler)) as filler:
        filler_s = (filler.duration or 0) / av.time_base
    parts = parts_of(str(film), labels["duration_s"], str(arguments.filler), filler_s)
    manifest = manifest_of(parts, labels, arguments.out.name)
    arguments.out.with_suffix(".json").write_text(json.dumps(manifest), encoding="utf-8")
    render(parts, arguments.out)


if __name__ == "__main__":
    main()
