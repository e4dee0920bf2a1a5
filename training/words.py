"""Encodes the words that clusters are named with, as they come with the built-in model.

    python -m training.words

To be run again whenever the weights or the words change: vectors that fit neither are not used.
"""

from __future__ import annotations

from pathlib import Path

import numpy as np

import semantic_video
from semantic_video.config import options_hash
from semantic_video.encoders import load_encoder
from semantic_video.semantic_clustering import load_kinds, load_vocabulary
from semantic_video.vocabulary import words_file

FOLDER = Path(semantic_video.__file__).with_name("data")


def main() -> None:
    """Write the vectors, float16 [V, D], in place of those that were there."""
    encoder = load_encoder("lite")
    for name, words in (("vocabulary", load_vocabulary()), ("kinds", load_kinds())):
        for old in FOLDER.glob(words_file(name, "*")):
            old.unlink()
        path = FOLDER / words_file(name, options_hash(encoder.fingerprint, words))
        np.save(path, encoder.encode_texts(words).astype(np.float16), allow_pickle=False)


if __name__ == "__main__":
    main()
