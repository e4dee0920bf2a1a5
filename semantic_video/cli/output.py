"""Results on standard output: text, tables and JSON, and what happens when nobody reads them."""

from __future__ import annotations

import json
import os
import sys
from typing import Any

import typer

from semantic_video.errors import OutputError


def print_result(text: str) -> None:
    """Print a result, now, so that a failure to write it is ours to report."""
    try:
        print(text, flush=True)
    except BrokenPipeError:  # its reader went away (`| head`): not our failure
        discard_output()
        raise typer.Exit from None  # typer would make status 1 of the error itself
    except OSError as error:
        discard_output()
        raise OutputError(f"cannot write the results: {error.strerror}") from error


def print_json(value: Any) -> None:
    """Print one line of JSON, in ASCII, so that it is valid whatever the output's encoding."""
    print_result(json.dumps(value))


def discard_output() -> None:
    """Let Python's own flush at the end succeed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
