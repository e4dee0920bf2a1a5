"""The vocabulary in an encoder's space: names for clusters, and a bank of texts for experts."""

from __future__ import annotations

from importlib import resources

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import options_hash
from semantic_video.encoders import ImageTextEncoder
from semantic_video.library import Library
from semantic_video.semantic_clustering import load_vocabulary


def vocabulary_vectors(encoder: ImageTextEncoder, library: Library) -> NDArray[np.float16]:
    """The encoded vocabulary [V, D], made once for each encoder and kept in the library."""
    return word_vectors(encoder, library, "vocabulary", load_vocabulary())


def word_vectors(
    encoder: ImageTextEncoder, library: Library, name: str, words: tuple[str, ...]
) -> NDArray[np.float16]:
    """Encoded words [V, D], made once for each encoder and kept in the library as ``name``.

    Those of the built-in model come with it (``python -m training.words`` writes them).
    """
    key = options_hash(encoder.fingerprint, words)
    shipped = resources.files("semantic_video").joinpath("data", words_file(name, key))
    if shipped.is_file():
        with shipped.open("rb") as file:
            vectors: NDArray[np.float16] = np.load(file, allow_pickle=False)
        return vectors
    return library.cached_array(name, key, lambda: encoder.encode_texts(words).astype(np.float16))


def words_file(name: str, key: str) -> str:
    """What the file of shipped vectors is called; ``key`` tells words and encoder."""
    return f"{name}-{key}.npy"
