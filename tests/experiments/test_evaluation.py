"""An evaluation of a film with labels of one's own, from the command to what it writes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semantic_video.encoders import load_encoder
from tests.media import Shot, render, write_video

LABELS: dict[str, Any] = {
    "video": "film.mp4",
    "duration_s": 8.0,
    "segments": [
        {"start_s": 2 * place, "end_s": 2 * place + 2, "kind": "photo", "category": category}
        for place, category in enumerate(["a", "b", "a", "c"])
    ],
    "queries": [
        {"id": "m0", "type": "moment", "text": "a red pattern", "spans": [[0, 2]]},
        {"id": "m1", "type": "moment", "text": "a blue pattern", "spans": [[2, 4]]},
        {"id": "c0", "type": "concept", "text": "patterns", "spans": [[0, 2], [4, 6]]},
        {"id": "b0", "type": "absent", "text": "an igloo", "spans": []},
        {"id": "s0", "type": "speech", "text": "good evening", "spans": [[2, 4]]},
        {"id": "n0", "type": "count", "question": "How often does a dog appear?", "answer": 0},
    ],
}


@pytest.fixture(scope="module")
def evaluated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that holds what an evaluation with two seeds wrote."""
    folder = tmp_path_factory.mktemp("evaluation")
    write_video(folder / "film.mp4", render([Shot(1, 2), Shot(2, 2), Shot(1, 2), Shot(3, 2)]))
    (folder / "film.srt").write_text("1\n00:00:02,000 --> 00:00:04,000\nGood evening\n")
    (folder / "film.json").write_text(json.dumps(LABELS))
    program = [sys.executable, "-m", "experiments.evaluation", "--seeds", "2"]
    where = ["--manifest", str(folder / "film.json"), "--out", str(folder / "out")]
    done = subprocess.run([*program, *where], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert "speech_R1                  1.000" in done.stdout
    return folder / "out"


def test_labels_of_another_film_are_refused(evaluated: Path) -> None:
    film = evaluated.parent / "film.mp4"
    labels = evaluated.parent / "other.json"
    labels.write_text(json.dumps(LABELS | {"duration_s": 60.0}))
    for what in ("evaluation", "baselines", "ablation_studies"):
        program = [sys.executable, "-m", f"experiments.{what}", "--video", str(film)]
        where = ["--manifest", str(labels), "--out", str(evaluated.parent / "other")]
        done = subprocess.run([*program, *where], capture_output=True, text=True, check=False)
        assert done.returncode == 2
        assert done.stderr.splitlines()[-1] == (
            f"{labels}: the labels are of a film of 60.0 s, this one lasts 8.0 s"
        )


def test_the_conditions_of_the_run_stand_beside_its_figures(evaluated: Path) -> None:
    result = json.loads((evaluated / "evaluation.json").read_text(encoding="utf-8"))
    assert result["film"] == {
        "name": "film.mp4",
        "duration_s": 8.0,
        "segments": 4,
        "queries": len(LABELS["queries"]),
    }
    run = result["conditions"]
    assert run["encoder"] == load_encoder("lite").fingerprint
    assert run["seeds"] == [run["config"]["clustering"]["seed"] + seed for seed in range(2)]
    assert {"commit", "version", "hardware"} <= run.keys()
    assert result["time"]["index"]["wall_s"] > 0
    assert result["bytes"]["memory"] == sum(tier["bytes"] for tier in result["budget"].values())
    for name in ("moment_R1", "moment_mAP", "concept_mAP", "join_recall", "calibration_error"):
        figure = result["figures"][name]
        assert figure["low"] <= figure["value"] <= figure["high"]
    assert result["figures"]["scenes_tile"]["value"] == 1.0


def test_every_figure_can_be_worked_out_from_what_was_answered(evaluated: Path) -> None:
    figures = json.loads((evaluated / "evaluation.json").read_text(encoding="utf-8"))["figures"]
    path = evaluated / "evaluation.predictions.jsonl"
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]
    assert len(lines) == 2 * len(LABELS["queries"])
    for name in ("moment_R1", "moment_R5", "moment_mAP", "concept_recall@10", "count_accuracy"):
        values = [line["values"][name] for line in lines if name in line["values"]]
        assert figures[name]["value"] == pytest.approx(np.mean(values), abs=1e-3)
    moments = next(line["moments"] for line in lines if line["id"] == "s0")
    assert moments[0][:2] == [2.0, 4.0]
