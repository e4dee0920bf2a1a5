"""`memory`: what a video's memory holds, and what its budget cost."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

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
from semantic_video.cli.terminal import size, table
from semantic_video.utils.telling import clock, counted

if TYPE_CHECKING:
    from semantic_video.memory_hierarchy import MemoryHierarchy
    from semantic_video.memory_hierarchy.again import Again
    from semantic_video.memory_hierarchy.report import KeptAsCodes, MemoryReport

_MOST_ROWS = 10
_ONE = {
    "frame vectors": "frame vector",
    "scene boundaries": "scene boundary",
    "entries": "entry",
}
"""What is evicted -> the word for a single one."""


def memory(
    video: VideoArgument,
    transitions: Annotated[
        bool,
        typer.Option("--transitions", help="What follows what, what came back, what is unique."),
    ] = False,
    as_json: JsonOption = False,
    library: LibraryOption = None,
    config: ConfigOption = None,
    quiet: QuietOption = False,
    verbose: VerboseOption = False,
) -> None:
    """Show the budget of a video's memory: its use, what was merged or evicted and why.

    Also says what a smaller or larger budget would do. With --transitions, how the video moves
    between its clusters instead.
    """
    from semantic_video.memory_hierarchy.report import report_on

    shelf, record = open_video(config, library, video)
    held = load_memory(shelf, record)
    if transitions:
        _show_transitions(held, as_json)
        return
    report = report_on(held)
    if as_json:
        print_json(report.as_dict())
    else:
        print_result("\n".join(_lines(report)))


def again_line(again: Again) -> str:
    """That a scene returns: "again: harbour, last at 0:03:10"."""
    last, like = clock(again.last_s), clock(again.like_s)
    what = f"{again.name}, last at" if again.name else "seen at"
    most = f", most like {like}" if again.like_s < again.last_s and like != last else ""
    return f"again: {what} {last}{most} ({again.sure:.0%} sure)"


def again_lines(memory: MemoryHierarchy) -> list[str]:
    """A line for every scene that returns, with its time."""
    from semantic_video.memory_hierarchy.again import returning_scenes

    return [
        f"{clock(scene.start_s)} {again_line(again)}" for scene, again in returning_scenes(memory)
    ]


def _lines(report: MemoryReport) -> list[str]:
    rows = [
        (
            tier.name,
            tier.entries,
            tier.budget_entries,
            size(tier.bytes),
            size(tier.budget_bytes),
        )
        for tier in report.tiers
    ]
    lines = [table(("tier", "held", "of", "bytes", "of at most"), rows, right="held of"), ""]
    if report.codes is not None:
        lines += [_codes_line(report.codes), ""]
    scenes = f"{report.scenes_kept} of {counted(report.scenes_seen, 'scene')} remembered one by one"
    together = sum(len(one.scenes) for one in report.merged)
    entries = "1 entry" if len(report.merged) == 1 else f"{len(report.merged)} entries"
    shared = f"{together} of them share {entries}" if together else "no two share an entry"
    lines.append(f"{scenes}; {shared}")
    for one in report.merged[:_MOST_ROWS]:
        lines.append(
            f"  merged: {len(one.scenes)} scenes of {one.name} (likeness {one.likeness:.2f}): "
            f"{one.why}"
        )
    if len(report.merged) > _MOST_ROWS:
        lines.append(f"  and {len(report.merged) - _MOST_ROWS} more; --json lists them")
    for gone in report.evicted:
        seconds = f" ({gone.seconds:.1f} s)" if gone.seconds else ""
        what = _ONE[gone.what] if gone.count == 1 else gone.what
        lines.append(f"  evicted: {gone.count} {what}{seconds}: {gone.why}")
    lines.append("with another --memory-size:")
    for other in report.other_budgets:
        like = f", likeness to what is held {other.likeness:.2f}" if other.likeness else ""
        lines.append(f"  {other.memory_size}: {size(other.bytes)}{like}; {other.what}")
    return lines


def _codes_line(codes: KeptAsCodes) -> str:
    return (
        f"{counted(codes.vectors, 'vector')} kept as codes of {codes.bytes_per_vector} bytes: "
        f"{size(codes.bytes)}, of which the experts that read them are {size(codes.experts)}; "
        f"{size(codes.as_vectors)} as vectors"
    )


def _show_transitions(memory: MemoryHierarchy, as_json: bool) -> None:
    names, counts = memory.names, memory.transitions()
    follows = sorted(
        (
            (int(counts[one, other]), one, other)
            for one in range(len(names))
            for other in range(len(names))
            if counts[one, other]
        ),
        key=lambda row: (-row[0], row[1], row[2]),
    )
    absences, unique = memory.absences(), memory.unique()
    if as_json:
        value: dict[str, Any] = {
            "transitions": [
                {"from": one, "to": other, "count": count} for count, one, other in follows
            ],
            "absences": [absence.as_dict() for absence in absences],
            "unique": list(unique),
            "names": list(names),
        }
        print_json(value)
        return
    often = [(count, names[one], names[other]) for count, one, other in follows]
    back = [(names[a.cluster], clock(a.left_s), clock(a.back_s), clock(a.away_s)) for a in absences]
    lines = [
        table(("times", "from", "to"), often, right="times")
        if often
        else "no cluster follows another",
        "",
        table(("came back", "left", "back", "away"), back) if back else "nothing came back",
        "",
        "once only: " + (", ".join(names[cluster] for cluster in unique) or "nothing"),
    ]
    print_result("\n".join(lines))
