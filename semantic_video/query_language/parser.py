"""From the text of a query to its tree.

lark reads the grammar; it is imported only for a query that has an operator, so that a plain
phrase costs nothing more than before.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import cache
from importlib import resources
from typing import TYPE_CHECKING, Any

from semantic_video.query_language import tree
from semantic_video.query_language.tokens import QuerySyntaxError, Token, tokenize

if TYPE_CHECKING:
    from lark import Lark


def parse(text: str, plain: bool = False) -> tree.Query:
    """The tree of a query; a `Term` with the text as it is for a plain phrase, or where ``plain``.

    Raises:
        QuerySyntaxError: it has operators, and cannot be read.
    """
    tokens = None if plain else tokenize(text)
    if tokens is None:
        return tree.Term(text)
    try:
        return _read(text, tokens.tokens)
    except QuerySyntaxError:
        if tokens.explicit:
            raise
        return tree.Term(text)  # the words only happened to look like operators


def _read(text: str, tokens: tuple[Token, ...]) -> tree.Query:
    from lark import UnexpectedInput

    for token in tokens:
        if token.kind == "PHRASE" and not token.value.strip():
            raise QuerySyntaxError("nothing is in these quotes", text, token.start)
    try:
        parsed = _grammar().parse(tokens)
    except UnexpectedInput as error:
        raise _syntax_error(text, tokens, error) from None
    return _built(parsed, text)


def _syntax_error(text: str, tokens: tuple[Token, ...], error: Any) -> QuerySyntaxError:
    place = error.token.start_pos
    expected = set(error.accepts or error.expected)
    if error.token.type in ("_COUNT", "_HOW_LONG"):
        return QuerySyntaxError(f"`{error.token.value}` stands only at the front", text, place)
    if error.token.type == "$END":
        place = len(text.rstrip())
        opened = [token.start for token in tokens if token.kind == "_OPEN"]
        if "PHRASE" not in expected and "_CLOSE" in expected and opened:
            return QuerySyntaxError("this parenthesis is never closed", text, opened[0])
        last = f" after `{tokens[-1].value}`"
    else:
        last = f" before `{error.token.value}`" if "PHRASE" in expected else ""
    if "PHRASE" in expected:
        return QuerySyntaxError(
            f"a phrase is missing{last}; one that holds such a word goes in quotes", text, place
        )
    if expected and expected <= {"TIME"}:
        return QuerySyntaxError(f"a time such as 10:00 is missing{last}", text, place)
    if error.token.type == "PHRASE":
        return QuerySyntaxError("write an operator such as `then` between two phrases", text, place)
    if error.token.type == "_CLOSE":
        return QuerySyntaxError("this parenthesis was never opened", text, place)
    return QuerySyntaxError(
        f"`{error.token.value}` cannot stand here; parentheses say what belongs together",
        text,
        place,
    )


@cache
def _grammar() -> Lark:
    from lark import Lark
    from lark import Token as Terminal
    from lark.lexer import Lexer

    class Ready(Lexer):
        """Hands on the tokens that were read already."""

        def __init__(self, lexer_conf: Any) -> None:
            pass

        def lex(self, tokens: Any) -> Iterator[Terminal]:  # type: ignore[override]
            for token in tokens:
                yield Terminal(token.kind, token.value, start_pos=token.start, end_pos=token.end)

    text = resources.files(__package__).joinpath("grammar.lark").read_text(encoding="utf-8")
    return Lark(text, parser="lalr", lexer=Ready)


_DEEPEST = 100
"""Parts inside each other: evaluating takes several calls of Python for each."""

_PAIRS = {"and_": tree.And, "or_": tree.Or, "during": tree.During, "without": tree.Without}
_ORDERED = {"then": tree.Then, "before": tree.Before, "after": tree.After}
_SINGLE = {"not_": tree.Not, "every": tree.Every, "count": tree.Count, "how_long": tree.HowLong}


def _built(node: Any, text: str, depth: int = 0) -> tree.Query:
    if depth > _DEEPEST:
        raise QuerySyntaxError("so many parts inside each other are too much to read", text, 0)
    depth += 1
    kind = str(node.data)
    if kind == "term":
        return tree.Term(str(node.children[0]))
    if kind == "nth":
        return tree.Nth(_built(node.children[1], text, depth), int(node.children[0]))
    if kind in _ORDERED:
        left, right, *within = node.children
        within_s = float(within[0].children[0]) if within else math.inf
        return _ORDERED[kind](_built(left, text, depth), _built(right, text, depth), within_s)
    if kind in ("before_time", "after_time", "between"):
        start_s, end_s = _window(kind, node.children[1:], text)
        return tree.Window(_built(node.children[0], text, depth), start_s, end_s)
    parts = [_built(child, text, depth) for child in node.children]
    if kind == "start":
        return parts[0]
    if kind in _PAIRS:
        return _PAIRS[kind](*parts)
    return _SINGLE[kind](*parts)


def _window(kind: str, times: Any, text: str) -> tuple[float, float]:
    if kind == "after_time":
        return float(times[0]), math.inf
    if kind == "before_time":
        return 0.0, float(times[0])
    start_s, end_s = map(float, times)
    if end_s <= start_s:
        raise QuerySyntaxError("the second time must be later", text, times[1].start_pos)
    return start_s, end_s
