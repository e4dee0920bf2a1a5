"""Watching a video that need not end, while its memory is searchable from other processes.

source - LiveSource -> frames - SceneStream -> scenes - MemoryStream -> entries -> library
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np

from semantic_video.config import Config
from semantic_video.encoders import ImageTextEncoder
from semantic_video.errors import VideoError
from semantic_video.indexer import VideoIndexer
from semantic_video.indexing import clustering_id, settings
from semantic_video.library import Library, VideoRecord, fingerprint
from semantic_video.memory_hierarchy import Budget, MemoryHierarchy, MemoryStream
from semantic_video.memory_hierarchy.again import Again, Sightings
from semantic_video.records import Return, Span
from semantic_video.scene_stream import ClosedScene, SceneStream, StreamFrame
from semantic_video.semantic_clustering import Correction
from semantic_video.stored_memory import (
    clustering_record,
    memory_facts,
    memory_from_stored,
    pictures_within,
    stored_from_memory,
)
from semantic_video.utils.video_utils.live import LiveSource, Retry

_MOST_NOTES = 20
_MOST_SHARE = 0.1  # of the time that publishing may take
_MAINTAIN_EVERY = 10


@dataclass(frozen=True, slots=True)
class SceneSeen:
    """A scene that closed: where it lies, what it returns from (surest first)."""

    span: Span
    returns: tuple[Return, ...]


class StreamingMemory:
    """A memory that frames stream into, in constant memory whatever their number.

    Args:
        config: how scenes are found, and the budget.
        encoder: the image-text encoder.
        library: keeps what can be made again, such as the encoded vocabulary of names.
    """

    def __init__(self, config: Config, encoder: ImageTextEncoder, library: Library) -> None:
        limits = config.memory
        self.config = config
        self.budget = Budget(
            encoder.dimension,
            limits.memory_size,
            limits.exemplars,
            limits.spans,
            limits.max_bytes,
        )
        self.stream = MemoryStream(self.budget)
        self._scenes = SceneStream(encoder, config, self.budget.frame.entries)
        self._pictures: dict[float, bytes] = {}
        self._indexer = VideoIndexer(Path(), config, encoder, library)
        self._memory: MemoryHierarchy | None = None

    @property
    def open_frames(self) -> int:
        """Frame vectors held of the scene that is open."""
        return self._scenes.open_frames

    @property
    def latest_s(self) -> float:
        """Time of the latest frame."""
        return self._scenes.latest_s

    def update(self, frames: Iterable[StreamFrame]) -> list[SceneSeen]:
        """Take frames in order of time; the scenes that closed meanwhile."""
        # One by one: what closed before a frame that is refused is kept.
        return [seen for frame in frames for seen in self._add(self._scenes.update([frame]))]

    def close(self, end_s: float | None = None) -> list[SceneSeen]:
        """The video ends here, or is interrupted: close what is open."""
        return self._add(self._scenes.close(self.latest_s if end_s is None else end_s))

    def resume(self, start_s: float) -> None:
        """After `close`: it goes on at ``start_s``."""
        self._scenes.resume(start_s)

    def restore(self, memory: MemoryHierarchy, pictures: dict[float, bytes], at_s: float) -> None:
        """Go on from a memory that was kept, at ``at_s``."""
        self.stream.resume(memory.entries, memory.returns, memory.history)
        self._pictures = dict(pictures)
        self._memory = None
        self._scenes.resume(at_s)

    def memory(self) -> MemoryHierarchy:
        """The memory as it is now, grouped and named. There has to be a scene."""
        if self._memory is None:
            # Codes would have to be made anew as the stream goes on: it keeps vectors.
            self._memory = self._indexer.organise(
                self.stream.entries(), self.stream.returns, self.stream.history, coded=False
            )
        return self._memory

    def pictures(self) -> dict[float, bytes]:
        """Small pictures by time, at most one for each entry."""
        self._pictures = dict(pictures_within(self.memory(), self._pictures))
        return self._pictures

    def _add(self, closed: list[ClosedScene]) -> list[SceneSeen]:
        seen = []
        for scene in closed:
            found = self.stream.add(scene.span, scene.times, scene.vectors)
            seen.append(SceneSeen(scene.span, tuple(found)))
            if scene.picture is not None:
                self._pictures[scene.picture[0]] = scene.picture[1]
            self._memory = None
        if len(self._pictures) > 2 * self.budget.memory_size:
            self.pictures()
        return seen


def live_source(
    source: str,
    config: Config,
    encoder: ImageTextEncoder,
    note: Callable[[str], None] = lambda line: None,
    follow_s: float = 0.0,
) -> LiveSource:
    """``source`` read as the options say, with pictures large enough for the encoder."""
    options = config.watching
    return LiveSource(
        source,
        encoder.input_size,
        Retry(options.retry_s, options.most_retry_s, options.retries),
        follow_s,
        every_frame=config.reading.every_frame,
        note=note,
    )


class Watcher:
    """Watches ``live`` into the library until it ends or is interrupted.

    Args:
        live: see `live_source`.
        config: options.
        encoder: the image-text encoder that ``config`` names.
        library: where the memory is published, again and again.
        on_scene: called with each scene that closed and what it shows again, if anything.
        note: called with a line for the user.
        fresh: begin anew where an address was watched before.
    """

    def __init__(
        self,
        live: LiveSource,
        config: Config,
        encoder: ImageTextEncoder,
        library: Library,
        on_scene: Callable[[SceneSeen, Again | None], None] = lambda seen, again: None,
        note: Callable[[str], None] = lambda line: None,
        fresh: bool = False,
    ) -> None:
        self._live = live
        self._config, self._encoder, self._library = config, encoder, library
        self._on_scene, self._note, self._fresh = on_scene, note, fresh
        self.streaming = StreamingMemory(config, encoder, library)
        self.record: VideoRecord | None = None
        self.gaps: list[Span] = []
        self._gap_s, self._gap_count = 0.0, 0
        self._started = time.perf_counter()
        self._due = 0.0
        self._published = 0
        self._changed = False
        self._before_s = 0.0
        self._sightings = Sightings()
        self._corrections: tuple[Correction, ...] = ()
        self._uses: dict[int, int] = {}

    def run(self) -> VideoRecord:
        """Watch to the end; Ctrl-C (`KeyboardInterrupt`) ends it cleanly. The record as published.

        Raises:
            VideoError: the source cannot be opened, or nothing of it was seen.
        """
        if self._config.memory.compression != "none":
            self._note("vectors are kept: codes are made by `index`, not while watching")
        self._resume()
        try:
            for item in self._live.frames():
                self._take(item)
        except KeyboardInterrupt:
            self._note(f"{self._live.name}: stopped; what was seen is kept")
        self._scenes(self.streaming.close())
        if self.streaming.stream.scenes == 0:
            raise VideoError(f"nothing of {self._live.name} was seen; is it a video?")
        if self._changed or self.record is None:
            self._publish()
        self._library.maintain(on_wait=self._note)
        assert self.record is not None
        return self.record

    def _take(self, item: StreamFrame | Span) -> None:
        if isinstance(item, Span):
            gap = Span(item.start_s + self._before_s, item.end_s + self._before_s)
            self._scenes(self.streaming.close())
            self.streaming.resume(gap.end_s)
            self._lose(gap)
            return
        if self._before_s:
            item = _Later(item, self._before_s)
        self._scenes(self.streaming.update([item]))
        if self._changed and time.perf_counter() >= self._due:
            self._publish()

    def _scenes(self, seen: list[SceneSeen]) -> None:
        for scene in seen:
            self._changed = True
            self._on_scene(scene, self._sightings.add(scene.span, scene.returns))

    def _lose(self, gap: Span) -> None:
        self._gap_count += 1
        self._gap_s += gap.end_s - gap.start_s
        self.gaps = [*self.gaps, gap][-_MOST_NOTES:]
        self._note(
            f"{self._live.name}: nothing was seen from {gap.start_s:.1f} to {gap.end_s:.1f} s"
        )

    def _resume(self) -> None:
        """Go on where an address was watched before: the time between is a gap."""
        if not self._live.is_address or self._fresh:
            return
        known = [one for one in self._library.videos() if one.path == self._live.name]
        if not known or known[0].model_fingerprint != self._encoder.fingerprint:
            return
        record = known[0]
        stored = self._library.load(record.id)
        ended = datetime.fromisoformat(record.indexed_at)
        away_s = max(0.0, (datetime.now(UTC) - ended).total_seconds())
        self.record = record
        self._before_s = record.duration_s + away_s
        memory = memory_from_stored(stored, record)
        self.streaming.restore(memory, dict(stored.thumbnails), self._before_s)
        self._sightings.grouped(memory)
        self._lose(Span(record.duration_s, self._before_s))

    def _publish(self) -> None:
        began = time.perf_counter()
        grouped = self.streaming.memory()
        record = self._describe(grouped)
        # Held from reading the corrections to saving them: what another process edits meanwhile
        # is either among them or waits until they are saved.
        with self._library.writer(self._note):
            self._take_over(record)
            memory = grouped.corrected(self._corrections) if self._corrections else grouped
            memory = replace(memory, uses=self._uses)
            stored = stored_from_memory(
                memory,
                [replace(clustering_record(clustering_id(self._config), memory), active=True)],
                self.streaming.pictures(),
            )
            self.record = self._library.save(
                replace(record, memory=memory_facts(memory)), stored, on_wait=self._note
            )
        self._sightings.grouped(memory)
        self._changed = False
        self._published += 1
        if self._published % _MAINTAIN_EVERY == 0:
            self._library.maintain(on_wait=self._note)
        took = time.perf_counter() - began
        wait = max(self._config.watching.publish_s, took / _MOST_SHARE)
        self._due = time.perf_counter() + wait

    def _take_over(self, record: VideoRecord) -> None:
        """Read what was changed by hand, and used, in the index that ``record`` will replace.

        It holds for the same footage only: this very stream, or a file of the same content.
        """
        earlier = _replaced(record, self._library.videos())
        if earlier is None:  # nothing was there, or somebody has removed it meanwhile
            return
        read = self._library.load_many([earlier.id], on_error=lambda damaged, error: None)
        active = read[earlier.id].active_clustering if earlier.id in read else None
        if active is None:  # damaged: what was read last holds on
            return
        is_file = bool(record.mtime_ns)
        if record.id or (is_file and earlier.fingerprint == record.fingerprint):
            self._corrections = tuple(map(Correction.from_dict, active.corrections))
        elif active.corrections:
            count = len(active.corrections)
            self._note(
                f"{record.name}: begun anew; {count} correction{'s' * (count != 1)} by hand to "
                "what was there before went with it"
            )
        if record.id:
            uses = earlier.memory.get("uses", {})
            self._uses = {int(scene): count for scene, count in uses.items()}

    def _describe(self, memory: MemoryHierarchy) -> VideoRecord:
        live = self._live
        path, name, mark, state = live.name, live.name, "", (0, 0)
        if not live.is_address and os.path.isfile(live.source):
            path, name = os.path.abspath(live.source), Path(live.source).name
            mark = fingerprint(live.source)
            status = os.stat(live.source)
            state = (status.st_size, status.st_mtime_ns)
        mark = mark or hashlib.blake2b(path.encode(), digest_size=16).hexdigest()
        base = self.record or VideoRecord(
            path=path, name=name, size=0, mtime_ns=0, fingerprint=mark
        )
        return replace(
            base,
            path=path,
            name=name,
            size=state[0],
            mtime_ns=state[1],
            fingerprint=mark,
            duration_s=max(span.end_s for own in memory.entries.entry_spans for span in own),
            width=live.width,
            height=live.height,
            codec=live.codec,
            recorded_at=None,
            info={"watched": True, "gaps": [list(gap) for gap in self.gaps]},
            model_id=self._encoder.model_id,
            model_fingerprint=self._encoder.fingerprint,
            stages={},
            settings=settings(self._config),
            index_seconds=time.perf_counter() - self._started,
            undecoded_s=round(float(self._gap_s), 3),
            notes=self._notes(),
            indexed_at="",
        )

    def _notes(self) -> tuple[str, ...]:
        notes = [
            f"nothing was seen from {gap.start_s:.1f} to {gap.end_s:.1f} s (the stream was lost)"
            for gap in self.gaps
        ]
        if self._gap_count > len(self.gaps):
            notes.insert(0, f"the stream was lost {self._gap_count} times; the last ones:")
        return tuple(notes)


def _replaced(record: VideoRecord, videos: Sequence[VideoRecord]) -> VideoRecord | None:
    """The video whose place ``record`` takes in the library."""
    if record.id:
        return next((one for one in videos if one.id == record.id), None)
    alike = [one for one in videos if one.fingerprint == record.fingerprint]
    return next(iter(alike + [one for one in videos if one.path == record.path]), None)


class _Later:
    """A frame of a stream that goes on after an earlier one."""

    def __init__(self, frame: Any, by_s: float) -> None:
        self._frame = frame
        self.time_s: float = frame.time_s + by_s

    @property
    def small(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        return self._frame.small  # type: ignore[no-any-return]

    def rgb(self) -> np.ndarray[Any, np.dtype[np.uint8]]:
        return self._frame.rgb()  # type: ignore[no-any-return]

    def jpeg(self) -> bytes:
        return self._frame.jpeg()  # type: ignore[no-any-return]
