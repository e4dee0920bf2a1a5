"""Answers from films whose content is known: what is said, counted, chosen, and on what."""

from __future__ import annotations

import itertools
import json
import math
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic_video import SemanticVideoProcessor
from semantic_video.cli import run
from semantic_video.errors import QueryError
from semantic_video.records import Answer
from semantic_video.temporal_reasoning.presence import first_of
from tests.media import Shot, render, write_video
from tests.temporal_reasoning.films import LINES, SHOWN, film, reasoner


@pytest.fixture(scope="module")
def known() -> object:
    return reasoner(film("one.mp4", SHOWN, lines=LINES))


def spans(answer: Answer) -> list[tuple[float, float]]:
    return [(moment.start_s, moment.end_s) for moment in answer.evidence]


def test_counting(known) -> None:
    assert known.ask("How many times does a train appear?").count == 2
    assert known.ask("How often do we see the cat?").count == 1
    answer = known.ask("How many times does a train appear before 30 s?")
    assert answer.count == 1
    assert spans(answer) == [(10, 20)]


def test_what_is_not_there_is_said_not_to_be(known) -> None:
    answer = known.ask("How many times does a violin appear?")
    assert answer.count == 0
    assert "no scene" in answer.text.lower()
    assert answer.method == "absence"
    assert "No scene" in known.ask("Is there a kitchen?").text
    assert known.ask("Is there a dog?").text.startswith("Yes")
    assert known.ask("Is there a dog in the middle of the video?").method == "absence"


def test_duration_and_when(known) -> None:
    assert "20 seconds" in known.ask("How long is the dog visible?").text
    first = known.ask("When does the train first appear?")
    assert "0:10" in first.sentences[0].text
    last = known.ask("When is the train last seen?")
    assert "1:00" in last.sentences[0].text


def test_order(known) -> None:
    answer = known.ask("Which appears first: (A) a beach or (B) a cat?")
    assert answer.choice == 1
    assert answer.text.startswith("(B) ")
    assert known.ask("Which appears first?", ["a cat", "a beach"]).choice == 0
    assert known.ask("Which appears last: (A) a beach or (B) a dog?").choice == 1
    assert known.ask("Does a cat appear before a beach?").text.startswith("Yes")
    assert known.ask("Does a beach appear before a cat?").text.startswith("No")
    assert known.ask("Does a violin appear before a cat?").method == "absence"


def test_after_before_and_at_the_time(known) -> None:
    after = known.ask("What is shown right after the cat?")
    assert (30, 40) in spans(after)
    assert "beach" in after.text
    before = known.ask("What happens before the cat?")
    assert (10, 20) in spans(before)
    chosen = known.ask("What is shown right after the beach? (A) a dog (B) a goal (C) a cat")
    assert chosen.choice == 1
    assert set(spans(chosen)) == {(30, 40), (40, 50)}
    assert known.ask("What is shown just before the sunset? (A) a goal (B) a train").choice == 0
    assert known.ask("What does the train do after the sunset?").evidence[1].start_s == 60
    assert "ends there" in reasoner(film("x.mp4", "dog cat")).ask("What comes after the cat?").text


def test_comparison_and_company(known) -> None:
    assert known.ask("Which appears more often: (A) a cat or (B) a train?").choice == 1
    assert known.ask("Which appears longer, a dog or a cat?").text.endswith(
        '"a dog" is there longer.'
    )
    both = known.ask("Do a dog and a cat appear together?")
    assert "no scene" in both.text.lower()
    around = known.ask("What appears with the cat?")
    assert "beach" in around.text
    assert "train" in around.text


def test_stories_and_summaries(known) -> None:
    story = known.ask("What happened to the train?")
    assert spans(story) == [(10, 20), (60, 70)]
    assert "night train" in story.text
    assert "Platform nine" in story.text
    summary = known.ask("Summarise from 0:30 to 1:00")
    assert spans(summary)[:3] == [(30, 40), (40, 50), (50, 60)]
    assert "winning goal" in summary.text
    assert "night train" not in summary.text


def test_the_main_character_recurs_and_is_longest_on_screen() -> None:
    shown = reasoner(film("m.mp4", "dog dog dog dog cat beach cat beach cat"))
    story = shown.ask("What happened to the main character?")
    assert spans(story) == [(40, 50), (60, 70), (80, 90)]
    assert '"a cat"' in shown.ask("Who is the main character?").text


def test_words(known) -> None:
    said = known.ask("What is said about the goal?")
    assert "winning goal" in said.text
    assert spans(said) == [(41, 44)]
    assert "Platform nine" in known.ask("What is written on the screen?").text
    assert "no indexed line" in known.ask("What is said about bees?").text.lower()
    silent = reasoner(film("s.mp4", "dog cat")).ask("What is said?")
    assert "nothing that is said is indexed" in silent.text.lower()


def test_a_question_without_a_plan_says_so_and_offers_another(known) -> None:
    answer = known.ask("Why is the man angry?")
    assert "none that the memory can answer" in answer.text
    assert '"When does the man appear?"' in answer.text
    assert answer.confidence == 0
    assert answer.evidence == ()


def test_of_several_films_the_one_that_shows_it_answers() -> None:
    both = reasoner(film("one.mp4", "dog cat dog"), film("two.mp4", "violin goal violin"))
    answer = both.ask("How many times does a violin appear?")
    assert answer.count == 2
    assert {moment.video for moment in answer.evidence} == {"/films/two.mp4"}
    assert "two.mp4" in answer.text


FORMS = """How many times does {} appear?
When is {} seen?
What happened to {}?
What is {}?
What comes after {}?
Which appears first: (A) {} or (B) a cat?
Compare {} and a cat
What is said about {}?
What appears with {}?
Summarise {}
How long is {} visible?
What does {} do after a cat runs?""".splitlines()
SUBJECTS = ("a dog", "a violin", "the main character", "", "a cat and a dog", "12:00")
QUESTIONS = st.one_of(
    st.text(max_size=40),
    st.builds(str.format, st.sampled_from(FORMS), st.sampled_from(SUBJECTS)),
)


@given(QUESTIONS)
@settings(deadline=None, max_examples=60)
def test_every_sentence_rests_on_moments_that_are_there(text: str) -> None:
    if not any(character.isalnum() for character in text):
        return
    answer = SHARED.ask(text)
    assert answer.text
    assert 0 <= answer.confidence <= 1
    for sentence in answer.sentences:
        assert all(0 <= place < len(answer.evidence) for place in sentence.evidence)
    used = {place for sentence in answer.sentences for place in sentence.evidence}
    assert used == set(range(len(answer.evidence)))
    json.dumps(answer.as_dict())


SHARED = reasoner(film("one.mp4", SHOWN, lines=LINES))


def test_questions_that_cannot_be_asked(known) -> None:
    with pytest.raises(QueryError, match="the question is empty"):
        known.ask("  ")
    with pytest.raises(QueryError, match="at least twice"):
        known.ask("What is first?", ["a dog"])
    with pytest.raises(QueryError, match="two choices are the same"):
        known.ask("Which is first?", ["a dog", "A dog", "a cat"])
    with pytest.raises(QueryError, match="the question is empty"):
        known.ask("?!")
    with pytest.raises(QueryError, match="300 words; ask it in at most"):
        known.ask("dog " * 300)
    with pytest.raises(QueryError, match="from 1:00 to 0:30 ends before it starts"):
        known.ask("What happens from 1:00 to 0:30?")


def test_a_time_beyond_the_end_is_named_once(known) -> None:
    assert "nothing at 50:00: it is 1:20 long" in known.ask("What happens at 50:00?").text
    assert "nothing at 50:00: it is 1:20 long" in known.ask("Is there a dog after 50:00?").text


def test_what_is_not_indexed_is_not_said_not_to_be(known) -> None:
    answer = known.ask("What is written at the beginning?")
    assert answer.text == "Nothing written is indexed at 0:00-0:27."
    assert answer.confidence == 0.5


def test_another_language_is_told_so(known) -> None:
    answer = known.ask("Wie oft ist ein Hund zu sehen?")
    assert "in English only" in answer.text
    assert '"What happens in the video?"' in answer.text
    assert "in English only" not in known.ask("Why is the man angry?").text


def test_quotation_marks_are_no_part_of_a_phrase(known) -> None:
    plain, marked = known.ask("What comes after the cat?"), known.ask('What comes after "the cat"?')
    assert (marked.text, marked.evidence) == (plain.text, plain.evidence)


def test_from_the_film_to_the_answer(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = write_video(tmp_path / "film.mp4", render([Shot(1, 2), Shot(2, 2), Shot(1, 2)]))
    path.with_suffix(".srt").write_text("1\n00:00:02,500 --> 00:00:03,000\nThe bees dance\n")
    shelf = ["--library", str(tmp_path / "library"), "--quiet"]
    assert run(["index", str(path), "--ocr", "off", *shelf]) == 0
    capsys.readouterr()
    assert run(["ask", "What is said about bees?", "--json", *shelf]) == 0
    answer = json.loads(capsys.readouterr().out)
    assert answer["version"] == 1
    assert set(answer) >= {
        "text",
        "choice",
        "count",
        "confidence",
        "method",
        "evidence",
        "sentences",
    }
    assert answer["evidence"][0]["start_s"] == 2.5
    assert answer["sentences"][0]["evidence"] == [0]
    assert (
        run(["ask", "Which is first?", "--option", "a", "--option", "b", "--explain", *shelf]) == 0
    )
    shown = capsys.readouterr().out
    assert shown.startswith("(")
    assert "  1. read as order" in shown
    assert run(["ask", " ", *shelf]) == 2
    assert "the question is empty" in capsys.readouterr().err
    processor = SemanticVideoProcessor(path, library=tmp_path / "library", config=None)
    assert "bees dance" in processor.reason_across_time("What is said about bees?").text
    assert "speech" in processor.query_semantic_memory("the bees dance")[0].signals


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_the_most_probable_first_is_what_all_cases_add_up_to(shown: list[float]) -> None:
    chances = [0.0] * len(shown)
    for case in itertools.product((False, True), repeat=len(shown)):
        if any(case):
            each = [p if there else 1 - p for p, there in zip(shown, case, strict=True)]
            chances[case.index(True)] += math.prod(each)
    assert chances[first_of(shown)] == pytest.approx(max(chances))


def test_a_doubtful_scene_before_a_certain_one_is_not_the_first() -> None:
    assert first_of([0.3, 0.1, 0.9]) == 2
    assert first_of([0.6, 0.1, 0.9]) == 0


def test_an_order_that_rests_on_a_doubtful_scene_is_told_with_doubt() -> None:
    hinted = " ".join(["dog_cat_train"] * 12)
    told = reasoner(film("hints.mp4", f"{hinted} dog beach")).ask(
        "Does a dog first appear before a beach?"
    )
    assert told.text.startswith('Probably: "a dog" probably appears first at 0:00-0:10, "a beach"')
    assert told.confidence < 0.5
    certain = reasoner(film("plain.mp4", "dog beach")).ask("Does a dog appear before a beach?")
    assert "robably" not in certain.text


def test_before_compares_the_first_and_after_is_true_of_any_occurrence(known) -> None:
    assert known.ask("Is the train shown after the cat?").text.startswith("Yes")
    assert known.ask("Is the cat before the train?").text.startswith("No")
    assert known.ask("Is the train before the cat?").text.startswith("Yes")
    assert known.ask("Is the cat after the beach?").text.startswith("No")
    assert known.ask("Does the train first appear after the cat?").text.startswith("No")
    answer = known.ask("Does the train come before or after the cat? (A) after (B) before")
    assert answer.choice == 1
    assert "1:00-1:10" in answer.text  # it is there after the cat, too
    assert known.ask("Does the cat appear first, or the train?").text.startswith('"the train"')


def test_a_comparison_is_answered_with_yes_or_no(known) -> None:
    assert known.ask("Are there more trains than cats?").text.startswith('Yes: "trains"')
    assert known.ask("Does a cat appear longer than a dog?").text.startswith('No: "a dog"')
    assert known.ask("Are there fewer cats than dogs?", ["No", "Yes"]).choice == 1
    least = known.ask("Which appears least often, a dog, a cat or a train?").text
    assert "least often" in least


def test_a_summary_between_two_events(known) -> None:
    answer = known.ask("Summarise the film between the cat and the goal")
    assert "from 0:30 to 0:40" in answer.text.lower()
    assert (30, 40) in spans(answer)
    assert "from 0:20 to 0:40" in known.ask("What happens from the cat to the goal?").text.lower()
    assert "from 0:00 to 0:20" in known.ask("Summarise the film until the first cat").text.lower()
    assert (
        "from 0:20 to 1:00"
        in known.ask("What happens between the first train and the last train?").text.lower()
    )
    for text in (
        "What happens between the cat and the violin?",
        "What happens from the sunset to the cat?",
        "Summarise the film after the third train",
    ):
        answer = known.ask(text)
        assert "the video shows" not in answer.text.lower(), text
        assert "stretch" in answer.text, text


def test_an_ordinal_names_an_occurrence(known) -> None:
    assert "0:20-0:30" in known.ask("What happens right after the first train?").text
    assert "1:10-1:20" in known.ask("What happens right after the second train?").text
    assert "0:50-1:00" in known.ask("What happens right before the last train scene?").text
    answer = known.ask("What happens after the third train?")
    assert answer.text.startswith('There is no third "the train": it appears twice')
    assert "1:00-1:10" in known.ask("When does the train appear for the second time?").text
    assert "1:10-1:20" in known.ask("Show me the second dog scene").text
    assert "10 seconds" in known.ask("How long is the second dog shown?").text
    assert known.ask("What happens after the second train?", ["a dog", "a cat"]).choice == 0
    assert known.ask("What happens after the third train?", ["a dog", "a cat"]).choice is None


def test_nothing_is_told_around_what_is_not_found(known) -> None:
    for text in ("What happens after the violin?", "What is shown 10 seconds before the violin?"):
        answer = known.ask(text)
        assert "no scene shows" in answer.text.lower()
        assert "look like" not in answer.text
        assert answer.method == "absence"
        assert len(answer.evidence) == 1
    for text in ("What happens before the film starts?", "What happens after the end of the film?"):
        assert known.ask(text).text.startswith("Nothing: the video")
