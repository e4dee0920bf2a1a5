"""The demonstration: index the sample film, search it, and set the answers beside the truth.

``python -m experiments.demo DIR`` expects ``sample.mp4`` and ``sample.json`` in DIR (see
``experiments.sample_film``). It works through the installed command ``semantic-video`` as a user
would, and leaves its library, a picture of the timeline and a report in DIR.
"""

from __future__ import annotations

import argparse
import json
import shlex
import subprocess
import sys
import sysconfig
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from experiments.figures import hits
from experiments.run_record import in_a_line
from semantic_video.records import Cluster, Span

COMMAND = Path(sysconfig.get_path("scripts"), "semantic-video")
"""The command as this environment has it installed; a shell finds it only when that is active."""

ASKED = ("cat", "coffee", "motorcycle", "galaxies", "bicycle")
"""The categories of the truth that are asked for; the last one is a theme of three subjects."""


def main() -> None:
    """Command line: ``python -m experiments.demo DIR``."""
    parser = argparse.ArgumentParser(description="Index the sample film, search it, compare.")
    parser.add_argument("folder", type=Path, help="holds sample.mp4 and sample.json")
    folder: Path = parser.parse_args().folder
    film = folder / "sample.mp4"
    truth = json.loads(film.with_suffix(".json").read_text(encoding="utf-8"))
    common = ["--library", str(folder / "library")]

    semantic_video("index", str(film), *common)
    search(truth, folder, common)
    clusters = read_clusters(semantic_video("clusters", str(film), *common, "--json"))
    show_clusters(clusters, truth["segments"])
    picture, page = folder / "timeline.png", folder / "report.html"
    semantic_video("show", str(film), "--what", "timeline", "-o", str(picture), *common)
    semantic_video("report", str(film), "-o", str(page), *common)
    print(f"\nThe timeline (clusters as coloured bands) is drawn in {picture.resolve()}")
    print(f"The report, which plays the film, opens in a browser: {page.resolve().as_uri()}")
    here = Path.cwd()
    program = COMMAND.relative_to(here) if COMMAND.is_relative_to(here) else COMMAND
    print(f"Ask something yourself: {shown('search', 'a man in a car', *common, program=program)}")


def semantic_video(*arguments: str) -> str:
    """Print a command of the product, run it, and return its standard output."""
    print(f"\n$ {shown(*arguments)}", flush=True)
    done = subprocess.run(
        [str(COMMAND), *arguments], stdout=subprocess.PIPE, encoding="utf-8", check=False
    )
    if done.returncode:
        sys.exit(done.returncode)  # it has said why on standard error
    return done.stdout


def shown(*arguments: str, program: str | Path = "semantic-video") -> str:
    """Spell a command as one would type it."""
    return shlex.join([str(program), *arguments])


def search(truth: Mapping[str, Any], folder: Path, common: Sequence[str]) -> None:
    """Ask for ``ASKED`` and print each answer beside the truth."""
    by_category: dict[str, Mapping[str, Any]] = {}
    for query in truth["queries"]:
        by_category.setdefault(query.get("category", ""), query)
    asked = [by_category[category] for category in ASKED]
    questions = folder / "queries.txt"
    questions.write_text("".join(f"{query['text']}\n" for query in asked), encoding="utf-8")
    k = max(len(query["spans"]) for query in asked)
    output = semantic_video("search", "--queries", str(questions), "-k", str(k), "--json", *common)
    right = wanted = 0
    for query, line in zip(asked, output.splitlines(), strict=True):
        spans = [Span(*span) for span in query["spans"]]
        moments = [
            Span(moment["start_s"], moment["end_s"])
            for moment in json.loads(line)["moments"][: len(spans)]
        ]
        right += show_answer(query["text"], moments, spans)
        wanted += len(spans)
    print(f"\nOf all {wanted} showings of the five, {right} are among as many first answers.")


def show_answer(text: str, moments: Sequence[Span], spans: Sequence[Span]) -> int:
    """Print moments in their order, each with the showing it hits; return how many are found."""
    print(f'\n  "{text}" is shown {len(spans)} times; the first {len(spans)} answers:')
    missed = set(spans)
    for moment in moments:
        hit = next((span for span in spans if hits(moment, [span])), None)
        verdict = "wrong" if hit is None else f"right, shown {interval(hit)}"
        print(f"    {interval(moment)}  {verdict}")
        if hit is not None:
            missed.discard(hit)
    if missed:
        print(f"    missed: {', '.join(interval(span) for span in sorted(missed))}")
    return len(spans) - len(missed)


def overlap(a: Span, b: Span) -> float:
    """Return the seconds that two spans share."""
    return max(0.0, min(a.end_s, b.end_s) - max(a.start_s, b.start_s))


def read_clusters(output: str) -> list[Cluster]:
    """Read what ``semantic-video clusters --json`` prints."""
    return [
        Cluster(
            **row
            | {
                "scenes": tuple(row["scenes"]),
                "occurrences": tuple(Span(**span) for span in row["occurrences"]),
            }
        )
        for row in json.loads(output)
    ]


def show_clusters(clusters: Iterable[Cluster], segments: Sequence[Mapping[str, Any]]) -> None:
    """Print each cluster with the subjects that are really shown in it."""
    agreeing = total = 0.0
    print(f"\n  {'cluster':24} {'times':>5} {'total':>8}  really")
    for cluster in sorted(clusters, key=lambda cluster: -cluster.total_s):
        seconds: defaultdict[str, float] = defaultdict(float)
        for segment in segments:
            span = Span(segment["start_s"], segment["end_s"])
            seconds[segment["category"]] += sum(overlap(span, o) for o in cluster.occurrences)
        really = ", ".join(
            f"{category} {share:.0%}"
            for category, amount in sorted(seconds.items(), key=lambda item: -item[1])
            if (share := amount / cluster.total_s) >= 0.05
        )
        agreeing += max(seconds.values())
        total += cluster.total_s
        times = len(cluster.occurrences)
        print(f"  {cluster.name:24} {times:5} {cluster.total_s:6.1f} s  {really}")
    print(f"\n  {agreeing / total:.0%} of the time lies in a cluster whose main subject is shown.")


def interval(span: Span) -> str:
    """Format a span as h:mm:ss.t-h:mm:ss.t."""
    return f"{clock(span.start_s)}-{clock(span.end_s)}"


def clock(seconds: float) -> str:
    """Format seconds as h:mm:ss.t."""
    tenths = round(seconds * 10)
    minutes, rest = divmod(tenths, 600)
    return f"{minutes // 60}:{minutes % 60:02}:{rest // 10:02}.{rest % 10}"


if __name__ == "__main__":
    sys.exit(in_a_line(main))
