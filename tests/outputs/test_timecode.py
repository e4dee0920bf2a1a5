"""Frame rates and timecode, against the standard's own numbers and a count frame by frame."""

from __future__ import annotations

from fractions import Fraction

import opentimelineio as reference
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic_video.outputs import Rate

NTSC = Fraction(30000, 1001)


@pytest.mark.parametrize(
    ("measured", "fps", "base", "drops"),
    [
        (24.0, Fraction(24), 24, False),
        (23.976023976, Fraction(24000, 1001), 24, False),
        (29.97002997, NTSC, 30, True),
        (29.97, NTSC, 30, True),
        (59.94, Fraction(60000, 1001), 60, True),
        (25.0, Fraction(25), 25, False),
        (30.0, Fraction(30), 30, False),
        (24.83, Fraction(25), 25, False),  # a rate that varies
        (None, Fraction(25), 25, False),
        (0.2, Fraction(1), 1, False),
    ],
)
def test_a_measured_rate_stands_for_an_exact_one(
    measured: float | None, fps: Fraction, base: int, drops: bool
) -> None:
    rate = Rate.of(measured)
    assert (rate.fps, rate.base, rate.drops) == (fps, base, drops)


@pytest.mark.parametrize(
    ("frame", "timecode"),
    [
        (0, "00:00:00;00"),
        (1799, "00:00:59;29"),
        (1800, "00:01:00;02"),  # 00 and 01 are dropped
        (17981, "00:09:59;29"),
        (17982, "00:10:00;00"),  # not in every tenth minute
        (107892, "01:00:00;00"),
    ],
)
def test_drop_frame_timecode(frame: int, timecode: str) -> None:
    assert Rate(NTSC).timecode(frame) == timecode


def test_timecode_without_drops_counts_frames() -> None:
    assert Rate(Fraction(24000, 1001)).timecode(24 * 3600 + 25) == "01:00:01:01"


@settings(max_examples=300, deadline=None)
@given(
    frame=st.integers(0, 24 * 3600 * 24 - 1),
    fps=st.sampled_from(
        [Fraction(24), Fraction(25), Fraction(30), NTSC, Fraction(60000, 1001), Fraction(60)]
    ),
)
def test_timecode_is_that_of_opentimelineio(frame: int, fps: Fraction) -> None:
    rate = Rate(fps)
    time = reference.opentime.RationalTime(frame, float(fps))
    assert rate.timecode(frame) == time.to_timecode(float(fps), rate.drops)


@settings(max_examples=200, deadline=None)
@given(seconds=st.floats(0, 80_000))
def test_drop_frame_timecode_keeps_with_the_clock(seconds: float) -> None:
    rate = Rate(NTSC)
    hours, minutes, rest = rate.timecode(rate.frame(seconds)).split(":")
    whole, frames = rest.split(";")
    shown = 3600 * int(hours) + 60 * int(minutes) + int(whole) + int(frames) / 30
    # The standard's own residue: 3.6 ms in an hour, two numbers, and half a frame of rounding.
    assert shown == pytest.approx(seconds, abs=0.09 + 3.7e-3 * seconds / 3600)
