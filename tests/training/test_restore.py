"""The shipped weights read back into the towers that training tunes."""

from __future__ import annotations

import numpy as np
import torch
from tokenizers import Tokenizer

from semantic_video.encoders.lite import WEIGHTS, LiteEncoder
from training.model import LiteModel
from training.restore import load_exported
from training.texts import tokenize


def test_restored_towers_say_what_the_shipped_ones_say() -> None:
    model, encoder = LiteModel().eval(), LiteEncoder(1)
    load_exported(model, WEIGHTS)
    pixels = np.random.default_rng(0).integers(0, 256, (3, 6, 10, 3)).repeat(32, 1).repeat(32, 2)
    pixels = pixels.astype(np.uint8)
    texts = ["a man rides a horse", "two dogs play in the snow near a wooden fence", "x"]
    tokenizer = Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    tokenizer.no_padding()
    with torch.no_grad():
        maps = model.lower(torch.from_numpy(pixels).permute(0, 3, 1, 2).float())
        images = model.images(maps)[0].numpy()
        rows = model.texts(*tokenize(tokenizer, texts)).numpy()
    assert (images * encoder.encode_images(list(pixels))).sum(1).min() > 0.9999
    assert (rows * encoder.encode_texts(texts)).sum(1).min() > 0.9999
