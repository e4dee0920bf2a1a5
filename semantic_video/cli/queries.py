"""`queries`: what was saved with `search ... --save-as NAME`."""

from __future__ import annotations

from typing import Annotated

import typer

from semantic_video.cli.opening import load_options, open_library
from semantic_video.cli.options import (
    ConfigOption,
    JsonOption,
    LibraryOption,
    QuietOption,
    VerboseOption,
)
from semantic_video.cli.output import print_json, print_result
from semantic_video.cli.terminal import Reporter, table


def queries(
    remove: Annotated[
        list[str] | None, typer.Option(metavar="NAME", help="Forget this one (repeatable).")
    ] = None,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """List saved queries; `search @NAME` asks one."""
    from semantic_video.asking import Request

    shelf = open_library(load_options(config, library))
    reporter = Reporter(quiet, verbose)
    for name in remove or ():
        shelf.remove_query(name.removeprefix("@"), reporter.note)
        reporter.note(f"forgot {name}")
    if remove:
        return
    saved = [
        {
            "name": query.name,
            "query": Request.from_dict(query.request).label(),
            "right": sum(mark.right for mark in query.marks),
            "wrong": sum(not mark.right for mark in query.marks),
            "saved_at": query.saved_at,
        }
        for query in shelf.saved_queries()
    ]
    if as_json:
        print_json(saved)
        return
    header = ("name", "query", "right", "wrong", "saved_at")
    print_result(table(header, [list(own.values()) for own in saved], right="right wrong"))
