"""Pictures framed anew: other crops each time, the same for the same seed."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image

from training.data import VIEWS, Picture
from training.fresh import FreshViews


def picture(seed: int) -> Picture:
    noise = np.random.default_rng(seed).integers(0, 256, (12, 16, 3), dtype=np.uint8)
    file = io.BytesIO()
    Image.fromarray(noise).resize((160, 120)).save(file, "JPEG")
    return Picture(file.getvalue(), ("a picture",), "", "flickr8k", "train")


def test_each_call_frames_anew_and_the_seed_decides() -> None:
    pictures = [picture(seed) for seed in range(3)]
    rows = np.array([2, 0])
    one, two = (FreshViews(pictures, VIEWS[:2], 2, seed=5) for _ in range(2))
    first, second = one.pixels(rows, 1), one.pixels(rows, 1)
    assert first.shape == (2, 224, 224, 3)
    assert (first != second).mean() > 0.5
    assert (two.pixels(rows, 1) == first).all()
    assert (FreshViews(pictures, VIEWS[:2], 1, seed=6).pixels(rows, 1) != first).mean() > 0.5


def test_the_whole_view_is_always_the_same() -> None:
    fresh = FreshViews([picture(0)], VIEWS[:1], 1, seed=0)
    rows = np.array([0])
    assert (fresh.pixels(rows, 0) == fresh.pixels(rows, 0)).all()
