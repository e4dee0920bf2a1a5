"""Between trained experts and the rows of the table ``experts``: bytes, one row a clustering."""

from __future__ import annotations

from typing import TYPE_CHECKING

from semantic_video.library.stored import VideoRecord

if TYPE_CHECKING:
    import pyarrow as pa

EXPERTS = "experts"
EXPERT_COLUMNS = ("generation", "clustering", "weights")
EXPERT_KEYS = ("generation", "clustering")


def expert_rows(record: VideoRecord, clustering: str, weights: bytes) -> pa.Table:
    """The row of one clustering's experts."""
    import pyarrow as pa

    return pa.table(
        {
            "video": pa.array([record.id], pa.string()),
            "generation": pa.array([record.generation], pa.int64()),
            "clustering": pa.array([clustering], pa.string()),
            "weights": pa.array([weights], pa.large_binary()),
        }
    )


def experts_by_key(table: pa.Table) -> dict[tuple[int, str], bytes]:
    """(generation, clustering) -> the bytes of its experts."""
    columns = (table.column(name).to_pylist() for name in EXPERT_COLUMNS)
    return {
        (generation, clustering): weights
        for generation, clustering, weights in zip(*columns, strict=True)
    }
