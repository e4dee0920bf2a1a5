"""Resizing agrees with Pillow's, which the models were trained with."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from semantic_video.encoders.resampling import resample
from tests.encoders.pictures import noise, pillow_resized

FILTERS = {
    "box": Image.Resampling.BOX,
    "bilinear": Image.Resampling.BILINEAR,
    "bicubic": Image.Resampling.BICUBIC,
    "lanczos": Image.Resampling.LANCZOS,
}
SIDE = st.integers(1, 120)


@settings(max_examples=60, deadline=None)
@given(st.tuples(SIDE, SIDE), st.tuples(SIDE, SIDE), st.sampled_from(sorted(FILTERS)))
def test_as_pillow(size: tuple[int, int], wanted: tuple[int, int], kernel: str) -> None:
    picture = noise(*size, seed=size[0])
    theirs = pillow_resized(picture, wanted, FILTERS[kernel])
    ours = resample(picture, wanted, kernel)
    difference = np.abs(ours.astype(int) - np.asarray(theirs, int))
    # Pillow computes in fixed point: a tie may round the other way, once for each pass.
    assert difference.max() <= 2
    assert (difference > 1).mean() <= 0.01


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_window_is_that_part_of_the_whole(data: st.DataObject) -> None:
    height, width = data.draw(SIDE), data.draw(SIDE)
    top, left = data.draw(st.integers(0, height - 1)), data.draw(st.integers(0, width - 1))
    rows, columns = (
        data.draw(st.integers(1, height - top)),
        data.draw(st.integers(1, width - left)),
    )
    picture = noise(data.draw(SIDE), data.draw(SIDE))
    part = resample(picture, (height, width), "bicubic", (top, left, rows, columns))
    whole = resample(picture, (height, width), "bicubic")
    # The products are summed in another order, which may turn a tie.
    wanted = whole[top : top + rows, left : left + columns]
    assert np.abs(part.astype(int) - wanted.astype(int)).max(initial=0) <= 1


def test_an_unknown_kernel_is_not_taken_for_another() -> None:
    with pytest.raises(KeyError):
        resample(noise(4, 4), (2, 2), "bicubical")
