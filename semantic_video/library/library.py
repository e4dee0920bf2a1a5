"""`Library`: many indexed videos in one directory."""

from __future__ import annotations

import contextlib
import json
import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from numpy.typing import NDArray

from semantic_video.errors import LibraryError, OutdatedError, QueryError
from semantic_video.library import film_files, lookup, rows, searches
from semantic_video.library.array_cache import CACHE, cached_array, remove_leftovers
from semantic_video.library.experts import (
    EXPERT_COLUMNS,
    EXPERT_KEYS,
    EXPERTS,
    expert_rows,
    keep_weights,
    names_by_key,
    stored_weights,
)
from semantic_video.library.health import findings
from semantic_video.library.lines import (
    LINE_COLUMNS,
    LINE_KEYS,
    LINES,
    WORD_COLUMNS,
    LineWords,
    line_rows,
    line_words,
    lines_by_generation,
)
from semantic_video.library.lock import OnWait, writer_lock
from semantic_video.library.manifest import broken, open_library
from semantic_video.library.memories import has_all_rows, of_generations, read_memories
from semantic_video.library.packs import read_pack, write_pack
from semantic_video.library.stored import (
    ClusteringRecord,
    Finding,
    StoredMemory,
    VideoRecord,
)
from semantic_video.library.tables import Tables, quoted
from semantic_video.library.upkeep import delete_dead_rows, tidy
from semantic_video.records import Line

OnDamage = Callable[[VideoRecord, LibraryError], None]
"""Called with a video that cannot be read, and why."""

_KEEP_VERSIONS = timedelta(minutes=10)
# Up to so many videos a table is asked for their rows; above it is read in full.
_FEW_VIDEOS = 16


def default_library_path() -> Path:
    """Where the library lies unless the user says otherwise: the user's data directory."""
    import platformdirs

    return platformdirs.user_data_path("semantic-video", appauthor=False)


class Library:
    """Many indexed videos in one local directory, by default at `default_library_path`.

    With ``create`` the library is made where the directory is missing or empty. Raises
    `LibraryError` where there is none, where it is broken, or where a newer program made it.

    Readers never wait and never see half of a change: every row belongs to a generation of its
    video, and the one row that says which generation counts is written last. Writers hold the
    library only while they write, one at a time; what a killed one left behind is invisible and is
    cleaned up by the next. Nothing is kept open or remembered between calls, so a `Library` always
    shows the present state and may be used from several threads.
    """

    def __init__(self, path: str | Path | None = None, *, create: bool = False) -> None:
        if path is not None and "://" in str(path):
            raise LibraryError(f"{path}: a library lies in a local directory, not at a URL")
        self._directory = Path(os.path.abspath(path or default_library_path()))
        self._tables = Tables(self._directory)
        self._thread_lock = threading.RLock()
        self._writers = 0
        open_library(self._directory, self._tables, create)

    @property
    def path(self) -> Path:
        """The directory; copy it as a whole to back up or move the library."""
        return self._directory

    def __repr__(self) -> str:
        return f"Library({str(self._directory)!r})"

    # Reading

    def videos(self) -> list[VideoRecord]:
        """All videos, by name."""
        table = self._tables.read(rows.VIDEOS, ["record"])
        try:
            records = rows.video_records(table)
        except (ValueError, TypeError, AttributeError) as error:
            raise broken(self._directory, "the table of videos makes no sense") from error
        return sorted(records, key=lambda record: (film_files.name_key(record.name), record.id))

    def resolve(self, text: str | Path) -> VideoRecord:
        """The video that ``text`` means.

        That is, in this order: the path of a film, which may be offline, or an address; its id;
        its file name; the file name in its address; the beginning of its id; the path of a film
        that was renamed or moved, by its fingerprint.
        Raises `LibraryError` that names the candidates where it means none or several.
        """
        return lookup.resolve(str(text), self.videos())

    def find(self, path: str | Path) -> tuple[VideoRecord | None, lookup.FileMatch]:
        """Which video the file at ``path`` is, and how it relates to what the library knows.

        ``same``: there is nothing to do (path, size and modification time are as they were, or
        the content is). ``moved``: a known film that is no longer at its old path; ``copied``: one
        that is still there as well. ``changed``: other content at a known path. ``new``: not known.
        Recognises content by its fingerprint.
        """
        return lookup.find(path, self.videos())

    def holds(self, video_id: str) -> bool:
        """Whether all the rows that the record of a video counts are there, without reading them.

        Where not, the video cannot be loaded, and indexing it again makes it whole.
        """
        while True:
            record = self._record(video_id)
            if has_all_rows(self._tables, record):
                return True
            if self._record(video_id) == record:  # else a writer has replaced it meanwhile
                return False

    def load(self, video_id: str) -> StoredMemory:
        """All that is stored of one video."""
        return self._load([video_id], thumbnails=True)[video_id]

    def load_many(
        self, video_ids: Iterable[str] | None = None, on_error: OnDamage | None = None
    ) -> dict[str, StoredMemory]:
        """The memories of these videos, or of all, by id, without thumbnails.

        Reads each table once, and the arrays are views of what was read, so that this is much
        faster than loading one after another. With ``on_error``, videos that are damaged are
        reported and left out; without, the first is raised as `LibraryError`.
        """
        ids = None if video_ids is None else list(video_ids)
        return self._load(ids, thumbnails=False, on_error=on_error)

    def thumbnails(self, video_id: str) -> dict[float, bytes]:
        """Time in seconds -> JPEG."""
        record = self._record(video_id)
        if rows.THUMBNAILS not in self._tables.names():
            return {}
        where = of_generations([record])
        table = self._tables.read(rows.THUMBNAILS, rows.THUMBNAIL_COLUMNS, where)
        return rows.MemoryReader({rows.THUMBNAILS: table}).thumbnails(record)

    def lines(self, video_ids: Iterable[str] | None = None) -> dict[str, tuple[Line, ...]]:
        """What was said and written in these videos, or in all, by id, in order of time."""
        records = self._records(None if video_ids is None else list(video_ids))
        found: dict[int, tuple[Line, ...]] = {}
        if records and LINES in self._tables.names():
            few = video_ids is not None and len(records) <= _FEW_VIDEOS
            where = of_generations(records) if few else None
            found = lines_by_generation(self._tables.read(LINES, LINE_COLUMNS, where))
        return {record.id: found.get(record.generation, ()) for record in records}

    def line_words(self, video_ids: Iterable[str] | None = None) -> LineWords:
        """The words of what was said and written in these videos, or in all, ready to search."""
        records = self._records(None if video_ids is None else list(video_ids))
        table = None
        if records and LINES in self._tables.names():
            few = video_ids is not None and len(records) <= _FEW_VIDEOS
            where = of_generations(records) if few else None
            table = self._tables.read(LINES, WORD_COLUMNS, where)
        return line_words(table, {record.generation: record.id for record in records})

    def experts(self, video_ids: Iterable[str], clustering: str | None = None) -> dict[str, bytes]:
        """The trained experts of these videos, by id; a video without any is left out.

        Those of the ``clustering`` with this id, or of each video's active one.
        """
        records = self._records(list(video_ids))
        if not records or EXPERTS not in self._tables.names():
            return {}
        where = of_generations(records) if len(records) <= _FEW_VIDEOS else None
        named = names_by_key(self._tables.read(EXPERTS, EXPERT_COLUMNS, where))
        names = {
            record.id: named.get((record.generation, clustering or record.active_clustering), "")
            for record in records
        }
        found = stored_weights(self._tables, names.values())
        return {video: found[name] for video, name in names.items() if name in found}

    def size_bytes(self) -> int:
        """Bytes on disk, with what waits to be cleaned up."""
        total = 0
        for path in self._directory.rglob("*"):
            with contextlib.suppress(FileNotFoundError):  # tidied away meanwhile
                if path.is_file():
                    total += path.stat().st_size
        return total

    # Writing

    @contextlib.contextmanager
    def writer(self, on_wait: OnWait | None = None) -> Iterator[None]:
        """Hold the library for several changes in a row; each of them does so by itself otherwise.

        Waits for another writer and says so through ``on_wait``. May be nested.
        """
        with self._thread_lock, contextlib.ExitStack() as stack:
            if self._writers == 0:
                finished = stack.enter_context(writer_lock(self._directory, on_wait))
                if not finished:
                    delete_dead_rows(self._tables, self.videos())
            self._writers += 1
            try:
                yield
            finally:
                self._writers -= 1
            # Keeps a run over thousands of films quick, and one that is killed tidy.
            if self._writers == 0 and self._tables.is_scattered(rows.VIDEOS):
                self._tidy(_KEEP_VERSIONS)

    def save(
        self, record: VideoRecord, memory: StoredMemory, on_wait: OnWait | None = None
    ) -> VideoRecord:
        """Add a video, or replace all that is stored of it, at once and whole.

        A record without an id takes the place of a video with the same fingerprint, else of one at
        the same path; else it is new. Another video that was at its path is forgotten. Returns the
        record as stored: with id, generation, counts, checksum and active clustering filled in.
        """
        with self.writer(on_wait):
            others = self.videos()
            active = memory.active_clustering
            record = replace(
                record,
                id=record.id or lookup.choose_id(record, others),
                generation=max([time.time_ns(), *(other.generation + 1 for other in others)]),
                dimension=memory.dimension,
                scenes=sum(len(spans) for spans in memory.entry_spans),
                clusters=len(active.names) if active else 0,
                entries=len(memory.entry_vectors),
                exemplars=len(memory.exemplar_vectors),
                active_clustering=active.id if active else "",
                checksum=memory.checksum(),
                code_bytes=memory.code_bytes,
                coder=keep_weights(self._tables, memory.codec.weights) if memory.codec else "",
                indexed_at=record.indexed_at or datetime.now(UTC).isoformat(timespec="seconds"),
            )
            for name, table in rows.memory_rows(record, memory).items():
                self._tables.append(name, table)
            # Last: from here on readers see the new generation, and before it the old one.
            self._put(record)
        return record

    def update(self, record: VideoRecord, on_wait: OnWait | None = None) -> None:
        """Change the facts of a video (path, notes, settings ...), not its memory.

        ``record`` is one that came from the library. Another video that was at its path is
        forgotten. Raises `OutdatedError` where the video was removed or indexed again since.
        """
        with self.writer(on_wait):
            if self._record(record.id).generation != record.generation:
                raise self._outdated(record)
            self._put(record)

    def save_clustering(
        self,
        video_id: str,
        clustering: ClusteringRecord,
        *,
        make_active: bool = False,
        generation: int | None = None,
        on_wait: OnWait | None = None,
    ) -> VideoRecord:
        """Add a clustering of the video's entries, or replace the one with the same id.

        Which one is active changes only with ``make_active``, whatever the clustering says.
        ``generation`` is that of the memory that was clustered: with it, `OutdatedError` is raised
        where the video was indexed again since. Returns the video's record as it now is.
        """
        with self.writer(on_wait):
            record = self._record(video_id)
            if generation not in (None, record.generation):
                raise self._outdated(record)
            if len(clustering.assignments) != record.entries:
                raise ValueError(f"{record.name} has {record.entries} entries to assign")
            table = rows.clustering_rows(record, [clustering])
            self._tables.upsert(rows.CLUSTERINGS, ["generation", "id"], table)
            if make_active or clustering.id == record.active_clustering:
                record = replace(
                    record, active_clustering=clustering.id, clusters=len(clustering.names)
                )
                self._put(record)
        return record

    def save_experts(
        self,
        video_id: str,
        clustering: str,
        weights: bytes,
        generation: int,
        on_wait: OnWait | None = None,
    ) -> None:
        """Keep the experts of a clustering, in the place of any that it had.

        The same bytes are stored once, for however many videos.
        Raises `OutdatedError` where the video was indexed again since ``generation``.
        """
        with self.writer(on_wait):
            record = self._record(video_id)
            if record.generation != generation:
                raise self._outdated(record)
            row = expert_rows(record, clustering, keep_weights(self._tables, weights))
            self._tables.upsert(EXPERTS, EXPERT_KEYS, row)

    def save_lines(
        self,
        video_id: str,
        kind: str,
        lines: Sequence[Line],
        stage: str,
        generation: int,
        on_wait: OnWait | None = None,
    ) -> VideoRecord:
        """Put ``lines`` in the place of those of their ``kind`` (``speech`` or ``text``).

        ``stage`` says what they were made with and goes into the record's ``stages`` under the
        name of the kind. Raises `OutdatedError` where the video was indexed again since
        ``generation``. Returns the video's record as it now is.
        """
        with self.writer(on_wait):
            record = self._record(video_id)
            if record.generation != generation:
                raise self._outdated(record)
            own = f"generation = {generation} AND kind = '{kind}'"
            if lines:
                self._tables.upsert(LINES, LINE_KEYS, line_rows(record, kind, lines), drop=own)
            elif self._tables.count(LINES, own):
                self._tables.delete(LINES, own)
            record = replace(record, stages={**record.stages, kind: stage})
            self._put(record)
        return record

    def relocate(
        self, video_id: str, path: str | Path, on_wait: OnWait | None = None
    ) -> VideoRecord:
        """Note where a film lies now; a video that lay there before is forgotten."""
        path = Path(os.path.abspath(path))
        status = film_files.status(path)
        with self.writer(on_wait):
            record = replace(
                self._record(video_id),
                path=str(path),
                name=path.name,
                size=status.st_size,
                mtime_ns=status.st_mtime_ns,
            )
            self.update(record)
        return record

    def remove(self, video_id: str, on_wait: OnWait | None = None) -> None:
        """Forget a video. Its bytes go when the tables are tidied next, see `maintain`."""
        with self.writer(on_wait):
            record = self._record(video_id)
            self._tables.delete(rows.VIDEOS, f"generation = {record.generation}")
            delete_dead_rows(self._tables, self.videos())

    def maintain(
        self, on_wait: OnWait | None = None, keep_versions: timedelta = _KEEP_VERSIONS
    ) -> None:
        """Tidy up at the end of a run that wrote: cheap where there is little to do.

        Deletes rows that no video names, merges the small pieces that many runs leave, and frees
        what was replaced longer than ``keep_versions`` ago, so that nobody who is still reading it
        fails.
        """
        with self.writer(on_wait):
            delete_dead_rows(self._tables, self.videos())
            self._tidy(keep_versions)

    def cached_array(self, name: str, key: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """The array of this ``name`` made for ``key``: from the cache, else made and cached.

        For what can be made again, such as the vectors of a vocabulary for one encoder (``key`` is
        then its fingerprint). Safe in any number of processes.
        """
        return cached_array(self._directory / CACHE, name, key, make)

    def state(self, records: Sequence[VideoRecord]) -> str:
        """Another text whenever what is stored of these videos has changed."""
        own = [(record.id, record.generation, record.active_clustering) for record in records]
        return json.dumps([own, self._tables.version(rows.CLUSTERINGS)])

    def pack(self, name: str, key: str) -> dict[str, NDArray[Any]] | None:
        """The arrays that `keep_pack` kept under ``name`` for ``key``, mapped into memory."""
        return read_pack(self._directory / CACHE, name, key)

    def keep_pack(
        self, name: str, key: str, make: Callable[[], Mapping[str, NDArray[Any]]]
    ) -> None:
        """Make arrays, which may be large, and keep them under ``name`` and ``key``.

        Those under the name for other keys go. Where nothing can be written nothing is made.
        """
        with contextlib.suppress(OSError):
            write_pack(self._directory / CACHE, name, key, make)

    # Searches

    def saved_queries(self) -> list[searches.SavedQuery]:
        """Saved queries with their marks, by name."""
        names = self._tables.names()
        if searches.QUERIES not in names:
            return []
        queries = self._tables.read(searches.QUERIES, searches.QUERY_COLUMNS)
        marks = None
        if searches.MARKS in names:
            marks = self._tables.read(searches.MARKS, searches.MARK_COLUMNS)
        return searches.saved_queries(queries, marks)

    def saved_query(self, name: str) -> searches.SavedQuery:
        """The saved query of this name; `QueryError` says which there are where it is not one."""
        known = self.saved_queries()
        for query in known:
            if query.name == name:
                return query
        raise QueryError(
            f"no query is saved as {name!r}; saved are: {searches.names_of(known)}; "
            "`search ... --save-as NAME` saves one"
        )

    def save_query(self, query: searches.SavedQuery, on_wait: OnWait | None = None) -> None:
        """Keep a query under its name, in the place of one that had the name."""
        with self.writer(on_wait):
            self._delete_marks(query.name)
            if query.marks:
                self._tables.append(searches.MARKS, searches.mark_rows(query))
            self._tables.upsert(searches.QUERIES, ["name"], searches.query_row(query))

    def remove_query(self, name: str, on_wait: OnWait | None = None) -> None:
        """Forget a saved query and its marks."""
        with self.writer(on_wait):
            self.saved_query(name)
            self._tables.delete(searches.QUERIES, f"name = {quoted(name)}")
            self._delete_marks(name)

    def remember_search(self, search: searches.LastSearch) -> None:
        """Keep what was searched for, for the next search to refine; never waits, never fails."""
        searches.write_last(self._directory, search)

    def last_search(self) -> searches.LastSearch | None:
        """The search before this one."""
        return searches.read_last(self._directory)

    # Health

    def health(self, *, verify: bool = False) -> list[Finding]:
        """Check everything and say what to do about it; ``verify`` compares all arrays with their
        checksums as well. Changes nothing."""
        return findings(self, verify)

    # Inside

    def _load(
        self, video_ids: list[str] | None, thumbnails: bool, on_error: OnDamage | None = None
    ) -> dict[str, StoredMemory]:
        records = self._records(video_ids)
        while True:
            some = video_ids is not None and len(records) <= _FEW_VIDEOS
            where = of_generations(records) if some else None
            memories, errors = read_memories(self._tables, records, thumbnails, where)
            if not errors:
                return memories
            # A writer may have replaced or removed what was about to be read.
            latest = self._records(video_ids)
            if latest == records:
                break
            records = latest
        for record, error in errors:
            if on_error is None:
                raise error
            on_error(record, error)
        return memories

    def _records(self, video_ids: list[str] | None) -> list[VideoRecord]:
        records = self.videos()
        if video_ids is None:
            return records
        by_id = {record.id: record for record in records}
        for video_id in video_ids:
            if video_id not in by_id:
                raise LibraryError(lookup.unknown(video_id, records))
        return [by_id[video_id] for video_id in video_ids]

    def _record(self, video_id: str) -> VideoRecord:
        return self._records([video_id])[0]

    def _delete_marks(self, query: str) -> None:
        if searches.MARKS in self._tables.names():
            self._tables.delete(searches.MARKS, f"query = {quoted(query)}")

    def _tidy(self, keep_versions: timedelta) -> None:
        tidy(self._tables, keep_versions)
        remove_leftovers(self._directory, self._directory / CACHE)

    def _put(self, record: VideoRecord) -> None:
        """Write a video's row; in the same change, forget others that claim its path."""
        replaced = lookup.at_same_path(record, self.videos())
        drop = of_generations(replaced) if replaced else None
        self._tables.upsert(rows.VIDEOS, ["id"], rows.video_rows([record]), drop)

    @staticmethod
    def _outdated(record: VideoRecord) -> OutdatedError:
        return OutdatedError(f"{record.name} was indexed again meanwhile: run this once more")
