"""Pictures with captions from the parquet files of a data folder, their views, and captions."""

from __future__ import annotations

import io
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
from numpy.typing import NDArray
from PIL import Image, ImageEnhance, ImageFilter

SOURCES = ("flickr8k", "ade_captions", "sports", "actions", "scenes", "objects", "imagenet_sample")
LABELLED = SOURCES[2:]
SQUASHED = ("flickr8k",)
"""Sources stored as squares without keeping the aspect; most were wider than tall."""


@dataclass(frozen=True)
class Picture:
    """One stored picture: captions or a label, never both."""

    jpeg: bytes
    captions: tuple[str, ...]
    label: str
    source: str
    split: str

    @property
    def label_id(self) -> str:
        """Equal for pictures that are no negatives of each other; empty without a label."""
        return self.label and f"{self.source}/{self.label}"


def load_pictures(folder: Path, sources: Sequence[str] = SOURCES) -> list[Picture]:
    """All pictures of ``folder``, in the order of the files."""
    pictures = []
    for source in sources:
        # Opened here: the library's own error for what is missing is only a path.
        with (folder / f"{source}.parquet").open("rb") as file:
            rows = pq.read_table(file).to_pydict()
        columns = (rows[name] for name in ("image", "captions", "label", "split"))
        for image, captions, label, split in zip(*columns, strict=True):
            texts = tuple(c.strip() for c in captions or () if c and c.strip())
            pictures.append(Picture(image, texts, label or "", source, split))
    return pictures


def decode(jpeg: bytes) -> Image.Image:
    """JPEG to an RGB picture."""
    return Image.open(io.BytesIO(jpeg)).convert("RGB")


@dataclass(frozen=True)
class View:
    """How a picture is framed: size in pixels and, if random, how strongly it is changed."""

    height: int
    width: int
    random: bool = False
    mildest_crop: float = 0.45
    flip: float = 0.5
    stretch: float = 0.22
    """Largest log of the factor by which the sides are stretched against each other."""


VIEWS = (
    View(224, 224),
    View(224, 224, random=True),
    View(192, 256, random=True),
    View(192, 320, random=True, mildest_crop=0.6),
    View(224, 224, random=True, mildest_crop=0.75, flip=1.0),
    View(192, 256, random=True, mildest_crop=0.7),
    View(192, 192, random=True, stretch=0.4),
    View(160, 224, random=True, mildest_crop=0.5),
    View(160, 256, random=True, mildest_crop=0.55),
)
"""The first is the whole picture; it alone is used to score.

What a random crop shows is larger in it than in the whole picture, on average by a sixth. The last
three are smaller by that much, so that things are learned at the size at which they are met
(Touvron et al. 2019, the train-test resolution discrepancy); they are meant to be framed anew.
"""
CACHED_VIEWS = 6
"""The first of them are cached where none are named."""


def render(
    picture: Picture, view: View, rng: np.random.Generator | None = None
) -> NDArray[np.uint8]:
    """The view of a picture as uint8 [height, width, 3].

    Random views crop, stretch a little (film frames come at their true aspect, some pictures do
    not), flip, and change colour, sharpness and compression as a video would.
    """
    image = decode(picture.jpeg)
    if not view.random or rng is None:
        return np.asarray(image.resize((view.width, view.height), Image.Resampling.BICUBIC))
    box = _crop(image.size, view, picture.source in SQUASHED, rng)
    image = image.resize((view.width, view.height), Image.Resampling.BICUBIC, box=box)
    if rng.random() < view.flip:
        image = image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
    if rng.random() < 0.6:
        for change in (ImageEnhance.Brightness, ImageEnhance.Contrast, ImageEnhance.Color):
            image = change(image).enhance(float(rng.uniform(0.65, 1.35)))
    if rng.random() < 0.05:
        image = image.convert("L").convert("RGB")
    if rng.random() < 0.15:
        image = image.filter(ImageFilter.GaussianBlur(float(rng.uniform(0.5, 1.6))))
    if rng.random() < 0.2:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=int(rng.integers(20, 60)))
        image = decode(buffer.getvalue())
    return np.asarray(image)


def _crop(
    size: tuple[int, int], view: View, squashed: bool, rng: np.random.Generator
) -> tuple[float, float, float, float]:
    """A random box whose stretch to the view's shape is mild, as left, top, right, bottom."""
    width, height = size
    seen = width / height
    if squashed:  # the true aspect is unknown: four of five are 4:3 or 3:2, the others upright
        seen = 1.4 if rng.random() < 0.8 else 0.72
    wanted = view.width / view.height * float(np.exp(rng.uniform(-view.stretch, view.stretch)))
    # The largest box of the wanted shape, in parts of the picture.
    box_w, box_h = min(1.0, wanted / seen), min(1.0, seen / wanted)
    side = float(rng.uniform(view.mildest_crop, 1.0)) ** 0.5
    box_w, box_h = box_w * side, box_h * side
    left, top = rng.uniform(0, 1 - box_w), rng.uniform(0, 1 - box_h)
    return left * width, top * height, (left + box_w) * width, (top + box_h) * height
