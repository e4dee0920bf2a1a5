"""What is said and what is written."""

from __future__ import annotations

from dataclasses import replace

from semantic_video.records import Span
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import LEVEL, Evidence
from semantic_video.temporal_reasoning.plans.shared import (
    MOST_EVENTS,
    moment_at,
)
from semantic_video.temporal_reasoning.questions import Question
from semantic_video.temporal_reasoning.wording import (
    clock,
    cut,
    quoted,
    stretch,
)


def answer_said(question: Question, evidence: Evidence) -> Draft:
    """What is said or written, about something or in a part of the film."""
    kind = "text" if question.written else "speech"
    with_lines = [film for film in evidence.films.values() if film.lines_in(film.span(None), kind)]
    draft = Draft(question, "lines that were said or written")
    if not with_lines:
        verb = "written" if question.written else "said"
        draft.say(f"nothing that is {verb} is indexed for this video")
        draft.step(
            "subtitles beside the film, the extra `ocr` or `speech` and `semantic-video index` "
            "would add it"
        )
        return draft
    if not question.subject:
        film = with_lines[0]
        span = film.span(question.part)
        lines = film.lines_in(span, kind)
        draft.step(f"in {film.name}: lines of {stretch(*span)}")
        for line in lines[:MOST_EVENTS]:
            draft.say(
                f"at {clock(line.start_s)}: “{cut(line.text)}”",
                [moment_at(film, line.start_s, line.end_s)],
            )
        if len(lines) > MOST_EVENTS:
            draft.say(f"and {len(lines) - MOST_EVENTS} more lines")
        if not lines:
            verb = "written" if question.written else "said"
            draft.say(f"nothing {verb} is indexed at {stretch(*span)}")
        # None is no proof that there is none: not every scene is read or has a subtitle.
        shown = [line.confidence for line in lines[:MOST_EVENTS]]
        draft.confidence = sum(shown) / len(shown) if shown else 0.5
        return draft
    for film in with_lines:
        hits = [
            hit
            for hit in evidence.said(question.subject, film, kind if question.written else None)
            if hit.probability >= LEVEL
        ]
        draft.step(f"in {film.name}: lines with the words of {quoted(question.subject)}")
        for hit in sorted(hits[:MOST_EVENTS], key=lambda hit: hit.start_s):
            lines = film.lines_in(Span(hit.start_s, hit.end_s), hit.signal)
            words = " ".join(line.text for line in lines[:4])
            moment = replace(
                moment_at(film, hit.start_s, hit.end_s), probability=round(hit.probability, 4)
            )
            verb = "said" if hit.signal == "speech" else "on screen"
            draft.say(f"{verb} at {clock(hit.start_s)}: “{cut(words)}”", [moment])
            draft.confidence = max(draft.confidence, hit.probability)
    if not draft.sentences:
        draft.say(f"no indexed line holds the words of {quoted(question.subject)}")
        draft.confidence = 0.5
    return draft
