"""Which frames of a video to serve."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from semantic_video.records import Span


@dataclass(frozen=True, slots=True)
class Plan:
    """Which frames to serve; made with ``Plan.all`` or ``Plan.keyframes``.

    ``spans`` are the stretches to serve, sorted and apart, None for the whole video: served is what
    is presented in them, decoding starts at the key frame before. ``keyframes_only`` decodes
    nothing but key frames, and leaves out those that follow within ``apart_s``.
    ``skip_nonreference`` leaves out frames that no other frame needs (many B-frames), where the
    codec tells.
    """

    spans: tuple[Span, ...] | None = None
    keyframes_only: bool = False
    skip_nonreference: bool = False
    apart_s: float = 0.0

    @classmethod
    def all(cls, spans: Iterable[Span] | None = None, *, skip_nonreference: bool = False) -> Self:
        """Every frame, of the whole video or of ``spans`` (in any order)."""
        return cls(_tidy(spans), skip_nonreference=skip_nonreference)

    @classmethod
    def keyframes(cls, spans: Iterable[Span] | None = None, *, apart_s: float = 0.0) -> Self:
        """Key frames, of the whole video or of ``spans`` (in any order), at least so far apart."""
        return cls(_tidy(spans), keyframes_only=True, apart_s=apart_s)


def _tidy(spans: Iterable[Span] | None) -> tuple[Span, ...] | None:
    """Sort spans, join those that overlap or touch, drop empty ones."""
    if spans is None:
        return None
    tidy: list[Span] = []
    for start_s, end_s in sorted(spans):
        if tidy and start_s <= tidy[-1].end_s:
            tidy[-1] = Span(tidy[-1].start_s, max(end_s, tidy[-1].end_s))
        elif end_s > start_s:
            tidy.append(Span(start_s, end_s))
    return tuple(tidy)
