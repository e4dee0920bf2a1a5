"""Frame vectors of a film, made once and kept in a folder, so that methods compare in minutes.

All methods see what the same encoder made: `second_frames` the frame of every second, and
`scene_entries` what the product keeps when it watches with some options.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import Config, options_hash
from semantic_video.encoders import ImageTextEncoder
from semantic_video.library import fingerprint
from semantic_video.memory_hierarchy import SceneEntries
from semantic_video.perception import perceive
from semantic_video.records import SceneSpan, Span
from semantic_video.scene_encoder import SceneEncoder
from semantic_video.utils.video_utils import Plan, VideoReader

HASH_SIDE = 8


@dataclass(frozen=True, slots=True, eq=False)
class FilmFrames:
    """A frame for every second: ``times_s`` [F], unit ``vectors`` float32 [F, D], ``hashes``
    bool [F, 64] (which blocks are lighter than the mean); and the film's ``shots``."""

    duration_s: float
    times_s: NDArray[np.float64]
    vectors: NDArray[np.float32]
    hashes: NDArray[np.bool_]
    shots: tuple[Span, ...]


def second_frames(
    film: Path, encoder: ImageTextEncoder, shots: Sequence[Span], cache: Path
) -> FilmFrames:
    """The frame of every second of a film, from ``cache`` or made and put there."""
    path = cache / f"seconds-{options_hash(fingerprint(film), encoder.fingerprint)}.npz"
    if not path.exists():
        times: list[float] = []
        hashes: list[NDArray[np.bool_]] = []
        with (
            VideoReader(film, cover=encoder.input_size) as reader,
            SceneEncoder(encoder) as scene_encoder,
        ):
            for frame in reader.frames(Plan.all(skip_nonreference=True)):
                if times and math.floor(frame.time_s) <= math.floor(times[-1]):
                    continue
                times.append(frame.time_s)
                hashes.append(_block_hash(frame.small))
                scene_encoder.add(frame.time_s, frame.rgb())
            duration_s = reader.end_s
        _keep(
            path,
            duration_s=duration_s,
            times_s=np.array(times),
            vectors=scene_encoder.frames.vectors.astype(np.float16),
            hashes=np.array(hashes),
        )
    with np.load(path) as kept:
        return FilmFrames(
            float(kept["duration_s"]),
            kept["times_s"],
            kept["vectors"].astype(np.float32),
            kept["hashes"],
            tuple(shots),
        )


def scene_entries(
    film: Path,
    encoder: ImageTextEncoder,
    config: Config,
    cache: Path,
    windows_s: float | None = None,
    known: SceneEntries | None = None,
) -> SceneEntries:
    """What the product keeps of a film, before anything is grouped or cut to a budget.

    ``windows_s`` puts windows of so many seconds in the place of scenes. Vectors of ``known``
    entries, made with the same encoder, are taken over.
    """
    key = options_hash(
        fingerprint(film),
        encoder.fingerprint,
        config.reading,
        config.segmentation,
        config.sampling,
        windows_s,
    )
    path = cache / f"entries-{key}.npz"
    if not path.exists():
        with VideoReader(film) as reader:
            duration_s = reader.info.duration_s
        windows = None
        if windows_s is not None:
            bounds = [*np.arange(0, duration_s - windows_s / 2, windows_s), duration_s]
            windows = [Span(float(a), float(b)) for a, b in pairwise(bounds)]
        vectors = {}
        if known is not None:
            times = known.exemplar_times.tolist()
            vectors = dict(zip(times, known.exemplar_vectors, strict=True))
        for perception in perceive(film, encoder, config, _silent, windows, vectors):
            entries = perception.entries
        _keep(path, **_arrays(entries))
    with np.load(path) as kept:
        return _entries(kept)


def _keep(path: Path, **arrays: Any) -> None:
    """Write arrays; the file is whole or not there."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"part-{path.name}")
    np.savez(part, **arrays)
    part.replace(path)


def _arrays(entries: SceneEntries) -> dict[str, Any]:
    rows = [(entry, *span) for entry, own in enumerate(entries.entry_spans) for span in own]
    return {
        "entry_vectors": entries.entry_vectors,
        "entry_weights": entries.entry_weights,
        "spans": np.array(rows, dtype=np.float64),
        "exemplar_vectors": entries.exemplar_vectors,
        "exemplar_times": entries.exemplar_times,
        "exemplar_entries": entries.exemplar_entries,
    }


def _entries(kept: Mapping[str, NDArray[Any]]) -> SceneEntries:
    spans: list[list[SceneSpan]] = [[] for _ in kept["entry_weights"]]
    for entry, scene, start_s, end_s in kept["spans"].tolist():
        spans[int(entry)].append(SceneSpan(int(scene), start_s, end_s))
    return SceneEntries(
        kept["entry_vectors"],
        kept["entry_weights"],
        tuple(map(tuple, spans)),
        kept["exemplar_vectors"],
        kept["exemplar_times"],
        kept["exemplar_entries"],
    )


def _silent(stage: str, done_s: float, total_s: float) -> None:
    pass


def _block_hash(small: NDArray[np.uint8]) -> NDArray[np.bool_]:
    """Which of 8 x 8 blocks are lighter than the mean of all: bool [64]."""
    luma = small[:, :, 0].astype(np.float32)
    means = np.array(
        [
            [cell.mean() for cell in np.array_split(row, HASH_SIDE, axis=1)]
            for row in np.array_split(luma, HASH_SIDE, axis=0)
        ]
    )
    return np.asarray(means > means.mean()).ravel()
