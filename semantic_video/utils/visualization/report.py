"""The report: one page about a video, with its pictures inside, that plays the film beside it.

Needs neither a network nor matplotlib; pictures drawn by the other modules go in as SVG.
"""

from __future__ import annotations

import base64
import html
import json
import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import quote

from semantic_video.errors import ConfigError, OutputError
from semantic_video.records import Cluster, Moment, Scene, Span
from semantic_video.utils.telling import amount, counted
from semantic_video.utils.visualization.palette import MARK, cluster_colours
from semantic_video.utils.visualization.query import percent
from semantic_video.utils.visualization.sheet import spread
from semantic_video.utils.visualization.thumbnails import picture_in
from semantic_video.utils.visualization.timeline import TimeAxis, timeline_rows

BYTES_AN_HOUR = 4_800_000
"""What a page may take for each hour of video, and for any shorter one."""
_MOST_ANSWERS = 50
"""Answers of a query that are listed."""
_STRIP = 6
"""Scenes that a cluster shows before it is asked for all."""


@dataclass(frozen=True, slots=True)
class Answered:
    """What a query comes to: a line that says so, and its moments, best first."""

    outcome: str
    moments: tuple[Moment, ...]


def report(
    clusters: Sequence[Cluster],
    scenes: Sequence[Scene],
    thumbnails: Mapping[float, bytes],
    film: Path | str,
    path: Path,
    *,
    facts: str = "",
    lines: Sequence[tuple[float, float, str]] = (),
    marks: Mapping[str, Sequence[Span]] | None = None,
    pictures: Sequence[tuple[str, str]] = (),
    answers: Mapping[str, Answered] | None = None,
) -> Path:
    """Write one self-contained HTML page about a video and return its path.

    It shows the timeline, with a row more for each of ``marks``, such as when somebody speaks; the
    clusters (sortable, each with its scenes), what was said and written (``lines``: start, end in
    seconds, text), and ``pictures`` (title, SVG). Below the picture of a query stand its
    ``answers``, by the same title. Every time outside of pictures is a link into ``film``, by a
    relative path where there is one, and plays there in the page; not so where ``film`` is a
    string: what was watched, of which there is no file. Small pictures are left out,
    the least telling first, where the page would pass `BYTES_AN_HOUR`, and so are pictures that
    would take more than half of that.

    Raises ConfigError where there is no scene, OutputError when the file cannot be written.
    """
    if not scenes:
        raise ConfigError("A report needs a scene, and there is none")
    scenes = sorted(scenes, key=lambda scene: scene.start_s)
    duration_s = scenes[-1].end_s
    window = Span(0.0, duration_s)
    data: dict[str, Any] = {
        "name": film.name if isinstance(film, Path) else film,
        "film": _address(film, path) if isinstance(film, Path) else None,
        "place": str(film),
        "facts": facts,
        "duration": round(duration_s, 3),
        "ticks": TimeAxis(window, 0.0, 1.0).ticks(7),
        "rows": [
            _row(row.name, row.colour, row.occurrences, row.names)
            | {"total": f"{len(row.occurrences)}×, {amount(row.total_s)}"}
            for row in timeline_rows(clusters, window)
        ]
        + [
            _row(name, MARK, spans) | {"total": counted(len(spans), "line")}
            for name, spans in (marks or {}).items()
        ],
        "answers": {title: _answered(own) for title, own in (answers or {}).items()},
        "lines": [[round(start, 3), round(end, 3), text] for start, end, text in lines],
    }
    most = BYTES_AN_HOUR * max(duration_s / 3600, 1.0)
    data["pictures"], data["left_out"] = _with_room(pictures, most / 2)
    row_of = {scene.id: row for row, scene in enumerate(scenes)}
    spans = {scene.id: Span(scene.start_s, scene.end_s) for scene in scenes}
    ordered = sorted(clusters, key=lambda cluster: (-cluster.total_s, cluster.id))
    seen = {scene: span for scene, span in spans.items() if picture_in(thumbnails, span)}
    shown = [
        spread(cluster, seen if seen.keys() & set(cluster.scenes) else spans, _STRIP)
        for cluster in ordered
    ]
    colours = cluster_colours(clusters)
    data["clusters"] = [
        {
            "name": cluster.name,
            "colour": colours[cluster.id],
            "times": len(cluster.occurrences),
            "total": round(cluster.total_s, 3),
            "first": round(cluster.occurrences[0].start_s, 3),
            "shown": [row_of[scene] for scene in few],
            "scenes": sorted(row_of[scene] for scene in cluster.scenes),
        }
        for cluster, few in zip(ordered, shown, strict=True)
    ]
    # Of each cluster the medoid first, then what its strip shows, then the rest.
    by_use = [few[place] for place in range(_STRIP) for few in shown if place < len(few)]
    by_use = list(dict.fromkeys([*by_use, *(scene.id for scene in scenes)]))
    room = most - len(_inside_html(data)) - 40_000
    room -= 40 * len(scenes)
    thumb_of: dict[int, int] = {}
    thumbs: list[str] = []
    for scene in by_use:
        jpeg = picture_in(thumbnails, spans[scene])
        if jpeg is None or len(jpeg) * 4 / 3 + 4 > room:
            continue
        thumb_of[scene] = len(thumbs)
        thumbs.append(base64.b64encode(jpeg).decode())
        room -= len(thumbs[-1]) + 4
    data["thumbs"] = thumbs
    data["scenes"] = [
        [round(scene.start_s, 3), round(scene.end_s, 3), thumb_of.get(scene.id)] for scene in scenes
    ]
    template = resources.files(__package__).joinpath("report.html").read_text(encoding="utf-8")
    page = template.replace("@TITLE@", html.escape(data["name"]))
    try:
        path.write_text(page.replace("@DATA@", _inside_html(data)), encoding="utf-8")
    except OSError as error:
        raise OutputError(f"cannot write {path}: {error.strerror}") from error
    return path


def _answered(answer: Answered) -> dict[str, Any]:
    """An answer in words: each moment with how sure it is and its cluster."""
    rows = []
    for moment in answer.moments[:_MOST_ANSWERS]:
        sure = "" if moment.probability is None else percent(moment.probability)
        about = ", ".join(filter(None, (sure, moment.cluster_name)))
        rows.append([round(moment.start_s, 3), round(moment.end_s, 3), about])
    count = len(answer.moments)
    more = f" The first {len(rows)} of {count}." if count > len(rows) else ""
    return {"outcome": answer.outcome + more, "moments": rows}


def _row(
    name: str, colour: str, spans: Sequence[Span], gathered: Sequence[str] = ()
) -> dict[str, Any]:
    """A row of the timeline, with the names of the clusters that it gathers."""
    return {
        "name": name,
        "gathered": gathered,
        "colour": colour,
        "spans": [[round(t, 3) for t in span] for span in spans],
    }


def _with_room(
    pictures: Sequence[tuple[str, str]], room: float
) -> tuple[list[tuple[str, str]], list[str]]:
    """The pictures that fit into so many bytes, in order, and the titles of the others."""
    kept, left_out = [], []
    for title, svg in pictures:
        size = len(_inside_html(svg))
        if size <= room:
            room -= size
            kept.append((title, svg))
        else:
            left_out.append(title)
    return kept, left_out


def _inside_html(data: Any) -> str:
    """JSON in which nothing can end the element that holds it."""
    return json.dumps(data, separators=(",", ":")).replace("<", "\\u003c")


def _address(film: Path, page: Path) -> str:
    """How a page calls the film: relative, so that both may move together."""
    try:
        relative = os.path.relpath(film, page.resolve().parent)
    except ValueError:  # another drive
        return film.absolute().as_uri()
    return quote(relative.replace(os.sep, "/"), errors="surrogateescape")
