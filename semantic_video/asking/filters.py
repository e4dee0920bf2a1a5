"""Where to look: a window of the timeline, clusters, lengths, recording times."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from semantic_video.errors import QueryError
from semantic_video.records import Scope, Theme


@dataclass(frozen=True, slots=True)
class Filters:
    """Where to look; the default is everywhere.

    ``start_s``, ``end_s``: on the timeline of each film. ``clusters``, ``themes``: ids or names
    (an id of a theme is that of the coarsest ones).
    ``min_length_s``: shorter moments are left out. ``recorded_after``, ``recorded_before``: of the
    picture itself, as the film says when its recording began; a time without a zone is local.
    """

    start_s: float = 0.0
    end_s: float = math.inf
    clusters: tuple[str, ...] = ()
    themes: tuple[str, ...] = ()
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
    def themes(self) -> Sequence[Theme]: ...
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
    themes = _themes(filters.themes, films)
    if themes is not None:
        clusters = {
            name: themes[name] & clusters[name] if clusters is not None else themes[name]
            for name in films
        }
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
    groups = {
        name: [(own, frozenset({place})) for place, own in enumerate(film.cluster_names)]
        for name, film in films.items()
    }
    return _members("cluster", "clusters", wanted, groups)


def _themes(
    wanted: Sequence[str], films: Mapping[str, Searched]
) -> dict[str, frozenset[int]] | None:
    """The ids of the clusters of the wanted themes; None where none is asked for."""
    if not wanted:
        return None
    groups = {}
    for name, film in films.items():
        # The coarsest first, so that their ids are their places.
        level = list(film.themes)
        found = []
        while level:
            found += [(theme.name, frozenset(theme.clusters)) for theme in level]
            level = [child for theme in level for child in theme.children]
        groups[name] = found
    return _members("theme", "clusters --themes", wanted, groups)


def _members(
    what: str,
    listing: str,
    wanted: Sequence[str],
    groups: Mapping[str, Sequence[tuple[str, frozenset[int]]]],
) -> dict[str, frozenset[int]]:
    """The clusters in the groups that are meant, in each film."""
    found: dict[str, frozenset[int]] = {name: frozenset() for name in groups}
    for text in wanted:
        hits = 0
        for name, own in groups.items():
            places = _matching(text, [group for group, _ in own])
            found[name] = found[name].union(*(own[place][1] for place in places))
            hits += len(places)
        if not hits:
            names = sorted({group for own in groups.values() for group, _ in own})
            near = difflib.get_close_matches(text, names, n=3, cutoff=0.4) or names[:3]
            raise QueryError(
                f"no {what} {text!r}: use an id or a name from `{listing}`, "
                f"such as {', '.join(map(repr, near))}"
            )
    return found


def _matching(text: str, names: Sequence[str]) -> set[int]:
    """Places of the groups that a text means: an id, a name, or words that are part of one."""
    if text.isdecimal() and len(text) < 10 and int(text) < len(names):
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
