"""`show` and `report`: pictures of one video."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Annotated, cast

import typer

from semantic_video.cli.opening import load_options, open_library
from semantic_video.cli.options import (
    ConfigOption,
    JsonOption,
    LibraryOption,
    QuietOption,
    VerboseOption,
    VideoArgument,
)
from semantic_video.cli.output import print_json, print_result
from semantic_video.errors import ConfigError
from semantic_video.records import Span

_PIPED_WIDTH = 100


def show(
    video: VideoArgument,
    what: Annotated[
        str | None,
        typer.Option(
            metavar="W", help="timeline, map, sheet, themes, memory, experts or query; none: text."
        ),
    ] = None,
    output: Annotated[
        Path | None,
        typer.Option("--output", "-o", metavar="FILE", help="The picture: .png, .svg or .pdf."),
    ] = None,
    query: Annotated[
        str | None, typer.Option(metavar="TEXT", help="What `--what query` looks for.")
    ] = None,
    start: Annotated[
        str | None, typer.Option("--from", metavar="TIME", help="From here on: 90, 1:30, 0:01:30.")
    ] = None,
    end: Annotated[str | None, typer.Option("--to", metavar="TIME", help="Up to here.")] = None,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Draw a video: timeline, map, contact sheet, themes, memory, experts, or a query's answers."""
    from semantic_video.pictures import KINDS, Pictures, What

    if query is not None and what is None:
        what = "query"
    if query is not None and what != "query":
        raise ConfigError(f"--query belongs to --what query, not to --what {what}")
    if what is not None and what not in KINDS:
        raise ConfigError(f"--what {what}: there are {', '.join(KINDS)}")
    if what is not None and output is None:
        raise ConfigError(f"say where to draw it: -o {what}.png")
    if what is None and output is not None:
        raise ConfigError(f"say what to draw: --what with one of {', '.join(KINDS)}")
    options = load_options(config, library)
    shelf = open_library(options)
    pictures = Pictures.of(shelf, shelf.resolve(video), options)
    window = _window(start, end, pictures.duration_s)
    if what is None or output is None:
        if as_json:
            _, clusters = pictures.within(window)
            print_json([cluster.as_dict() for cluster in clusters])
        else:
            width = shutil.get_terminal_size((_PIPED_WIDTH, 24)).columns
            print_result(pictures.text(width, window=window, plain=not _shows("█·×")))
        return
    path = pictures.draw(cast("What", what), output, query=query, window=window).resolve()
    if as_json:
        print_json({"what": what, "path": str(path)})
    else:
        print_result(str(path))


def report(
    video: VideoArgument,
    output: Annotated[
        Path | None, typer.Option("--output", "-o", metavar="FILE", help="The page: .html.")
    ] = None,
    query: Annotated[
        list[str] | None,
        typer.Option(metavar="TEXT", help="Also show the answers to this; may be repeated."),
    ] = None,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Write one page about a video: timeline, contact sheet, text, themes, map, memory, experts.

    With a search box, and the film to play.

    It needs no network. Move it together with the film, which it plays from where it lies.
    """
    from semantic_video.pictures import Pictures

    if output is None:
        raise ConfigError("say where to write it: -o report.html")
    if output.suffix.lower() not in {".html", ".htm"}:
        raise ConfigError(f"cannot write a report as {output.name!r}: end it in .html")
    options = load_options(config, library)
    shelf = open_library(options)
    pictures = Pictures.of(shelf, shelf.resolve(video), options)
    path = pictures.report(output, queries=query or ()).resolve()
    if as_json:
        print_json({"what": "report", "path": str(path)})
    else:
        print_result(str(path))


def _window(start: str | None, end: str | None, duration_s: float) -> Span | None:
    if start is None and end is None:
        return None
    first = 0.0 if start is None else _seconds(start, "--from")
    last = max(duration_s, first) if end is None else _seconds(end, "--to")
    if end is not None and first >= last:
        raise ConfigError(f"--from {start or 0} lies behind --to {end}")
    return Span(first, last)


def _seconds(text: str, option: str) -> float:
    from semantic_video.query_language.times import seconds_of

    seconds = seconds_of(text, bare=True)
    if seconds is None:
        raise ConfigError(f"{option} {text}: write a time as 90, 1:30 or 0:01:30")
    return seconds


def _shows(text: str) -> bool:
    """Whether the output's encoding has these characters."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return False
    return True
