"""The commands that measure: what cannot be is said in a line."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest


@pytest.mark.parametrize(
    "command",
    [
        "baselines --manifest {missing} --out {out}",
        "ablation_studies --manifest {missing} --out {out}",
        "evaluation --manifest {missing} --out {out}",
        "memory_budget {missing} --scenes {missing} --out {out}",
        "memory_stream {missing} --out {out}",
        "memory_plot --budget {missing} --out {out}",
        "experts_report {missing} --library {out} --out {out}",
        "pictures {missing} film.mp4 --out {out}",
        "demo {missing}",
        "results --from {missing}",
        "recurrence {missing} --out {out}",
    ],
)
def test_what_is_not_there_is_said_in_a_line(command: str, tmp_path: Path) -> None:
    words = command.format(missing=tmp_path / "missing.json", out=tmp_path / "out.mp4").split()
    program = [sys.executable, "-m", f"experiments.{words[0]}", *words[1:]]
    done = subprocess.run(program, capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert done.stderr.count("\n") == 1
    assert "missing.json" in done.stderr
