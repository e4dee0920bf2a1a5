"""Where videos lie."""

from __future__ import annotations

import os
import stat
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path

from semantic_video.errors import VideoError

OnError = Callable[[VideoError], None]
"""Called with what is wrong with a path or a folder."""

# fmt: off
VIDEO_SUFFIXES = frozenset({
    ".3g2", ".3gp", ".asf", ".avi", ".divx", ".dv", ".f4v", ".flv", ".h264", ".hevc", ".insv",
    ".ivf", ".m2ts", ".m2v", ".m4v", ".mjpeg", ".mjpg", ".mkv", ".mov", ".mp4", ".mpe", ".mpeg",
    ".mpg", ".mts", ".mxf", ".nut", ".ogm", ".ogv", ".qt", ".rm", ".rmvb", ".ts", ".vob", ".webm",
    ".wmv", ".y4m",
})
# fmt: on
"""What counts as a video inside a folder; a file named by the user is always tried."""

_TRANSPORT_STREAM_SYNC = b"G"


def find_videos(
    paths: Iterable[str | os.PathLike[str]], on_error: OnError | None = None
) -> list[Path]:
    """The files as given, and the videos in the folders given, in order and without repeats.

    Folders are searched to any depth, sorted by name; hidden entries are left out, linked folders
    are followed once. What vanishes meanwhile is left out. With ``on_error``, what is wrong with a
    path or with a folder below it is reported, and the rest is found all the same.

    Raises:
        VideoError: without ``on_error``: a path does not exist or cannot be read, or a folder
            holds no video.
    """
    found: dict[str, Path] = {}
    for given in paths:
        videos, errors = _videos_at(given)
        for error in errors:
            if on_error is None:
                raise error
            on_error(error)
        for video in videos:
            found.setdefault(os.path.realpath(video), video)
    return list(found.values())


def check_path(path: str | os.PathLike[str]) -> None:
    """Raise the VideoError that says why ``path`` cannot be a readable file, if so."""
    status = _status(path)
    if stat.S_ISDIR(status.st_mode):
        raise VideoError(f"{path} is a folder; name a file in it")
    if not stat.S_ISREG(status.st_mode):
        raise VideoError(f"{path} is not a regular file; save it to disk first")
    if status.st_size == 0:
        raise VideoError(f"{path} is empty (zero bytes); copy or record it again")
    if not os.access(path, os.R_OK, effective_ids=os.access in os.supports_effective_ids):
        raise VideoError(f"no permission to read {path}; change its permissions or its owner")


def _status(path: str | os.PathLike[str]) -> os.stat_result:
    if not os.fspath(path):
        raise VideoError("an empty path; name a file or folder")
    try:
        return os.stat(path)
    except (FileNotFoundError, NotADirectoryError) as error:
        try:
            target = os.readlink(path)
        except OSError:
            raise VideoError(f"no such file: {path}") from error
        raise VideoError(f"{path} is a link to {target}, which does not exist") from error
    except PermissionError as error:
        raise VideoError(
            f"no permission to reach {path}; change the permissions or the owner of its folder"
        ) from error
    except (OSError, ValueError) as error:  # ValueError: a zero character in the path
        reason = getattr(error, "strerror", None) or error
        raise VideoError(f"cannot reach {path} ({reason}); name another file") from error


def _videos_at(given: str | os.PathLike[str]) -> tuple[list[Path], list[VideoError]]:
    """The file, or the videos of the folder, at a path that the user gave; what is wrong there."""
    try:
        if not stat.S_ISDIR(_status(given).st_mode):
            check_path(given)
            return [Path(given)], []
    except VideoError as error:
        return [], [error]
    errors: list[VideoError] = []
    inside = list(_videos_below(Path(given), errors.append))
    if not inside and not errors:
        errors = [VideoError(f"no videos in the folder {given}; name a video file to try it")]
    return inside, errors


def _videos_below(folder: Path, report: OnError) -> Iterator[Path]:
    def on_error(error: OSError) -> None:
        if not isinstance(error, FileNotFoundError):  # vanished
            report(
                VideoError(
                    f"cannot look into {error.filename} ({error.strerror}); change its "
                    "permissions or its owner"
                )
            )

    visited: set[tuple[int, int]] = set()
    for parent, folders, names in os.walk(folder, onerror=on_error, followlinks=True):
        try:
            status = os.stat(parent)
        except OSError as error:
            on_error(error)
            folders.clear()
            continue
        if (status.st_dev, status.st_ino) in visited:
            folders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if name.startswith(".") or path.suffix.lower() not in VIDEO_SUFFIXES:
                continue
            try:
                is_file = stat.S_ISREG(os.stat(path).st_mode)
            except OSError as error:
                on_error(error)
                continue
            if is_file and (path.suffix.lower() != ".ts" or _is_transport_stream(path)):
                yield path


def _is_transport_stream(path: Path) -> bool:
    """Tell MPEG transport streams from TypeScript, which has the same suffix."""
    try:
        with path.open("rb") as file:
            head = file.read(193)
    except OSError:
        return True  # unreadable: leave it to the reader to say so
    # Packets of 188 bytes, in some recordings behind a time code of 4 bytes.
    return head[:1] == head[188:189] == _TRANSPORT_STREAM_SYNC or (
        head[4:5] == _TRANSPORT_STREAM_SYNC and b"\0" in head
    )
