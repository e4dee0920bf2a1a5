"""`train`: experts for the categories of a video's scenes."""

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
from semantic_video.cli.terminal import Reporter, printable


def train(
    videos: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="VIDEO...", help="A path, a file name, or an id from `list`; several together."
        ),
    ] = None,
    every: Annotated[
        bool, typer.Option("--all", help="All videos of the library together.")
    ] = False,
    epochs: Annotated[int, typer.Option(metavar="N", help="Gradient steps.")] = 30,
    objective: Annotated[
        str, typer.Option(metavar="NAME", help="recurrence, scene or shotcol.")
    ] = "recurrence",
    num_experts: Annotated[
        int | None, typer.Option(metavar="N", help="Default: one a cluster.")
    ] = None,
    top_k: Annotated[int, typer.Option(metavar="N", help="Experts that share a vector.")] = 8,
    seed: Annotated[int, typer.Option(metavar="N", help="Makes training repeatable.")] = 0,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Train experts on videos, without labels; what does not help on held-out time stays off."""
    from semantic_video.encoders import load_encoder
    from semantic_video.errors import QueryError
    from semantic_video.expert_training import train_videos
    from semantic_video.moe_experts.training import TrainingOptions, require_torch

    if bool(videos) == every:
        raise QueryError("say what to train on: `train VIDEO`, or `train --all`")
    training = TrainingOptions(epochs, objective, num_experts, top_k, seed)  # type: ignore[arg-type]
    require_torch()
    options = load_options(config, library)
    shelf = open_library(options)
    records = (
        shelf.videos() if every else [shelf.resolve(video) for video in dict.fromkeys(videos or [])]
    )
    if not records:
        raise QueryError("the library is empty: fill it with `semantic-video index PATH`")
    records = list({record.id: record for record in records}.values())
    encoder = load_encoder(
        records[0].model_id, threads=options.encoder.threads, device=options.encoder.device
    )
    with Reporter(quiet, verbose) as reporter:
        reporter.start(printable(records[0].name))
        report = train_videos(shelf, records, encoder, training, reporter.progress, reporter.note)
        for name, figure in report.held_out_variants.items():
            reporter.detail(f"  adapt, {name}: {figure:.3f} on held-out time")
        if report.jobs["compress"].on:
            reporter.note("`semantic-video index ... --compression experts` keeps codes")
    if as_json:
        print_json(report.as_dict())
    else:
        print_result(str(report))
