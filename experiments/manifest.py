"""Labels of a film: what is shown when, and queries with the intervals that answer them.

    python -m experiments.manifest LABELS.json [...]

checks files, prints a line for each fault, and ends with 1 where there is one. The format is in
docs/evaluation.md.
"""

from __future__ import annotations

import argparse
import json
import math
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

from semantic_video.records import Span

SEARCHED = ("moment", "concept", "screen_text", "speech", "absent")
"""Queries in words for `search`."""
CHOICES = ("order", "next")
"""Questions for `ask` whose answer is the index of a choice."""
TYPES = (*SEARCHED, "image", *CHOICES, "count")

_TOUCH_S = 0.002  # times may be rounded to the millisecond


class ManifestError(Exception):
    """Labels that cannot be used; ``faults`` has a line each."""

    def __init__(self, faults: Sequence[str]) -> None:
        super().__init__("\n".join(faults))
        self.faults = tuple(faults)


@dataclass(frozen=True, slots=True)
class Segment:
    """A stretch of the film that shows one thing. With ``fade`` it begins with its cross-fade."""

    span: Span
    kind: str
    category: str | None
    fade: bool


@dataclass(frozen=True, slots=True)
class Query:
    """Something asked of the film, and what answers it."""

    id: str
    type: str
    text: str
    spans: tuple[Span, ...]
    image: Path | None = None
    answer: int | None = None


_LENGTHS_DIFFER_S = 2.0
"""By so much the length of a film may differ from what its labels say, or by a hundredth of it."""


@dataclass(frozen=True, slots=True)
class Manifest:
    """The labels of one film; ``path`` is their file."""

    path: Path
    video: str
    duration_s: float
    segments: tuple[Segment, ...]
    queries: tuple[Query, ...]

    @property
    def film(self) -> Path:
        """Where the film lies by its name: beside the labels."""
        return self.path.parent / self.video

    def of_type(self, *types: str) -> tuple[Query, ...]:
        """The queries of these types, in their order."""
        return tuple(query for query in self.queries if query.type in types)

    def check_length(self, duration_s: float) -> None:
        """Raise ManifestError where a film of this length cannot be the one that is labelled."""
        if abs(duration_s - self.duration_s) > max(_LENGTHS_DIFFER_S, 0.01 * self.duration_s):
            raise ManifestError(
                [
                    f"{self.path}: the labels are of a film of {self.duration_s:.1f} s, "
                    f"this one lasts {duration_s:.1f} s"
                ]
            )


def load_manifest(path: Path) -> Manifest:
    """The labels in a file.

    Raises:
        ManifestError: the file cannot be read, or something in it is wrong.
    """
    try:
        raw = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise ManifestError([f"{path}: {error.strerror}"]) from error
    except ValueError as error:
        raise ManifestError([f"{path}: not JSON: {error}"]) from error
    faults = [f"{path}: {fault}" for fault in _faults(raw, path.parent)]
    if faults:
        raise ManifestError(faults)
    return Manifest(
        path,
        raw["video"],
        float(raw["duration_s"]),
        tuple(
            Segment(
                Span(float(one["start_s"]), float(one["end_s"])),
                one["kind"],
                one.get("category"),
                bool(one.get("fade", False)),
            )
            for one in raw["segments"]
        ),
        tuple(
            Query(
                one["id"],
                one["type"],
                one.get("question") or one.get("text") or "",
                tuple(Span(float(start), float(end)) for start, end in one.get("spans", ())),
                path.parent / one["image"] if one["type"] == "image" else None,
                one.get("answer"),
            )
            for one in raw["queries"]
        ),
    )


def _faults(raw: Any, folder: Path) -> Iterator[str]:
    """A line for each thing that is wrong, most general first."""
    if not isinstance(raw, dict):
        yield 'the file has to hold an object: {"video", "duration_s", "segments", "queries"}'
        return
    if not isinstance(raw.get("video"), str) or not raw["video"]:
        yield '"video" has to be the file name of the film'
    duration = math.inf
    if _number(raw.get("duration_s")) and raw["duration_s"] > 0:
        duration = raw["duration_s"]
    else:
        yield '"duration_s" has to be the length of the film in seconds'
    for name in ("segments", "queries"):
        if not isinstance(raw.get(name), list):
            yield f'"{name}" has to be a list (an empty one, if there are none)'
    segments, queries = raw.get("segments"), raw.get("queries")
    if isinstance(segments, list):
        yield from _segment_faults(segments, duration)
    if isinstance(queries, list):
        yield from _query_faults(queries, duration, folder)


def _segment_faults(segments: Sequence[Any], duration_s: float) -> Iterator[str]:
    starts_known = True
    for number, segment in enumerate(segments):
        where = f"segment {number}"
        if not isinstance(segment, dict):
            yield f"{where}: has to be an object"
            starts_known = False
            continue
        fault = _span_fault([segment.get("start_s"), segment.get("end_s")], duration_s)
        if fault:
            yield f'{where}: "start_s" and "end_s": {fault}'
            starts_known = False
        if not isinstance(segment.get("kind"), str):
            yield f'{where}: "kind" has to be a word, such as "clip" or "photo"'
        if not isinstance(segment.get("category", ""), (str, type(None))):
            yield f'{where}: "category" has to be a word, or null'
        if not isinstance(segment.get("fade", False), bool):
            yield f'{where}: "fade" has to be true or false'
    if not starts_known:
        return
    for number, (one, other) in enumerate(pairwise(segments), start=1):
        if other["start_s"] < one["end_s"] - _TOUCH_S:
            yield f"segment {number}: begins before segment {number - 1} ends, or out of order"


def _query_faults(queries: Sequence[Any], duration_s: float, folder: Path) -> Iterator[str]:
    known: set[str] = set()
    for number, query in enumerate(queries):
        where = f"query {number}"
        if not isinstance(query, dict):
            yield f"{where}: has to be an object"
            continue
        identity, kind = query.get("id"), query.get("type")
        if not isinstance(identity, str) or not identity:
            yield f'{where}: "id" has to be a word of its own'
        else:
            where += f" ({identity})"
            if identity in known:
                yield f"{where}: another query has this id"
            known.add(identity)
        if kind not in TYPES:
            yield f'{where}: "type" is {json.dumps(kind)}; there is {", ".join(TYPES)}'
            continue
        yield from (f"{where}: {fault}" for fault in _content_faults(query, kind, folder))
        yield from (f"{where}: {fault}" for fault in _answer_faults(query, kind, duration_s))


def _content_faults(query: Mapping[str, Any], kind: str, folder: Path) -> Iterator[str]:
    """What is wrong with what is asked."""
    if kind == "image":
        image = query.get("image")
        if not isinstance(image, str) or not image:
            yield '"image" has to name a picture, from the folder of this file'
        elif not (folder / image).is_file():
            yield f'"image": there is no {folder / image}'
        return
    name = "text" if kind in SEARCHED else "question"
    text = query.get(name)
    if not isinstance(text, str) or not text.strip():
        yield f'"{name}" has to say what is asked'
    elif "\n" in text:
        yield f'"{name}" has to be one line'


def _answer_faults(query: Mapping[str, Any], kind: str, duration_s: float) -> Iterator[str]:
    """What is wrong with what is said to be true."""
    answer = query.get("answer")
    if kind in CHOICES:
        options = query.get("options")
        if not isinstance(options, list) or len(options) < 2:
            yield '"options" has to list two choices or more'
        elif not isinstance(answer, int) or not 0 <= answer < len(options):
            yield f'"answer" has to be the index of the right choice, 0 to {len(options) - 1}'
        return
    if kind == "count":
        if not isinstance(answer, int) or answer < 0:
            yield '"answer" has to be a whole number'
        return
    spans = query.get("spans")
    if not isinstance(spans, list):
        yield '"spans" has to list the intervals that answer, [[start_s, end_s], ...]'
    elif kind == "absent" and spans:
        yield '"spans" of an absent query has to be empty'
    elif kind != "absent" and not spans:
        yield '"spans" is empty; what nothing answers is of type "absent"'
    else:
        for place, span in enumerate(spans):
            fault = _span_fault(span, duration_s)
            if fault:
                yield f'"spans"[{place}]: {fault}'


def _span_fault(span: Any, duration_s: float) -> str | None:
    if not isinstance(span, list) or len(span) != 2 or not all(map(_number, span)):
        return "two numbers of seconds are wanted"
    start_s, end_s = span
    if not 0 <= start_s < end_s:
        return f"{start_s} to {end_s} is no interval"
    if end_s > duration_s + _TOUCH_S:
        return f"{end_s} lies beyond the film's end at {duration_s}"
    return None


def _number(value: Any) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool) and math.isfinite(value)


def main() -> int:
    """Check the files that are named."""
    parser = argparse.ArgumentParser(description="Check the labels of films.")
    parser.add_argument("labels", type=Path, nargs="+", help="JSON files, see docs/evaluation.md")
    wrong = 0
    for path in parser.parse_args().labels:
        try:
            manifest = load_manifest(path)
        except ManifestError as error:
            print(error, file=sys.stderr)
            wrong += 1
            continue
        counts = ", ".join(
            f"{len(own)} {kind}" for kind in TYPES if (own := manifest.of_type(kind))
        )
        print(f"{path}: fine; {len(manifest.segments)} segments; {counts or 'no queries'}")
        if not manifest.film.exists():
            print(f"{path}: note: there is no {manifest.film}; name the film with --video")
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
