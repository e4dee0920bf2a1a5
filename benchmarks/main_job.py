"""The main job measured: indexing a film, searching it from a cold start and in a running Python.

    python -m benchmarks.main_job FILM [--runs 5] [--every-frame] [--out report.json]

Prints JSON: times real time (wall and CPU), the peak memory of the indexing process, what the index
weighs, and the median time of a search. Figures of one machine at one moment: compare ratios.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from semantic_video import SemanticVideoProcessor
from semantic_video.library import Library
from semantic_video.utils.cores import available_cores

QUERIES = ("a person walking", "a dog on a beach", "cars on a road", "a kitchen", "a red bus")


def main() -> None:
    """Measure one film."""
    parser = argparse.ArgumentParser(description="Measure indexing and search.")
    parser.add_argument("film", type=Path)
    parser.add_argument("--runs", type=int, default=5, help="searches from a cold start")
    parser.add_argument("--every-frame", action="store_true", help="decode every frame")
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        report = measure(arguments.film, Path(folder), arguments.runs, arguments.every_frame)
    text = json.dumps(report, indent=2)
    print(text)
    if arguments.out:
        arguments.out.write_text(text + "\n", encoding="utf-8")


def measure(film: Path, folder: Path, runs: int, every_frame: bool) -> dict[str, Any]:
    """Figures of one film, indexed into an empty library below ``folder``."""
    library = folder / "library"
    command = [sys.executable, "-m", "semantic_video"]
    options = ["--library", str(library)]
    environment = os.environ | {"SEMANTIC_VIDEO_READING__EVERY_FRAME": str(every_frame).lower()}
    # The vocabulary is encoded once for each library; a first film that is not counted pays it.
    indexed = [*command, "index", str(film), *options, "--quiet"]
    first = timed(indexed, environment)
    subprocess.run([*command, "remove", str(film), *options, "--quiet"], check=True)
    index = timed(indexed, environment)
    (record,) = Library(library).videos()
    held = Library(library).load(record.id)
    vector_bytes = held.entry_vectors.nbytes + held.exemplar_vectors.nbytes
    picture_bytes = sum(map(len, held.thumbnails.values()))
    hours = record.duration_s / 3600
    cold = [
        timed([*command, "search", query, *options], environment)["seconds"]
        for _ in range(-(-runs // len(QUERIES)))
        for query in QUERIES
    ][:runs]
    processor = SemanticVideoProcessor(film, num_clusters="auto", library=library)
    processor.query_semantic_memory(QUERIES[0])
    warm = []
    for query in QUERIES * 10:
        started = time.perf_counter()
        processor.query_semantic_memory(query)
        warm.append(time.perf_counter() - started)
    return {
        "machine": f"{platform.machine()}, {available_cores()} cores, {platform.python_version()}",
        "film": {"name": film.name, "seconds": round(record.duration_s, 1), "codec": record.codec,
                 "size": f"{record.width}x{record.height}"},
        "every_frame": every_frame,
        "scenes": record.scenes,
        "index": {
            "seconds": round(index["seconds"], 2),
            "times_real_time": round(record.duration_s / index["seconds"], 1),
            "times_real_time_in_a_new_library": round(record.duration_s / first["seconds"], 1),
            "cpu_seconds": round(index["cpu_seconds"], 2),
            "peak_memory_mb": round(index["peak_memory_mb"]),
        },
        "bytes_per_hour": {
            "vectors": round(vector_bytes / hours),
            "thumbnails": round(picture_bytes / hours),
        },
        "search": {
            "cold_median_s": round(statistics.median(cold), 3),
            "cold_all_s": [round(seconds, 3) for seconds in cold],
            "warm_median_ms": round(1000 * statistics.median(warm), 2),
            "warm_max_ms": round(1000 * max(warm), 2),
        },
    }  # fmt: skip


def timed(command: list[str], environment: dict[str, str]) -> dict[str, float]:
    """Wall and CPU seconds of a command, and the peak of its memory in MB."""
    started = time.perf_counter()
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL)
    if not hasattr(os, "wait4"):
        raise SystemExit("this benchmark needs os.wait4 (Linux, macOS)")
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode:
        raise SystemExit(f"{' '.join(command)}: exit {process.returncode}")
    scale = 1 if sys.platform == "darwin" else 1024
    return {
        "seconds": time.perf_counter() - started,
        "cpu_seconds": usage.ru_utime + usage.ru_stime,
        "peak_memory_mb": usage.ru_maxrss * scale / 1e6,
    }


if __name__ == "__main__":
    main()
