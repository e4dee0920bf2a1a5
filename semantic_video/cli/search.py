"""`search`: find moments by what they show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from semantic_video.cli.opening import load_options
from semantic_video.cli.options import (
    ConfigOption,
    JsonOption,
    LibraryOption,
    QuietOption,
    VerboseOption,
)
from semantic_video.cli.output import print_json, print_result
from semantic_video.cli.terminal import Reporter, clock, printable, table
from semantic_video.errors import QueryError

if TYPE_CHECKING:
    from semantic_video.scene_retrieval import Moments


def search(
    query: Annotated[str | None, typer.Argument(help="What the moment shows.")] = None,
    k: Annotated[int | None, typer.Option("-k", metavar="N", help="Moments to print.")] = None,
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Find what this picture shows.")
    ] = None,
    queries: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A query a line, `-` for standard input.")
    ] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Score every scene.")] = False,
    video: Annotated[
        list[str] | None, typer.Option(metavar="VIDEO", help="Search only this (repeatable).")
    ] = None,
    within: Annotated[
        list[str] | None,
        typer.Option("--in", metavar="SIGNAL", help="picture, speech or text (repeatable)."),
    ] = None,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Find moments by text or by a picture."""
    from semantic_video.queries import caption_from_query
    from semantic_video.search import Searcher, read_queries
    from semantic_video.signal_fusion import signals_named
    from semantic_video.spelling import mended

    if sum(source is not None for source in (query, image, queries)) != 1:
        raise QueryError('say what to find: `search "a dog"`, or --image FILE, or --queries FILE')
    if k is not None and k < 1:
        raise QueryError(f"-k {k}: ask for at least 1 moment")
    texts = [query] if query is not None else read_queries(queries) if queries is not None else []
    if any(not text.strip() for text in texts):
        raise QueryError('the query is empty; say what to find, for instance "a dog on a beach"')
    reporter = Reporter(quiet, verbose)
    for text in texts:
        caption = caption_from_query(text)
        if mended(caption) != caption:
            reporter.note(f"reading {caption!r} as {mended(caption)!r}")
    searcher = Searcher(load_options(config, library), video or [], reporter.note)
    answers = (
        [searcher.by_image(image, k, exact)]
        if image
        else searcher.by_texts(texts, k, exact, signals_named(within))
    )
    for answer in answers:
        if as_json:
            print_json(answer.as_dict())
        else:
            _print_moments(answer, titled=len(answers) > 1)


def _print_moments(answer: Moments, titled: bool) -> None:
    if titled:
        print_result(printable(f"{answer.query}:"))
    paths = {moment.video for moment in answer}
    distinct = len({Path(path).name for path in paths}) == len(paths)
    rows = [
        (
            rank,
            Path(moment.video).name if distinct else moment.video,
            f"{clock(moment.start_s)}-{clock(moment.end_s)}",
            f"{moment.score:.3f}",
            moment.cluster_name,
        )
        for rank, moment in enumerate(answer, start=1)
    ]
    print_result(table(("rank", "video", "time", "score", "cluster"), rows, right="rank score"))
