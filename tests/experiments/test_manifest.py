"""Labels of films: what is read, and that each fault has its line."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from experiments.manifest import ManifestError, load_manifest
from semantic_video.records import Span


def labels() -> dict[str, Any]:
    return {
        "video": "film.mp4",
        "duration_s": 60.0,
        "segments": [
            {"start_s": 0, "end_s": 30, "kind": "clip", "category": "piano"},
            {"start_s": 30, "end_s": 60, "kind": "photo", "category": None, "fade": True},
        ],
        "queries": [
            {"id": "m0", "type": "moment", "text": "a piano", "spans": [[0, 30]]},
            {"id": "a0", "type": "absent", "text": "an igloo", "spans": []},
            {"id": "i0", "type": "image", "image": "one.jpg", "spans": [[0, 30]]},
            {"id": "o0", "type": "order", "question": "Which?", "options": ["a", "b"], "answer": 1},
            {"id": "n0", "type": "count", "question": "How often?", "answer": 0},
        ],
    }


def written(folder: Path, content: Any) -> Path:
    (folder / "one.jpg").write_bytes(b"")
    path = folder / "film.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return path


def test_what_is_right_is_read(tmp_path: Path) -> None:
    manifest = load_manifest(written(tmp_path, labels()))
    assert manifest.film == tmp_path / "film.mp4"
    assert manifest.segments[1].span == Span(30.0, 60.0)
    assert manifest.segments[1].fade
    assert [query.id for query in manifest.of_type("order", "count")] == ["o0", "n0"]
    assert manifest.of_type("image")[0].image == tmp_path / "one.jpg"


@pytest.mark.parametrize(
    ("place", "value", "fault"),
    [
        (("video",), 3, '"video" has to be the file name'),
        (("duration_s",), -1, '"duration_s" has to be the length'),
        (("segments",), None, '"segments" has to be a list'),
        (("segments", 0, "end_s"), 31, "segment 1: begins before segment 0 ends"),
        (("segments", 1, "end_s"), 61, "segment 1: .* 61 lies beyond the film's end at 60"),
        (("segments", 0, "start_s"), "0", "segment 0: .* two numbers of seconds"),
        (("queries", 1, "id"), "m0", r"query 1 \(m0\): another query has this id"),
        (("queries", 0, "type"), "momnet", 'query 0 .*"type" is "momnet"; there is moment,'),
        (("queries", 0, "spans"), [], '"spans" is empty; .* of type "absent"'),
        (("queries", 0, "spans"), [[5, 5]], r'"spans"\[0\]: 5 to 5 is no interval'),
        (("queries", 1, "spans"), [[0, 1]], "absent query has to be empty"),
        (("queries", 0, "text"), " ", '"text" has to say'),
        (("queries", 2, "image"), "two.jpg", "there is no .*two.jpg"),
        (("queries", 3, "answer"), 2, "index of the right choice, 0 to 1"),
        (("queries", 4, "answer"), None, '"answer" has to be a whole number'),
    ],
)
def test_a_fault_has_one_clear_line(
    tmp_path: Path, place: tuple[Any, ...], value: Any, fault: str
) -> None:
    content = labels()
    part: Any = content
    for key in place[:-1]:
        part = part[key]
    part[place[-1]] = value
    with pytest.raises(ManifestError, match=fault) as raised:
        load_manifest(written(tmp_path, content))
    assert len(raised.value.faults) == 1
    assert "\n" not in raised.value.faults[0]


def test_all_faults_are_told_and_the_command_ends_with_1(tmp_path: Path) -> None:
    content = labels()
    content["queries"][0]["spans"] = []
    content["queries"][4]["answer"] = "many"
    path = written(tmp_path, content)
    command = [sys.executable, "-m", "experiments.manifest"]
    done = subprocess.run([*command, str(path)], capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert len(done.stderr.splitlines()) == 2
    done = subprocess.run(
        [*command, str(tmp_path / "none.json")], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr.count("\n")) == (1, 1)
    good = written(tmp_path, labels())
    done = subprocess.run([*command, str(good)], capture_output=True, text=True, check=False)
    assert done.returncode == 0
    assert "1 moment, 1 absent, 1 image, 1 order, 1 count" in done.stdout
