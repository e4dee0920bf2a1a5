"""How much of the work on a film is done, while how much there will be is still being found out."""

from __future__ import annotations

from dataclasses import dataclass, replace

# Processor time on one machine in milliseconds; only their proportions matter. A frame is decoded
# and measured; what its bytes take depends on the codec, here H.264's.
_FRAME, _MEGAPIXEL, _KILOBYTE = 0.35, 0.9, 0.12
_PASSED = 0.005  # a packet that is not decoded
_TAKEN, _ENCODED = 4.0, 14.0  # a picture scaled and kept small; and encoded
_FINISHED = 60.0  # grouping and storing
_DOUBTED = 0.2  # share of a film that is in doubt
_PRIOR_S = 1.0  # what is expected beforehand counts as so much of the film


@dataclass(frozen=True, slots=True)
class Portion:
    """An amount of work: frames decoded from so many bytes, and pictures taken of them."""

    frames: float = 0.0
    bytes: float = 0.0
    pictures: float = 0.0

    def __add__(self, other: Portion) -> Portion:
        return Portion(
            self.frames + other.frames, self.bytes + other.bytes, self.pictures + other.pictures
        )

    def __sub__(self, other: Portion) -> Portion:
        return self + other * -1.0

    def __mul__(self, factor: float) -> Portion:
        return Portion(self.frames * factor, self.bytes * factor, self.pictures * factor)


class Workload:
    """The share of the work done, from 0 to 1, never falling.

    It counts from when the encoder is loaded: until its first picture is out, the share is 0.
    A film is skimmed first; then parts of it are decoded, and looks taken into the rest. What these
    will take is expected from the part that has been skimmed; what is left of a pass from what it
    took so far.

    Args:
        duration_s: of the film.
        megapixels: of a frame.
        packets: of the film, also of those that are not decoded.
        keys: its key frames.
        film: all of it, if it is decoded whole.
        listed: whether the bytes of both are known, not guessed.
    """

    def __init__(
        self,
        duration_s: float,
        megapixels: float,
        packets: float,
        keys: Portion,
        film: Portion,
        listed: bool,
    ) -> None:
        self._prior = _PRIOR_S / max(_PRIOR_S, duration_s)
        self._frame = _FRAME + _MEGAPIXEL * megapixels
        self._packets, self._passed = packets, 0.0
        self._keys, self._film, self._listed = keys, film, listed
        self._refining, self._looking = film * _DOUBTED, Portion()
        self._done, self._last, self._before = Portion(), Portion(), Portion()
        self._encoded = self._loading = 0.0
        self._pass = ""
        self._share = 0.0

    def expect(self, refining: Portion, looking: Portion) -> None:
        """Expect that so much will be decoded in doubt, and for looks, when the film is skimmed."""
        self._refining, self._looking = refining, looking

    def count(self, done: Portion, encoded: float) -> None:
        """Note what was done since the film was opened; of the pictures, so many are encoded."""
        self._done, self._encoded = done, encoded

    def skimmed(self, share: float) -> float:
        """The share of all work done when ``share`` of the film is skimmed."""
        self._passed = share
        rest = self._rest_of("skim", self._keys, share, self._listed)
        packets = _PASSED * self._packets * (1 - share)
        return self._at(rest + self._refining + self._looking, packets)

    def refined(self, share: float) -> float:
        """The share of all work done when ``share`` of what was in doubt is decoded."""
        return self._at(self._rest_of("refine", self._refining, share, True) + self._looking)

    def looked(self, share: float) -> float:
        """The share of all work done when ``share`` of the looks are taken."""
        return self._at(self._rest_of("look", self._looking, share, True))

    def watched(self, share: float) -> float:
        """The share of all work done when ``share`` of a film that is watched whole is decoded."""
        return self._at(self._rest_of("watch", self._film, share, self._listed))

    def _rest_of(self, name: str, expected: Portion, share: float, listed: bool) -> Portion:
        """What is left of a pass: as so far, but for the bytes where these are known."""
        if name != self._pass:
            self._pass, self._before = name, self._last
        self._last = self._done
        took = self._done - self._before
        rest = (expected * self._prior + took) * ((1 - share) / (self._prior + share))
        return replace(rest, bytes=max(0.0, expected.bytes - took.bytes)) if listed else rest

    def _at(self, ahead: Portion, packets: float = 0.0) -> float:
        done = self._cost(self._done) + _ENCODED * self._encoded
        done += _PASSED * self._packets * self._passed
        if self._done.pictures and self._encoded < 1 and not self._share:
            self._loading = done
        done -= self._loading
        left = self._cost(ahead) + _FINISHED + packets
        left += _ENCODED * (self._done.pictures - self._encoded + ahead.pictures)
        self._share = max(self._share, done / (done + left))
        return self._share

    def _cost(self, portion: Portion) -> float:
        """Of decoding, and of taking pictures, without encoding them."""
        decoding = self._frame * portion.frames + _KILOBYTE * portion.bytes / 1000
        return decoding + _TAKEN * portion.pictures
