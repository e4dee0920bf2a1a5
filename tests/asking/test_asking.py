"""Sums, marks, filters and spread, over memories whose vectors are known."""

from __future__ import annotations

import itertools
import math
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta, timezone

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from semantic_video.asking import Asker, Film, Filters, Part, Request, moment_of_time, part_of
from semantic_video.asking.composition import composed, refined, unit
from semantic_video.asking.spread import spread_out
from semantic_video.config import default_config
from semantic_video.errors import QueryError
from semantic_video.memory_hierarchy import MemoryHierarchy, SceneEntries
from semantic_video.records import Moment, Span
from semantic_video.scene_retrieval import SceneRetriever
from semantic_video.semantic_clustering import SemanticClustering

THINGS = ("dog", "cat", "beach", "people", "night", "snow")
DIMENSION = 16


class Words:
    """An encoder for which every thing is a direction, and a text is the things in it."""

    model_id = "words"
    fingerprint = "words-1"
    dimension = DIMENSION
    input_size = (8, 8)
    licence = "none"

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        return np.stack([look(*(t for t in THINGS if t in text)) for text in texts])

    def encode_images(self, images: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        return np.stack([look(THINGS[int(image[0, 0, 0])]) for image in images])


def look(*things: str, noise: int = 0) -> NDArray[np.float32]:
    vector = 0.02 * np.random.default_rng(noise).normal(size=DIMENSION)
    vector[-1] = 0.3  # what all pictures share
    for thing in things:
        vector[THINGS.index(thing)] += 1
    return unit(vector)


def film(scenes: Sequence[Sequence[str]], recorded_at: str | None = None) -> Film:
    """Scenes of ten seconds, each with three frames."""
    spans = [Span(10.0 * i, 10.0 * (i + 1)) for i in range(len(scenes))]
    times = [np.array([span.start_s + s for s in (1, 5, 9)]) for span in spans]
    vectors = [
        np.stack([look(*things, noise=10 * i + j) for j in range(3)])
        for i, things in enumerate(scenes)
    ]
    entries = SceneEntries.from_scenes(spans, times, vectors)
    clustering = SemanticClustering("kmeans", min(4, len(scenes)), seed=0).fit(
        entries.entry_vectors.astype(np.float32)
    )
    names = []
    for label in range(clustering.size):
        first = int(np.flatnonzero(clustering.labels == label)[0])
        names.append(f"{' and '.join(scenes[first]) or 'nothing'} {label}")
    return Film(MemoryHierarchy.build(entries, clustering, names), recorded_at)


SCENES = [
    ["dog", "beach"], ["dog", "people"], ["cat"], ["dog", "beach", "people"],
    ["beach"], ["snow", "night"], ["dog", "night"], ["people"],
]  # fmt: skip


def asker(**films: Film) -> Asker:
    retriever = SceneRetriever(
        [(name, own.memory) for name, own in films.items()], default_config().retrieval
    )
    return Asker(
        Words(), films, retriever, lambda name: films[name].memory if name in films else None
    )


def scenes(moments: Sequence[Moment]) -> list[int]:
    return [int(moment.start_s // 10) for moment in moments]


def test_parts_add_and_take_away() -> None:
    ask = asker(a=film(SCENES)).answer
    dogs = {0, 1, 3, 6}
    assert set(scenes(ask(Request("dog", k=4)))) == dogs
    lonely = ask(Request("dog", (part_of("people", sign=-1),), k=2))
    assert set(scenes(lonely)) == {0, 6}
    assert lonely.query == "dog - people"
    (first,) = ask(Request("dog", (part_of("night"), part_of("people*0.5", sign=-1)), k=1))
    assert scenes([first]) == [6]


def test_a_moment_can_be_asked_for_with_or_without_words() -> None:
    ask = asker(a=film(SCENES)).answer
    like = part_of("a@0:55", "moment")
    assert scenes(ask(Request(parts=(like,), k=1))) == [5]
    assert scenes(ask(Request("dog", (like, part_of("snow", sign=-1)), k=1))) == [6]
    with pytest.raises(QueryError, match="beyond its end"):
        ask(Request(parts=(part_of("a@2:00", "moment"),)))


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 999), weights=st.lists(st.floats(0.1, 3), min_size=2, max_size=4))
def test_a_sum_scores_as_the_sum_of_balanced_scores(seed: int, weights: list[float]) -> None:
    rng = np.random.default_rng(seed)
    sample = np.stack([unit(row) for row in rng.normal(size=(50, 8))])
    # Scores of the first lie five times as near to one another as those of the others.
    vectors = [unit(row) for row in rng.normal(size=(len(weights), 8))]
    scores = sample @ composed(list(zip(vectors, weights, strict=True)), sample)
    expected = sum(
        weight * (sample @ vector) / np.std(sample @ vector)
        for vector, weight in zip(vectors, weights, strict=True)
    )
    correlation = np.corrcoef(scores, expected)[0, 1]
    assert correlation == pytest.approx(1, abs=1e-4)


def test_what_is_not_there_is_said_of_all_that_was_searched() -> None:
    nowhere = Request('"cat" during "snow"', k=1)
    both = asker(a=film(SCENES), b=film(SCENES)).answer(nowhere)
    assert (len(both), both.verdict) == (1, "probably not in these videos; the nearest:")
    one = asker(a=film(SCENES)).answer(nowhere)
    assert one.verdict == "probably not in this video; the nearest:"


def test_marks_draw_near_and_push_away() -> None:
    rng = np.random.default_rng(3)
    sample = np.stack([unit(row) for row in rng.normal(size=(80, 8))])
    query, right, wrong = (unit(row) for row in rng.normal(size=(3, 8)))
    better = refined(query, right[None], wrong[None], sample)
    assert better @ right > query @ right
    assert better @ wrong < query @ wrong
    assert better @ query > 0.3
    nothing = np.empty((0, 8), np.float32)
    assert np.allclose(refined(query, nothing, nothing, sample), query)


def test_marks_of_an_answer_refine_it() -> None:
    own = asker(a=film(SCENES))
    first = own.answer(Request("dog", k=4))
    marks = tuple(
        own.mark(moment.video, Span(moment.start_s, moment.end_s), right=scene in (1, 3))
        for moment, scene in zip(first, scenes(first), strict=True)
    )
    assert set(scenes(own.answer(Request("dog", marks=marks, k=2)))) == {1, 3}


def test_a_mark_outlives_its_film_and_its_model() -> None:
    own = asker(a=film(SCENES))
    mark = own.mark("a", Span(0, 10), right=True)
    elsewhere = asker(b=film(SCENES[::-1]))
    assert 7 in scenes(elsewhere.answer(Request("beach", marks=(mark,), k=2)))
    assert own.answer(Request("beach", marks=(replace(mark, model="other"),), k=1))
    with pytest.raises(QueryError, match="no longer in the library"):
        elsewhere.answer(Request("beach", marks=(replace(mark, model="other"),), k=1))


def test_what_cannot_be_asked() -> None:
    ask = asker(a=film(SCENES)).answer
    with pytest.raises(QueryError, match="say what to find"):
        ask(Request(parts=(part_of("people", sign=-1),)))
    with pytest.raises(QueryError, match="over time"):
        ask(Request('"dog" then "cat"', (part_of("people"),)))
    for text in ("", "*0.5", "people*0"):
        with pytest.raises(QueryError, match="adds nothing"):
            part_of(text)
    with pytest.raises(QueryError, match="FILM@TIME"):
        part_of("holiday.mp4", "moment")


@pytest.mark.parametrize(
    ("text", "part"),
    [
        ("at night", Part("text", "at night")),
        ("people*0.5", Part("text", "people", 0.5)),
        ("photo.JPG * 2", Part("image", "photo.JPG", 2.0)),
        ("a film.mp4@12:34", Part("moment", "a film.mp4@12:34")),
        ("mail@home", Part("text", "mail@home")),
        ("a@b.mp4@90s*0.25", Part("moment", "a@b.mp4@90s", 0.25)),
    ],
)
def test_what_an_option_names(text: str, part: Part) -> None:
    assert part_of(text) == part


def test_a_request_survives_saving() -> None:
    request = Request("a beach", (part_of("people*0.5", sign=-1), part_of("f.mp4@5s", "moment")))
    seen = replace(request.parts[1], vector=(0.5, 0.25), model="m")
    request = replace(request, parts=(request.parts[0], seen), plain=True)
    assert Request.from_dict(request.as_dict()) == request
    assert request.label() == "a beach - people*0.5 + f.mp4@5s"


# Where to look


def test_windows_and_lengths() -> None:
    ask = asker(a=film(SCENES)).answer
    found = ask(Request("dog", filters=Filters(start_s=12, end_s=35)))
    assert sorted((m.start_s, m.end_s) for m in found) == [(12, 20), (20, 30), (30, 35)]
    found = ask(Request("dog", filters=Filters(start_s=12, end_s=35, min_length_s=6)))
    assert len(found) == 2
    found = ask(Request("NOT dog", filters=Filters(start_s=12, end_s=35)))
    assert all(12 <= m.start_s < m.end_s <= 35 for m in found)
    assert not ask(Request("dog", filters=Filters(start_s=500))).found
    with pytest.raises(QueryError, match="nothing lies between"):
        Filters(start_s=5, end_s=5)


def test_clusters_by_id_name_and_part_of_a_name() -> None:
    own = film(SCENES)
    ask = asker(a=own, b=film(SCENES[::-1])).answer
    names = own.memory.names
    for text, wanted in (("1", {1}), (names[2].upper(), {2}), (names[3].split()[0], None)):
        found = ask(Request("dog", filters=Filters(clusters=(text,))))
        clusters = {moment.cluster for moment in found if moment.video == "a"}
        assert clusters == wanted if wanted else clusters
    with pytest.raises(QueryError, match="no cluster 'dragons'"):
        ask(Request("dog", filters=Filters(clusters=("dragons",))))


def test_themes_hold_clusters() -> None:
    own = film(SCENES)
    ask = asker(a=own).answer
    for theme in own.memory.themes():
        for text in (str(theme.id), theme.name):
            found = ask(Request("dog", k=50, filters=Filters(themes=(text,))))
            assert {moment.cluster for moment in found} == set(theme.clusters)
    first = own.memory.themes()[0]
    outside = set(range(len(own.memory.names))) - set(first.clusters)
    filters = Filters(themes=("0",), clusters=tuple(map(str, outside)) or ("0",))
    assert bool(ask(Request("dog", filters=filters))) is not bool(outside)
    with pytest.raises(QueryError, match="clusters --themes"):
        ask(Request("dog", filters=Filters(themes=("dragons",))))


def test_recording_times_reach_into_a_film() -> None:
    began = datetime(2026, 5, 1, 14, 0, tzinfo=UTC)
    ask = asker(
        a=film(SCENES, began.isoformat()),
        b=film(SCENES, (began + timedelta(hours=1)).isoformat()),
        c=film(SCENES),
    ).answer

    def asked(**filters: datetime) -> list[tuple[str, float]]:
        found = ask(Request("dog", k=50, filters=Filters(**filters)))
        return sorted({(moment.video, moment.start_s) for moment in found})

    after = asked(recorded_after=began + timedelta(seconds=45))
    assert [start for video, start in after if video == "a"] == [45, 50, 60, 70]
    assert {video for video, _ in after} == {"a", "b"}
    zone = timezone(timedelta(hours=2))
    before = asked(recorded_before=datetime(2026, 5, 1, 16, 0, 15, tzinfo=zone))
    assert before == [("a", 0), ("a", 10)]
    with pytest.raises(QueryError, match="none of the films"):
        asker(c=film(SCENES)).answer(Request("dog", filters=Filters(recorded_after=began)))
    assert moment_of_time("2026-05-01T14:00") == datetime(2026, 5, 1, 14, 0)
    with pytest.raises(QueryError, match="2026-05-01T14:00"):
        moment_of_time("yesterday")


# All, and far apart


def test_every_occurrence_with_count_and_time() -> None:
    scenes_ = [["dog"], ["dog"], [], ["cat"], [], ["dog"], *([[]] * 30)]
    answer = asker(a=film(scenes_)).answer(Request("dog", every=True, k=1))
    assert answer.found
    assert sorted((m.start_s, m.end_s) for m in answer) == [(0, 20), (50, 60)]
    record = answer.as_dict()
    assert (record["count"], record["total_s"], record["value"]) == (2, 30.0, None)


def test_a_query_over_time_over_two_films() -> None:
    scenes_ = [["dog"], ["cat"], *([[]] * 20)]
    ask = asker(a=film(scenes_), b=film([*scenes_[2:], ["cat"], ["dog"]])).answer
    answer = ask(Request('"dog" then "cat"', k=1))
    assert answer.found
    assert [(m.video, m.start_s, m.end_s) for m in answer] == [("a", 0, 20)]
    assert ask(Request("count dog")).value == 2
    assert ask(Request("how long dog")).as_dict()["value"] == 20
    assert ask(Request("dog then cat", plain=True)).value is None


@settings(max_examples=60, deadline=None)
@given(
    starts=st.lists(st.integers(0, 300), min_size=1, max_size=30, unique=True),
    k=st.integers(1, 10),
    duration=st.sampled_from([60.0, 3000.0, 10_000.0]),
)
def test_spread_moments_are_far_apart(starts: list[int], k: int, duration: float) -> None:
    moments = [Moment("a", 2.0 * s, 2.0 * s + 2, 0, 0.5, 0, "", 2.0 * s) for s in starts]
    chosen = spread_out(moments, {"a": duration}, k)
    assert chosen[0] == moments[0]
    assert len(chosen) <= k
    apart_s = {60.0: 10, 3000.0: 30, 10_000.0: 60}[duration]
    for left, right in itertools.pairwise(sorted(chosen, key=lambda m: m.start_s)):
        assert right.start_s - left.end_s >= apart_s
    # Nothing that is far enough from what was chosen was left out.
    if len(chosen) < k:
        for moment in (own for own in moments if own not in chosen):
            near = min(abs(moment.start_s - own.start_s) - 2 for own in chosen)
            assert near < apart_s


def test_spread_and_filters_go_together() -> None:
    ask = asker(a=film(SCENES * 4)).answer
    found = ask(Request("dog", spread=True, k=5, filters=Filters(end_s=math.inf)))
    starts = sorted(m.start_s for m in found)
    assert all(b - a >= 20 for a, b in itertools.pairwise(starts))


@pytest.mark.parametrize("text", ["x*-1", "x * nan", "x*1e400", "x*+2", "x*2x"])
def test_what_is_no_weight_is_refused(text: str) -> None:
    with pytest.raises(QueryError, match="is no weight"):
        part_of(text)


def test_a_sum_that_cancels_out_is_refused() -> None:
    rng = np.random.default_rng(3)
    sample = np.stack([unit(row) for row in rng.normal(size=(20, 8))])
    same = unit(rng.normal(size=8))
    with pytest.raises(QueryError, match="nothing is left"):
        composed([(same, 1.0), (same, -1.0)], sample)
