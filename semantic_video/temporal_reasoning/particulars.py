"""What changes the meaning of a phrase: "no", "twice", "a dog or a cat".

An encoder of pictures and texts hardly hears these words: "no dog" is as like a dog as "a dog" is.
So they are taken out of a phrase before it is looked for, and what they say is checked.
"""

from __future__ import annotations

import re

from semantic_video.query_language import After, And, Before, Or, Query, Term
from semantic_video.temporal_reasoning.form_words import SEEN
from semantic_video.temporal_reasoning.questions import Question, Times
from semantic_video.temporal_reasoning.time_words import NUMBERS

_TIMES = re.compile(
    r"\b(?:(more\s+than|over|at\s+least|at\s+most|less\s+than|fewer\s+than|no\s+more\s+than|exactly|"
    rf"only|just)\s+)?(?:(once|twice|thrice)|(\d+|{'|'.join(NUMBERS)}|several|many|multiple)"
    r"(\s+or\s+more)?\s+times)(\s+or\s+more)?\b|\b(again|repeatedly)\b",
    re.IGNORECASE,
)
_NEGATION = re.compile(r"^(?:no|not|never)\s+(?!one\b)|\s+(?:not|never)(?=\s|$)", re.IGNORECASE)
_NOBODY = re.compile(r"^(?:nobody|no\s+one|no-one)\b", re.IGNORECASE)
_LACKING = re.compile(
    r"\b(?:no|not|never|none|nothing|nobody|nowhere|neither|nor|without|except|lacks?|lacking|only|other\s+than|"
    r"isn't|aren't|doesn't|don't|didn't|wasn't|weren't)\b",
    re.IGNORECASE,
)
_DETERMINER = r"(?:a|an|the|any|some|another|his|her|their)"
_ORDINALS = (
    "first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth", "tenth",
)  # fmt: skip
_ORDINAL = rf"({'|'.join(_ORDINALS)}|last|final|\d+(?:st|nd|rd|th))"
_NTH = re.compile(
    rf"^the\s+(?:very\s+)?{_ORDINAL}\s+((?:time|occurrence|appearance)\b\s*(?:that|when|of)?\s*)?(.+)$",
    re.IGNORECASE,
)
_FOR_THE_TIME = re.compile(rf"^(.+?)(?:\s+{SEEN})?\s+for\s+the\s+{_ORDINAL}\s+time$", re.IGNORECASE)
_SCENE = re.compile(
    r"^(?:(?:scene|shot|clip|moment)\s+(?:of|with|showing|that\s+shows|where)\s+(.+)|"
    r"(.+?)\s+(?:scene|shot|clip|appearance|occurrence))$",
    re.IGNORECASE,
)
_MOST_WORDS = 6
SOON_S = 0.5
"""What comes within so many seconds comes right after."""


def taken_times(clause: str) -> tuple[str, Times | None]:
    """The clause without "twice", "more than 3 times" or "again", and how often that is."""
    rest, times = _taken_once(clause)
    other = re.match(r"(.*)\bor\s+(.*)$", rest) if times else None
    if times and other and _TIMES.match(other[2]):  # "once or twice"
        rest, more = _taken_once(f"{other[1].rstrip()} {other[2]}")
        if more:
            most = None if more.most is None or times.most is None else max(times.most, more.most)
            times = Times(min(times.least, more.least), most)
    return rest, times


def _taken_once(clause: str) -> tuple[str, Times | None]:
    found = _TIMES.search(clause)
    if not found:
        return clause, None
    rest = f"{clause[: found.start()].rstrip()} {clause[found.end() :].lstrip()}".strip()
    number = (found[2] or found[3] or "").lower()
    if found[6] or number in ("several", "many", "multiple"):
        return rest, Times(2, None)
    words = {"once": 1, "twice": 2, "thrice": 3}
    count = int(number) if number.isdigit() else words.get(number, -1)
    count = NUMBERS.index(number) if count < 0 else count
    how = " ".join((found[1] or "").lower().split())
    if found[4] or found[5] or how == "at least":
        return rest, Times(count, None)
    if how in ("more than", "over"):
        return rest, Times(count + 1, None)
    if how in ("less than", "fewer than"):
        return rest, Times(0, count - 1)
    if how in ("at most", "no more than"):
        return rest, Times(0, count)
    return rest, Times(count, count)


def taken_negation(phrase: str) -> tuple[str, bool]:
    """The phrase without "no", "not" or "never", and whether it had one."""
    neither = re.match(r"(?:neither)\s+(.+?)\s+nor\s+(.+)$", phrase, re.IGNORECASE)
    if neither:
        return f"{neither[1]} or {neither[2]}", True
    if re.search(r"\b(?:that|which|who)\b.*\bnot\b", phrase, re.IGNORECASE):
        return phrase, False
    if _NOBODY.match(phrase):
        return _NOBODY.sub("someone", phrase), True
    plain = _NEGATION.sub("", phrase, count=1)
    return plain.strip(), plain != phrase


def ordinal_of(phrase: str) -> tuple[str, int]:
    """A phrase without its ordinal, and which of its occurrences is meant.

    "The third surfing scene" is ("surfing", 3), "the last dog" ("the dog", -1); 0 is for none.
    """
    found = _FOR_THE_TIME.match(phrase)
    if found:
        return found[1], _ordinal(found[2])
    found = _NTH.match(phrase)
    if not found:
        return phrase, 0
    rest = re.sub(r"^(?:of\s+)", "", found[3])
    scene = _SCENE.match(rest)
    if scene:
        return scene[1] or scene[2], _ordinal(found[1])
    if found[2]:  # "the second time the dog appears"
        return re.sub(rf"\s+{SEEN}$", "", rest, flags=re.IGNORECASE), _ordinal(found[1])
    return f"the {rest}", _ordinal(found[1])


def ordinal_told(nth: int) -> str:
    """Which one, in a word: "third", "last"."""
    if nth < 0:
        return "last"
    return _ORDINALS[nth - 1] if nth <= len(_ORDINALS) else f"{nth}th"


def _ordinal(word: str) -> int:
    word = word.lower()
    if word in ("last", "final"):
        return -1
    digits = re.match(r"\d+", word)
    return int(digits[0]) if digits else _ORDINALS.index(word) + 1


def says_what_lacks(phrase: str) -> bool:
    """Whether a phrase is about what is not there: "a dog without a leash", "only dogs"."""
    return bool(_LACKING.search(phrase))


def several(phrase: str) -> bool:
    """Whether a phrase says how many there are at once, as "two dogs"."""
    return bool(re.match(rf"(?:\d+|{'|'.join(NUMBERS[2:])})\s+(?!times\b)", phrase, re.IGNORECASE))


def alternatives(phrase: str) -> tuple[str, ...]:
    """The things of "a dog, a cat or a horse"; of "dogs" also "a dog"; else the phrase itself."""
    plain = re.sub(r"^either\s+", "", phrase, flags=re.IGNORECASE)
    parts = re.split(r"\s*,?\s+or\s+|\s*,\s+(?=.*\sor\s)", plain, flags=re.IGNORECASE)
    if len(parts) > 1 and all(part and len(part.split()) <= _MOST_WORDS for part in parts):
        return tuple(dict.fromkeys(parts))
    single = _singular(phrase)
    return (phrase, single) if single else (phrase,)


def _singular(phrase: str) -> str:
    """ "a dog" for "dogs" and "the dogs", which are seldom looked for in vain; "" for others."""
    found = re.fullmatch(
        r"(?:(?:the|any|some|all)\s+)?([a-z]{2,}[^\Wsiu])(s)", phrase, re.IGNORECASE
    )
    if not found:
        return ""
    noun = re.sub(r"ie$", "y", re.sub(r"(s|x|z|ch|sh)e$", r"\1", found[1], flags=re.I), flags=re.I)
    return f"{'an' if noun[0].lower() in 'aeiou' else 'a'} {noun}"


def conjuncts(phrase: str) -> tuple[str, ...]:
    """The things of "a dog and an elephant", where each is a thing of its own."""
    plain = re.sub(r"^both\s+", "", phrase, flags=re.IGNORECASE)
    parts = re.split(r"\s*,?\s+and\s+|\s*,\s+(?=.*\sand\s)", plain, flags=re.IGNORECASE)
    each = (rf"{_DETERMINER}\s+\S+(?:\s+\S+){{0,3}}", r"\S+")
    if len(parts) > 1 and any(
        all(re.fullmatch(own, part, re.IGNORECASE) for part in parts) for own in each
    ):
        return tuple(dict.fromkeys(parts))
    return (phrase,)


def sought(question: Question) -> Query:
    """What is looked for: the subject, where it is after, before or during the reference."""
    own = query_of(question.subject)
    if not question.reference:
        return own
    other = query_of(question.reference)
    within_s = SOON_S if question.immediate else float("inf")
    if question.relation == "during":
        return And(own, other)
    return (After if question.relation == "after" else Before)(own, other, within_s)


def query_of(phrase: str) -> Query:
    """What is looked for: any of the alternatives of a phrase."""
    first, *others = (Term(text) for text in alternatives(phrase))
    query: Query = first
    for other in others:
        query = Or(query, other)
    return query
