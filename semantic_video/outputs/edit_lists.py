"""Lists for editing programs: each moment is an event, one after another, in the order given."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from semantic_video.outputs.timecode import Rate
from semantic_video.records import Moment

EDL_EVENTS = 999
"""So many events fit into one list: CMX 3600 has three digits for their numbers."""


def edl(moments: Sequence[Moment], rates: Mapping[str, Rate], title: str) -> str:
    """A CMX 3600 edit decision list; source timecode counts from the start of each film.

    ``rates``: the frame rate of each film by ``Moment.video``. The record side runs at the rate of
    the first. No more than `EDL_EVENTS` are listed.
    """
    lines = [f"TITLE: {_one_line(title)[:70]}"]
    record = 0
    mode = None
    record_rate = rates[moments[0].video] if moments else Rate.of(None)
    for number, moment in enumerate(moments[:EDL_EVENTS], start=1):
        rate = rates[moment.video]
        if rate.drops is not mode:
            mode = rate.drops
            lines.append("FCM: DROP FRAME" if mode else "FCM: NON-DROP FRAME")
        start, end = _frames(moment, rate)
        length = end - start
        if rate != record_rate:
            length = max(1, round(length / rate.fps * record_rate.fps))
        times = [
            rate.timecode(start),
            rate.timecode(end),
            record_rate.timecode(record),
            record_rate.timecode(record + length),
        ]
        lines.append(f"{number:03}  AX       V     C        {' '.join(times)}")
        lines.append(f"* FROM CLIP NAME: {_one_line(Path(moment.video).name)}")
        lines.append(f"* SOURCE FILE: {_one_line(moment.video)}")
        record += length
    return "\n".join(lines) + "\n"


def otio(
    moments: Sequence[Moment],
    rates: Mapping[str, Rate],
    durations: Mapping[str, float],
    title: str,
) -> str:
    """An OpenTimelineIO timeline (JSON) with one video track.

    What the answer says of each moment lies in its clip's metadata under ``semantic_video``.
    """
    clips = []
    for moment in moments:
        rate = rates[moment.video]
        start, end = _frames(moment, rate)
        facts = moment.as_dict()
        clips.append(
            {
                "OTIO_SCHEMA": "Clip.2",
                "metadata": {"semantic_video": facts},
                "name": Path(moment.video).name,
                "source_range": _range(start, end - start, rate),
                "effects": [],
                "markers": [],
                "enabled": True,
                "media_references": {
                    "DEFAULT_MEDIA": {
                        "OTIO_SCHEMA": "ExternalReference.1",
                        "metadata": {},
                        "name": Path(moment.video).name,
                        "available_range": _range(
                            0, max(end, rate.frame(durations[moment.video])), rate
                        ),
                        "available_image_bounds": None,
                        "target_url": _url(moment.video),
                    }
                },
                "active_media_reference_key": "DEFAULT_MEDIA",
            }
        )
    track: dict[str, Any] = {
        "OTIO_SCHEMA": "Track.1",
        "metadata": {},
        "name": "moments",
        "source_range": None,
        "effects": [],
        "markers": [],
        "enabled": True,
        "children": clips,
        "kind": "Video",
    }
    stack: dict[str, Any] = {
        "OTIO_SCHEMA": "Stack.1",
        "metadata": {},
        "name": "tracks",
        "source_range": None,
        "effects": [],
        "markers": [],
        "enabled": True,
        "children": [track],
    }
    timeline = {
        "OTIO_SCHEMA": "Timeline.1",
        "metadata": {},
        "name": title,
        "global_start_time": None,
        "tracks": stack,
    }
    return json.dumps(timeline, indent=4) + "\n"


def _frames(moment: Moment, rate: Rate) -> tuple[int, int]:
    """First frame and the one after the last; at least one frame lies between."""
    start = rate.frame(moment.start_s)
    return start, max(start + 1, rate.frame(moment.end_s))


def _range(start: int, length: int, rate: Rate) -> dict[str, Any]:
    def time(value: int) -> dict[str, Any]:
        return {"OTIO_SCHEMA": "RationalTime.1", "rate": float(rate.fps), "value": float(value)}

    return {
        "OTIO_SCHEMA": "TimeRange.1",
        "duration": time(length),
        "start_time": time(start),
    }


def _url(path: str) -> str:
    try:
        return Path(path).absolute().as_uri()
    except UnicodeEncodeError:  # a name that is not valid Unicode
        return path


def _one_line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)
