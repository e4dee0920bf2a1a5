"""From English to what is asked for."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantic_video.errors import QueryError
from semantic_video.temporal_reasoning import read_question
from semantic_video.temporal_reasoning.particulars import alternatives, conjuncts
from semantic_video.temporal_reasoning.question_text import split_options
from semantic_video.temporal_reasoning.questions import Times


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
        ("When was the last time a dog appeared?", "when", "a dog"),
        ("When does the match end?", "when", "the match"),
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


@pytest.mark.parametrize(
    ("text", "subject", "others"),
    [
        ("Which appears first, the dog, the cat or the horse?", "the dog", ("the horse",)),
        ("Compare a dog, a cat and a horse", "a dog", ("a horse",)),
        ("Which appears more often: a dog, a cat, a cow or a pig?", "a dog", ("a cow", "a pig")),
        ("Compare a man with a hat and a woman", "a man with a hat", ()),
    ],
)
def test_any_number_of_things_is_compared(text: str, subject: str, others: tuple[str, ...]) -> None:
    question = read_question(text)
    assert (question.subject, question.others) == (subject, others)


@pytest.mark.parametrize(
    ("text", "subject", "negated", "times"),
    [
        ("Is there no dog in the video?", "dog", True, None),
        ("Does a dog never appear?", "a dog", True, None),
        ("Is a dog not shown?", "a dog", True, None),
        ("Isn't there a dog?", "a dog", False, None),
        ("Is there a dog in the video or not?", "a dog", False, None),
        ("Is there any dog at all?", "dog", False, None),
        ("Is it true that there is no dog?", "dog", True, None),
        ("Is there neither a dog nor a cat?", "a dog or a cat", True, None),
        ("Is there nobody in the kitchen?", "someone in the kitchen", True, None),
        ("Do we see a dog twice?", "a dog", False, Times(2, 2)),
        ("Does a dog appear more than once?", "a dog", False, Times(2, None)),
        ("Is a dog seen at least three times?", "a dog", False, Times(3, None)),
        ("Is a dog visible at most 4 times in the film?", "a dog", False, Times(0, 4)),
        ("Does a dog appear again?", "a dog", False, Times(2, None)),
        ("Is a dog seen once or twice?", "a dog", False, Times(1, 2)),
        ("Is a dog shown 5 or more times?", "a dog", False, Times(5, None)),
    ],
)
def test_whether_not_and_how_often(
    text: str, subject: str, negated: bool, times: Times | None
) -> None:
    question = read_question(text)
    assert (question.form, question.subject) == ("whether", subject)
    assert (question.negated, question.times) == (negated, times)


@pytest.mark.parametrize(
    ("text", "nearest"),
    [
        ("How often does a dog not appear?", '"How often does a dog appear?"'),
        ("When is a dog not shown?", '"When does a dog appear?"'),
        ("Is there a dog without a leash?", '"What happens in the video?"'),
        ("Is there a dog that is not black?", '"What happens in the video?"'),
        ("Is a dog visible for more than 10 seconds?", '"How long does a dog appear?"'),
        ("Is there a dog both before and after the goal?", '"What happens in the video?"'),
        ("How often is neither a dog nor a cat seen?", '"How often does a dog or a cat appear?"'),
        ("How many scenes are there?", '"How long is the video?"'),
        ("Does a dog appear before a cat or a cow?", '"What happens in the video?"'),
        ("What is before the cat and after the dog?", '"What happens in the video?"'),
        ("Is there only a dog?", '"What happens in the video?"'),
        ("How many dogs are there?", '"How often do dogs appear?"'),
        ("Why does the volcano erupt?", '"When does the volcano appear?"'),
        ("Why are dogs there?", '"What happens in the video?"'),
        ("What color is the big dog?", '"When does the big dog appear?"'),
        ("How old is he?", '"What happens in the video?"'),
        ("Is there a dog 5 seconds after the cat?", '"What happens 10 seconds after a goal?"'),
    ],
)
def test_what_is_refused_and_the_nearest_question(text: str, nearest: str) -> None:
    question = read_question(text)
    assert (question.form, question.nearest) == ("unknown", nearest)
    assert read_question(nearest).form != "unknown"


@pytest.mark.parametrize("text", ["a dog", "dog?", "show me the dog", "List all dogs", "red cars"])
def test_a_phrase_is_asked_for_when_it_appears(text: str) -> None:
    assert read_question(text).form == "when"


@pytest.mark.parametrize(
    ("text", "form", "subject", "written"),
    [
        ("What does the slide say?", "said", "", True),
        ("What does the title say at 12:40?", "said", "", True),
        ("What does the slide say about honey?", "said", "honey", True),
        ("What does the man say about honey?", "said", "honey", False),
        ("What is on the sign?", "said", "", True),
        ("Where does it say Reykjavik?", "said", "Reykjavik", False),
        ("What does it say at 12:40?", "said", "", True),
        ("Is the word honey shown?", "mentioned", "honey", False),
        ("How often is the word honey written?", "mentioned", "honey", False),
        ("Is the ash cloud mentioned?", "mentioned", "the ash cloud", False),
        ("How many times is the word honey mentioned?", "mentioned", "honey", False),
        ("Does anyone talk about honey?", "mentioned", "honey", False),
    ],
)
def test_lines(text: str, form: str, subject: str, written: bool) -> None:
    question = read_question(text)
    assert (question.form, question.subject, question.written) == (form, subject, written)


def test_lines_beside_a_scene() -> None:
    question = read_question("What is said about honey after the lecture?")
    assert (question.form, question.subject) == ("said", "honey")
    assert (question.relation, question.reference) == ("after", "the lecture")


@pytest.mark.parametrize(
    ("text", "form", "subject"),
    [
        ("Who is in the video at the beginning?", "kinds", "people"),
        ("Which animals are there?", "kinds", "animals"),
        ("What kinds of sports are shown?", "kinds", "sports"),
        ("Is anyone there?", "kinds", "people"),
        ("Are there any people?", "kinds", "people"),
        ("What is in the picture?", "summary", ""),
        ("What is in the video?", "summary", ""),
        ("What does the film show?", "summary", ""),
        ("What is the last thing we see?", "summary", ""),
        ("What happens in the first quarter of the film?", "summary", ""),
        ("Which things appear?", "summary", ""),
        ("Who or what is in the video?", "summary", ""),
        ("What is the lecture about?", "story", "the lecture"),
        ("Describe the elephant", "story", "the elephant"),
        ("How long is the film?", "length", ""),
        ("When does the video end?", "length", ""),
    ],
)
def test_what_there_is(text: str, form: str, subject: str) -> None:
    question = read_question(text)
    assert (question.form, question.subject) == (form, subject)


@pytest.mark.parametrize(
    ("words", "start", "end"),
    [
        ("in the first 2 minutes", 0, 120),
        ("in the first minute", 0, 60),
        ("in the last two minutes of the video", -120, float("inf")),
        ("in the last 30 seconds", -30, float("inf")),
        ("between 2 and 3 minutes", 120, 180),
        ("from minute 2 to minute 3", 120, 180),
        ("after two minutes", 120, float("inf")),
        ("before 1 minute and 20 seconds", 0, 80),
        ("after half a minute", 30, float("inf")),
        ("after the first minute", 60, float("inf")),
        ("before the last minute", 0, -60),
        ("at minute 3", 180, 180),
        ("for the first 2 minutes", 0, 120),
        ("right before 2:00", 0, 120),
        ("at the 3 minute mark", 180, 180),
        ("ten seconds before the end", -10, -10),
        ("two minutes into the film", 120, 120),
    ],
)
def test_times_in_words(words: str, start: float, end: float) -> None:
    question = read_question(f"How often is a dog seen {words}?")
    assert (question.form, question.subject) == ("count", "a dog")
    assert (question.part.start, question.part.end, question.part.in_seconds) == (start, end, True)


def test_the_edges_of_the_film_and_delays() -> None:
    assert read_question("What happens right before the end?").part.scenes == -3
    assert read_question("What is shown in the last scene?").part.scenes == -1
    assert read_question("What is there at the very end?").part.scenes == -3
    assert read_question("Summarise the last two minutes").part.start == -120
    later = read_question("What happens ten seconds after the goal?")
    assert (later.form, later.reference, later.delay_s) == ("relation", "the goal", 10)
    assert read_question("What does the man do for 10 seconds after the goal?").delay_s == 0
    assert read_question("What did she do just before the end of the video?").reference == "the end"


def test_whether_one_thing_comes_after_another() -> None:
    question = read_question("Is there a dog right after the goal?")
    assert (question.form, question.subject, question.reference) == ("whether", "a dog", "the goal")
    assert (question.relation, question.immediate) == ("after", True)


def test_things_of_a_phrase() -> None:
    assert alternatives("a dog, a cat or a horse") == ("a dog", "a cat", "a horse")
    assert alternatives("dogs") == ("dogs", "a dog")
    assert alternatives("the buses") == ("the buses", "a bus")
    assert alternatives("glass") == ("glass",)
    assert conjuncts("a dog and an elephant") == ("a dog", "an elephant")
    assert conjuncts("a man riding a horse and waving") == ("a man riding a horse and waving",)


def test_a_choice_without_words_is_refused() -> None:
    with pytest.raises(QueryError, match=r"choice \(B\) is empty"):
        read_question("What happens after the goal? (A) fishing (B)")


def test_a_single_choice_is_refused() -> None:
    with pytest.raises(QueryError, match="one choice is no choice"):
        read_question("What is shown after the elephant? (A) golf")


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


@pytest.mark.parametrize(
    ("text", "same"),
    [
        ("What's said about honey?", "What is said about honey?"),
        ("Where’s the cat?", "Where is the cat?"),
        ("Whats happening after the dog?", "What is happening after the dog?"),
        ("Isn't there a dog?", "Is there a dog?"),
        ("Can't you see a dog?", "Can you see a dog?"),
        ("There's no dog, is there?", "Is there no dog?"),
        ("The dog appears before the cat, doesn't it?", "Does the dog appear before the cat?"),
        ("When do I see the dog?", "When do we see the dog?"),
    ],
)
def test_short_forms_and_tags_are_spelt_out(text: str, same: str) -> None:
    short, long = read_question(text), read_question(same)
    assert (short.form, short.negated) == (long.form, long.negated)
    assert [own.lower() for own in short.named] == [own.lower() for own in long.named]


@pytest.mark.parametrize(
    "text",
    [
        "When does the dog appear, and how often?",
        "What appears after the dog, and which is longer?",
        "Is there always a dog?",
        "Does the dog appear as often as the cat?",
        "Is someone playing the piano before the violin?",
        "What is the longest scene?",
        "Is there a third dog?",
        "Does the second dog appear before the cat?",
        "What is said between the dog and the cat?",
        "What order do the dog and the cat appear in?",
    ],
)
def test_what_is_not_understood_is_refused(text: str) -> None:
    assert read_question(text).form == "unknown"


@pytest.mark.parametrize(
    ("text", "form", "subject"),
    [
        ("Is anything said about bees?", "mentioned", "bees"),
        ('When is the word "bees" spoken?', "said", "bees"),
        ("At what time does the speaker mention bees?", "said", "bees"),
        ("What does the slide about bees say?", "said", "bees"),
        ("What does the slide on bees say?", "said", "bees"),
        ("Is there a slide about bees?", "mentioned", "bees"),
        ("What is the last thing said?", "said", ""),
        ("What's said first?", "said", ""),
        ("How long does the dog stay?", "duration", "the dog"),
        ("How long does the dog remain on screen?", "duration", "the dog"),
        ("How often does someone play the violin?", "count", "someone playing the violin"),
        ("When does a man ride a horse?", "when", "a man riding a horse"),
        ("How often does a play end?", "count", "a play end"),
    ],
)
def test_lines_lengths_and_actions(text: str, form: str, subject: str) -> None:
    question = read_question(text)
    assert (question.form, question.subject) == (form, subject)
