"""The parts of a question around its clause: choices and courtesies."""

from __future__ import annotations

import re

from semantic_video.errors import QueryError

_LETTERS = "ABCDEFGHIJ"
_OPTION = re.compile(
    r"(?:^|(?<=[\s:;,?.]))(?:[(\[]?([A-Ja-j])[)\]]|([A-J])[.:])(?:\s+|(?=[?.!]*$))"
)
_BRACKETED = re.compile(r"(?:^|(?<=[\s:;,?.]))[(\[]([A-Ja-j])[)\]]\s+")
ENDS = " \t\n?!.,;:"


def split_options(text: str) -> tuple[str, tuple[str, ...]]:
    """A question and its choices "(A) ... (B) ...", or "A. ... B. ...": in order, at least two.

    Raises:
        QueryError: letters in brackets are not A, B and so on, or one has no words.
    """
    marks = list(_OPTION.finditer(text))
    for first, mark in enumerate(marks):
        if _marked(mark) != "A" or (mark[2] and _is_initial(text, mark)):
            continue
        run = [mark]
        for other in marks[first + 1 :]:
            if len(run) < len(_LETTERS) and _marked(other) == _LETTERS[len(run)]:
                run.append(other)
        if len(run) < 2:
            continue
        ends = [*(other.start() for other in run[1:]), len(text)]
        choices = [
            re.sub(
                r"[\s,;]+(?:or|and)$", "", text[own.end() : end].strip(), flags=re.IGNORECASE
            ).strip(ENDS)
            for own, end in zip(run, ends, strict=True)
        ]
        if all(choices):
            return text[: run[0].start()].strip(), tuple(choices)
        if all("(" in own[0] or "[" in own[0] for own in run):
            empty = letter(choices.index(""))
            raise QueryError(f"choice {empty} is empty: give each letter its words")
    alone = re.search(r"[?:]\s*[(\[][Aa][)\]]\s*([^()\[\]]*)$", text)
    if alone:
        raise QueryError("one choice is no choice: give at least (A) and (B), each with its words")
    letters = [found[1].upper() for found in _BRACKETED.finditer(text)]
    if "A" in letters and 1 < len(set(letters)) == len(letters):
        raise QueryError(
            f"the choices are lettered {', '.join(f'({each})' for each in letters)}: letter them "
            "(A), (B) and so on, each with its words, or give each as --option TEXT"
        )
    return text, ()


def _is_initial(text: str, mark: re.Match[str]) -> bool:
    """Whether "A." stands inside a sentence, as in "Does A. Smith meet B. Jones?"."""
    before = text[: mark.start()].rstrip(" ")
    return bool(before) and before[-1] not in "?:;.,\n"


def _marked(option: re.Match[str]) -> str:
    return (option[1] or option[2]).upper()


def letter(choice: int) -> str:
    """What a choice is called: 0 is (A)."""
    return f"({_LETTERS[choice]})" if choice < len(_LETTERS) else f"({choice + 1})"


def plain(text: str) -> str:
    """The question without courtesies, quotation marks and the punctuation at its ends."""
    text = " ".join(re.sub(r'["“”„«»]', " ", text).split()).strip(ENDS)
    text = re.sub(r"^(?:please|so|ok|okay|hey|hi|and|then)\b[\s,]*", "", text, flags=re.IGNORECASE)
    return re.sub(
        r"^(?:can|could|would)\s+you\s+(?:please\s+)?(?=tell|say|list|count|summari|describe|compare)"
        r"|^(?:tell\s+me|do\s+you\s+know|i\s+want\s+to\s+know)\s+(?=wh|how|if)",
        "",
        text,
        flags=re.IGNORECASE,
    )
