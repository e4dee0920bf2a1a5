"""The evaluator gives what the definitions say, lazily, and moments that can be shown."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic_video.query_language import Query, parse
from semantic_video.query_language.evaluator import Answer, Level, evaluate
from semantic_video.records import Moment, Span
from tests.query_language.oracle import Film, Interval, Oracle
from tests.query_language.strategies import crowded, films, queries

DURATION = 15.0


def moment(video: str, interval: Interval) -> Moment:
    start_s, end_s, probability = interval
    middle = (start_s + end_s) / 2
    return Moment(video, start_s, end_s, probability - 0.5, probability, 3, "c", middle)


class Shelf:
    """Films by name; says which phrases were looked for where."""

    def __init__(self, films: Mapping[str, Film]) -> None:
        self.films = films
        self.asked: list[tuple[str, tuple[str, ...]]] = []

    def __call__(self, phrase: str, videos: Collection[str]) -> dict[str, Sequence[Moment]]:
        self.asked.append((phrase, tuple(videos)))
        return {
            video: [moment(video, own) for own in self.films[video].get(phrase, ())]
            for video in videos
        }

    def ask(self, query: Query | str, **options: object) -> Answer:
        tree = parse(query) if isinstance(query, str) else query
        durations = dict.fromkeys(self.films, DURATION)
        return evaluate(tree, self, durations, **options)  # type: ignore[arg-type]


def spans(answer: Answer) -> list[tuple[float, float]]:
    return [(moment.start_s, moment.end_s) for moment in answer.moments]


def agree(
    query: Query, film: Film, span: Span, level: Level, tolerance_s: float, k: int | None
) -> None:
    """Hold the evaluator to the oracle."""
    answer = evaluate(
        query, Shelf({"film": film}), {"film": span}, level=level, k=k, tolerance_s=tolerance_s
    )
    listed, found, value = Oracle(film, span, level, tolerance_s).answer(query, k)
    told = [(m.start_s, m.end_s, m.probability) for m in answer.moments]
    expected: list[Any] = [(start, end, pytest.approx(p, abs=1e-4)) for start, end, p in listed]
    assert (told, answer.found, answer.value) == (expected, found, value), str(query)


def apart(phrase: str) -> float:
    """Another level for each phrase."""
    return {"a": 0.3, "b": 0.5}.get(phrase, 0.4)


@settings(max_examples=100, deadline=None)
@given(
    query=queries,
    film=films,
    tolerance_s=st.sampled_from([0.0, 0.5]),
    level=st.sampled_from([0.5, 0.3, apart]),
    k=st.integers(1, 12),
)
def test_evaluator_equals_its_oracle(
    query: Query, film: Film, tolerance_s: float, level: Level, k: int
) -> None:
    agree(query, film, Span(0.0, DURATION), level, tolerance_s, k)


SHORT = 7.0
SHAPES = {
    "term": ['"a"'],
    "then": ['"a" then "b"'],
    "then within": ['"a" then "b" within 0s', '"a" then "b" within 0.5s', '"a" then "b" within 1s'],
    "before": ['"a" before "b"', '"a" before "b" within 0s', '"a" before "b" within 0.5s'],
    "after": ['"a" after "b"', '"a" after "b" within 0s', '"a" after "b" within 0.5s'],
    "during": ['"a" during "b"'],
    "without": ['"a" without "b"'],
    "and": ['"a" and "b"'],
    "or": ['"a" or "b"'],
    "not": ['not "a"', '"a" and not "b"', 'every not "a"'],
    "nth": ['first "a"', 'last "a"', '2nd "a"', '3rd "a"'],
    "every": ['every "a"', 'every ("a" then "b")'],
    "count": ['count "a"', 'count ("a" then "b")'],
    "how long": ['how long "a"', 'how long ("a" and "b")'],
    "clock": ['"a" after 0:02', '"a" before 0:03', '"a" between 0:02 and 0:04'],
    "nested relations": [
        '("a" then "b") then "c"',
        '("a" then "b") and "c"',
        '"c" during ("a" then "b")',
        '("a" then "b") without "c"',
        '("a" then "b") or "c"',
    ],
    "nested negations": [
        'not ("a" then "b")',
        'not ("a" and "b")',
        'not ("a" or not "b")',
        'not not "a"',
        '"a" without ("b" and not "c")',
    ],
    "nested choices": [
        '"a" before first "b"',
        'last ("a" before "b") after 0:02',
        '("a" then "b") between 0:02 and 0:04',
        '("a" then "b") before 0:03',
        'count (first "a" then "b")',
    ],
}  # fmt: skip


@pytest.mark.parametrize("shape", SHAPES)
@settings(max_examples=50, deadline=None)
@given(data=st.data())
def test_each_operator_at_the_edge_of_the_tolerance(shape: str, data: st.DataObject) -> None:
    trees = [parse(text) for text in SHAPES[shape]]
    phrases = sorted({term.text for tree in trees for term in tree.terms()})
    film = {phrase: data.draw(crowded(SHORT), label=phrase) for phrase in phrases}
    begin_s = min((own[0] for moments in film.values() for own in moments), default=0.0)
    begin_s = data.draw(st.sampled_from([0.0, begin_s, begin_s / 2]), label="begin")
    tolerance_s = data.draw(st.sampled_from([0.5, 0.5, 0.0]), label="tolerance")
    levels: list[Level] = [0.5, 0.3, apart]
    level = data.draw(st.sampled_from(levels), label="level")
    k = data.draw(st.sampled_from([None, 12, 2]), label="k")
    for tree in trees:
        agree(tree, film, Span(begin_s, SHORT), level, tolerance_s, k)


@settings(max_examples=40, deadline=None)
@given(query=queries, film=films, other=films)
def test_moments_of_a_library_are_those_of_its_films(query: Query, film: Film, other: Film) -> None:
    together = Shelf({"a": film, "b": other}).ask(query, k=None)
    alone = [Shelf({name: own}).ask(query, k=None) for name, own in (("a", film), ("b", other))]
    assert together.found == any(answer.found for answer in alone)
    if together.value is not None:
        assert together.value == pytest.approx(sum(answer.value or 0 for answer in alone))
    if together.found:
        expected = [m for answer in alone if answer.found for m in answer.moments
                    if answer.value is not None or m in together.moments]  # fmt: skip
        assert set(map(str, expected)) <= set(map(str, together.moments))
    for own in together.moments:
        assert own.start_s < own.end_s
        assert own.start_s <= own.keyframe_s < own.end_s
        assert 0 <= (own.probability or 0) <= 1


def test_every_lists_nothing_that_is_less_sure() -> None:
    film: Film = {
        "a": [(0, 1, 0.9), (2, 3, 0.9), (8, 9, 0.3)],
        "b": [(1.5, 4, 0.9), (4.75, 6, 0.9), (10, 11, 0.3)],
    }
    # Of two stretches that share time one is left out, and nothing takes its place.
    agree(parse('every ("a" then "b")'), film, Span(0.0, DURATION), 0.5, 0.5, 10)
    assert spans(Shelf({"film": film}).ask('every ("a" then "b")')) == [(0, 4)]


def test_without_is_less_sure_where_the_other_may_be() -> None:
    film: Film = {"a": [(0, 2, 0.9), (4, 6, 0.8)], "b": [(1, 3, 0.4), (5.8, 7, 0.45)]}
    # What shares less than the tolerance is beside it, and what is below the level may still be.
    agree(parse('"a" without "b"'), film, Span(0.0, DURATION), 0.5, 0.5, 10)
    answer = Shelf({"film": film}).ask('"a" without "b"')
    assert [(m.start_s, m.probability) for m in answer.moments] == [(4, 0.8), (0, 0.6)]


FILM: Film = {
    "dog": [(0, 2, 0.9), (4, 6, 0.8), (9, 10, 0.3)],
    "cat": [(2.25, 4, 0.7), (11, 13, 0.9)],
    "match": [(3, 12, 0.95)],
    "rain": [(0, 15, 0.1)],
}


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ('"dog" then "cat"', [(0, 4), (4, 13)]),
        ('"dog" then "cat" within 2s', [(0, 4)]),
        ('"dog" before "cat"', [(0, 2), (4, 6)]),
        ('"dog" after "cat"', [(4, 6)]),
        ('"dog" during "match"', [(4, 6)]),
        ('"dog" without "match"', [(0, 2)]),
        ('"dog" and "match"', [(4, 6)]),
        ('"match" and not "dog"', [(6, 12), (3, 4)]),
        ('"dog" or "cat"', [(0, 6), (11, 13)]),
        ('not "match"', [(0, 3), (12, 15)]),
        ('first "dog"', [(0, 2)]),
        ('last "dog"', [(4, 6)]),
        ('2nd "dog"', [(4, 6)]),
        ('3rd "dog"', [(9, 10)]),  # only if the doubtful one counts
        ('every "dog"', [(0, 2), (4, 6)]),
        ('"dog" after 0:05', [(5, 6)]),
        ('"dog" before 0:05', [(0, 2), (4, 5)]),
        ('"match" between 0:05 and 0:07', [(5, 7)]),
        ('last "dog" before first "cat"', [(0, 2)]),
        ('first ("dog" then "cat")', [(0, 4)]),
    ],
)
def test_operators(query: str, expected: list[tuple[float, float]]) -> None:
    answer = Shelf({"film": FILM}).ask(query, k=len(expected))
    assert sorted(spans(answer)) == sorted(expected)
    assert answer.value is None


@pytest.mark.parametrize(
    ("query", "value"),
    [
        ('count "dog"', 2),
        ('count "rain"', 0),
        ('how long "dog"', 4),
        ('how long ("dog" or "cat")', 8),
        ('count ("dog" then "cat")', 2),
    ],
)
def test_numbers_are_of_what_is_listed(query: str, value: float) -> None:
    answer = Shelf({"film": FILM}).ask(query, k=1)
    assert answer.value == value
    assert answer.found == (value > 0)
    if query.startswith("count") and value:
        assert len(answer.moments) == value


def test_what_is_not_there_still_has_its_nearest() -> None:
    answer = Shelf({"film": FILM}).ask('"rain" and "dog"', k=1)
    assert not answer.found
    assert spans(answer) == [(0, 2)]
    assert answer.moments[0].probability == 0.1


def test_a_moment_says_what_it_is_made_of() -> None:
    (first, *_) = Shelf({"film": FILM}).ask('"dog" then "cat"').moments
    assert first.signals == {"dog": 0.8, "cat": 0.9}
    assert first.probability == first.score == 0.8
    assert first.keyframe_s == 5  # of the dog
    assert first.cluster_name == "c"


def test_a_phrase_is_looked_for_only_where_it_matters() -> None:
    shelf = Shelf({"a": FILM, "b": {}})
    shelf.ask('"dog" then "cat"', k=1)
    assert shelf.asked == [("dog", ("a", "b")), ("cat", ("a",))]
    shelf = Shelf({"a": {}, "b": {}})
    shelf.ask('"dog" then "cat"')
    assert shelf.asked == [("dog", ("a", "b"))]
