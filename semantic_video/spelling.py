"""Mending slips of the finger in a query, where it is plain what was meant.

A misspelt word is cut into meaningless pieces by a model's tokenizer and pulls a query astray. A
word is changed only where the built-in model's English vocabulary has neither it nor the words it
could be formed from, and has a common word one slip away; names (capital letters) and texts that
are not mostly known English stay as they are.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterator, Mapping
from functools import cache

from semantic_video.encoders.lite import WEIGHTS

_SMALL = frozenset({"a", "an", "at", "by", "he", "in", "is", "it", "of", "on", "or", "to"})
_SHORTEST = 5  # shorter words have too many neighbours
# Rank of the rarest word that a slip is taken for: a rare word typed right (a poodle, a collie) is
# likelier than a slip of another rare one.
_COMMON = 12_000
_ENDINGS: dict[str, tuple[str, ...]] = {
    "s": ("",), "es": ("",), "ies": ("y",), "d": ("",), "ed": ("", "e"), "ing": ("", "e"),
    "ings": ("", "e"), "r": ("",), "er": ("", "e"), "ers": ("", "e"), "ly": ("",),
    "y": ("", "e"), "less": ("",), "ness": ("",),
}  # fmt: skip
"""English endings -> what stood in their place."""


def mended(text: str) -> str:
    """The text with misspelt words replaced by what was meant; most texts come back as they are."""
    ranks = _ranks()
    words = text.split()
    bare = [word.strip(string.punctuation) for word in words]
    shouted = text.isupper()
    familiar = sum(word.lower() in _SMALL or _known(word.lower(), ranks) for word in bare)
    if 2 * familiar < len(words):
        return text
    changed = False
    for place, word in enumerate(bare):
        is_name = word[:1].isupper() and place > 0 and not shouted
        if len(word) < _SHORTEST or not (word.isascii() and word.isalpha()) or is_name:
            continue
        meant = _nearest(word.lower(), ranks)
        if meant is not None:
            words[place] = words[place].replace(word, meant)
            changed = True
    return " ".join(words) if changed else text


def _nearest(word: str, ranks: Mapping[str, int]) -> str | None:
    """The most common word one slip away; None where ``word`` is known or there is none."""
    if _known(word, ranks):
        return None
    # Two letters in the wrong order are the commonest slip, and few other words are that near.
    for slips in (_swaps(word), _edits(word)):
        candidates = [slip for slip in slips if ranks.get(slip, _COMMON) < _COMMON]
        if candidates:
            return min(candidates, key=ranks.__getitem__)
    return None


def _known(word: str, ranks: Mapping[str, int]) -> bool:
    """Whether it is a word, a form of one, or two in one."""
    if word in ranks:
        return True
    for ending, replaced in _ENDINGS.items():
        stem = word.removesuffix(ending)
        if stem == word or len(stem) < 3:
            continue
        if any(stem + letters in ranks for letters in replaced):
            return True
        if stem[-1] == stem[-2] and stem[:-1] in ranks:  # running
            return True
    return any(word[:at] in ranks and word[at:] in ranks for at in range(4, len(word) - 3))


def _swaps(word: str) -> Iterator[str]:
    for at in range(len(word) - 1):
        yield word[:at] + word[at + 1] + word[at] + word[at + 2 :]


def _edits(word: str) -> Iterator[str]:
    """A letter missing, too many, or wrong; never the first, which is rarely missed."""
    for at in range(1, len(word) + 1):
        head, tail = word[:at], word[at:]
        yield head + tail[1:]
        for letter in string.ascii_lowercase:
            yield head + letter + tail
            yield head + letter + tail[1:]


@cache
def _ranks() -> dict[str, int]:
    """English words, and how common each is (0 the commonest): the built-in model's own."""
    tokenizer = json.loads((WEIGHTS / "tokenizer.json").read_text(encoding="utf-8"))
    vocabulary: dict[str, int] = tokenizer["model"]["vocab"]
    return {word: rank for word, rank in vocabulary.items() if word.isalpha() and len(word) > 2}
