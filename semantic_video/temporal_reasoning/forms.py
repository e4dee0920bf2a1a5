"""Which form a question has, by patterns over its words; the first that fits wins."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from semantic_video.temporal_reasoning.question_text import (
    ENDS,
    FILM,
    plain,
    split_options,
    taken_part,
)
from semantic_video.temporal_reasoning.questions import Question, Relation

_SEEN = (
    r"(?:appear|appears|appeared|show\s+up|shows\s+up|showed\s+up|happen|happens|happened|occur|"
    r"occurs|occurred|come\s+up|comes\s+up|take\s+place|takes\s+place|(?:is|are|was|were|be)?\s*"
    r"(?:shown|seen|visible|present|on\s+(?:the\s+)?screen|in\s+(?:the\s+)?(?:picture|view|frame)))"
)
_BE = r"(?:is|are|was|were)"
_DO = r"(?:do|does|did)"
_HAVE = r"(?:has|have|had)"
_HOW_SURE = r"(?:ever\s+|actually\s+|really\s+)?"
# "right after this scene: X", "directly after the moment when X"
_SCENE = (
    r"(?:(?:this|the|that)\s+(?:scene|shot|moment|part|clip|event)s?\s*"
    r"(?::|where|when|in\s+which|with|of|showing|that\s+shows)\s*)?"
)
_SOON = r"(?:(right|directly|immediately|just|straight)\s+)?"
_HAPPENS = (
    r"(?:happens|happened|is\s+happening|comes|came|is\s+shown|is\s+seen|was\s+shown|follows|"
    r"appears|appeared|do\s+we\s+see|can\s+(?:be\s+seen|we\s+see)|goes\s+on|is\s+there|occurs)"
)
_NOT_A_TIME = r"(?!a\s+(?:while|long|short|moment|bit)\b)"
_CONNECTIVE = re.compile(
    rf"\b(?:(right|directly|immediately|just|straight|soon|shortly)\s+)?"
    rf"(after|before|when|while|whilst|as|during|once|until|upon)\s+{_NOT_A_TIME}(?=\w)",
    re.IGNORECASE,
)
_RELATIONS: dict[str, Relation] = {
    "after": "after", "once": "after", "upon": "after", "before": "before", "until": "before",
    "when": "during", "while": "during", "whilst": "during", "as": "during", "during": "during",
}  # fmt: skip
# "as" inside a phrase: "as well", "such as", "same as", "dressed as a clown".
_AS_COMPARISON = re.compile(
    r"(?:such|same|well|dressed|acting|known|used|serve[sd]?|as\s+\w+)\s+$|^as\s+(?:well|much|many|"
    r"long|soon|far)\b",
    re.IGNORECASE,
)
_PLACE = re.compile(r"^(?:on|in|at|under|near|inside|behind|beside|with)\s", re.IGNORECASE)
_PRONOUN = re.compile(r"^(?:he|she|it|they|him|her|them|his|their|its)\b", re.IGNORECASE)
_GERUND = re.compile(r"^(?:\w+ly\s+)?\w{2,}ing\b", re.IGNORECASE)
_NOUN_ING = re.compile(r"^(?:thing|something|anything|nothing|everything|morning|evening|king|ring|"
                       r"wedding|building|swing|wing|string|spring|ceiling)s?\b", re.IGNORECASE)  # fmt: skip


def read_question(text: str, options: Sequence[str] = ()) -> Question:
    """The question in ``text``, with the choices in it, or with ``options`` for choices."""
    stem, inside = split_options(text)
    choices = tuple(options) or inside
    clause, part = taken_part(plain(stem if choices else text))
    question = _form(clause, choices)
    return replace(
        question, text=" ".join(text.split()), options=choices, part=part or question.part
    )


def _form(clause: str, options: tuple[str, ...]) -> Question:
    if re.match(r"(?:why|how\s+come|for\s+what\s+reason)\b", clause, re.IGNORECASE):
        return Question(clause, "unknown", subject=clause)  # reasons are not seen
    for read in (_order, _count, _duration, _compare, _said, _relation, _main, _together,
                 _summary, _story, _when, _whether, _where, _what):  # fmt: skip
        question = read(clause, options)
        if question is not None:
            return question
    return Question(clause, "unknown", subject=clause)


def _match(pattern: str, clause: str) -> re.Match[str] | None:
    return re.match(rf"{pattern}$", clause, re.IGNORECASE)


def _pair(text: str) -> tuple[str, ...]:
    """The two things in "A or B", "A and B", "A, or B"."""
    for joint in (r"\s*,?\s+or\s+", r"\s+(?:and|with|to|versus|vs\.?|than)\s+"):
        parts = [part.strip(ENDS) for part in re.split(joint, text, flags=re.IGNORECASE)]
        if len(parts) >= 2 and all(parts):
            return (*(part for piece in parts[:-1] for part in piece.split(", ")), parts[-1])
    return ()


def _order(clause: str, options: tuple[str, ...]) -> Question | None:
    asked = (
        rf"(?:which|what|who)(?:\s+one|\s+of\s+(?:these|them|the\s+following)|\s+(?:scene|event|thing))?"
        rf"s?\s+(?:{_SEEN}|comes|came|{_BE})\s+(?:the\s+)?(first|last|earlier|earliest|later|latest|sooner)"
    )
    found = _match(rf"{asked}[\s:,]*(.*)", clause)
    if found:
        choices = options or _pair(found[2])
        if len(choices) >= 2:
            last = found[1].lower() in ("last", "later", "latest")
            return Question(clause, "order", subject=choices[0], reference=choices[1], last=last)
        return None
    found = _match(
        rf"(?:{_DO}|{_BE})\s+(.+?)\s+(?:{_SEEN}|come|comes)\s+(before|after|earlier\s+than|later\s+than)\s+(.+)",
        clause,
    )
    if found:
        earlier = found[2].lower().startswith(("before", "earlier"))
        return Question(
            clause, "order", found[1], relation="before" if earlier else "after", reference=found[3]
        )
    return None


def _count(clause: str, options: tuple[str, ...]) -> Question | None:
    subject = rf"(?:{_DO}\s+|{_BE}\s+|{_HAVE}\s+)?(.+?)"
    for pattern in (
        rf"(?:how\s+many\s+times|how\s+often|how\s+frequently)\s+{subject}(?:\s+{_SEEN})?",
        rf"count\s+(?:how\s+(?:often|many\s+times)\s+)?(?:the\s+)?{subject}(?:\s+{_SEEN})?",
        r"how\s+many\s+(?:scenes|shots|clips|moments|parts|occurrences)\s+"
        r"(?:of|show|have|with|contain|are\s+there\s+(?:of|with))\s+(.+)",
        rf"(?:what\s+is\s+the\s+)?number\s+of\s+(?:times|scenes|shots)\s+(?:of|with|that|when)?\s*(.+?)"
        rf"(?:\s+{_SEEN})?",
    ):
        found = _match(pattern, clause)
        if found:
            return Question(
                clause,
                "count",
                re.sub(rf"^(?:(?:{_DO}|{_BE}|there|we|you|i|see|hear)\s+)+", "", found[1]),
            )
    return None


def _duration(clause: str, options: tuple[str, ...]) -> Question | None:
    found = _match(
        rf"(?:for\s+)?(?:how\s+long|how\s+much\s+(?:time|of\s+the\s+{FILM})|how\s+many\s+(?:seconds|minutes))"
        rf"\s+(?:{_DO}|{_BE}|can|{_HAVE})\s+(.+?)(?:\s+{_SEEN}|\s+last)?",
        clause,
    )
    return Question(clause, "duration", found[1]) if found else None


def _compare(clause: str, options: tuple[str, ...]) -> Question | None:
    found = _match(
        rf"(?:which|what|who)(?:\s+one)?\s+(?:{_SEEN}|{_BE}|comes)\s+(?:{_SEEN}\s+)?(?:the\s+)?"
        r"(more\s+often|most\s+often|most|more|longer|longest|for\s+longer|less\s+often|least)[\s:,]*(.*)",
        clause,
    )
    if found:
        choices = options or _pair(found[2])
        if len(choices) >= 2:
            return Question(
                clause, "compare", choices[0], reference=choices[1],
                longest="long" in found[1].lower(), last="le" in found[1].lower()[:2],
            )  # fmt: skip
        return None
    found = _match(r"compare\s+(.+)", clause) or _match(
        r"what\s+is\s+the\s+difference\s+between\s+(.+)", clause
    )
    if found and len(pair := _pair(found[1])) == 2:
        return Question(clause, "compare", pair[0], reference=pair[1])
    found = _match(rf"{_DO}\s+(.+?)\s+{_SEEN}\s+(more\s+often|longer)\s+than\s+(.+)", clause)
    if found:
        return Question(
            clause, "compare", found[1], reference=found[3], longest=found[2].lower() == "longer"
        )
    return None


def _said(clause: str, options: tuple[str, ...]) -> Question | None:
    found = _match(
        rf"what\s+(?:{_BE}\s+(?:being\s+)?(?:said|told|spoken|explained)|{_DO}\s+(?:they|he|she|people|"
        r"the\s+\w+)\s+(?:say|tell|talk|explain))(?:\s+(?:about|of|on)\s+(.+))?",
        clause,
    )
    if found:
        return Question(clause, "said", found[1] or "")
    found = _match(
        rf"what\s+(?:{_BE}\s+(?:written|the\s+text)|text\s+{_BE}\s+(?:shown|visible|there|on\s+(?:the\s+)?screen)|"
        rf"{_DO}\s+(?:the\s+)?(?:\w+\s+)?(?:slide|sign|screen|caption|title|text)s?\s+say)"
        r"(?:\s+(?:about|on|in)\s+(.+))?",
        clause,
    )
    if found:
        place = re.match(r"(?:the|this|a)\s+(?:\w+\s+)?(?:screen|picture|slides?|signs?|wall|board)$",
                         found[1] or "", re.IGNORECASE)  # fmt: skip
        return Question(clause, "said", "" if place else found[1] or "", written=True)
    found = _match(
        rf"(?:when|where)\s+(?:{_DO}|{_BE})\s+(?:they|he|she|someone|anyone|people)\s+"
        r"(?:say|mention|talk\s+about|saying|mentioning|talking\s+about)\s+(.+)",
        clause,
    ) or _match(
        r"(?:when|where)\s+(?:is|are|was|were)\s+(.+?)\s+(?:mentioned|said|talked\s+about)", clause
    )
    return Question(clause, "said", found[1]) if found else None


def _relation(clause: str, options: tuple[str, ...]) -> Question | None:
    found = _match(
        rf"(?:what|who|which\s+\w+)\s+(?:else\s+)?{_HAPPENS}\s*(next\s+)?{_SOON}(after|before|during|while|when)"
        rf"\s+{_SCENE}(.+)",
        clause,
    )
    if found:
        return Question(
            clause, "relation", relation=_RELATIONS[found[3].lower()],
            reference=_event(found[4]), immediate=bool(found[1] or found[2]),
        )  # fmt: skip
    found = _match(rf"what\s+(?:follows|comes\s+next\s+after|comes\s+after)\s+{_SCENE}(.+)", clause)
    if found:
        return Question(
            clause, "relation", relation="after", reference=_event(found[1]), immediate=True
        )
    return _two_events(clause)


def _two_events(clause: str) -> Question | None:
    """What does A do after B: both events, and their order."""
    leading = re.match(
        r"(after|before|when|while|as|during|once)\s+(.+?),\s*((?:what|who|where|how|which|why)\b.+)$",
        clause, re.IGNORECASE,
    )  # fmt: skip
    if leading:
        word, reference, main, soon = leading[1], leading[2], leading[3], None
    else:
        if not re.match(r"(?:what|who|where|how|which|why|did|does|do)\b", clause, re.IGNORECASE):
            return None
        for found in _CONNECTIVE.finditer(clause):
            word, main, reference = found[2], clause[: found.start()], clause[found.end() :]
            comparison = word.lower() == "as" and _AS_COMPARISON.search(main + " ")
            if found.start() and not comparison and len(main.split()) > 1:
                soon = found[1]
                break
        else:
            return None
    subject, action = _subject_and_action(main.strip(ENDS))
    return Question(
        clause,
        "relation",
        subject=subject,
        action=action,
        relation=_RELATIONS[word.lower()],
        reference=_event(reference, subject),
        immediate=soon is not None and soon.lower() not in ("soon", "shortly"),
    )


def _subject_and_action(main: str) -> tuple[str, str]:
    """Who the main clause is about, and what it says they do, as far as it says."""
    happens = re.match(
        r"what\s+(?:happens|happened|has\s+happened|becomes|became)\s+(?:to|with|of)\s+(.+)$",
        main, re.IGNORECASE,
    )  # fmt: skip
    if happens:
        return happens[1], ""
    found = re.match(
        rf"(?:what|who|where|how|why|which\s+\w+)(?:\s+(?:activity|event|sport|action|else))?\s+"
        rf"(?:{_DO}|{_BE}|{_HAVE}|can|will)\s+(.+)$",
        main, re.IGNORECASE,
    ) or re.match(rf"(?:{_DO}|{_BE})\s+(.+)$", main, re.IGNORECASE)  # fmt: skip
    if not found:
        return "", re.sub(r"^(?:what|who|which)\s+", "", main, flags=re.IGNORECASE)
    rest = re.sub(
        r"\s+(?:do|doing|done|react|feel|behave|respond)$", "", found[1], flags=re.IGNORECASE
    )
    acts = re.match(
        r"((?:the|a|an|two|three|both|his|her|their|some)\s+.+?)\s+"
        r"((?:pick|put|take|look|turn|move|run|walk|go|hold|point|throw|try|show|touch|place|use|"
        r"gesture|respond|react|get|give|play|start|want|come|jump|eat|drink|wear|sit|stand|lie|"
        r"climb|clap|dance|open|close|pull|push|reach|drop|feed|feel|do|doing|\w{3,}ing)\b.*)$",
        rest, re.IGNORECASE,
    )  # fmt: skip
    if acts:
        return acts[1], re.sub(r"^(?:do|doing)\b\s*", "", acts[2])
    return rest, ""


def _event(text: str, subject: str = "") -> str:
    """An event as a caption; one without a subject of its own gets that of the main clause."""
    text = text.strip(ENDS)
    text = re.sub(r"^(?:the\s+(?:scene|moment|part|time)\s+(?:when|where|with|of)\s+)", "", text)
    if subject and _PRONOUN.match(text):
        if re.match(r"^(?:his|her|their|its)\b", text, re.IGNORECASE):
            return re.sub(r"^\w+", f"{subject}'s", text, count=1)
        return _PRONOUN.sub(subject, text, count=1)
    if subject and (_PLACE.match(text) or (_GERUND.match(text) and not _NOUN_ING.match(text))):
        return f"{subject} {text}"
    return text


def _main(clause: str, options: tuple[str, ...]) -> Question | None:
    found = _match(
        rf"(?:who|what|which\s+\w+)\s+{_BE}\s+the\s+(?:main|central|leading|most\s+important)\s+"
        r"(?:character|person|subject|figure|thing|topic|hero|protagonist)s?",
        clause,
    ) or _match(
        rf"(?:who|what|which\s+\w+)\s+(?:{_BE}\s+)?(?:{_SEEN})\s+(?:the\s+)?(?:most|longest|most\s+often)",
        clause,
    )
    return Question(clause, "main") if found and not options else None


def _together(clause: str, options: tuple[str, ...]) -> Question | None:
    found = _match(
        rf"(?:who|what)(?:\s+else)?\s+{_SEEN}\s+(?:together\s+|along\s+)?with\s+(.+)", clause
    )
    if found:
        return Question(clause, "together", found[1])
    found = _match(rf"(?:{_DO}|{_BE})\s+(.+?)\s+(?:{_SEEN}|appear)\s+together", clause) or _match(
        rf"{_BE}\s+(.+?)\s+ever\s+together", clause
    )
    if found and len(pair := _pair(found[1])) == 2:
        return Question(clause, "together", pair[0], reference=pair[1])
    return None


def _summary(clause: str, options: tuple[str, ...]) -> Question | None:
    if options:
        return None
    found = _match(
        r"(?:give\s+(?:me\s+)?(?:a\s+)?summary(?:\s+of.*)?|summar(?:y|i[sz]e)\b.*|describe(?:\s+(?:the|this)\s+"
        rf"{FILM})?|what\s+(?:happens|happened|is\s+happening|goes\s+on|is\s+going\s+on|do\s+we\s+see|"
        rf"can\s+(?:be\s+seen|we\s+see)|is\s+shown|is\s+(?:the|this)\s+{FILM}\s+about|is\s+it\s+about|"
        r"is\s+there\s+to\s+see)(?:\s+here)?|what\s+events?\s+.*|what\s+activity\s+is\s+happening)",
        clause,
    )
    return Question(clause, "summary") if found else None


def _story(clause: str, options: tuple[str, ...]) -> Question | None:
    for pattern in (
        r"what\s+(?:happens|happened|has\s+happened|becomes|became)\s+(?:to|with|of)\s+(.+)",
        r"(?:tell|describe)\s+(?:me\s+)?(?:the\s+story\s+of|what\s+happens\s+to|about)\s+(.+)",
        rf"what\s+(?:{_DO}|{_BE})\s+(.+?)\s+(?:do|doing|up\s+to)",
        r"what\s+is\s+the\s+story\s+of\s+(.+)",
    ):
        found = _match(pattern, clause)
        if found:
            return Question(clause, "story", found[1])
    return None


def _when(clause: str, options: tuple[str, ...]) -> Question | None:
    found = _match(
        rf"(?:when|at\s+what\s+(?:time|point|moment)|at\s+which\s+(?:time|point))\s+"
        rf"(?:{_DO}|{_BE}|can|{_HAVE})\s+(?:we\s+see\s+)?(.+)",
        clause,
    )
    if not found:
        return None
    subject = found[1]
    last = bool(re.search(r"\blast\b|\bfor\s+the\s+last\s+time\b", subject, re.IGNORECASE))
    for pattern in (
        r"\b(?:for\s+the\s+)?(?:first|last)(?:\s+time)?\b",
        rf"\s+{_SEEN}\s*$",
        r"\s+(?:start|begin|come|arrive)s?$",
    ):
        subject = re.sub(pattern, "", subject, flags=re.IGNORECASE).strip()
    subject = re.sub(r"\s{2,}", " ", subject)
    return Question(clause, "when", subject or found[1], last=last)


def _whether(clause: str, options: tuple[str, ...]) -> Question | None:
    if options:
        return None
    for pattern in (
        rf"(?:{_BE})\s+there\s+(?:ever\s+|any\s+)?(.+?)(?:\s+{_SEEN})?",
        rf"(?:{_DO})\s+(?:we\s+(?:ever\s+)?see\s+|you\s+(?:ever\s+)?see\s+)?{_HOW_SURE}(.+?)(?:\s+ever)?\s+{_SEEN}",
        rf"(?:{_DO}|can|could)\s+(?:we|you|i|one)\s+(?:ever\s+)?(?:see|find|spot)\s+(.+)",
        rf"(?:{_DO})\s+(?:the|this)\s+{FILM}\s+(?:show|contain|have|feature)\s+(.+)",
        rf"(?:{_BE}|{_DO})\s+((?:a|an|the|any|some|two|three|someone|anyone|people)\b.+)",
    ):
        found = _match(pattern, clause)
        if found:
            return Question(clause, "whether", re.sub(r"^any\s+", "", found[1]))
    return None


def _where(clause: str, options: tuple[str, ...]) -> Question | None:
    found = _match(
        rf"where(?:\s+in\s+the\s+{FILM})?\s+(?:{_DO}|{_BE}|can)\s+(.+?)(?:\s+{_SEEN})?", clause
    )
    return Question(clause, "where", found[1]) if found and not options else None


def _what(clause: str, options: tuple[str, ...]) -> Question | None:
    found = _match(
        rf"(?:what|who|which\s+\w+|what\s+\w+)\s+(?:{_BE}|{_DO}|{_SEEN}|{_HAPPENS})\b\s*(.*)",
        clause,
    )
    if found is None:
        return None
    subject, action = _subject_and_action(clause)
    return Question(clause, "what", subject, action)
