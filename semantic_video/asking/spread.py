"""Moments far apart: one of each occurrence instead of ten neighbours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semantic_video.records import Moment

_SHARE = 0.01
_LEAST_S, _MOST_S = 10.0, 60.0


def spread_out(
    moments: Sequence[Moment], durations: Mapping[str, float], k: int
) -> tuple[Moment, ...]:
    """The best ``k`` of moments (best first) of which no two of one film are near to each other.

    Near is within a hundredth of the film, but no less than 10 s and no more than a minute.
    """
    taken: list[Moment] = []
    for moment in moments:
        if len(taken) == k:
            break
        apart_s = min(max(_SHARE * durations[moment.video], _LEAST_S), _MOST_S)
        if all(
            own.video != moment.video
            or moment.start_s >= own.end_s + apart_s
            or own.start_s >= moment.end_s + apart_s
            for own in taken
        ):
            taken.append(moment)
    return tuple(taken)
