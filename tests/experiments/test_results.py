"""The page of results says what the JSON says, and says what is not there."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from experiments.memory_budget import summary
from experiments.results import (
    LEADERBOARD,
    PAGE,
    RESULTS,
    leaderboard,
    page,
    read_predictions,
    read_results,
    take_over,
)

NAMES = (
    "64 entries, clusters by meaning",
    "64 entries, clusters by time",
    "64 entries, random clusters",
    "64 entries, one cluster",
)


def figure(value: float, spread: float = 0.1) -> dict[str, float]:
    return {"value": value, "low": value - spread, "high": value + spread, "n": 10}


def ablation(time: float, apart: float) -> dict[str, Any]:
    rows = [
        {"name": name, "group": "memory", "figures": {"moment_R5": figure(value)}}
        for name, value in zip(NAMES, (0.5, time, 0.3, 0.6), strict=True)
    ]
    for row in rows[1:]:
        value = row["figures"]["moment_R5"]["value"] - 0.5  # type: ignore[index]
        row |= {"difference": {"moment_R5": figure(value, apart)}, "against": NAMES[0]}
    return {"rows": rows}


def baselines(film: str) -> dict[str, Any]:
    def row(name: str, value: float, **more: Any) -> dict[str, Any]:
        figures = {"moment_mAP": figure(value)}
        return {
            "name": name, "budget_kb": 64, "figures": figures, "bytes": 64_000, "cpu_s": 1.0, **more
        }  # fmt: skip

    rows = [
        row("ours", 0.4),
        row("surely better", 0.6, difference={"moment_mAP": figure(0.2, 0.05)}),
        row("perhaps better", 0.5, difference={"moment_mAP": figure(0.1, 0.2)}),
    ]
    return {"film": {"name": film, "duration_s": 600.0, "queries": 10}, "rows": rows}


def test_the_committed_pages_are_what_the_committed_results_give() -> None:
    results = read_results()
    assert results
    assert PAGE.read_text(encoding="utf-8") == page(results)
    assert LEADERBOARD.read_text(encoding="utf-8") == leaderboard(results)


def test_what_is_not_there_is_said_with_what_makes_it() -> None:
    text = page({})
    for kind in ("evaluation", "baselines", "ablation", "budget", "experts"):
        assert f"there is no `*-{kind}.json`" in text
    assert "`python -m experiments.memory_budget` makes it" in text
    assert "there is no `*-baselines.json`" in leaderboard({})


def test_meaning_against_time_is_counted_whatever_comes_out() -> None:
    def verdict(time: float, apart: float) -> str:
        return next(
            line
            for line in page({"film-ablation": ablation(time, apart)}).splitlines()
            if line.startswith("**Search and memory**")
        )

    assert "ahead of time beyond its interval in 1 of 1 comparisons, behind in 0" in verdict(
        0.3, 0.1
    )
    assert "in 0 of 1 comparisons, behind in 1, undecided in 0" in verdict(0.7, 0.1)
    assert "in 0 of 1 comparisons, behind in 0, undecided in 1" in verdict(0.45, 0.1)
    assert "higher value than no grouping in 0 of 1" in verdict(0.3, 0.1)


def test_experts_are_compared_seed_by_seed() -> None:
    def runs(*values: float) -> list[dict[str, float]]:
        return [{"mAP": value} for value in values]

    adapt = {
        "semantic": runs(0.5, 0.7),
        "temporal": runs(0.4, 0.6),  # always 0.1 less: no doubt, though the seeds are far apart
        "random": runs(0.3, 0.3),
        "dense": runs(0.6, 0.8),
    }
    text = page({"film-experts": {"adapt": adapt}})
    assert "| adapt: mAP, film | 0.600 ±1.271 | 0.500 ±1.271 |" in text
    assert "+0.100 [+0.100, +0.100] **better** |" in text
    assert "- film, adapt: dense, mAP: +0.100 [+0.100, +0.100]" in text


def test_losses_beyond_doubt_are_listed_and_others_counted() -> None:
    text = page({"film-baselines": baselines("film")})
    losses = text.split("## Where we lose")[1].split("## What each part gives")[0]
    assert "- film, at 64 kB: surely better, mAP: +0.200 [+0.150, +0.250]" in losses
    assert "perhaps better" not in losses
    assert "- 1 more are higher, within their interval" in losses


def test_the_leaderboard_ranks_films_of_the_benchmark_only() -> None:
    results = {"recurrence-baselines": baselines("r"), "film-baselines": baselines("f")}
    lines = leaderboard(results).splitlines()
    ranked = [line.split(" | ")[0] for line in lines if line.startswith("| ") and "64" in line]
    assert ranked == ["| surely better", "| perhaps better", "| ours"]
    assert "### film" not in leaderboard(results)
    assert "### recurrence" not in page(results)


def test_results_are_taken_over_by_name_and_read_again(tmp_path: Path) -> None:
    run, kept = tmp_path / "run", tmp_path / "kept"
    run.mkdir()
    content = {"what": "ablation", "film": {"name": "a"}, "rows": [{"name": "b"}, {"name": "c"}]}
    (run / "ablation.json").write_text(json.dumps(content))
    (run / "other.json").write_text("{}")
    (run / "ablation.predictions.jsonl").write_text('{"name": "b", "id": "m0"}\n')
    files = ["run-ablation.json", "run-ablation.predictions.jsonl.gz"]
    assert [path.name for path in take_over(str(run), kept)] == files
    first = (kept / files[1]).read_bytes()
    take_over(f"dev={run}", kept)
    assert (kept / files[1].replace("run", "dev")).read_bytes() == first
    assert list(read_predictions(kept / files[1])) == [{"name": "b", "id": "m0"}]
    assert read_results(kept) == {"dev-ablation": content, "run-ablation": content}


@pytest.mark.parametrize(
    "path", sorted(RESULTS.glob("*.predictions.jsonl.gz")), ids=lambda p: p.name
)
def test_kept_answers_give_the_kept_figures(path: Path) -> None:
    result = read_results()[path.name.removesuffix(".predictions.jsonl.gz")]
    if "table" in result:  # of a memory's budget: recall of each query
        assert summary(list(read_predictions(path))) == result["table"]
        return
    rows = result.get("rows", [result])
    sums: dict[tuple[Any, ...], list[float]] = {}
    for line in read_predictions(path):
        for name, value in line.get("values", {}).items():
            key = (line.get("name"), line.get("budget_kb"), name)
            sums.setdefault(key, []).append(value)
    assert sums
    figures = {(row.get("name"), row.get("budget_kb")): row["figures"] for row in rows}
    for (row, budget, name), values in sums.items():
        expected = figures[row, budget][name]["value"]
        assert np.mean(values) == pytest.approx(expected, abs=1e-3), (row, budget, name)


def test_a_folder_without_results_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match=r"no results in .*nothing: none of evaluation.json"):
        take_over(str(tmp_path / "nothing"), tmp_path / "kept")
