"""A small language over the intervals of a film: `"a dog" then "a cat" within 60s`.

- `tokens`: which words are operators; a text without one is a plain phrase
- `grammar.lark`, `parser`: from the text to a tree
- `tree`: the nodes
- `evaluator`, `intervals`: what a tree means, over moments with probabilities

The meaning of every operator stands on one page, ``docs/query-language.md``.
"""

from semantic_video.query_language.evaluator import Answer, Candidates, evaluate
from semantic_video.query_language.parser import parse
from semantic_video.query_language.tokens import QuerySyntaxError
from semantic_video.query_language.tree import (
    After,
    And,
    Before,
    Count,
    During,
    Every,
    HowLong,
    Not,
    Nth,
    Or,
    Query,
    Term,
    Then,
    Window,
    Without,
)

__all__ = [
    "After",
    "And",
    "Answer",
    "Before",
    "Candidates",
    "Count",
    "During",
    "Every",
    "HowLong",
    "Not",
    "Nth",
    "Or",
    "Query",
    "QuerySyntaxError",
    "Term",
    "Then",
    "Window",
    "Without",
    "evaluate",
    "parse",
]
