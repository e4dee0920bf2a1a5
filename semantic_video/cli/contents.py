"""What one video shows: `scenes` and `clusters`."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Annotated

import typer

from semantic_video.cli.opening import load_memory, open_video
from semantic_video.cli.options import (
    ConfigOption,
    JsonOption,
    LibraryOption,
    QuietOption,
    VerboseOption,
    VideoArgument,
)
from semantic_video.cli.output import print_json, print_result
from semantic_video.cli.terminal import printable, table
from semantic_video.records import Theme
from semantic_video.utils.telling import clock


def scenes(
    video: VideoArgument,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """List the scenes of a video; they tile its timeline."""
    shelf, record = open_video(config, library, video)
    memory = load_memory(shelf, record)
    if as_json:
        print_json([scene.as_dict() for scene in memory.scenes()])
        return
    names = memory.names
    rows = [
        (
            scene.id,
            f"{clock(scene.start_s)}-{clock(scene.end_s)}",
            scene.cluster,
            names[scene.cluster],
        )
        for scene in memory.scenes()
    ]
    print_result(table(("scene", "time", "cluster", "name"), rows, right="scene cluster"))


def clusters(
    video: VideoArgument,
    themes: Annotated[
        bool, typer.Option("--themes", help="As a tree: themes, and the clusters in them.")
    ] = False,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """List what a video shows: its clusters, and every time each one occurs."""
    shelf, record = open_video(config, library, video)
    memory = load_memory(shelf, record)
    if themes:
        tree = memory.themes()
        if as_json:
            print_json([theme.as_dict() for theme in tree])
        else:
            print_result("\n".join(line for theme in tree for line in _tree(theme, memory.names)))
        return
    found = memory.clusters()
    if as_json:
        print_json([cluster.as_dict() for cluster in found])
        return
    rows = [
        (
            cluster.id,
            cluster.name,
            len(cluster.scenes),
            clock(cluster.total_s),
            " ".join(f"{clock(span.start_s)}-{clock(span.end_s)}" for span in cluster.occurrences),
        )
        for cluster in sorted(found, key=lambda cluster: -cluster.total_s)
    ]
    header = ("cluster", "name", "scenes", "total", "occurrences")
    print_result(table(header, rows, right="cluster scenes total"))


def _tree(theme: Theme, names: Sequence[str]) -> Iterator[str]:
    """A theme and what is in it, a line each, indented by level."""
    times = len(theme.occurrences)
    seen = f"{clock(theme.total_s)}, {times} time{'s' * (times != 1)}"
    yield f"{'  ' * theme.level}{printable(theme.name)} ({seen})"
    for child in theme.children:
        yield from _tree(child, names)
    if not theme.children:
        for cluster in theme.clusters:
            yield f"{'  ' * (theme.level + 1)}{cluster} {printable(names[cluster])}"
