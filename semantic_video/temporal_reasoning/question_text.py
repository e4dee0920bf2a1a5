"""The parts of a question around its clause: choices, a part of the film, courtesies."""

from __future__ import annotations

import re

from semantic_video.errors import QueryError
from semantic_video.temporal_reasoning.questions import Part

_LETTERS = "ABCDEFGHIJ"
_OPTION = re.compile(r"(?:^|(?<=[\s:;,?.]))(?:[(\[]?([A-Ja-j])[)\]]|([A-J])[.:])\s+")
_BRACKETED = re.compile(r"(?:^|(?<=[\s:;,?.]))[(\[]([A-Ja-j])[)\]]\s+")
ENDS = " \t\n?!.,;:"

_CLOCK = r"(?:\d{1,2}:)?\d{1,3}:\d{2}|\d+(?:\.\d+)?\s*(?:s|sec|secs|seconds?|m|min|mins|minutes?)\b"
_BETWEEN = re.compile(
    rf"\b(?:from|between)\s+({_CLOCK}|the\s+(?:start|beginning))\s+(?:to|and|until|till)\s+"
    rf"({_CLOCK}|the\s+end)",
    re.IGNORECASE,
)
_SINCE = re.compile(rf"\b(after|before|until|from)\s+({_CLOCK})", re.IGNORECASE)
_AT = re.compile(rf"\bat\s+(?:time\s+)?({_CLOCK})", re.IGNORECASE)
# "at the start", "near the end of the video", "in the middle"
FILM = r"(?:video|film|movie|clip|footage|recording|show|episode)"
_OF_FILM = rf"(?:\s+(?:of|in)\s+(?:the|this)\s+{FILM})?"
_PARTS = (
    (
        rf"(?:at|near|in|towards?|around)\s+the\s+(?:very\s+)?(?:start|beginning|opening){_OF_FILM}",
        0,
        1 / 3,
    ),
    (rf"(?:at|near|in|around)\s+the\s+(?:middle|mid){_OF_FILM}", 1 / 3, 2 / 3),
    (rf"(?:at|near|in|towards?|around|by)\s+the\s+(?:very\s+)?end{_OF_FILM}", 2 / 3, 1),
    (r"in\s+the\s+first\s+half", 0, 1 / 2),
    (r"in\s+the\s+second\s+half", 1 / 2, 1),
)
_CLAUSE_ENDS = r"(?=\s*$|\s*[,?.:]|\s+(?:after|before|when|while|as|during)\b)"
_IN_FILM = re.compile(
    rf"\s+(?:anywhere\s+|throughout\s+|shown\s+)?(?:in|of|during|throughout|from)\s+(?:the|this|that)"
    rf"\s+(?:whole\s+|entire\s+)?{FILM}$",
    re.IGNORECASE,
)


def split_options(text: str) -> tuple[str, tuple[str, ...]]:
    """A question and its choices "(A) ... (B) ...", or "A. ... B. ...": in order, at least two.

    Raises:
        QueryError: letters in brackets are not A, B and so on.
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


def seconds(clock: str) -> float:
    """Seconds of "1:02:03", "2:30", "90s" or "2 min"."""
    clock = clock.strip().lower()
    if ":" in clock:
        total = 0.0
        for part in clock.split(":"):
            total = 60 * total + float(part)
        return total
    number = float(re.match(r"\d+(?:\.\d+)?", clock)[0])  # type: ignore[index]
    return number * 60 if re.search(r"\d\s*m", clock) else number


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


def taken_part(clause: str) -> tuple[str, Part | None]:
    """The clause without the part of the film that it names, and that part."""
    between = _BETWEEN.search(clause)
    if between:
        start, end = (
            0.0
            if "start" in edge or "beginning" in edge
            else seconds(edge)
            if "end" not in edge
            else -1.0
            for edge in (between[1].lower(), between[2].lower())
        )
        part = Part(start, end if end >= 0 else float("inf"), in_seconds=True)
        return _without(clause, between), part
    at = _AT.search(clause)
    if at:
        time_s = seconds(at[1])
        return _without(clause, at), Part(time_s, time_s, in_seconds=True)
    since = _SINCE.search(clause)
    if since:
        time_s = seconds(since[2])
        later = since[1].lower() in ("after", "from")
        part = Part(time_s, float("inf"), True) if later else Part(0.0, time_s, True)
        return _without(clause, since), part
    for pattern, start, end in _PARTS:
        # "the man in the middle was speaking" is a place: a part ends its clause.
        found = re.search(rf"\b{pattern}\b{_CLAUSE_ENDS}", clause, re.IGNORECASE)
        if found:
            return _without(clause, found), Part(start, end)
    return _IN_FILM.sub("", clause), None


def _without(clause: str, found: re.Match[str]) -> str:
    left = f"{clause[: found.start()].rstrip()} {clause[found.end() :].lstrip()}".strip(ENDS)
    return _IN_FILM.sub("", left)
