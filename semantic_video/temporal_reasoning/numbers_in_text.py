"""The numbers of a text, in digits or in words; how often it says a thing is there; denials."""

from __future__ import annotations

import re

_SMALL = (
    *("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    "nineteen",
)
_TENS = ("twenty", "thirty", "forty", "fifty", "sixty", "seventy", "eighty", "ninety")
_VALUES = {word: value for value, word in enumerate(_SMALL)}
_VALUES |= {word: 10 * value for value, word in enumerate(_TENS, start=2)}
_VALUES |= {"once": 1, "twice": 2, "thrice": 3, "single": 1, "couple": 2, "dozen": 12}
_VALUES |= {"hundred": 100, "thousand": 1000, "million": 1_000_000}
_ORDINALS = {"third": 3, "fourth": 4, "fifth": 5, "sixth": 6, "seventh": 7, "eighth": 8}
_ORDINALS |= {"ninth": 9, "tenth": 10, "eleventh": 11, "twelfth": 12, "twentieth": 20}

_DIGITS = re.compile(r"(\d+(?:[:.,]\d+)*)(st|nd|rd|th)?", re.IGNORECASE)
_WORDS = re.compile(
    rf"\b(?:({'|'.join(_TENS)})[-\s]({'|'.join(_SMALL[1:10])})"
    # "one hears" and "one another" are no numbers, and "no one" is a denial.
    rf"|(?<!\bno )(one)(?!\s+(?:hears|reads|sees|can|another)\b)"
    rf"|({'|'.join(word for word in _VALUES if word != 'one')})s?)\b",
    re.IGNORECASE,
)
# "the second" alone may be a length of time.
_ORDINAL = re.compile(
    rf"\b(?:({'|'.join(_ORDINALS)})|(second)\s+(?:time|scene|appearance|occurrence|showing))\b",
    re.IGNORECASE,
)
_OFTEN = (
    r"(?:times|time|occasions?|occurrences?|appearances?|showings?|scenes?|moments?|stretch(?:es)?)"
)
_COUNT = re.compile(rf"#(\d+)#\s+(?:[^\W\d]+\s+){{0,2}}{_OFTEN}\b", re.IGNORECASE)
_HOW_OFTEN = re.compile(r"\b(once|twice|thrice|single|never)\b", re.IGNORECASE)
_DENIAL = re.compile(
    r"\b(?:no|not|never|none|nothing|nobody|nowhere|neither|nor|without|cannot|hardly|absent|"
    r"absence|missing|lack(?:s|ing)?|zero|(?:do|does|did|is|was|are|were|ca|wo|has|have|had)nt)\b"
    r"|n['’]t\b",
    re.IGNORECASE,
)


def numbers(text: str) -> set[str]:
    """The numbers and times in a text, "7" for "seven", "2" for "twice", "1:05" as it stands."""
    found = {_plain(own[1]) for own in _DIGITS.finditer(text) if not own[2]}
    return found | {str(_value(own)) for own in _WORDS.finditer(text)}


def ordinals(text: str) -> set[int]:
    """The places in a row that a text names, 3 for "third" and "3rd"."""
    found = {int(own[1]) for own in _DIGITS.finditer(text) if own[2] and own[1].isdigit()}
    return found | {_ORDINALS[own[1].lower()] if own[1] else 2 for own in _ORDINAL.finditer(text)}


def counts(text: str) -> set[int]:
    """How often a text says that something is there: 2 for "twice", "two times", "in 2 scenes"."""
    marked = _WORDS.sub(lambda own: f"#{_value(own)}#", text)
    marked = re.sub(r"(?<![\d#:.,])(\d+)(?![\d#:.,])", r"#\1#", marked)
    found = {int(own[1]) for own in _COUNT.finditer(marked)}
    often = {"never": 0} | _VALUES
    return found | {often[own[1].lower()] for own in _HOW_OFTEN.finditer(text)}


def denies(text: str) -> bool:
    """Whether a text says of something that it is not so."""
    return _DENIAL.search(text) is not None


def _plain(digits: str) -> str:
    return str(int(digits)) if digits.isdigit() else digits


def _value(found: re.Match[str]) -> int:
    if found[1]:
        return _VALUES[found[1].lower()] + _VALUES[found[2].lower()]
    return _VALUES[(found[3] or found[4]).lower()]
