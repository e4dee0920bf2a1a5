"""Times and numbers as people read them, the same wherever they are told."""

from __future__ import annotations


def clock(seconds: float) -> str:
    """Seconds as h:mm:ss, rounded to the nearest second."""
    minutes, second = divmod(round(seconds), 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour}:{minute:02}:{second:02}"


def short_clock(seconds: float) -> str:
    """Seconds as m:ss, or h:mm:ss from an hour on; rounded as `clock` does."""
    return (
        clock(seconds)
        if round(seconds) >= 3600
        else f"{round(seconds) // 60}:{clock(seconds)[-2:]}"
    )


def amount(seconds: float) -> str:
    """How long something lasts: "4.0 s" below a minute, else h:mm:ss."""
    return f"{seconds:.1f} s" if seconds < 59.95 else clock(seconds)


def counted(count: int, what: str, many: str = "") -> str:
    """A number with what it counts: "1 scene", "2 scenes", "3 entries"."""
    return f"{count} {what if count == 1 else many or what + 's'}"
