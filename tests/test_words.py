"""Full-text search over lines: folding, stretches, probabilities, and the merge with pictures."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantic_video.errors import QueryError
from semantic_video.library import LineWords, VideoRecord
from semantic_video.library.lines import line_rows, line_words
from semantic_video.records import Line, Moment
from semantic_video.scene_retrieval import Moments
from semantic_video.signal_fusion import found_by, fuse, signals_named
from semantic_video.word_search import WordHit, search_words
from semantic_video.words import query_stems, stems

LINES = (
    Line(0, 3, "The ash cloud stopped", "speech"),
    Line(3.5, 6, "air traffic over Europe.", "speech"),
    Line(60, 63, "A thousand in the bank", "speech"),
    Line(60, 90, "• A = P (1 + r/n)^(nt)", "text"),
    Line(60, 90, "P principal, r rate", "text"),
    Line(95, 99, "Eyjafjallajökull 2010", "text"),
)


def indexed(lines: tuple[Line, ...]) -> LineWords:
    import pyarrow as pa

    record = VideoRecord(path="", name="", size=0, mtime_ns=0, fingerprint="", id="v", generation=1)
    rows = [
        line_rows(record, kind, [t for t in lines if t.kind == kind]) for kind in ("speech", "text")
    ]
    return line_words(pa.concat_tables(rows), {1: "v"})


def best(query: str) -> WordHit:
    return search_words(indexed(LINES), query)[0]


def test_forms_of_a_word_are_one_word() -> None:
    for forms in ("stopped stops stopping stop", "flies fly", "makes making make", "Ölung olung"):
        assert len(set(stems(forms))) == 1, stems(forms)
    assert len(set(stems("ring rung bring sing"))) == 4


@given(st.text())
def test_stems_hold_no_space_and_survive_being_joined(text: str) -> None:
    found = stems(text)
    assert all(stem and not any(c.isspace() for c in stem) for stem in found)


def test_a_query_of_small_words_is_looked_for_as_it_stands() -> None:
    assert query_stems("to be or not to be") == ["to", "be", "or", "not"]
    assert query_stems("the cat and the hat") == ["cat", "hat"]


@pytest.mark.parametrize(
    ("query", "signal", "start_s", "end_s"),
    [
        ("ash clouds stopping air traffic", "speech", 0, 6),  # a sentence cut in two
        ("principal r/n nt", "text", 60, 90),  # two lines of one slide
        ("Eyjafjallajokull", "text", 95, 99),
        ("a thousand in a bank", "speech", 60, 63),
    ],
)
def test_words_are_found_where_they_are(
    query: str, signal: str, start_s: float, end_s: float
) -> None:
    hit = best(query)
    assert (hit.signal, hit.start_s, hit.end_s) == (signal, start_s, end_s)
    assert hit.coverage == pytest.approx(1)
    assert hit.probability > 0.6


def test_a_word_by_chance_is_improbable_and_another_text_finds_nothing() -> None:
    by_chance = search_words(indexed(LINES), "a bank of two horses galloping along the beach")
    assert all(hit.probability < 0.5 for hit in by_chance)
    assert search_words(indexed(LINES), "two horses galloping along the beach") == []
    assert search_words(indexed(()), "ash") == []


def test_rare_words_tell_more_than_common_ones() -> None:
    lines = tuple(Line(10 * i, 10 * i + 2, f"welcome number{i}", "speech") for i in range(40))
    hits = search_words(indexed(lines), "welcome number7 again")
    assert hits[0].start_s == 70
    assert hits[0].probability > 2 * best_of(lines, "welcome stranger")


def best_of(lines: tuple[Line, ...], query: str) -> float:
    return max((hit.probability for hit in search_words(indexed(lines), query)), default=0.0)


# Merging


def picture(start_s: float, end_s: float, probability: float | None) -> Moment:
    return Moment("v", start_s, end_s, 0.2, probability, 1, "name", start_s, {"picture": 0.2})


def hit(start_s: float, end_s: float, probability: float, signal: str = "speech") -> WordHit:
    return WordHit("v", start_s, end_s, signal, 1.0, 5.0, probability)  # type: ignore[arg-type]


def merged(
    pictures: list[Moment],
    hits: list[WordHit],
    k: int = 10,
    signals: tuple[str, ...] = (),
    seen: float = 0.1,
) -> Moments:
    return fuse(
        Moments("query", pictures, found=bool(pictures)),
        hits,
        lambda video, span: picture(span.start_s, span.end_s, seen),
        k,
        signals_named(signals),
    )


spans = st.tuples(st.floats(0, 100), st.floats(0.1, 20), st.floats(0, 1))


@given(st.lists(spans, max_size=8), st.lists(spans, max_size=8), st.integers(1, 10))
def test_merged_moments_never_overlap_and_are_ranked(
    shown: list[tuple[float, float, float]], said: list[tuple[float, float, float]], k: int
) -> None:
    scenes: list[Moment] = []
    for start, length, p in shown:
        moment = picture(start, start + length, p)
        if all(moment.start_s >= s.end_s or moment.end_s <= s.start_s for s in scenes):
            scenes.append(moment)
    scenes.sort(key=lambda moment: -(moment.probability or 0))
    answer = merged(scenes, [hit(start, start + length, p) for start, length, p in said], k)
    assert len(answer) <= k
    for one, other in combinations(answer, 2):
        assert one.end_s <= other.start_s or other.end_s <= one.start_s
    probabilities = [moment.probability for moment in answer]
    assert probabilities == sorted(probabilities, reverse=True)
    if not any(p >= 0.5 for _, _, p in said):
        assert list(answer) == scenes[:k]


def test_words_no_better_than_chance_change_nothing() -> None:
    scenes = [picture(0, 5, 0.3), picture(5, 9, 0.2)]
    assert list(merged(scenes, [hit(5, 6, 0.49)])) == scenes


def test_without_probabilities_words_come_first() -> None:
    answer = merged([picture(0, 5, None), picture(5, 9, None)], [hit(6, 8, 0.9)])
    assert [(moment.start_s, moment.end_s) for moment in answer] == [(6, 8), (0, 5)]


def test_signals_that_agree_are_surer_and_are_all_named() -> None:
    (both,) = merged([], [hit(5, 8, 0.8), hit(6, 9, 0.7, "text")], seen=0.6)
    assert both.signals == {"picture": 0.2, "speech": 0.8, "text": 0.7}
    assert found_by(both) == "picture+speech+text"
    assert both.probability == pytest.approx(1 - 0.2 * 0.4 * 0.3)


def test_pictures_that_probably_show_something_else_did_not_find_it() -> None:
    (said,) = merged([], [hit(5, 8, 0.8)], seen=0.1)
    assert said.signals == {"speech": 0.8}
    assert said.probability == pytest.approx(1 - 0.2 * 0.9)


def test_only_the_signals_asked_for_answer() -> None:
    scenes, hits = [picture(0, 5, 0.9)], [hit(6, 8, 0.9), hit(10, 12, 0.8, "text")]
    assert [m.start_s for m in merged(scenes, hits, signals=("text",))] == [10]
    assert [m.start_s for m in merged(scenes, hits, signals=("picture",))] == [0]
    assert "picture" not in merged(scenes, hits, signals=("speech",))[0].signals
    with pytest.raises(QueryError, match="picture, speech or text"):
        signals_named(["sound"])
