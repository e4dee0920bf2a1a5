"""What is said and what is written."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

from semantic_video.records import Line, Moment, Span
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import LEVEL, Evidence, Film
from semantic_video.temporal_reasoning.particulars import alternatives, ordinal_of
from semantic_video.temporal_reasoning.plans.choices import (
    choose_number,
    choose_words,
    choose_yes_or_no,
)
from semantic_video.temporal_reasoning.plans.meant import scene_meant
from semantic_video.temporal_reasoning.plans.shared import (
    MOST_EVENTS,
    moment_at,
    related_scenes,
    where,
)
from semantic_video.temporal_reasoning.questions import Question
from semantic_video.temporal_reasoning.wording import cut, quoted, stretch, times
from semantic_video.utils.telling import short_clock
from semantic_video.word_search import WordHit


def answer_said(question: Question, evidence: Evidence) -> Draft:
    """What is said or written, about something or in a part of the film."""
    draft = Draft(question, "lines that were said or written")
    films = _films_with_lines(draft, evidence)
    if not films:
        return draft
    spans: dict[str, Span] = {film.video: film.span(question.part) for film in films}
    if question.reference:
        film = evidence.film_for([ordinal_of(question.reference)[0]])
        reference = _scene_meant(draft, evidence, film)
        if reference is None:
            meant = scene_meant(question.reference, evidence, film, question.part)
            draft.say(meant.told, [meant.moment] if meant.moment else [])
            draft.method = "absence"
            return draft
        films, spans = [film], {film.video: _around(question, film, reference)}
    if question.refusal:
        draft.say(question.refusal)
    told = len(draft.sentences)
    if not question.subject:
        _tell_lines(draft, films[0], spans[films[0].video])
        return draft
    found = []
    for film in films:
        kind = "text" if question.written else None
        hits = _apart(
            hit
            for phrase in alternatives(question.subject)
            for hit in _hits(evidence, film, phrase, kind, spans[film.video])[:MOST_EVENTS]
        )[:MOST_EVENTS]
        draft.step(f"in {film.name}: lines with the words of {quoted(question.subject)}")
        found += _tell_hits(draft, film, sorted(hits, key=lambda hit: hit.start_s))
    if len(draft.sentences) == told:
        at = "" if question.part is None and not question.reference else (
            f" at {stretch(*spans[films[0].video])}"
        )  # fmt: skip
        draft.say(f"no indexed line{at} holds the words of {quoted(question.subject)}")
        draft.confidence = 0.5
    choose_words(draft, " ".join(found))
    return draft


def answer_mentioned(question: Question, evidence: Evidence) -> Draft:
    """Whether something is said or written, and how often."""
    draft = Draft(question, "lines that were said or written")
    films = [film for film in evidence.films.values() if film.lines]
    if not films:
        draft.say("nothing that is said or written is indexed for this video")
        draft.step(_MORE_LINES)
        return draft
    hits: dict[str, list[WordHit]] = {}
    kind = "text" if question.written else None
    for film in films:
        draft.step(f"in {film.name}: lines with the words of {quoted(question.subject)}")
        span = film.span(question.part)
        hits[film.video] = _apart(
            hit
            for phrase in alternatives(question.subject)
            for hit in _hits(evidence, film, phrase, kind, span)
        )
    count = sum(map(len, hits.values()))
    if question.counted:
        draft.count = count
        choose_number(draft, count)
    else:
        choose_yes_or_no(draft, bool(count))
    if not count:
        at = "" if question.part is None else f" at {stretch(*films[0].span(question.part))}"
        draft.say(f"no indexed line{at} holds the words of {quoted(question.subject)}")
        draft.confidence = 0.5
        return draft
    own = [moment_at(film, hit.start_s, hit.end_s) for film in films for hit in hits[film.video]]
    yes = "" if question.counted else "yes: "
    verb = "is written" if question.written else "is said or written"
    draft.say(f"{yes}{quoted(question.subject)} {verb} {times(count)}", own)
    for film in films:
        _tell_hits(draft, film, hits[film.video][:MOST_EVENTS])
    if count > MOST_EVENTS:
        draft.say("later lines are left out")
    return draft


_MORE_LINES = (
    "subtitles beside the film, the extra `ocr` or `speech` and `semantic-video index` would add it"
)


def _films_with_lines(draft: Draft, evidence: Evidence) -> list[Film]:
    """The films with lines of the kind that is asked for; says so where there are none."""
    kind = "text" if draft.question.written else "speech"
    films = [film for film in evidence.films.values() if film.lines_in(film.span(None), kind)]
    if not films:
        verb = "written" if draft.question.written else "said"
        draft.say(f"nothing that is {verb} is indexed for this video")
        draft.step(_MORE_LINES)
    return films


def _scene_meant(draft: Draft, evidence: Evidence, film: Film) -> Moment | None:
    """The scene that lines are asked about: by its picture, else by the words in it."""
    text, part = draft.question.reference, draft.question.part
    meant = scene_meant(text, evidence, film, part)
    near = meant.moment
    if near is None:
        return None
    if meant.sure:
        draft.say(meant.told, [near])
        return near
    hits = _hits(evidence, film, text, None, film.span(part))
    if hits:
        named = moment_at(film, hits[0].start_s, hits[0].end_s)
        draft.say(f"the words of {quoted(text)} are said or written at {where(named)}", [named])
        return replace(named, probability=round(hits[0].probability, 4))
    return None


def _around(question: Question, film: Film, reference: Moment) -> Span:
    """Where the lines lie that are asked for: in the scene meant and right after or before it."""
    if question.relation == "during":
        return Span(reference.start_s, reference.end_s)
    near = related_scenes(film, reference, question.relation or "after")
    return Span(
        min([reference.start_s, *(own.start_s for own in near)]),
        max([reference.end_s, *(own.end_s for own in near)]),
    )


def _tell_lines(draft: Draft, film: Film, span: Span) -> None:
    """What is said or written in a stretch, line by line."""
    kind = "text" if draft.question.written else "speech"
    lines: list[Line] = film.lines_in(span, kind)
    draft.step(f"in {film.name}: lines of {stretch(*span)}")
    if draft.question.first or draft.question.last:
        lines = sorted(lines, key=lambda line: line.start_s)
        lines = lines[-1:] if draft.question.last else lines[:1]
    for line in lines[:MOST_EVENTS]:
        draft.say(
            f"at {short_clock(line.start_s)}: “{cut(line.text)}”",
            [moment_at(film, line.start_s, line.end_s)],
        )
    if len(lines) > MOST_EVENTS:
        draft.say(f"and {len(lines) - MOST_EVENTS} more lines")
    if not lines:
        verb = "written" if draft.question.written else "said"
        draft.say(f"nothing {verb} is indexed at {stretch(*span)}")
    # None is no proof that there is none: not every scene is read or has a subtitle.
    shown = [line.confidence for line in lines[:MOST_EVENTS]]
    draft.confidence = sum(shown) / len(shown) if shown else 0.5
    choose_words(draft, " ".join(line.text for line in lines))


def _hits(
    evidence: Evidence, film: Film, subject: str, kind: str | None, span: Span
) -> list[WordHit]:
    """Stretches inside a span that hold the words of a subject, the most probable first."""
    return [
        hit
        for hit in evidence.said(subject, film, kind)
        if hit.probability >= LEVEL and hit.start_s < span.end_s and hit.end_s > span.start_s
    ]


def _apart(hits: Iterable[WordHit]) -> list[WordHit]:
    """Hits in order of time, of those that share time and kind the most probable."""
    kept: list[WordHit] = []
    for hit in sorted(hits, key=lambda own: -own.probability):
        if not any(
            own.signal == hit.signal and own.start_s < hit.end_s and own.end_s > hit.start_s
            for own in kept
        ):
            kept.append(hit)
    return sorted(kept, key=lambda own: own.start_s)


def _tell_hits(draft: Draft, film: Film, hits: list[WordHit]) -> list[str]:
    """Each hit as a sentence with its line; what was quoted."""
    told = []
    for hit in hits:
        lines = film.lines_in(Span(hit.start_s, hit.end_s), hit.signal)
        words = " ".join(line.text for line in lines[:4])
        told.append(words)
        moment = replace(
            moment_at(film, hit.start_s, hit.end_s), probability=round(hit.probability, 4)
        )
        verb = "said" if hit.signal == "speech" else "on screen"
        draft.say(f"{verb} at {short_clock(hit.start_s)}: “{cut(words)}”", [moment])
        draft.confidence = max(draft.confidence, hit.probability)
    return told
