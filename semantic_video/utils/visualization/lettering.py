"""Letters: which fonts draw them, what is written where none does, and where words may break."""

from __future__ import annotations

import logging
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache

OWN_FONT = "DejaVu Sans"
"""Comes with matplotlib: Latin, Greek, Cyrillic, Arabic, Hebrew and others."""
# Fonts for scripts that it lacks, asked in this order before any other that a system has.
_MORE_FONTS = (
    "Noto Sans CJK SC",
    "Noto Sans CJK JP",
    "Source Han Sans SC",
    "WenQuanYi Zen Hei",
    "PingFang SC",
    "Hiragino Sans",
    "Microsoft YaHei",
    "Yu Gothic",
    "Malgun Gothic",
    "Noto Sans Devanagari",
    "Noto Sans Thai",
    "Arial Unicode MS",
)
# Fonts whose letters are not what their numbers say, or the same box for all.
_NO_LETTERS = re.compile(r"cm[a-z]+\d*$|STIX(Size|Non)|Last ?Resort|Adobe Blank", re.IGNORECASE)
_UPRIGHT = (400, 500, "normal", "regular", "book", "medium")
"""Weights of the face that is drawn of a font; italics and others may have other letters."""
_BREAK_AFTER = "-/_.\u2010\u2013]"
_TAKES_VOWEL = re.compile(r"VOWEL SIGN|SIGN VIRAMA")
_SPOKEN = re.compile(
    r"(?:LETTER|SYLLABLE|VOWEL SIGN)\b.*?(\w+)$|THAI CHARACTER (?:SARA (\w+)|(\w))"
)


def legible(text: str) -> str:
    """The text with every letter that no installed font has written in letters that one has.

    A letter or syllable becomes the sound that Unicode names it by, a picture its name, and any
    other its number.
    """
    written = ""
    for letter in text:
        if _drawn(letter):
            written += letter
            continue
        # In scripts of India a letter sounds with an "a" until a sign takes its place.
        if _TAKES_VOWEL.search(unicodedata.name(letter, "")):
            written = written.removesuffix("a")
        written += _spelt(letter)
    return written


def pieces(word: str) -> list[str]:
    """A word in the parts between which it may be broken: at hyphens and the like.

    Scripts that write no spaces break anywhere.
    """
    parts: list[str] = []
    part = ""
    for letter in word:
        wide = unicodedata.east_asian_width(letter) in "WF"
        if wide and part:
            parts.append(part)
            part = ""
        part += letter
        if wide or letter in _BREAK_AFTER:
            parts.append(part)
            part = ""
    return [*parts, part] if part else parts


@contextmanager
def quiet_about_fonts() -> Iterator[None]:
    """Matplotlib warns of each letter that one font lacks, also where another has it."""
    import warnings

    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", message="Glyph .* missing from font")
        logger = logging.getLogger("matplotlib.font_manager")
        level = logger.level
        logger.setLevel(logging.ERROR)
        try:
            yield
        finally:
            logger.setLevel(level)


def _drawn(letter: str) -> bool:
    return letter.isascii() or letter.isspace() or font_of(letter) is not None


def _spelt(letter: str) -> str:
    plain = unicodedata.normalize("NFKD", letter)
    if plain != letter and all(map(_drawn, plain)):
        return plain
    name = unicodedata.name(letter, "")
    if (sound := _SPOKEN.search(name)) is not None:
        return "".join(filter(None, sound.groups())).lower()
    if unicodedata.category(letter) in ("Cf", "Mn"):  # joins letters or changes their looks
        return ""
    if not name or "IDEOGRAPH" in name:
        return f"[U+{ord(letter):04X}]"
    return f"[{name.lower()}]"


@cache
def font_of(letter: str) -> str | None:
    """An installed font that has a letter, matplotlib's own before others; None where none has."""
    from matplotlib.font_manager import fontManager

    order = {name: place for place, name in enumerate((OWN_FONT, *_MORE_FONTS))}
    fonts = [
        entry
        for entry in fontManager.ttflist
        if (entry.style, entry.weight in _UPRIGHT) == ("normal", True)
        and not _NO_LETTERS.match(entry.name)
    ]
    fonts.sort(key=lambda entry: (order.get(entry.name, len(order)), entry.name, entry.fname))
    return next((one.name for one in fonts if ord(letter) in _letters_of(one.fname)), None)


@cache
def _letters_of(path: str) -> frozenset[int]:
    from matplotlib.ft2font import FT2Font

    try:
        return frozenset(FT2Font(path).get_charmap())
    except (OSError, RuntimeError):  # no font that can be read
        return frozenset()
