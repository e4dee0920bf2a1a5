"""Bringing one video's index up to date: what is missing or stale is made, the rest is kept."""

from __future__ import annotations

import contextlib
import os
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import Config
from semantic_video.editing import Change, brought_up_to_date, edit_video
from semantic_video.encoders import ImageTextEncoder
from semantic_video.errors import LibraryError, OutdatedError, VideoError
from semantic_video.grouping import grouped
from semantic_video.indexing import (
    STAGES,
    clustering_id,
    first_stale_stage,
    gave_up,
    refined_share,
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
from semantic_video.memory_hierarchy import (
    History,
    MemoryHierarchy,
    SceneEntries,
    find_returns,
)
from semantic_video.moe_experts import ExpertCoder, TrainedExperts
from semantic_video.records import Return, Span
from semantic_video.semantic_clustering import (
    Clustering,
    Correction,
)
from semantic_video.stored_memory import (
    clustering_record,
    memory_facts,
    memory_from_stored,
    pictures_within,
    scene_spans,
    stored_from_memory,
)
from semantic_video.transcription import Transcription
from semantic_video.utils.pace import Pace
from semantic_video.utils.video_utils.files import check_path
from semantic_video.vocabulary import vocabulary_vectors

if TYPE_CHECKING:
    from semantic_video.perception import Perception, Progress

Note = Callable[[str], None]
"""Called with a line for the user."""


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
            "frames_decoded": record.info.get("frames_decoded"),
            "frames_encoded": record.info.get("frames_encoded"),
            "done": list(self.done),
        }


class VideoIndexer:
    """Makes and keeps what the library holds of one film.

    Args:
        path: the film.
        config: how it is to be indexed.
        encoder: the image-text encoder that ``config`` names.
        library: where the index lies.
        progress: called as ``progress(stage, done_s, total_s)`` while the film is watched.
        note: called with a line for the user.
    """

    def __init__(
        self,
        path: Path,
        config: Config,
        encoder: ImageTextEncoder,
        library: Library,
        progress: Progress | None = None,
        note: Note | None = None,
    ) -> None:
        self.path = path
        self.config = config
        self._encoder = encoder
        self._library = library
        self._progress: Progress = progress or (lambda stage, done_s, total_s: None)
        if config.pace.cpu < 1:
            self._progress = _paced(self._progress, Pace(config.pace.cpu))
        self._note: Note = note or (lambda line: None)

    def memory(self) -> MemoryHierarchy:
        """The film's memory; it is watched only where the library does not hold it yet.

        What the library holds is never changed: see ``SemanticVideoProcessor``.
        """
        record = self.known()
        unfinished = record is not None and refined_share(record) < 1
        if record is None or (unfinished and os.path.exists(self.path)):
            record = self.index().record
        stale = stale_perception(record, self.config, self._encoder.fingerprint)
        same_encoder = record.model_fingerprint == self._encoder.fingerprint
        if stale is None or (same_encoder and not os.path.exists(self.path)):
            return self._from_library(record)
        self._note(f"{record.name} is indexed with other options: watched for this processor alone")
        *_, (_, perception) = self._watch(None)
        return self.organise(perception.entries, *_first_sight(perception.entries))

    def index(self) -> IndexReport:
        """Bring the library up to date with this film and these options.

        Only stages whose input changed run again, and those after them. The clustering made here
        becomes the active one. What is said and written are passes of their own, see
        `Transcription`.

        Raises:
            VideoError: the film cannot be read, or changed while it was read.
            LibraryError: the library cannot be read or written.
        """
        with contextlib.suppress(OutdatedError):
            return self._index()
        return self._index()  # another process indexed the film meanwhile: what is left after it

    def _index(self) -> IndexReport:
        clock = _Clock()
        earlier = self.known()
        words = Transcription(
            self.path, self.config, self._encoder, self._library, self._progress, self._note
        )
        lines = words.known(earlier)
        record, done = self._index_pictures(earlier, clock)
        took = record.index_cpu_seconds or record.index_seconds
        if done:
            took = clock.cpu_s
        record, read = words.update(record, lines, took)
        return IndexReport(record, done + read, clock.wall_s)

    def edit(self, change: Change) -> MemoryHierarchy:
        """Correct this film's clusters by hand, see `editing`; the memory afterwards."""
        record = self.known()
        if record is None or stale_perception(record, self.config, self._encoder.fingerprint):
            raise LibraryError(
                f"{self.path.name} is not in the library with these options: index it first"
            )
        return edit_video(self._library, record, change, clustering_id(self.config))[1]

    def _index_pictures(
        self, record: VideoRecord | None, clock: _Clock
    ) -> tuple[VideoRecord, tuple[str, ...]]:
        """Scenes, vectors, memory and clusters: the record, and which of them were made."""
        stale: str | None = "scenes"
        if record is not None:
            stale = first_stale_stage(record, self.config, self._encoder.fingerprint)
            record = self._relocated(record)
            if stale is None:
                return record, ()
        assert stale is not None
        if record is not None and stale == "clusters":
            saved = self._regroup(record)
        else:
            saved = self._rebuild(record, stale, clock)
        return saved, STAGES[STAGES.index(stale) :]

    def experts(self) -> bytes | None:
        """The trained experts of this processor's clustering, where the library has them."""
        record = self.known()
        if record is None:
            return None
        return self._library.experts([record.id], clustering_id(self.config)).get(record.id)

    def keep_experts(self, weights: bytes) -> None:
        """Keep trained experts with this processor's clustering, where the library has that."""
        record = self.known()
        own = clustering_id(self.config)
        if record is None:
            return
        if all(clustering.id != own for clustering in self._library.load(record.id).clusterings):
            return  # a memory made for this processor alone, or a library that cannot be written
        self._library.save_experts(record.id, own, weights, record.generation, on_wait=self._note)

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
        limits = self.config.memory
        coder = self._coder(memory.entries)
        if coder is not None:
            memory = memory.coded(coder)
        if len(memory) > limits.memory_size or limits.max_bytes not in (None, memory.max_bytes):
            memory = memory.consolidate(limits.memory_size, limits.max_bytes)
        elif limits.memory_size > memory.memory_size and not gave_up(record):
            memory = replace(memory, memory_size=limits.memory_size)  # nothing was cut: all fits
        return memory

    def _clustering_of(self, stored: StoredMemory, record: VideoRecord) -> ClusteringRecord:
        """This processor's clustering of the stored entries: found there, or made."""
        own = clustering_id(self.config)
        for clustering in stored.clusterings:
            if clustering.id == own:
                memory = memory_from_stored(stored, record, clustering)
                return brought_up_to_date(clustering, stored.active_clustering, memory)
        memory = memory_from_stored(stored, record)
        grouped = self._grouped(memory.entries, memory.clustering.corrections)
        return clustering_record(own, memory.recluster(*grouped))

    def known(self) -> VideoRecord | None:
        """The library's record of this very film, which may be offline or have moved."""
        if not os.path.exists(self.path):
            try:
                return self._library.resolve(self.path)
            except LibraryError:
                check_path(self.path)
        check_path(self.path)
        record, match = self._library.find(self.path)
        if record is None or match == "changed" or not self._library.holds(record.id):
            return None  # a damaged index is made anew
        return record

    def _relocated(self, record: VideoRecord) -> VideoRecord:
        """The record, with the place of a film that was moved or touched noted in the library."""
        if not os.path.exists(self.path):
            return record
        here = os.path.abspath(self.path)
        state = _state(self.path)
        if record.path == here and (record.size, record.mtime_ns) == state:
            return record
        if record.path != here:
            if os.path.exists(record.path):
                self._note(f"{self.path.name}: a copy of {record.path}, which is indexed")
                return record
            self._note(f"{self.path.name}: recognised, it was {record.path}")
        return self._library.relocate(record.id, here, on_wait=self._note)

    def _regroup(self, record: VideoRecord) -> VideoRecord:
        """Make this processor's clustering of the entries the active one."""
        clustering = self._clustering_of(self._library.load(record.id), record)
        if self._library.experts([record.id]) and not self._library.experts(
            [record.id], clustering.id
        ):
            self._note(
                f"{record.name}: its experts are of the clusters it had and rest until those are "
                "back; `semantic-video train` makes some for these"
            )
        with self._library.writer(self._note):
            saved = self._library.save_clustering(
                record.id, clustering, make_active=True, generation=record.generation
            )
            saved = replace(saved, settings=settings(self.config))
            self._library.update(saved)
        return saved

    def _rebuild(self, record: VideoRecord | None, stale: str, clock: _Clock) -> VideoRecord:
        """Make the entries anew from the film, or from finer entries, and save everything.

        A film that is new, or whose index was never finished, is saved after each pass over it;
        what breaks off then leaves the passes before, and the next run takes their vectors over.
        """
        stored = None if record is None else self._library.load(record.id)
        before = memory_from_stored(stored, record) if stored and record else None
        corrections = before.clustering.corrections if before else ()
        if record and stored and before and stale == "memory":
            memory = self.organise(
                before.entries, before.returns, before.history, before.uses, corrections
            )
            weights = self._library.experts([record.id], clustering_id(self.config))
            saved = self._save(record, memory, stored.thumbnails)
            for trained in weights.values():  # of the same scenes
                self.keep_experts(trained)
            return saved
        scenes: Sequence[Span] | None = None
        vectors: dict[float, NDArray[np.float16]] = {}
        if record and stored:
            if stale == "vectors":
                scenes = scene_spans(stored)
            elif record.model_fingerprint == self._encoder.fingerprint and not record.coder:
                times = stored.exemplar_times.tolist()
                vectors = dict(zip(times, stored.exemplar_vectors, strict=True))
        early = record is None or refined_share(record) < 1
        for seen, perception in self._watch(scenes, vectors):
            refined, entries = perception.refined, perception.entries
            if refined < 1 and not early:
                continue
            if refined == 1:
                self._progress("grouping scenes", seen.duration_s, seen.duration_s)
            # The first look at a film is not grouped: it is to be there at once.
            clusters = 1 if refined == 0 else self.config.clustering.num_clusters
            memory = self.organise(
                entries,
                *_first_sight(entries),
                corrections=corrections,
                num_clusters=clusters,
                coded=refined == 1,
            )
            seen = replace(seen, index_seconds=clock.wall_s, index_cpu_seconds=clock.cpu_s)
            saved = self._save(seen, memory, perception.thumbnails, refined)
        return saved

    def _save(
        self,
        record: VideoRecord,
        memory: MemoryHierarchy,
        thumbnails: Mapping[float, bytes],
        refined: float = 1.0,
    ) -> VideoRecord:
        """Keep the memory; where it is not ``refined`` to the end, the next run watches on."""
        clustering = replace(clustering_record(clustering_id(self.config), memory), active=True)
        stages = stage_hashes(self.config, self._encoder.fingerprint)
        record = replace(
            record,
            stages=stages if refined == 1 else stages | {"scenes": ""},
            settings=settings(self.config),
            memory=memory_facts(memory),
            info={**record.info, "refined": round(refined, 3)},
            indexed_at="",
        )
        stored = stored_from_memory(memory, [clustering], pictures_within(memory, thumbnails))
        return self._library.save(record, stored, on_wait=self._note)

    def _watch(
        self,
        scenes: Sequence[Span] | None,
        vectors: Mapping[float, NDArray[np.float16]] | None = None,
    ) -> Iterator[tuple[VideoRecord, Perception]]:
        """Watch the film: its facts, and what each pass over it gave."""
        from semantic_video.perception import perceive

        path = self.path
        before = _state(path)
        passes = perceive(path, self._encoder, self.config, self._progress, scenes, vectors)
        with contextlib.closing(passes):
            for perception in passes:
                mark = fingerprint(path)
                if _state(path) != before:
                    raise VideoError(
                        f"{path} changed while it was read: index it again once it is whole"
                    )
                info = perception.info
                facts = {
                    "pixel_format": info.pixel_format,
                    "rotation": info.rotation,
                    "video_streams": info.video_streams,
                    "audio_streams": info.audio_streams,
                    "start_time_s": info.start_time_s,
                    "frames_decoded": perception.decoded,
                    "frames_encoded": perception.encoded,
                    "decoder": perception.decoder,
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
                yield seen, perception
        if self.config.reading.decoder == "cuda" and perception.decoder == "cpu":
            self._note(f"{path.name}: the GPU does not decode all of it, so the CPU did")

    def organise(
        self,
        entries: SceneEntries,
        returns: Sequence[Return],
        history: History,
        uses: Mapping[int, int] | None = None,
        corrections: Sequence[Correction] = (),
        num_clusters: int | Literal["auto"] | None = None,
        coded: bool = True,
    ) -> MemoryHierarchy:
        """Group the entries by what they show, name the groups, and keep to the budget.

        With ``coded`` vectors become codes where that is asked for and pays.
        """
        limits = self.config.memory
        return MemoryHierarchy.build(
            entries,
            *self._grouped(entries, corrections, num_clusters),
            limits.memory_size,
            limits.exemplars,
            spans=limits.spans,
            max_bytes=limits.max_bytes,
            returns=returns,
            history=history,
            uses=uses,
            coder=self._coder(entries) if coded else None,
        )

    def _grouped(
        self,
        entries: SceneEntries,
        corrections: Sequence[Correction],
        num_clusters: int | Literal["auto"] | None = None,
    ) -> tuple[Clustering, tuple[str, ...]]:
        options = self.config.clustering
        if num_clusters is not None:
            options = replace(options, num_clusters=num_clusters)
        return grouped(entries, corrections, options, self._encoder, self._library)

    def _coder(self, entries: SceneEntries) -> ExpertCoder | None:
        """Experts that keep the vectors of these entries as codes, where that is asked for.

        The codec of experts that were trained on the film is used, which several films may share;
        else one is fitted. None where vectors take fewer bytes than codes and experts together.
        """
        limits = self.config.memory
        if limits.compression == "none" or entries.coder is not None:
            return None
        texts = vocabulary_vectors(self._encoder, self._library).astype(np.float32)
        coder = self._trained_coder() or ExpertCoder.fit(
            entries, texts, limits.code_bytes, seed=self.config.clustering.seed
        )
        pays, least = coder.pays(entries, limits.max_bytes)
        if not pays:
            self._note(
                f"{self.path.name}: vectors are kept, since codes pay from {least} of them within "
                "the budget"
            )
            return None
        return coder

    def _trained_coder(self) -> ExpertCoder | None:
        """The codec of experts trained on this film, if they have one of the bytes asked for."""
        codec = None
        with contextlib.suppress(LibraryError):  # damaged experts are none
            weights = self.experts()
            codec = TrainedExperts.from_bytes(weights).codec if weights else None
        if codec is None or codec.bytes_per_vector != self.config.memory.code_bytes:
            return None
        return ExpertCoder(codec)


class _Clock:
    """Seconds since it was made: on the wall, and of processor time in all threads."""

    def __init__(self) -> None:
        self._wall_s, self._cpu_s = time.perf_counter(), time.process_time()

    @property
    def wall_s(self) -> float:
        return time.perf_counter() - self._wall_s

    @property
    def cpu_s(self) -> float:
        return time.process_time() - self._cpu_s


def _first_sight(entries: SceneEntries) -> tuple[tuple[Return, ...], History]:
    """What the scenes of a film just watched return from, and what was seen of it."""
    spans = [own[0] for own in entries.entry_spans]
    returns = find_returns(spans, entries.entry_vectors.astype(np.float32))
    return returns, History(scenes=len(spans), frames=len(entries.exemplar_times))


def _paced(progress: Progress, pace: Pace) -> Progress:
    """``progress`` that also waits, wherever there is progress, to keep the pace."""

    def paced(stage: str, done_s: float, total_s: float) -> None:
        progress(stage, done_s, total_s)
        pace.wait()

    return paced


def _state(path: Path) -> tuple[int, int]:
    try:
        state = path.stat()
    except OSError as error:
        raise VideoError(f"cannot read {path}: {error.strerror}") from error
    return state.st_size, state.st_mtime_ns
