"""What every run writes down beside its figures, so that it can be repeated and judged."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict
from functools import cache
from pathlib import Path
from typing import Any

from semantic_video import __version__
from semantic_video.config import Config
from semantic_video.encoders import load_encoder
from semantic_video.errors import SemanticVideoError
from semantic_video.utils.cores import available_cores


def conditions(config: Config, **more: Any) -> dict[str, Any]:
    """Hardware, commit, versions, encoder, options, and whatever else a run depends on."""
    return {
        "commit": commit(),
        "version": __version__,
        "encoder": load_encoder(config.encoder.model).fingerprint,
        "hardware": hardware(),
        "config": plain_config(config),
        **more,
    }


def hardware() -> dict[str, Any]:
    """The machine, in the words that a reader of a table needs."""
    return {
        "processor": _processor(),
        "cores": available_cores(),
        "memory_gb": round(_memory_bytes() / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
    }


def plain_config(config: Config) -> dict[str, Any]:
    """The options as the YAML file has them; where the index lies says nothing about results."""
    values = asdict(config)
    del values["given"], values["library"]
    return values


@contextmanager
def measured() -> Iterator[dict[str, float]]:
    """Seconds on the wall and of the processor (children too) that a block takes."""
    took: dict[str, float] = {}
    wall, cpu = time.perf_counter(), _cpu_s()
    try:
        yield took
    finally:
        took["wall_s"] = round(time.perf_counter() - wall, 2)
        took["cpu_s"] = round(_cpu_s() - cpu, 2)


def in_a_line(command: Callable[[], None]) -> int:
    """Run a command and return its exit status; what cannot be is said in a line."""
    try:
        command()
    except OSError as error:
        print(f"{error.filename}: {error.strerror}" if error.filename else error, file=sys.stderr)
        return 2
    except (SemanticVideoError, json.JSONDecodeError) as error:
        print(error, file=sys.stderr)
        return 2
    return 0


def write_json(path: Path, content: Mapping[str, Any]) -> None:
    """Write a result; the file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_text(json.dumps(content, indent=1) + "\n", encoding="utf-8")
    part.replace(path)


def write_lines(path: Path, lines: Iterable[Mapping[str, Any]]) -> None:
    """Write one JSON object a line, such as what was answered to each query."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("w", encoding="utf-8") as file:
        for line in lines:
            print(json.dumps(line), file=file)


def folder_bytes(path: Path) -> int:
    """Bytes of all files below a folder."""
    return sum(file.stat().st_size for file in path.rglob("*") if file.is_file())


def _cpu_s() -> float:
    return sum(
        usage.ru_utime + usage.ru_stime
        for usage in map(resource.getrusage, (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    )


@cache
def commit() -> str | None:
    """The commit that the code is at, with a mark where files differ from it."""
    here = Path(__file__).parent
    try:
        asked = ["git", "-C", str(here), "describe", "--always", "--dirty", "--abbrev=10"]
        done = subprocess.run(asked, capture_output=True, text=True, check=True)
    except (OSError, subprocess.CalledProcessError):
        return None  # not a clone
    return done.stdout.strip()


def _processor() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            for line in lines:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor() or platform.machine()


def _memory_bytes() -> int:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0
