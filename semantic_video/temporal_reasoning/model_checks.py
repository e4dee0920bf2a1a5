"""What a language model says, held against what it was told: which sentences may stand.

A sentence stands if it cites moments that were retrieved, holds no number, number word or count
that the model-free answer or those moments do not, denies only what that answer denies (and the
reverse), names no address, is about what was found, and leaves the choice as it is. Nothing here
understands a sentence: one that passes can still be wrong.
"""

from __future__ import annotations

import json
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from semantic_video.records import Answer, Sentence
from semantic_video.temporal_reasoning.numbers_in_text import counts, denies, numbers, ordinals
from semantic_video.temporal_reasoning.wording import sentence
from semantic_video.words import query_stems, stems

_MOST_CHARACTERS = 400
# Of a sentence's words at least so many must be about what was found.
_GROUNDED = 0.5

# What addresses a model rather than a viewer.
_INJECTION = re.compile(
    r"\b(?:ignor\w*|disregard|forget|override)\b.{0,40}\b(?:instruc\w*|anweisung\w*|prompts?|rules?|"
    r"above|previous|everything)\b|\bsystem\s+prompt|\bsystem\s*:|\bassistant\s*:|"
    r"\byou\s+are\s+(?:now|an?\s+(?:ai|assistant|language\s+model))|\bas\s+an\s+ai\b|"
    r"\b(?:ai|language)\s+models?\b|"
    r"\b(?:attention|note|message|instructions?)\s+(?:to|for)\s+(?:the\s+|any\s+|all\s+)?"
    r"(?:ai|llm|model|assistant|chatbot)s?\b|<\|",
    re.IGNORECASE,
)
_ADDRESS = re.compile(
    r"\w://|\b(?:https?|mailto|javascript|data|tel):|\bwww\b|\S@\S|\blocalhost\b"
    # "evil.de", but not "e.g." or "5:00."
    r"|\w[.。](?:[^\W\d_]{2,}|xn--[\w-]+)\b"
    r"|[\[(](?:\.|dot)[\])]|\bdot\s+(?:com|net|org|io|de|ru|info)\b|[<>{}]",
    re.IGNORECASE,
)
_LETTER = re.compile(
    r"[(\[]\s*[A-J]\s*[)\]]|\b[A-J]\)|\b(?:option|choice|answer)s?\s*(?:is|:)?\s*[\"“']?[A-J]\b",
    re.IGNORECASE,
)
_COMPARING = re.compile(
    r"\b(?:more|most|less|least|fewer|fewest|longer|longest|shorter|shortest|first|last|before|"
    r"after|earlier|earliest|later|latest|better|best|answers?|correct|right|true)\b",
    re.IGNORECASE,
)
_ARTICLE = re.compile(r"^(?:an?|the)\s+", re.IGNORECASE)
_LINE = re.compile("“.*”", re.DOTALL)
_PHRASE = re.compile(r'"([^"]+)"')


def without_lines(text: str) -> str:
    """A sentence of ours without the line of the film that it quotes."""
    # To the last mark: a line may hold marks of its own.
    return _LINE.sub("“…”", text)


def addresses_model(text: str, asked: str = "") -> bool:
    """Whether a text speaks to a language model, by words that are not those of the question."""
    asked = _folded(asked)
    return any(own[0] not in asked for own in _INJECTION.finditer(_folded(text)))


def holds_address(text: str) -> bool:
    """Whether a text holds a URL, an e-mail address or the name of a host."""
    return _ADDRESS.search(unicodedata.normalize("NFKC", text)) is not None


@dataclass(frozen=True, slots=True)
class Told:
    """What a language model was told: the answer, its moments in order, the names of the films."""

    answer: Answer
    findings: Sequence[Mapping[str, Any]]
    films: Sequence[str] = ()
    options: Sequence[str] = ()

    def checked(self, proposed: Any) -> Sentence | None:
        """The sentence that a model proposes; None where it may not stand."""
        if not isinstance(proposed, dict):
            return None
        text, cites = proposed.get("text"), proposed.get("cites")
        if not isinstance(text, str) or not isinstance(cites, list):
            return None
        text = " ".join(text.split())
        if not text or len(text) > _MOST_CHARACTERS or not text.isprintable():
            return None
        cited = [own for own in cites if isinstance(own, int) and not isinstance(own, bool)]
        if not cited or len(cited) < len(cites):
            return None
        if any(not 1 <= own <= len(self.findings) for own in cited):
            return None
        plain = unicodedata.normalize("NFKC", text)
        if self._holds_foreign(plain) or not self._is_about_findings(plain):
            return None
        if not self._numbers_hold(plain, [self.findings[own - 1] for own in cited]):
            return None
        if not self._denial_holds(plain) or not self._choice_holds(plain):
            return None
        return Sentence(sentence(text), tuple(dict.fromkeys(own - 1 for own in cited)))

    def _holds_foreign(self, text: str) -> bool:
        """Whether it holds an address, or speaks to a model."""
        if addresses_model(text, " ".join([self.answer.question, *self.options])):
            return True
        for name in self.films:  # "film.mov" looks like a host
            text = text.replace(Path(name).name, " ")
        return holds_address(text)

    def _is_about_findings(self, text: str) -> bool:
        findings = json.dumps(self.findings, ensure_ascii=False)
        facts = [self.answer.question, without_lines(self.answer.text), findings, *self.options]
        about = set(stems(" ".join(facts)))
        words = query_stems(text)
        return sum(word in about for word in words) >= _GROUNDED * len(words)

    def _numbers_hold(self, text: str, cited: Sequence[Mapping[str, Any]]) -> bool:
        """Whether its numbers are those of our answer, or of the moments that it cites."""
        ours = without_lines(self.answer.text)
        known = numbers(ours)
        for finding in cited:
            facts = [value for name, value in finding.items() if name != "moment"]
            known |= numbers(json.dumps(facts, ensure_ascii=False))
        if not numbers(text) <= known:
            return False
        if any(place > len(self.answer.evidence) for place in ordinals(text)):
            return False
        # How often is for our answer to say: a line may count something else.
        told = set().union(*(counts(self._own_words(own)) for own in self._nearest(text)))
        return counts(self._own_words(text)) <= (told or counts(self._own_words(ours)))

    def _denial_holds(self, text: str) -> bool:
        """Whether it denies where our answer does, and only there."""
        ours = {denies(self._own_words(own)) for own in self._nearest(text)} or {False}
        return denies(self._own_words(text)) in ours

    def _nearest(self, text: str) -> list[str]:
        """The sentences of our answer that share most words with this one."""
        words = set(query_stems(text))
        ours = [without_lines(own.text) for own in self.answer.sentences]
        shared = [len(words & set(query_stems(own))) for own in ours]
        most = max(shared, default=0)
        return [own for own, number in zip(ours, shared, strict=True) if number == most]

    def _own_words(self, text: str) -> str:
        """A sentence without the lines that it quotes, and without what was asked for."""
        lines = [line.partition(" ")[2] for own in self.findings for line in own.get("lines", ())]
        for line in lines:
            quotation = rf"[“\"]{re.escape(line)}[.,]?[”\"]"
            text = re.sub(quotation, " ", text, flags=re.IGNORECASE)
        for phrase in (*_PHRASE.findall(without_lines(self.answer.text)), *self.options):
            # A single word, such as the choice "no", may be a word of the sentence's own.
            if len(phrase.split()) > 1:
                text = re.sub(re.escape(phrase), " ", text, flags=re.IGNORECASE)
        return text

    def _choice_holds(self, text: str) -> bool:
        """Whether it leaves our choice alone: no letters, and no other option put before it."""
        if self.answer.choice is None or not self.options:
            return True
        if _LETTER.search(text):
            return False
        ours = " ".join(own.text for own in self.answer.sentences)
        named = {option: _place(option, text) for option in self.options}
        named = {option: place for option, place in named.items() if place >= 0}
        chosen = self.options[self.answer.choice]
        if any(option != chosen and _place(option, ours) < 0 for option in named):
            return False
        comparing = {own.lower() for own in _COMPARING.findall(text)}
        if not comparing:
            return True
        asked = {own.lower() for own in _COMPARING.findall(f"{self.answer.question} {ours}")}
        # Of "a dog" and "a dog with a ball" at one place the longer is meant.
        first = min(named, key=lambda own: (named[own], -len(own)), default="")
        return comparing <= asked and first == chosen


def _place(option: str, text: str) -> int:
    """Where a text names an option; -1 where it does not."""
    found = re.search(rf"\b{re.escape(_ARTICLE.sub('', option))}\b", text, re.IGNORECASE)
    return found.start() if found else -1


def _folded(text: str) -> str:
    """A text in the form in which its words are plain: no invisible marks, no odd letters."""
    text = unicodedata.normalize("NFKC", text)
    text = "".join(own for own in text if unicodedata.category(own) != "Cf")
    return " ".join(text.casefold().split())
