"""One writer at a time: a lock of the operating system on a file in the library.

The system lets go of the lock when its owner ends, however it ends, so a dead owner never has to
be guessed from ages and process numbers, and no two waiters can take over at once. What the file
says (who, since when) is for people; it is left behind only by an owner that did not finish, which
is how the next writer knows that there is something to clean up. For local disks; a library in an
object store will need a lease instead.
"""

from __future__ import annotations

import contextlib
import errno
import json
import os
import socket
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from semantic_video.errors import LibraryError

LOCK_NAME = "writer.lock"
OnWait = Callable[[str], None]
"""Called with a line for the user when a writer has to wait for another."""

_POLL_S = 0.05
# Bytes that are locked are mandatory on Windows; far behind the text they hinder nobody.
_LOCKED_BYTE = 1 << 30

if sys.platform == "win32":
    import msvcrt

    def _try_lock(descriptor: int) -> bool:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        try:
            msvcrt.locking(descriptor, msvcrt.LK_NBLCK, 1)
        except OSError as error:
            if error.errno in (errno.EACCES, errno.EDEADLK):
                return False
            raise
        return True

    def _unlock(descriptor: int) -> None:
        os.lseek(descriptor, _LOCKED_BYTE, os.SEEK_SET)
        msvcrt.locking(descriptor, msvcrt.LK_UNLCK, 1)

else:
    import fcntl

    def _try_lock(descriptor: int) -> bool:
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
        return True

    def _unlock(descriptor: int) -> None:
        fcntl.flock(descriptor, fcntl.LOCK_UN)


@contextlib.contextmanager
def writer_lock(directory: Path, on_wait: OnWait | None = None) -> Iterator[bool]:
    """Hold the library in ``directory`` for writing; yields whether the last writer finished.

    Waits as long as another writer holds it, and says so once for each owner it waits for. If the
    block raises, the next writer is told that this one did not finish.
    """
    try:
        descriptor = os.open(directory / LOCK_NAME, os.O_RDWR | os.O_CREAT, 0o666)
    except OSError as error:
        raise LibraryError(
            f"cannot write to the library at {directory} ({error.strerror}): "
            "make the directory writable or use --library with another one"
        ) from error
    try:
        _wait_for(descriptor, directory, on_wait)
        try:
            finished = not _read_text(descriptor).strip()
            _write_text(descriptor, _describe_self(), directory)
            yield finished
            _write_text(descriptor, "", directory)
        finally:
            _unlock(descriptor)
    finally:
        os.close(descriptor)


def lock_owner(directory: Path) -> tuple[str, bool]:
    """Who holds the library or did not finish with it (empty: nobody), and whether it still does.

    Takes the lock for a moment where nobody holds it.
    """
    try:
        descriptor = os.open(directory / LOCK_NAME, os.O_RDWR)
    except OSError:
        return "", False
    try:
        if _try_lock(descriptor):
            text = _read_text(descriptor)
            _unlock(descriptor)
            return (_owner(text) if text.strip() else ""), False
        return _owner(_read_text(descriptor)), True
    finally:
        os.close(descriptor)


def _wait_for(descriptor: int, directory: Path, on_wait: OnWait | None) -> None:
    announced = None
    while True:
        try:
            if _try_lock(descriptor):
                return
        except OSError as error:
            raise LibraryError(
                f"the file system of {directory} cannot lock files ({error.strerror}): "
                "keep the library on a local disk"
            ) from error
        text = _read_text(descriptor)
        if on_wait is not None and text != announced:
            on_wait(f"waiting for {_owner(text)}, which is writing to the library")
            announced = text
        time.sleep(_POLL_S)


def _describe_self() -> str:
    return json.dumps({"host": socket.gethostname(), "pid": os.getpid(), "since": time.time()})


def _owner(text: str) -> str:
    try:
        owner = json.loads(text)
        age = max(0.0, time.time() - owner["since"])
        return f"process {owner['pid']} on {owner['host']} (since {age:.0f} s)"
    except (ValueError, KeyError, TypeError):  # read while it was being written
        return "another process"


def _read_text(descriptor: int) -> str:
    os.lseek(descriptor, 0, os.SEEK_SET)
    return os.read(descriptor, 4096).decode("utf-8", "replace")


def _write_text(descriptor: int, text: str, directory: Path) -> None:
    try:
        os.ftruncate(descriptor, 0)
        os.lseek(descriptor, 0, os.SEEK_SET)
        os.write(descriptor, text.encode("utf-8"))
    except OSError as error:
        raise LibraryError(
            f"the disk of the library at {directory} is full: free some space and run this again"
            if error.errno == errno.ENOSPC
            else f"cannot write to the library at {directory} ({error.strerror})"
        ) from error
