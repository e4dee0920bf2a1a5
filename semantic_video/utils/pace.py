"""Leaving the machine to others: a share of its cores, and how long what is left will take."""

from __future__ import annotations

import os
import time
from collections.abc import Callable

from semantic_video.utils.cores import available_cores

_LONGEST_SLEEP_S = 0.5
# A process that used hardly any of so long a time was paused, or the machine slept.
_PAUSE_S = 2.0
_PAUSED_SHARE = 0.02


class Pace:
    """Keeps this process to ``share`` (0 to 1) of the cores available, over time.

    ``wait`` is called often by whoever works; it sleeps while the process is ahead of its share.
    """

    def __init__(self, share: float, cores: int | None = None) -> None:
        self._allowed = share * (cores or available_cores())
        self._started_s = time.monotonic()
        self._cpu_before_s = time.process_time()

    def wait(self) -> None:
        """Sleep until what was used is within the share."""
        while True:
            used_s = time.process_time() - self._cpu_before_s
            ahead_s = used_s / self._allowed - (time.monotonic() - self._started_s)
            if ahead_s <= 0:
                return
            time.sleep(min(ahead_s, _LONGEST_SLEEP_S))


def be_nice(niceness: int) -> bool:
    """Lower the priority of this process as `nice` does; whether the system can."""
    if niceness and not hasattr(os, "nice"):
        return False
    if niceness:
        os.nice(niceness)
    return True


class TimeLeft:
    """Estimates how long what is left will take, from the share that is done.

    Times in which the process was paused (Ctrl-Z, a laptop that slept) do not count, nor what goes
    by before the share moves, such as loading a model. A share that falls begins another piece of
    work, such as reading text after the pictures were watched.

    Args:
        clock: seconds on the wall.
        cpu_clock: seconds of processor time that the process has used.
    """

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        cpu_clock: Callable[[], float] = time.process_time,
    ) -> None:
        self._clock = clock
        self._cpu_clock = cpu_clock
        self._first: tuple[float, float] | None = None
        self._share = 0.0
        self._last = (0.0, 0.0)
        self._paused_s = 0.0

    def update(self, share: float) -> float | None:
        """The seconds left when ``share`` of the work is done; None while that is unknown."""
        now_s, cpu_s = self._clock(), self._cpu_clock()
        if self._first is None or share < self._share:
            self._first, self._last = (now_s, share), (now_s, cpu_s)
            self._share, self._paused_s = share, 0.0
            return None
        self._share = share
        gap_s, used_s = now_s - self._last[0], cpu_s - self._last[1]
        if gap_s > _PAUSE_S and used_s < _PAUSED_SHARE * gap_s:
            self._paused_s += gap_s - used_s
        self._last = (now_s, cpu_s)
        first_s, first_share = self._first
        if share <= first_share:
            self._first, self._paused_s = (now_s, share), 0.0
            return None
        return (now_s - first_s - self._paused_s) * (1 - share) / (share - first_share)
