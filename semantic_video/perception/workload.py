"""How much of the work on a film is done, while how much there will be is still being found out."""

from __future__ import annotations

# Processor time on one machine in milliseconds; only their proportions matter. Decoding is told for
# a million pixels, of key frames and of others, and includes what is measured on each frame.
_KEY_MPX, _FRAME_MPX = 8.5, 4.5
_ENCODED = 33.0
_KEYS_ENCODED = 0.85  # share of key frames
_REFERENCES = 0.6  # share of frames that others refer to: the only ones decoded
_EVERY_S = 2.2  # encoded as often where all is decoded
_PRIOR_SHARE = 0.2
_PRIOR_KEY_S = 5.0


class Workload:
    """The share of the work done, from 0 to 1, never falling.

    A film is skimmed first; then parts of it are decoded, and looks taken into the rest. What these
    will take is expected from the part that has been skimmed.

    Args:
        megapixels: of a frame.
        frame_rate: frames a second.
    """

    def __init__(self, megapixels: float, frame_rate: float) -> None:
        self._mpx = megapixels
        self._second = frame_rate * _REFERENCES * _FRAME_MPX * megapixels + _ENCODED / _EVERY_S
        self._skim = self._decode = self._look = 0.0
        self._skimmed = 0.0
        self._share = 0.0
        self.expect(_PRIOR_SHARE, _PRIOR_KEY_S, 0.0)

    def expect(self, share: float, key_s: float, look_s: float) -> None:
        """Expect work for each second of the film.

        Args:
            share: how much of it will be decoded, 0 to 1.
            key_s: seconds from key frame to key frame.
            look_s: how much will be decoded for looks, as a share of the film.
        """
        self._skim = (_KEY_MPX * self._mpx + _KEYS_ENCODED * _ENCODED) / key_s
        self._decode = share * self._second
        self._look = look_s * self._second

    def skimmed(self, share: float) -> float:
        """The work done when ``share`` of the film is skimmed."""
        self._skimmed = share
        return self._at(self._skim * share)

    def refined(self, share: float) -> float:
        """The work done when ``share`` of what was in doubt is decoded."""
        return self._at(self._skim + self._decode * share)

    def looked(self, share: float) -> float:
        """The work done when ``share`` of the looks are taken."""
        return self._at(self._skim + self._decode + self._look * share)

    def watched(self, share: float) -> float:
        """The work done when ``share`` of a film that is watched whole is decoded."""
        self._decode, self._look = self._second, 0.0
        return self._at(self._skim * self._skimmed + self._decode * share, self._skimmed)

    def _at(self, done: float, skimmed: float = 1.0) -> float:
        total = self._skim * skimmed + self._decode + self._look
        self._share = max(self._share, min(1.0, done / total))
        return self._share
