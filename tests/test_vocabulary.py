"""Words in an encoder's space."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semantic_video.encoders import load_encoder
from semantic_video.library import Library
from semantic_video.semantic_clustering import load_kinds, load_vocabulary
from semantic_video.vocabulary import word_vectors


@pytest.mark.parametrize(("name", "load"), [("vocabulary", load_vocabulary), ("kinds", load_kinds)])
def test_the_built_in_model_comes_with_its_words(tmp_path: Path, name: str, load: object) -> None:
    """Fails where words or weights were changed without ``python -m training.words``."""
    words = load()  # type: ignore[operator]
    encoder, library = load_encoder("lite"), Library(tmp_path, create=True)
    vectors = word_vectors(encoder, library, name, words)
    assert not list(tmp_path.rglob(f"{name}-*"))  # nothing was encoded and kept
    some = [0, len(words) // 2, len(words) - 1]
    expected = encoder.encode_texts([words[i] for i in some])
    np.testing.assert_allclose(vectors[some], expected, atol=2e-3)


def test_other_words_are_encoded_once_for_a_library(tmp_path: Path) -> None:
    encoder, library = load_encoder("lite"), Library(tmp_path, create=True)
    vectors = word_vectors(encoder, library, "vocabulary", ("a cat", "a boat"))
    assert list(tmp_path.rglob("vocabulary-*"))
    np.testing.assert_allclose(vectors, encoder.encode_texts(("a cat", "a boat")), atol=2e-3)
