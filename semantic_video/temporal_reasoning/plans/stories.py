"""Stories and summaries: many occurrences told in order."""

from __future__ import annotations

from collections.abc import Sequence

from semantic_video.query_language import And, Every, Term
from semantic_video.records import Line, Moment, Span
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import Evidence, Film
from semantic_video.temporal_reasoning.plans.choices import (
    choose_look,
    choose_present,
    choose_yes_or_no,
)
from semantic_video.temporal_reasoning.plans.meant import stretch_between
from semantic_video.temporal_reasoning.plans.shared import (
    MOST_EVENTS,
    longest,
    looks,
    mean_probability,
    moment_at,
    name_of,
    nothing_there,
    occurrences,
    related_scenes,
    whens,
)
from semantic_video.temporal_reasoning.questions import Question
from semantic_video.temporal_reasoning.wording import cut, length, listed, quoted, stretch, times
from semantic_video.utils.telling import short_clock

_MOST_QUOTES = 3


def answer_main(question: Question, evidence: Evidence) -> Draft:
    """The recurring subject with most screen time."""
    film = max(evidence.films.values(), key=lambda film: film.duration_s)
    draft = Draft(question, "screen time of recurring clusters")
    subject = "the main character"
    moments = evidence.find(Every(Term(subject)), film, question.part)
    draft.step(f"in {film.name}: clusters that recur, by screen time")
    if not moments:
        draft.say("nothing in this video recurs, so it has no main character")
        return draft
    seconds = sum(moment.end_s - moment.start_s for moment in moments)
    name = name_of(film, evidence.main_subject(film))
    draft.confidence = 0.5
    draft.say(
        f"the recurring subject with most screen time looks like {quoted(name)}: it appears "
        f"{times(len(moments))}, {length(seconds)} in all",
        moments,
    )
    choose_look(draft, evidence, film, moments)
    return draft


def answer_story(question: Question, evidence: Evidence) -> Draft:
    """What happened to something: its occurrences in order, with what they look like and words."""
    film = evidence.film_for([question.subject])
    draft = Draft(question, "ordered story of occurrences")
    draft.step(f"in {film.name}: {Every(Term(question.subject))}")
    moments = evidence.find(Every(Term(question.subject)), film, question.part)
    if not moments:
        return nothing_there(question, evidence, film)
    seconds = sum(moment.end_s - moment.start_s for moment in moments)
    if question.options:
        draft.say(f"{quoted(question.subject)} appears {whens(moments)}", moments)
        draft.confidence = mean_probability(moments)
        choose_look(draft, evidence, film, moments, question.subject)
        return draft
    named = evidence.subject(film, question.subject)
    name = name_of(film, named) if named else question.subject
    guessed = bool(named) and question.subject.casefold() not in film.memory.names
    draft.confidence = mean_probability(moments) * (0.5 if guessed else 1.0)
    draft.say(
        f"{quoted(name)} appears {times(len(moments))}, {length(seconds)} in all, from "
        f"{short_clock(moments[0].start_s)} to {short_clock(moments[-1].end_s)}",
        moments,
    )
    chosen = longest(moments)
    draft.step(f"the {len(chosen)} longest occurrences, in order of time")
    for moment in chosen:
        draft.say(
            f"{stretch(moment.start_s, moment.end_s)}: {looks(evidence, film, moment)}", [moment]
        )
        for line in film.lines_in(Span(moment.start_s, moment.end_s))[:1]:
            verb = "one hears" if line.kind == "speech" else "one reads"
            heard_s = max(line.start_s, moment.start_s)
            draft.say(f"at {short_clock(heard_s)} {verb} “{cut(line.text)}”", [moment])
    if len(moments) > len(chosen):
        draft.say(f"{len(moments) - len(chosen)} shorter occurrences are left out")
    return draft


def answer_summary(question: Question, evidence: Evidence) -> Draft:
    """What a film, or a part of it, shows: its longest occurrences in order, and words."""
    draft = Draft(question, "summary of occurrences")
    if question.bounds is not None:
        film, known, draft = stretch_between(question, question.bounds, evidence)
        if known is None:
            return draft
        span = known
    else:
        film = max(evidence.films.values(), key=lambda film: film.duration_s)
        span = film.span(question.part)
    draft.step(f"in {film.name}: occurrences of every cluster in {stretch(*span)}")
    moments = occurrences(film, span)
    if moments and question.options:
        if question.part is None and question.bounds is None:
            choose_present(draft, evidence, film)
        else:
            draft.confidence = 1.0
            draft.say(f"the scenes asked about are those of {stretch(*span)}")
            choose_look(draft, evidence, film, moments)
        return draft
    if not moments:
        draft.say(
            f"the video has nothing at {stretch(*span)}: it is {short_clock(film.duration_s)} long"
        )
        return draft
    chosen = longest(moments)
    kinds = len({moment.cluster for moment in moments})
    draft.confidence = 0.5
    draft.say(
        f"from {short_clock(span.start_s)} to {short_clock(span.end_s)} the video shows "
        + ("one thing" if kinds == 1 else f"{kinds} different things")
        + (f" in {len(moments)} stretches" if moments[1:] else ""),
        moments[:MOST_EVENTS],
    )
    for moment in chosen:
        draft.say(
            f"{stretch(moment.start_s, moment.end_s)}: {looks(evidence, film, moment)}", [moment]
        )
    lines = [line for line in film.lines_in(span) if _mostly_inside(line, span)]
    if lines:
        draft.step(f"{len(lines)} lines are said or written there")
    for line in sorted(sorted(lines, key=lambda line: -len(line.text))[:_MOST_QUOTES],
                       key=lambda line: line.start_s):  # fmt: skip
        verb = "is said" if line.kind == "speech" else "is written"
        draft.say(
            f"at {short_clock(max(line.start_s, span.start_s))} {verb}: “{cut(line.text)}”",
            [moment_at(film, max(line.start_s, span.start_s), min(line.end_s, span.end_s))],
        )
    if len(moments) > len(chosen):
        draft.say(f"{len(moments) - len(chosen)} shorter stretches are left out")
    return draft


def _mostly_inside(line: Line, span: Span) -> bool:
    """Whether a line belongs to a stretch: most of it, or for most of the stretch."""
    shared = min(line.end_s, span.end_s) - max(line.start_s, span.start_s)
    return 2 * shared >= min(line.end_s - line.start_s, span.end_s - span.start_s)


def answer_together(question: Question, evidence: Evidence) -> Draft:
    """What is seen with something, or when two things are seen together."""
    film = evidence.film_for([text for text in (question.subject, question.reference) if text])
    draft = Draft(question, "co-occurrence")
    if question.reference:
        query = And(Term(question.subject), Term(question.reference))
        draft.step(f"in {film.name}: {query}")
        moments = evidence.find(Every(query), film, question.part)
        if moments:
            draft.confidence = mean_probability(moments)
            draft.say(
                f"yes: {quoted(question.subject)} and {quoted(question.reference)} are seen "
                f"together {whens(moments)}",
                moments,
            )
            choose_yes_or_no(draft, True)
        else:
            draft.say(
                f"no scene shows {quoted(question.subject)} and {quoted(question.reference)} "
                "together for certain"
            )
            draft.confidence = 0.5
            choose_yes_or_no(draft, False)
        return draft
    moments = evidence.find(Every(Term(question.subject)), film, question.part)
    if not moments:
        return nothing_there(question, evidence, film)
    draft.step(f"in {film.name}: scenes with {quoted(question.subject)}, and what sets them apart")
    draft.confidence = mean_probability(moments)
    words = [
        word
        for word in evidence.words_for(film, moments, 5)
        if float(evidence.vector(word) @ evidence.vector(question.subject)) < 0.7
    ][:3]
    draft.say(
        f"{quoted(question.subject)} appears {times(len(moments))}; with it one sees "
        f"{listed(words) or 'nothing that stands out'}",
        moments,
    )
    if question.options:
        choose_look(draft, evidence, film, moments, question.subject)
        return draft
    before, after = _neighbours(film, moments)
    if before or after:
        names = [quoted(name) for name in dict.fromkeys(before + after)]
        draft.say(f"around it come {listed(names[:4])}", moments)
    return draft


def _neighbours(film: Film, moments: Sequence[Moment]) -> tuple[list[str], list[str]]:
    """Names of the clusters right before and right after these moments, the commonest first."""
    before: dict[str, int] = {}
    after: dict[str, int] = {}
    for moment in moments:
        for names, relation in ((before, "before"), (after, "after")):
            for scene in related_scenes(film, moment, relation)[:1]:  # type: ignore[arg-type]
                names[scene.cluster_name] = names.get(scene.cluster_name, 0) + 1
    return (
        sorted(before, key=lambda name: -before[name]),
        sorted(after, key=lambda name: -after[name]),
    )
