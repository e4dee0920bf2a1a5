"""The command line: one function a command, thin over the library and the processor.

Standard output carries results only. What a user can act on ends as one line on standard error
and exit status 2; 1 says that some of several files failed and the others are indexed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from typing import Annotated

import typer

from semantic_video import __version__
from semantic_video.cli import catalogue, contents
from semantic_video.cli.ask import ask
from semantic_video.cli.edit import edit
from semantic_video.cli.index import index
from semantic_video.cli.memory import memory
from semantic_video.cli.models import models
from semantic_video.cli.output import print_result
from semantic_video.cli.queries import queries
from semantic_video.cli.search import search
from semantic_video.cli.show import report, show
from semantic_video.cli.terminal import printable
from semantic_video.cli.train import train
from semantic_video.cli.watch import watch
from semantic_video.errors import SemanticVideoError

app = typer.Typer(
    help="A memory for long videos: find moments by what they show.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.command()(index)
app.command()(search)
app.command()(ask)
app.command()(queries)
app.command()(contents.scenes)
app.command()(contents.clusters)
app.command()(edit)
app.command()(show)
app.command()(report)
app.command()(memory)
app.command()(train)
app.command()(watch)
app.command("list")(catalogue.list_videos)
app.command()(catalogue.info)
app.command()(catalogue.remove)
app.command()(catalogue.doctor)
app.add_typer(models, name="models")

INTERRUPTED = 130


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit status comes back."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed by the caller
            # File names may hold what the terminal's encoding cannot say.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = app(
            args=arguments or ["--help"], standalone_mode=False, prog_name="semantic-video"
        )
    except typer.TyperException as error:
        message = error.format_message().rstrip(".")
        return _fail(f"{message}; see `semantic-video --help`", error.exit_code)
    except SemanticVideoError as error:
        return _fail(str(error).removesuffix(f"\n{error.place}"), place=error.place)
    except typer.Abort:  # a question was not answered
        return _fail("stopped; nothing was done")
    if status == INTERRUPTED:  # what typer makes of Ctrl-C
        raise KeyboardInterrupt
    return status if isinstance(status, int) else 0


def _fail(message: str, status: int = 2, place: str = "") -> int:
    print(f"semantic-video: {printable(message)}", *place.splitlines(), sep="\n", file=sys.stderr)
    return status


def _version(wanted: bool) -> None:
    if wanted:
        print_result(f"semantic-video {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version.")
    ] = False,
) -> None:
    """A memory for long videos: find moments by what they show."""
