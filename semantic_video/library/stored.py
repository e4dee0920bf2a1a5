"""What a library keeps of a video: a record of facts, the memory's arrays, its clusterings."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any, Self

import numpy as np
from numpy.typing import NDArray

from semantic_video.errors import LibraryError
from semantic_video.records import Return, SceneSpan


@dataclass(frozen=True, slots=True, kw_only=True)
class VideoRecord:
    """One video of the library: the file, what it was indexed with, and what came of it.

    Whoever indexes fills in everything but the last group, which `Library.save` fills in. Every
    value must survive JSON. A field added later needs a default, so that older libraries read.
    """

    path: str
    """Absolute, as the film was last seen; it may be offline."""
    name: str
    size: int
    """Bytes."""
    mtime_ns: int
    fingerprint: str
    """See `semantic_video.library.fingerprint`."""

    duration_s: float = 0.0
    width: int = 0
    height: int = 0
    codec: str = ""
    average_fps: float | None = None
    recorded_at: str | None = None
    """ISO 8601 with the zone, as the file says."""
    info: Mapping[str, Any] = field(default_factory=dict)
    """Everything else that the reader found out about the file."""

    model_id: str = ""
    model_fingerprint: str = ""
    stages: Mapping[str, str] = field(default_factory=dict)
    """Stage -> hash of its options and inputs: a stage is redone when its hash changes."""
    settings: Mapping[str, Any] = field(default_factory=dict)
    """Options as they were asked for."""
    index_seconds: float = 0.0
    index_cpu_seconds: float = 0.0
    """Processor time of the same, in all threads; 0 where an older version indexed."""
    undecoded_s: float = 0.0
    notes: tuple[str, ...] = ()
    indexed_at: str = ""
    """ISO 8601; `Library.save` fills in the present where it is empty."""

    id: str = ""
    """Short hexadecimal name within the library; empty before the first save."""
    generation: int = 0
    """Names the rows that belong to this state of the video; grows, unique in the library."""
    dimension: int = 0
    scenes: int = 0
    clusters: int = 0
    """Of the active clustering."""
    entries: int = 0
    exemplars: int = 0
    memory: Mapping[str, Any] = field(default_factory=dict)
    """What the memory has been through (``history``) and how often queries found a scene
    (``uses``); of a bounded size."""
    active_clustering: str = ""
    """Id of the clustering that the command line uses; empty if there is none."""
    checksum: str = ""
    """Of the stored arrays."""
    code_bytes: int = 0
    """Bytes of a frame's code where codes are kept in place of vectors, else 0."""
    coder: str = ""
    """Names what reads these codes, among the weights of the library."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        """The inverse of `as_dict`; what this version does not know is ignored."""
        known = {f.name: values[f.name] for f in fields(cls) if f.name in values}
        known["notes"] = tuple(known.get("notes", ()))
        return cls(**known)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class ClusteringRecord:
    """One way to group a video's entries; a video may have several, at most one active."""

    id: str
    """Unique within the video."""
    method: str
    num_clusters: int | str
    """As asked for: a number or ``auto``."""
    seed: int
    assignments: NDArray[np.int32]
    """The cluster of each entry, [N]."""
    names: tuple[str, ...]
    """One for each cluster."""
    reason: str = ""
    corrections: tuple[Mapping[str, Any], ...] = ()
    """What the user changed by hand, in order."""
    found_assignments: NDArray[np.int32] | None = None
    """The cluster of each entry before corrections, [N]; None where there are none."""
    found_names: tuple[str, ...] = ()
    """One for each cluster before corrections."""
    words: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """Name -> the words that speak for it."""
    active: bool = False

    def __post_init__(self) -> None:
        _require("assignments", self.assignments, np.int32, 1)


@dataclass(frozen=True, slots=True)
class Codec:
    """What reads the codes of a memory: bytes that only `moe_experts` understands.

    ``dimension`` is the length of the vectors that they decode to.
    """

    weights: bytes
    dimension: int


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class StoredMemory:
    """All that one generation of one video holds: N entries, M exemplars, vectors of length D.

    With a ``codec`` the vectors are codes of B bytes instead, uint8 [N, B + 1] of entries, the
    first byte naming the expert, and [M, B] of exemplars. Arrays come back from the library bit
    for bit as they were saved; they may be read-only views of larger ones.
    """

    entry_vectors: NDArray[np.float16] | NDArray[np.uint8]
    """[N, D]"""
    entry_weights: NDArray[np.float32]
    """[N]"""
    entry_spans: tuple[tuple[SceneSpan, ...], ...]
    """The scenes merged into each of the N entries."""
    exemplar_vectors: NDArray[np.float16] | NDArray[np.uint8]
    """[M, D]"""
    exemplar_times: NDArray[np.float64]
    """[M], seconds"""
    exemplar_entries: NDArray[np.int32]
    """[M], ascending: the entry that each exemplar belongs to."""
    returns: tuple[Return, ...] = ()
    """Which scenes show again what was seen before."""
    clusterings: tuple[ClusteringRecord, ...] = ()
    thumbnails: Mapping[float, bytes] = field(default_factory=dict)
    """Time in seconds -> JPEG."""
    codec: Codec | None = None

    def __post_init__(self) -> None:
        kind = np.float16 if self.codec is None else np.uint8
        _require("entry_vectors", self.entry_vectors, kind, 2)
        _require("entry_weights", self.entry_weights, np.float32, 1)
        _require("exemplar_vectors", self.exemplar_vectors, kind, 2)
        _require("exemplar_times", self.exemplar_times, np.float64, 1)
        _require("exemplar_entries", self.exemplar_entries, np.int32, 1)
        entries, width = self.entry_vectors.shape
        exemplars = len(self.exemplar_vectors)
        if not len(self.entry_weights) == len(self.entry_spans) == entries:
            raise ValueError("entry_vectors, entry_weights and entry_spans differ in length")
        if not len(self.exemplar_times) == len(self.exemplar_entries) == exemplars:
            raise ValueError("exemplar_vectors, _times and _entries differ in length")
        if self.exemplar_vectors.shape[1] != width - (self.codec is not None):
            raise ValueError("entry_vectors and exemplar_vectors differ in dimension")
        ids = [clustering.id for clustering in self.clusterings]
        if "" in ids or len(set(ids)) < len(ids):
            raise ValueError("clusterings need ids that differ")
        if sum(clustering.active for clustering in self.clusterings) > 1:
            raise ValueError("more than one clustering is active")
        if any(len(clustering.assignments) != entries for clustering in self.clusterings):
            raise ValueError("a clustering needs one assignment for each entry")

    @property
    def dimension(self) -> int:
        """D, the length of a vector."""
        return int(self.entry_vectors.shape[1]) if self.codec is None else self.codec.dimension

    @property
    def code_bytes(self) -> int:
        """B, or 0 where vectors are kept."""
        return 0 if self.codec is None else int(self.exemplar_vectors.shape[1])

    @property
    def active_clustering(self) -> ClusteringRecord | None:
        return next((c for c in self.clusterings if c.active), None)

    def checksum(self) -> str:
        """Hash of what never changes within a generation: everything but the clusterings."""
        digest = hashlib.blake2b(digest_size=16)
        for array in (
            self.entry_vectors,
            self.entry_weights,
            self.exemplar_vectors,
            self.exemplar_times,
            self.exemplar_entries,
        ):
            digest.update(np.ascontiguousarray(array).data)
        for spans in self.entry_spans:
            digest.update(np.array(spans, dtype=np.float64).tobytes())
        if self.returns:  # older libraries have none
            digest.update(np.array(self.returns, dtype=np.float64).tobytes())
        for time_s, jpeg in sorted(self.thumbnails.items()):
            digest.update(np.float64(time_s).tobytes() + jpeg)
        if self.codec is not None:
            digest.update(self.codec.weights)
        return digest.hexdigest()


@dataclass(frozen=True, slots=True)
class Finding:
    """One result of a check: ``what`` was looked at, its ``state``, and what to do about it."""

    ok: bool
    what: str
    state: str
    advice: str = ""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def _require(name: str, array: NDArray[Any], dtype: type, dimensions: int) -> None:
    if array.dtype != dtype or array.ndim != dimensions:
        raise ValueError(
            f"{name} must be {np.dtype(dtype)} with {dimensions} dimension(s), "
            f"not {array.dtype} with {array.ndim}"
        )


def damaged(library: Path, record: VideoRecord, reason: str) -> LibraryError:
    """The error that what a library holds of one video cannot be used."""
    return LibraryError(
        f"the index of {record.name} in the library at {library} is damaged "
        f"({reason}): index it again: `semantic-video remove {record.id}`, then "
        f"`semantic-video index {record.path}`"
    )
