"""Corrections by hand: `edit`."""

from __future__ import annotations

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
from semantic_video.cli.terminal import printable


def edit(
    video: VideoArgument,
    merge: Annotated[
        tuple[int, int] | None, typer.Option(metavar="A B", help="Two clusters become one.")
    ] = None,
    split: Annotated[
        int | None, typer.Option(metavar="A", help="A cluster becomes the two that differ most.")
    ] = None,
    rename: Annotated[
        tuple[int, str] | None, typer.Option(metavar="A NAME", help="A cluster gets a name.")
    ] = None,
    together: Annotated[
        tuple[int, int] | None, typer.Option(metavar="S1 S2", help="Two scenes, one cluster.")
    ] = None,
    apart: Annotated[
        tuple[int, int] | None, typer.Option(metavar="S1 S2", help="Two scenes, two clusters.")
    ] = None,
    undo: Annotated[bool, typer.Option("--undo", help="Take the last correction back.")] = False,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Correct the clusters of a video by hand; corrections outlive another grouping."""
    from semantic_video import editing

    change = editing.one_change(merge, split, rename, together, apart, undo)
    shelf, record = open_video(config, library, video)
    before = load_memory(shelf, record)
    record, memory = editing.edit_video(shelf, record, change)
    earlier = {(cluster.name, cluster.scenes) for cluster in before.clusters()}
    changed = [c for c in memory.clusters() if (c.name, c.scenes) not in earlier]
    count = len(memory.clustering.corrections)
    if as_json:
        print_json(
            {
                "version": 1,
                "video": record.id,
                "corrections": [c.as_dict() for c in memory.clustering.corrections],
                "clusters": record.clusters,
                "changed": [cluster.as_dict() for cluster in changed],
            }
        )
        return
    for cluster in changed:
        scenes = f"{len(cluster.scenes)} scene{'s' * (len(cluster.scenes) != 1)}"
        print_result(f"cluster {cluster.id}: {printable(cluster.name)}, {scenes}")
    if not changed:
        print_result("no cluster changed: they were so already")
    print_result(f"{record.clusters} clusters, {count} correction{'s' * (count != 1)} by hand")
