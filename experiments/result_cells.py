"""How results are written in tables: figures with intervals, differences, what is not there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, TypeAlias

from experiments.student import half_interval

TAKEN: Mapping[str, str] = {
    "evaluation": "experiments.evaluation",
    "baselines": "experiments.baselines",
    "ablation": "experiments.ablation_studies",
    "budget": "experiments.memory_budget",
    "experts": "experiments.experts_report",
}
"""The results there are, and what makes each."""

Result: TypeAlias = Mapping[str, Any]
Figure: TypeAlias = Mapping[str, float]

SHORT = {
    "moment_R1": "R1",
    "moment_R5": "R5",
    "moment_mAP": "mAP",
    "concept_recall@10": "concept recall@10",
    "image_recall@5": "image recall@5",
    "boundary_error_s": "border error, s",
    "absent_auroc": "AUROC",
    "false_accept_rate": "false alarms",
    "true_accept_rate": "passed",
    "calibration_error": "ECE",
    "cluster_purity": "purity",
    "cluster_nmi": "NMI",
    "screen_text_R1": "screen text R1",
    "speech_R1": "speech R1",
}
_LOWER_IS_BETTER = frozenset({"boundary_error_s", "false_accept_rate", "calibration_error"})


def each(results: Mapping[str, Result], what: str) -> Iterator[tuple[str, Result]]:
    """(film, result) of every run of a kind: NAME-what.json."""
    for name, result in results.items():
        film, _, kind = name.rpartition("-")
        if kind == what:
            yield film, result


def cell(one: Figure | None, count: bool = False) -> str:
    """A figure with its interval, and with ``count`` of how many; empty for None."""
    if one is None:
        return ""
    bounds = f" [{one['low']:.2f}, {one['high']:.2f}]" if one["low"] < one["high"] else ""
    return f"{one['value']:.3f}{bounds}" + (f" of {one['n']}" if count else "")


def compared(row: Result, name: str) -> str:
    """A figure of a row, marked where it differs from what the row is held to."""
    one = row["figures"].get(name)
    less = row.get("difference", {}).get(name)
    return cell(one) + (_verdict(less, name) if one and less else "")


def difference(one: Figure, name: str) -> str:
    """A difference in the figure ``name``, marked where it is beyond its interval."""
    return f"{signed(one)}{_verdict(one, name)}"


def signed(one: Figure) -> str:
    """A difference and its interval, with their signs."""
    value, low, high = (one[key] + 0.0 for key in ("value", "low", "high"))  # -0.0 is 0.0
    return f"{value:+.3f} [{low:+.3f}, {high:+.3f}]"


def _verdict(one: Figure, name: str) -> str:
    if one["low"] <= 0 <= one["high"]:
        return ""
    better = (one["value"] > 0) != (name in _LOWER_IS_BETTER)
    return " **better**" if better else " **worse**"


def mean_of_seeds(values: Sequence[float]) -> str:
    """The mean, and half of its 95 % interval where there are several."""
    one = paired(values, [0.0] * len(values))
    half = one["high"] - one["value"]
    return f"{one['value']:.3f}" + (f" ±{half:.3f}" if len(values) > 1 else "")


def paired(ours: Sequence[float], theirs: Sequence[float]) -> dict[str, float]:
    """Mean difference over the seeds and its 95 % interval; of one seed there is none."""
    gains = [a - b for a, b in zip(ours, theirs, strict=True)]
    mean, half = sum(gains) / len(gains), half_interval(gains)
    return {"value": mean, "low": mean - half, "high": mean + half}


def missing(kind: str, what: str = "Not run") -> str:
    """That there are no results of a kind, and how to make them."""
    return (
        f"{what}: there is no `*-{kind}.json` in `experiments/results`; `python -m {TAKEN[kind]}` "
        "makes it."
    )
