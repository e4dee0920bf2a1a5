"""The command line: one function a command, thin over the library and the processor.

Standard output carries results only. What a user can act on ends as one line on standard error
and exit status 2; 1 says that some of several files failed and the others are indexed.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from typing import Annotated

import typer

from semantic_video import __version__
from semantic_video.cli.output import print_result
from semantic_video.cli.terminal import printable
from semantic_video.errors import SemanticVideoError

_COMMANDS = {
    "index": "index",
    "search": "search",
    "ask": "ask",
    "queries": "queries",
    "scenes": "contents",
    "clusters": "contents",
    "edit": "edit",
    "show": "show",
    "report": "show",
    "memory": "memory",
    "train": "train",
    "watch": "watch",
    "list": "catalogue",
    "info": "catalogue",
    "remove": "catalogue",
    "doctor": "catalogue",
    "models": "models",
}
"""Every command, in the order of the help, and the module that holds it."""

INTERRUPTED = 130


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; its exit status comes back."""
    for stream in (sys.stdout, sys.stderr):
        if stream is not None:  # closed by the caller
            # File names may hold what the terminal's encoding cannot say.
            stream.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    arguments = list(sys.argv[1:] if arguments is None else arguments)
    try:
        status = _app(arguments)(
            args=arguments or ["--help"], standalone_mode=False, prog_name="semantic-video"
        )
    except typer.TyperException as error:
        message = error.format_message().rstrip(".")
        return _fail(f"{message}; see `{_asked(error, arguments)} --help`", error.exit_code)
    except SemanticVideoError as error:
        return _fail(str(error).removesuffix(f"\n{error.place}"), place=error.place)
    except typer.Abort:  # a question was not answered
        return _fail("stopped; nothing was done")
    if status == INTERRUPTED:  # what typer makes of Ctrl-C
        raise KeyboardInterrupt
    return status if isinstance(status, int) else 0


def _asked(error: typer.TyperException, arguments: Sequence[str]) -> str:
    """The command whose help says how it is to be asked."""
    context = getattr(error, "ctx", None)
    if context is not None:
        return str(context.command_path)
    # A misused option does not say whose it is.
    return " ".join(["semantic-video", *(name for name in arguments[:1] if name in _COMMANDS)])


def _fail(message: str, status: int = 2, place: str = "") -> int:
    print(f"semantic-video: {printable(message)}", *place.splitlines(), sep="\n", file=sys.stderr)
    return status


def _app(arguments: Sequence[str]) -> typer.Typer:
    """The command line; only with the command that is asked for, where one is.

    Typer reads the signature of every command there is, and each brings its imports: half of the
    time that a short command takes.
    """
    app = typer.Typer(
        help="A memory for long videos: find moments by what they show.",
        add_completion=False,
        rich_markup_mode=None,
        pretty_exceptions_enable=False,
    )
    app.callback()(_common)
    named = arguments[0] if arguments else ""
    for name in (named,) if named in _COMMANDS else _COMMANDS:
        module = import_module(f"semantic_video.cli.{_COMMANDS[name]}")
        command = getattr(module, "list_videos" if name == "list" else name)
        if isinstance(command, typer.Typer):
            app.add_typer(command, name=name)
        else:
            app.command(name)(command)
    return app


def _version(wanted: bool) -> None:
    if wanted:
        print_result(f"semantic-video {__version__}")
        raise typer.Exit


def _common(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version.")
    ] = False,
) -> None:
    """A memory for long videos: find moments by what they show."""
