"""Pictures are prepared as the model's configuration says, step for step as Pillow would."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image, ImageOps

from semantic_video.encoders.image_preprocessing import ImagePreprocessing
from semantic_video.errors import EncoderError
from tests.encoders.pictures import awkward, noise, pillow_resized
from tests.encoders.tiny_models import CLIP_PREPROCESSING, SIGLIP_PREPROCESSING

MEAN, STD = CLIP_PREPROCESSING["image_mean"], CLIP_PREPROCESSING["image_std"]


def normalised(image: Image.Image, mean: Any, std: Any) -> NDArray[np.float64]:
    pixels = np.asarray(image, np.float64) / 255
    return ((pixels - mean) / std).transpose(2, 0, 1)


def assert_close(ours: NDArray[Any], theirs: NDArray[Any]) -> None:
    assert ours.shape == theirs.shape
    # Two grey levels of 255, over the smallest deviation.
    assert np.abs(ours - theirs).max() < 2.1 / 255 / 0.26
    assert np.abs(ours - theirs).mean() < 0.001


@pytest.mark.parametrize("name", awkward())
def test_clip_resizes_the_shortest_edge_and_crops(name: str) -> None:
    picture = awkward()[name]
    height, width = picture.shape[:2]
    scaled = (int(16 * width / height), 16) if height <= width else (16, int(16 * height / width))
    image = pillow_resized(picture, scaled[::-1], Image.Resampling.BICUBIC)
    left, top = (scaled[0] - 16) // 2, (scaled[1] - 16) // 2
    cropped = image.crop((left, top, left + 16, top + 16))
    ours = ImagePreprocessing.from_transformers(CLIP_PREPROCESSING)(picture)
    assert ours.dtype == np.float32
    assert_close(ours, normalised(cropped, MEAN, STD))


@pytest.mark.parametrize("name", awkward())
def test_siglip_squashes(name: str) -> None:
    picture = awkward()[name]
    image = pillow_resized(picture, (16, 16), Image.Resampling.BILINEAR)
    ours = ImagePreprocessing.from_transformers(SIGLIP_PREPROCESSING)(picture)
    assert_close(ours, normalised(image, 0.5, 0.5))


@pytest.mark.parametrize(("height", "width"), [(90, 160), (161, 91), (9, 300), (1, 1)])
def test_longest_edge_is_framed(height: int, width: int) -> None:
    picture = noise(height, width)
    prepare = ImagePreprocessing.from_open_clip(
        {"size": 16, "resize_mode": "longest", "fill_color": 99, "interpolation": "bilinear"}, None
    )
    ratio = max(height, width) / 16
    size = (max(1, round(width / ratio)), max(1, round(height / ratio)))
    image = pillow_resized(picture, size[::-1], Image.Resampling.BILINEAR)
    left, top = (16 - size[0]) // 2, (16 - size[1]) // 2
    framed = ImageOps.expand(
        image, (left, top, 16 - size[0] - left, 16 - size[1] - top), fill=(99, 99, 99)
    )
    assert_close(prepare(picture), normalised(framed, MEAN, STD))


def test_grey_is_taken_in_every_shape() -> None:
    grey = noise(30, 40)[:, :, 0]
    prepare = ImagePreprocessing.from_transformers(CLIP_PREPROCESSING)
    wanted = prepare(np.stack([grey] * 3, axis=2))
    np.testing.assert_array_equal(prepare(grey), wanted)
    np.testing.assert_array_equal(prepare(grey[:, :, None]), wanted)


def test_old_files_give_numbers() -> None:
    numbers = {**CLIP_PREPROCESSING, "size": 16, "crop_size": 16}
    assert ImagePreprocessing.from_transformers(numbers) == ImagePreprocessing.from_transformers(
        CLIP_PREPROCESSING
    )
    square = {**SIGLIP_PREPROCESSING, "size": 16}
    assert ImagePreprocessing.from_transformers(square) == ImagePreprocessing.from_transformers(
        SIGLIP_PREPROCESSING
    )


def test_resize_to_more_than_the_crop() -> None:
    prepare = ImagePreprocessing.from_transformers(
        {**CLIP_PREPROCESSING, "size": {"shortest_edge": 20}}
    )
    picture = noise(40, 40)
    image = pillow_resized(picture, (20, 20), Image.Resampling.BICUBIC)
    assert_close(prepare(picture), normalised(image.crop((2, 2, 18, 18)), MEAN, STD))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"max_num_patches": 256}, "NaFlex"),
        ({"do_resize": False}, "do_resize"),
        ({"do_center_crop": False}, "do_center_crop"),
        ({"resample": 0}, "resample 0"),
        ({"image_mean": None, "drop": "image_mean"}, "image_mean"),
        ({"crop_size": "big"}, "size"),
    ],
)
def test_what_cannot_be_done_is_said(change: dict[str, Any], words: str) -> None:
    config = {**CLIP_PREPROCESSING, **change}
    config.pop(str(config.pop("drop", "")), None)
    with pytest.raises(EncoderError, match=words):
        ImagePreprocessing.from_transformers(config)
