"""Ways to ask, measured on a labelled film.

    python -m experiments.asking_report MANIFEST --library DIR

MANIFEST names a film and its labelled queries, and the library holds that film indexed. Prints:

- how many ordinary texts (captions, queries, phrases) are taken for queries over time: none should;
- `concept` queries: the share of true spans that ten moments find, plain, with `spread`, and after
  rounds of marks that call each listed moment right or wrong by the truth (for moments that were
  not marked yet, too, since marking something must not only bring that back);
- a moment of each concept with and without the words, summed as vectors and balanced;
- queries over time made from pairs of concepts, against the same query over the true spans.
"""

from __future__ import annotations

import argparse
import csv
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from itertools import permutations
from pathlib import Path
from typing import Any

import numpy as np

from semantic_video.asking import Part, Request
from semantic_video.asking.composition import unit
from semantic_video.config import load_config
from semantic_video.query_language import Term, evaluate, parse
from semantic_video.records import Moment, Span
from semantic_video.search import Searcher

Spans = Sequence[tuple[float, float]]
_K = 10
_PAIRS = 100


def main() -> None:
    """Measure all of it on one film."""
    parser = argparse.ArgumentParser(description="Measure ways to ask.")
    parser.add_argument("manifest", type=Path)
    parser.add_argument("--library", required=True)
    parser.add_argument("--phrases", type=Path, nargs="*", default=(), help="CSV files of texts.")
    arguments = parser.parse_args()
    manifest = json.loads(arguments.manifest.read_text(encoding="utf-8"))
    concepts = [query for query in manifest["queries"] if query["type"] == "concept"]
    searcher = Searcher(
        load_config().override({"library": arguments.library}, "--library"), [manifest["video"]]
    )
    _report_misread(manifest, arguments.phrases)
    _report_concepts(searcher, concepts)
    _report_sums(searcher, concepts, manifest["video"])
    _report_over_time(searcher, concepts, manifest["duration_s"])


def hits(moment: Moment, spans: Spans) -> set[int]:
    """The true spans that a moment finds: its middle lies inside, or half of the shorter."""
    middle = (moment.start_s + moment.end_s) / 2
    length = moment.end_s - moment.start_s
    found = set()
    for place, (start_s, end_s) in enumerate(spans):
        shared = min(moment.end_s, end_s) - max(moment.start_s, start_s)
        near = start_s <= middle < end_s or shared >= 0.5 * min(length, end_s - start_s)
        if near and length <= 2 * (end_s - start_s) + 4:
            found.add(place)
    return found


def recall(moments: Iterable[Moment], spans: Spans) -> float:
    """The share of true spans that moments find."""
    return len(set[int]().union(*(hits(moment, spans) for moment in moments))) / len(spans)


def _report_misread(manifest: Mapping[str, Any], files: Iterable[Path]) -> None:
    texts = [segment["caption"] for segment in manifest["segments"] if segment["caption"]]
    texts += [
        query["text"]
        for query in manifest["queries"]
        if query["type"] not in ("order", "next", "count") and query.get("text")
    ]
    for path in files:
        with path.open(encoding="utf-8", newline="") as file:
            texts += [cell for row in csv.reader(file) for cell in row if cell.strip()]
    misread = [text for text in texts if not isinstance(parse(text), Term)]
    print(f"ordinary texts taken for queries over time: {len(misread)} of {len(texts)}", misread)


def _report_concepts(searcher: Searcher, concepts: Sequence[Mapping[str, Any]]) -> None:
    rows: dict[str, list[float]] = {}
    asker = searcher.asker
    for concept in concepts:
        spans: Spans = concept["spans"]
        request = Request(concept["text"], k=_K)
        plain, spread = searcher.ask([request, replace(request, spread=True)])
        rows.setdefault("plain", []).append(recall(plain, spans))
        rows.setdefault("spread", []).append(recall(spread, spans))
        answer = plain
        found = set[int]().union(*(hits(moment, spans) for moment in plain))
        for number in (1, 2, 3):
            known = {(mark.video, mark.start_s, mark.end_s) for mark in request.marks}
            marks = tuple(
                asker.mark(
                    moment.video, Span(moment.start_s, moment.end_s), bool(hits(moment, spans))
                )
                for moment in answer
                if (moment.video, moment.start_s, moment.end_s) not in known
            )
            request = replace(request, marks=request.marks + marks)
            (answer,) = searcher.ask([request])
            found |= set[int]().union(*(hits(moment, spans) for moment in answer))
            rows.setdefault(f"marks, round {number}", []).append(recall(answer, spans))
            rows.setdefault(f"found by round {number}", []).append(len(found) / len(spans))
    for name, shares in rows.items():
        print(f"concept recall@10 {name:18} {np.mean(shares):.3f}")


def _report_sums(searcher: Searcher, concepts: Sequence[Mapping[str, Any]], video: str) -> None:
    """The first true span of each as `like`; recall of the others."""
    shares: dict[str, list[float]] = {}
    asker = searcher.asker
    for concept in concepts:
        (start_s, end_s), *others = concept["spans"]
        like = Part("moment", f"{video}@{(float(start_s) + float(end_s)) / 2}")
        ways = {
            "words": Request(concept["text"], k=_K + 1),
            "moment": Request(parts=(like,), k=_K + 1),
            "both, balanced": Request(concept["text"], (like,), k=_K + 1),
        }
        summed = asker.vector(ways["words"]) + asker.vector(ways["moment"])
        plain = replace(like, vector=tuple(unit(summed).tolist()), model=asker.model)
        ways["both, as vectors"] = Request(parts=(plain,), k=_K + 1)
        for name, request in ways.items():
            (answer,) = searcher.ask([request])
            shares.setdefault(name, []).append(recall(answer, others))
    for name, own in shares.items():
        print(f"other spans of a concept, recall@11, by {name:17} {np.mean(own):.3f}")


def _report_over_time(
    searcher: Searcher, concepts: Sequence[Mapping[str, Any]], duration_s: float
) -> None:
    spans = {concept["text"]: concept["spans"] for concept in concepts}
    shapes = ('"{}" then "{}"', '"{}" before "{}" within 60s', 'first "{}" after 8:00 or "{}"')
    pairs = list(permutations(spans, 2))
    chosen = np.random.default_rng(0).permutation(len(pairs))[:_PAIRS]
    for shape in (*shapes, 'count "{}"', 'first "{}"', 'last "{}"'):
        texts = {shape.format(*pairs[place]) for place in chosen}
        right, numbers = [], []
        for text in sorted(texts):
            truth = evaluate(
                parse(text),
                lambda phrase, videos: _true(spans[phrase], videos),
                {"": duration_s},
                k=None,
            )
            (answer,) = searcher.ask([Request(text)])
            if truth.value is not None:
                numbers.append(abs((answer.value or 0) - truth.value))
            elif truth.found:
                wanted = [(moment.start_s, moment.end_s) for moment in truth.moments]
                right.append(bool(len(answer)) and _overlap(answer[0], wanted) >= 0.5)
        if numbers:
            within = np.mean(np.array(numbers) <= 1)
            print(f"{shape:32} mean error {np.mean(numbers):.2f}, within one {within:.2f}")
        else:
            print(f"{shape:32} first right (tIoU 0.5) {np.mean(right):.2f} of {len(right)}")


def _true(spans: Spans, videos: Iterable[str]) -> dict[str, list[Moment]]:
    return {
        video: [Moment(video, a, b, 1.0, 1.0, 0, "", (a + b) / 2) for a, b in spans]
        for video in videos
    }


def _overlap(moment: Moment, spans: Spans) -> float:
    """The best temporal intersection over union with one of the spans."""
    return max(
        max(0.0, min(moment.end_s, b) - max(moment.start_s, a))
        / (max(moment.end_s, b) - min(moment.start_s, a))
        for a, b in spans
    )


if __name__ == "__main__":
    main()
