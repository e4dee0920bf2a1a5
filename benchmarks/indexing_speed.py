"""Indexing beside the plain way: every frame decoded, one a second encoded, best three averaged.

    python -m benchmarks.indexing_speed FILM [FILM ...] [--truth FILM.json] [--made FOLDER]
        [--long] [--out report.json]
    python -m benchmarks.indexing_speed FILM [FILM ...] --jobs 1 2 [--out report.json]
    python -m benchmarks.indexing_speed --table report.json

Each film is indexed (`auto`, then `full`) and watched densely, each in a process of its own; one
of so few pixels that `auto` watches it whole is also skipped through, as if it had more (`skip`);
of films of five minutes or less the median of five runs counts. Prints JSON: wall and CPU seconds,
also by stage, peak memory, seconds until the first index could be searched, frames decoded and
encoded, what the index weighs, how wrong the time left was after the first tenth (in processor
time), ratios to dense, and the stages alone (demuxing, key frames, all frames of short films,
encoder). A report that ``--out`` finds is added to: each film says on what it was measured.
``--jobs`` only measures how long the command line takes with all the films, so many at once.
``--table`` prints a report as the tables of docs/indexing.md.

``--truth`` names a labelled film's manifest: share of its `moment` queries answered among the first
1, 5 and 10, and `concept` recall among ten, for each way. Dense frames are pooled over the scenes
of `full`, which is kind to the dense way. The labels also hold for the films in ``--made`` that
were joined of all of the labelled film and something else: their first part is on the same
timeline, and the rest only distracts, for every way alike.

``--made`` adds the films that `benchmarks.speed_films` left in a folder, ``--long`` also those of
two hours, which only `auto` watches: a dense pass costs the same for each second of film. They
repeat a shorter film, so pictures encoded once count the more: `joined` films are without repeats.
Short cuts are watched by `auto` only, too: they are there for the time left.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Mapping, Sequence
from importlib.metadata import version
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.indexing_tables import tables
from benchmarks.speed_films import PARTS
from experiments.run_record import conditions, in_a_line, measured, write_json
from semantic_video import SemanticVideoProcessor
from semantic_video.config import Config, load_config
from semantic_video.encoders import load_encoder
from semantic_video.library import Library
from semantic_video.queries import encode_queries
from semantic_video.scene_encoder import SceneEncoder
from semantic_video.utils.pace import TimeLeft
from semantic_video.utils.video_utils import Plan, VideoReader

COLD_QUERY = "a dog on a beach"
_GROUPING = "grouping scenes"
_SHORT_S = 300.5
_REPEATS = 5


def main() -> None:
    """Measure the films, or, called by itself, one way of one film."""
    parser = argparse.ArgumentParser(description="Measure indexing beside a dense loop.")
    parser.add_argument("films", type=Path, nargs="*")
    parser.add_argument("--truth", type=Path, nargs="*", default=[], help="manifests of films")
    parser.add_argument("--made", type=Path, help="folder of films made for this")
    parser.add_argument("--long", action="store_true", help="also films of two hours")
    parser.add_argument("--jobs", type=int, nargs="+", help="only compare these --jobs of `index`")
    parser.add_argument("--out", type=Path, help="where the report is, or goes")
    parser.add_argument("--table", type=Path, metavar="REPORT", help="print a report as tables")
    parser.add_argument("--way", choices=[*WAYS, "stages"], help=argparse.SUPPRESS)
    parser.add_argument("--work", type=Path, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.way:
        print(json.dumps(_one_way(arguments.films[0], arguments.way, arguments.work)))
        return
    if arguments.table:
        print(tables(json.loads(arguments.table.read_text(encoding="utf-8"))))
        return
    films = list(arguments.films)
    if arguments.made:
        films += sorted(
            film
            for film in arguments.made.glob("*.mp4")
            if film.stem.startswith(("joined", "short", "static", "cut-"))
            or (arguments.long and film.stem.startswith("long-"))
        )
    truths = [json.loads(path.read_text(encoding="utf-8")) for path in arguments.truth]
    report: dict[str, Any] = {"films": {}}
    if arguments.out and arguments.out.exists():
        report = json.loads(arguments.out.read_text(encoding="utf-8"))
    if arguments.jobs:
        report["at_once"] = {"measured": _machine(), **_at_once(films, arguments.jobs)}
        films = []
        if arguments.out:
            write_json(arguments.out, report)
    for film in films:
        truth = next((truth for truth in truths if _labels(truth, film)), None)
        report["films"][film.name] = {"measured": _machine(), **measure(film, truth)}
        print(film.name, "done", file=sys.stderr, flush=True)
        if arguments.out:
            write_json(arguments.out, report)
    print(json.dumps(report, indent=1))


def _at_once(films: Sequence[Path], jobs: Sequence[int]) -> dict[str, Any]:
    """Seconds that `index` takes with all the films, each time in a new library."""
    took: dict[str, Any] = {}
    for count in jobs:
        with tempfile.TemporaryDirectory() as folder, measured() as seconds:
            words = ["--library", f"{folder}/library", "--jobs", str(count), "--quiet"]
            command = [sys.executable, "-m", "semantic_video", "index", *map(str, films), *words]
            subprocess.run(command, check=True)
        took[str(count)] = seconds
    return {"films": [film.name for film in films], "jobs": took}


def _labels(truth: Mapping[str, Any], film: Path) -> bool:
    """Whether the labels are of this film, or of all that it begins with."""
    if film.name == truth["video"]:
        return True
    parts = film.with_name(PARTS)
    if not film.stem.startswith("joined") or not parts.exists():
        return False
    first = json.loads(parts.read_text(encoding="utf-8"))[0]
    return bool(first["film"] == truth["video"] and first["at_most_s"] >= truth["duration_s"])


def _machine() -> dict[str, Any]:
    """What the figures of a film depend on beside the film."""
    machine = conditions(
        load_config(),
        load=round(os.getloadavg()[0], 1),
        onnxruntime=version("onnxruntime"),
        av=version("av"),
    )
    options = machine.pop("config")
    machine["hardware"]["instructions"] = _instructions()
    kept = ("encoder", "reading", "sampling")
    return machine | {"settings": {section: options[section] for section in kept}}


def _instructions() -> list[str]:
    """The vector instructions that the encoder's speed hangs on, where the system tells."""
    if platform.system() != "Linux":
        return []
    words = set(Path("/proc/cpuinfo").read_text(encoding="utf-8").split())
    return sorted(words & {"avx2", "avx_vnni", "avx512f", "avx512_vnni", "amx_int8", "asimddp"})


WAYS = ("auto", "skip", "full", "dense")


def measure(film: Path, truth: Mapping[str, Any] | None) -> dict[str, Any]:
    """All ways of one film, and their ratios."""
    figures: dict[str, Any] = {}
    ways: tuple[str, ...] = ("auto",) if film.stem.startswith(("long-", "cut-")) else WAYS
    with VideoReader(film) as reader:
        info = reader.info
    pixels = info.width * info.height * info.expected_fps
    if pixels >= load_config().reading.whole_below * 1e6:
        ways = tuple(way for way in ways if way != "skip")
    with tempfile.TemporaryDirectory() as folder:
        for way in (*ways, "stages"):
            if way == "stages" and len(ways) == 1:
                continue
            repeats = _REPEATS if info.duration_s <= _SHORT_S else 1
            figures[way] = _typical(film, way, Path(folder), repeats)
        if truth is not None:
            for way in ways:
                figures[way]["recall"] = _recall(Path(folder), way, truth)
        figures["search"] = _searches(Path(folder) / "auto")
    for way in ways if "dense" in figures else ():
        ours, dense = figures[way], figures["dense"]
        ours["dense_over_this"] = {
            name: round(dense[name] / max(ours[name], 0.01), 2)
            for name in ("cpu_s", "wall_s", "frames_decoded", "frames_encoded")
        }
        for other in ("dense", "full") if truth is not None else ():
            ours[f"recall_over_{other}"] = {
                name: round(ours["recall"][name] / value, 3) if value else None
                for name, value in figures[other]["recall"].items()
            }
    return figures


def _typical(film: Path, way: str, work: Path, repeats: int) -> dict[str, Any]:
    """Of so many runs the one of median processor time; the last leaves what it made."""
    runs = []
    for _ in range(repeats - 1):
        with tempfile.TemporaryDirectory() as folder:
            runs.append(_child(film, way, Path(folder)))
    runs.append(_child(film, way, work))
    return sorted(runs, key=lambda run: run.get("cpu_s", 0.0))[repeats // 2]


def _child(film: Path, way: str, work: Path) -> dict[str, Any]:
    command = [sys.executable, "-m", "benchmarks.indexing_speed", str(film), "--way", way]
    done = subprocess.run([*command, "--work", str(work)], stdout=subprocess.PIPE, check=True)
    figures: dict[str, Any] = json.loads(done.stdout)
    return figures


class _TimedLibrary(Library):
    """Notes when a film could first be searched."""

    first_s: float | None = None

    def save(self, *arguments: Any, **options: Any) -> Any:
        saved = super().save(*arguments, **options)
        self.first_s = self.first_s or time.perf_counter()
        return saved


def _one_way(film: Path, way: str, work: Path) -> dict[str, Any]:
    if way == "stages":
        return _stages(film)
    encoder = load_encoder("lite")
    started_s = time.perf_counter()
    facts: dict[str, Any]
    if way == "dense":
        cpu_s = time.process_time()
        facts = _dense(film, encoder, work)
    else:
        library = _TimedLibrary(work / way, create=True)
        progress = _Progress()
        processor = SemanticVideoProcessor(
            film, "auto", library=library, config=_config(way), progress=progress
        )
        started_s, cpu_s = time.perf_counter(), time.process_time()
        record = processor.index().record
        used_s = time.process_time() - cpu_s
        stored = library.load(record.id)
        vectors = stored.entry_vectors.nbytes + stored.exemplar_vectors.nbytes
        facts = {
            "duration_s": record.duration_s,
            "scenes": record.scenes,
            "frames_decoded": record.info["frames_decoded"],
            "frames_encoded": record.info["frames_encoded"],
            "first_searchable_s": round((library.first_s or 0.0) - started_s, 2),
            "vector_mb_per_hour": round(vectors / record.duration_s * 3600 / 1e6, 2),
            "time_left_off_by": progress.off_by(cpu_s + used_s),
            "cpu_s_by_stage": progress.by_stage(cpu_s, cpu_s + used_s),
        }
    facts["wall_s"] = round(time.perf_counter() - started_s, 2)
    facts["cpu_s"] = round(time.process_time() - cpu_s, 2)
    facts["times_real_time"] = round(facts["duration_s"] / facts["wall_s"], 1)
    facts["peak_mb"] = _peak_mb()
    return facts


class _Progress:
    """What is told on the way, if processor time is the clock: the machine is shared."""

    def __init__(self) -> None:
        self._left = TimeLeft(time.process_time)
        self._told: list[tuple[float, float]] = []
        self._ends: dict[str, float] = {}

    def __call__(self, stage: str, done_s: float, total_s: float) -> None:
        now_s = time.process_time()
        if stage == _GROUPING:  # told when it begins; the others when some of it is done
            self._ends[list(self._ends)[-1]] = now_s
        else:
            self._ends[stage] = now_s
        left_s = self._left.update(done_s / total_s)
        if left_s is not None and stage != _GROUPING:  # which is told of once, when it begins
            self._told.append((now_s, left_s))

    def by_stage(self, begin_s: float, end_s: float) -> dict[str, float]:
        """Seconds that each stage took, in order; the glimpses count to the first."""
        ends = {**self._ends, "grouping and storing": end_s}
        took = np.diff([begin_s, *ends.values()])
        return {stage: round(float(s), 2) for stage, s in zip(ends, took, strict=True)}

    def off_by(self, end_s: float) -> dict[str, float] | None:
        """Errors of the estimates after the first tenth, as shares of the whole time."""
        if not self._told:
            return None
        begin_s = self._told[0][0]
        total_s = end_s - begin_s
        errors = [
            abs(now_s + left_s - end_s) / total_s
            for now_s, left_s in self._told
            if now_s - begin_s >= total_s / 10
        ]
        if not errors:
            return None
        return {
            "median": round(float(np.median(errors)), 3),
            "most": round(max(errors), 3),
            "within_fifth": round(float(np.mean(np.array(errors) <= 0.2)), 3),
        }


def _config(way: str) -> Config:
    """The configuration that indexes in this way; pictures only, as the dense loop."""
    reading = {"depth": "auto", "whole_below": 0.0} if way == "skip" else {"depth": way}
    words = {"ocr": "off", "speech": "off", "subtitles": False}
    asked = {"reading": reading, "transcripts": words}
    return load_config().override(asked, source="the benchmark")


def _dense(film: Path, encoder: Any, work: Path) -> dict[str, Any]:
    """Decode every frame, encode one a second; the vectors are left in ``work``."""
    with VideoReader(film, cover=encoder.input_size) as reader:
        with SceneEncoder(encoder) as scene_encoder:
            due_s = 0.0
            for frame in reader.frames(Plan.all()):
                if frame.time_s >= due_s:
                    due_s += 1.0
                    scene_encoder.add(frame.time_s, frame.rgb())
        frames = scene_encoder.frames
        np.savez(work / "dense.npz", times=frames.times_s, vectors=frames.vectors)
        return {
            "duration_s": reader.end_s,
            "frames_decoded": reader.frames_decoded,
            "frames_encoded": scene_encoder.encoded,
        }


def _stages(film: Path) -> dict[str, Any]:
    """CPU seconds of each stage alone; with frames come the small pictures that judge change.

    All frames of short films only: of others the dense pass says what they cost.
    """
    figures: dict[str, Any] = {}
    encoder = load_encoder("lite")
    with VideoReader(film, cover=encoder.input_size) as reader:
        plans = {"key_frames": Plan.keyframes(), "all_frames": Plan.all()}
        cpu_s = time.process_time()
        reader.packets()
        figures["demux_cpu_s"] = round(time.process_time() - cpu_s, 3)
        if reader.end_s > _SHORT_S:
            del plans["all_frames"]
        for name, plan in plans.items():
            cpu_s = time.process_time()
            count = sum(frame.small.shape[0] > 0 for frame in reader.frames(plan))
            figures[f"{name}_cpu_s"] = round(time.process_time() - cpu_s, 2)
            figures[name] = count
        picture = next(iter(reader.frames(Plan.keyframes()))).rgb()
    encoder.encode_images([picture] * 8)
    cpu_s = time.process_time()
    encoder.encode_images([picture] * 64)
    figures["encoder_cpu_ms_a_frame"] = round((time.process_time() - cpu_s) / 64 * 1000, 1)
    return figures


def _recall(work: Path, way: str, truth: Mapping[str, Any]) -> dict[str, float]:
    """Shares of `moment` queries answered among the first 1, 5, 10; `concept` recall of ten."""
    wanted = [query for query in truth["queries"] if query["type"] in ("moment", "concept")]
    encoder = load_encoder("lite")
    vectors = encode_queries(encoder, [query["text"] for query in wanted])
    if way == "dense":
        answers = _dense_answers(work, vectors)
    else:
        library = Library(work / way)
        (record,) = library.videos()
        processor = SemanticVideoProcessor(
            record.path, "auto", library=library, config=_config(way)
        )
        processor.build_semantic_memory()
        answers = [
            [(m.start_s, m.end_s) for m in processor.query_semantic_memory(query["text"], 10)]
            for query in wanted
        ]
    ranks, recalls = [], []
    for query, moments in zip(wanted, answers, strict=True):
        hits = [[_hit(moment, span) for span in query["spans"]] for moment in moments]
        if query["type"] == "moment":
            ranks.append(next((i for i, hit in enumerate(hits) if any(hit)), 99))
        else:
            recalls.append(np.any(hits, axis=0).sum() / min(len(query["spans"]), 10))
    shares = {f"moment_R{k}": round(float(np.mean(np.array(ranks) < k)), 3) for k in (1, 5, 10)}
    return shares | {"concept_recall": round(float(np.mean(np.minimum(recalls, 1))), 3)}


def _dense_answers(work: Path, queries: Any) -> list[list[tuple[float, float]]]:
    """The ten best scenes of `full` by the mean of their best three dense frames."""
    library = Library(work / "full")
    (record,) = library.videos()
    entry_spans = library.load(record.id).entry_spans
    spans = sorted((span.start_s, span.end_s) for own in entry_spans for span in own)
    dense = np.load(work / "dense.npz")
    scores = dense["vectors"] @ np.asarray(queries).T
    pooled = np.full((len(spans), scores.shape[1]), -1.0)
    for place, (start_s, end_s) in enumerate(spans):
        own = scores[(dense["times"] >= start_s) & (dense["times"] < end_s)]
        if len(own):
            pooled[place] = np.sort(own, axis=0)[-3:].mean(axis=0)
    return [[spans[place] for place in np.argsort(-column)[:10]] for column in pooled.T]


def _hit(moment: Sequence[float], span: Sequence[float]) -> bool:
    """Middle inside, or an overlap of half of the shorter; not where it is far longer."""
    length_s, true_s = moment[1] - moment[0], span[1] - span[0]
    if length_s > 2 * true_s + 4:
        return False
    overlap_s = min(moment[1], span[1]) - max(moment[0], span[0])
    middle_s = (moment[0] + moment[1]) / 2
    return span[0] <= middle_s <= span[1] or overlap_s >= min(length_s, true_s) / 2


def _searches(library: Path) -> dict[str, float]:
    """Median seconds of a search from a cold start, and milliseconds in a running process."""
    command = [sys.executable, "-m", "semantic_video", "search", COLD_QUERY]
    cold = []
    for _ in range(5):
        started_s = time.perf_counter()
        subprocess.run(
            [*command, "--library", str(library), "--json"], check=True, stdout=subprocess.DEVNULL
        )
        cold.append(time.perf_counter() - started_s)
    (record,) = Library(library).videos()
    processor = SemanticVideoProcessor(record.path, "auto", library=library)
    processor.build_semantic_memory()
    warm = []
    for _ in range(20):
        started_s = time.perf_counter()
        processor.query_semantic_memory(COLD_QUERY)
        warm.append(time.perf_counter() - started_s)
    return {
        "cold_s": round(float(np.median(cold)), 2),
        "warm_ms": round(float(np.median(warm)) * 1000, 1),
    }


def _peak_mb() -> int:
    """The most memory that this process has taken; `getrusage` may tell that of its parent."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
        kilobytes = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM"))
    except (OSError, StopIteration):
        kilobytes = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return round(kilobytes / 1024)


if __name__ == "__main__":
    sys.exit(in_a_line(main))
