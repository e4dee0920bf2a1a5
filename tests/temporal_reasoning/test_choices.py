"""Choices: each form of question takes the one that fits what was found, or says that none does."""

from __future__ import annotations

import pytest

from semantic_video.errors import QueryError
from semantic_video.temporal_reasoning import TemporalReasoner
from tests.temporal_reasoning.films import LINES, SHOWN, film, reasoner


@pytest.fixture(scope="module")
def known() -> TemporalReasoner:
    return reasoner(film("one.mp4", SHOWN, lines=LINES))


@pytest.mark.parametrize(
    ("text", "choice"),
    [
        ("How long is the dog visible? (A) 5 seconds (B) 18 seconds (C) 1 minute", 1),
        ("How long is the beach visible? (A) half a minute (B) 12 s", 1),
        ("How many times does a train appear? (A) 1 (B) 3 (C) 7", 0),
        ("How often is a violin seen? (A) never (B) twice", 0),
        ("When does the cat appear? (A) at the beginning (B) in the middle (C) at the end", 0),
        ("When does the train last appear? (A) at the beginning (B) at the end", 1),
        ("When does the beach appear? (A) at 0:05 (B) at 0:33 (C) 1 minute", 1),
        ("When does the beach appear? (A) the first 20 seconds (B) between 20 and 50 s", 1),
        ("When does the cat appear? (A) before the train (B) after the beach", 0),
        ("Does a dog appear more often than a cat? (A) yes (B) no", 0),
        ("Is there a cat? (A) yes (B) no", 0),
        ("Is there a violin? (A) yes (B) no", 1),
        ("Is there no violin? (A) yes (B) no", 0),
        ("Does a beach appear before a cat? (A) yes (B) no", 1),
        ("Do a dog and a cat appear together? (A) yes (B) no", 1),
        ("Is there (A) a violin (B) a beach?", 1),
        ("What appears with the sunset? (A) a dog (B) a sunset", 1),
        ("What happens at the end? (A) a cat (B) a train", 1),
        ("What happens in the film? (A) a violin (B) a goal", 1),
        ("What is said about the goal? (A) it was late (B) it was winning", 1),
        ("What is written on the screen? (A) platform ten (B) platform nine", 1),
        ("Which of these appears most: (A) a cat (B) a train", 1),
        ("How long is the film? (A) 20 seconds (B) 70 seconds", 1),
        ("How many times is the goal mentioned? (A) 1 (B) 4", 0),
        ("Who is there? (A) a violin (B) a cat", 1),
    ],
)
def test_the_choice_that_fits(known: TemporalReasoner, text: str, choice: int) -> None:
    answer = known.ask(text)
    assert answer.choice == choice
    assert answer.text.startswith(f"({'ABC'[choice]}) ")


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("How long is the dog visible? (A) short (B) long", "none of the choices names"),
        ("When does the dog appear? (A) soon (B) late", "none of the choices names a time"),
        ("Why is it so? (A) this (B) that", "none of the choices is taken"),
        ("What is said about the goal? (A) xyz (B) abc", "none of the choices shares"),
        ("Is there (A) a violin (B) a kitchen?", "no scene shows"),
        ("Which of these appears most: (A) a dog (B) a train", "are level"),
    ],
)
def test_where_no_choice_fits_that_is_said(known: TemporalReasoner, text: str, said: str) -> None:
    answer = known.ask(text)
    assert answer.choice is None
    assert said in answer.text.lower()


def test_what_a_thing_does_is_chosen_by_its_scenes() -> None:
    shown = reasoner(film("b.mp4", "dog_beach cat dog_beach kitchen violin train"))
    answer = shown.ask("What is the dog doing? (A) at a violin (B) at a beach (C) in a kitchen")
    assert answer.choice == 1
    assert len(answer.evidence) == 2
    assert shown.ask("Where is the dog? (A) in a kitchen (B) on a beach").choice == 1


def test_choices_are_given_once(known: TemporalReasoner) -> None:
    with pytest.raises(QueryError, match="in the question and as options"):
        known.ask("Which is first: (A) a dog (B) a cat", ["a dog", "a cat"])
    with pytest.raises(QueryError, match="options must be a list of texts"):
        known.ask("Which is first?", "dog")


@pytest.mark.parametrize(
    "text",
    [
        "How long does the violin stay? (A) 5 seconds (B) 1 minute",
        "How often does the violin appear? (A) once (B) twice",
        "When does the violin appear? (A) at the beginning (B) at the end",
        "When does the cat appear? (A) 5:00 (B) 9:00",
        "What happens after the film ends? (A) a dog (B) a cat",
    ],
)
def test_no_choice_of_what_is_not_there_or_far_away(known: TemporalReasoner, text: str) -> None:
    answer = known.ask(text)
    assert answer.choice is None
    assert "none of the choices" in answer.text.lower()


def test_a_verdict_is_said_once(known: TemporalReasoner) -> None:
    answer = known.ask("Does the cat appear? (A) Yes (B) No")
    assert answer.text.startswith('(A) Yes. "the cat" appears')


def test_the_first_and_the_last_line(known: TemporalReasoner) -> None:
    assert "night train" in known.ask("What is the first thing said?").text
    last = known.ask("What's said last?").text
    assert "winning goal" in last
    assert "night train" not in last
