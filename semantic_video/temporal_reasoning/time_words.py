"""Times in a question: "at the end", "in the first two minutes", "between 1:00 and 2:30"."""

from __future__ import annotations

import re

from semantic_video.temporal_reasoning.question_text import ENDS
from semantic_video.temporal_reasoning.questions import Part

FILM = r"(?:video|film|movie|clip|footage|recording|show|episode)"
NUMBERS = (
    "zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten", "eleven",
    "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen", "nineteen",
    "twenty",
)  # fmt: skip
_TENS = {"twenty": 20, "thirty": 30, "forty": 40, "fifty": 50, "sixty": 60, "ninety": 90}
_UNIT = r"(?:s|secs?|seconds?|m|mins?|minutes?|h|hrs?|hours?)\b"
_AMOUNT = rf"\d+(?:\.\d+)?\s*-?\s*{_UNIT}"
CLOCK = rf"(?:(?:\d{{1,2}}:)?\d{{1,3}}:\d{{2}}\b|{_AMOUNT}(?:\s*(?:and\s+)?{_AMOUNT})?)"
_WORDED = re.compile(
    rf"\b({'|'.join((*NUMBERS, *_TENS))})"
    r"(?=[\s-]+(?:seconds?|minutes?|hours?|and\s+\w+\s+minutes?)\b)",
    re.IGNORECASE,
)
_THE_FILM = rf"(?:\s+(?:of|in)\s+(?:the|this)\s+{FILM})?"
_BETWEEN = re.compile(
    rf"\b(?:from|between)\s+({CLOCK}|\d+|the\s+(?:start|beginning))\s+(?:to|and|until|till)\s+"
    rf"({CLOCK}|the\s+end){_THE_FILM}",
    re.IGNORECASE,
)
_EDGE = re.compile(
    rf"\b(in|during|within|over|throughout|for|of|after|before)\s+the\s+(?:very\s+)?(first|last|opening|final)\s+"
    rf"({CLOCK}|second|minute|hour){_THE_FILM}",
    re.IGNORECASE,
)
_FROM_EDGE = re.compile(
    rf"\b(?:at\s+)?({CLOCK})\s+(after|before|from|into)\s+(?:the\s+(start|beginning|end)"
    rf"{_THE_FILM}|(?:the|this)\s+{FILM})",
    re.IGNORECASE,
)
_SCENES_AT_EDGE = re.compile(
    rf"\b(?:(?:right|just|directly|immediately|shortly)\s+(?:before\s+the\s+(end)|"
    rf"after\s+the\s+(?:start|beginning))|in\s+the\s+(?:very\s+)?(?:(last)|first)\s+scenes?|"
    r"at\s+the\s+very\s+(?:(end)|start|beginning))"
    rf"{_THE_FILM}",
    re.IGNORECASE,
)
_SINCE = re.compile(
    rf"\b(?:(?:right|just|shortly)\s+)?(after|before|until|from)\s+({CLOCK})"
    r"(?!\s*(?:after|before)\b)",
    re.IGNORECASE,
)
_AT = re.compile(
    rf"\bat\s+(?:the\s+)?(?:time\s+)?({CLOCK})(?:[\s-]+mark)?(?!\s*(?:after|before)\b)",
    re.IGNORECASE,
)
# "at the start", "near the end of the video", "in the middle"
_PARTS = (
    (
        rf"(?:at|near|in|towards?|around)\s+the\s+(?:very\s+)?(?:start|beginning|opening){_THE_FILM}",
        0,
        1 / 3,
    ),
    (rf"(?:at|near|in|around)\s+the\s+(?:middle|mid){_THE_FILM}", 1 / 3, 2 / 3),
    (rf"(?:at|near|in|towards?|around|by)\s+the\s+(?:very\s+)?end{_THE_FILM}", 2 / 3, 1),
    (rf"(?:in|during)\s+the\s+first\s+half{_THE_FILM}", 0, 1 / 2),
    (rf"(?:in|during)\s+the\s+(?:second|last)\s+half{_THE_FILM}", 1 / 2, 1),
    (rf"(?:in|during)\s+the\s+first\s+quarter{_THE_FILM}", 0, 1 / 4),
    (rf"(?:in|during)\s+the\s+second\s+quarter{_THE_FILM}", 1 / 4, 1 / 2),
    (rf"(?:in|during)\s+the\s+third\s+quarter{_THE_FILM}", 1 / 2, 3 / 4),
    (rf"(?:in|during)\s+the\s+(?:last|fourth)\s+quarter{_THE_FILM}", 3 / 4, 1),
    (rf"(?:in|during)\s+the\s+first\s+third{_THE_FILM}", 0, 1 / 3),
    (rf"(?:in|during)\s+the\s+(?:second|middle)\s+third{_THE_FILM}", 1 / 3, 2 / 3),
    (rf"(?:in|during)\s+the\s+last\s+third{_THE_FILM}", 2 / 3, 1),
)
_CLAUSE_ENDS = r"(?=\s*$|\s*[,?.:]|\s+(?:after|before|when|while|as|during)\b)"
_IN_FILM = re.compile(
    rf"\s+(?:anywhere\s+|throughout\s+|shown\s+)?(?:in|of|during|throughout|from)\s+(?:the|this|that)"
    rf"\s+(?:whole\s+|entire\s+)?{FILM}$",
    re.IGNORECASE,
)
_DELAY = re.compile(rf"\b(?:about\s+|some\s+)?({CLOCK})\s+(?=(?:after|before)\s)", re.IGNORECASE)
# "what does she do just before the end": two events, of which the film's end is one.
_ACTS = re.compile(r"(?:what|how|who|where)\s+(?:do|does|did)\s+(?!we\b|you\b)", re.IGNORECASE)
EDGE_SCENES = 3
"""So many scenes are right before the end, or right after the beginning."""


def seconds(clock: str) -> float:
    """Seconds of "1:02:03", "2:30", "90s", "2 min" or "1 minute and 20 seconds"."""
    clock = clock.strip().lower()
    if ":" in clock:
        total = 0.0
        for part in clock.split(":"):
            total = 60 * total + float(part)
        return total
    total = 0.0
    for number, unit in re.findall(r"(\d+(?:\.\d+)?)\s*-?\s*([a-z]?)", clock):
        total += float(number) * {"m": 60, "h": 3600}.get(unit, 1)
    return total


def with_digits(clause: str) -> str:
    """The clause with "two minutes", "a minute" and "minute 3" as "2 minutes" and so on."""

    def digits(found: re.Match[str]) -> str:
        word = found[1].lower()
        return str(NUMBERS.index(word) if word in NUMBERS else _TENS[word])

    clause = _WORDED.sub(digits, clause)
    clause = re.sub(
        r"^(summari[sz]e|describe)\s+(?=the\s+(?:first|last)\s)", r"\1 in ", clause,
        flags=re.IGNORECASE,
    )  # fmt: skip
    clause = re.sub(
        rf"^(summari[sz]e|describe|what\s+happens)\s+(?={CLOCK}\s+(?:to|until|till)\s)",
        r"\1 from ", clause, flags=re.IGNORECASE,
    )  # fmt: skip
    clause = re.sub(r"\bhalf\s+a\s+minute\b", "30 seconds", clause, flags=re.IGNORECASE)
    clause = re.sub(
        r"\b(after|before|within|first|last)\s+an?\s+(second|minute|hour)\b",
        r"\1 1 \2", clause, flags=re.IGNORECASE,
    )  # fmt: skip
    clause = re.sub(r"\ban?\s+(second|minute|hour)\s+(?=after|before|into)", r"1 \1 ", clause,
                    flags=re.IGNORECASE)  # fmt: skip
    clause = re.sub(r"\bminutes?\s+(\d+)\s+(to|and)\s+(?:minute\s+)?(\d+)\b(?!:)",
                    r"\1 minutes \2 \3 minutes", clause, flags=re.IGNORECASE)  # fmt: skip
    return re.sub(r"\bminute\s+(\d+)\b(?!:)", r"\1 minutes", clause, flags=re.IGNORECASE)


def taken_part(clause: str) -> tuple[str, Part | None]:
    """The clause without the part of the film that it names, and that part."""
    worded = with_digits(clause)
    for pattern, part_of in (
        (_BETWEEN, _between),
        (_EDGE, _at_edge),
        (_FROM_EDGE, _from_edge),
        (_SCENES_AT_EDGE, _edge_scenes),
        (_AT, _point),
        (_SINCE, _since),
    ):
        found = pattern.search(worded)
        if found and not (pattern is _SCENES_AT_EDGE and _ACTS.match(clause)):
            return _without(worded, found), part_of(found)
    for words, start, end in _PARTS:
        # "the man in the middle was speaking" is a place: a part ends its clause.
        found = re.search(rf"\b{words}\b{_CLAUSE_ENDS}", clause, re.IGNORECASE)
        if found:
            return _without(clause, found), Part(start, end)
    return _IN_FILM.sub("", clause), None


def taken_delay(clause: str) -> tuple[str, float]:
    """The clause without the "10 seconds" of "10 seconds after the goal", and these seconds."""
    worded = with_digits(clause)
    found = _DELAY.search(worded)
    if not found or re.search(r"\b(?:for|within|in)\s+$", worded[: found.start()], re.IGNORECASE):
        return clause, 0.0
    return f"{worded[: found.start()]}{worded[found.end() :]}", seconds(found[1])


def part_named(text: str) -> Part | None:
    """The part of the film that a choice names: "at the end", "1:20", "after 2 minutes"."""
    text = with_digits(text.strip(ENDS))
    if re.fullmatch(CLOCK, text, re.IGNORECASE):
        return Part(seconds(text), seconds(text), in_seconds=True)
    found = re.fullmatch(rf"({CLOCK})\s*(?:-|–|to)\s*({CLOCK})", text, re.IGNORECASE)
    if found:
        return Part(seconds(found[1]), seconds(found[2]), in_seconds=True)
    for own in (text, f"at {text}", f"in {text}", f"at the {text}", f"in the {text}"):
        rest, part = taken_part(own)
        if part is not None and not rest:
            return part
    return None


def length_named(text: str) -> float | None:
    """The length of time that a choice names, in seconds: "20 seconds", "1 min", "12"."""
    found = re.search(rf"{CLOCK}|\d+(?:\.\d+)?", with_digits(text), re.IGNORECASE)
    return seconds(found[0]) if found else None


def _between(found: re.Match[str]) -> Part:
    low, high = found[1].lower(), found[2].lower()
    if low.isdigit():  # "between 2 and 3 minutes"
        unit = re.search(r"[a-z]+\s*$", high)
        low = f"{low} {unit[0] if unit and 'end' not in high else 's'}"
    start = 0.0 if low.startswith("the") else seconds(low)
    return Part(start, float("inf") if high.startswith("the") else seconds(high), in_seconds=True)


def _at_edge(found: re.Match[str]) -> Part:
    amount = found[3] if found[3][0].isdigit() else f"1 {found[3]}"
    edge_s = seconds(amount)
    if found[2].lower() in ("last", "final"):
        if found[1].lower() == "before":
            return Part(0.0, -edge_s, in_seconds=True)
        return Part(-edge_s, float("inf"), in_seconds=True)
    if found[1].lower() == "after":
        return Part(edge_s, float("inf"), in_seconds=True)
    return Part(0.0, edge_s, in_seconds=True)


def _from_edge(found: re.Match[str]) -> Part:
    own = seconds(found[1])
    time_s = -own if (found[3] or "").lower() == "end" else own
    return Part(time_s, time_s, in_seconds=True)


def _edge_scenes(found: re.Match[str]) -> Part:
    late = found[1] or found[2] or found[3]
    count = 1 if re.search(r"scene\b", found[0], re.IGNORECASE) else EDGE_SCENES
    return Part(0.0, 0.0, scenes=-count if late else count)


def _point(found: re.Match[str]) -> Part:
    time_s = seconds(found[1])
    return Part(time_s, time_s, in_seconds=True)


def _since(found: re.Match[str]) -> Part:
    time_s = seconds(found[2])
    later = found[1].lower() in ("after", "from")
    return Part(time_s, float("inf"), True) if later else Part(0.0, time_s, True)


def _without(clause: str, found: re.Match[str]) -> str:
    left = f"{clause[: found.start()].rstrip()} {clause[found.end() :].lstrip()}".strip(ENDS)
    return _IN_FILM.sub("", left)
