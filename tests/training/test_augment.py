"""Captions changed a little stay captions of their picture."""

from __future__ import annotations

import numpy as np

from training.augment import FEWEST_WORDS, FORMS, draw_changed, drop_words
from training.data import Picture

CAPTIONS = (
    "A brown dog runs over the wet grass .",
    "Two children play with a ball near the fence .",
    "Sunset .",
)
PICTURE = Picture(b"", CAPTIONS, "", "flickr8k", "train")


def test_dropped_words_leave_the_others_in_order() -> None:
    caption = CAPTIONS[1]
    forms = {drop_words(caption, 0.3, form) for form in range(20)}
    assert len(forms) > 5
    for form in forms:
        words = iter(caption.split())
        assert all(word in words for word in form.split())
        assert len(form.split()) >= FEWEST_WORDS


def test_a_form_of_a_caption_is_always_the_same() -> None:
    assert drop_words(CAPTIONS[0], 0.3, 1) == drop_words(CAPTIONS[0], 0.3, 1)


def test_short_captions_stay_whole() -> None:
    assert {drop_words(CAPTIONS[2], 0.9, form) for form in range(9)} == {CAPTIONS[2]}
    assert {drop_words(CAPTIONS[0], 1.0, form) for form in range(9)} == {CAPTIONS[0]}


def test_what_is_drawn() -> None:
    rng = np.random.default_rng(0)
    plain = {draw_changed(PICTURE, rng, 0.0, 0.0) for _ in range(100)}
    assert plain == set(CAPTIONS)
    dropped = {draw_changed(PICTURE, rng, 0.2, 0.0) for _ in range(200)}
    assert plain < dropped
    assert len(dropped) <= len(CAPTIONS) * (1 + FORMS)
    joined = {draw_changed(PICTURE, rng, 0.0, 1.0) for _ in range(100)}
    assert joined == {
        "A brown dog runs over the wet grass. Two children play with a ball near the fence .",
        "Two children play with a ball near the fence. Sunset .",
        "Sunset. A brown dog runs over the wet grass .",
    }
