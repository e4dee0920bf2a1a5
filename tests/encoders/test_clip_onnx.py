"""ONNX exports: every layout, held against what the tiny towers compute in numpy."""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from onnx import TensorProto

from semantic_video.encoders import ImageTextEncoder, load_encoder
from semantic_video.encoders.clip_onnx import providers
from semantic_video.encoders.image_preprocessing import ImagePreprocessing
from semantic_video.errors import EncoderError
from tests.encoders.pictures import TEXTS, awkward, noise
from tests.encoders.tiny_models import (
    CLIP_PREPROCESSING,
    DIMENSION,
    clip_folder,
    image_nodes,
    image_vectors,
    immich_folder,
    save_graph,
    siglip_folder,
    text_nodes,
    text_vectors,
    write_json,
)

LAYOUTS = {
    "two graphs": clip_folder,
    "one graph": lambda path: clip_folder(path, joint=True),
    "sees padding": lambda path: clip_folder(path, pooling="mean"),
    "siglip": siglip_folder,
    "immich": immich_folder,
}


@pytest.fixture(params=LAYOUTS)
def folder(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    return LAYOUTS[request.param](tmp_path / "a model")


def unit(vectors: NDArray[np.float32]) -> NDArray[np.float32]:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def cosines(ours: NDArray[np.float32], theirs: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray((ours * unit(theirs)).sum(axis=1))


def test_pictures_and_texts_share_unit_vectors(folder: Path) -> None:
    encoder = load_encoder(str(folder))
    assert isinstance(encoder, ImageTextEncoder)
    assert encoder.dimension == DIMENSION
    for vectors in (encoder.encode_images(list(awkward().values())), encoder.encode_texts(TEXTS)):
        assert vectors.shape[1] == DIMENSION
        assert vectors.dtype == np.float32
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_nothing_in_nothing_out(folder: Path) -> None:
    encoder = load_encoder(str(folder))
    assert encoder.encode_images([]).shape == (0, DIMENSION)
    assert encoder.encode_texts([]).shape == (0, DIMENSION)


def test_a_row_does_not_depend_on_its_company(folder: Path) -> None:
    encoder = load_encoder(str(folder), threads=1)
    pictures = [noise(20 + i, 30, i) for i in range(37)]
    together = encoder.encode_images(pictures)
    np.testing.assert_allclose(together[20], encoder.encode_images([pictures[20]])[0], atol=1e-5)
    texts = [" ".join(["dog"] * i) for i in range(70)]
    together = encoder.encode_texts(texts)
    np.testing.assert_allclose(together[66], encoder.encode_texts([texts[66]])[0], atol=1e-5)


@pytest.mark.parametrize("joint", [False, True])
def test_images_as_configured(tmp_path: Path, joint: bool) -> None:
    encoder = load_encoder(str(clip_folder(tmp_path / "m", joint=joint)))
    prepare = ImagePreprocessing.from_transformers(CLIP_PREPROCESSING)
    pictures = list(awkward().values())
    wanted = image_vectors(np.stack([prepare(picture) for picture in pictures]))
    assert cosines(encoder.encode_images(pictures), wanted).min() > 0.99999


@pytest.mark.parametrize("joint", [False, True])
@pytest.mark.parametrize("pooling", ["end", "mean"])
def test_clip_texts(tmp_path: Path, pooling: str, joint: bool) -> None:
    from tokenizers import Tokenizer

    root = clip_folder(tmp_path / "m", joint=joint, pooling=pooling)
    tokenizer = Tokenizer.from_file(str(root / "tokenizer.json"))
    end = tokenizer.token_to_id("<|endoftext|>")
    tokenizer.no_padding()
    ids = np.zeros((len(TEXTS), 77), np.int64)  # open_clip's: zeros after the end, cut before it
    for row, encoding in enumerate(tokenizer.encode_batch(TEXTS)):
        tokens = encoding.ids if len(encoding.ids) <= 77 else [*encoding.ids[:76], end]
        ids[row, : len(tokens)] = tokens
    assert (ids == end).sum() == len(TEXTS)
    ours = load_encoder(str(root)).encode_texts(TEXTS)
    assert cosines(ours, text_vectors(ids, pooling)).min() > 0.99999


def test_siglip_texts(tmp_path: Path) -> None:
    from tokenizers import Tokenizer

    root = siglip_folder(tmp_path / "m")
    tokenizer = Tokenizer.from_file(str(root / "tokenizer.json"))
    tokenizer.enable_truncation(64)
    tokenizer.enable_padding(length=64, pad_id=0, pad_token="<pad>")
    lowered = [" ".join(text.lower().split()) for text in TEXTS]
    ids = np.array([encoding.ids for encoding in tokenizer.encode_batch(lowered)])
    ours = load_encoder(str(root)).encode_texts(TEXTS)
    assert cosines(ours, text_vectors(ids, "mean")).min() > 0.99999


def test_canonical_texts_where_open_clip_asks_for_them(tmp_path: Path) -> None:
    root = siglip_folder(tmp_path / "m")
    (root / "config.json").unlink()
    (root / "preprocessor_config.json").unlink()
    text_cfg = {"context_length": 9, "tokenizer_kwargs": {"clean": "canonicalize"}}
    write_json(
        root / "open_clip_config.json",
        {
            "model_cfg": {"vision_cfg": {"image_size": 16}, "text_cfg": text_cfg},
            "preprocess_cfg": {"resize_mode": "squash", "mean": 0.5, "std": 0.5},
        },
    )
    encoder = load_encoder(str(root))
    vectors = encoder.encode_texts(["A dog, on_the beach!", "a dog on the beach", "a dog, on"])
    np.testing.assert_allclose(vectors[0], vectors[1], atol=1e-6)
    assert vectors[0] @ vectors[2] < 0.999
    assert encoder.input_size == (16, 16)


def test_variants(tmp_path: Path) -> None:
    root = clip_folder(tmp_path / "m")
    half = text_nodes("end", TensorProto.INT64, "length")
    save_graph(root / "onnx/text_model_fp16.onnx", half)
    save_graph(root / "onnx/vision_model_fp16.onnx", image_nodes())
    assert load_encoder(str(root)).model_id == str(root)
    assert load_encoder(f"{root}:fp16").model_id == f"{root}:fp16"
    with pytest.raises(EncoderError, match=r"no int8 weights.*fp32, fp16"):
        load_encoder(f"{root}:int8")


def test_half_precision_inputs(tmp_path: Path) -> None:
    from onnx import helper

    root = clip_folder(tmp_path / "m")
    nodes, weights, item, output = image_nodes()
    item.type.tensor_type.elem_type = TensorProto.FLOAT16
    for node in nodes:
        node.input[:] = ["pixels32" if name == "pixel_values" else name for name in node.input]
    cast = helper.make_node("Cast", ["pixel_values"], ["pixels32"], to=TensorProto.FLOAT)
    save_graph(root / "onnx/vision_model.onnx", ([cast, *nodes], weights, item, output))
    full = load_encoder(str(clip_folder(tmp_path / "full"))).encode_images([noise(30, 40)])
    half = load_encoder(str(root)).encode_images([noise(30, 40)])
    assert float(full[0] @ half[0]) > 0.9999


def test_a_folder_inside_takes_what_is_shared_from_above(tmp_path: Path) -> None:
    root = clip_folder(tmp_path / "m")
    (root / "onnx").rename(root / "s0")
    (root / "onnx").mkdir()
    (root / "s0").rename(root / "onnx/s0")
    whole = load_encoder(str(clip_folder(tmp_path / "w"))).encode_texts(TEXTS)
    np.testing.assert_allclose(load_encoder(str(root / "onnx/s0")).encode_texts(TEXTS), whole)


def test_fingerprint(tmp_path: Path) -> None:
    root = clip_folder(tmp_path / "m")
    first = load_encoder(str(root)).fingerprint
    assert load_encoder(str(root)).fingerprint == first

    copied = shutil.copytree(root, tmp_path / "elsewhere")
    assert load_encoder(str(copied)).fingerprint == first

    write_json(copied / "preprocessor_config.json", {**CLIP_PREPROCESSING, "resample": 2})
    assert load_encoder(str(copied)).fingerprint != first

    other = shutil.copytree(root, tmp_path / "other")
    graph = other / "onnx/text_model.onnx"
    content = bytearray(graph.read_bytes())
    content[len(content) // 2] ^= 1  # in the weights
    graph.write_bytes(content)
    assert load_encoder(str(other)).fingerprint != first


def test_weights_outside_the_graph_count(tmp_path: Path) -> None:
    root = clip_folder(tmp_path / "m")
    first = load_encoder(str(root)).fingerprint
    (root / "onnx/vision_model.onnx_data").write_bytes(b"beside")
    assert load_encoder(str(root)).fingerprint != first


def test_the_licence_is_what_the_folder_states(tmp_path: Path) -> None:
    root = clip_folder(tmp_path / "m")
    assert "not stated" in load_encoder(str(root)).licence
    (root / "README.md").write_text("---\nlicense: apple-amlr\n---\n", encoding="utf-8")
    assert load_encoder(str(root)).licence == "apple-amlr"


def test_devices() -> None:
    assert providers("auto")[-1] == "CPUExecutionProvider"
    assert providers("cpu") == ["CPUExecutionProvider"]
    with pytest.raises(EncoderError, match="unknown device 'gpu'"):
        providers("gpu")


def broken(tmp_path: Path, change: str) -> Path:
    root = clip_folder(tmp_path / "m")
    match change:
        case "no tokenizer":
            (root / "tokenizer.json").unlink()
        case "no preprocessing":
            (root / "preprocessor_config.json").unlink()
        case "no weights":
            shutil.rmtree(root / "onnx")
        case "one tower":
            (root / "onnx/text_model.onnx").unlink()
        case "cut weights":
            graph = root / "onnx/text_model.onnx"
            graph.write_bytes(graph.read_bytes()[:100])
        case "cut tokenizer":
            (root / "tokenizer.json").write_text("{", encoding="utf-8")
        case "cut configuration":
            (root / "config.json").write_text("{", encoding="utf-8")
        case "list for a configuration":
            (root / "preprocessor_config.json").write_text("[]", encoding="utf-8")
        case "another family":
            write_json(root / "config.json", {"model_type": "bert"})
        case "no projection":
            nodes, weights, item, _ = image_nodes()
            nodes[-1].output[:] = ["pooler_output"]
            save_graph(root / "onnx/vision_model.onnx", (nodes, weights, item, "pooler_output"))
    return root


def use(folder: Path) -> None:
    encoder = load_encoder(str(folder))
    encoder.encode_images([noise(9, 9)])
    encoder.encode_texts(["a dog"])


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ("no tokenizer", "tokenizer.json"),
        ("no preprocessing", "preprocessor_config.json"),
        ("no weights", "no model"),
        ("one tower", "no model"),
        ("cut weights", "onnxruntime cannot run"),
        ("cut tokenizer", "is not a tokenizer"),
        ("cut configuration", "cannot be read"),
        ("list for a configuration", "no JSON object"),
        ("another family", "'bert'"),
        ("no projection", "with its projection"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(tmp_path: Path, change: str, words: str) -> None:
    folder = broken(tmp_path, change)
    with pytest.raises(EncoderError, match=words) as raised:
        use(folder)
    assert "\n" not in str(raised.value)


def test_siglip_squashes_and_clip_crops(tmp_path: Path) -> None:
    # A picture whose sides differ from its middle tells them apart.
    picture = np.zeros((32, 96, 3), np.uint8)
    picture[:, 32:64] = noise(32, 32)
    clip, siglip = (
        load_encoder(str(make(tmp_path / make.__name__))) for make in (clip_folder, siglip_folder)
    )
    middle = np.ascontiguousarray(picture[:, 32:64])
    assert float(clip.encode_images([picture])[0] @ clip.encode_images([middle])[0]) > 0.999
    assert float(siglip.encode_images([picture])[0] @ siglip.encode_images([middle])[0]) < 0.99
