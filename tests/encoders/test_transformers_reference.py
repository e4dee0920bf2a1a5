"""Our encoders against transformers: the same pictures and texts give the same vectors."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

pytest.importorskip("torch", reason='needs torch: pip install "semantic-video[clip]"')
pytest.importorskip("transformers", reason='needs transformers: pip install "semantic-video[clip]"')

from semantic_video.encoders import load_encoder
from tests.encoders import references
from tests.encoders.pictures import TEXTS, awkward

LAYOUTS = ("checkpoint", "two graphs", "one graph")


def least_cosine(ours: NDArray[Any], theirs: NDArray[Any]) -> float:
    theirs = theirs / np.linalg.norm(theirs, axis=1, keepdims=True)
    return float((ours * theirs).sum(axis=1).min())


def check(family: str, size: str, layout: str, root: Path) -> None:
    model = references.transformers_model(family, size)
    references.save_transformers(model, family, root, layout)
    encoder = load_encoder(str(root), device="cpu")
    # Since version 13 Pillow squashes tall pictures along columns first, which moves some pixels by
    # a grey level; what is left of 8000 rows in 32 is flat enough for that to count.
    pictures = [
        picture for name, picture in awkward().items() if (family, name) != ("siglip", "tower")
    ]
    images = encoder.encode_images(pictures)
    texts = encoder.encode_texts(TEXTS)
    # The vectors differ from one another, else agreement would mean nothing.
    assert (images @ images.T).min() < 0.99
    assert (texts @ texts.T).min() < 0.99
    assert least_cosine(images, references.transformers_images(model, family, pictures)) >= 0.9999
    theirs = references.transformers_texts(model, family, root, TEXTS)
    assert least_cosine(texts, theirs) >= 0.9999
    assert encoder.dimension == images.shape[1] == texts.shape[1]


@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_tiny(family: str, layout: str, tmp_path: Path) -> None:
    check(family, "tiny", layout, tmp_path / "m")


@pytest.mark.slow
@pytest.mark.parametrize("layout", LAYOUTS)
@pytest.mark.parametrize("family", ["clip", "siglip"])
def test_real_size(family: str, layout: str, tmp_path: Path) -> None:
    check(family, "real", layout, tmp_path / "m")
