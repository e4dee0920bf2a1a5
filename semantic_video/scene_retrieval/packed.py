"""All that a search needs of many videos, as plain arrays: to be kept in a file and mapped.

What is read in full at every search is small (the codes of `coarse`); of the vectors only the rows
of the likeliest scenes are touched, and no memory of a video is built.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, fields
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from semantic_video.scene_retrieval.coarse import Coarse
from semantic_video.scene_retrieval.frames import MixedFrames
from semantic_video.scene_retrieval.rows import FloatArray, Rows

Asked = Literal["text", "picture", "both"]
"""What a query vector was made from: pictures are far more alike than a picture and a text."""

Unrelated = Literal["text", "picture", "scene"]
"""Queries that do not belong: foreign texts, unrelated pictures, and the videos' own scenes, each
asked in all clusters but its own."""

Foreign = tuple[FloatArray, NDArray[np.float64]]
"""Of queries that do not belong: the best score [Q, V] of each in each video, and its level [Q]."""

_UNRELATED: tuple[Unrelated, ...] = ("text", "picture", "scene")
_SEPARATOR = "\0"
_MIXED = "frames."


@dataclass(frozen=True, slots=True)
class Packed:
    """V videos, ready to search: the rows, the way into them, and what scores are judged by."""

    rows: Rows
    coarse: Coarse
    cluster_names: Sequence[Sequence[str]]
    foreign: Mapping[Unrelated, Foreign]

    def arrays(self) -> dict[str, NDArray[Any]]:
        """As arrays by name, for `from_arrays`."""
        found: dict[str, NDArray[Any]] = {}
        for prefix, part in (("rows", self.rows), ("coarse", self.coarse)):
            for field in fields(part):
                value = getattr(part, field.name)
                if isinstance(value, MixedFrames):
                    found |= {f"{_MIXED}{name}": array for name, array in value.arrays().items()}
                else:
                    found[f"{prefix}.{field.name}"] = np.asarray(value)
        for asked, (best, level) in self.foreign.items():
            found[f"foreign.{asked}"] = best
            found[f"level.{asked}"] = level
        names = [name for own in self.cluster_names for name in own]
        found["names"] = np.frombuffer(_SEPARATOR.join(names).encode("utf-8"), np.uint8)
        found["name_counts"] = np.array([len(own) for own in self.cluster_names], np.int64)
        return found

    @classmethod
    def from_arrays(cls, arrays: Mapping[str, NDArray[Any]]) -> Packed:
        """What `arrays` was made of; the large ones are not read."""
        own: dict[str, Any] = {
            field.name: arrays[f"rows.{field.name}"]
            for field in fields(Rows)
            if f"rows.{field.name}" in arrays
        }
        mixed = {
            name.removeprefix(_MIXED): array
            for name, array in arrays.items()
            if name.startswith(_MIXED)
        }
        if mixed:
            own["frame_vectors"] = MixedFrames.from_arrays(mixed)
        share = float(own.pop("frame_share"))
        names = iter(arrays["names"].tobytes().decode("utf-8").split(_SEPARATOR))
        return cls(
            rows=Rows(**own, frame_share=share),
            coarse=Coarse(
                **{field.name: arrays[f"coarse.{field.name}"] for field in fields(Coarse)}
            ),
            cluster_names=[
                [next(names) for _ in range(count)] for count in arrays["name_counts"].tolist()
            ],
            foreign={
                asked: (arrays[f"foreign.{asked}"], arrays[f"level.{asked}"])
                for asked in _UNRELATED
                if f"foreign.{asked}" in arrays
            },
        )
