"""How `search` prints: for people, or in one of the forms that other programs read."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal

from semantic_video.cli.output import print_json, print_result
from semantic_video.cli.terminal import Reporter, printable, table
from semantic_video.errors import QueryError
from semantic_video.utils.telling import clock, counted

if TYPE_CHECKING:
    from semantic_video.library import VideoRecord
    from semantic_video.scene_retrieval import Moments

Form = Literal["text", "json", "csv", "edl", "otio", "srt", "paths"]


def chosen_form(**wanted: bool) -> Form:
    """The one form that was asked for; text if none was."""
    chosen = [name for name, is_wanted in wanted.items() if is_wanted]
    if len(chosen) > 1:
        raise QueryError(f"choose one of {' and '.join(f'--{name}' for name in chosen)}")
    return chosen[0] if chosen else "text"  # type: ignore[return-value]


def print_answers(
    answers: Sequence[Moments],
    form: Form,
    records: Mapping[str, VideoRecord],
    reporter: Reporter,
) -> None:
    """Print answers on standard output, and what a form has no room for on standard error.

    Raises:
        QueryError: a form that holds one answer is to hold several.
    """
    if form == "text":
        for answer in answers:
            _print_moments(answer, titled=len(answers) > 1)
        return
    if form == "json":
        for answer in answers:
            print_json(answer.as_dict())
        return
    from semantic_video import outputs

    for answer in answers:  # other forms have no room for it
        if not answer.found:
            reporter.note(printable(f"{answer.query}: {answer.verdict}"))
        elif answer.value is not None:
            reporter.note(printable(f"{answer.query}: {answer.value:.10g}"))
    if form == "csv":
        print_result(outputs.csv_table((own.query, own) for own in answers).rstrip("\n"))
        return
    if form == "paths":
        text = "".join(outputs.path_lines(answer) for answer in answers)
    elif len(answers) > 1:
        raise QueryError(f"--{form} holds one answer: ask one query")
    else:
        (answer,) = answers
        rates = {path: outputs.Rate.of(own.average_fps) for path, own in records.items()}
        if form == "edl":
            text = outputs.edl(answer, rates, answer.query)
            left_out = len(answer) - outputs.EDL_EVENTS
            if left_out > 0:
                reporter.note(
                    f"an EDL holds {outputs.EDL_EVENTS} events, {counted(left_out, 'moment')} left "
                    "out: --otio lists all; --from and --to, or --video, make several EDLs"
                )
        elif form == "otio":
            durations = {path: own.duration_s for path, own in records.items()}
            text = outputs.otio(answer, rates, durations, answer.query)
        else:
            text = outputs.srt(answer, answer.query)
    if text:
        print_result(text.rstrip("\n"))


def cut_clips(answers: Sequence[Moments], folder: Path, exact: bool, reporter: Reporter) -> None:
    """Cut the moments of answers into files, and say how each was cut."""
    from semantic_video.outputs import cut_clip

    moments = [moment for answer in answers for moment in answer]
    for rank, moment in enumerate(moments, start=1):
        clip = cut_clip(moment, folder, rank, exact)
        if clip.copied:
            early_s = moment.start_s - clip.start_s
            how = "copied" + (
                f", begins {early_s:.1f} s early, at the key frame" if early_s > 0.05 else ""
            )
        else:
            how = "encoded again, exact"
        reporter.note(f"{clip.path}: {clip.end_s - clip.start_s:.1f} s, {how}")


def _print_moments(answer: Moments, titled: bool) -> None:
    from semantic_video.signal_fusion import found_by

    print_result(printable(f"{answer.query}: {answer.verdict}" if titled else answer.verdict))
    paths = {moment.video for moment in answer}
    distinct = len({Path(path).name for path in paths}) == len(paths)
    rows: list[tuple[object, ...]] = [
        (
            rank,
            Path(moment.video).name if distinct else moment.video,
            f"{clock(moment.start_s)}-{clock(moment.end_s)}",
            f"{moment.score:.3f}",
            "" if moment.probability is None else f"{moment.probability:.2f}",
            moment.cluster_name,
        )
        for rank, moment in enumerate(answer, start=1)
    ]
    columns = ["rank", "video", "time", "score", "probability", "cluster"]
    sources = [found_by(moment) for moment in answer]
    if any(source not in ("", "picture") for source in sources):
        columns.append("found by")
        rows = [(*row, source) for row, source in zip(rows, sources, strict=True)]
    if rows:
        print_result(table(columns, rows, right="rank score probability"))
    if answer.value is not None:
        print_result(f"{answer.value:.10g}")
    elif answer.complete:
        many = counted(answer.occurrences, "occurrence")
        print_result(f"{many}, {clock(answer.total_s)} together")
