"""A film streams into a memory: what the process weighs meanwhile, and the scenes as they came.

    python -m experiments.memory_stream FILM --out DIR [--memory-size 64]

Writes DIR/scenes.npz (spans, frame times and vectors of every scene) and DIR/stream.json (resident
memory of the process and entries held, every 30 s of the film). Scenes go to the disk as they
close, so that only the memory itself can grow. Ctrl-C ends it with what was seen.
"""

from __future__ import annotations

import argparse
import json
import struct
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

import numpy as np

from experiments.run_record import in_a_line
from semantic_video.config import load_config
from semantic_video.encoders import load_encoder
from semantic_video.library import Library
from semantic_video.scene_stream import ClosedScene, SceneStream
from semantic_video.utils.video_utils.live import LiveSource
from semantic_video.watching import StreamingMemory

_EVERY_S = 30.0


class RecordedScenes(SceneStream):
    """Cuts scenes as ever, and writes each to a file as it closes."""

    def record_to(self, path: Path) -> None:
        self._file = path.open("wb")

    def _take(self, span: Any) -> ClosedScene:
        scene = super()._take(span)
        self._file.write(struct.pack("<ddi", *scene.span, len(scene.times)))
        self._file.write(scene.times.astype("<f8").tobytes())
        self._file.write(scene.vectors.astype("<f4").tobytes())
        self._file.flush()
        return scene


def stream(film: Path, out: Path, memory_size: int) -> dict[str, Any]:
    """Stream one film; what the process weighed."""
    out.mkdir(parents=True, exist_ok=True)
    config = load_config().override(
        {"memory": {"memory_size": memory_size, "thumbnails": False}}, "the experiment"
    )
    encoder = load_encoder("lite")
    raw, samples, due_s = out / "scenes.bin", [], 0.0
    began = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        memory = StreamingMemory(config, encoder, Library(folder, create=True))
        scenes = RecordedScenes(encoder, config, memory.budget.frame.entries)
        scenes.record_to(raw)
        memory._scenes = scenes
        try:
            for frame in LiveSource(str(film), encoder.input_size).frames():
                assert not isinstance(frame, tuple)
                memory.update([frame])
                if frame.time_s >= due_s:
                    samples.append((round(frame.time_s, 1), resident_mb(), len(memory.stream)))
                    due_s += _EVERY_S
        except KeyboardInterrupt:
            print("stopped early")
        memory.close()
    report = {
        "film_s": memory.latest_s,
        "seconds": round(time.perf_counter() - began, 1),
        "memory_size": memory_size,
        "scenes": memory.stream.scenes,
        "samples": samples,
    }
    (out / "stream.json").write_text(json.dumps(report), encoding="utf-8")
    _pack(raw, out / "scenes.npz", encoder.dimension)
    return report


def resident_mb() -> float:
    """Resident memory of this process, in MB (Linux)."""
    pages = int(Path("/proc/self/statm").read_text(encoding="utf-8").split()[1])
    return round(pages * 4096 / 1e6, 1)


def _pack(raw: Path, target: Path, dimension: int) -> None:
    spans, counts, times, vectors = [], [], [], []
    content, place = raw.read_bytes(), 0
    while place < len(content):
        start_s, end_s, count = struct.unpack_from("<ddi", content, place)
        place += 20
        times.append(np.frombuffer(content, "<f8", count, place))
        place += 8 * count
        rows = np.frombuffer(content, "<f4", count * dimension, place)
        vectors.append(rows.reshape(count, dimension))
        place += 4 * count * dimension
        spans.append((start_s, end_s))
        counts.append(count)
    np.savez(
        target,
        spans=np.array(spans),
        counts=np.array(counts),
        times=np.concatenate(times),
        vectors=np.concatenate(vectors),
    )
    raw.unlink()


def main() -> None:
    """Stream one film."""
    parser = argparse.ArgumentParser(description="Stream a film into a memory and weigh it.")
    parser.add_argument("film", type=Path)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--memory-size", type=int, default=64)
    arguments = parser.parse_args()
    report = stream(arguments.film, arguments.out, arguments.memory_size)
    weights = [mb for _, mb, _ in report["samples"]]
    print(
        f"{report['film_s']:.0f} s in {report['seconds']} s, {report['scenes']} scenes; resident "
        f"memory {weights[len(weights) // 10]} MB after a tenth, {weights[-1]} MB at the end, "
        f"{max(weights)} MB at most"
    )


if __name__ == "__main__":
    sys.exit(in_a_line(main))
