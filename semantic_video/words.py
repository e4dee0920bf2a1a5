"""Words of a text, brought into a form in which the same word is the same: for full-text search.

Case, accents and the commonest English endings are taken off. Scripts without spaces are cut into
pairs of characters.
"""

from __future__ import annotations

import re
import unicodedata

_WORD = re.compile(r"\w+")
# Han, kana, Hangul and Thai: scripts in which words are not, or not reliably, set apart.
_UNSPACED = re.compile(r"[\u0e00-\u0e7f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\uf900-\ufaff]")
_ENDINGS = ("ingly", "edly", "ings", "ing", "ers", "er", "ed", "es", "ly", "s")
_LEAST_STEM = 3

_STOP = """
    a about after again all also am an and any are as at be because been before being both but
    by can could d did do does doing don down during each few for from further had has have
    having he her here hers him his how i if in into is it its just ll m me more most my no
    nor not now of off on once only or other our out over own re s same she should so some
    such t than that the their them then there these they this those through to too under
    until up us ve very was we were what when where which while who whom why will with would
    you your
"""

STOP_WORDS = frozenset(_STOP.split())
"""Words that say nothing of what a line is about."""


def stems(text: str) -> list[str]:
    """The words of ``text`` in order, each as what its forms have in common."""
    folded = unicodedata.normalize("NFKD", text.casefold())
    folded = "".join(c for c in folded if not unicodedata.combining(c))
    found: list[str] = []
    for word in _WORD.findall(unicodedata.normalize("NFC", folded)):
        if _UNSPACED.search(word):
            found += [word[i : i + 2] for i in range(max(1, len(word) - 1))]
        else:
            found.append(word if word in STOP_WORDS else _stem(word))
    return found


def query_stems(text: str) -> list[str]:
    """The words that a search for ``text`` looks for: each once, without those that say nothing.

    A text of nothing but such words is looked for as it stands.
    """
    every = list(dict.fromkeys(stems(text)))
    return [stem for stem in every if stem not in STOP_WORDS] or every


def _stem(word: str) -> str:
    if not (word.isascii() and word.isalpha()):
        return word
    if word.endswith(("ies", "ied")) and len(word) > _LEAST_STEM + 1:
        return f"{word[:-3]}y"
    for ending in _ENDINGS:
        stem = word.removesuffix(ending)
        if stem != word and len(stem) >= _LEAST_STEM:
            # "running", "stopped": the doubled letter goes with the ending.
            if len(stem) > _LEAST_STEM and stem[-1] == stem[-2] and stem[-1] not in "lsz":
                stem = stem[:-1]
            return stem.removesuffix("e")
    return word.removesuffix("e") if len(word) > _LEAST_STEM else word
