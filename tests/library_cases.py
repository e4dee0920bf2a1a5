"""Made-up memories for the tests of the library, and a process that keeps on saving them.

``python -m tests.library_cases LIBRARY save FIRST LAST [ROUNDS]`` saves the videos FIRST to LAST-1
again and again, and ``... LIBRARY hold`` takes the library for writing and keeps it; both print a
line when they begin.
"""

from __future__ import annotations

import hashlib
import itertools
import sys
import time
from pathlib import Path

import numpy as np

from semantic_video.library import ClusteringRecord, Library, StoredMemory, VideoRecord
from semantic_video.records import SceneSpan


def make_record(video: int, version: int = 0) -> VideoRecord:
    return VideoRecord(
        path=f"/films/{video}.mp4",
        name=f"{video}.mp4",
        size=1000 + video,
        mtime_ns=version,
        fingerprint=hashlib.blake2b(str(video).encode(), digest_size=16).hexdigest(),
        duration_s=60.0,
        settings={"version": version},
    )


def make_memory(video: int, version: int = 0, entries: int = 12, dimension: int = 16):
    """Another version of a video has other values and another number of everything."""
    random = np.random.default_rng([video, version])
    entries += version % 5
    exemplars = 3 * entries
    return StoredMemory(
        entry_vectors=random.standard_normal((entries, dimension)).astype(np.float16),
        entry_weights=random.random(entries, dtype=np.float32),
        entry_spans=tuple(
            tuple(SceneSpan(3 * i + j, 3.0 * i + j, 3.0 * i + j + 1) for j in range(1 + i % 3))
            for i in range(entries)
        ),
        exemplar_vectors=random.standard_normal((exemplars, dimension)).astype(np.float16),
        exemplar_times=np.sort(random.random(exemplars)),
        exemplar_entries=np.repeat(np.arange(entries, dtype=np.int32), 3),
        clusterings=(
            make_clustering("k", entries, 4, version, active=True),
            make_clustering("s", entries, 2, version),
        ),
        thumbnails={float(i): random.bytes(100) for i in range(entries)},
    )


def make_clustering(
    identity: str, entries: int, clusters: int = 3, seed: int = 0, active: bool = False
) -> ClusteringRecord:
    return ClusteringRecord(
        id=identity,
        method="kmeans",
        num_clusters="auto",
        seed=seed,
        assignments=np.random.default_rng(seed).integers(0, clusters, entries, dtype=np.int32),
        names=tuple(f"cluster {i}" for i in range(clusters)),
        reason="as a test wants it",
        corrections=({"scene": 1, "cluster": 2},),
        active=active,
    )


ARRAYS = (
    "entry_vectors",
    "entry_weights",
    "exemplar_vectors",
    "exemplar_times",
    "exemplar_entries",
)


def assert_same(got: StoredMemory, expected: StoredMemory, thumbnails: bool = True) -> None:
    for name in ARRAYS:
        assert_same_array(getattr(got, name), getattr(expected, name))
    assert got.entry_spans == expected.entry_spans
    assert len(got.clusterings) == len(expected.clusterings)
    for one, other in zip(
        *(sorted(memory.clusterings, key=lambda c: c.id) for memory in (got, expected)), strict=True
    ):
        assert_same_clustering(one, other)
    assert got.thumbnails == (expected.thumbnails if thumbnails else {})


def assert_same_clustering(got: ClusteringRecord, expected: ClusteringRecord) -> None:
    assert_same_array(got.assignments, expected.assignments)
    for name in ("id", "method", "num_clusters", "seed", "names", "reason", "active"):
        assert getattr(got, name) == getattr(expected, name)
    assert got.corrections == expected.corrections


def assert_same_array(got: np.ndarray, expected: np.ndarray) -> None:
    assert got.dtype == expected.dtype
    assert got.shape == expected.shape
    assert got.tobytes() == expected.tobytes()


def assert_whole(library: Library) -> int:
    """Every video is exactly one of the versions that were ever saved; returns their number."""
    records = library.videos()
    for record in records:
        memory = library.load(record.id)
        version = memory.active_clustering.seed
        assert_same(memory, make_memory(int(record.name.removesuffix(".mp4")), version))
        if record in library.videos():  # else another process has just saved it once more
            assert version == record.settings["version"]
    return len(records)


def main(directory: str, task: str, *arguments: str) -> None:
    library = Library(Path(directory))
    library.videos()  # loads Lance, so that a kill after "ready" hits the work
    if task == "hold":
        with library.writer():
            print("ready", flush=True)
            time.sleep(600)
    first, last, *rounds = map(int, arguments)
    print("ready", flush=True)
    for version in itertools.count() if not rounds else range(rounds[0]):
        for video in range(first, last):
            library.save(make_record(video, version), make_memory(video, version))
        if version % 3 == 2:
            library.maintain()


if __name__ == "__main__":
    main(*sys.argv[1:])
