"""Which form a question has, by patterns over its words; the first that fits wins."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import replace

from semantic_video.temporal_reasoning.contractions import spelt_out
from semantic_video.temporal_reasoning.form_words import BE, DO, HAVE, SEEN, as_doing, match
from semantic_video.temporal_reasoning.line_forms import read_mentioned, read_said
from semantic_video.temporal_reasoning.order_forms import read_compare, read_order, things_in
from semantic_video.temporal_reasoning.particulars import (
    ordinal_of,
    says_what_lacks,
    taken_negation,
    taken_times,
)
from semantic_video.temporal_reasoning.question_text import ENDS, plain, split_options
from semantic_video.temporal_reasoning.questions import Question
from semantic_video.temporal_reasoning.refusals import asking, left_over, refused, unknown
from semantic_video.temporal_reasoning.relation_forms import (
    RELATIONS,
    read_relation,
    subject_and_action,
)
from semantic_video.temporal_reasoning.summary_forms import read_bounded, read_summary
from semantic_video.temporal_reasoning.time_words import FILM, taken_delay, taken_part

_HOW_SURE = r"(?:ever\s+|actually\s+|really\s+)?"
# What is asked of a phrase that says what is not there cannot be looked for.
_OF_WHAT_IS_THERE = (
    "count", "duration", "when", "whether", "where", "story", "compare", "order", "together", "what",
)  # fmt: skip
# What a picture shows of a thing is not kept: its colour, its age.
_PROPERTY = re.compile(
    r"(?:what|which)\s+(?:colou?rs?|size|shape|brand|model|age|gender|emotions?|mood|language|name)\b|"
    r"(?:what|which)\s+(?:is|was)\s+the\s+(?:\w+est|most\s+\w+)\s+\w+$|"
    r"(?:what|which|in\s+(?:what|which))\s+(?:the\s+)?(?:order|sequence)\b|"
    r"how\s+(?:old|tall|big|small|large|fast|heavy|far|deep|expensive)\b|whose\b",
    re.IGNORECASE,
)
_IMPERATIVE = re.compile(
    r"^(?:show|find|list|search(?:\s+for)?|look\s+for|give|get)\s+(?:me\s+)?(?:all\s+(?:of\s+)?)?"
    r"(?:the\s+)?(?:(?:scenes?|moments?|shots?|clips?|parts?|times?|places?)\s+"
    r"(?:of|with|where|showing|that\s+show)\s+)?(.+)$",
    re.IGNORECASE,
)
_ASKS = re.compile(
    r"^(?:who|what|which|when|where|why|how|whose|is|are|was|were|do|does|did|can|could|would|will|"
    r"should|has|have|had|name|tell|describe|explain|translate|write)\b",
    re.IGNORECASE,
)
# A phrase rather than a sentence: with an article and not long, or of two words at most.
_PHRASE = re.compile(
    r"(?:(?:a|an|the|some|two|three|several|my|his|her|their)\s+\S+(?:\s+\S+){0,7}|\S+(?:\s+\S+)?)$",
    re.IGNORECASE,
)
_ANYTHING = re.compile(r"(?:things?|objects?|stuff|scenes?|events?|contents?)$", re.IGNORECASE)
_FILLERS = re.compile(r"\s+(?:at\s+all|or\s+not)$", re.IGNORECASE)
_IS_IT_TRUE = re.compile(r"^is\s+it\s+true\s+that\s+there\s+(is|are|was|were)\b", re.IGNORECASE)
# "an elephant seen after the match": what is counted, or when it is, in an order.
_IN_ORDER = re.compile(
    rf"^(.+?)(?:\s+{SEEN})?\s+(?:(right|directly|immediately|just)\s+)?"
    r"(after|before|while|when|during)\s+(.+)$",
    re.IGNORECASE,
)
_LASTING = re.compile(
    r"\s+(?:for\s+)?(?:more|less|longer|shorter)\s+than\s+\S+\s+(?:seconds?|minutes?)\b",
    re.IGNORECASE,
)
Reader = Callable[[str, tuple[str, ...]], Question | None]


def read_question(text: str, options: Sequence[str] = ()) -> Question:
    """The question in ``text``, with the choices in it, or with ``options`` for choices."""
    stem, inside = split_options(text)
    choices = tuple(options) or inside
    clause, part = taken_part(_FILLERS.sub("", spelt_out(plain(stem if choices else text))))
    clause = _IS_IT_TRUE.sub(r"\1 there", clause)
    clause, delay_s = taken_delay(clause)
    question = _form(clause, choices)
    if question.form == "unknown" and not choices:
        question = _bare(clause) or question
    question = _checked(_ordered(_doing(question)))
    question = left_over(question) or question
    if delay_s and question.form != "relation":
        question = refused(
            clause, "a number of seconds after something is looked at by one kind of question only",
            '"What happens 10 seconds after a goal?"',
        )  # fmt: skip
    return replace(
        question,
        text=" ".join(text.split()),
        options=choices,
        part=part or question.part,
        delay_s=delay_s,
    )


def _form(clause: str, options: tuple[str, ...]) -> Question:
    if re.match(r"(?:why|how\s+come|for\s+what\s+reason)\b", clause, re.IGNORECASE):
        return unknown(clause)  # reasons are not seen
    readers: tuple[Reader, ...] = (
        read_order, read_mentioned, _length, read_bounded, _count, _duration, read_compare, read_said, _whether_related,
        read_relation, _property, _main, _together, read_summary, _story, _when, _seen, _whether, _where, _what,
    )  # fmt: skip
    for read in readers:
        question = read(clause, options)
        if question is not None:
            return question
    return unknown(clause)


def _bare(clause: str) -> Question | None:
    """A phrase that is no question, "a dog" or "show me the dog": when it appears."""
    wanted = _IMPERATIVE.match(clause)
    subject = (wanted[1] if wanted else clause).strip(ENDS)
    if not wanted and (_ASKS.match(clause) or not _PHRASE.match(clause)):
        return None
    if wanted and ordinal_of(f"the {subject}")[1]:
        subject = f"the {subject}"
    if wanted and re.match(r"all\b", subject, re.IGNORECASE):
        subject = subject[3:].strip()
    return Question(clause, "when", subject) if subject else None


def _doing(question: Question) -> Question:
    """The question, with "someone playing" for the "someone play" after "does"."""
    if question.form in ("count", "duration", "when") and re.search(
        rf"\b{DO}\b", question.text, re.I
    ):
        return replace(question, subject=as_doing(question.subject))
    return question


def _ordered(question: Question) -> Question:
    """The question, with what its subject should be after, or before, as a relation."""
    if question.form not in ("count", "duration", "when"):
        return question
    found = _IN_ORDER.match(question.subject)
    if not found:
        return question
    return replace(
        question, subject=found[1], relation=RELATIONS[found[3].lower()], reference=found[4],
        immediate=bool(found[2]),
    )  # fmt: skip


def _checked(question: Question) -> Question:
    """The question, or a refusal where it is about what is not there."""
    phrases = [question.subject, question.reference, *question.others]
    if question.form == "relation":
        negative = [own for own in phrases if taken_negation(own)[1] and own.lower()[:2] == "no"]
    elif question.form in _OF_WHAT_IS_THERE:
        negative = [own for own in phrases if says_what_lacks(own)]
        lasting = _LASTING.search(question.subject) if question.form == "whether" else None
        if lasting:
            thing = re.sub(rf"\s+{SEEN}$", "", question.subject[: lasting.start()], flags=re.I)
            return refused(question.text, "how long something is there is not compared with a "
                           "number", asking("How long", thing))  # fmt: skip
        if any(re.search(r"\bboth\s+before\s+and\s+after\b", own, re.I) for own in [question.text]):
            return refused(question.text, "before and after are looked at one at a time")
    else:
        return question
    asked_together = r"\band\s+(?:after|before|while|during)\b"
    if question.relation and any(re.search(asked_together, own, re.I) for own in phrases):
        return refused(question.text, "two orders are looked at one at a time")
    if question.form == "order" and any(re.search(r"\sor\s", own, re.I) for own in phrases):
        return refused(question.text, "an order is that of two things, not of one or another")
    if not negative:
        return question
    positive = taken_negation(negative[0])[0]
    how = "How often" if question.form == "count" else "When"
    nearest = "" if says_what_lacks(positive) else asking(how, positive)
    return refused(question.text, "what is not there, or missing in a picture, is not looked for",
                   nearest)  # fmt: skip


def _length(clause: str, options: tuple[str, ...]) -> Question | None:
    film = rf"(?:(?:the|this)\s+(?:whole\s+|entire\s+)?{FILM})"
    found = match(
        rf"how\s+(?:long|many\s+(?:seconds|minutes|hours))\s+(?:(?:{BE}|{DO})\s+{film}(?:\s+(?:last|run|"
        rf"take|go\s+on|long))?|{DO}\s+it\s+last)|(?:when|at\s+what\s+time)\s+{DO}\s+{film}\s+(?:end|"
        rf"finish|stop|(start|begin))|what\s+is\s+the\s+(?:length|duration|running\s+time)"
        rf"(?:\s+of\s+{film})?",
        clause,
    )
    return Question(clause, "length", first=bool(found[1])) if found else None


def _count(clause: str, options: tuple[str, ...]) -> Question | None:
    subject = rf"(?:{DO}\s+|{BE}\s+|{HAVE}\s+)?(.+?)"
    for pattern in (
        rf"(?:how\s+many\s+times|how\s+often|how\s+frequently)\s+{subject}(?:\s+{SEEN})?",
        rf"count\s+(?:how\s+(?:often|many\s+times)\s+)?(?:the\s+)?{subject}(?:\s+{SEEN})?",
        r"how\s+many\s+(?:scenes|shots|clips|moments|parts|occurrences)\s+"
        r"(?:of|show|have|with|contain|are\s+there\s+(?:of|with))\s+(.+)",
        rf"(?:what\s+is\s+the\s+)?number\s+of\s+(?:times|scenes|shots)\s+(?:of|with|that|when)?\s*(.+?)"
        rf"(?:\s+{SEEN})?",
    ):
        found = match(pattern, clause)
        if found:
            return Question(
                clause,
                "count",
                re.sub(rf"^(?:(?:{DO}|{BE}|there|we|you|i|see|hear)\s+)+", "", found[1]),
            )
    found = match(
        rf"how\s+many\s+(?!seconds|minutes|hours)(.+?)\s+(?:{BE}\s+there|{DO}\s+we\s+see|can\s+we\s+see|{SEEN})",
        clause,
    )
    if found and found[1].lower() in ("scenes", "shots"):
        return refused(clause, "how many scenes there are depends on how a film is cut into them",
                       '"How long is the video?"')  # fmt: skip
    if found:
        return refused(clause, "how many there are in one picture is not counted, only how often "
                       "something is seen", asking("How often", found[1]))  # fmt: skip
    return None


def _duration(clause: str, options: tuple[str, ...]) -> Question | None:
    found = match(
        rf"(?:for\s+)?(?:how\s+long|how\s+much\s+(?:time|of\s+the\s+{FILM})|how\s+many\s+(?:seconds|minutes))"
        rf"\s+(?:{DO}|{BE}|can|{HAVE})\s+(?:(?:we|you|i|one)\s+(?:first\s+|last\s+)?see\s+)?(.+?)"
        rf"(?:\s+(?:last|stay|remain|continue|go\s+on|run)s?)?(?:\s+{SEEN})?",
        clause,
    )
    return Question(clause, "duration", found[1]) if found else None


def _property(clause: str, options: tuple[str, ...]) -> Question | None:
    return unknown(clause) if _PROPERTY.match(clause) else None


def _main(clause: str, options: tuple[str, ...]) -> Question | None:
    found = match(
        rf"(?:who|what|which\s+\w+)\s+{BE}\s+the\s+(?:main|central|leading|most\s+important)\s+"
        r"(?:character|person|subject|figure|thing|topic|hero|protagonist)s?",
        clause,
    ) or match(
        rf"(?:who|what|which\s+\w+)\s+(?:{BE}\s+)?(?:{SEEN})\s+(?:the\s+)?(?:most|longest|most\s+often)",
        clause,
    )
    return Question(clause, "main") if found else None


def _together(clause: str, options: tuple[str, ...]) -> Question | None:
    found = match(
        rf"(?:who|what)(?:\s+else)?\s+{SEEN}\s+(?:together\s+|along\s+)?with\s+(.+)", clause
    )
    if found:
        return Question(clause, "together", found[1])
    found = match(rf"(?:{DO}|{BE})\s+(.+?)\s+(?:{SEEN}|appear)\s+together", clause) or match(
        rf"{BE}\s+(.+?)\s+ever\s+together", clause
    )
    if found and len(pair := things_in(found[1])) == 2:
        return Question(clause, "together", pair[0], reference=pair[1])
    return None


def _story(clause: str, options: tuple[str, ...]) -> Question | None:
    for pattern in (
        r"what\s+(?:happens|happened|has\s+happened|becomes|became)\s+(?:to|with|of)\s+(.+)",
        r"(?:tell|describe)\s+(?:me\s+)?(?:the\s+story\s+of|what\s+happens\s+to|about)\s+(.+)",
        rf"what\s+(?:{DO}|{BE})\s+(.+?)\s+(?:do|doing|up\s+to)",
        r"what\s+is\s+the\s+story\s+of\s+(.+)",
        r"describe\s+(.+)",
        rf"what\s+{BE}\s+(.+?)\s+about",
    ):
        found = match(pattern, clause)
        if found:
            return Question(clause, "story", found[1])
    return None


def _when(clause: str, options: tuple[str, ...]) -> Question | None:
    found = match(
        rf"(?:when|at\s+what\s+(?:time|point|moment)|at\s+which\s+(?:time|point))\s+"
        rf"(?:{DO}|{BE}|can|{HAVE})\s+(?:(?:we|you|i|one)\s+(?:first\s+|last\s+)?see\s+)?(.+)",
        clause,
    )
    if not found:
        return None
    subject = found[1]
    if ordinal_of(subject)[1] > 1:
        return Question(clause, "when", re.sub(rf"\s+{SEEN}\s*$", "", subject, flags=re.I))
    first, last = (
        bool(re.search(rf"\b{edge}\b", subject, re.IGNORECASE)) for edge in ("first", "last")
    )
    for pattern in (
        r"^the\s+(?:first|last)\s+time\s+(?:that\s+|when\s+)?",
        r"\b(?:for\s+the\s+)?(?:first|last)(?:\s+time)?\b",
        rf"\s+{SEEN}\s*$",
        r"\s+(?:start|begin|come|arrive|end|stop|disappear|leave)s?$",
    ):
        subject = re.sub(pattern, "", subject, flags=re.IGNORECASE).strip()
    subject = re.sub(r"\s{2,}", " ", subject)
    return Question(clause, "when", subject or found[1], first=first, last=last)


def _whether_related(clause: str, options: tuple[str, ...]) -> Question | None:
    """Whether A is there after B: a yes or a no, with both moments."""
    found = match(
        rf"(?:{BE}\s+there\s+(?:ever\s+|any\s+)?|(?:{DO}|can)\s+(?:we|you|i|one)\s+(?:ever\s+)?see\s+)(.+?)\s+"
        r"(?:(right|directly|immediately|just)\s+)?(after|before|while|when|during)\s+(.+)",
        clause,
    )
    if not found:
        return None
    subject = re.sub(rf"\s+{SEEN}$", "", found[1], flags=re.IGNORECASE)
    subject, times = taken_times(subject)
    subject, negated = taken_negation(subject)
    if times is not None:
        return refused(clause, "how often something is there is counted in the whole film or between "
                       "two times, not after something else", asking("How often", subject))  # fmt: skip
    return Question(
        clause, "whether", subject, relation=RELATIONS[found[3].lower()], reference=found[4],
        immediate=bool(found[2]), negated=negated,
    )  # fmt: skip


def _whether(clause: str, options: tuple[str, ...]) -> Question | None:
    plain_clause, times = taken_times(clause)
    plain_clause = re.sub(rf"^({BE}\s+there)\s+never\s+", r"\1 no ", plain_clause, flags=re.I)
    seeing = r"(?:see|find|spot)"
    sentence = (
        rf"(?:{BE}|{DO})\s+((?:a|an|the|any|no|some|two|three|someone|anyone|people|nobody)\b.+)"
    )
    for pattern in (
        rf"(?:{BE})\s+there\s+(?:ever\s+)?(.+?)(?:\s+{SEEN})?",
        rf"(?:{DO})\s+(?:we\s+(?:ever\s+)?see\s+|you\s+(?:ever\s+)?see\s+)?{_HOW_SURE}(.+?)(?:\s+ever)?\s+{SEEN}",
        rf"(?:{DO}|can|could)\s+(?:we|you|i|one)\s+((?:not|never)\s+)?(?:ever\s+)?{seeing}\s+(.+)",
        rf"(?:{DO})\s+(?:the|this)\s+{FILM}\s+((?:not|never)\s+)?(?:show|contain|have|feature)\s+(.+)",
        rf"(?:{BE})\s+((?:not\s+|never\s+)?.+?)(?:\s+ever)?\s+{SEEN}",
        sentence,
    ):
        found = match(pattern, plain_clause)
        if found:
            phrase = " ".join(own.strip() for own in found.groups() if own)
            subject, negated = taken_negation(re.sub(r"^any\s+", "", phrase))
            subject = re.sub(r"^(?:any|either|both)\s+", "", subject)
            return Question(clause, "whether", subject, negated=negated, times=times,
                            claim=pattern is sentence)  # fmt: skip
    if options and match(rf"{BE}\s+there|(?:{DO}|can)\s+(?:we|you)\s+see", plain_clause):
        return Question(clause, "what")
    return None


def _where(clause: str, options: tuple[str, ...]) -> Question | None:
    found = match(
        rf"where(?:\s+in\s+the\s+{FILM})?\s+(?:{DO}|{BE}|can)\s+(.+?)(?:\s+{SEEN})?", clause
    )
    return Question(clause, "where", found[1]) if found else None


def _seen(clause: str, options: tuple[str, ...]) -> Question | None:
    """Who is there, which animals are shown: a kind of things is asked for."""
    there = (
        rf"(?:{BE}(?:\s+(?:there|in\s+it|to\s+be\s+seen))?|{DO}\s+we\s+see|can\s+(?:we\s+see|be\s+seen)|"
        rf"{DO}\s+{SEEN}|{SEEN})"
    )
    someone = r"(?:anyone|anybody|someone|somebody|people|persons?)"
    if match(
        rf"{BE}\s+(?:there\s+)?(?:any\s+)?{someone}(?:\s+there)?|who\s+{BE}\s+the\s+people", clause
    ):
        return Question(clause, "kinds", "people")
    found = match(rf"(?:who|(?:which|what)\s+(?:(?:kinds?|sorts?|types?)\s+of\s+)?(?!{BE}\b|{DO}\b)(\w+))\s+{there}",
                  clause)  # fmt: skip
    if found and found[1] and _ANYTHING.match(found[1]):
        return Question(clause, "summary")
    return Question(clause, "kinds", found[1] or "people") if found else None


def _what(clause: str, options: tuple[str, ...]) -> Question | None:
    found = match(
        rf"(?:what|who|which\s+\w+|what\s+\w+)\s+(?:{BE}|{DO}|{SEEN}|happens|comes|goes\s+on)\b\s*(.*)",
        clause,
    )
    if found is None:
        return None
    subject, action = subject_and_action(clause)
    if not subject and not options and re.match(r"(?:happens|comes|goes)\b", action):
        return None
    return Question(clause, "what", subject, action)
