"""Searching what was said and written: words of a query -> stretches of time, with a probability.

Lines that follow one another (speech) or are on screen together (text) are one stretch, because a
sentence is cut into subtitles and a slide into lines. A stretch is scored by the information of
those of the query's words that it holds, as in BM25 (Robertson and Zaragoza 2009) with every word
counted once. The probability comes from a logistic model of that score against the null: texts that
have nothing to do with the film (`python -m experiments.word_calibration`).
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from semantic_video.library import LineWords
from semantic_video.words import query_stems

# Seconds between two lines of one sentence, and the longest stretch taken for one.
_SPEECH_GAP_S = 2.0
_STRETCH_S = 20.0
# Stretches that hold less of the query than this share are not worth a look.
_LEAST_COVERAGE = 0.3
_MOST_HITS = 100

# Logistic model of (coverage, information in nats), fitted by experiments/word_calibration.py.
_BIAS, _COVERAGE, _INFORMATION = -5.23, 5.35, 0.23


@dataclass(frozen=True, slots=True)
class WordHit:
    """A stretch in which words of the query are said (``speech``) or shown (``text``).

    ``coverage`` is the share of the query's information that it holds, ``information`` how much
    that is, in nats: of two stretches that hold all of it, rarer words tell more.
    """

    video: str
    start_s: float
    end_s: float
    signal: Literal["speech", "text"]
    coverage: float
    information: float
    probability: float


def search_words(lines: LineWords, query: str) -> list[WordHit]:
    """Stretches that hold words of ``query``, the most probable first; empty where none do."""
    wanted = query_stems(query)
    if not wanted or not len(lines):
        return []
    rows = [lines.rows_with(stem) for stem in wanted]
    information = [math.log((len(lines) + 1) / (len(own) + 0.5)) for own in rows]
    information = [max(value, 0.1) for value in information]
    total = sum(information)
    held: dict[int, set[int]] = {}
    for word, own in enumerate(rows):
        for row in own.tolist():
            held.setdefault(row, set()).add(word)
    hits = []
    for first, last, words in _stretches(lines, held):
        matched = sum(information[word] for word in words)
        coverage = matched / total
        if coverage >= _LEAST_COVERAGE:
            hits.append(
                WordHit(
                    video=lines.videos[lines.video[first]],
                    start_s=float(lines.start_s[first]),
                    end_s=float(max(lines.end_s[first], lines.end_s[last])),
                    signal="speech" if lines.is_speech[first] else "text",
                    coverage=coverage,
                    information=matched,
                    probability=probability(coverage, matched),
                )
            )
    hits.sort(key=lambda hit: (-hit.probability, hit.end_s - hit.start_s, hit.start_s))
    return hits[:_MOST_HITS]


def probability(coverage: float, information: float) -> float:
    """How likely a stretch is what was meant, not words that came together by chance."""
    return 1 / (1 + math.exp(-(_BIAS + _COVERAGE * coverage + _INFORMATION * information)))


def _stretches(
    lines: LineWords, held: dict[int, set[int]]
) -> Iterator[tuple[int, int, frozenset[int]]]:
    """From each line on, the shortest stretch that holds most words: (first row, last row, words).

    ``held`` are the words of each line that has any.
    """
    order = sorted(
        held, key=lambda row: (lines.video[row], lines.is_speech[row], lines.start_s[row])
    )
    for place, first in enumerate(order):
        last, best, words = first, held[first], set(held[first])
        end_s = float(lines.end_s[first])
        for row in order[place + 1 :]:
            begins_s = float(lines.start_s[row])
            same = (lines.video[row], lines.is_speech[row]) == (
                lines.video[first],
                lines.is_speech[first],
            )
            if not same:
                break
            if lines.is_speech[first]:
                if begins_s > min(end_s + _SPEECH_GAP_S, lines.start_s[first] + _STRETCH_S):
                    break
                end_s = max(end_s, float(lines.end_s[row]))
            elif begins_s >= end_s:  # no longer on screen together
                break
            words |= held[row]
            if len(words) > len(best):
                last, best = row, set(words)
        yield first, last, frozenset(best)
