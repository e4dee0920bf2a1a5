"""Where to look: a window of the timeline, clusters, lengths, recording times."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from semantic_video.errors import QueryError
from semantic_video.records import Scope


@dataclass(frozen=True, slots=True)
class Filters:
    """Where to look; the default is everywhere.

    ``start_s``, ``end_s``: on the timeline of each film. ``clusters``: ids or names.
    ``min_length_s``: shorter moments are left out. ``recorded_after``, ``recorded_before``: of the
    picture itself, as the film says when its recording began; a time without a zone is local.
    """

    start_s: float = 0.0
    end_s: float = math.inf
    clusters: tuple[str, ...] = ()
    min_length_s: float = 0.0
    recorded_after: datetime | None = None
    recorded_before: datetime | None = None

    def __post_init__(self) -> None:
        if self.end_s <= self.start_s:
            raise QueryError(f"from {self.start_s:g} s to {self.end_s:g} s: nothing lies between")
        if not 0 <= self.min_length_s < math.inf:
            raise QueryError(f"{self.min_length_s:g} s is no length")


class Searched(Protocol):
    """What filters need to know of a film."""

    @property
    def cluster_names(self) -> Sequence[str]: ...
    @property
    def recorded_at(self) -> str | None: ...


def scopes(filters: Filters, films: Mapping[str, Searched]) -> dict[str, Scope] | None:
    """Where to look in each film; films in which there is nowhere are left out. None: everywhere.

    Raises:
        QueryError: no film has such a cluster, or none says when it was recorded.
    """
    if filters == Filters():
        return None
    clusters = _clusters(filters.clusters, films)
    found: dict[str, Scope] = {}
    dated = False
    for name, film in films.items():
        if clusters is not None and not clusters[name]:
            continue
        start_s, end_s = filters.start_s, filters.end_s
        if filters.recorded_after or filters.recorded_before:
            began = _instant(film.recorded_at)
            if began is None:
                continue
            dated = True
            if filters.recorded_after:
                start_s = max(start_s, (_zoned(filters.recorded_after) - began).total_seconds())
            if filters.recorded_before:
                end_s = min(end_s, (_zoned(filters.recorded_before) - began).total_seconds())
        if end_s > start_s:
            found[name] = Scope(
                start_s, end_s, None if clusters is None else clusters[name], filters.min_length_s
            )
    if (filters.recorded_after or filters.recorded_before) and not dated:
        raise QueryError("none of the films says when it was recorded")
    return found


def moment_of_time(text: str) -> datetime:
    """A date and time as ISO 8601 has them: 2026-05-01, 2026-05-01T14:00, 2026-05-01T14:00+02:00.

    Raises:
        QueryError: it is neither.
    """
    try:
        return datetime.fromisoformat(text.strip())
    except ValueError as error:
        raise QueryError(f"{text!r} is no time: write it as 2026-05-01T14:00") from error


def _clusters(
    wanted: Sequence[str], films: Mapping[str, Searched]
) -> dict[str, frozenset[int]] | None:
    """The ids of the wanted clusters in each film; None where none is asked for."""
    if not wanted:
        return None
    found: dict[str, set[int]] = {name: set() for name in films}
    for text in wanted:
        hits = 0
        for name, film in films.items():
            ids = _matching(text, film.cluster_names)
            found[name] |= ids
            hits += len(ids)
        if not hits:
            names = sorted({own for film in films.values() for own in film.cluster_names})
            near = difflib.get_close_matches(text, names, n=3, cutoff=0.4) or names[:3]
            raise QueryError(
                f"no cluster {text!r}: use an id or a name from `clusters`, "
                f"such as {', '.join(map(repr, near))}"
            )
    return {name: frozenset(ids) for name, ids in found.items()}


def _matching(text: str, names: Sequence[str]) -> set[int]:
    """Ids of the clusters that a text means: an id, a name, or words that are part of one."""
    if text.isdecimal() and int(text) < len(names):
        return {int(text)}
    plain = text.casefold().strip()
    exact = {place for place, name in enumerate(names) if name.casefold() == plain}
    return exact or {place for place, name in enumerate(names) if plain in name.casefold()}


def _instant(text: str | None) -> datetime | None:
    try:
        return _zoned(datetime.fromisoformat(text)) if text else None
    except ValueError:
        return None


def _zoned(time: datetime) -> datetime:
    return time.astimezone() if time.tzinfo is None else time
