"""Averages of models."""

from __future__ import annotations

import pytest
import torch

from semantic_video.encoders.lite import WEIGHTS
from training.blend import blend, load_any
from training.model import LiteModel


def embed(model: LiteModel) -> torch.Tensor:
    pixels = torch.rand(2, 3, 64, 96, generator=torch.Generator().manual_seed(0)) * 255
    with torch.no_grad():
        return model.images(model.lower(pixels))[0]


def test_folding_changes_no_embedding() -> None:
    torch.manual_seed(0)
    model = load_any(WEIGHTS)
    for block in model.upper.blocks:
        block.project.gamma.data.uniform_(0.5, 1.5)
        block.project.mean.uniform_(-1, 1)
        block.project.var.uniform_(0.5, 2.0)
    before = embed(model)
    model.fold()
    assert torch.equal(model.upper.top.gamma, torch.ones(1280))
    assert torch.allclose(embed(model), before, atol=1e-4)


def test_a_blend_lies_between() -> None:
    first, second = load_any(WEIGHTS), load_any(WEIGHTS)
    second.image_head.names.data.zero_()
    middle = blend([first, second], [0.25, 0.75])
    assert torch.allclose(middle.image_head.names, 0.25 * first.image_head.names)
    assert torch.equal(middle.text.words.weight, first.text.words.weight)
    assert torch.allclose(embed(blend([first, second], [1.0, 0.0])), embed(first), atol=1e-5)


def test_shares_have_to_add_up() -> None:
    model = load_any(WEIGHTS)
    with pytest.raises(ValueError, match="add up"):
        blend([model, model], [0.5, 0.6])
