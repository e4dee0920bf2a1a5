"""What the parts hand to one another: frozen records of ids, times and words.

Times are seconds as float from the video's first presentation time; intervals are half-open.
This module imports nothing else of the package.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from html import escape
from typing import Any, Literal, NamedTuple


class Span(NamedTuple):
    """A half-open interval of the timeline, ``start_s <= t < end_s``."""

    start_s: float
    end_s: float

    @property
    def duration_s(self) -> float:
        return self.end_s - self.start_s


class SceneSpan(NamedTuple):
    """Where one scene lies; an entry keeps one for every scene that was merged into it."""

    scene: int
    start_s: float
    end_s: float


class Return(NamedTuple):
    """That ``scene`` shows again what ``earlier`` showed, which ended at ``last_s``.

    ``sure`` is 0 to 1.
    """

    scene: int
    earlier: int
    last_s: float
    sure: float


@dataclass(frozen=True, slots=True)
class Scene:
    """One or more shots that continue one another: the unit of memory. Scenes tile the timeline."""

    id: int
    start_s: float
    end_s: float
    cluster: int

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Cluster:
    """Scenes that show the same, wherever they lie on the timeline.

    ``occurrences`` are maximal runs of the cluster in time, in order; ``medoid_scene`` is the scene
    nearest to the centroid and ``medoid_s`` a time inside it that shows it best.
    """

    id: int
    name: str
    scenes: tuple[int, ...]
    occurrences: tuple[Span, ...]
    total_s: float
    medoid_scene: int
    medoid_s: float
    words: tuple[str, ...] = ()
    """What speaks for the name, best first; empty where the user gave it."""
    examples: tuple[int, ...] = ()
    """Scenes that show it best."""
    named_by: str = "words"
    """``words`` or ``user``."""

    def as_dict(self) -> dict[str, Any]:
        record = asdict(self)
        record["occurrences"] = [
            {"start_s": span.start_s, "end_s": span.end_s} for span in self.occurrences
        ]
        return record


@dataclass(frozen=True, slots=True)
class Theme:
    """Clusters that belong together, and finer themes among them.

    ``level`` is 0 for the coarsest; ``id`` counts within its level. ``children`` are the themes of
    the next level, empty in the finest. ``medoid_cluster`` is the cluster nearest to the middle,
    ``medoid_scene`` and ``medoid_s`` what shows that one best. Times are seconds.
    """

    id: int
    level: int
    name: str
    clusters: tuple[int, ...]
    occurrences: tuple[Span, ...]
    total_s: float
    medoid_cluster: int
    medoid_scene: int
    medoid_s: float
    children: tuple[Theme, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {
            "id": self.id,
            "level": self.level,
            "name": self.name,
            "clusters": list(self.clusters),
            "occurrences": [{"start_s": s.start_s, "end_s": s.end_s} for s in self.occurrences],
            "total_s": self.total_s,
            "medoid_cluster": self.medoid_cluster,
            "medoid_scene": self.medoid_scene,
            "medoid_s": self.medoid_s,
            "children": [child.as_dict() for child in self.children],
        }


@dataclass(frozen=True, slots=True)
class Scope:
    """Where in a video to look; the default is everywhere.

    ``start_s`` and ``end_s`` bound the timeline (moments are cut to them), ``clusters`` are ids of
    the clusters to look in, and ``min_length_s`` leaves out moments that are shorter.
    """

    start_s: float = 0.0
    end_s: float = math.inf
    clusters: frozenset[int] | None = None
    min_length_s: float = 0.0


@dataclass(frozen=True, slots=True)
class Line:
    """Words of a video and when they are heard (``speech``) or seen (``text``).

    ``confidence`` is the reader's own, 0 to 1; subtitles have 1.
    """

    start_s: float
    end_s: float
    text: str
    kind: Literal["speech", "text"]
    confidence: float = 1.0

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


@dataclass(frozen=True, slots=True)
class Moment:
    """An interval that answers a query.

    ``score`` is a cosine-like similarity: good for ranking within one query, not across queries.
    ``probability`` is how likely the moment answers the query (None where nothing says so).
    ``signals`` says what found the moment (name of the signal -> its own score).
    """

    video: str
    start_s: float
    end_s: float
    score: float
    probability: float | None
    cluster: int
    cluster_name: str
    keyframe_s: float
    signals: Mapping[str, float] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        record = asdict(self)
        record["signals"] = dict(self.signals)
        return record


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence of an answer; ``evidence`` are positions in the answer's moments."""

    text: str
    evidence: tuple[int, ...] = ()

    def as_dict(self) -> dict[str, Any]:
        return {"text": self.text, "evidence": list(self.evidence)}


@dataclass(frozen=True, slots=True, repr=False)
class Answer:
    """What a question about videos gets: short plain English, each sentence with its moments.

    ``choice`` is the position of the chosen option, ``count`` the number that was asked for;
    ``confidence`` (0 to 1) is that of the moments it rests on, ``method`` says how it was found and
    ``plan`` the steps, a line each.
    """

    question: str
    text: str
    evidence: tuple[Moment, ...]
    sentences: tuple[Sentence, ...]
    confidence: float
    method: str
    choice: int | None = None
    count: int | None = None
    plan: tuple[str, ...] = ()
    dropped: int = 0
    """Sentences of a language model that were dropped because nothing showed what they say."""

    def __str__(self) -> str:
        return self.text

    def __repr__(self) -> str:
        return f"Answer to {self.question!r}: {self.text}"

    def _repr_html_(self) -> str:
        rows = []
        for sentence in self.sentences:
            shown = [self.evidence[index] for index in sentence.evidence]
            times = ", ".join(f"{moment.start_s:.1f}–{moment.end_s:.1f} s" for moment in shown)
            rows.append(f"<li>{escape(sentence.text)} <small>{times}</small></li>")
        return f"<div><b>{escape(self.question)}</b><ul>{''.join(rows)}</ul></div>"

    def as_dict(self) -> dict[str, Any]:
        """The JSON contract of ``ask``."""
        return {
            "version": 1,
            "question": self.question,
            "text": self.text,
            "choice": self.choice,
            "count": self.count,
            "confidence": self.confidence,
            "method": self.method,
            "evidence": [moment.as_dict() for moment in self.evidence],
            "sentences": [sentence.as_dict() for sentence in self.sentences],
            "plan": list(self.plan),
            "dropped": self.dropped,
        }
