"""Captions changed a little, so that no picture has the same few texts in every epoch.

A caption's changed forms are few and always the same, so that what the frozen layers say of them is
computed once.
"""

from __future__ import annotations

import zlib

import numpy as np

from training.data import Picture
from training.prompts import draw_caption

FORMS = 2
"""Ways in which the words of one caption are left out."""
FEWEST_WORDS = 3


def drop_words(caption: str, share: float, form: int) -> str:
    """The caption with about ``share`` of its words left out, the same ones for the same ``form``.

    Captions of up to ``FEWEST_WORDS`` words stay whole, and none becomes shorter than that.
    """
    words = caption.split()
    rng = np.random.default_rng(zlib.crc32(f"{form} {share} {caption}".encode()))
    kept = rng.random(len(words)) >= share
    if len(words) <= FEWEST_WORDS or kept.sum() < FEWEST_WORDS:
        return caption
    return " ".join(word for word, keep in zip(words, kept, strict=True) if keep)


def join_captions(first: str, second: str) -> str:
    """Two captions of one picture as one text of two sentences."""
    return f"{first.rstrip(' .')}. {second}"


def draw_changed(
    picture: Picture, rng: np.random.Generator, word_dropout: float, joined: float
) -> str:
    """A random caption of a picture; of a captioned one, ``joined`` is the share that is put
    together of two, and of the others half have ``word_dropout`` of their words left out.
    """
    if not picture.captions or not (word_dropout or joined):
        return draw_caption(picture, rng)
    i, many = int(rng.integers(len(picture.captions))), len(picture.captions)
    caption = picture.captions[i]
    if joined and many > 1 and rng.random() < joined:
        return join_captions(caption, picture.captions[(i + 1) % many])
    if word_dropout and rng.random() < 0.5:
        return drop_words(caption, word_dropout, int(rng.integers(FORMS)))
    return caption
