"""What changes the meaning of a phrase is checked: negation, numbers, "or", "after", times."""

from __future__ import annotations

import pytest

from semantic_video.errors import QueryError
from semantic_video.records import Line
from semantic_video.temporal_reasoning import TemporalReasoner
from tests.temporal_reasoning.films import LINES, SHOWN, film, reasoner

SAID = (*LINES, Line(52, 54, "The train is late", "speech"))


@pytest.fixture(scope="module")
def known() -> TemporalReasoner:
    return reasoner(film("one.mp4", SHOWN, lines=SAID))


@pytest.mark.parametrize(
    ("text", "verdict"),
    [
        ("Is there no dog in the video?", "No: "),
        ("Does a dog never appear?", "No: "),
        ("Isn't there a dog?", "Yes: "),
        ("Do we see a dog twice?", "Yes: "),
        ("Do we see a cat twice?", "No: "),
        ("Does a dog appear more than twice?", "No: "),
        ("Does a train appear at least once?", "Yes: "),
        ("Does a cat appear again?", "No: "),
        ("Is there a dog and a cat?", "Yes: "),
        ("Is there a dog and a violin?", "No: "),
        ("Is there a violin or a cat?", "Yes: "),
        ("Is there a goal after the beach?", "Yes: "),
        ("Is there a beach after the goal?", "No: "),
        ("Is there a sunset right after the beach?", "No: "),
        ("Is there a goal right after the beach?", "Yes: "),
        ("Do we see a dog before the train?", "Yes: "),
        ("Is there a dog while the train is there?", "No: "),
        ("Is the winning goal mentioned?", "Yes: "),
        ("Does the dog bark?", "Probably: "),
        ("Is there neither a violin nor a kitchen?", "No scene"),
    ],
)
def test_yes_or_no(known: TemporalReasoner, text: str, verdict: str) -> None:
    assert known.ask(text).text.startswith(verdict)


def test_both_moments_of_an_order_are_shown(known: TemporalReasoner) -> None:
    answer = known.ask("Is there a goal after the beach?")
    assert [moment.start_s for moment in answer.evidence] == [40, 30]
    assert known.ask("Is there a violin after the beach?").method == "absence"
    assert known.ask("Is there a dog after the violin?").text.startswith("No scene")


@pytest.mark.parametrize(
    ("text", "count"),
    [
        ("How often is a dog or a cat seen?", 3),
        ("How often is a train seen in the first 30 seconds?", 1),
        ("How often is a train seen in the last half a minute?", 1),
        ("How many times does a dog appear between 0 and 1 minute?", 1),
        ("How often is a dog seen in the last 30 seconds?", 1),
        ("How often is a dog seen after thirty seconds?", 1),
        ("How often are dogs shown?", 2),
        ("How many times is the train mentioned?", 2),
        ("How often do they mention bees?", 0),
        ("How often is a train seen after the goal?", 1),
        ("How often is a dog seen before the goal?", 1),
        ("How often is a cat seen after the goal?", 0),
    ],
)
def test_counts(known: TemporalReasoner, text: str, count: int) -> None:
    assert known.ask(text).count == count


def test_occurrences_in_an_order(known: TemporalReasoner) -> None:
    answer = known.ask("When does the dog appear after the train?")
    assert [moment.start_s for moment in answer.evidence] == [70]
    assert "10 seconds" in known.ask("How long is the train visible after the goal?").text
    never = known.ask("When is the cat seen after the goal?")
    assert 'shows "the cat" after "the goal"' in never.text
    assert [moment.start_s for moment in never.evidence] == [20, 40]


def test_what_lies_a_number_of_seconds_away(known: TemporalReasoner) -> None:
    answer = known.ask("What happens 15 seconds after the cat?")
    assert [moment.start_s for moment in answer.evidence] == [20, 40]
    assert "15 seconds after it" in answer.text.lower()


def test_the_edges_of_the_film(known: TemporalReasoner) -> None:
    last = known.ask("What happens right before the end?")
    assert [moment.start_s for moment in last.evidence][:3] == [50, 60, 70]
    assert known.ask("What does the dog do just before the end?").evidence[0].start_s == 70
    assert "1:20" in known.ask("When does the film end?").text
    assert "80 seconds long" in known.ask("How long is the video?").text


def test_lines_honour_the_kind_and_the_time_asked_for(known: TemporalReasoner) -> None:
    assert known.ask("What does the slide say?").text == "At 1:00: “Platform nine”."
    assert "nothing written" in known.ask("What does the slide say at 0:30?").text.lower()
    late = known.ask("What is said about the train after 0:30?")
    assert "late" in late.text
    assert "night" not in late.text
    assert "no indexed line" in known.ask("What is said about the train before 0:05?").text.lower()
    after = known.ask("What is said after the beach?").text
    assert "winning goal" in after
    assert "night train" not in after
    assert "night train" in known.ask("When is the night train mentioned?").text


def test_a_time_that_was_printed_finds_what_it_was_printed_for() -> None:
    # The cat is there from 10.5 s on, which is printed as 0:10.
    shown = reasoner(film("p.mp4", "dog cat train", scene_s=10.5))
    assert "0:10-0:21" in shown.ask("When does the cat appear?").text
    assert shown.ask("Is there a cat at 0:10?").text.startswith("Yes: ")


def test_kinds_are_told_by_the_names_of_clusters(known: TemporalReasoner) -> None:
    answer = known.ask("Which dogs are there?")
    assert answer.text.startswith('"a dog": 20 seconds, at 0:00-0:10 and 1:10-1:20.')
    none = known.ask("Who is there?")
    assert 'one of "people"' in none.text
    assert "8 stretches" in none.text


def test_what_is_not_there_is_no_first(known: TemporalReasoner) -> None:
    for text in ("(A) a beach (B) a violin", "(A) a violin (B) a beach"):
        answer = known.ask(f"Which appears first: {text}")
        assert "A beach." in answer.text
        assert '"a violin": no scene shows it for certain' in answer.text


def test_all_of_several_things_are_compared(known: TemporalReasoner) -> None:
    answer = known.ask("Which appears first, the goal, the cat or the train?")
    assert [moment.start_s for moment in answer.evidence] == [10, 20, 40]
    assert '"a goal" appears once' in known.ask("Compare a dog, a cat and a goal").text
    level = known.ask("Which appears more often, a dog or a train?").text
    assert '"a dog" and "a train" are level' in level
    assert "more often" not in level


def test_a_subject_that_is_not_there_is_not_dropped(known: TemporalReasoner) -> None:
    answer = known.ask("What does the violin do after the goal?")
    assert 'no scene of this video shows "the violin" for certain' in answer.text.lower()
    later = known.ask("What does the cat do after the goal?")
    assert 'after it no scene shows "the cat" for certain' in later.text.lower()


def test_of_several_films_is_said_what_none_shows() -> None:
    both = reasoner(film("one.mp4", "dog cat"), film("two.mp4", "train beach"))
    assert "No scene of these videos shows" in both.ask("Is there a violin?").text


def test_a_name_by_hand_stands_for_its_cluster() -> None:
    # "a violin" is a phrase of the vocabulary, and nothing in the film looks like one.
    named = reasoner(film("n.mp4", "dog cat dog", renamed={"dog": "a violin"}))
    answer = named.ask("How often does the violin appear?")
    assert answer.count == 2
    assert answer.confidence == 1


def test_general_words_are_told_to_be_too_general(known: TemporalReasoner) -> None:
    assert "as general as this" in known.ask("What are the people doing?").text
    assert "as general" not in known.ask("What does the violin do?").text


def test_texts_that_are_no_questions(known: TemporalReasoner) -> None:
    with pytest.raises(QueryError, match="must be a text, not None"):
        known.ask(None)  # type: ignore[arg-type]
    with pytest.raises(QueryError, match='empty of words: "🐕🐕🐕"'):
        known.ask("🐕🐕🐕")
    assert known.ask("a beach").evidence[0].start_s == 30
