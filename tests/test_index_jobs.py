"""Several films indexed at once, each in a process of its own."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from semantic_video.library import Library
from tests.media import Shot, render, write_video
from tests.processes import heeds_ctrl_c

SHOTS = [Shot(seed, 2.0) for seed in (1, 2, 3, 1, 2, 3)]
LINUX = pytest.mark.skipif(sys.platform != "linux", reason="looks into /proc")


@pytest.fixture(scope="module")
def films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("films")
    return [write_video(folder / f"{i}.mp4", render(SHOTS[i:])) for i in range(4)]


@pytest.fixture(scope="module")
def long_films(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    folder = tmp_path_factory.mktemp("long")
    return [write_video(folder / f"{i}.mp4", render([*SHOTS[i:], *SHOTS * 25])) for i in range(2)]


def start(*arguments: object, stderr: int = subprocess.PIPE) -> subprocess.Popen[bytes]:
    return subprocess.Popen(
        [sys.executable, "-m", "semantic_video", "index", *map(str, arguments)],
        stdout=subprocess.PIPE,
        stderr=stderr,
        preexec_fn=heeds_ctrl_c if os.name == "posix" else None,
    )


def workers(process: subprocess.Popen[bytes], count: int) -> list[int]:
    """The processes that index for this one, once there are so many."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    while True:
        found = []
        for child in children.read_text(encoding="utf-8").split():
            with contextlib.suppress(OSError):
                if b"spawn_main" in Path(f"/proc/{child}/cmdline").read_bytes():
                    found.append(int(child))
        if len(found) >= count:
            return found
        assert process.poll() is None
        time.sleep(0.01)


def test_films_at_once_are_indexed_as_one_by_one(films: list[Path], tmp_path: Path) -> None:
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(b"nothing")
    given = [films[0], broken, *films[1:]]
    reports = []
    for jobs in (1, 3):
        library = tmp_path / f"l{jobs}"
        process = start(*given, "--library", library, "--jobs", jobs, "--json")
        out, talk = process.communicate()
        assert process.returncode == 1, talk
        assert talk.count(b"semantic-video: ") == 1
        assert b"broken.mp4 is not a video" in talk
        reports.append(json.loads(out))
    for report in reports:
        assert [Path(one["path"]) for one in report] == films  # in the order given
    for one, other in zip(*reports, strict=True):
        for key in ("scenes", "clusters", "frames_decoded", "frames_encoded", "done"):
            assert one[key] == other[key]
    for video in Library(tmp_path / "l3").videos():
        other = Library(tmp_path / "l1").resolve(video.path)
        assert video.checksum == other.checksum


def test_what_no_film_is_at_fault_for_ends_all(films: list[Path], tmp_path: Path) -> None:
    library = tmp_path / "l"
    assert start(films[0], "--library", library, "--quiet").wait() == 0
    (library / "writer.lock").unlink()
    (library / "writer.lock").mkdir()  # nobody can write
    process = start(*films[1:], "--library", library, "--jobs", 2)
    _, talk = process.communicate()
    assert process.returncode == 2
    assert talk.count(b"semantic-video: ") == 1
    assert b"semantic-video: cannot write to the library" in talk.splitlines()[-1]


@pytest.mark.skipif(sys.platform == "win32", reason="pseudo-terminals of POSIX")
def test_ctrl_c_ends_all_and_says_what_is_kept_of_each(
    long_films: list[Path], tmp_path: Path
) -> None:
    import pty

    ours, theirs = pty.openpty()
    process = start(
        *long_films, "--library", tmp_path / "l", "--jobs", 2, "--depth", "full", stderr=theirs
    )
    os.close(theirs)
    talk = b""
    while not all(b"%d.mp4: watching" % i in talk for i in range(2)):
        talk += os.read(ours, 4096)
    process.send_signal(signal.SIGINT)
    with contextlib.suppress(OSError):  # at the end no process has the terminal open
        while chunk := os.read(ours, 4096):
            talk += chunk
    assert process.wait() == 130
    assert talk.count(b"stopped before anything could be kept") == 2
    assert b"stopped; what was finished is kept" in talk
    assert b"Traceback" not in talk


@LINUX
def test_films_of_a_process_that_dies_fail_and_the_others_are_indexed(
    films: list[Path], long_films: list[Path], tmp_path: Path
) -> None:
    library = tmp_path / "l"
    process = start(long_films[0], *films[:2], "--library", library, "--jobs", 2)
    os.kill(min(workers(process, 2)), signal.SIGKILL)
    _, talk = process.communicate()
    assert process.returncode == 1, talk
    assert b"0.mp4: the process that indexed it ended (-9)" in talk
    assert b"fewer --jobs" in talk
    assert {video.path for video in Library(library).videos()} == {str(film) for film in films[:2]}


@LINUX
def test_nobody_goes_on_without_the_one_who_asked(long_films: list[Path], tmp_path: Path) -> None:
    process = start(*long_films, "--library", tmp_path / "l", "--jobs", 2, "--depth", "full")
    workers(process, 2)
    process.kill()
    _, talk = process.communicate()  # which waits until no process has its end of the pipe
    assert b"Traceback" not in talk
    assert Library(tmp_path / "l").videos() == []
