"""How much of the work on a film is done, while how much there will be is still being found out."""

from __future__ import annotations

# What decoding all of a film would take, in skims of its key frames.
_WHOLE = 4.0
_PRIOR = 0.2


class Workload:
    """The share of the work done, from 0 to 1, never falling.

    A film is skimmed first; what share of it has to be decoded thereafter is expected from the
    part that has been skimmed.
    """

    def __init__(self) -> None:
        self._expected = _PRIOR
        self._skimmed = 0.0
        self._share = 0.0

    def expect(self, share: float) -> None:
        """Expect that ``share`` of the film is decoded after skimming."""
        self._expected = share

    def skimmed(self, share: float) -> float:
        """The work done when ``share`` of the film is skimmed."""
        self._skimmed = share
        return self._at(share / (1.0 + _WHOLE * self._expected))

    def refined(self, share: float) -> float:
        """The work done when ``share`` of what was in doubt is decoded."""
        more = _WHOLE * self._expected
        return self._at((1.0 + more * share) / (1.0 + more))

    def watched(self, share: float) -> float:
        """The work done when ``share`` of a film that is watched whole is decoded."""
        return self._at((self._skimmed + _WHOLE * share) / (self._skimmed + _WHOLE))

    def _at(self, share: float) -> float:
        self._share = max(self._share, min(1.0, share))
        return self._share
