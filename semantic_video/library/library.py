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
from typing import TYPE_CHECKING, Any

from numpy.typing import NDArray

from semantic_video.errors import LibraryError, QueryError
from semantic_video.library import film_files, lookup, rows, searches
from semantic_video.library.array_cache import cached_array, remove_leftovers, replace_file
from semantic_video.library.experts import (
    EXPERT_COLUMNS,
    EXPERT_KEYS,
    EXPERTS,
    WEIGHT_COLUMNS,
    WEIGHTS,
    expert_rows,
    names_by_key,
    weight_rows,
    weights_by_name,
    weights_name,
)
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
from semantic_video.library.lock import LOCK_NAME, OnWait, lock_owner, writer_lock
from semantic_video.library.packs import read_pack, write_pack
from semantic_video.library.stored import ClusteringRecord, Finding, StoredMemory, VideoRecord
from semantic_video.library.tables import Tables
from semantic_video.records import Line

if TYPE_CHECKING:
    import pyarrow as pa

OnDamage = Callable[[VideoRecord, LibraryError], None]
"""Called with a video that cannot be read, and why."""

FORMAT_VERSION = 1
"""Raised when an older program could no longer read what is written; new tables and new columns
do not need that."""

_MANIFEST = "library.json"
_CACHE = "cache"
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
        if not self._has_manifest():
            if not create:
                raise LibraryError(
                    f"no library at {self._directory}: make one with `semantic-video index PATH`"
                )
            self._create()
        self._check_format()

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
            raise self._broken("the table of videos makes no sense") from error
        return sorted(records, key=lambda record: (film_files.name_key(record.name), record.id))

    def resolve(self, text: str | Path) -> VideoRecord:
        """The video that ``text`` means.

        That is, in this order: the path of a film, which may be offline; its id; its file name;
        the beginning of its id; the path of a film that was renamed or moved, by its fingerprint.
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
            if self._has_all_rows(record):
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
        where = _of_generations([record])
        table = self._tables.read(rows.THUMBNAILS, rows.THUMBNAIL_COLUMNS, where)
        return rows.MemoryReader({rows.THUMBNAILS: table}).thumbnails(record)

    def lines(self, video_ids: Iterable[str] | None = None) -> dict[str, tuple[Line, ...]]:
        """What was said and written in these videos, or in all, by id, in order of time."""
        records = self._records(None if video_ids is None else list(video_ids))
        found: dict[int, tuple[Line, ...]] = {}
        if records and LINES in self._tables.names():
            few = video_ids is not None and len(records) <= _FEW_VIDEOS
            where = _of_generations(records) if few else None
            found = lines_by_generation(self._tables.read(LINES, LINE_COLUMNS, where))
        return {record.id: found.get(record.generation, ()) for record in records}

    def line_words(self, video_ids: Iterable[str] | None = None) -> LineWords:
        """The words of what was said and written in these videos, or in all, ready to search."""
        records = self._records(None if video_ids is None else list(video_ids))
        table = None
        if records and LINES in self._tables.names():
            few = video_ids is not None and len(records) <= _FEW_VIDEOS
            where = _of_generations(records) if few else None
            table = self._tables.read(LINES, WORD_COLUMNS, where)
        return line_words(table, {record.generation: record.id for record in records})

    def experts(self, video_ids: Iterable[str], clustering: str | None = None) -> dict[str, bytes]:
        """The trained experts of these videos, by id; a video without any is left out.

        Those of the ``clustering`` with this id, or of each video's active one.
        """
        records = self._records(list(video_ids))
        if not records or EXPERTS not in self._tables.names():
            return {}
        where = _of_generations(records) if len(records) <= _FEW_VIDEOS else None
        named = names_by_key(self._tables.read(EXPERTS, EXPERT_COLUMNS, where))
        names = {
            record.id: named.get((record.generation, clustering or record.active_clustering), "")
            for record in records
        }
        found = self._weights(names.values())
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
                    self._delete_dead_rows()
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
                coder=self._keep_weights(memory.codec.weights) if memory.codec else "",
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
        forgotten. Raises `LibraryError` where the video was removed or indexed again since.
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
        ``generation`` is that of the memory that was clustered: with it, `LibraryError` is raised
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
        Raises `LibraryError` where the video was indexed again since ``generation``.
        """
        with self.writer(on_wait):
            record = self._record(video_id)
            if record.generation != generation:
                raise self._outdated(record)
            row = expert_rows(record, clustering, self._keep_weights(weights))
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
        name of the kind. Raises `LibraryError` where the video was indexed again since
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
            self._delete_dead_rows()

    def maintain(
        self, on_wait: OnWait | None = None, keep_versions: timedelta = _KEEP_VERSIONS
    ) -> None:
        """Tidy up at the end of a run that wrote: cheap where there is little to do.

        Deletes rows that no video names, merges the small pieces that many runs leave, and frees
        what was replaced longer than ``keep_versions`` ago, so that nobody who is still reading it
        fails.
        """
        with self.writer(on_wait):
            self._delete_dead_rows()
            self._tidy(keep_versions)

    def cached_array(self, name: str, key: str, make: Callable[[], NDArray[Any]]) -> NDArray[Any]:
        """The array of this ``name`` made for ``key``: from the cache, else made and cached.

        For what can be made again, such as the vectors of a vocabulary for one encoder (``key`` is
        then its fingerprint). Safe in any number of processes.
        """
        return cached_array(self._directory / _CACHE, name, key, make)

    def state(self, records: Sequence[VideoRecord]) -> str:
        """Another text whenever what is stored of these videos has changed."""
        own = [(record.id, record.generation, record.active_clustering) for record in records]
        return json.dumps([own, self._tables.version(rows.CLUSTERINGS)])

    def pack(self, name: str, key: str) -> dict[str, NDArray[Any]] | None:
        """The arrays that `keep_pack` kept under ``name`` for ``key``, mapped into memory."""
        return read_pack(self._directory / _CACHE, name, key)

    def keep_pack(
        self, name: str, key: str, make: Callable[[], Mapping[str, NDArray[Any]]]
    ) -> None:
        """Make arrays, which may be large, and keep them under ``name`` and ``key``.

        Those under the name for other keys go. Where nothing can be written nothing is made.
        """
        with contextlib.suppress(OSError):
            write_pack(self._directory / _CACHE, name, key, make)

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
            self._tables.delete(searches.QUERIES, f"name = {_quoted(name)}")
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
        findings = [self._writable(), *self._contents(verify)]
        owner, at_work = lock_owner(self._directory)
        if at_work:
            findings.append(Finding(True, "writer", f"{owner} is writing"))
        elif owner:
            findings.append(
                Finding(
                    False,
                    "writer",
                    f"{owner} did not finish; what it left is invisible",
                    "the next `semantic-video index` cleans up and finishes the work",
                )
            )
        return findings

    def _writable(self) -> Finding:
        if os.access(self._directory, os.W_OK):
            return Finding(True, "library", f"{self._directory}, {self.size_bytes()} bytes")
        return Finding(
            False,
            "library",
            f"{self._directory} cannot be written",
            "search works; to index, make the directory writable or use --library with another",
        )

    def _contents(self, verify: bool) -> Iterator[Finding]:
        try:
            records = self.videos()
        except LibraryError as error:
            yield Finding(False, "videos", "unreadable", str(error))
            return
        yield Finding(True, "videos", str(len(records)))
        reported = set()  # a broken table is the same error for all videos in it
        for record in records:
            try:
                memory = self.load(record.id)
                if verify and memory.checksum() != record.checksum:
                    raise self._damaged(record, "its checksum is another")
            except LibraryError as error:
                if str(error) not in reported:
                    reported.add(str(error))
                    yield Finding(False, f"video {record.id}", str(error))
            rivals = lookup.at_same_path(record, records)
            if rivals and record.id < min(rival.id for rival in rivals):
                yield Finding(
                    False,
                    f"video {record.id}",
                    f"has the path of {', '.join(rival.id for rival in rivals)}: {record.path}",
                    f"`semantic-video remove` all but one of them, then `semantic-video index "
                    f"{record.path}`",
                )
        offline = [record.name for record in records if not os.path.exists(record.path)]
        if offline:
            yield Finding(
                True,
                "films offline",
                f"{len(offline)}, for instance {offline[0]}",
                "search works without them; `semantic-video index` at their new place finds them",
            )

    # Inside

    def _has_manifest(self) -> bool:
        try:
            os.stat(self._directory / _MANIFEST)
        except (FileNotFoundError, NotADirectoryError):
            return False
        except OSError as error:
            raise LibraryError(
                f"cannot look into {self._directory} ({error.strerror}): make it yours to read, or "
                "use --library with another directory"
            ) from error
        return True

    def _create(self) -> None:
        try:
            self._directory.mkdir(parents=True, exist_ok=True)
            strange = [path.name for path in self._directory.iterdir() if not _is_ours(path.name)]
        except OSError as error:
            raise self._unwritable(error) from error
        if strange:
            raise LibraryError(
                f"{self._directory} holds other things ({strange[0]}): "
                "use --library with an empty or a new directory"
            )
        with writer_lock(self._directory):
            if self._has_manifest():  # another process was quicker
                return
            if rows.VIDEOS not in self._tables.names():
                self._tables.append(rows.VIDEOS, rows.video_rows([]))
            manifest = {
                "what": "a library of semantic-video: films indexed for search",
                "format_version": FORMAT_VERSION,
                "created_at": datetime.now(UTC).isoformat(timespec="seconds"),
            }
            try:
                text = json.dumps(manifest, indent=2) + "\n"
                replace_file(self._directory / _MANIFEST, text.encode("utf-8"))
            except OSError as error:
                raise self._unwritable(error) from error

    def _check_format(self) -> None:
        try:
            manifest = json.loads((self._directory / _MANIFEST).read_text(encoding="utf-8"))
            version = int(manifest["format_version"])
        except PermissionError as error:
            raise LibraryError(f"no permission to read the library at {self._directory}") from error
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise self._broken(f"{_MANIFEST} cannot be read") from error
        if version > FORMAT_VERSION:
            raise LibraryError(
                f"the library at {self._directory} was made by a newer semantic-video "
                f"(format {version}, this one reads {FORMAT_VERSION}): upgrade this program"
            )

    def _load(
        self, video_ids: list[str] | None, thumbnails: bool, on_error: OnDamage | None = None
    ) -> dict[str, StoredMemory]:
        records = self._records(video_ids)
        while True:
            memories, errors = self._read(records, thumbnails, everything=video_ids is None)
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

    def _read(
        self, records: list[VideoRecord], thumbnails: bool, everything: bool
    ) -> tuple[dict[str, StoredMemory], list[tuple[VideoRecord, LibraryError]]]:
        """What could be read, and what is wrong with the other videos."""
        where = None
        if not everything and len(records) <= _FEW_VIDEOS:
            where = _of_generations(records)
        wanted = {
            name: columns
            for record in records
            for name, columns in rows.tables_of(record, thumbnails).items()
        }
        tables: dict[str, pa.Table] = {}
        unreadable: dict[str, LibraryError] = {}
        for name in sorted(wanted.keys() & set(self._tables.names())):
            try:
                tables[name] = self._tables.read(name, wanted[name], where)
            except LibraryError as error:
                unreadable[name] = error
        weights: dict[str, bytes] = {}
        with contextlib.suppress(LibraryError):  # those who need them are damaged, and only those
            weights = self._weights(record.coder for record in records)
        reader = rows.MemoryReader(tables, weights)
        memories: dict[str, StoredMemory] = {}
        errors: list[tuple[VideoRecord, LibraryError]] = []
        for record in records:
            try:
                for name in unreadable.keys() & rows.tables_of(record, thumbnails):
                    raise unreadable[name]
                memories[record.id] = self._memory(reader, record)
            except LibraryError as error:
                errors.append((record, error))
        return memories, errors

    def _memory(self, reader: rows.MemoryReader, record: VideoRecord) -> StoredMemory:
        try:
            memory = reader.memory(record)
        except (ValueError, KeyError, TypeError) as error:
            raise self._damaged(record, "it makes no sense") from error
        if memory is None:
            raise self._damaged(record, "rows are missing")
        return memory

    def _has_all_rows(self, record: VideoRecord) -> bool:
        where = _of_generations([record])
        if record.active_clustering:
            if rows.CLUSTERINGS not in self._tables.names():
                return False
            ids = self._tables.read(rows.CLUSTERINGS, ["id"], where).column("id").to_pylist()
            if record.active_clustering not in ids:
                return False
        entries, exemplars = rows.vector_tables(record)
        return (
            self._tables.count(entries, where) == record.entries
            and self._tables.count(exemplars, where) == record.exemplars
            and (not record.coder or record.coder in self._weights([record.coder]))
        )

    def _weights(self, names: Iterable[str]) -> dict[str, bytes]:
        """Those of these weights that are there, by name."""
        wanted = sorted(set(filter(None, names)))
        if not wanted or WEIGHTS not in self._tables.names():
            return {}
        where = f"id IN ({', '.join(map(_quoted, wanted))})"
        return weights_by_name(self._tables.read(WEIGHTS, WEIGHT_COLUMNS, where))

    def _keep_weights(self, weights: bytes) -> str:
        """The name of weights, which are stored if they are not yet."""
        name = weights_name(weights)
        if not self._weights([name]):
            self._tables.append(WEIGHTS, weight_rows(weights))
        return name

    def _delete_marks(self, query: str) -> None:
        if searches.MARKS in self._tables.names():
            self._tables.delete(searches.MARKS, f"query = {_quoted(query)}")

    def _put(self, record: VideoRecord) -> None:
        """Write a video's row; in the same change, forget others that claim its path."""
        replaced = lookup.at_same_path(record, self.videos())
        drop = _of_generations(replaced) if replaced else None
        self._tables.upsert(rows.VIDEOS, ["id"], rows.video_rows([record]), drop)

    def _delete_dead_rows(self) -> None:
        alive = {record.generation for record in self.videos()}
        for name in filter(rows.is_of_memories, self._tables.names()):
            generations = self._tables.read(name, ["generation"]).column("generation")
            dead = set(generations.unique().to_pylist()) - alive
            if dead:
                self._tables.delete(name, f"generation IN ({', '.join(map(str, sorted(dead)))})")
        self._delete_unused_weights()

    def _delete_unused_weights(self) -> None:
        if WEIGHTS not in self._tables.names():
            return
        used = {record.coder for record in self.videos()}
        if EXPERTS in self._tables.names():
            used |= set(names_by_key(self._tables.read(EXPERTS, EXPERT_COLUMNS)).values())
        unused = set(self._tables.read(WEIGHTS, ["id"]).column("id").to_pylist()) - used
        if unused:
            self._tables.delete(WEIGHTS, f"id IN ({', '.join(map(_quoted, sorted(unused)))})")

    def _tidy(self, keep_versions: timedelta) -> None:
        for name in self._tables.names():
            ours = (rows.VIDEOS, WEIGHTS, searches.QUERIES, searches.MARKS)
            if name not in ours and not rows.is_of_memories(name):
                continue
            # First, so that a full disk may have room for the rest.
            self._tables.discard_old_versions(name, keep_versions)
            if self._tables.is_scattered(name):
                self._tables.compact(name)
                self._tables.discard_old_versions(name, keep_versions)
        remove_leftovers(self._directory, self._directory / _CACHE)

    def _broken(self, reason: str) -> LibraryError:
        return LibraryError(
            f"the library at {self._directory} is broken ({reason}): restore a backup, or delete "
            "that directory and index again"
        )

    def _damaged(self, record: VideoRecord, reason: str) -> LibraryError:
        return LibraryError(
            f"the index of {record.name} in the library at {self._directory} is damaged "
            f"({reason}): index it again: `semantic-video remove {record.id}`, then "
            f"`semantic-video index {record.path}`"
        )

    @staticmethod
    def _outdated(record: VideoRecord) -> LibraryError:
        return LibraryError(f"{record.name} was indexed again meanwhile: run this once more")

    def _unwritable(self, error: OSError) -> LibraryError:
        return LibraryError(
            f"cannot make a library at {self._directory} ({error.strerror}): "
            "use --library with a directory that can be written"
        )


def _of_generations(records: list[VideoRecord]) -> str:
    return f"generation IN ({', '.join(str(record.generation) for record in records)})"


def _quoted(text: str) -> str:
    """A text as a literal of a condition."""
    return "'" + text.replace("'", "''") + "'"


def _is_ours(name: str) -> bool:
    """Whether a file in a directory without a library is the beginning of one."""
    return name in (LOCK_NAME, _CACHE, f"{rows.VIDEOS}.lance") or name.startswith(_MANIFEST)
