"""What training left to be looked at: read from the experts of a video, without torch."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from semantic_video.moe_experts.frozen import TrainedExperts


@dataclass(frozen=True, slots=True)
class ExpertsOverview:
    """How the experts of one film were trained, and where they are at work.

    ``routing`` is the expert that each scene goes to first, by the scene's id, and ``utilisation``
    the share of frames of each expert 0..K-1, over all films trained together. ``losses`` has one
    curve a name, a value an epoch. ``held_out`` is the figure of every variant of adapt on held-out
    time, ``identity`` among them, and ``jobs`` what `train` reports of each job. All but the last
    are empty where nothing was trained, for instance on a film of a few scenes.
    """

    routing: Mapping[int, int]
    utilisation: tuple[float, ...]
    losses: Mapping[str, tuple[float, ...]]
    held_out: Mapping[str, float]
    specialisation: float
    jobs: Mapping[str, Mapping[str, Any]]


def overview_of(weights: bytes, film: str) -> ExpertsOverview:
    """The overview of the video with the id ``film``, from the bytes that a library keeps of it.

    Raises:
        LibraryError: the bytes are damaged.
    """
    facts = TrainedExperts.from_bytes(weights).facts
    own = facts.get("routing", {}).get(film, {"scenes": [], "experts": []})
    return ExpertsOverview(
        routing=dict(zip(own["scenes"], own["experts"], strict=True)),
        utilisation=tuple(facts.get("utilisation", ())),
        losses={name: tuple(curve) for name, curve in facts.get("losses", {}).items()},
        held_out=facts.get("held_out_variants", {}),
        specialisation=float(facts.get("specialisation", 0.0)),
        jobs=facts.get("jobs", {}),
    )
