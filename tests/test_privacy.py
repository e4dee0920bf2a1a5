"""Nothing leaves the machine: indexing and searching ask the network for nothing."""

from __future__ import annotations

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.media import Shot, render, write_video

# Reports every attempt of Python code to reach a host or to look one up; local pipes are allowed.
GUARDED = """
import socket, sys

def refuse(event, details):
    if event in ("socket.getaddrinfo", "socket.gethostbyname", "socket.sendto"):
        raise SystemExit(f"network use: {event} {details}")
    if event == "socket.connect" and details[0].family != getattr(socket, "AF_UNIX", None):
        raise SystemExit(f"network use: {event} {details[1:]}")

sys.addaudithook(refuse)
from semantic_video.cli import run
status = run(sys.argv[1:])
sys.exit(status)
"""


def commands(film: Path, library: Path) -> list[list[str]]:
    options = ["--library", str(library)]
    return [
        ["index", str(film), *options],
        ["search", "a person walking", *options],
        ["clusters", film.name, *options],
        ["doctor", *options],
    ]


def test_no_python_code_reaches_for_the_network(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", render([Shot(1, 1), Shot(2, 1)]))
    for command in commands(film, tmp_path / "library"):
        done = subprocess.run(
            [sys.executable, "-c", GUARDED, *command], capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        assert "network use" not in done.stderr


def test_everything_works_without_a_network(tmp_path: Path) -> None:
    """In a network namespace without even a loopback, where native code fails as well."""
    unshare = shutil.which("unshare")
    alone = [str(unshare), "--net", "--map-root-user"]
    if unshare is None or subprocess.run([*alone, "true"], check=False).returncode:
        pytest.skip("no `unshare --net` here")
    film = write_video(tmp_path / "film.mp4", render([Shot(1, 1), Shot(2, 1)]))
    for command in commands(film, tmp_path / "library"):
        done = subprocess.run(
            [*alone, sys.executable, "-m", "semantic_video", *command],
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
