"""Trained experts in two tables.

``weights`` holds bytes under a name that is made from them, once, however many videos were trained
together or share a codec; ``experts`` says which of them belong to a clustering. Both trained
experts and what reads a memory's codes (`Codec`) are such bytes.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable
from typing import TYPE_CHECKING

from semantic_video.library.stored import VideoRecord
from semantic_video.library.tables import Tables, quoted

if TYPE_CHECKING:
    import pyarrow as pa

EXPERTS = "experts"
EXPERT_COLUMNS = ("generation", "clustering", "weights")
EXPERT_KEYS = ("generation", "clustering")
WEIGHTS = "weights"

_NAME_BYTES = 16


def stored_weights(tables: Tables, names: Iterable[str]) -> dict[str, bytes]:
    """Those of these weights that a library holds, by name."""
    wanted = sorted(set(filter(None, names)))
    if not wanted or WEIGHTS not in tables.names():
        return {}
    found = tables.read(WEIGHTS, ("id", "data"), f"id IN ({', '.join(map(quoted, wanted))})")
    columns = (found.column(name).to_pylist() for name in ("id", "data"))
    return dict(zip(*columns, strict=True))


def keep_weights(tables: Tables, weights: bytes) -> str:
    """The name of weights, hexadecimal; they are stored if they are not yet."""
    import pyarrow as pa

    name = hashlib.blake2b(weights, digest_size=_NAME_BYTES).hexdigest()
    if not stored_weights(tables, [name]):
        row = {
            "id": pa.array([name], pa.string()),
            "data": pa.array([weights], pa.large_binary()),
        }
        tables.append(WEIGHTS, pa.table(row))
    return name


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
