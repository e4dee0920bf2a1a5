"""How many questions about two events become a plan that keeps both and their order.

    python -m experiments.question_forms QUESTIONS.csv [--sample 100] [--seed 0]

QUESTIONS.csv has the columns ``question`` and ``type`` (NExT-QA's annotations). Of the temporal
types (TN: what is next, TP: what was before, TC: what is at the same time) it prints the share
that is read as a relation between two events, and a random sample as a table to be checked by eye.
"""

from __future__ import annotations

import argparse
import csv
import random
import re
from collections import Counter
from pathlib import Path

from semantic_video.temporal_reasoning import Question, read_question

TYPES = ("TN", "TP", "TC")
# Words that put two events into an order; "for a while" is a length of time.
CONNECTIVES = re.compile(
    r"\b(?:after|before|while(?<!a while)|when|as|during|once|until)\b", re.IGNORECASE
)


def keeps_both(question: Question) -> bool:
    """Whether a question is read as two events and a relation between them."""
    return question.form == "relation" and bool(question.event and question.reference)


def main() -> None:
    """Print shares by type, then a sample."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("questions", type=Path)
    parser.add_argument("--sample", type=int, default=100)
    parser.add_argument("--seed", type=int, default=0)
    arguments = parser.parse_args()
    with arguments.questions.open(encoding="utf-8") as file:
        rows = [row for row in csv.DictReader(file) if row["type"] in TYPES]
    read = [(row["type"], row["question"], read_question(row["question"])) for row in rows]
    for kind in (*TYPES, "all"):
        own = [(text, question) for own, text, question in read if kind in (own, "all")]
        two = [(text, question) for text, question in own if CONNECTIVES.search(text)]
        kept = sum(keeps_both(question) for _, question in own)
        print(
            f"{kind}: {kept} of {len(own)} ({kept / len(own):.3f}); of those with a word of order "
            f"{sum(keeps_both(question) for _, question in two)} of {len(two)}"
        )
    print(dict(Counter(question.form for _, _, question in read)))
    sample = random.Random(arguments.seed).sample(read, min(arguments.sample, len(read)))
    print("\n| type | question | event | relation | other event |\n| --- | --- | --- | --- | --- |")
    for kind, text, question in sample:
        cells = [kind, text, f"({question.form}) {question.event}", "-", "-"]
        if keeps_both(question):
            cells[2:] = [question.event, str(question.relation), question.reference]
        print(f"| {' | '.join(cells)} |")


if __name__ == "__main__":
    main()
