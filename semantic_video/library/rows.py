"""Between a memory's arrays and the rows of the tables.

Every row carries (video, generation). ``entries_<D>`` and ``exemplars_<D>`` hold the vectors of
length D, because a column of matrices has one width: videos indexed with different models lie in
different tables, and a search reads only those of its own model. Codes of B bytes in the place of
vectors lie in ``entries_code<B>`` and ``exemplars_code<B>``. ``position`` is the row number
within the memory, so that nothing depends on the order in which a table is read.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from itertools import pairwise
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from semantic_video.library.experts import EXPERTS
from semantic_video.library.lines import LINES
from semantic_video.library.stored import ClusteringRecord, Codec, StoredMemory, VideoRecord
from semantic_video.records import Return, SceneSpan

if TYPE_CHECKING:
    import pyarrow as pa

_Scalar = TypeVar("_Scalar", bound=np.generic)

VIDEOS = "videos"
CLUSTERINGS = "clusterings"
THUMBNAILS = "thumbnails"
RETURNS = "returns"
ENTRY_COLUMNS = ("generation", "position", "weight", "spans", "vector")
EXEMPLAR_COLUMNS = ("generation", "position", "entry", "time_s", "vector")
CLUSTERING_COLUMNS = ("generation", "record", "assignments")
RETURN_COLUMNS = ("generation", *Return._fields)
THUMBNAIL_COLUMNS = ("generation", "time_s", "jpeg")


def vector_tables(record: VideoRecord) -> tuple[str, str]:
    """The tables of a video's entries and exemplars, by the width of what they keep."""
    if record.code_bytes:
        return f"entries_code{record.code_bytes}", f"exemplars_code{record.code_bytes}"
    return f"entries_{record.dimension}", f"exemplars_{record.dimension}"


def tables_of(record: VideoRecord, thumbnails: bool) -> dict[str, tuple[str, ...]]:
    """The tables that a video's memory lies in, each with the columns to read."""
    entries, exemplars = vector_tables(record)
    tables = {
        entries: ENTRY_COLUMNS,
        exemplars: EXEMPLAR_COLUMNS,
        CLUSTERINGS: CLUSTERING_COLUMNS,
        RETURNS: RETURN_COLUMNS,
    }
    return tables | {THUMBNAILS: THUMBNAIL_COLUMNS} if thumbnails else tables


def is_of_memories(name: str) -> bool:
    """Whether a table holds rows of memories; those of later versions are not ours to touch."""
    named = {CLUSTERINGS, EXPERTS, LINES, RETURNS, THUMBNAILS}
    return name in named or name.startswith(("entries_", "exemplars_"))


def video_rows(records: Iterable[VideoRecord]) -> pa.Table:
    """Rows of the table of videos.

    The record is JSON, in ASCII: it can hold what Arrow's strings cannot (names of files that are
    not valid Unicode), and grows without a change of the table.
    """
    import pyarrow as pa

    records = list(records)
    return pa.table(
        {
            "id": pa.array([record.id for record in records], pa.string()),
            "generation": pa.array([record.generation for record in records], pa.int64()),
            "record": pa.array([json.dumps(record.as_dict()) for record in records], pa.string()),
        }
    )


def video_records(table: pa.Table) -> list[VideoRecord]:
    """The inverse of `video_rows`."""
    return [VideoRecord.from_dict(json.loads(text)) for text in table.column("record").to_pylist()]


def memory_rows(record: VideoRecord, memory: StoredMemory) -> dict[str, pa.Table]:
    """The rows of a memory for each table that has any."""
    import pyarrow as pa

    spans = [span for own in memory.entry_spans for span in own]
    counts = [len(own) for own in memory.entry_spans]
    entries, exemplars = vector_tables(record)
    tables = {
        entries: {
            "position": np.arange(len(memory.entry_vectors), dtype=np.int32),
            "weight": memory.entry_weights,
            "spans": pa.ListArray.from_arrays(
                pa.array(np.concatenate([[0], np.cumsum(counts)]), pa.int32()),
                pa.StructArray.from_arrays(
                    [
                        pa.array([span.scene for span in spans], pa.int32()),
                        pa.array([span.start_s for span in spans], pa.float64()),
                        pa.array([span.end_s for span in spans], pa.float64()),
                    ],
                    names=["scene", "start_s", "end_s"],
                ),
            ),
            "vector": _vector_array(memory.entry_vectors),
        },
        exemplars: {
            "position": np.arange(len(memory.exemplar_vectors), dtype=np.int32),
            "entry": memory.exemplar_entries,
            "time_s": memory.exemplar_times,
            "vector": _vector_array(memory.exemplar_vectors),
        },
        RETURNS: {
            "scene": pa.array([one.scene for one in memory.returns], pa.int32()),
            "earlier": pa.array([one.earlier for one in memory.returns], pa.int32()),
            "last_s": pa.array([one.last_s for one in memory.returns], pa.float64()),
            "sure": pa.array([one.sure for one in memory.returns], pa.float64()),
        },
        THUMBNAILS: {
            "time_s": pa.array(list(memory.thumbnails), pa.float64()),
            "jpeg": pa.array(list(memory.thumbnails.values()), pa.binary()),
        },
    }
    named = {name: _with_key(record, columns) for name, columns in tables.items()}
    named[CLUSTERINGS] = clustering_rows(record, memory.clusterings)
    return {name: table for name, table in named.items() if table.num_rows}


def clustering_rows(record: VideoRecord, clusterings: Iterable[ClusteringRecord]) -> pa.Table:
    """Rows of the table of clusterings. Which one is active stands in the video's row."""
    import pyarrow as pa

    clusterings = list(clusterings)
    facts = [
        {
            "id": clustering.id,
            "method": clustering.method,
            "num_clusters": clustering.num_clusters,
            "seed": clustering.seed,
            "reason": clustering.reason,
            "corrections": list(clustering.corrections),
            "names": list(clustering.names),
            "words": {name: list(words) for name, words in clustering.words.items()},
            "found": None
            if clustering.found_assignments is None
            else {
                "assignments": clustering.found_assignments.tolist(),
                "names": list(clustering.found_names),
            },
        }
        for clustering in clusterings
    ]
    return _with_key(
        record,
        {
            "id": pa.array([clustering.id for clustering in clusterings], pa.string()),
            "record": pa.array([json.dumps(fact) for fact in facts], pa.string()),
            "assignments": pa.array(
                [clustering.assignments for clustering in clusterings], pa.list_(pa.int32())
            ),
        },
    )


class MemoryReader:
    """Puts memories together from tables that hold the rows of many.

    The arrays of a memory are views of what was read, wherever that is in one piece.
    """

    def __init__(
        self, tables: Mapping[str, pa.Table], weights: Mapping[str, bytes] | None = None
    ) -> None:
        self._tables = {name: _Grouped(table) for name, table in tables.items()}
        self._weights = weights or {}

    def memory(self, record: VideoRecord) -> StoredMemory | None:
        """The memory of a video; None where the rows are not all those that the record counts."""
        widths, codec = (record.dimension, record.dimension), None
        if record.coder:
            if record.coder not in self._weights:
                return None
            widths = (record.code_bytes + 1, record.code_bytes)
            codec = Codec(self._weights[record.coder], record.dimension)
        entries, exemplars = (self._rows(name, record) for name in vector_tables(record))
        clusterings = self._clusterings(record)
        if (len(entries), len(exemplars)) != (record.entries, record.exemplars):
            return None
        if any(len(clustering.assignments) != record.entries for clustering in clusterings):
            return None
        if record.active_clustering and not any(c.active for c in clusterings):
            return None
        return StoredMemory(
            entry_vectors=entries.matrix("vector", (record.entries, widths[0]), codec),
            entry_weights=entries.array("weight", np.float32),
            entry_spans=entries.spans("spans"),
            exemplar_vectors=exemplars.matrix("vector", (record.exemplars, widths[1]), codec),
            exemplar_times=exemplars.array("time_s", np.float64),
            exemplar_entries=exemplars.array("entry", np.int32),
            returns=self._returns(record),
            clusterings=clusterings,
            thumbnails=self.thumbnails(record),
            codec=codec,
        )

    def thumbnails(self, record: VideoRecord) -> dict[float, bytes]:
        """The thumbnails of a video; empty where their table was not read."""
        rows = self._rows(THUMBNAILS, record)
        return dict(zip(rows.objects("time_s"), rows.objects("jpeg"), strict=True))

    def _returns(self, record: VideoRecord) -> tuple[Return, ...]:
        rows = self._rows(RETURNS, record)
        columns = [rows.objects(name) for name in Return._fields]
        return tuple(map(Return._make, zip(*columns, strict=True)))

    def _clusterings(self, record: VideoRecord) -> tuple[ClusteringRecord, ...]:
        rows = self._rows(CLUSTERINGS, record)
        clusterings = []
        for text, assignments in zip(
            rows.objects("record"), rows.objects("assignments"), strict=True
        ):
            facts = json.loads(text)
            found = facts.get("found")
            clusterings.append(
                ClusteringRecord(
                    id=facts["id"],
                    method=facts["method"],
                    num_clusters=facts["num_clusters"],
                    seed=facts["seed"],
                    reason=facts["reason"],
                    corrections=tuple(facts["corrections"]),
                    names=tuple(facts["names"]),
                    assignments=np.array(assignments, dtype=np.int32),
                    words={name: tuple(words) for name, words in facts.get("words", {}).items()},
                    found_assignments=(
                        np.array(found["assignments"], dtype=np.int32) if found else None
                    ),
                    found_names=tuple(found["names"]) if found else (),
                    active=facts["id"] == record.active_clustering,
                )
            )
        return tuple(clusterings)

    def _rows(self, name: str, record: VideoRecord) -> _Rows:
        grouped = self._tables.get(name)
        return _Rows() if grouped is None else grouped.rows(record.generation)


class _Grouped:
    """A table, brought into such an order that the rows of a generation follow one another."""

    def __init__(self, table: pa.Table) -> None:
        generations = table.column("generation").to_numpy()
        positions = (
            table.column("position").to_numpy()
            if "position" in table.column_names
            else np.zeros(len(generations), dtype=np.int32)
        )
        steps = np.diff(generations)
        if (steps < 0).any() or (np.diff(positions)[steps == 0] < 0).any():
            # Never seen: tables are read as they were written, and tidying keeps that order.
            order = np.lexsort((positions, generations))
            table, generations = table.take(order), generations[order]
        self._table = table
        self._generations = generations

    def rows(self, generation: int) -> _Rows:
        low, high = np.searchsorted(self._generations, [generation, generation + 1])
        return _Rows(self._table.slice(low, high - low))


class _Rows:
    """The rows of one video in one table, which may be none or missing altogether."""

    def __init__(self, table: pa.Table | None = None) -> None:
        self._table = table

    def __len__(self) -> int:
        return 0 if self._table is None else int(self._table.num_rows)

    def objects(self, name: str) -> list[Any]:
        return self._column(name).to_pylist() if len(self) else []

    def array(self, name: str, dtype: type[_Scalar]) -> NDArray[_Scalar]:
        """A column of numbers."""
        if not len(self):
            return np.empty(0, dtype)
        array: NDArray[_Scalar] = self._column(name).to_numpy()
        return array

    def matrix(self, name: str, shape: tuple[int, int], codec: Codec | None) -> NDArray[Any]:
        """A column of vectors as float16 of the given shape, or of codes as uint8."""
        if not len(self):
            return np.empty(shape, np.float16 if codec is None else np.uint8)
        matrix: NDArray[Any] = self._column(name).flatten().to_numpy().reshape(shape)
        return matrix

    def spans(self, name: str) -> tuple[tuple[SceneSpan, ...], ...]:
        if not len(self):
            return ()
        column = self._column(name)
        spans = column.flatten()
        fields = (spans.field(i).to_pylist() for i in range(3))
        every = list(map(SceneSpan._make, zip(*fields, strict=True)))
        bounds = (column.offsets.to_numpy() - column.offsets[0].as_py()).tolist()
        return tuple(tuple(every[low:high]) for low, high in pairwise(bounds))

    def _column(self, name: str) -> Any:
        """An Arrow array: without a copy where the rows were read in one piece."""
        assert self._table is not None
        column = self._table.column(name)
        return column.chunk(0) if column.num_chunks == 1 else column.combine_chunks()


def _with_key(record: VideoRecord, columns: Mapping[str, Any]) -> pa.Table:
    """A table of ``columns`` after the two that say whose rows they are."""
    import pyarrow as pa

    count = len(next(iter(columns.values())))
    return pa.table(
        {
            "video": pa.array([record.id] * count, pa.string()),
            "generation": pa.array(np.full(count, record.generation, dtype=np.int64)),
            **columns,
        }
    )


def _vector_array(vectors: NDArray[Any]) -> pa.Array:
    import pyarrow as pa

    flat = pa.array(np.ascontiguousarray(vectors).reshape(-1))
    return pa.FixedSizeListArray.from_arrays(flat, vectors.shape[1])
