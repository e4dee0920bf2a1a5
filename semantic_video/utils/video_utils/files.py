"""Where videos lie, and how many cores may work on them."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Iterator
from pathlib import Path

from semantic_video.errors import VideoError

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


def find_videos(paths: Iterable[str | os.PathLike[str]]) -> list[Path]:
    """The files as given, and the videos in the folders given, in order and without repeats.

    Folders are searched to any depth, sorted by name; hidden entries are left out, linked folders
    are followed once.

    Raises:
        VideoError: a path does not exist, or a folder holds no video.
    """
    found: dict[Path, Path] = {}
    for given in map(Path, paths):
        if given.is_dir():
            inside = list(_videos_below(given))
            if not inside:
                raise VideoError(f"no videos in the folder {given}; name a video file to try it")
        else:
            check_path(given)
            inside = [given]
        for path in inside:
            found.setdefault(path.resolve(), path)
    return list(found.values())


def check_path(path: Path) -> None:
    """Raise the VideoError that says why ``path`` cannot be a readable file, if so."""
    if not path.exists():
        if path.is_symlink():
            raise VideoError(f"{path} is a link to {os.readlink(path)}, which does not exist")
        raise VideoError(f"no such file: {path}")
    if path.is_dir():
        raise VideoError(f"{path} is a folder; name a video file in it")
    if not path.is_file():
        raise VideoError(f"{path} is not a regular file; save the video to disk first")
    if path.stat().st_size == 0:
        raise VideoError(f"{path} is empty (zero bytes); copy or record it again")
    if not os.access(path, os.R_OK):
        raise VideoError(f"no permission to read {path}; change its permissions or its owner")


def _videos_below(folder: Path) -> Iterator[Path]:
    visited: set[tuple[int, int]] = set()
    for parent, folders, names in os.walk(folder, followlinks=True):
        status = os.stat(parent)
        if (status.st_dev, status.st_ino) in visited:
            folders.clear()
            continue
        visited.add((status.st_dev, status.st_ino))
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in sorted(names):
            path = Path(parent, name)
            if not name.startswith(".") and path.suffix.lower() in VIDEO_SUFFIXES:
                if path.suffix.lower() == ".ts" and not _is_transport_stream(path):
                    continue
                if path.is_file():
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


def available_cores() -> int:
    """Cores this process may use: its affinity and the quota of its container, at least 1."""
    if hasattr(os, "process_cpu_count"):  # Python 3.13
        cores = os.process_cpu_count() or 1
    elif hasattr(os, "sched_getaffinity"):
        cores = len(os.sched_getaffinity(0))
    else:
        cores = os.cpu_count() or 1
    return max(1, min([cores, *(math.ceil(quota) for quota in _container_quotas())]))


def _container_quotas(
    root: Path = Path("/sys/fs/cgroup"), membership: Path = Path("/proc/self/cgroup")
) -> Iterator[float]:
    """CPU quotas, in cores, of the control groups above this process (Linux)."""
    try:
        lines = membership.read_text(encoding="utf-8").splitlines()
    except OSError:
        return
    for line in lines:
        _, controllers, group = line.split(":", 2)
        base = root / controllers if controllers else root
        place = base / group.lstrip("/")
        for folder in (place, *place.parents):
            quota = _quota(folder)
            if quota:
                yield quota
            if folder == base:
                break


def _quota(folder: Path) -> float | None:
    try:
        if (folder / "cpu.max").exists():  # version 2
            limit, period = (folder / "cpu.max").read_text(encoding="utf-8").split()
        else:
            limit = (folder / "cpu.cfs_quota_us").read_text(encoding="utf-8")
            period = (folder / "cpu.cfs_period_us").read_text(encoding="utf-8")
        return int(limit) / int(period) if limit.strip() != "max" and int(limit) > 0 else None
    except (OSError, ValueError):
        return None
