"""The memo of what the frozen tower says of texts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer

from semantic_video.encoders.lite import WEIGHTS
from training.model import TextTower
from training.texts import FrozenTexts


def test_a_saved_memo_is_read_instead_of_the_tower(tmp_path: Path) -> None:
    torch.manual_seed(0)
    tokenizer = Tokenizer.from_file(str(WEIGHTS / "tokenizer.json"))
    tokenizer.no_padding()
    first = FrozenTexts(TextTower().eval(), tokenizer, tmp_path / "texts.npz")
    rows = first(["a dog runs", "two boats", "a dog runs"])
    assert np.array_equal(rows[0], rows[2])
    first.save()
    assert [path.name for path in tmp_path.iterdir()] == ["texts.npz"]
    other_tower = TextTower().eval()
    again = FrozenTexts(other_tower, tokenizer, tmp_path / "texts.npz")
    assert np.array_equal(again(["a dog runs", "two boats"]), rows[:2])
    assert not np.allclose(again(["a cat sleeps"]), first(["a cat sleeps"]))
