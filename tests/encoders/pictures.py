"""Pictures that preprocessing must survive."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray
from PIL import Image


def noise(height: int, width: int, seed: int = 0) -> NDArray[np.uint8]:
    """Coarse noise, so that resizing has something to lose and something to keep."""
    rng = np.random.default_rng(seed)
    coarse = rng.integers(0, 256, (height // 7 + 2, width // 7 + 2, 3), dtype=np.uint8)
    whole = coarse.repeat(7, 0).repeat(7, 1)[:height, :width]
    fine = rng.integers(0, 40, whole.shape, dtype=np.uint8)
    return np.asarray(np.maximum(whole, fine), np.uint8)


def awkward() -> dict[str, NDArray[np.uint8]]:
    """By what is odd about them; all uint8 [H, W, 3]."""
    return {
        "wide": noise(90, 160, 1),
        "tall": noise(161, 91, 2),
        "small": noise(9, 14, 3),
        "odd": noise(67, 101, 4),
        "one pixel": noise(1, 1, 5),
        "one row": noise(1, 300, 6),
        "panorama": noise(50, 8000, 7),
        "tower": noise(8000, 50, 8),
        "grey": noise(70, 70, 9)[:, :, :1].repeat(3, axis=2),
        "plain": np.full((40, 60, 3), 10, np.uint8),
    }


TEXTS = [
    "a dog on the beach",
    "A Person  Walking\n",
    "a train entering a tunnel",
    "",
    " ".join(["dog"] * 300),
    "🎬 🐶 a cat 猫",
    "it's red, isn't it? 42 houses!",
    "x",
]


def pillow_resized(
    picture: NDArray[np.uint8], size: tuple[int, int], kernel: Image.Resampling
) -> Image.Image:
    """The picture at ``size`` (height, width), along rows first.

    So Pillow did it while the models were trained; since version 13 it takes the cheaper order.
    """
    along_rows = Image.fromarray(picture).resize((size[1], picture.shape[0]), kernel)
    return along_rows.resize((size[1], size[0]), kernel)
