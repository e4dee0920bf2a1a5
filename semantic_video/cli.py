"""The command line: one function a command, thin over the library and the processor.

Standard output carries results only. What a user can act on ends as one line on standard error
and exit status 2; 1 says that some of several files failed and the others are indexed.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from semantic_video import __version__
from semantic_video.cli_options import (
    ConfigOption,
    JsonOption,
    LibraryOption,
    QuietOption,
    VerboseOption,
)
from semantic_video.config import Config, load_config
from semantic_video.errors import (
    ConfigError,
    OutputError,
    QueryError,
    SemanticVideoError,
    VideoError,
)
from semantic_video.models_cli import models
from semantic_video.terminal import Reporter, clock, plural, printable, size, table

if TYPE_CHECKING:
    from semantic_video.library import Library, VideoRecord
    from semantic_video.memory_hierarchy import MemoryHierarchy
    from semantic_video.scene_retrieval import Moments
    from semantic_video.video_processor import IndexReport

app = typer.Typer(
    help="A memory for long videos: find moments by what they show.",
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)
app.add_typer(models, name="models")

INTERRUPTED = 130

VideoArgument = Annotated[
    str, typer.Argument(metavar="VIDEO", help="A path, a file name, or an id from `list`.")
]


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
        return _fail(str(error))
    except typer.Abort:  # a question was not answered
        return _fail("stopped; nothing was done")
    except BrokenPipeError:
        _discard_output()  # its reader went away (`| head`): not our failure
        return 0
    if status == INTERRUPTED:  # what typer makes of Ctrl-C
        raise KeyboardInterrupt
    return status if isinstance(status, int) else 0


def _fail(message: str, status: int = 2) -> int:
    print(f"semantic-video: {printable(message)}", file=sys.stderr)
    return status


def _print(text: str) -> None:
    """Print a result, now, so that a failure to write it is ours to report."""
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        _discard_output()
        raise OutputError(f"cannot write the results: {error.strerror}") from error


def _print_json(value: Any) -> None:
    # In ASCII, so that it is valid whatever the encoding of the output.
    _print(json.dumps(value))


def _discard_output() -> None:
    """Let Python's own flush at the end succeed."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _version(wanted: bool) -> None:
    if wanted:
        print(f"semantic-video {__version__}")
        raise typer.Exit


@app.callback()
def _common(
    version: Annotated[
        bool, typer.Option("--version", is_eager=True, callback=_version, help="Print the version.")
    ] = False,
) -> None:
    """A memory for long videos: find moments by what they show."""


@app.command()
def index(
    paths: Annotated[
        list[str], typer.Argument(metavar="PATH...", help="Video files and folders of them.")
    ],
    model: Annotated[str | None, typer.Option(metavar="ID", help="Image-text model.")] = None,
    num_clusters: Annotated[
        str | None, typer.Option(metavar="N|auto", help="Number of clusters.")
    ] = None,
    clustering_method: Annotated[
        str | None, typer.Option(metavar="M", help="kmeans or spectral.")
    ] = None,
    memory_size: Annotated[
        int | None, typer.Option(metavar="N", help="At most so many entries a video.")
    ] = None,
    seed: Annotated[int | None, typer.Option(metavar="N", help="Seed of the clustering.")] = None,
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
    from semantic_video.utils.video_utils import find_videos

    if model is not None:
        model = obtain(model, note=Reporter(quiet, verbose).note)
    asked: dict[str, dict[str, Any]] = {
        "encoder": _given(model=model),
        "clustering": _given(
            method=clustering_method, num_clusters=_cluster_count(num_clusters), seed=seed
        ),
        "memory": _given(memory_size=memory_size),
    }
    options = _options(config, library).override(asked, source="the command line")
    load_encoder(
        options.encoder.model, device=options.encoder.device
    )  # an unknown one is refused before anything is made
    failures: list[VideoError] = []
    videos = find_videos(paths, on_error=failures.append)
    reports: list[IndexReport] = []
    with Reporter(quiet, verbose) as reporter:
        shelf = Library(options.library, create=True) if videos else None
        for film in videos:
            assert shelf is not None
            reporter.start(film.name)
            try:
                report = _index_one(film, shelf, options, reporter)
            except VideoError as error:
                failures.append(error)
                continue
            reports.append(report)
            _report_index(report, reporter)
        if shelf is not None and any(report.done for report in reports):
            shelf.maintain(on_wait=reporter.note)
        if failures and not reports:
            raise VideoError("; ".join(map(str, failures)))
        for failure in failures:
            reporter.failure(str(failure))
    if as_json:
        _print_json([report.as_dict() for report in reports])
    return 1 if failures else 0


@app.command()
def search(
    query: Annotated[str | None, typer.Argument(help="What the moment shows.")] = None,
    k: Annotated[int | None, typer.Option("-k", metavar="N", help="Moments to print.")] = None,
    image: Annotated[
        Path | None, typer.Option(metavar="FILE", help="Find what this picture shows.")
    ] = None,
    queries: Annotated[
        Path | None, typer.Option(metavar="FILE", help="A query a line, `-` for standard input.")
    ] = None,
    exact: Annotated[bool, typer.Option("--exact", help="Score every scene.")] = False,
    video: Annotated[
        list[str] | None, typer.Option(metavar="VIDEO", help="Search only this (repeatable).")
    ] = None,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Find moments by text or by a picture."""
    from semantic_video.queries import caption_from_query
    from semantic_video.search import Searcher, read_queries
    from semantic_video.spelling import mended

    if sum(source is not None for source in (query, image, queries)) != 1:
        raise QueryError('say what to find: `search "a dog"`, or --image FILE, or --queries FILE')
    if k is not None and k < 1:
        raise QueryError(f"-k {k}: ask for at least 1 moment")
    texts = [query] if query is not None else read_queries(queries) if queries is not None else []
    if any(not text.strip() for text in texts):
        raise QueryError('the query is empty; say what to find, for instance "a dog on a beach"')
    reporter = Reporter(quiet, verbose)
    for text in texts:
        caption = caption_from_query(text)
        if mended(caption) != caption:
            reporter.note(f"reading {caption!r} as {mended(caption)!r}")
    searcher = Searcher(_options(config, library), video or [], reporter.note)
    answers = [searcher.by_image(image, k, exact)] if image else searcher.by_texts(texts, k, exact)
    for answer in answers:
        if as_json:
            _print_json(answer.as_dict())
        else:
            _print_moments(answer, titled=len(answers) > 1)


@app.command()
def scenes(
    video: VideoArgument,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """List the scenes of a video; they tile its timeline."""
    shelf, record = _open(config, library, video)
    memory = _memory(shelf, record)
    if as_json:
        _print_json([scene.as_dict() for scene in memory.scenes()])
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
    _print(table(("scene", "time", "cluster", "name"), rows, right="scene cluster"))


@app.command()
def clusters(
    video: VideoArgument,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """List what a video shows: its clusters, and every time each one occurs."""
    shelf, record = _open(config, library, video)
    found = _memory(shelf, record).clusters()
    if as_json:
        _print_json([cluster.as_dict() for cluster in found])
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
    _print(table(header, rows, right="cluster scenes total"))


@app.command("list")
def list_videos(
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """List the videos of the library."""
    shelf = _library(_options(config, library))
    records = shelf.videos()
    if as_json:
        _print_json([record.as_dict() for record in records])
        return
    if not records and not quiet:
        print("the library is empty; fill it with `semantic-video index PATH`", file=sys.stderr)
    if not records:
        return
    rows = [
        (
            record.id,
            record.name,
            clock(record.duration_s),
            record.scenes,
            record.clusters,
            record.recorded_at or "-",
            "" if os.path.exists(record.path) else "offline",
        )
        for record in records
    ]
    header = ("id", "name", "duration", "scenes", "clusters", "recorded", "")
    _print(table(header, rows, right="duration scenes clusters"))


@app.command()
def info(
    video: VideoArgument,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Show what is known of one video."""
    shelf, record = _open(config, library, video)
    memory = _memory(shelf, record)
    facts = record.as_dict() | {
        "offline": not os.path.exists(record.path),
        "tiers": [asdict(tier) for tier in memory.tiers()],
    }
    if as_json:
        _print_json(facts)
        return
    speed = record.duration_s / record.index_seconds if record.index_seconds else 0.0
    lines = [
        ("id", record.id),
        ("file", f"{record.path}{' (offline)' if facts['offline'] else ''}"),
        ("size", size(record.size)),
        ("picture", f"{record.width}x{record.height}, {record.codec}"),
        ("duration", clock(record.duration_s)),
        ("recorded", record.recorded_at or "not in the file"),
        ("not decoded", f"{record.undecoded_s:.1f} s"),
        ("model", f"{record.model_id} ({record.dimension} dimensions)"),
        ("scenes", record.scenes),
        ("clusters", f"{record.clusters} ({memory.clustering.reason})"),
        ("entries", f"{record.entries} of {record.settings['memory_size']}"),
        ("indexed", f"{record.indexed_at}, {record.index_seconds:.1f} s, {speed:.0f}x real time"),
    ]
    lines += [("note", note) for note in _notes(record)]
    _print("\n".join(f"{name:12} {printable(str(value))}" for name, value in lines))


@app.command()
def remove(
    videos: Annotated[list[str], typer.Argument(metavar="VIDEO...", help="What to forget.")],
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Forget videos: their index is deleted, the files are not touched."""
    shelf = _library(_options(config, library))
    records = list({record.id: record for record in map(shelf.resolve, videos)}.values())
    with Reporter(quiet, verbose) as reporter:
        for record in records:
            shelf.remove(record.id, on_wait=reporter.note)
            reporter.note(f"{record.name}: forgotten; the file is untouched")
        shelf.maintain()
    if as_json:
        _print_json([record.id for record in records])


@app.command()
def doctor(
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> int:
    """Show what is installed, the model and its licence, codecs, the library's health."""
    from semantic_video.doctor import examine

    findings = examine(_options(config, library))
    status = 0 if all(finding.ok for finding in findings) else 1
    if as_json:
        _print_json([finding.as_dict() for finding in findings])
        return status
    for finding in findings:
        _print(f"{'ok ' if finding.ok else '!! '} {finding.what}: {printable(finding.state)}")
        if finding.advice:
            _print(f"     {printable(finding.advice)}")
    return status


def _options(config: Path | None, library: str | None) -> Config:
    options = load_config(config)
    if library is not None:
        options = options.override({"library": library}, source="--library")
    return options


def _library(options: Config) -> Library:
    from semantic_video.library import Library

    return Library(options.library)


def _open(config: Path | None, library: str | None, video: str) -> tuple[Library, VideoRecord]:
    shelf = _library(_options(config, library))
    return shelf, shelf.resolve(video)


def _memory(shelf: Library, record: VideoRecord) -> MemoryHierarchy:
    from semantic_video.stored_memory import memory_from_stored

    return memory_from_stored(shelf.load(record.id), record)


def _index_one(path: Path, shelf: Library, options: Config, reporter: Reporter) -> IndexReport:
    """Index one file; what was not asked for stays as the file was indexed before."""
    from semantic_video.indexing import with_settings_of
    from semantic_video.utils.video_utils.files import check_path
    from semantic_video.video_processor import SemanticVideoProcessor

    check_path(path)
    record, match = shelf.find(path)
    if record is not None and match != "changed":
        options = with_settings_of(record, options)
    return SemanticVideoProcessor(
        path,
        num_clusters=options.clustering.num_clusters,
        library=shelf,
        config=options,
        progress=reporter.progress,
        note=reporter.note,
    ).index()


def _report_index(report: IndexReport, reporter: Reporter) -> None:
    record = report.record
    reporter.note(_index_line(report))
    for note in _notes(record):
        reporter.note(f"  note: {note}")
    reporter.detail(
        f"  {record.width}x{record.height} {record.codec}, model {record.model_id}, "
        f"{record.entries} entries with {record.exemplars} frame vectors, id {record.id}"
    )


def _given(**options: Any) -> dict[str, Any]:
    return {name: value for name, value in options.items() if value is not None}


def _cluster_count(text: str | None) -> int | str | None:
    if text is None or text == "auto":
        return text
    try:
        return int(text)
    except ValueError:
        raise ConfigError(f"--num-clusters {text}: use a whole number or auto") from None


def _index_line(report: IndexReport) -> str:
    record = report.record
    scenes, clusters = plural(record.scenes, "scene"), plural(record.clusters, "cluster")
    facts = f"{clock(record.duration_s)}, {scenes}, {clusters}"
    if not report.done:
        return f"{record.name}: {facts}; up to date, nothing to do"
    first = "indexed" if report.done[0] == "scenes" else f"{', '.join(report.done)} made anew"
    speed = f"{record.duration_s / report.seconds:.0f}x real time"
    return (
        f"{record.name}: {facts}; {first} in {report.seconds:.1f} s ({speed}), "
        f"{record.undecoded_s:.1f} s could not be decoded"
    )


def _notes(record: VideoRecord) -> list[str]:
    """What the user should know of a video beside the summary."""
    notes = list(record.notes)
    asked = record.settings["num_clusters"]
    if isinstance(asked, int) and record.clusters < asked:
        clusters = plural(record.clusters, "cluster")
        notes.append(f"{clusters}, not {asked}: there are no more different scenes")
    return notes


def _print_moments(answer: Moments, titled: bool) -> None:
    if titled:
        _print(printable(f"{answer.query}:"))
    paths = {moment.video for moment in answer}
    distinct = len({Path(path).name for path in paths}) == len(paths)
    rows = [
        (
            rank,
            Path(moment.video).name if distinct else moment.video,
            f"{clock(moment.start_s)}-{clock(moment.end_s)}",
            f"{moment.score:.3f}",
            moment.cluster_name,
        )
        for rank, moment in enumerate(answer, start=1)
    ]
    _print(table(("rank", "video", "time", "score", "cluster"), rows, right="rank score"))
