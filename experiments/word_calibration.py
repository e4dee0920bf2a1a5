"""Fit the probability of `semantic_video.word_search` against texts of other films.

    python -m experiments.word_calibration QUESTIONS.csv [--seed 0]

QUESTIONS.csv has the columns ``video`` and ``question`` (NExT-QA's annotations, for instance). The
questions of some videos are taken for the spoken lines of a made-up film. What people remember of a
line (a run of its words, some lost, some wrong) should be found; a run of words of another film's
line is the null: same style, same vocabulary, but said by nobody here.
"""

from __future__ import annotations

import argparse
import csv
import random
from pathlib import Path

import numpy as np
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from semantic_video.library.lines import line_rows, line_words
from semantic_video.library.stored import VideoRecord
from semantic_video.records import Line
from semantic_video.word_search import WordHit, search_words

VIDEOS_A_FILM = 40
QUERIES_A_FILM = 120


def film_lines(questions: list[str]) -> tuple[Line, ...]:
    """The questions as lines that do not touch."""
    return tuple(Line(4.0 * i, 4.0 * i + 3, text, "speech") for i, text in enumerate(questions))


def remembered(text: str, rng: random.Random, others: list[str]) -> str:
    """A run of 2 to 9 words of ``text``, a word of it lost or replaced now and then."""
    words = text.split()
    count = min(len(words), rng.randint(2, 9))
    start = rng.randrange(len(words) - count + 1)
    run = words[start : start + count]
    if len(run) > 3 and rng.random() < 0.3:
        del run[rng.randrange(len(run))]
    if len(run) > 2 and rng.random() < 0.3:
        run[rng.randrange(len(run))] = rng.choice(rng.choice(others).split())
    return " ".join(run)


def main() -> None:
    """Print the coefficients, and how good they are."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    rng = random.Random(arguments.seed)
    by_video: dict[str, list[str]] = {}
    with arguments.questions.open(encoding="utf-8") as file:
        for row in csv.DictReader(file):
            by_video.setdefault(row["video"], []).append(row["question"])
    videos = sorted(by_video)
    rng.shuffle(videos)
    features, labels = [], []
    record = VideoRecord(path="", name="", size=0, mtime_ns=0, fingerprint="", id="v", generation=1)
    missed = 0
    for start in range(0, len(videos) - VIDEOS_A_FILM, VIDEOS_A_FILM):
        own = [text for video in videos[start : start + VIDEOS_A_FILM] for text in by_video[video]]
        own = own[: rng.choice([6, 30, len(own)])]
        others = [
            text
            for video in videos[:start] + videos[start + VIDEOS_A_FILM :]
            for text in by_video[video]
        ]
        lines = film_lines(own)
        words = line_words(line_rows(record, "speech", lines), {1: "v"})
        for number in range(QUERIES_A_FILM):
            present = number % 2 == 0
            source = rng.randrange(len(own))
            query = remembered(own[source] if present else rng.choice(others), rng, others)
            hits: list[WordHit] = search_words(words, query)
            if not hits:
                missed += present
                continue
            right = present and abs(hits[0].start_s - lines[source].start_s) < 5
            if present and not right:
                continue  # as good a line as the one that was meant: says nothing either way
            features.append([hits[0].coverage, hits[0].information])
            labels.append(right)
    x, y = np.array(features), np.array(labels)
    model = LogisticRegression(C=100.0).fit(x, y)
    predicted = model.predict_proba(x)[:, 1]
    coverage, information = model.coef_[0]
    print(f"queries with a hit: {len(y)} ({y.mean():.2f} of them right); present, no hit: {missed}")
    print(f"bias {model.intercept_[0]:.2f}, coverage {coverage:.2f}, information {information:.2f}")
    print(
        f"AUROC {roc_auc_score(y, predicted):.3f} (coverage alone {roc_auc_score(y, x[:, 0]):.3f})"
    )
    for low in np.arange(0, 1, 0.2):
        inside = (predicted >= low) & (predicted < low + 0.2)
        if inside.any():
            share = f"{y[inside].mean():.2f} of {inside.sum()}"
            print(f"  said {low:.1f} to {low + 0.2:.1f}: right {share}")


if __name__ == "__main__":
    main()
