"""Frame rates, and times as frame numbers and timecode (SMPTE ST 12-1)."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction
from typing import Self

_DEFAULT_FPS = 25


@dataclass(frozen=True, slots=True)
class Rate:
    """A frame rate, exact: 30000/1001 and not 29.97."""

    fps: Fraction

    @classmethod
    def of(cls, average_fps: float | None) -> Self:
        """The rate that a measured one stands for.

        That is a whole number of frames, or that times 1000/1001 (NTSC), where one is within a
        thousandth; a film whose rate varies gets the nearest whole number.
        """
        if not average_fps:
            return cls(Fraction(_DEFAULT_FPS))
        whole = max(1, round(average_fps))
        exact = (Fraction(whole), Fraction(whole * 1000, 1001))
        nearest = min(exact, key=lambda fps: abs(float(fps) - average_fps))
        near = abs(float(nearest) - average_fps) <= 5e-4 * average_fps
        return cls(nearest if near else Fraction(whole))

    @property
    def base(self) -> int:
        """Frames that timecode counts in a second: 30 for 29.97."""
        return round(self.fps)

    @property
    def drops(self) -> bool:
        """Whether timecode skips numbers to keep with the clock: at 29.97 and 59.94."""
        return self.fps.denominator == 1001 and self.base % 30 == 0

    def frame(self, seconds: float) -> int:
        """The number of the frame nearest to a time."""
        return round(seconds * self.fps)

    def timecode(self, frame: int) -> str:
        """A frame number as timecode, ``hh:mm:ss:ff``, or ``hh:mm:ss;ff`` where numbers drop.

        Drop-frame timecode leaves out the first two numbers (four at 59.94) of every minute that
        is not a tenth one, so that it stays within two frames of the clock.
        """
        base = self.base
        if self.drops:
            dropped = base // 15
            per_minute = 60 * base - dropped
            tens, rest = divmod(frame, 10 * per_minute + dropped)
            minutes = max(0, rest - dropped) // per_minute
            frame += dropped * (9 * tens + minutes)
        seconds, frames = divmod(frame, base)
        minutes, seconds = divmod(seconds, 60)
        hours, minutes = divmod(minutes, 60)
        mark = ";" if self.drops else ":"
        return f"{hours % 24:02}:{minutes:02}:{seconds:02}{mark}{frames:02}"
