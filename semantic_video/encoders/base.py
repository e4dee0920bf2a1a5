"""The protocol every image-text encoder follows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

import numpy as np
from numpy.typing import NDArray


@runtime_checkable
class ImageTextEncoder(Protocol):
    """An image tower and a text tower that share a space (CLIP, Radford et al. 2021).

    Preprocessing and tokenisation belong to the encoder. Rows come back with unit length, so that
    a dot product is a cosine.
    """

    @property
    def model_id(self) -> str:
        """What ``load_encoder`` takes to make this encoder again, for instance ``lite``."""
        ...

    @property
    def fingerprint(self) -> str:
        """Short hash of weights and preprocessing: an index made with another is not queried."""
        ...

    @property
    def licence(self) -> str:
        """One line on the terms of the weights."""
        ...

    @property
    def dimension(self) -> int:
        """D, the length of a vector."""
        ...

    @property
    def input_size(self) -> tuple[int, int]:
        """(height, width) that pictures had best cover.

        The reader scales frames down to it while decoding, keeping their aspect (both sides at
        least this large where the film is).
        """
        ...

    def encode_images(self, rgb: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Pictures, each uint8 [H, W, 3] in RGB of any size, to float32 [N, D]."""
        ...

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts to float32 [N, D]."""
        ...
