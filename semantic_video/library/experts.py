"""Between trained experts and the rows of two tables.

``weights`` holds bytes under a name that is made from them, once, however many videos were trained
together or share a codec; ``experts`` says which of them belong to a clustering. Both trained
experts and what reads a memory's codes (`Codec`) are such bytes.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from semantic_video.library.stored import VideoRecord

if TYPE_CHECKING:
    import pyarrow as pa

EXPERTS = "experts"
EXPERT_COLUMNS = ("generation", "clustering", "weights")
EXPERT_KEYS = ("generation", "clustering")
WEIGHTS = "weights"
WEIGHT_COLUMNS = ("id", "data")

_NAME_BYTES = 16


def weights_name(weights: bytes) -> str:
    """What these bytes are called in the library: hexadecimal."""
    return hashlib.blake2b(weights, digest_size=_NAME_BYTES).hexdigest()


def weight_rows(weights: bytes) -> pa.Table:
    """The row of some bytes under their name."""
    import pyarrow as pa

    return pa.table(
        {
            "id": pa.array([weights_name(weights)], pa.string()),
            "data": pa.array([weights], pa.large_binary()),
        }
    )


def weights_by_name(table: pa.Table) -> dict[str, bytes]:
    """The inverse of `weight_rows`, for many rows."""
    columns = (table.column(name).to_pylist() for name in WEIGHT_COLUMNS)
    return dict(zip(*columns, strict=True))


def expert_rows(record: VideoRecord, clustering: str, name: str) -> pa.Table:
    """The row that says which weights are one clustering's experts."""
    import pyarrow as pa

    return pa.table(
        {
            "video": pa.array([record.id], pa.string()),
            "generation": pa.array([record.generation], pa.int64()),
            "clustering": pa.array([clustering], pa.string()),
            "weights": pa.array([bytes.fromhex(name)], pa.large_binary()),
        }
    )


def names_by_key(table: pa.Table) -> dict[tuple[int, str], str]:
    """(generation, clustering) -> the name of its experts' weights.

    Rows that hold the weights themselves, as the first libraries did, are left out.
    """
    columns = (table.column(name).to_pylist() for name in EXPERT_COLUMNS)
    return {
        (generation, clustering): name.hex()
        for generation, clustering, name in zip(*columns, strict=True)
        if len(name) == _NAME_BYTES
    }
