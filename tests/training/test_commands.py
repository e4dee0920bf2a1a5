"""The commands that train and measure models: what cannot be is said in a line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "command",
    [
        "training.evaluate_encoder --model {missing}",
        "training.evaluate_encoder --data {missing}",
        "training.evaluate_encoder --film {missing}",
        "training.evaluate_encoder --checkpoint {missing}",
        "training.train_lite --data {missing} --out {out}",
        "training.export --checkpoint {missing} --out {out}",
        "training.blend --models {missing} --shares 1 --out {out}",
        "benchmarks.indexing_speed {missing}",
        "benchmarks.indexing_speed --table {missing}",
    ],
)
def test_what_is_not_there_is_said_in_a_line(command: str, tmp_path: Path) -> None:
    done = run(command, tmp_path)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "missing.json" in done.stderr


@pytest.mark.parametrize("shares", ["0.5", "0.5 0.6"])
def test_shares_that_do_not_add_up_are_refused(shares: str, tmp_path: Path) -> None:
    done = run(f"training.blend --models a b --shares {shares} --out {{out}}", tmp_path)
    assert done.returncode == 2
    assert "--shares have to add up to 1" in done.stderr
    assert "Traceback" not in done.stderr


def run(command: str, folder: Path) -> subprocess.CompletedProcess[str]:
    words = command.format(missing=folder / "missing.json", out=folder / "out").split()
    program = [sys.executable, "-m", *words]
    return subprocess.run(program, capture_output=True, text=True, check=False)
