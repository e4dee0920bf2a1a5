"""The built-in encoder through its public surface."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from semantic_video.encoders import ImageTextEncoder, load_encoder
from semantic_video.encoders.lite import VIEW_SIZES, WEIGHTS, LiteEncoder, resize, view_size


@pytest.fixture(scope="module")
def encoder() -> LiteEncoder:
    return LiteEncoder(threads=2)


def solid(colour: tuple[int, int, int], height: int = 120, width: int = 160) -> np.ndarray:
    return np.full((height, width, 3), colour, np.uint8)


def unit(rows: np.ndarray) -> bool:
    return bool(np.allclose(np.linalg.norm(rows, axis=1), 1.0, atol=1e-4))


def test_follows_the_protocol(encoder: LiteEncoder) -> None:
    assert isinstance(encoder, ImageTextEncoder)
    assert isinstance(load_encoder("lite"), LiteEncoder)
    assert encoder.model_id == "lite"
    assert len(encoder.fingerprint) >= 12
    assert encoder.fingerprint == LiteEncoder().fingerprint
    assert "non-commercial" in encoder.licence


def test_all_shipped_files_are_small() -> None:
    assert sum(f.stat().st_size for f in WEIGHTS.iterdir()) <= 40e6


def test_nothing_in_nothing_out(encoder: LiteEncoder) -> None:
    assert encoder.encode_images([]).shape == (0, encoder.dimension)
    assert encoder.encode_texts([]).shape == (0, encoder.dimension)


@pytest.mark.parametrize(
    "shape", [(1, 1), (1, 500), (8000, 50), (50, 8000), (3, 3), (224, 224), (192, 341), (720, 1280)]
)
def test_pictures_of_any_size(encoder: LiteEncoder, shape: tuple[int, int]) -> None:
    picture = np.random.default_rng(0).integers(0, 256, (*shape, 3), np.uint8)
    rows = encoder.encode_images([picture])
    assert rows.shape == (1, encoder.dimension)
    assert rows.dtype == np.float32
    assert unit(rows)


def test_pictures_that_are_views_of_others(encoder: LiteEncoder) -> None:
    whole = np.random.default_rng(0).integers(0, 256, (400, 600, 3), np.uint8)
    view = whole[::2, ::-2]
    assert not view.flags.c_contiguous
    np.testing.assert_allclose(
        encoder.encode_images([view]), encoder.encode_images([view.copy()]), atol=1e-5
    )


TEXTS = ["", " ", "a dog", "word " * 300, "🐕 läuft 走る", "\x00\n\t", "A DOG", "x" * 5000]


@pytest.mark.parametrize("text", TEXTS)
def test_texts_of_any_kind(encoder: LiteEncoder, text: str) -> None:
    rows = encoder.encode_texts([text])
    assert rows.shape == (1, encoder.dimension)
    assert unit(rows)


def test_a_batch_equals_its_rows_one_by_one(encoder: LiteEncoder) -> None:
    together = encoder.encode_texts(TEXTS)
    apart = np.concatenate([encoder.encode_texts([t]) for t in TEXTS])
    np.testing.assert_allclose(together, apart, atol=1e-4)
    rng = np.random.default_rng(1)
    shapes = [(90, 160), (160, 90), (120, 160), (90, 160), (5, 7)]
    pictures = [rng.integers(0, 256, (*s, 3), np.uint8) for s in shapes]
    together = encoder.encode_images(pictures)
    apart = np.concatenate([encoder.encode_images([p]) for p in pictures])
    np.testing.assert_allclose(together, apart, atol=1e-4)


def test_size_and_compression_hardly_matter(encoder: LiteEncoder) -> None:
    y, x = np.mgrid[0:360, 0:640]
    picture = np.stack([x * 255 // 640, y * 255 // 360, (x + y) * 255 // 1000], 2).astype(np.uint8)
    picture[100:250, 200:400] = (200, 40, 30)
    half = resize(picture, (180, 320))
    rows = encoder.encode_images([picture, half])
    assert rows[0] @ rows[1] > 0.95


def test_texts_find_their_pictures(encoder: LiteEncoder) -> None:
    data = pytest.importorskip("skimage.data")
    images = encoder.encode_images([data.chelsea(), data.coffee(), data.astronaut()])
    texts = encoder.encode_texts(["a cat", "a cup of coffee", "a woman in an orange suit smiling"])
    scores = texts @ images.T
    assert scores.argmax(1).tolist() == [0, 1, 2]
    assert scores.argmax(0).tolist() == [0, 1, 2]


def test_alike_texts_are_near(encoder: LiteEncoder) -> None:
    rows = encoder.encode_texts(
        ["a dog runs on the beach", "a dog running along the shore", "a kitchen with a stove"]
    )
    assert rows[0] @ rows[1] > rows[0] @ rows[2] + 0.2


@given(st.integers(1, 10_000), st.integers(1, 10_000))
@example(779, 1558)  # half-way between two sizes
def test_view_size_is_the_nearest_aspect(height: int, width: int) -> None:
    size = view_size(height, width)
    assert size in VIEW_SIZES
    assert view_size(width, height) == size[::-1]
    assert (size[0] <= size[1]) or (height > width * 0.95)


@settings(max_examples=30, deadline=None)
@given(
    arrays(np.uint8, st.tuples(st.integers(1, 40), st.integers(1, 40), st.just(3))),
    st.sampled_from(VIEW_SIZES),
)
def test_resize_keeps_the_range(picture: np.ndarray, size: tuple[int, int]) -> None:
    scaled = resize(picture, size)
    assert scaled.shape == (*size, 3)
    assert scaled.dtype == np.uint8
    assert abs(float(scaled.mean()) - float(picture.mean())) < 40


def test_one_colour_stays_that_colour() -> None:
    scaled = resize(solid((200, 100, 50)), (192, 320))
    assert np.abs(scaled.astype(int) - (200, 100, 50)).max() <= 3


def test_the_module_imports_nothing_heavy() -> None:
    code = (
        "import sys, semantic_video.encoders.lite as m; m.LiteEncoder();"
        "bad = {'onnxruntime', 'torch', 'PIL', 'av', 'tokenizers'} & set(sys.modules);"
        "sys.exit(str(bad) if bad else 0)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def test_text_search_needs_neither_torch_nor_av() -> None:
    code = (
        "import sys, semantic_video.encoders.lite as m; m.LiteEncoder().encode_texts(['a dog']);"
        "bad = {'torch', 'PIL', 'av'} & set(sys.modules);"
        "sys.exit(str(bad) if bad else 0)"
    )
    root = Path(__file__).parents[2]
    done = subprocess.run([sys.executable, "-c", code], cwd=root, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
