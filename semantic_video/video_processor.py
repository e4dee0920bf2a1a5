"""One video, from file to answers: the promised API, in the order in which the data flows."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import Config, load_config, options_hash
from semantic_video.encoders import ImageTextEncoder, load_encoder
from semantic_video.errors import LibraryError, QueryError, VideoError
from semantic_video.indexing import (
    STAGES,
    clustering_id,
    first_stale_stage,
    settings,
    stage_hashes,
    stale_perception,
)
from semantic_video.library import (
    ClusteringRecord,
    Library,
    StoredMemory,
    VideoRecord,
    fingerprint,
)
from semantic_video.memory_hierarchy import MemoryHierarchy, SceneEntries
from semantic_video.queries import encode_queries
from semantic_video.records import Span
from semantic_video.scene_retrieval import Moments, SceneRetriever
from semantic_video.semantic_clustering import (
    SPECTRAL_LIMIT,
    SemanticClustering,
    load_vocabulary,
    name_clusters,
)
from semantic_video.stored_memory import (
    clustering_record,
    memory_from_stored,
    scene_spans,
    stored_from_memory,
)
from semantic_video.utils.video_utils.files import check_path

if TYPE_CHECKING:
    from semantic_video.perception import Progress

Note = Callable[[str], None]
"""Called with a line for the user."""

DEFAULT_NUM_CLUSTERS = 10
"""In Python, where neither the caller nor a configuration says; the command line uses auto."""


@dataclass(frozen=True, slots=True)
class IndexReport:
    """What bringing one video's index up to date took.

    ``done`` names the stages that ran, empty where the index was up to date; ``seconds`` is wall
    time.
    """

    record: VideoRecord
    done: tuple[str, ...]
    seconds: float

    def as_dict(self) -> dict[str, Any]:
        record = self.record
        return {
            "id": record.id,
            "path": record.path,
            "duration_s": record.duration_s,
            "scenes": record.scenes,
            "clusters": record.clusters,
            "seconds": round(self.seconds, 3),
            "times_real_time": (
                round(record.duration_s / self.seconds, 2) if "vectors" in self.done else None
            ),
            "undecoded_s": record.undecoded_s,
            "done": list(self.done),
        }


class SemanticVideoProcessor:
    """Gives one video a memory, and answers from it.

    Args:
        video_path: the film.
        num_clusters: how many semantic clusters, or "auto"; default as configured, else 10.
        memory_size: at most so many entries are kept; default as configured (1000).
        clustering_method: "kmeans" or "spectral"; default as configured ("kmeans").
        seed: makes clustering repeatable; default as configured (0).
        model: name of the image-text encoder; default as configured ("lite").
        library: where the index lies: a directory, or an open library; default as configured.
        config: options, or a YAML file with some; see ``configs/default_config.yaml``.
        progress: called as ``progress(stage, done_s, total_s)`` while the film is watched.
        note: called with a line for the user, for instance when another program holds the library.

    Raises:
        ConfigError: an option that cannot be.
        LibraryError: the library cannot be opened or made.
    """

    def __init__(
        self,
        video_path: str | Path,
        num_clusters: int | Literal["auto"] | None = None,
        memory_size: int | None = None,
        clustering_method: str | None = None,
        *,
        seed: int | None = None,
        model: str | None = None,
        library: str | Path | Library | None = None,
        config: Config | str | Path | None = None,
        progress: Progress | None = None,
        note: Note | None = None,
    ) -> None:
        options = config if isinstance(config, Config) else load_config(config)
        if num_clusters is None and "clustering.num_clusters" not in options.given:
            num_clusters = DEFAULT_NUM_CLUSTERS
        given: dict[str, dict[str, Any]] = {
            "encoder": {"model": model},
            "clustering": {
                "num_clusters": num_clusters,
                "method": clustering_method,
                "seed": seed,
            },
            "memory": {"memory_size": memory_size},
        }
        self.config = options.override(
            {
                section: {name: value for name, value in values.items() if value is not None}
                for section, values in given.items()
            },
            source="SemanticVideoProcessor",
        )
        self.video_path = Path(video_path)
        self._progress: Progress = progress or (lambda stage, done_s, total_s: None)
        self._note: Note = note or (lambda line: None)
        self._encoder: ImageTextEncoder = load_encoder(
            self.config.encoder.model,
            threads=self.config.encoder.threads,
            device=self.config.encoder.device,
        )
        self._library = (
            library
            if isinstance(library, Library)
            else Library(library or self.config.library, create=True)
        )
        self._memory: MemoryHierarchy | None = None
        self._retriever: SceneRetriever | None = None

    def __repr__(self) -> str:
        state = repr(self._memory) if self._memory is not None else "no memory built yet"
        return f"SemanticVideoProcessor({str(self.video_path)!r}): {state}"

    def build_semantic_memory(self) -> MemoryHierarchy:
        """The video's memory; the film is watched only where the library does not hold it yet.

        What the library holds is never changed behind the user's back: this processor's clustering
        is found there, or made and kept beside the one that the command line uses. Where the video
        was indexed with a smaller budget, the entries that are left are used. Where it was indexed
        with another model or other scenes, the film is watched for this processor alone and
        nothing is kept (``index`` replaces what the library holds).

        Raises:
            VideoError: the film cannot be read.
            LibraryError: the library cannot be read or written.
        """
        record = self._known()
        if record is None:
            record = self.index().record
        stale = stale_perception(record, self.config, self._encoder.fingerprint)
        same_encoder = record.model_fingerprint == self._encoder.fingerprint
        if stale is None or (same_encoder and not os.path.exists(self.video_path)):
            memory = self._from_library(record)
        else:
            self._note(
                f"{record.name} is indexed with other options: watched for this processor alone"
            )
            memory = self._organise(self._watch(None)[1])
        self._memory = memory
        self._retriever = SceneRetriever([(str(self.video_path), memory)], self.config.retrieval)
        return memory

    def query_semantic_memory(
        self, query: str, k: int | None = None, exact: bool = False
    ) -> Moments:
        """The moments that show what ``query`` says, best first; builds the memory if need be.

        Args:
            query: what to find, in plain words.
            k: at most so many moments; default as configured (10).
            exact: score every scene rather than those of the likely clusters.

        Raises:
            QueryError: the query is empty, or ``k`` is less than 1.
        """
        if not query.strip():
            raise QueryError('the query is empty; say what to find, for instance "a dog"')
        if k is not None and k < 1:
            raise QueryError(f"k={k}: ask for at least 1 moment")
        if self._retriever is None:
            self.build_semantic_memory()
        assert self._retriever is not None
        return self._retriever.search(encode_queries(self._encoder, [query])[0], query, k, exact)

    def index(self) -> IndexReport:
        """Bring the library up to date with this film and these options.

        Only stages whose input changed run again, and those after them. The clustering made here
        becomes the active one.

        Raises:
            VideoError: the film cannot be read, or changed while it was read.
            LibraryError: the library cannot be read or written.
        """
        started = time.perf_counter()
        record = self._known()
        stale: str | None = "scenes"
        if record is not None:
            stale = first_stale_stage(record, self.config, self._encoder.fingerprint)
            record = self._relocated(record)
            if stale is None:
                return IndexReport(record, (), time.perf_counter() - started)
        assert stale is not None
        if record is not None and stale == "clusters":
            saved = self._regroup(record)
        else:
            saved = self._rebuild(record, stale, started)
        return IndexReport(saved, STAGES[STAGES.index(stale) :], time.perf_counter() - started)

    def _from_library(self, record: VideoRecord) -> MemoryHierarchy:
        """The stored entries, grouped as this processor groups and cut to its budget."""
        stored = self._library.load(record.id)
        clustering = self._clustering_of(stored, record)
        if clustering not in stored.clusterings:
            try:
                self._library.save_clustering(
                    record.id, clustering, generation=record.generation, on_wait=self._note
                )
            except LibraryError as error:  # read-only: this process has it all the same
                self._note(str(error))
        memory = memory_from_stored(stored, record, clustering)
        if len(memory) > self.config.memory.memory_size:
            memory = memory.consolidate(self.config.memory.memory_size)
        return memory

    def _clustering_of(self, stored: StoredMemory, record: VideoRecord) -> ClusteringRecord:
        """This processor's clustering of the stored entries: found there, or made."""
        own = clustering_id(self.config)
        for clustering in stored.clusterings:
            if clustering.id == own:
                return clustering
        return clustering_record(own, self._organise(memory_from_stored(stored, record).entries))

    def _known(self) -> VideoRecord | None:
        """The library's record of this very film, which may be offline or have moved."""
        if not os.path.exists(self.video_path):
            try:
                return self._library.resolve(self.video_path)
            except LibraryError:
                check_path(self.video_path)
        check_path(self.video_path)
        record, match = self._library.find(self.video_path)
        if record is None or match == "changed" or not self._library.holds(record.id):
            return None  # a damaged index is made anew
        return record

    def _relocated(self, record: VideoRecord) -> VideoRecord:
        """The record, with the place of a film that was moved or touched noted in the library."""
        if not os.path.exists(self.video_path):
            return record
        here = os.path.abspath(self.video_path)
        state = _state(self.video_path)
        if record.path == here and (record.size, record.mtime_ns) == state:
            return record
        if record.path != here:
            if os.path.exists(record.path):
                self._note(f"{self.video_path.name}: a copy of {record.path}, which is indexed")
                return record
            self._note(f"{self.video_path.name}: recognised, it was {record.path}")
        return self._library.relocate(record.id, here, on_wait=self._note)

    def _regroup(self, record: VideoRecord) -> VideoRecord:
        """Make this processor's clustering of the entries the active one."""
        clustering = self._clustering_of(self._library.load(record.id), record)
        with self._library.writer(self._note):
            saved = self._library.save_clustering(
                record.id, clustering, make_active=True, generation=record.generation
            )
            saved = replace(saved, settings=settings(self.config))
            self._library.update(saved)
        return saved

    def _rebuild(self, record: VideoRecord | None, stale: str, started: float) -> VideoRecord:
        """Make the entries anew from the film, or from finer entries, and save everything."""
        if record is not None and stale == "memory":
            stored = self._library.load(record.id)
            entries = memory_from_stored(stored, record).entries
            thumbnails = stored.thumbnails
        else:
            known = None
            if record is not None and stale == "vectors":
                known = scene_spans(self._library.load(record.id))
            record, entries, thumbnails = self._watch(known)
        self._progress("grouping scenes", record.duration_s, record.duration_s)
        memory = self._organise(entries)
        clustering = replace(clustering_record(clustering_id(self.config), memory), active=True)
        record = replace(
            record,
            stages=stage_hashes(self.config, self._encoder.fingerprint),
            settings=settings(self.config),
            indexed_at="",
        )
        if stale != "memory":
            record = replace(record, index_seconds=time.perf_counter() - started)
        stored = stored_from_memory(memory, [clustering], thumbnails)
        return self._library.save(record, stored, on_wait=self._note)

    def _watch(
        self, scenes: Sequence[Span] | None
    ) -> tuple[VideoRecord, SceneEntries, Mapping[float, bytes]]:
        """Decode the film once: its facts, one entry a scene, a small picture a scene."""
        from semantic_video.perception import perceive

        path = self.video_path
        before = _state(path)
        perception = perceive(path, self._encoder, self.config, self._progress, scenes)
        mark = fingerprint(path)
        if _state(path) != before:
            raise VideoError(f"{path} changed while it was read: index it again once it is whole")
        info = perception.info
        facts = {
            "pixel_format": info.pixel_format,
            "rotation": info.rotation,
            "video_streams": info.video_streams,
            "audio_streams": info.audio_streams,
            "start_time_s": info.start_time_s,
        }
        seen = VideoRecord(
            path=os.path.abspath(path),
            name=path.name,
            size=before[0],
            mtime_ns=before[1],
            fingerprint=mark,
            duration_s=perception.duration_s,
            width=info.width,
            height=info.height,
            codec=info.codec,
            average_fps=info.average_fps,
            recorded_at=info.recorded_at,
            info=facts,
            model_id=self._encoder.model_id,
            model_fingerprint=self._encoder.fingerprint,
            undecoded_s=perception.undecoded_s,
            notes=perception.notes,
        )
        return seen, perception.entries, perception.thumbnails

    def _organise(self, entries: SceneEntries) -> MemoryHierarchy:
        """Group the entries by what they show, name the groups, and keep to the budget."""
        vectors = entries.entry_vectors.astype(np.float32)
        options = self.config.clustering
        method = options.method
        if method == "spectral" and len(entries) > SPECTRAL_LIMIT:
            # A refusal now would throw away hours of watching.
            self._note(
                f"spectral takes up to {SPECTRAL_LIMIT} scenes and there are {len(entries)}: "
                "grouped by k-means instead"
            )
            method = "kmeans"
        clustering = SemanticClustering(method, options.num_clusters, options.seed).fit(
            vectors, entries.entry_weights
        )
        vocabulary = load_vocabulary()
        names = name_clusters(
            clustering.centroids(vectors, entries.entry_weights),
            vocabulary,
            self._vocabulary_vectors(vocabulary),
            background=vectors,
        )
        limits = self.config.memory
        return MemoryHierarchy.build(
            entries, clustering, names, limits.memory_size, limits.exemplars
        )

    def _vocabulary_vectors(self, vocabulary: tuple[str, ...]) -> NDArray[np.float16]:
        """The encoded vocabulary [V, D], made once for each encoder and kept in the library."""
        key = options_hash(self._encoder.fingerprint, vocabulary)
        return self._library.cached_array(
            "vocabulary", key, lambda: self._encoder.encode_texts(vocabulary).astype(np.float16)
        )


def _state(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError as error:
        raise VideoError(f"cannot read {path}: {error.strerror}") from error
    return state.st_size, state.st_mtime_ns
