"""What a user changed by hand, tied to times, and replayed over whatever clustering is found.

A correction names stretches of the film rather than clusters or scenes, whose numbers change when
the film is grouped or cut anew. Corrections are replayed in order over the labels that a method
found; each changes what it names and nothing else, and a later one overrules an earlier one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from semantic_video.records import SceneSpan, Span
from semantic_video.semantic_clustering.clustering import Found
from semantic_video.semantic_clustering.links import Links

Kind = Literal["merge", "split", "rename", "together", "apart"]


@dataclass(frozen=True, slots=True)
class Correction:
    """One change: ``first`` and ``second`` are the stretches it speaks of, ``name`` a new name.

    ``merge`` and ``together`` put all of both into one cluster, ``split`` and ``apart`` leave no
    cluster with scenes of both, ``rename`` names the cluster that holds most of ``first``.
    """

    kind: Kind
    first: tuple[Span, ...]
    second: tuple[Span, ...] = ()
    name: str = ""

    def as_dict(self) -> dict[str, Any]:
        """What is stored, see `from_dict`."""
        return {
            "kind": self.kind,
            "first": [list(span) for span in self.first],
            "second": [list(span) for span in self.second],
            "name": self.name,
        }

    @classmethod
    def from_dict(cls, values: Mapping[str, Any]) -> Correction:
        """The inverse of `as_dict`."""
        first, second = (tuple(Span(*pair) for pair in values[key]) for key in ("first", "second"))
        return cls(values["kind"], first, second, values["name"])


def replay(
    found: Found,
    corrections: Sequence[Correction],
    vectors: NDArray[np.float32],
    weights: NDArray[np.float64],
    spans: Sequence[Sequence[SceneSpan]],
) -> tuple[NDArray[np.int32], tuple[str, ...]]:
    """Labels int32[N] and names after all ``corrections``, in order.

    ``vectors`` [N, D], ``weights`` [N] and ``spans`` are those of the N entries in ``found``.
    """
    links = Links(vectors, weights)
    places = _Places(spans)
    labels = found.labels
    given: list[tuple[NDArray[np.intp], str]] = []
    for correction in corrections:
        first, second = places.rows(correction.first), places.rows(correction.second)
        if correction.kind == "rename":
            given.append((first, correction.name))
        elif correction.kind in ("merge", "together"):
            rows = np.union1d(first, second)
            labels = links.together(labels, rows) if len(rows) else labels
        else:
            # What the budget has merged into one entry cannot be told apart.
            both = np.intersect1d(first, second)
            labels = links.apart(labels, np.setdiff1d(first, both), np.setdiff1d(second, both))
    names = _inherited(found, labels, weights)
    claims: dict[int, float] = {}
    for rows, name in given:
        if len(rows):
            held = np.bincount(labels[rows], weights=weights[rows], minlength=len(names))
            cluster = int(np.argmax(held))
            if held[cluster] >= claims.get(cluster, 0.0):
                claims[cluster] = float(held[cluster])
                names[cluster] = name
    return labels, _without_twins(names, set(claims))


class _Places:
    """Which entries lie in a stretch of the film."""

    def __init__(self, spans: Sequence[Sequence[SceneSpan]]) -> None:
        every = [(span, row) for row, own in enumerate(spans) for span in own]
        self._starts = np.array([span.start_s for span, _ in every])
        self._ends = np.array([span.end_s for span, _ in every])
        self._rows = np.array([row for _, row in every], dtype=np.intp)
        self._count = len(spans)

    def rows(self, stretches: Sequence[Span]) -> NDArray[np.intp]:
        """Entries with a scene whose middle lies inside; where there is none, the scene around.

        An entry of several scenes belongs to a stretch if most of its time does.
        """
        middles = (self._starts + self._ends) / 2
        inside = np.zeros(len(middles), dtype=bool)
        for stretch in stretches:
            own = (middles >= stretch.start_s) & (middles < stretch.end_s)
            if not own.any():
                middle = (stretch.start_s + stretch.end_s) / 2
                own = (self._starts <= middle) & (middle < self._ends)
            inside |= own
        lengths = self._ends - self._starts
        total = np.bincount(self._rows, weights=lengths, minlength=self._count)
        held = np.bincount(self._rows, weights=lengths * inside, minlength=self._count)
        return np.flatnonzero(held * 2 > total)


def _inherited(found: Found, labels: NDArray[np.int32], weights: NDArray[np.float64]) -> list[str]:
    """Each cluster takes the name of the found one that most of it comes from."""
    names = []
    for cluster in range(int(labels.max()) + 1):
        rows = labels == cluster
        shares = np.bincount(found.labels[rows], weights=weights[rows])
        names.append((int(np.argmax(shares)), float(shares.max())))
    order = sorted(range(len(names)), key=lambda cluster: -names[cluster][1])
    kept: dict[int, str] = {}
    used: set[str] = set()
    for cluster in order:
        kept[cluster] = _free_name(found.names[names[cluster][0]], used)
        used.add(kept[cluster])
    return [kept[cluster] for cluster in range(len(names))]


def _without_twins(names: list[str], given: set[int]) -> tuple[str, ...]:
    """No name twice: what the user gave stays, another of the same name gets a number."""
    used = {names[cluster] for cluster in given}
    result = []
    for cluster, name in enumerate(names):
        if cluster not in given:
            name = _free_name(name, used)
            used.add(name)
        result.append(name)
    return tuple(result)


def _free_name(name: str, used: set[str]) -> str:
    number, candidate = 2, name
    while candidate in used:
        candidate, number = f"{name} {number}", number + 1
    return candidate
