"""The figures of an evaluation, worked by hand."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from experiments.figures import (
    Found,
    absence,
    all_figures,
    difference,
    hits,
    interval,
    mean_values,
    recall,
    search_values,
    segment_figures,
)
from experiments.manifest import Manifest, Query, Segment
from semantic_video.records import Scene, Span


def answer(*spans: tuple[float, float], sure: float = 0.5, found: bool = True) -> Found:
    count = len(spans)
    return Found(tuple(Span(*span) for span in spans), (0.3,) * count, (sure,) * count, found)


def test_what_a_hit_is() -> None:
    assert hits(Span(10, 12), [(9, 20)])
    assert hits(Span(0, 12), [(10, 20)]) is False  # its middle is outside, and 2 of 10 shared
    assert hits(Span(4, 14), [(8, 12)])  # twice as long and a little
    assert not hits(Span(0, 13), [(5, 9)])  # longer than twice and 4 s
    assert hits(Span(16, 24), [(12, 20)])  # half of the shorter is shared
    assert not hits(Span(20, 21), [(10, 20)])  # half-open


def test_recall_counts_spans_up_to_ten() -> None:
    assert recall([Span(0, 4), Span(50, 54)], [(0, 4), (20, 24)]) == 0.5
    many = [(20.0 * i, 20.0 * i + 4) for i in range(20)]
    assert recall([Span(*span) for span in many[:5]], many) == 0.5


def test_values_of_searches() -> None:
    queries = [
        Query("m0", "moment", "a", (Span(0, 10),)),
        Query("m1", "moment", "b", (Span(20, 30),)),
        Query("c0", "concept", "c", (Span(0, 10), Span(20, 30))),
        Query("i0", "image", "", (Span(0, 10), Span(40, 50))),
        Query("a0", "absent", "d", ()),
    ]
    answers = [
        answer((1, 10), (5, 9)),
        answer((0, 4), (21, 30)),
        answer((0, 9), (60, 61), (20, 30)),
        answer((0, 9)),
        answer((0, 9), found=False),
    ]
    values = search_values(queries, answers)
    assert values["moment_R1"] == {"m0": 1.0, "m1": 0.0}
    assert values["moment_R5"] == {"m0": 1.0, "m1": 1.0}
    assert values["moment_R1@0.5"] == {"m0": 1.0, "m1": 0.0}
    assert values["boundary_error_s"] == {"m0": 0.5}
    assert values["overlapping_top10"] == {"m0": 1.0, "m1": 0.0}
    # tIoU 0.9 passes nine of ten thresholds; found second, it is worth a half.
    assert values["moment_mAP"]["m0"] == pytest.approx(0.9)
    assert values["moment_mAP"]["m1"] == pytest.approx(0.45)
    assert values["concept_recall@10"] == {"c0": 1.0}
    assert values["concept_R_precision"] == {"c0": 0.5}
    assert values["image_recall@5"] == {"i0": 0.5}
    assert values["true_accept_rate"] == {"m0": 1.0, "m1": 1.0}
    assert values["false_accept_rate"] == {"a0": 0.0}


def test_precision_among_as_many_moments_as_spans_counts_those_that_did_not_come() -> None:
    spans = tuple(Span(20 * place, 20 * place + 10) for place in range(12))
    queries = [Query("c0", "concept", "few", spans[:4]), Query("c1", "concept", "many", spans)]
    answers = [answer((0, 9)), answer(*(tuple(span) for span in spans[:10]))]
    precision = search_values(queries, answers)["concept_R_precision"]
    assert precision == {"c0": 0.25, "c1": 1.0}  # one of four; ten of ten, though twelve are shown


def test_absence_compares_the_first_probabilities() -> None:
    queries = [
        Query("m0", "moment", "a", (Span(0, 10),)),
        Query("s0", "speech", "b", (Span(0, 10),)),
        Query("c0", "concept", "c", (Span(0, 10),)),
        Query("a0", "absent", "d", ()),
        Query("b0", "absent", "e", ()),
    ]
    answers = [answer((0, 1), sure=sure) for sure in (0.5, 0.9, 0.1, 0.2, 0.6)]
    pairs = absence(queries, answers)
    assert pairs["absent_auroc"] == {"there": {"m0": 0.5}, "not": {"a0": 0.2, "b0": 0.6}}
    assert pairs["absent_concept_auroc"] == {"there": {"c0": 0.1}, "not": {"b0": 0.6}}
    figures = all_figures(queries, [answers])
    assert figures["absent_auroc"]["value"] == 0.5
    assert figures["absent_concept_auroc"]["value"] == 0.0


def test_an_interval_is_that_of_the_mean() -> None:
    values = {str(i): float(i % 2) for i in range(400)}
    one = interval(values)
    assert one["value"] == 0.5
    assert one["n"] == 400
    # The normal approximation: 1.96 * 0.5 / 20.
    assert one["low"] == pytest.approx(0.5 - 0.049, abs=0.006)
    assert one["high"] == pytest.approx(0.5 + 0.049, abs=0.006)


def test_a_difference_is_paired() -> None:
    random = np.random.default_rng(0)
    theirs = {str(i): float(random.random()) for i in range(50)}
    ours = {query: value + 0.01 for query, value in theirs.items()} | {"only ours": 9.0}
    one = difference(ours, theirs)
    assert (one["value"], one["low"], one["high"], one["n"]) == (0.01, 0.01, 0.01, 50)


def test_a_query_has_its_mean_over_seeds() -> None:
    runs = [{"f": {"a": 1.0, "b": 0.0}}, {"f": {"a": 0.0}}]
    assert mean_values(runs) == {"f": {"a": 0.5, "b": 0.0}}


def test_scenes_against_segments() -> None:
    segments = (
        Segment(Span(0, 10), "photo", "cat", False),
        Segment(Span(10, 20), "clip", "dog", False),
        Segment(Span(20, 30), "clip", "cat", True),
        Segment(Span(30, 40), "clip", None, False),
    )
    manifest = Manifest(Path("x.json"), "x.mp4", 40.0, segments, ())
    scenes = [
        Scene(0, 0.0, 5.0, 0),
        Scene(1, 5.0, 10.4, 0),
        Scene(2, 10.4, 20.9, 1),  # the fade is long past its middle, but within 0.75 s
        Scene(3, 20.9, 31.0, 1),
        Scene(4, 31.0, 40.0, 2),
    ]
    figures = segment_figures(manifest, scenes)
    assert figures["join_recall"]["value"] == pytest.approx(2 / 3, abs=1e-4)
    assert figures["splits_per_still"]["value"] == 1.0
    assert figures["scenes_tile"]["value"] == 1.0
    # Cluster 0 is all cat; in cluster 1 10.5 s are dog and 10.1 s cat.
    assert figures["cluster_purity"]["value"] == pytest.approx((10.4 + 10.5) / 31.0, abs=1e-4)
    assert figures["cluster_purity"]["n"] == 4
