"""Options that every command of the command line takes, spelled once."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

LibraryOption = Annotated[
    str | None, typer.Option("--library", metavar="DIR", help="Where the index lies.")
]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", metavar="FILE", help="YAML file with options.")
]
QuietOption = Annotated[bool, typer.Option("--quiet", help="No notes, no progress.")]
VerboseOption = Annotated[bool, typer.Option("--verbose", help="More notes.")]
JsonOption = Annotated[bool, typer.Option("--json", help="Print JSON.")]
VideoArgument = Annotated[
    str, typer.Argument(metavar="VIDEO", help="A path, a file name, or an id from `list`.")
]
