"""Searches that are kept: saved queries with their marks, and the last search.

A saved query is a row of ``queries`` and its marks are rows of ``marks``. The last search is a
small file beside the tables, because every search replaces it and none may wait for a writer.
"""

from __future__ import annotations

import contextlib
import json
import os
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from numpy.typing import NDArray

if TYPE_CHECKING:
    import pyarrow as pa

QUERIES = "queries"
MARKS = "marks"
QUERY_COLUMNS = ("name", "record", "saved_at")
MARK_COLUMNS = ("query", "position", "video", "start_s", "end_s", "right", "model", "vector")
_LAST = "last-search.json"


@dataclass(frozen=True, slots=True, eq=False)
class Mark:
    """A moment that somebody called right or wrong, and what it looked like to one model.

    The vector [D] is kept, so that the mark outlives the film's index.
    """

    video: str
    start_s: float
    end_s: float
    right: bool
    model: str
    """The fingerprint of the encoder that the vector is of."""
    vector: NDArray[np.float32]

    def as_dict(self) -> dict[str, Any]:
        return {
            "video": self.video,
            "start_s": self.start_s,
            "end_s": self.end_s,
            "right": self.right,
            "model": self.model,
            "vector": [round(float(value), 6) for value in self.vector],
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Self:
        vector = np.asarray(values["vector"], dtype=np.float32)
        return cls(**{**values, "vector": vector})


@dataclass(frozen=True, slots=True)
class SavedQuery:
    """A search under a name: what was asked for, as JSON can hold it, and its marks."""

    name: str
    request: Mapping[str, Any]
    marks: tuple[Mark, ...] = ()
    saved_at: str = ""


@dataclass(frozen=True, slots=True)
class LastSearch:
    """The search before this one: what was asked, marks so far, and the spans it listed.

    ``moments`` are (video, start_s, end_s), best first.
    """

    request: Mapping[str, Any]
    marks: tuple[Mark, ...] = ()
    moments: tuple[tuple[str, float, float], ...] = field(default=())


def query_row(query: SavedQuery) -> pa.Table:
    """The row of a saved query."""
    import pyarrow as pa

    saved_at = query.saved_at or datetime.now(UTC).isoformat(timespec="seconds")
    return pa.table(
        {
            "name": pa.array([query.name], pa.string()),
            "record": pa.array([json.dumps(query.request)], pa.string()),
            "saved_at": pa.array([saved_at], pa.string()),
        }
    )


def mark_rows(query: SavedQuery) -> pa.Table:
    """The rows of its marks."""
    import pyarrow as pa

    marks = query.marks
    return pa.table(
        {
            "query": pa.array([query.name] * len(marks), pa.string()),
            "position": pa.array(range(len(marks)), pa.int32()),
            # As JSON, which holds names that are not valid Unicode.
            "video": pa.array([json.dumps(mark.video) for mark in marks], pa.string()),
            "start_s": pa.array([mark.start_s for mark in marks], pa.float64()),
            "end_s": pa.array([mark.end_s for mark in marks], pa.float64()),
            "right": pa.array([mark.right for mark in marks], pa.bool_()),
            "model": pa.array([mark.model for mark in marks], pa.string()),
            "vector": pa.array([mark.vector.tolist() for mark in marks], pa.list_(pa.float32())),
        }
    )


def saved_queries(queries: pa.Table, marks: pa.Table | None) -> list[SavedQuery]:
    """What the rows hold, by name."""
    of_query: dict[str, list[tuple[int, Mark]]] = {}
    for row in marks.to_pylist() if marks is not None else ():
        position, name = row.pop("position"), row.pop("query")
        row["video"] = json.loads(row["video"])
        of_query.setdefault(name, []).append((position, Mark.from_dict(row)))
    return sorted(
        (
            SavedQuery(
                row["name"],
                json.loads(row["record"]),
                tuple(
                    mark for _, mark in sorted(of_query.get(row["name"], ()), key=lambda m: m[0])
                ),
                row["saved_at"],
            )
            for row in queries.to_pylist()
        ),
        key=lambda query: query.name,
    )


def write_last(directory: Path, search: LastSearch) -> None:
    """Keep the last search; where nothing can be written there will be none to refine."""
    text = json.dumps(
        {
            "request": search.request,
            "marks": [mark.as_dict() for mark in search.marks],
            "moments": search.moments,
        }
    )
    with contextlib.suppress(OSError):
        descriptor, temporary = tempfile.mkstemp(f"{_LAST}.tmp", dir=directory)
        try:
            with os.fdopen(descriptor, "w", encoding="ascii") as file:
                file.write(text)
            os.replace(temporary, directory / _LAST)
        except BaseException:
            os.unlink(temporary)
            raise


def read_last(directory: Path) -> LastSearch | None:
    """The last search; None where there is none, or none that can be read."""
    try:
        values = json.loads((directory / _LAST).read_text(encoding="ascii"))
        return LastSearch(
            values["request"],
            tuple(Mark.from_dict(mark) for mark in values["marks"]),
            tuple((str(video), float(a), float(b)) for video, a, b in values["moments"]),
        )
    except (OSError, ValueError, KeyError, TypeError):
        return None


def names_of(queries: Sequence[SavedQuery]) -> str:
    """The names of saved queries, for a message."""
    return ", ".join(query.name for query in queries) or "none"
