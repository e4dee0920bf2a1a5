"""Lists for tables, players and pipes."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence

from semantic_video.errors import QueryError
from semantic_video.records import Moment

_COLUMNS = (
    "query", "rank", "video", "start_s", "end_s", "score", "probability", "cluster",
    "cluster_name", "keyframe_s", "signals",
)  # fmt: skip


def csv_table(answers: Iterable[tuple[str, Sequence[Moment]]]) -> str:
    """Rows of comma-separated values under one header, for (query, moments)."""
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\n")
    writer.writerow(_COLUMNS)
    for query, moments in answers:
        for rank, moment in enumerate(moments, start=1):
            facts = moment.as_dict() | {"signals": "+".join(moment.signals)}
            writer.writerow([query, rank, *(facts[name] for name in _COLUMNS[2:])])
    return text.getvalue()


def srt(moments: Sequence[Moment], text: str) -> str:
    """SubRip subtitles that show the query while a moment lasts, in order of time.

    Raises:
        QueryError: the moments are of several films; subtitles belong to one.
    """
    if len({moment.video for moment in moments}) > 1:
        raise QueryError("subtitles belong to one film: choose it with --video")
    blocks = []
    words = " ".join(text.split()) or "moment"
    for number, moment in enumerate(sorted(moments, key=lambda m: m.start_s), start=1):
        sure = "" if moment.probability is None else f" ({moment.probability:.0%})"
        times = f"{_srt_time(moment.start_s)} --> {_srt_time(moment.end_s)}"
        blocks.append(f"{number}\n{times}\n{words}{sure}\n")
    return "\n".join(blocks)


def path_lines(moments: Iterable[Moment]) -> str:
    """A line a moment: path, start and end in seconds, with tabs between."""
    return "".join(f"{m.video}\t{m.start_s:.3f}\t{m.end_s:.3f}\n" for m in moments)


def _srt_time(seconds: float) -> str:
    whole, thousandths = divmod(round(seconds * 1000), 1000)
    return f"{whole // 3600:02}:{whole // 60 % 60:02}:{whole % 60:02},{thousandths:03}"
