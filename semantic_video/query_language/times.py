"""Times as people write them: 10:00, 1:02:03.5, 90s, 2min."""

from __future__ import annotations

import re

# 10:99 is no time; nor is a number so long that it ends as infinity.
_CLOCK = re.compile(r"(?:(\d{1,9}):(?=[0-5]?\d:))?(\d{1,9}):([0-5]\d(?:\.\d+)?)")
_LENGTH = re.compile(r"(\d{1,9}(?:\.\d+)?)\s*([a-z]*)")
_UNITS = {"s": 1, "sec": 1, "second": 1, "m": 60, "min": 60, "minute": 60, "h": 3600, "hour": 3600}


def seconds_of(text: str, bare: bool = False) -> float | None:
    """Seconds that a text says; None where it says no time. ``bare``: a number alone is one."""
    text = text.strip().lower()
    clock = _CLOCK.fullmatch(text)
    if clock:
        hours, minutes, seconds = (float(part or 0) for part in clock.groups())
        return 3600 * hours + 60 * minutes + seconds
    length = _LENGTH.fullmatch(text)
    if not length:
        return None
    factor = _unit(length[2]) if length[2] else int(bare)
    return float(length[1]) * factor if factor else None


def _unit(word: str) -> int:
    """Seconds in a unit of time; 0 for any other word."""
    return _UNITS.get(word, 0) or _UNITS.get(word.removesuffix("s"), 0)
