"""Short plain English for what was found."""

from __future__ import annotations

from collections.abc import Sequence

from semantic_video.records import Span
from semantic_video.utils.telling import short_clock


def stretch(start_s: float, end_s: float) -> str:
    """An interval of time, "1:02-1:10"; "1:02" for one within a second."""
    if round(end_s) <= round(start_s):
        return short_clock(start_s)
    return f"{short_clock(start_s)}-{short_clock(end_s)}"


def length(seconds: float) -> str:
    """A length of time for people: "12 seconds", "3 min 20 s"."""
    if seconds < 90:
        number = round(seconds)
        return f"{number} second" if number == 1 else f"{number} seconds"
    minutes, rest = divmod(round(seconds), 60)
    return f"{minutes} min {rest} s"


def times(count: int) -> str:
    """How often: "once", "twice", "5 times"."""
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def listed(items: Sequence[str], joint: str = "and") -> str:
    """ "a", "a and b", "a, b and c"."""
    if len(items) < 2:
        return "".join(items)
    return f"{', '.join(items[:-1])} {joint} {items[-1]}"


def quoted(phrase: str) -> str:
    """A phrase as it was asked for, set apart from our own words."""
    return f'"{phrase}"'


def sentence(text: str) -> str:
    """With a capital at its beginning and a full stop at its end."""
    text = " ".join(text.split())
    text = text[:1].upper() + text[1:]
    return text if text.endswith((".", "?", "!", ".”", '."')) else f"{text}."


def cut(text: str, most: int = 140) -> str:
    """A quotation that is not too long."""
    return text if len(text) <= most else f"{text[: most - 1].rsplit(' ', 1)[0]}…"


def when(spans: Sequence[Span], most: int = 8) -> str:
    """At which times: "at 0:10-0:12, 1:00-1:05 and 3 more"."""
    shown = [stretch(span.start_s, span.end_s) for span in spans[:most]]
    if len(spans) > most:
        shown.append(f"{len(spans) - most} more")
    return f"at {listed(shown)}"
