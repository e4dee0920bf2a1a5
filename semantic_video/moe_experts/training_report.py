"""What training experts came to: each job with what it is worth on held-out time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class JobReport:
    """What one job is worth on held-out time, and whether it is on.

    Higher is better: for ``compress`` the share of the ten best scenes of a text that the codes
    find as well, against plain coordinates of as many bytes (``identity``); for ``adapt`` the mean
    average precision with which scenes find those that the same word of the vocabulary describes,
    against vectors as they are. ``interval`` is half of the 95 % interval of the gain. Variants are
    chosen on one half of the minutes, and these figures are of the other.
    """

    on: bool
    held_out: float
    identity: float
    bytes_per_vector: int
    reason: str
    interval: float = 0.0

    def as_dict(self) -> dict[str, Any]:
        """The JSON contract of ``train``."""
        return {
            "on": self.on,
            "held_out": _rounded(self.held_out),
            "identity": _rounded(self.identity),
            "bytes_per_vector": self.bytes_per_vector,
            "reason": self.reason,
        }


@dataclass(frozen=True, slots=True)
class ExpertsReport:
    """What training the experts came to.

    ``losses`` holds one curve a name (a value an epoch) and ``held_out_variants`` the held-out
    figure of every variant of adapt that was tried, ``identity`` among them. ``utilisation`` is the
    share of frames that each expert gets, ``specialisation`` the normalised mutual information of a
    scene's expert and its cluster (1: they say the same).
    """

    jobs: Mapping[str, JobReport]
    experts: int
    seconds: float
    losses: Mapping[str, Sequence[float]] = field(default_factory=dict)
    held_out_variants: Mapping[str, float] = field(default_factory=dict)
    utilisation: Sequence[float] = ()
    specialisation: float = 0.0
    settings: Mapping[str, Any] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """The JSON contract of ``train``."""
        return {
            "jobs": {name: job.as_dict() for name, job in self.jobs.items()},
            "experts": self.experts,
            "seconds": round(self.seconds, 2),
        }

    def __str__(self) -> str:
        lines = [f"{self.experts} experts, trained in {self.seconds:.1f} s"]
        for name, job in self.jobs.items():
            state = "on" if job.on else "off"
            lines.append(
                f"  {name}: {state}; held-out {job.held_out:.3f}, identity {job.identity:.3f}, "
                f"{job.bytes_per_vector} bytes a vector; {job.reason}"
            )
        return "\n".join(lines)


def _rounded(value: float) -> float:
    return round(float(value), 4)
