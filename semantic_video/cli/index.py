"""`index`: make videos searchable."""

from __future__ import annotations

import contextlib
import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semantic_video.cli.jobs import index_films
from semantic_video.cli.memory import again_lines
from semantic_video.cli.opening import load_memory, load_options
from semantic_video.cli.options import (
    ConfigOption,
    JsonOption,
    LibraryOption,
    QuietOption,
    VerboseOption,
)
from semantic_video.cli.output import print_json
from semantic_video.cli.terminal import Reporter
from semantic_video.config import Config
from semantic_video.errors import ConfigError, VideoError
from semantic_video.utils.telling import clock, counted

if TYPE_CHECKING:
    from semantic_video.indexer import IndexReport
    from semantic_video.library import Library, VideoRecord


def index(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Video files and folders of them.")
    ],
    model: Annotated[str | None, typer.Option(metavar="ID", help="Image-text model.")] = None,
    num_clusters: Annotated[
        str | None, typer.Option(metavar="N|auto", help="Number of clusters.")
    ] = None,
    clustering_method: Annotated[
        str | None, typer.Option(metavar="M", help="kmeans, spectral, hdbscan or agglomerative.")
    ] = None,
    memory_size: Annotated[
        int | None, typer.Option(metavar="N", help="At most so many entries a video.")
    ] = None,
    compression: Annotated[
        str | None,
        typer.Option(metavar="none|experts", help="Keep vectors, or codes where they take less."),
    ] = None,
    depth: Annotated[
        str | None, typer.Option(metavar="quick|auto|full", help="How much is decoded.")
    ] = None,
    decoder: Annotated[
        str | None, typer.Option(metavar="auto|cpu|cuda", help="What decodes: cuda is a GPU.")
    ] = None,
    cpu: Annotated[
        str | None, typer.Option(metavar="N%", help="Share of the cores to take, as 50%.")
    ] = None,
    nice: Annotated[
        int | None, typer.Option(metavar="N", help="Lower the priority, 0 to 19.")
    ] = None,
    jobs: Annotated[
        int | None, typer.Option(metavar="N", help="Videos indexed at once, 1 to 64.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of the clustering.")] = None,
    ocr: Annotated[
        str | None, typer.Option(metavar="auto|all|off", help="Reading of text in the picture.")
    ] = None,
    speech_model: Annotated[
        str | None, typer.Option(metavar="ID", help="Folder or name of a faster-whisper model.")
    ] = None,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> int:
    """Index videos, so that their moments can be found.

    What is there is skipped; a changed file or option redoes just what it touches. Model, clusters,
    budget and seed stay as a video was indexed where you do not give them.
    """
    from semantic_video.encoders import load_encoder, obtain
    from semantic_video.library import Library
    from semantic_video.utils.pace import be_nice
    from semantic_video.utils.video_utils import find_videos
    from semantic_video.utils.video_utils.hardware import hardware_decoder

    if model is not None:
        model = obtain(model, note=Reporter(quiet, verbose).note)
    asked: dict[str, dict[str, Any]] = {
        "encoder": _given(model=model),
        "clustering": _given(
            method=clustering_method, num_clusters=_cluster_count(num_clusters), seed=seed
        ),
        "memory": _given(memory_size=memory_size, compression=compression),
        "reading": _given(depth=depth, decoder=decoder),
        "pace": _given(cpu=_share(cpu), nice=nice, jobs=jobs),
        "transcripts": _given(ocr=ocr, speech_model=speech_model),
    }
    options = load_options(config, library).override(asked, source="the command line")
    load_encoder(
        options.encoder.model, device=options.encoder.device
    )  # an unknown one is refused before anything is made
    hardware_decoder(options.reading.decoder)  # and so is a device that is not there
    be_nice(options.pace.nice)
    failures: list[VideoError] = []
    videos = find_videos(paths, on_error=failures.append)
    reports: list[IndexReport] = []
    with Reporter(quiet, verbose) as reporter:
        shelf = Library(options.library, create=True) if videos else None
        if shelf is not None:
            reports = _indexed(videos, shelf, options, reporter, failures)
        if shelf is not None and any(report.done for report in reports):
            shelf.maintain(on_wait=reporter.note)
        if failures and not reports:
            raise VideoError("; ".join(map(str, failures)))
        for failure in failures:
            reporter.failure(str(failure))
    if as_json:
        print_json([report.as_dict() for report in reports])
    return 1 if failures else 0


def _indexed(
    films: list[Path],
    shelf: Library,
    options: Config,
    reporter: Reporter,
    failures: list[VideoError],
) -> list[IndexReport]:
    """Index the films and say so: a report of each, in their order, but of those that failed."""
    reports: dict[Path, IndexReport] = {}
    with contextlib.closing(index_films(films, shelf, options, reporter)) as outcomes:
        for film, outcome in outcomes:
            if isinstance(outcome, VideoError):
                failures.append(outcome)
                continue
            reports[film] = outcome
            _report_index(outcome, reporter)
            if reporter.verbose and "memory" in outcome.done:
                _report_returns(shelf, outcome, reporter)
    return [reports[film] for film in films if film in reports]


def _report_index(report: IndexReport, reporter: Reporter) -> None:
    record = report.record
    reporter.note(_index_line(report))
    for note in notes_of(record):
        reporter.note(f"  note: {note}")
    reporter.detail(
        f"  {record.width}x{record.height} {record.codec}, model {record.model_id}, "
        f"{record.entries} entries with {record.exemplars} frame vectors, "
        f"decoded by {record.info.get('decoder', 'cpu')}, id {record.id}"
    )


def _report_returns(shelf: Library, report: IndexReport, reporter: Reporter) -> None:
    for line in again_lines(load_memory(shelf, report.record)):
        reporter.detail(f"  {line}")


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _cluster_count(text: str | None) -> int | str | None:
    if text is None or text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"--num-clusters {text}: use a whole number or auto") from None


def _share(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        share = float(text.removesuffix("%")) / 100
    except ValueError:
        share = math.nan
    if not text.endswith("%") or not 0.01 <= share <= 1:
        raise ConfigError(f"--cpu {text}: use a share of the cores from 1% to 100%, as 50%")
    return share


def _index_line(report: IndexReport) -> str:
    from semantic_video.indexing import STAGES

    record = report.record
    scenes, clusters = counted(record.scenes, "scene"), counted(record.clusters, "cluster")
    facts = f"{clock(record.duration_s)}, {scenes}, {clusters}"
    if not report.done:
        return f"{record.name}: {facts}; up to date, nothing to do"
    stages = ", ".join(report.done)
    if report.done[0] == "scenes":
        first = "indexed"
    else:
        first = f"{stages} {'made anew' if report.done[0] in STAGES else 'read'}"
    took = f"{record.name}: {facts}; {first} in {report.seconds:.1f} s"
    if "vectors" not in report.done:  # the film was not watched
        return took
    speed = f"{record.duration_s / report.seconds:.0f}x real time"
    return f"{took} ({speed}), {record.undecoded_s:.1f} s could not be decoded"


def notes_of(record: VideoRecord) -> list[str]:
    """What the user should know of a video beside the summary."""
    notes = list(record.notes)
    asked = record.settings["num_clusters"]
    if isinstance(asked, int) and record.clusters < asked:
        clusters = counted(record.clusters, "cluster")
        why = "there are no more different scenes, or some were merged by hand"
        notes.append(f"{clusters}, not {asked}: {why}")
    return notes
