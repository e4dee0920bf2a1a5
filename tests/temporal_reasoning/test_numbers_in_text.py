"""Numbers, counts and denials are read the same in digits and in words."""

from __future__ import annotations

import pytest

from semantic_video.temporal_reasoning.numbers_in_text import counts, denies, numbers, ordinals


@pytest.mark.parametrize(
    ("text", "found", "often"),
    [
        ("it appears twice, 20 seconds in all, first at 0:30.", {"2", "20", "0:30"}, {2}),
        ("Twenty-one times", {"21"}, {21}),
        ("2 separate times, in seven scenes", {"2", "7"}, {2, 7}),
        ("a dozen people, 1,000 dogs", {"12", "1,000"}, set()),
        ("one hears one another, no one comes", set(), set()),
        ("one of the dogs, 007", {"1", "7"}, set()),
        ("it never appears", set(), {0}),
        ("attend, often, someone, alone", set(), set()),
    ],
)
def test_numbers_and_counts(text: str, found: set[str], often: set[int]) -> None:
    assert numbers(text) == found
    assert counts(text) == often


def test_places_in_a_row() -> None:
    assert ordinals("the third, 21st and second time, after a second") == {3, 21, 2}
    assert numbers("the 3rd time") == set()


def test_denials() -> None:
    denying = ("No dog", "it isn't there", "it doesn’t", "nothing at all", "it cannot", "it wasnt")
    assert all(denies(text) for text in denying)
    assert not any(denies(text) for text in ("a knot", "it is noted", "the north", "anyone"))
