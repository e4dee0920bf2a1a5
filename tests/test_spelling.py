"""Slips are mended where it is plain what was meant, and nothing else is touched."""

from __future__ import annotations

import pytest

from semantic_video.spelling import mended


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("a person riding a bciycle", "a person riding a bicycle"),
        ("a dog on the beahc", "a dog on the beach"),
        ("a gireffe eating", "a gireffe eating"),  # the vocabulary has no giraffe
        ("a mountian, with snow", "a mountain, with snow"),
        ("a kitchenn with a sink", "a kitchen with a sink"),
        ("A BASKETBALL PLAEYR", "A BASKETBALL player"),
        ("a trian", "a train"),
    ],
)
def test_slips(typed: str, meant: str) -> None:
    assert mended(typed) == meant


@pytest.mark.parametrize(
    "text",
    [
        "Several people are rafting down a choppy river in rocky terrain",
        "Two bikers, one in front of a building",
        "a dog has waded through shallow water",
        "umbrellas outside a restaurant",
        "a stroller near donkeys and baseballs",
        "Jenny holding Avi at the Schwarzwald",
        "un perro corriendo por la playa",
        "ein Hund läuft über den Strand",
        "狗在海滩上",
        "🎬",
        "",
        "mp4 x264 1080p",
    ],
)
def test_the_rest_stays(text: str) -> None:
    assert mended(text) == text
