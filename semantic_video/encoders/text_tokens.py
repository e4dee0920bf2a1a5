"""From texts to what a text tower takes: fixed rows of token ids."""

from __future__ import annotations

import os
import string
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from numpy.typing import NDArray

from semantic_video.errors import EncoderError

if TYPE_CHECKING:
    from tokenizers import Tokenizer

_PUNCTUATION = str.maketrans("", "", string.punctuation)


Cleaning = Literal["none", "lower", "whitespace", "canonicalize"]


@dataclass(frozen=True, slots=True)
class TextTokens:
    """A model's tokenizer with its length, padding and cleaning.

    Rows are always filled up to ``length``: towers that look both ways (SigLIP, MobileCLIP) were
    trained so and see the padding, and to those that look back only it makes no difference.
    """

    tokenizer: Tokenizer
    length: int
    """Tokens in a row, the end of text included; what is past it is not read."""
    pad_id: int
    masks_padding: bool
    """Whether a tower that takes a mask was trained with the padding masked."""
    clean: Cleaning
    """What the model expects to be done to a text before its tokenizer sees it."""

    def __call__(self, texts: Sequence[str]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
        """Ids and mask (0 where the tower is not to look), both int64 [N, length]."""
        ids = np.full((len(texts), self.length), self.pad_id, np.int64)
        mask = np.full_like(ids, 0 if self.masks_padding else 1)
        self.tokenizer.no_padding()
        self.tokenizer.enable_truncation(self.length)
        encoded = self.tokenizer.encode_batch([_cleaned(text, self.clean) for text in texts])
        for row, encoding in enumerate(encoded):
            ids[row, : len(encoding.ids)] = encoding.ids
            mask[row, : len(encoding.ids)] = 1
        return ids, mask

    def plan(self) -> dict[str, Any]:
        """What decides the ids besides the tokenizer's file."""
        return {
            "length": self.length,
            "pad_id": self.pad_id,
            "masks_padding": self.masks_padding,
            "clean": self.clean,
        }


def open_tokenizer(path: Path) -> Tokenizer:
    """The tokenizer in a ``tokenizer.json``.

    Raises:
        EncoderError: the file is not one.
    """
    os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
    from tokenizers import Tokenizer

    try:
        return Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises nothing narrower
        raise EncoderError(f"{path} is not a tokenizer: fetch it again ({error})") from error


def _cleaned(text: str, clean: Cleaning) -> str:
    if clean == "none":
        return text
    if clean == "canonicalize":
        text = text.replace("_", " ").translate(_PUNCTUATION)
    text = " ".join(text.split())
    return text if clean == "whitespace" else text.lower()
