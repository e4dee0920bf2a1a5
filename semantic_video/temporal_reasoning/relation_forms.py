"""Questions about two events and their order: what A does after B."""

from __future__ import annotations

import re

from semantic_video.temporal_reasoning.form_words import BE, DO, HAVE, match
from semantic_video.temporal_reasoning.question_text import ENDS
from semantic_video.temporal_reasoning.questions import Question, Relation

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
RELATIONS: dict[str, Relation] = {
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
_NOUN_ING = re.compile(
    r"^(?:thing|something|anything|nothing|everything|morning|evening|king|ring|wedding|building|"
    r"swing|wing|string|spring|ceiling)s?\b",
    re.IGNORECASE,
)


def read_relation(clause: str, options: tuple[str, ...]) -> Question | None:
    """What is there, or what A does, after, before or at the time of B."""
    found = match(
        rf"(?:what|who|which\s+\w+)\s+(?:else\s+)?{_HAPPENS}\s*(next\s+)?{_SOON}(after|before|during|while|when)"
        rf"\s+{_SCENE}(.+)",
        clause,
    )
    if found:
        return Question(
            clause, "relation", relation=RELATIONS[found[3].lower()],
            reference=event(found[4]), immediate=bool(found[1] or found[2]),
        )  # fmt: skip
    found = match(rf"what\s+(?:follows|comes\s+next\s+after|comes\s+after)\s+{_SCENE}(.+)", clause)
    if found:
        return Question(
            clause, "relation", relation="after", reference=event(found[1]), immediate=True
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
    subject, action = subject_and_action(main.strip(ENDS))
    return Question(
        clause,
        "relation",
        subject=subject,
        action=action,
        relation=RELATIONS[word.lower()],
        reference=event(reference, subject),
        immediate=soon is not None and soon.lower() not in ("soon", "shortly"),
    )


def subject_and_action(main: str) -> tuple[str, str]:
    """Who the main clause is about, and what it says they do, as far as it says."""
    happens = re.match(
        r"what\s+(?:happens|happened|has\s+happened|becomes|became)\s+(?:to|with|of)\s+(.+)$",
        main, re.IGNORECASE,
    )  # fmt: skip
    if happens:
        return happens[1], ""
    found = re.match(
        rf"(?:what|who|where|how|why|which\s+\w+)(?:\s+(?:activity|event|sport|action|else))?\s+"
        rf"(?:{DO}|{BE}|{HAVE}|can|will)\s+(.+)$",
        main, re.IGNORECASE,
    ) or re.match(rf"(?:{DO}|{BE})\s+(.+)$", main, re.IGNORECASE)  # fmt: skip
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
    if re.match(r"(?:shown|seen|visible|there)$", rest, re.IGNORECASE):
        return "", ""  # what is shown: nothing is said of it
    if acts:
        return acts[1], re.sub(r"^(?:do|doing)\b\s*", "", acts[2])
    return rest, ""


def event(text: str, subject: str = "") -> str:
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
