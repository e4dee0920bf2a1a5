"""Queries as people type them become captions."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from semantic_video.queries import caption_from_query

ASKED = [
    "when is there {}?",
    "Where is {}?",
    "where's {}",
    "when can we see {}?",
    "At what point do we see {}?",
    "which scene shows {}?",
    "In which part is there {}?",
    "show me {}",
    "Show me all scenes with {}",
    "please find {}",
    "Can you find {}, please?",
    "could you please show me {}?",
    "find all the moments where there is {}",
    "I'm looking for {}",
    "I am looking for the scene where {} in the video",
    "I would like to see {}, thanks",
    "is there {} in this video?",
    "Are there {} anywhere in the film?",
    "do we see {}?",
    "the part where {} appears",
    "a clip of {}",
    '"{}"',
    "{}?",
    "  {}  \n",
]
CAPTIONS = ["a dog on a beach", "two people playing the piano", "someone shooting arrows"]


@pytest.mark.parametrize("caption", CAPTIONS)
@pytest.mark.parametrize("form", ASKED)
def test_what_is_around_a_caption_goes(form: str, caption: str) -> None:
    assert caption_from_query(form.format(caption)) == caption


def test_a_question_with_a_verb() -> None:
    asked = caption_from_query("When does the train enter a tunnel?")
    assert asked == "the train enter a tunnel"


@pytest.mark.parametrize(
    "caption",
    [
        "a train entering a tunnel",
        "show jumping",
        "a man showing a card",
        "people looking for shells on a beach",
        "a video game",
        "a photo album on a table",
        "time lapse of clouds",
        "a picture on the wall",
        "a clip on tie",
        "finding Nemo",
        "a place to sit",
        "The door of the refrigerator has several papers on it",
        "there is a cat that is drinking out of the toilet",
        "two dogs when it rains",
        "scene",
        "how many dogs are there",
    ],
)
def test_a_caption_stays(caption: str) -> None:
    assert caption_from_query(caption) == caption


@pytest.mark.parametrize("text", ["?", "when is there?", "please", "...", "find", "show me"])
def test_something_is_always_left(text: str) -> None:
    assert caption_from_query(text).strip()


@given(st.text(min_size=1).filter(lambda text: text.strip()))
def test_never_empty_and_stable(text: str) -> None:
    caption = caption_from_query(text)
    assert caption.strip()
    assert caption_from_query(caption) == caption or not set(caption) - set(string.punctuation)
