"""The report of `benchmarks.indexing_speed` as tables in Markdown."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import PurePath
from typing import Any

_RECALL = ("moment_R1", "moment_R5", "moment_R10", "concept_recall")
_NONE = ""


def tables(report: Mapping[str, Any]) -> str:
    """What was measured on, work and answers beside a dense loop, recall, stages, time left."""
    films: Mapping[str, Mapping[str, Any]] = report["films"]
    whole = {name: film for name, film in films.items() if not name.startswith("cut-")}
    parts = [
        "\n".join(_machines(films)),
        _table(
            "film | length | `auto` CPU s | `full` | dense | dense over `auto` | over `full` | "
            "decoded / encoded, `auto` | dense",
            (_work(name, film) for name, film in whole.items()),
        ),
        _table(
            "film | times real time, `auto` | dense | first answer, s | dense | peak memory, MB | "
            "vectors, MB an hour | cold search, s | warm, ms",
            (_use(name, film) for name, film in whole.items()),
        ),
        _table(
            "film | way | R1 / R5 / R10, concept | of dense | of `full`",
            (row for name, film in films.items() for row in _recalls(name, film)),
        ),
        _table(
            "film | demuxing | key frames | all frames | encoder, ms a picture | `auto`, by stage",
            (_stages(name, film) for name, film in whole.items()),
        ),
        _table(
            "film | length | `auto` CPU s | time left off by: median | most | told within a fifth",
            (_time_left(name, film) for name, film in films.items()),
        ),
    ]
    if "at_once" in report:
        parts.append(_several(report["at_once"]))
    return "\n\n".join(parts)


def _machines(films: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Which films were measured on which machine, at which commit."""
    shared: dict[str, list[str]] = {}
    for name, film in films.items():
        measured = film["measured"]
        hardware = measured["hardware"]
        words = (
            f"{hardware['processor']} ({', '.join(hardware['instructions'])}), cores: "
            f"{hardware['cores']}, {hardware['system']}, commit {measured['commit']}"
        )
        shared.setdefault(words, []).append(_title(name))
    for words, names in shared.items():
        yield f"{words}: {', '.join(names)}.  "


def _work(name: str, film: Mapping[str, Any]) -> Sequence[object]:
    auto, full, dense = (film.get(way, {}) for way in ("auto", "full", "dense"))
    over = [way.get("dense_over_this", {}).get("cpu_s", _NONE) for way in (auto, full)]
    counts = [f"{way['frames_decoded']} / {way['frames_encoded']}" if way else _NONE
              for way in (auto, dense)]  # fmt: skip
    seconds = [way.get("cpu_s", _NONE) for way in (auto, full, dense)]
    return [_title(name), f"{auto['duration_s']:.0f} s", *seconds, *over, *counts]


def _use(name: str, film: Mapping[str, Any]) -> Sequence[object]:
    auto, dense = film["auto"], film.get("dense", {})
    return [
        _title(name),
        auto["times_real_time"],
        dense.get("times_real_time", _NONE),
        auto["first_searchable_s"],
        dense.get("wall_s", _NONE),
        auto["peak_mb"],
        auto["vector_mb_per_hour"],
        film["search"]["cold_s"],
        film["search"]["warm_ms"],
    ]


def _time_left(name: str, film: Mapping[str, Any]) -> Sequence[object]:
    auto, off = film["auto"], film["auto"]["time_left_off_by"]
    told = [f"{off[key]:.2f}" for key in ("median", "most", "within_fifth")] if off else [
        "over before the encoder is loaded", _NONE, _NONE
    ]  # fmt: skip
    return [_title(name), f"{auto['duration_s']:.0f} s", auto["cpu_s"], *told]


def _recalls(name: str, film: Mapping[str, Any]) -> Iterator[Sequence[object]]:
    for way, figures in film.items():
        if isinstance(figures, Mapping) and "recall" in figures:
            yield [
                _title(name),
                way,
                _four(figures["recall"]),
                _four(figures["recall_over_dense"]),
                _four(figures["recall_over_full"]),
            ]


def _four(shares: Mapping[str, float | None]) -> str:
    r1, r5, r10, concept = (f"{shares[key]:.3f}".removeprefix("0") for key in _RECALL)
    return f"{r1} / {r5} / {r10}, {concept}"


def _stages(name: str, film: Mapping[str, Any]) -> Sequence[object]:
    alone, ours = film.get("stages", {}), film["auto"]["cpu_s_by_stage"]
    keys = ("demux_cpu_s", "key_frames_cpu_s", "all_frames_cpu_s", "encoder_cpu_ms_a_frame")
    by_stage = ", ".join(f"{stage} {seconds}" for stage, seconds in ours.items())
    return [_title(name), *(alone.get(key, _NONE) for key in keys), by_stage]


def _several(at_once: Mapping[str, Any]) -> str:
    count, first = len(at_once["films"]), next(iter(at_once["jobs"].values()))
    return _table(
        f"{count} films, `--jobs` | wall s | CPU s | wall of the first over this",
        (
            [jobs, took["wall_s"], took["cpu_s"], round(first["wall_s"] / took["wall_s"], 2)]
            for jobs, took in at_once["jobs"].items()
        ),
    )


def _title(name: str) -> str:
    return f"`{PurePath(name).stem}`"


def _table(header: str, rows: Iterator[Sequence[object]]) -> str:
    line = "| --- " * len(header.split(" | ")) + "|"
    body = ["| " + " | ".join(map(str, row)) + " |" for row in rows]
    return "\n".join([f"| {header} |", line, *body])
