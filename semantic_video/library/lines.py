"""Between timed lines and the rows of the table ``lines``: what was said and what was written.

One row a line, with its words as `semantic_video.words` folds them beside the text, so that a
search compares words without taking texts apart. The lines of one kind are replaced in one change.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semantic_video.library.stored import VideoRecord
from semantic_video.records import Line
from semantic_video.words import stems

if TYPE_CHECKING:
    import pyarrow as pa

LINES = "lines"
LINE_COLUMNS = ("generation", "kind", "position", "start_s", "end_s", "text", "confidence")
WORD_COLUMNS = ("generation", "kind", "start_s", "end_s", "words")
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
            "words": pa.array([f" {' '.join(stems(_valid(t.text)))} " for t in lines], pa.string()),
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


@dataclass(frozen=True, slots=True, eq=False)
class LineWords:
    """The words of L lines of any number of videos, held as they are stored.

    ``video`` is the row of ``videos`` (ids) that a line belongs to, ``is_speech`` tells what is
    heard from what is seen.
    """

    videos: tuple[str, ...]
    video: NDArray[np.int64]  # [L]
    is_speech: NDArray[np.bool_]  # [L]
    start_s: NDArray[np.float64]  # [L]
    end_s: NDArray[np.float64]  # [L]
    _words: pa.Array | None  # [L]

    def __len__(self) -> int:
        return len(self.video)

    def rows_with(self, stem: str) -> NDArray[np.int64]:
        """The lines that hold a word, ascending."""
        import pyarrow.compute as pc

        if self._words is None:
            return np.empty(0, np.int64)
        matches = pc.match_substring(self._words, f" {stem} ")
        rows: NDArray[np.int64] = np.flatnonzero(matches.to_numpy(zero_copy_only=False))
        return rows


def line_words(table: pa.Table | None, video_of: Mapping[int, str]) -> LineWords:
    """What `LineWords` needs of the table ``lines``, for these generations (-> id of the video)."""
    videos = tuple(video_of.values())
    if table is None:
        nothing = np.empty(0)
        return LineWords(
            videos, nothing.astype(np.int64), nothing.astype(np.bool_), nothing, nothing, None
        )
    order = {generation: row for row, generation in enumerate(video_of)}
    generations = table.column("generation").to_numpy()
    known, inverse = np.unique(generations, return_inverse=True)
    row_of = np.array([order.get(int(generation), -1) for generation in known], dtype=np.int64)
    video = row_of[inverse] if len(known) else np.empty(0, np.int64)
    kept = np.flatnonzero(video >= 0)
    if len(kept) < len(video):
        table = table.take(kept)
    return LineWords(
        videos,
        video[kept],
        np.array([kind == "speech" for kind in table.column("kind").to_pylist()], dtype=np.bool_),
        table.column("start_s").to_numpy(),
        table.column("end_s").to_numpy(),
        table.column("words").combine_chunks(),
    )


def _valid(text: str) -> str:
    """What Arrow can store: a subtitle file may hold halves of surrogate pairs."""
    return text.encode("utf-8", errors="replace").decode("utf-8")
