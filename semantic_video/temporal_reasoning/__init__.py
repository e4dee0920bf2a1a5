"""Questions about what happens in time: question -> plan over the memory -> answer with evidence.

- `forms`: from English to what is asked for (`questions`); `relation_forms`, `line_forms`: of two
  events, of what is said; `refusals`: what has no plan, and the nearest question that has one
- `question_text`, `time_words`, `particulars`: choices, parts of the film, "no", "twice", "or"
- `presence`: which scenes show what a phrase says
- `evidence`: what a plan may look at
- `plans`: a plan for each form of question; `draft`, `wording`: sentences with their moments
- `language_model`, `http_exchange`, `model_wording`: what a language model may do, if one is named
- `model_checks`, `numbers_in_text`: which of its sentences may stand
- `reasoner`: the parts put together
"""

from semantic_video.temporal_reasoning.evidence import Evidence, Film
from semantic_video.temporal_reasoning.forms import read_question
from semantic_video.temporal_reasoning.language_model import LanguageModel
from semantic_video.temporal_reasoning.questions import Question
from semantic_video.temporal_reasoning.reasoner import TemporalReasoner, checked_question

__all__ = [
    "Evidence",
    "Film",
    "LanguageModel",
    "Question",
    "TemporalReasoner",
    "checked_question",
    "read_question",
]
