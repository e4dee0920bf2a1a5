"""Figures of one labelled film, query by query, with bootstrap intervals.

Every figure is kept as the value of each query that counts for it, so that an interval can be drawn
over queries, and two methods compared on the same ones. What each means is in docs/evaluation.md.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from experiments.manifest import Manifest, Query, Segment
from semantic_video.records import Moment, Scene, Span
from semantic_video.scene_retrieval import Moments
from semantic_video.utils.metrics import (
    auroc,
    average_precision,
    calibration_error,
    mean_average_precision,
    normalised_mutual_information,
    purity,
    recall_at,
    tiou,
)

K = 10
RESAMPLES = 2000

Values: TypeAlias = dict[str, float]
"""Id of a query -> its value."""


@dataclass(frozen=True, slots=True)
class Found:
    """What answered one query: intervals, best first, each with its score and probability."""

    moments: tuple[Span, ...]
    scores: tuple[float, ...]
    probabilities: tuple[float | None, ...]
    found: bool = True

    @classmethod
    def of(cls, answer: Moments | Sequence[Moment]) -> Found:
        """An answer of the product."""
        return cls(
            tuple(Span(one.start_s, one.end_s) for one in answer),
            tuple(one.score for one in answer),
            tuple(one.probability for one in answer),
            answer.found if isinstance(answer, Moments) else True,
        )

    @property
    def confidence(self) -> float:
        """How sure the first one is; its score where there is no probability."""
        if not self.moments:
            return -1e9
        return self.scores[0] if self.probabilities[0] is None else self.probabilities[0]

    def as_dict(self) -> dict[str, Any]:
        """Plain and short, to be kept."""
        rows = zip(self.moments, self.scores, self.probabilities, strict=True)
        return {
            "found": self.found,
            "moments": [
                [
                    round(span.start_s, 3),
                    round(span.end_s, 3),
                    round(score, 4),
                    None if sure is None else round(sure, 4),
                ]
                for span, score, sure in rows
            ],
        }


def by_query(values: Mapping[str, Values]) -> dict[str, Values]:
    """The values of each query by figure, from those of each figure by query."""
    queries = dict.fromkeys(query for own in values.values() for query in own)
    return {
        query: {name: round(own[query], 4) for name, own in values.items() if query in own}
        for query in queries
    }


def hits(moment: Span | Moment, spans: Sequence[Sequence[float]]) -> bool:
    """Whether a moment answers: its middle lies in a span, or they share half of the shorter.

    A moment far longer than the span (twice, and 4 s) is no answer to it.
    """
    length = moment.end_s - moment.start_s
    middle = (moment.start_s + moment.end_s) / 2
    for start_s, end_s in spans:
        if length > 2 * (end_s - start_s) + 4:
            continue
        shared = min(moment.end_s, end_s) - max(moment.start_s, start_s)
        if start_s <= middle < end_s:
            return True
        if shared > 0 and shared >= 0.5 * min(length, end_s - start_s):
            return True
    return False


def recall(answer: Sequence[Span | Moment], spans: Sequence[Sequence[float]], k: int = K) -> float:
    """Share of the spans that some moment of the answer hits; of ``k``, where there are more."""
    found = sum(any(hits(moment, [span]) for moment in answer) for span in spans)
    return found / min(len(spans), k)


def search_values(queries: Sequence[Query], answers: Sequence[Found]) -> dict[str, Values]:
    """Every figure of searches that is a mean over queries, as the value of each query."""
    values: dict[str, Values] = {}
    there = _there(queries)

    def note(figure: str, query: Query, value: float) -> None:
        values.setdefault(figure, {})[query.id] = float(value)

    for query, answer in zip(queries, answers, strict=True):
        kind, moments, spans = query.type, answer.moments, query.spans
        if kind in ("moment", "screen_text", "speech"):
            right = [hits(moment, spans) for moment in moments]
            for k in (1, 5, 10):
                note(f"{kind}_R{k}", query, any(right[:k]))
        if kind == "moment":
            note("moment_R1@0.5", query, recall_at([moments], [spans], k=1))
            note("moment_mAP@0.5", query, average_precision(moments, spans, 0.5))
            note("moment_mAP", query, mean_average_precision([moments], [spans]))
            if moments and right[0]:
                span = max(spans, key=lambda span: tiou(moments[0], span))
                off = abs(moments[0].start_s - span.start_s) + abs(moments[0].end_s - span.end_s)
                note("boundary_error_s", query, off / 2)
            note("overlapping_top10", query, _overlapping(moments))
        if kind == "concept":
            note("concept_recall@10", query, recall(moments, spans))
            ranked = [hits(moment, spans) for moment in moments[: len(spans)]]
            note("concept_R_precision", query, sum(ranked) / min(len(spans), K))
            note("concept_mAP", query, mean_average_precision([moments], [spans]))
        if kind == "image":
            shown = sum(any(hits(moment, [span]) for moment in moments[:5]) for span in spans)
            note("image_recall@5", query, shown / len(spans))
        if kind == there:
            note("true_accept_rate", query, answer.found)
        if kind == "absent":
            note("false_accept_rate", query, answer.found)
    return values


def absence(queries: Sequence[Query], answers: Sequence[Found]) -> dict[str, dict[str, Values]]:
    """For each figure of absence, the confidence of queries that are there and that are not."""
    sure = {
        query.id: (query, answer.confidence) for query, answer in zip(queries, answers, strict=True)
    }

    def side(*types: str, easy: bool = False) -> Values:
        return {
            query.id: value
            for query, value in sure.values()
            if query.type in types and (not easy or query.id.startswith("b"))
        }

    pairs = {
        "absent_auroc": {"there": side(_there(queries)), "not": side("absent")},
        "absent_concept_auroc": {"there": side("concept"), "not": side("absent", easy=True)},
    }
    return {name: pair for name, pair in pairs.items() if pair["there"] and pair["not"]}


def listed(
    queries: Sequence[Query], answers: Sequence[Found]
) -> dict[str, list[tuple[float, bool]]]:
    """For each query of moments, concepts and absence: each probability stated, and if right."""
    return {
        query.id: [
            (sure, bool(query.spans) and hits(moment, query.spans))
            for moment, sure in zip(answer.moments, answer.probabilities, strict=True)
            if sure is not None
        ]
        for query, answer in zip(queries, answers, strict=True)
        if query.type in ("moment", "concept", "absent")
    }


def _there(queries: Sequence[Query]) -> str:
    """The type of the queries that absent ones are compared with."""
    return "moment" if any(query.type == "moment" for query in queries) else "speech"


def all_figures(
    queries: Sequence[Query], runs: Sequence[Sequence[Found]], seed: int = 0
) -> dict[str, dict[str, float]]:
    """Every figure of searches with its interval; ``runs`` has the answers of each seed.

    A query's value is its mean over the runs, so intervals are over queries.
    """
    values = mean_values([search_values(queries, answers) for answers in runs])
    figures = {name: interval(own, seed) for name, own in values.items()}
    pairs = [absence(queries, answers) for answers in runs]
    for name in pairs[0]:
        sides = mean_values([run[name] for run in pairs])
        figures[name] = auroc_interval(sides["there"], sides["not"], seed)
    stated = [listed(queries, answers) for answers in runs]
    if any(own for run in stated for own in run.values()):
        figures["calibration_error"] = _calibration(stated, seed)
    return figures


def mean_values(runs: Sequence[Mapping[str, Values]]) -> dict[str, Values]:
    """Figures of each query, averaged over the runs in which it has one."""
    gathered: dict[str, dict[str, list[float]]] = {}
    for run in runs:
        for name, values in run.items():
            for query, value in values.items():
                gathered.setdefault(name, {}).setdefault(query, []).append(value)
    return {
        name: {query: float(np.mean(own)) for query, own in values.items()}
        for name, values in gathered.items()
    }


def interval(values: Values, seed: int = 0) -> dict[str, float]:
    """Mean, its 95 % interval by the percentile bootstrap over queries, and how many they are."""
    return _figure(np.array(list(values.values())), seed)


def difference(ours: Values, theirs: Values, seed: int = 0) -> dict[str, float]:
    """As `interval`, of the difference on the queries that both have (a paired bootstrap)."""
    both = [query for query in ours if query in theirs]
    return _figure(np.array([ours[query] - theirs[query] for query in both]), seed)


def auroc_interval(there: Values, absent: Values, seed: int = 0) -> dict[str, float]:
    """Area under the ROC curve, both sides resampled."""
    above, below = np.array(list(there.values())), np.array(list(absent.values()))
    wins = (above[:, None] > below) + 0.5 * (above[:, None] == below)
    random = np.random.default_rng(seed)
    drawn = [
        random.multinomial(len(side), np.full(len(side), 1 / len(side)), RESAMPLES)
        for side in (above, below)
    ]
    areas = np.einsum("ra,ab,rb->r", drawn[0], wins, drawn[1], optimize=True) / wins.size
    return _bounds(auroc(above, below), areas, len(above) + len(below))


def _calibration(
    stated: Sequence[Mapping[str, Sequence[tuple[float, bool]]]], seed: int
) -> dict[str, float]:
    queries = [query for query in stated[0] if any(run[query] for run in stated)]
    rows = [np.array([pair for run in stated for pair in run[query]], float) for query in queries]
    every = np.concatenate(rows)
    random = np.random.default_rng(seed)
    errors = []
    for _ in range(RESAMPLES // 10):
        drawn = np.concatenate([rows[one] for one in random.integers(len(rows), size=len(rows))])
        errors.append(calibration_error(drawn[:, 0], drawn[:, 1]))
    value = calibration_error(every[:, 0], every[:, 1])
    return _bounds(value, np.array(errors), len(queries))


def _figure(values: NDArray[np.float64], seed: int) -> dict[str, float]:
    if not len(values):
        return {"value": float("nan"), "low": float("nan"), "high": float("nan"), "n": 0}
    random = np.random.default_rng(seed)
    means = values[random.integers(len(values), size=(RESAMPLES, len(values)))].mean(axis=1)
    return _bounds(float(values.mean()), means, len(values))


def _bounds(value: float, drawn: NDArray[np.float64], count: int) -> dict[str, float]:
    low, high = np.percentile(drawn, [2.5, 97.5])
    numbers = {"value": value, "low": float(low), "high": float(high)}
    return {name: round(number, 4) for name, number in numbers.items()} | {"n": count}


def segment_figures(
    manifest: Manifest, scenes: Sequence[Scene], seed: int = 0
) -> dict[str, dict[str, float]]:
    """Scenes and their clusters against the segments.

    Intervals are over joins, stills, and scenes.
    """
    segments = manifest.segments
    cuts = np.array([scene.start_s for scene in scenes[1:]])
    figures = {}
    joins = {str(number): _found(segment, cuts) for number, segment in enumerate(segments[1:])}
    if joins:
        figures["join_recall"] = interval(joins, seed)
    stills = {
        str(number): float(((cuts > one.span.start_s + 1) & (cuts < one.span.end_s - 1)).sum())
        for number, one in enumerate(segments)
        if one.kind == "photo"
    }
    if stills:
        figures["splits_per_still"] = interval(stills, seed)
    ends = np.array([scene.end_s for scene in scenes[:-1]])
    tiles = float(len(scenes) < 2 or np.abs(cuts - ends).max() < 1e-6)
    figures["scenes_tile"] = {"value": tiles, "low": tiles, "high": tiles, "n": len(scenes)}
    rows = _categories(manifest, scenes)
    if rows:
        found, truth, seconds = (np.array(column) for column in zip(*rows, strict=True))
        random = np.random.default_rng(seed)
        draws = [random.integers(len(rows), size=len(rows)) for _ in range(RESAMPLES // 10)]
        for name, measure in (
            ("cluster_purity", purity),
            ("cluster_nmi", normalised_mutual_information),
        ):
            drawn = np.array([measure(found[d], truth[d], seconds[d]) for d in draws])
            value = measure(found, truth, seconds)
            # Fewer different scenes are grouped more easily: the bootstrap's bias is taken off.
            figures[name] = _bounds(value, drawn - drawn.mean() + value, len(rows))
    return figures


def _found(segment: Segment, cuts: NDArray[np.float64]) -> float:
    """Whether the join at which a segment begins has a boundary near."""
    at, near = segment.span.start_s, 0.5
    if segment.fade:
        at, near = at + 0.25, 0.75
    return float(bool(len(cuts)) and np.abs(cuts - at).min() <= near)


def _categories(manifest: Manifest, scenes: Sequence[Scene]) -> list[tuple[int, str, float]]:
    """Cluster, category and seconds of each scene whose middle lies in a segment with one."""
    rows = []
    for scene in scenes:
        middle = (scene.start_s + scene.end_s) / 2
        for segment in manifest.segments:
            if segment.span.start_s <= middle < segment.span.end_s:
                if segment.category:
                    rows.append((scene.cluster, segment.category, scene.end_s - scene.start_s))
                break
    return rows


def _overlapping(moments: Sequence[Span]) -> bool:
    return any(
        tiou(one, other) > 0 for place, one in enumerate(moments) for other in moments[:place]
    )
