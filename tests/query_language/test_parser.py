"""Text to tree: what is plain and what is not, what binds tighter, and errors with a place."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic_video.errors import QueryError
from semantic_video.query_language import Query, QuerySyntaxError, Term, parse
from semantic_video.query_language.times import seconds_of
from tests.query_language.strategies import queries


@settings(max_examples=100, deadline=None)
@given(query=queries)
def test_a_tree_written_out_is_read_back(query: Query) -> None:
    assert parse(str(query)) == (Term(str(query)) if isinstance(query, Term) else query)


@pytest.mark.parametrize(
    ("text", "written"),
    [
        ('"a" then "b" then "c"', '(("a" then "b") then "c")'),
        ('"a" then "b" within 2 min', '("a" then "b" within 120s)'),
        ('"a" or "b" and "c"', '("a" or ("b" and "c"))'),
        ('"a" or "b" then "c"', '(("a" or "b") then "c")'),
        ('not "a" and "b"', '((not "a") and "b")'),
        ('first "a" before "b"', '(first ("a" before "b"))'),
        ('"a" before first "b"', '("a" before (first "b"))'),
        ('first "a" then "b"', '((first "a") then "b")'),
        ('2nd "a" after 10:00', '(2nd ("a" after 0:10:00))'),
        ('"a" and "b" during "c"', '("a" and ("b" during "c"))'),
        ('"a" without "b" without "c"', '(("a" without "b") without "c")'),
        ('("a" or "b") during "c"', '(("a" or "b") during "c")'),
        ('"a" between 1:00 and 1:02:03.5', '("a" between 0:01:00 and 1:02:03.5)'),
        ('count ("a" then "b")', 'count ("a" then "b")'),
        ('how long "a" during "b"', 'how long ("a" during "b")'),
        ('every "a"', '(every "a")'),
        ('“a dog” then “a cat”', '("a dog" then "a cat")'),
        ("(a dog) then (a cat)", '("a dog" then "a cat")'),
        ("a dog THEN runs", '("a dog" then "runs")'),
        ("a dog BEFORE a cat WITHIN 5s", '("a dog" before "a cat" within 5s)'),
        ("NOT a dog", '(not "a dog")'),
        # Turns of phrase that no description has.
        ("a dog then a cat", '("a dog" then "a cat")'),
        ("a dog, then a cat, and then some birds", '(("a dog" then "a cat") then "some birds")'),
        ("A man sits down then the dog barks within 10s",
         '("A man sits down" then "the dog barks" within 10s)'),
        ("a dog then a man and a woman", '("a dog" then "a man and a woman")'),
        ("a dog after 10:00", '("a dog" after 0:10:00)'),
        ("a dog before 90s", '("a dog" before 0:01:30)'),
        ("a dog between 1:00 and 2:00", '("a dog" between 0:01:00 and 0:02:00)'),
        ("count cars", 'count "cars"'),
        ("how long is the dog visible", 'how long "is the dog visible"'),
        ("first a dog", '(first "a dog")'),
        ("the first time a dog runs", '(first "a dog runs")'),
        ("the last scene with snow", '(last "snow")'),
        ("every goal", '(every "goal")'),
    ],
)  # fmt: skip
def test_queries_of_the_language(text: str, written: str) -> None:
    assert str(parse(text)) == written


@pytest.mark.parametrize(
    "text",
    [
        "a dog", "salt and pepper", "a man then runs", "the first snow", "first snow",
        "a man and a woman sit before a house", "a tennis player during a match",
        "a man without a shirt", "a cat or a dog on a chair", "not a cloud in the sky",
        "the last supper", "second hand shop", "the then president", "Count Dracula",
        "A MAN AND A WOMAN", "a room with toys (animated scene)", "(animated) cat",
        'a sign that says "stop" and a car', '"salt and pepper"', 'a 12" pizza and a drink',
        "a man waiting after 10 minutes of rain", "between the trees and the lake",
        "a person before and after", "then", "count", "how long", "every", "first", "a dog :)",
        "before noon", "count down", "count with fingers", "people within reach",
        "first person view of a bike ride", "a sign within reach", "",
    ],
)  # fmt: skip
def test_ordinary_sentences_are_plain(text: str) -> None:
    assert parse(text) == Term(text)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("10:00", 600), ("1:02:03.5", 3723.5), ("90:00", 5400), ("2 min", 120), ("1h", 3600),
        ("10:60", None), ("1:75:00", None), ("9" * 400 + "s", None), ("-5s", None), ("nan", None),
    ],
)  # fmt: skip
def test_times(text: str, seconds: float | None) -> None:
    assert seconds_of(text) == seconds


def test_a_phrase_can_be_forced() -> None:
    text = "a dog then a cat"
    assert parse(text, plain=True) == Term(text)
    assert parse(f'"{text}"') == Term(f'"{text}"')
    assert str(parse(f'"{text}" or "rain"')) == f'("{text}" or "rain")'


@pytest.mark.parametrize(
    ("text", "position", "words"),
    [
        ('"a dog" then', 12, "after `then`"),
        ('"a" then ("b" or "c"', 9, "never closed"),
        ('"a" then "b")', 12, "never opened"),
        ('"a dog', 0, "never closed"),
        ('"a" then ""', 9, "nothing"),
        ('"a" then "b" within', 13, "takes a time"),
        ('"a" and "b" within 5s', 12, "takes a time"),
        ('"a" after 10:99', 10, "no time"),
        ('"a" within 5s', 4, "takes a time"),
        ("not " * 300 + '"a"', 0, "too much"),
        ('"a" between 5:00 and 4:00', 21, "later"),
        ('not (count "x")', 5, "at the front"),
        ('"a" and or "b"', 8, "before `or`"),
        ('"a" and not', 11, "after `not`"),
        ("a dog AND NOT", 13, "after `NOT`"),
    ],
)
def test_errors_point_at_the_place(text: str, position: int, words: str) -> None:
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    assert isinstance(caught.value, QueryError)
    assert caught.value.position == position
    advice, query, mark = str(caught.value).split("\n")
    assert words in advice
    shown = query[len(mark) - 1 :]
    assert text[position:].startswith(shown.removesuffix("..."))
    assert len(shown) >= min(60, len(text) - position)


WORDS = (
    'a dog "cat" then THEN and OR not first count how long ( ) " within 5s after 10:00 before '
    "during without every 2nd between"
)


@settings(max_examples=200, deadline=None)
@given(words=st.lists(st.sampled_from(WORDS.split(" ")), max_size=9))
def test_every_text_is_a_phrase_or_a_query_or_an_error_with_a_place(words: list[str]) -> None:
    text = " ".join(words)
    place = 0
    try:
        parse(text)
    except QuerySyntaxError as error:
        place = error.position
    assert 0 <= place <= len(text)


def test_a_plain_phrase_needs_no_grammar() -> None:
    code = (
        "import sys; from semantic_video.query_language import parse; "
        "parse('salt and pepper before the first snow'); assert 'lark' not in sys.modules; "
        "parse('\"a\" then \"b\"'); assert 'lark' in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_the_place_in_a_long_query_is_shown_with_what_is_around_it() -> None:
    text = '"a" and ' * 400 + '"b'
    with pytest.raises(QuerySyntaxError) as caught:
        parse(text)
    shown, caret = caught.value.place.splitlines()
    assert len(shown) < 150
    assert shown.startswith("  ...")
    assert shown[caret.index("^")] == text[caught.value.position]
