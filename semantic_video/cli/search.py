"""`search`: find moments by what they show."""

from __future__ import annotations

import math
import re
from dataclasses import replace
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
from semantic_video.cli.outputs import chosen_form, cut_clips, print_answers
from semantic_video.cli.terminal import Reporter
from semantic_video.errors import QueryError

if TYPE_CHECKING:
    from semantic_video.asking import Request
    from semantic_video.search import Searcher

_MOST = 1_000_000_000


def search(
    query: Annotated[
        str | None,
        typer.Argument(help='What the moment shows; a query over time, `"A" then "B"`; or @NAME.'),
    ] = None,
    k: Annotated[int | None, typer.Option("-k", metavar="N", help="Moments to print.")] = None,
    image: Annotated[
        list[str] | None, typer.Option(metavar="FILE", help="Find what this picture shows.")
    ] = None,
    like: Annotated[
        list[str] | None, typer.Option(metavar="FILM@TIME", help="Find more of this moment.")
    ] = None,
    plus: Annotated[
        list[str] | None,
        typer.Option(metavar="WHAT", help="Add words, a picture or a moment: `snow`, `snow*0.5`."),
    ] = None,
    minus: Annotated[
        list[str] | None, typer.Option(metavar="WHAT", help="Take away: `people`, `people*0.5`.")
    ] = None,
    right: Annotated[
        list[str] | None,
        typer.Option(metavar="RANKS", help="These of the last search are right: `1,3`."),
    ] = None,
    wrong: Annotated[
        list[str] | None, typer.Option(metavar="RANKS", help="These are wrong: `2,4-6`.")
    ] = None,
    save_as: Annotated[
        str | None, typer.Option(metavar="NAME", help="Keep the search for `search @NAME`.")
    ] = None,
    queries: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A query a line, `-` for standard input.")
    ] = None,
    plain: Annotated[
        bool, typer.Option("--plain", help="A phrase, also where it has words like `then`.")
    ] = False,
    exact: Annotated[bool, typer.Option("--exact", help="Score every scene.")] = False,
    every: Annotated[bool, typer.Option("--all", help="Every occurrence, however many.")] = False,
    spread: Annotated[
        bool, typer.Option("--spread", help="Moments far apart instead of neighbours.")
    ] = False,
    video: Annotated[
        list[str] | None, typer.Option(metavar="VIDEO", help="Search only this (repeatable).")
    ] = None,
    within: Annotated[
        list[str] | None,
        typer.Option("--in", metavar="SIGNAL", help="picture, speech or text (repeatable)."),
    ] = None,
    cluster: Annotated[
        list[str] | None, typer.Option(metavar="ID|NAME", help="Only in this cluster (repeatable).")
    ] = None,
    theme: Annotated[
        list[str] | None, typer.Option(metavar="ID|NAME", help="Only in this theme (repeatable).")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="Only from 10:00 on.")
    ] = None,
    end: Annotated[
        str | None, typer.Option("--to", metavar="TIME", help="Only up to 1:10:00.")
    ] = None,
    min_length: Annotated[
        str | None, typer.Option(metavar="TIME", help="Only moments of at least 5s.")
    ] = None,
    recorded_after: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Recorded since 2026-05-01T14:00.")
    ] = None,
    recorded_before: Annotated[
        str | None, typer.Option(metavar="WHEN", help="Recorded before 2026-05-01T18:00.")
    ] = None,
    no_experts: Annotated[
        bool, typer.Option("--no-experts", help="Leave trained experts out.")
    ] = False,
    as_json: JsonOption = False,
    as_csv: Annotated[bool, typer.Option("--csv", help="Print CSV.")] = False,
    as_edl: Annotated[bool, typer.Option("--edl", help="Print a CMX 3600 EDL.")] = False,
    as_otio: Annotated[bool, typer.Option("--otio", help="Print OpenTimelineIO.")] = False,
    as_srt: Annotated[bool, typer.Option("--srt", help="Print subtitles.")] = False,
    as_paths: Annotated[
        bool, typer.Option("--paths", help="Print path, start and end, with tabs between.")
    ] = False,
    clip: Annotated[
        Path | None,
        typer.Option(metavar="DIR", help="Cut the moments into files, copied from a key frame on."),
    ] = None,
    clip_exact: Annotated[
        bool, typer.Option("--clip-exact", help="Encode the clips again, exact to the frame.")
    ] = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Find moments by words, pictures, moments, or a query over time."""
    from semantic_video.asking import Filters, Request, moment_of_time, part_of
    from semantic_video.search import Searcher, read_queries
    from semantic_video.signal_fusion import signals_named

    form = chosen_form(
        json=as_json, csv=as_csv, edl=as_edl, otio=as_otio, srt=as_srt, paths=as_paths
    )
    parts = [part_of(text, "image") for text in image or ()]
    parts += [part_of(text, "moment") for text in like or ()]
    parts += [part_of(text) for text in plus or ()]
    parts += [part_of(text, sign=-1) for text in minus or ()]
    marking = bool(right or wrong)
    asked = query is not None or bool(image or like or plus)
    if (queries is not None) + (asked or bool(minus)) + marking != 1:
        raise QueryError(
            'say what to find: `search "a dog"`, or --image FILE, or --like FILM@TIME, or '
            "--queries FILE; or mark moments of the last search with --right and --wrong"
        )
    if not asked and minus:
        raise QueryError("--minus takes away from something: say what to find as well")
    if k is not None and k < 1:
        raise QueryError(f"-k {k}: ask for at least 1 moment")
    if k is not None and k > _MOST:
        raise QueryError(f"-k {k}: --all lists every occurrence, however many")
    named = save_as is None or (save_as.isprintable() and save_as.strip("@ "))
    if not named or (save_as is not None and queries is not None):
        raise QueryError("--save-as gives one search a name: --save-as my-dog")
    if clip_exact and clip is None:
        raise QueryError("--clip-exact goes with --clip DIR")
    texts = [query or ""] if queries is None else read_queries(queries)
    if any(not text.strip() for text in texts) and not parts and not marking:
        raise QueryError('the query is empty; say what to find, for instance "a dog on a beach"')
    filters = Filters(
        start_s=_seconds(start, "--from") or 0.0,
        end_s=math.inf if end is None else _seconds(end, "--to"),
        clusters=tuple(cluster or ()),
        themes=tuple(theme or ()),
        min_length_s=_seconds(min_length, "--min-length") or 0.0,
        recorded_after=moment_of_time(recorded_after) if recorded_after else None,
        recorded_before=moment_of_time(recorded_before) if recorded_before else None,
    )
    ranks = _ranks(right, "--right"), _ranks(wrong, "--wrong")
    requests = [Request(text, tuple(parts), plain=plain) for text in texts]
    reporter = Reporter(quiet, verbose)
    for request in requests:
        _say_how_read(request, reporter)
    spelt_out = [request for request in requests if not request.text.startswith("@")]
    searcher = Searcher(
        load_options(config, library),
        video or [],
        reporter.note,
        experts=not no_experts,
        ahead=list(dict.fromkeys(p for own in spelt_out for p in own.phrases())),
    )
    if marking:
        requests = [searcher.marked(*ranks)]
    else:
        requests = [_with_saved(request, searcher) for request in requests]
    requests = [
        replace(
            own,
            filters=filters,
            k=k,
            exact=exact,
            every=every,
            spread=spread,
            signals=signals_named(within),
        )
        for own in requests
    ]
    answers = searcher.ask(requests)
    if queries is None:
        searcher.remember(requests[0], answers[0], save_as and save_as.strip("@ "))
    if clip is not None:
        cut_clips(answers, clip, clip_exact, reporter)
    print_answers(answers, form, searcher.records, reporter)


def _with_saved(request: Request, searcher: Searcher) -> Request:
    """The request, with what is saved under the name that it calls: `@my-dog`."""
    if request.plain or not request.text.startswith("@"):
        return request
    saved = searcher.saved(request.text.strip("@ "))
    return replace(saved, parts=saved.parts + request.parts)


def _say_how_read(request: Request, reporter: Reporter) -> None:
    """Say where a query is read in another way than it is written."""
    from semantic_video.queries import caption_from_query
    from semantic_video.query_language import Term, parse
    from semantic_video.spelling import mended

    if request.text.startswith("@") and not request.plain:
        return
    if request.text.strip():
        tree = parse(request.text, request.plain)
        if not isinstance(tree, Term):
            reporter.detail(f"reading {tree} (--plain reads one phrase)")
    for phrase in request.phrases():
        caption = caption_from_query(phrase)
        if mended(caption) != caption:
            reporter.note(f"reading {caption!r} as {mended(caption)!r}")


def _seconds(text: str | None, option: str) -> float:
    from semantic_video.query_language.times import seconds_of

    if text is None:
        return 0.0
    seconds = seconds_of(text, bare=True)
    if seconds is None:
        raise QueryError(f"{option} {text!r} is no time: write 10:00, 1:02:03 or 90s")
    return seconds


def _ranks(texts: list[str] | None, option: str) -> list[int]:
    """Ranks as people list them: 1,3 or 2-5."""
    ranks: list[int] = []
    for item in re.split(r"[,\s]+", ",".join(texts or ())):
        match = re.fullmatch(r"(\d{1,6})(?:-(\d{1,6}))?", item)
        first, last = (int(match[1]), int(match[2] or match[1])) if match else (1, 0)
        if first <= last:
            ranks += range(first, last + 1)
        elif item:
            raise QueryError(f"{option} {item!r}: name moments by rank, such as 1,3 or 2-5")
    return ranks
