"""A query of the query language in the place of a question: what a language model translated."""

from __future__ import annotations

from semantic_video.query_language import Count, HowLong, Query
from semantic_video.temporal_reasoning.draft import Draft
from semantic_video.temporal_reasoning.evidence import Evidence
from semantic_video.temporal_reasoning.plans.shared import mean_probability, these, whens
from semantic_video.temporal_reasoning.questions import Question
from semantic_video.temporal_reasoning.wording import length, times


def answer_query(question: Question, query: Query, evidence: Evidence) -> Draft:
    """The moments of a query, said in a sentence."""
    film = evidence.film_for([term.text for term in query.terms()])
    draft = Draft(question, "query of a language model")
    draft.step(f"in {film.name}: {query}")
    moments = evidence.find(query, film, question.part)
    if isinstance(query, Count):
        draft.count = len(moments)
    if not moments:
        draft.say(f"no scene of {these(evidence)} is {query} for certain")
        draft.confidence = 0.5
        return draft
    draft.confidence = mean_probability(moments)
    seconds = sum(moment.end_s - moment.start_s for moment in moments)
    how_long = f", {length(seconds)} in all" if isinstance(query, HowLong) else ""
    draft.say(f"{query} is there {times(len(moments))}{how_long}: {whens(moments)}", moments)
    return draft
