"""`watch`: a camera, pipe or stream, searchable while it goes on."""

from __future__ import annotations

import signal
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semantic_video.cli.memory import again_line
from semantic_video.cli.opening import load_options
from semantic_video.cli.options import (
    ConfigOption,
    JsonOption,
    LibraryOption,
    QuietOption,
    VerboseOption,
)
from semantic_video.cli.output import print_json
from semantic_video.cli.terminal import Reporter
from semantic_video.utils.telling import clock, counted

if TYPE_CHECKING:
    from semantic_video.memory_hierarchy.again import Again
    from semantic_video.watching import SceneSeen


def watch(
    source: Annotated[
        str,
        typer.Argument(
            metavar="SOURCE",
            help="A file, a pipe, - for standard input, a camera, or an address (RTSP, HTTP, UDP).",
        ),
    ],
    model: Annotated[str | None, typer.Option(metavar="ID", help="Image-text model.")] = None,
    memory_size: Annotated[
        int | None, typer.Option(metavar="N", help="At most so many entries.")
    ] = None,
    follow: Annotated[
        float,
        typer.Option(
            metavar="SECONDS", min=0, help="Read a growing file on until it rests so long."
        ),
    ] = 0.0,
    retries: Annotated[
        int | None,
        typer.Option(metavar="N", min=0, help="How often a lost stream is sought again."),
    ] = None,
    fresh: Annotated[
        bool, typer.Option("--fresh", help="Forget what was seen at this address before.")
    ] = False,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Watch a video that need not end, in constant memory, until Ctrl-C.

    It can be searched meanwhile from another process. A stream that is lost is sought again, and
    the gap is noted. With --json, a line for each scene.
    """
    from semantic_video.encoders import load_encoder, obtain
    from semantic_video.library import Library
    from semantic_video.watching import Watcher, live_source

    # Ended by another program it finishes as cleanly as by Ctrl-C.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    with Reporter(quiet, verbose) as reporter:
        if model is not None:
            model = obtain(model, note=reporter.note)
        asked: dict[str, dict[str, Any]] = {
            "encoder": {} if model is None else {"model": model},
            "memory": {} if memory_size is None else {"memory_size": memory_size},
            "watching": {} if retries is None else {"retries": retries},
        }
        options = load_options(config, library).override(asked, source="the command line")
        encoder = load_encoder(
            options.encoder.model, threads=options.encoder.threads, device=options.encoder.device
        )
        seen_scenes = 0

        def tell(seen: SceneSeen, again: Again | None) -> None:
            nonlocal seen_scenes
            seen_scenes += 1
            if as_json:
                print_json(
                    {
                        "start_s": seen.span.start_s,
                        "end_s": seen.span.end_s,
                        "returns_from": [one._asdict() for one in seen.returns],
                    }
                )
            if again is not None:
                reporter.note(f"{clock(seen.span.start_s)} {again_line(again)}")
            elif not seen.returns:
                reporter.detail(f"{clock(seen.span.start_s)} new")

        live = live_source(source, options, encoder, reporter.note, follow)
        live.connect()  # before there is a library: what cannot be watched leaves none
        watcher = Watcher(
            live,
            options,
            encoder,
            Library(options.library, create=True),
            on_scene=tell,
            note=reporter.note,
            fresh=fresh,
        )
        record = watcher.run()
        reporter.note(
            f"{record.name}: {clock(record.duration_s)}, {counted(seen_scenes, 'scene')} seen, "
            f"{record.entries} kept as entries in "
            f"{counted(record.clusters, 'cluster')}, id {record.id}"
        )
