"""An answer while it is put together: sentences, the moments of each, and the steps taken."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from semantic_video.records import Answer, Moment, Sentence
from semantic_video.temporal_reasoning.question_text import letter
from semantic_video.temporal_reasoning.questions import Question
from semantic_video.temporal_reasoning.wording import sentence


@dataclass(slots=True)
class Draft:
    """Collects what a plan says; `answer` makes the answer of it."""

    question: Question
    method: str
    confidence: float = 0.0
    choice: int | None = None
    count: int | None = None
    steps: list[str] = field(default_factory=list)
    moments: list[Moment] = field(default_factory=list)
    sentences: list[Sentence] = field(default_factory=list)

    def say(self, text: str, moments: Sequence[Moment] = ()) -> None:
        """Add a sentence that rests on these moments."""
        places = []
        for moment in moments:
            if moment not in self.moments:
                self.moments.append(moment)
            places.append(self.moments.index(moment))
        self.sentences.append(Sentence(sentence(text), tuple(places)))

    def step(self, text: str) -> None:
        """Note a step of the plan."""
        self.steps.append(text)

    def choose(self, option: int) -> None:
        """Take an option for the answer."""
        self.choice = option

    def answer(self) -> Answer:
        """What was drafted; one with a choice starts with its letter."""
        text = " ".join(own.text for own in self.sentences)
        if self.choice is not None:
            chosen = self.question.options[self.choice]
            verdict, colon, reason = text.partition(": ")
            if colon and verdict.casefold() == chosen.casefold():
                text = sentence(reason)  # "(A) Yes." has said it
            text = f"{letter(self.choice)} {sentence(chosen)} {text}".strip()
        return Answer(
            question=self.question.text,
            text=text,
            evidence=tuple(self.moments),
            sentences=tuple(self.sentences),
            confidence=round(min(1.0, max(0.0, self.confidence)), 4),
            method=self.method,
            choice=self.choice,
            count=self.count,
            plan=tuple(self.steps),
        )
