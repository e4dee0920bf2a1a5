"""Which words of a query are operators, and which belong to a phrase.

A query is a plain phrase unless a word of it is an operator, and ordinary sentences are full of
words such as "and", "before" and "first". Such a word is an operator only where that is plain to
see: written in capitals, beside a part in quotes or parentheses, or in a few turns that no
description has ("a dog then a cat", "a dog after 10:00", "count cars"). ``docs/query-language.md``
states the rules; a text without an operator never reaches the grammar.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import NamedTuple

from semantic_video.errors import QueryError
from semantic_video.query_language.times import seconds_of

_AROUND = 60  # characters shown on either side of the place


class QuerySyntaxError(QueryError):
    """A query of the language that cannot be read; its message shows the place.

    Attributes:
        text: the query.
        position: where in ``text`` it goes wrong, in characters from 0.
    """

    def __init__(self, advice: str, text: str, position: int) -> None:
        self.text = text
        self.position = position
        line = "".join(c if c.isprintable() else " " for c in text)
        first, last = max(0, position - _AROUND), position + _AROUND
        before, after = "..." if first else "", "..." if last < len(line) else ""
        self.place = f"  {before}{line[first:last]}{after}\n"
        self.place += f"  {' ' * (len(before) + position - first)}^"
        super().__init__(f"{advice}\n{self.place}")


class Token(NamedTuple):
    """A terminal of the grammar: its kind, what it holds, and where it stands in the text."""

    kind: str
    value: str
    start: int
    end: int


@dataclass(frozen=True, slots=True)
class Tokens:
    """A query of the language in tokens; ``explicit`` where capitals, quotes or parentheses say
    that it is one, rather than a turn of phrase."""

    tokens: tuple[Token, ...]
    explicit: bool


# What a query of the language must hold somewhere; everything else is plain at first sight.
_HINT = re.compile(
    r'["“”()]|\b(?:then|count|how\s+long|every|(?:first|last|\d+(?:st|nd|rd|th))\s|'
    r"(?:before|after|between)\s+\d)|\b(?:AND|OR|NOT|THEN|BEFORE|AFTER|DURING|WITHOUT|FIRST|LAST|"
    r"BETWEEN|EVERY|COUNT|HOW\s+LONG|\d+(?:ST|ND|RD|TH))\b",
    re.IGNORECASE,
)
_PIECE = re.compile(r'"([^"]*)"|“([^”"]*)”|[()]|[^\s()"“”]+|["“”]')

_INFIX = {
    "then": "_THEN", "and": "_AND", "or": "_OR", "before": "_BEFORE", "after": "_AFTER",
    "during": "_DURING", "without": "_WITHOUT",
}  # fmt: skip
_ORDINALS = ("first", "second", "third", "fourth", "fifth", "sixth", "seventh", "eighth", "ninth")
_CLOCK = re.compile(r"\d+(?::\d+)+")
_ORDINAL = re.compile(r"(\d{1,9})(?:st|nd|rd|th)", re.IGNORECASE)
_ANYWHERE = frozenset(_INFIX) | {"within", "between"}
"""Words that may follow a part in quotes or parentheses."""

# What descriptions begin with: "a dog then a cat", and not "a man then runs".
_BEGINNINGS = frozenset(
    {
        "a", "an", "the", "some", "one", "two", "three", "four", "five", "six", "seven", "eight",
        "nine", "ten", "several", "many", "another", "both", "his", "her", "its", "their", "my",
        "our", "your", "this", "that", "these", "those", "someone", "somebody", "something",
        "people", "everyone", "everybody", "nobody", "men", "women", "children", "kids",
    }
)  # fmt: skip
# "Count down", "count with fingers": something that is done, and not a wish.
_PARTICLES = frozenset({"down", "for", "from", "in", "off", "on", "out", "to", "up", "with"})
_TIMES = frozenset({"time", "moment", "scene", "occurrence", "appearance"})
_LINKS = frozenset({"of", "that", "when", "where", "with", "showing"})


def tokenize(text: str) -> Tokens | None:
    """The tokens of a query of the language; None for a plain phrase.

    Raises:
        QuerySyntaxError: a quotation mark that is never closed.
    """
    return _Reader(text).read() if _HINT.search(text) else None


class _Piece(NamedTuple):
    text: str
    quoted: bool
    start: int
    end: int

    @property
    def lower(self) -> str:
        return "" if self.quoted else self.text.lower().rstrip(",")


class _Reader:
    """Reads the pieces of a text from left to right and decides for each word what it is."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._pieces = [
            _Piece(match[0], match[1] is not None or match[2] is not None, *match.span())
            for match in _PIECE.finditer(text)
        ]
        bare = [piece.text for piece in self._pieces if not piece.quoted]
        # In a text that shouts, or has quotes only, capitals say nothing.
        self._shouted = "".join(bare).isupper() and len(bare) == len(self._pieces)
        self._closing = self._matched_parentheses()
        self._tokens: list[Token] = []
        self._words: list[_Piece] = []
        self._explicit = False
        self._operators = 0
        self._groups: set[int] = set()  # where the parentheses close that hold parts
        self._stray: _Piece | None = None

    def read(self) -> Tokens | None:
        at = 0
        while at < len(self._pieces):
            at = self._step(at)
        self._end_phrase()
        if not self._operators:
            return None
        if self._explicit and self._stray is not None:
            raise QuerySyntaxError(
                "this parenthesis was never opened", self._text, self._stray.start
            )
        return Tokens(tuple(self._tokens), self._explicit)

    def _step(self, at: int) -> int:
        """Read what stands at a piece; the next piece to read comes back."""
        piece = self._pieces[at]
        if self._fresh():
            if piece.text in ('"', "“") and self._pieces[at + 1 :]:
                raise QuerySyntaxError(
                    "this quotation mark is never closed", self._text, piece.start
                )
            if self._opens_group(at):
                self._groups.add(self._closing.get(at, -1))
                self._emit("_OPEN", at)
                return at + 1
            prefix = self._prefix(at)
            if prefix:
                return prefix
            if piece.lower in _INFIX and self._begins_part(at + 1):
                return self._operator(_INFIX[piece.lower], at, at, True)  # its left is missing
        if piece.text == ")" and at in self._groups:
            self._end_phrase()
            self._emit("_CLOSE", at)
            return at + 1
        infix = self._infix(at)
        if infix:
            return infix
        if piece.text == ")" and at not in self._closing.values():
            self._stray = piece
        self._words.append(piece)
        return at + 1

    # Operators before a part: count, how long, first, last, 2nd, every, not

    def _prefix(self, at: int) -> int:
        word = self._pieces[at].lower
        top = not self._tokens
        following = self._piece(at + 1)
        capitals = self._capitals(at)
        if following is None:  # the grammar says what is missing
            dangling = word == "not" and not top and (capitals or self._explicit)
            return self._operator("_NOT", at, at, True) if dangling else 0
        strong = capitals or self._begins_part(at + 1)
        counts = not following.text[:1].isupper() and following.lower not in _PARTICLES
        if word == "count" and (strong or (top and counts)):
            return self._operator("_COUNT", at, at, strong)
        if word == "how" and following.lower == "long" and self._piece(at + 2):
            strong = capitals or self._begins_part(at + 2)
            return self._operator("_HOW_LONG", at, at + 1, strong) if strong or top else 0
        if word == "every" and (strong or top):
            return self._operator("_EVERY", at, at, strong)
        if word == "not" and strong:
            return self._operator("_NOT", at, at, True)
        number = _number(word)
        if number and (strong or following.lower in _BEGINNINGS - {"one"}):
            return self._nth(number, at, at, strong)
        # "first time a dog runs", "the last scene with snow"
        first = at + (word == "the")
        ordinal = self._piece(first)
        number = _number(ordinal.lower) if ordinal else 0
        noun = self._piece(first + 1)
        if number and noun and noun.lower in _TIMES and self._piece(first + 2):
            last = first + 1
            link = self._pieces[last + 1]
            if link.lower in _LINKS and self._piece(last + 2):
                last += 1
            return self._nth(number, at, last, False)
        return 0

    def _nth(self, number: int, first: int, last: int, strong: bool) -> int:
        return self._operator("NTH", first, last, strong, str(number))

    # Operators between two parts, and after one

    def _infix(self, at: int) -> int:
        piece = self._pieces[at]
        word = piece.lower
        if word not in _ANYWHERE or not (self._words or self._after_part()):
            return 0
        if word == "within":
            return self._within(at)
        if word in ("before", "after", "between"):
            end = self._times(at)
            if end:
                return end
        if word == "between":
            return 0
        kind, last = _INFIX[word], at
        following = self._piece(at + 1)
        if word == "and" and following is not None and following.lower == "then":
            kind, last = "_THEN", at + 1  # "a dog, and then a cat"
        beyond = self._piece(last + 1)
        strong = self._capitals(last) or self._after_quoted() or self._begins_part(last + 1)
        natural = (
            kind == "_THEN"
            and beyond is not None
            and beyond.lower in _BEGINNINGS
            and bool(self._words)
            and self._words[0].lower in _BEGINNINGS
        )
        if not strong and not natural:
            return 0
        self._end_phrase()
        return self._operator(kind, at, last, strong)

    def _within(self, at: int) -> int:
        """``within 60s`` after two parts."""
        kinds = {token.kind for token in self._tokens}
        length = self._length(at + 1, bare=True)
        if not length or not kinds & {"_THEN", "_BEFORE", "_AFTER"} or not self._ends(length[1]):
            if (self._operators or length) and self._after_quoted():
                raise QuerySyntaxError(
                    "`within` takes a time, after two parts in order: "
                    '"a dog" then "a cat" within 60s',
                    self._text,
                    self._pieces[at].start,
                )
            return 0
        self._end_phrase()
        self._operator("_WITHIN", at, at, False)
        return self._time(at + 1, *length)

    def _times(self, at: int) -> int:
        """``after 10:00``, ``before 1:02:03``, ``between 5:00 and 6:00``."""
        first = self._length(at + 1)
        if not first:
            beyond = self._piece(at + 1)
            if beyond is not None and self._after_quoted() and _CLOCK.fullmatch(beyond.text):
                raise QuerySyntaxError(
                    f"{beyond.text} is no time: write 10:00 or 1:02:03", self._text, beyond.start
                )
            return 0
        word = self._pieces[at].lower
        if word != "between":
            if not self._ends(first[1]):
                return 0
            strong = self._capitals(at) or self._after_quoted()
            self._end_phrase()
            self._operator(_INFIX[word], at, at, strong)
            return self._time(at + 1, *first)
        joint = self._piece(first[1])
        second = self._length(first[1] + 1)
        if joint is None or joint.lower != "and" or not second or not self._ends(second[1]):
            return 0
        strong = self._capitals(at) or self._after_quoted()
        self._end_phrase()
        self._operator("_BETWEEN", at, at, strong)
        self._time(at + 1, *first)
        self._emit("_AND", first[1])
        return self._time(first[1] + 1, *second)

    def _length(self, at: int, bare: bool = False) -> tuple[float, int] | None:
        """Seconds that pieces from ``at`` say, and the piece after them."""
        piece = self._piece(at)
        if piece is None or piece.quoted:
            return None
        beyond = self._piece(at + 1)
        if piece.lower.replace(".", "", 1).isdigit() and beyond is not None:
            seconds = seconds_of(f"{piece.lower} {beyond.lower}")  # "2 min"
            if seconds is not None:
                return seconds, at + 2
        seconds = seconds_of(piece.lower, bare)
        return None if seconds is None else (seconds, at + 1)

    def _time(self, first: int, seconds: float, end: int) -> int:
        last = self._pieces[end - 1]
        self._tokens.append(Token("TIME", repr(seconds), self._pieces[first].start, last.end))
        return end

    # What stands around a word

    def _piece(self, at: int) -> _Piece | None:
        return self._pieces[at] if at < len(self._pieces) else None

    def _capitals(self, at: int) -> bool:
        text = self._pieces[at].text.rstrip(",")
        return text.isupper() and not self._shouted and not self._pieces[at].quoted

    def _fresh(self) -> bool:
        """Whether a part begins here."""
        if self._words:
            return False
        return not self._tokens or self._tokens[-1].kind not in {"PHRASE", "_CLOSE", "TIME"}

    def _after_part(self) -> bool:
        """Whether what was read last is a whole part."""
        if self._words:
            return False
        return bool(self._tokens) and self._tokens[-1].kind in {"PHRASE", "_CLOSE", "TIME"}

    def _after_quoted(self) -> bool:
        """Whether the part that ends here is in quotes or parentheses, or has its times."""
        if len(self._words) == 1 and self._words[0].quoted:
            return True
        return self._after_part()

    def _ends(self, at: int) -> bool:
        """Whether a part may end before this piece."""
        piece = self._piece(at)
        return piece is None or piece.text == ")" or piece.lower in _ANYWHERE

    def _begins_part(self, at: int) -> bool:
        """Whether a part in quotes or parentheses begins here, perhaps after `not`, `first` ..."""
        piece = self._piece(at)
        while piece is not None and (piece.lower in ("not", "every") or _number(piece.lower)):
            at += 1
            piece = self._piece(at)
        if piece is None:
            return False
        return (piece.quoted and self._ends(at + 1)) or self._opens_group(at)

    def _opens_group(self, at: int) -> bool:
        """Whether a parenthesis here holds a whole part: not "a room (animated)"."""
        piece = self._piece(at)
        if piece is None or piece.quoted or piece.text != "(":
            return False
        closing = self._closing.get(at)
        return closing is None or self._ends(closing + 1)

    def _matched_parentheses(self) -> dict[int, int]:
        opened: list[int] = []
        matched: dict[int, int] = {}
        for at, piece in enumerate(self._pieces):
            if piece.text == "(":
                opened.append(at)
            elif piece.text == ")" and opened:
                matched[opened.pop()] = at
        return matched

    # Writing tokens

    def _emit(self, kind: str, at: int) -> None:
        piece = self._pieces[at]
        self._tokens.append(Token(kind, piece.text, piece.start, piece.end))

    def _operator(
        self, kind: str, first: int, last: int, strong: bool, value: str | None = None
    ) -> int:
        start, end = self._pieces[first].start, self._pieces[last].end
        self._tokens.append(Token(kind, value or self._text[start:end], start, end))
        self._explicit |= strong
        self._operators += 1
        return last + 1

    def _end_phrase(self) -> None:
        if not self._words:
            return
        start, end = self._words[0].start, self._words[-1].end
        text = self._text[start:end].rstrip(",")
        if len(self._words) == 1 and self._words[0].quoted:
            text = text[1:-1]
        self._tokens.append(Token("PHRASE", " ".join(text.split()), start, end))
        self._words = []


def _number(word: str) -> int:
    """1 for first, 2 for 2nd ..., -1 for last; 0 for any other word."""
    if word == "last":
        return -1
    if word in _ORDINALS:
        return _ORDINALS.index(word) + 1
    match = _ORDINAL.fullmatch(word)
    return int(match[1]) if match else 0
