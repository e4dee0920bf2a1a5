"""How the command line talks: times, tables, notes and progress.

Results go to standard output, everything else to standard error. rich is imported only where
progress is drawn on a terminal.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType
from typing import TYPE_CHECKING, Self

from semantic_video.utils.pace import TimeLeft
from semantic_video.utils.telling import clock

if TYPE_CHECKING:
    from rich.progress import Progress, TaskID


def printable(text: str) -> str:
    """Text in which nothing can move the cursor or break a line, as a file name might."""
    return "".join(c if c.isprintable() else ascii(c)[1:-1] for c in text)


def size(count: float) -> str:
    """A number of bytes for people, in decimal units as disks are sold."""
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit != "MB" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} GB"


def table(header: Sequence[str], rows: Sequence[Sequence[object]], right: str = "") -> str:
    """Plain aligned columns; the columns whose header is named in ``right`` align right."""
    cells = [[printable(str(cell)) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [list(header), *cells]) for i in range(len(header))]
    to_right = {i for i, name in enumerate(header) if name in right.split()}
    lines = []
    for row in [list(header), *cells]:
        padded = [
            cell.rjust(width) if i in to_right else cell.ljust(width)
            for i, (cell, width) in enumerate(zip(row, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
    return "\n".join(lines)


class Reporter:
    """Notes and progress on standard error; silent when ``quiet``.

    On a terminal a bar shows how far a video is and the time left, one for each of several at once;
    elsewhere, where a bar would fill a log file, nothing is drawn.
    """

    def __init__(self, quiet: bool = False, verbose: bool = False) -> None:
        self.verbose = verbose and not quiet
        self._quiet = quiet
        self._bar: Progress | None = None
        self._tasks: dict[str, TaskID] = {}
        self._title = ""
        self._time_left = TimeLeft()

    def __enter__(self) -> Self:
        if not self._quiet and sys.stderr.isatty():
            from rich.console import Console
            from rich.progress import (
                BarColumn,
                Progress,
                TaskProgressColumn,
                TextColumn,
            )

            self._bar = Progress(
                TextColumn("{task.description}"),
                BarColumn(),
                TaskProgressColumn(),
                TextColumn("{task.fields[left]}"),
                console=Console(stderr=True),
                transient=True,
            )
            self._bar.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        if self._bar is not None:
            self._bar.stop()
            self._bar = None

    def note(self, text: str) -> None:
        """Say a line."""
        if not self._quiet:
            self._say(text)

    def detail(self, text: str) -> None:
        """Say a line that only ``--verbose`` wants."""
        if self.verbose:
            self._say(text)

    def failure(self, text: str) -> None:
        """Say what went wrong; also said when quiet."""
        self._say(f"semantic-video: {text}")

    def start(self, title: str) -> None:
        """Begin the progress of one video, in place of that of the one before."""
        self.end(self._title)
        self.begin(title)
        self._title, self._time_left = title, TimeLeft()

    def progress(self, stage: str, done_s: float, total_s: float) -> None:
        """Show how far the video started is; fits ``video_processor.Progress``."""
        if self._bar is not None:
            left_s = self._time_left.update(done_s / total_s if total_s else 0.0)
            self.show(self._title, stage, done_s, total_s, left_s)

    def begin(self, title: str) -> None:
        """Begin the progress of one of several videos."""
        if self._bar is not None:
            self._tasks[title] = self._bar.add_task(title, total=None, left="")

    def show(
        self, title: str, stage: str, done_s: float, total_s: float, left_s: float | None
    ) -> None:
        """Show how far one of several videos is."""
        if self._bar is not None and title in self._tasks:
            self._bar.update(
                self._tasks[title],
                left="" if left_s is None else f"{clock(left_s)} left",
                description=f"{title}: {stage}",
                completed=done_s,
                total=total_s or None,
            )

    def end(self, title: str) -> None:
        """End the progress of one video."""
        if self._bar is not None and title in self._tasks:
            self._bar.remove_task(self._tasks.pop(title))

    def _say(self, text: str) -> None:
        text = printable(text)
        if self._bar is not None:
            self._bar.console.print(text, markup=False, highlight=False, soft_wrap=True)
        else:
            print(text, file=sys.stderr, flush=True)
