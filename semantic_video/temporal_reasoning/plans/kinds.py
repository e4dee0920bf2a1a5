"""Who is there, which animals are shown: clusters of a kind, by screen time."""

from __future__ import annotations

from dataclasses import replace

from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import Evidence
from semantic_video.temporal_reasoning.plans.choices import choose_present
from semantic_video.temporal_reasoning.plans.shared import MOST_EVENTS, occurrences, whens
from semantic_video.temporal_reasoning.plans.stories import answer_summary
from semantic_video.temporal_reasoning.questions import Question
from semantic_video.temporal_reasoning.wording import length, quoted, stretch

_WHO = "who they are, the memory does not tell, only what they look like"


def answer_kinds(question: Question, evidence: Evidence) -> Draft:
    """The clusters of a kind of things, those that are longest on screen first.

    Whether a cluster is of that kind is judged by its name.
    """
    film = max(evidence.films.values(), key=lambda film: film.duration_s)
    draft = Draft(question, "names of clusters by screen time")
    if question.options:
        choose_present(draft, evidence, evidence.film_for(question.options))
        return draft
    span = film.span(question.part)
    draft.step(
        f"in {film.name}: clusters in {stretch(*span)} whose names fit {quoted(question.subject)}"
    )
    kind = evidence.clusters_of_kind(film, question.subject)
    seen: dict[str, list[int]] = {}
    moments = [own for own in occurrences(film, span) if own.cluster in kind]
    for place, moment in enumerate(moments):
        seen.setdefault(film.memory.names[moment.cluster], []).append(place)
    if not seen:
        draft = answer_summary(replace(question, form="summary", subject=""), evidence)
        told = draft.sentences[:]
        draft.sentences.clear()
        draft.say(
            f"no cluster of this video has a name that is one of {quoted(question.subject)}; "
            "the nearest that can be told is what there is"
        )
        draft.sentences += told
        return draft
    draft.confidence = 0.5

    def seconds(name: str) -> float:
        return sum(moments[place].end_s - moments[place].start_s for place in seen[name])

    ranked = sorted(seen, key=lambda name: -seconds(name))
    for name in ranked[:MOST_EVENTS]:
        own = [moments[place] for place in seen[name]]
        draft.say(f"{quoted(name)}: {length(seconds(name))}, {whens(own)}", own)
    if len(ranked) > MOST_EVENTS:
        draft.say(f"{len(ranked) - MOST_EVENTS} more are left out")
    if question.subject == "people":
        draft.say(_WHO)
    draft.say("these are names of clusters, guessed from how they look; others may show some, too")
    return draft
