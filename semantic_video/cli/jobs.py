"""Indexing films: one after the other, or several at once, each in a process of its own.

Processes, because what is neither decoding nor encoding is Python, and because each then counts its
own processor time. They are fed over a pipe, one film after the other, and hear of Ctrl-C from it
too: what they stopped at can be said in order, and they end if whoever feeds them is gone.
"""

from __future__ import annotations

import contextlib
import multiprocessing
import signal
import time
from collections import deque
from collections.abc import Callable, Generator, Iterator, Sequence
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import TYPE_CHECKING, cast

from semantic_video.cli.terminal import Reporter
from semantic_video.config import Config
from semantic_video.errors import SemanticVideoError, VideoError
from semantic_video.utils.pace import TimeLeft

if TYPE_CHECKING:
    from semantic_video.indexer import IndexReport
    from semantic_video.library import Library
    from semantic_video.perception import Progress

    Outcome = tuple[Path, IndexReport | VideoError]

_TELL_EVERY_S = 0.2
_LEAST_CPU = 0.01


def index_films(
    films: Sequence[Path], shelf: Library, options: Config, reporter: Reporter
) -> Generator[Outcome]:
    """Index the films, ``options.pace.jobs`` at once: each with what came of it, as it is done.

    What was not asked for stays as a film was indexed before. Whatever else than a film's own
    error or Ctrl-C ends it ends them all; then it is said what is kept of those in hand.

    Raises:
        SemanticVideoError: what is not the fault of a film, as a library that cannot be written.
    """
    jobs = min(options.pace.jobs, len(films))
    if jobs > 1:
        share = max(_LEAST_CPU, options.pace.cpu / jobs)
        options = options.override({"pace": {"cpu": share}}, source="--jobs")
        yield from _Crew(films, shelf.path, options, reporter).outcomes(jobs)
        return
    for film in films:
        reporter.start(film.name)
        try:
            yield film, _index_one(film, shelf, options, reporter.progress, reporter.note)
        except VideoError as error:
            yield film, error


def _index_one(
    path: Path,
    shelf: Library,
    options: Config,
    progress: Progress,
    note: Callable[[str], None],
) -> IndexReport:
    """Index one file; where that is broken off, say what is left of it."""
    from semantic_video.indexing import with_settings_of
    from semantic_video.utils.video_utils.files import check_path
    from semantic_video.video_processor import SemanticVideoProcessor

    check_path(path)
    record, match = shelf.find(path)
    if record is not None and match != "changed":
        options = with_settings_of(record, options)
    processor = SemanticVideoProcessor(
        path,
        num_clusters=options.clustering.num_clusters,
        library=shelf,
        config=options,
        progress=progress,
        note=note,
    )
    try:
        return processor.index()
    except KeyboardInterrupt:
        note(_interruption(path, shelf))
        raise


def _interruption(path: Path, shelf: Library) -> str:
    """What is left of a film whose indexing was broken off."""
    from semantic_video.indexing import refined_share

    record, match = shelf.find(path)
    if record is None or match == "changed":
        return f"{path.name}: stopped before anything could be kept"
    share = refined_share(record)
    state = "as it was indexed before" if share == 1 else f"searchable, {share:.0%} of it refined"
    return f"{path.name}: stopped; it is {state}; run index again to finish"


class _Crew:
    """The processes that index, and what they are at."""

    def __init__(
        self, films: Sequence[Path], library: Path, options: Config, reporter: Reporter
    ) -> None:
        self._waiting = deque(films)
        self._library, self._options, self._reporter = library, options, reporter
        self._at: dict[Connection, tuple[BaseProcess, Path]] = {}

    def outcomes(self, jobs: int) -> Iterator[Outcome]:
        """Each film with what came of it, in the order in which they are done."""
        try:
            while self._waiting or self._at:
                while self._waiting and len(self._at) < jobs:
                    self._hire()
                for line in self._speaking():
                    outcome = self._hear(line)
                    if outcome is not None:
                        yield outcome
        finally:
            self._stop()

    def _hire(self) -> None:
        """Start a process, deaf to Ctrl-C from its first instant, at the next film."""
        context = multiprocessing.get_context("spawn")
        ours, theirs = context.Pipe()
        process = context.Process(
            target=_work, args=(theirs, self._library, self._options), daemon=True
        )
        with _deaf_to_ctrl_c():
            process.start()
        theirs.close()
        self._begin(ours, process)

    def _begin(self, line: Connection, process: BaseProcess) -> None:
        film = self._waiting.popleft()
        self._at[line] = process, film
        self._reporter.begin(film.name)
        with contextlib.suppress(OSError):  # it ended: heard when listening
            line.send(film)

    def _speaking(self) -> list[Connection]:
        return cast("list[Connection]", wait(list(self._at)))

    def _hear(self, line: Connection) -> Outcome | None:
        """Take one message: what came of the film, if that is it."""
        process, film = self._at[line]
        try:
            message = line.recv()
        except (EOFError, OSError):
            self._dismiss(line)
            return film, VideoError(
                f"{film}: the process that indexed it ended ({process.exitcode}), perhaps for want "
                "of memory; index it again with fewer --jobs"
            )
        if isinstance(message, str):
            self._reporter.note(message)
        elif isinstance(message, tuple):
            self._reporter.show(film.name, *message)
        else:
            self._reporter.end(film.name)
            if isinstance(message, SemanticVideoError) and not isinstance(message, VideoError):
                self._dismiss(line)
                raise message
            if self._waiting:
                self._begin(line, process)
            else:
                self._dismiss(line)
            return film, message
        return None

    def _dismiss(self, line: Connection) -> None:
        process, film = self._at.pop(line)
        self._reporter.end(film.name)
        line.close()
        process.join()

    def _stop(self) -> None:
        """Have all that still work stop, and pass on what they say of it."""
        for line in self._at:
            with contextlib.suppress(OSError):
                line.send(None)
        self._waiting.clear()
        while self._at:
            for line in self._speaking():
                with contextlib.suppress(SemanticVideoError):
                    self._hear(line)


@contextlib.contextmanager
def _deaf_to_ctrl_c() -> Iterator[None]:
    """What is started meanwhile never hears it; this process does, afterwards."""
    if not hasattr(signal, "pthread_sigmask"):
        yield
        return
    before = signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGINT})
    try:
        yield
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)


class _Teller:
    """Tells over the pipe how it goes, and hears from it when to stop."""

    def __init__(self, line: Connection) -> None:
        self._line = line
        self._left = TimeLeft()
        self._due_s = 0.0

    def progress(self, stage: str, done_s: float, total_s: float) -> None:
        left_s = self._left.update(done_s / total_s if total_s else 0.0)
        now_s = time.monotonic()
        if now_s < self._due_s:
            return
        self._due_s = now_s + _TELL_EVERY_S
        if self._line.poll():  # to stop, or that nobody is there
            raise KeyboardInterrupt
        self._line.send((stage, done_s, total_s, left_s))

    def note(self, text: str) -> None:
        with contextlib.suppress(OSError):
            self._line.send(text)


def _work(line: Connection, library: Path, options: Config) -> None:
    """Index what comes over the pipe; runs in a process of its own."""
    from semantic_video.library import Library

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # where it could not be started deaf
    with contextlib.suppress(EOFError, OSError, KeyboardInterrupt):
        while (film := line.recv()) is not None:
            teller = _Teller(line)
            try:
                outcome = _index_one(film, Library(library), options, teller.progress, teller.note)
            except SemanticVideoError as error:
                line.send(error)
            else:
                line.send(outcome)
