"""The library as a whole: `list`, `info`, `remove` and `doctor`."""

from __future__ import annotations

import os
import sys
from dataclasses import asdict
from typing import TYPE_CHECKING, Annotated

import typer

from semantic_video.cli.index import notes_of
from semantic_video.cli.opening import load_memory, load_options, open_library, open_video
from semantic_video.cli.options import (
    ConfigOption,
    JsonOption,
    LibraryOption,
    QuietOption,
    VerboseOption,
    VideoArgument,
)
from semantic_video.cli.output import print_json, print_result
from semantic_video.cli.terminal import Reporter, printable, size, table
from semantic_video.utils.telling import clock

if TYPE_CHECKING:
    from semantic_video.library import VideoRecord


def list_videos(
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """List the videos of the library."""
    shelf = open_library(load_options(config, library))
    records = shelf.videos()
    if as_json:
        print_json([record.as_dict() for record in records])
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
            "offline" if _offline(record) else "",
        )
        for record in records
    ]
    header = ("id", "name", "duration", "scenes", "clusters", "recorded", "")
    print_result(table(header, rows, right="duration scenes clusters"))


def info(
    video: VideoArgument,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Show what is known of one video."""
    shelf, record = open_video(config, library, video)
    memory = load_memory(shelf, record)
    facts = record.as_dict() | {
        "offline": _offline(record),
        "tiers": [asdict(tier) for tier in memory.tiers()],
    }
    if as_json:
        print_json(facts)
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
        ("depth", _depth(record)),
        ("indexed", f"{record.indexed_at}, {record.index_seconds:.1f} s, {speed:.0f}x real time"),
    ]
    lines += [("note", note) for note in notes_of(record)]
    print_result("\n".join(f"{name:12} {printable(str(value))}" for name, value in lines))


def _offline(record: VideoRecord) -> bool:
    """Whether the file is not where it was; of an address nobody knows without asking."""
    return "://" not in record.path and not os.path.exists(record.path)


def _depth(record: VideoRecord) -> str:
    """How deep the video was watched, and what share of that is done."""
    from semantic_video.indexing import refined_share

    share = refined_share(record)
    depth = record.settings.get("depth", "full")
    return depth if share == 1 else f"{depth}; {share:.0%} refined, index it again to finish"


def remove(
    videos: Annotated[list[str], typer.Argument(metavar="VIDEO...", help="What to forget.")],
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Forget videos: their index is deleted, the files are not touched."""
    shelf = open_library(load_options(config, library))
    records = list({record.id: record for record in map(shelf.resolve, videos)}.values())
    with Reporter(quiet, verbose) as reporter:
        for record in records:
            shelf.remove(record.id, on_wait=reporter.note)
            reporter.note(f"{record.name}: forgotten; the file is untouched")
        shelf.maintain()
    if as_json:
        print_json([record.id for record in records])


def doctor(
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> int:
    """Show what is installed, the model and its licence, codecs, the library's health."""
    from semantic_video.doctor import examine

    findings = examine(load_options(config, library))
    status = 0 if all(finding.ok for finding in findings) else 1
    if as_json:
        print_json([finding.as_dict() for finding in findings])
        return status
    for finding in findings:
        print_result(f"{'ok ' if finding.ok else '!! '} {finding.what}: {printable(finding.state)}")
        if finding.advice:
            print_result(f"     {printable(finding.advice)}")
    return status
