"""From English to what is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantic_video.errors import QueryError
from semantic_video.temporal_reasoning import read_question
from semantic_video.temporal_reasoning.question_text import split_options


@pytest.mark.parametrize(
    ("text", "form", "subject"),
    [
        ("How many times does a dog appear?", "count", "a dog"),
        ("How often do we see the dog?", "count", "the dog"),
        ("how many scenes show a dog", "count", "a dog"),
        ("Count the goals in this video", "count", "goals"),
        ("How long is the beach visible?", "duration", "the beach"),
        ("For how long does the dog appear in the film?", "duration", "the dog"),
        ("When does the train first appear?", "when", "the train"),
        ("At what time is the cat last seen?", "when", "the cat"),
        ("Is there a violin?", "whether", "a violin"),
        ("Does a cat ever appear in the video?", "whether", "a cat"),
        ("Can you see a dog", "whether", "a dog"),
        ("What happened to the main character?", "story", "the main character"),
        ("what does the dog do in the video", "story", "the dog"),
        ("Who is the main character?", "main", ""),
        ("Which person is seen the most?", "main", ""),
        ("What is this video about?", "summary", ""),
        ("Please summarise the film", "summary", ""),
        ("What happens at the end?", "summary", ""),
        ("What is said about honey?", "said", "honey"),
        ("What does the slide say?", "said", ""),
        ("Where is the dog?", "where", "the dog"),
        ("What appears together with the dog?", "together", "the dog"),
        ("Why is the man angry?", "unknown", "Why is the man angry"),
        ("mumble", "when", "mumble"),
    ],
)
def test_forms_and_their_subjects(text: str, form: str, subject: str) -> None:
    question = read_question(text)
    assert (question.form, question.subject) == (form, subject)


@pytest.mark.parametrize(
    ("text", "relation", "event", "reference", "immediate"),
    [
        ("What happens after the train leaves?", "after", "", "the train leaves", False),
        ("What is shown right after a dog runs?", "after", "", "a dog runs", True),
        ("What is shown just before this scene: two cats?", "before", "", "two cats", True),
        ("what comes next after the goal", "after", "", "the goal", True),
        ("What follows the sunset?", "after", "", "the sunset", True),
        (
            "what does the white dog do after going to the cushion", "after",
            "the white dog", "the white dog going to the cushion", False,
        ),
        (
            "what did the boy pick up before he went to the sofa", "before",
            "the boy pick up", "the boy went to the sofa", False,
        ),
        (
            "How does the girl react while she is singing?", "during",
            "the girl", "the girl is singing", False,
        ),
        (
            "After the squirrel laughs, what does the rabbit do?", "after",
            "the rabbit", "the squirrel laughs", False,
        ),
        (
            "what does the man dressed as a clown do when the music stops", "during",
            "the man dressed as a clown", "the music stops", False,
        ),
    ],
)  # fmt: skip
def test_two_events_and_their_order(
    text: str, relation: str, event: str, reference: str, immediate: bool
) -> None:
    question = read_question(text)
    assert question.form == "relation"
    assert (question.relation, question.event, question.reference) == (relation, event, reference)
    assert question.immediate == immediate


def test_a_while_is_a_length_of_time_and_no_event() -> None:
    question = read_question("what does the man do after sitting for a while at the start")
    assert question.reference == "the man sitting for a while"
    assert question.part is not None
    assert question.part.end < 0.5


@pytest.mark.parametrize(
    ("text", "subject", "reference", "last"),
    [
        ("Which appears first: (A) a dog or (B) a cat?", "a dog", "a cat", False),
        ("Which comes first, a dog or a cat?", "a dog", "a cat", False),
        ("What is seen last: the dog or the cat?", "the dog", "the cat", True),
        ("Which of these appears earlier: A) a dog B) a cat", "a dog", "a cat", False),
        ("Does a dog appear before a cat?", "a dog", "a cat", False),
    ],
)
def test_order(text: str, subject: str, reference: str, last: bool) -> None:
    question = read_question(text)
    assert question.form == "order"
    assert (question.subject, question.reference, question.last) == (subject, reference, last)


def test_parts_of_the_film() -> None:
    part = read_question("What happens between 1:00 and 2:30?").part
    assert (part.start, part.end) == (60, 150)
    assert read_question("Summarise from 10 min to the end").part.start == 600
    assert read_question("How often does a dog appear after 2 min?").part.start == 120
    assert read_question("What is shown at 1:02:03?").part.start == 3723
    assert read_question("How often does a dog appear before 90 s?").part.end == 90
    assert read_question("Is there a dog in the middle of the video?").part.start == pytest.approx(
        1 / 3
    )
    assert read_question("What happens after the dog barks?").part is None


def test_choices_in_the_text_and_beside_it() -> None:
    inside = read_question("What is next after a dog? (A) a cat (B) salt and pepper, (C) a beach.")
    assert inside.options == ("a cat", "salt and pepper", "a beach")
    assert inside.reference == "a dog"
    assert read_question("Which is first?", ["x", "y"]).options == ("x", "y")
    assert split_options("vitamin (A) is good")[1] == ()
    assert split_options("Does A. Smith meet B. Jones?")[1] == ()
    assert split_options("Which is first? A. a dog B. a cat")[1] == ("a dog", "a cat")


@pytest.mark.parametrize("text", ["Which? (A) a dog (C) a cat", "a (B) b (A) a"])
def test_choices_out_of_order_are_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(QueryError, match=r"letter them \(A\), \(B\) and so on"):
        split_options(text)


@given(st.text(), st.lists(st.text(), max_size=3))
def test_any_text_is_read_without_a_crash(text: str, options: list[str]) -> None:
    question = read_question(text, options)
    assert question.options[: len(options)] == tuple(options)


options = st.lists(
    st.sampled_from(["a dog", "the cat's toy", "two men, talking", "red cars"]),
    min_size=2,
    max_size=5,
)


@given(options, st.sampled_from(["", "or ", "and "]))
def test_choices_come_back_as_they_were_written(choices: list[str], joint: str) -> None:
    marked = " ".join(
        f"{joint if i == len(choices) - 1 else ''}({'ABCDE'[i]}) {own}"
        for i, own in enumerate(choices)
    )
    stem, found = split_options(f"Which is first: {marked}?")
    assert found == tuple(choices)
    assert stem.rstrip(" orand") == "Which is first:"


@pytest.mark.parametrize(
    "text",
    [
        "Which is first: (A) a dog (B) a cat",
        "Which is first? a) a dog, b) a cat",
        "Which is first: [A] a dog [B] a cat?",
        "Which is first? A. a dog B. a cat.",
        "Which is first? A: a dog; B: a cat",
    ],
)
def test_marks_of_choices(text: str) -> None:
    assert read_question(text).options == ("a dog", "a cat")
    assert read_question(text).form == "order"
