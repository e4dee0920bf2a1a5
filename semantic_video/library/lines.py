"""Between timed lines and the rows of the table ``lines``: what was said and what was written.

One row a line, so that Lance can index the text. The lines of one kind are replaced in one change.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from semantic_video.library.stored import VideoRecord
from semantic_video.records import Line

if TYPE_CHECKING:
    import pyarrow as pa

LINES = "lines"
LINE_COLUMNS = ("generation", "kind", "position", "start_s", "end_s", "text", "confidence")
LINE_KEYS = ("generation", "kind", "position")


def line_rows(record: VideoRecord, kind: str, lines: Sequence[Line]) -> pa.Table:
    """Rows for the lines of one kind, in their order."""
    import pyarrow as pa

    count = len(lines)
    return pa.table(
        {
            "video": pa.array([record.id] * count, pa.string()),
            "generation": pa.array([record.generation] * count, pa.int64()),
            "kind": pa.array([kind] * count, pa.string()),
            "position": pa.array(range(count), pa.int32()),
            "start_s": pa.array([line.start_s for line in lines], pa.float64()),
            "end_s": pa.array([line.end_s for line in lines], pa.float64()),
            "text": pa.array([_valid(line.text) for line in lines], pa.string()),
            "confidence": pa.array([line.confidence for line in lines], pa.float32()),
        }
    )


def lines_by_generation(table: pa.Table) -> dict[int, tuple[Line, ...]]:
    """The lines of each generation, in order of time."""
    found: dict[int, list[Line]] = {}
    columns = [table.column(name).to_pylist() for name in LINE_COLUMNS]
    for generation, kind, _, start_s, end_s, text, confidence in zip(*columns, strict=True):
        line = Line(start_s, end_s, text, kind, round(confidence, 3))
        found.setdefault(generation, []).append(line)
    return {
        generation: tuple(sorted(own, key=lambda line: (line.start_s, line.end_s)))
        for generation, own in found.items()
    }


def _valid(text: str) -> str:
    """What Arrow can store: a subtitle file may hold halves of surrogate pairs."""
    return text.encode("utf-8", errors="replace").decode("utf-8")
