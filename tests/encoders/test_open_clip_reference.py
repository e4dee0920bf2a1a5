"""Our encoders against open_clip: its preprocessing, its tokenizer, its towers."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch", reason='needs torch: pip install "semantic-video[clip]"')
try:
    import open_clip
except (ImportError, RuntimeError) as reason:
    # torchvision, which open_clip imports, fails to load beside another build of torch.
    pytest.skip(f"open_clip does not load here: {reason}", allow_module_level=True)

import torch
from PIL import Image

from semantic_video.encoders import load_encoder
from semantic_video.encoders.model_folder import ModelFolder
from tests.encoders import references
from tests.encoders.pictures import TEXTS, awkward
from tests.encoders.test_transformers_reference import least_cosine
from tests.encoders.tiny_models import siglip_tokenizer

TINY_TOWER = {"image_size": 32, "layers": 2, "width": 64, "patch_size": 8, "head_width": 32}
TINY_TEXT = {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2}
MODELS: dict[str, dict[str, Any]] = {
    "OpenCLIP": {"embed_dim": 24, "vision_cfg": TINY_TOWER, "text_cfg": TINY_TEXT},
    # MobileCLIP's text tower looks both ways, and so sees its padding.
    "MobileCLIP": {
        "embed_dim": 24,
        "vision_cfg": TINY_TOWER,
        "text_cfg": TINY_TEXT | {"no_causal_mask": True},
        "custom_text": True,
    },
}
PREPROCESSING: dict[str, dict[str, Any]] = {
    "OpenCLIP": {"interpolation": "bicubic", "resize_mode": "shortest"},
    "MobileCLIP": {
        "mean": [0.0, 0.0, 0.0],
        "std": [1.0, 1.0, 1.0],
        "interpolation": "bilinear",
        "resize_mode": "shortest",
    },
}
REAL = {"OpenCLIP": "ViT-B-32", "MobileCLIP": "MobileCLIP2-S0"}


@pytest.fixture(scope="session")
def bpe(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """CLIP's own vocabulary, which comes with open_clip, as a ``tokenizer.json``."""
    from open_clip.tokenizer import SimpleTokenizer
    from transformers import CLIPTokenizer

    theirs = SimpleTokenizer()
    merges = [pair for pair, _ in sorted(theirs.bpe_ranks.items(), key=lambda item: item[1])]
    published = {"<start_of_text>": "<|startoftext|>", "<end_of_text>": "<|endoftext|>"}
    vocabulary = {published.get(token, token): i for token, i in theirs.encoder.items()}
    tokenizer = CLIPTokenizer(vocab=vocabulary, merges=merges)
    folder = tmp_path_factory.mktemp("bpe")
    tokenizer.save_pretrained(folder)
    return folder / "tokenizer.json"


def build(family: str, size: str) -> tuple[Any, dict[str, Any], dict[str, Any]]:
    """The model, its configuration, and how it wants pictures."""
    preprocessing = dict(PREPROCESSING[family])
    if size == "tiny":
        config = MODELS[family]
        kind = open_clip.CustomTextCLIP if config.get("custom_text") else open_clip.CLIP
        arguments = {name: value for name, value in config.items() if name != "custom_text"}
        model = references.seeded(kind(**arguments))
    else:
        config = open_clip.get_model_config(REAL[family])
        model = open_clip.create_model(REAL[family]).eval()
    return model, config, preprocessing


def save(model: Any, config: dict[str, Any], preprocessing: dict[str, Any], root: Path) -> None:
    root.mkdir(parents=True, exist_ok=True)
    values = {"model_cfg": config, "preprocess_cfg": preprocessing}
    (root / "open_clip_config.json").write_text(json.dumps(values), encoding="utf-8")


def check(family: str, size: str, layout: str, root: Path, bpe: Path) -> None:
    model, config, preprocessing = build(family, size)
    save(model, config, preprocessing, root)
    (root / "tokenizer.json").write_bytes(bpe.read_bytes())
    side = config["vision_cfg"]["image_size"]
    if layout == "checkpoint":
        from safetensors.torch import save_file

        save_file(model.state_dict(), root / "open_clip_model.safetensors")
    else:
        references.export(
            model,
            lambda model, pixels: model.encode_image(pixels),
            root / "visual.onnx",
            {"image": torch.zeros(2, 3, side, side)},
            ["embedding"],
        )
        references.export(
            model,
            lambda model, text: model.encode_text(text),
            root / "textual.onnx",
            {"text": torch.ones(2, 77, dtype=torch.long)},
            ["embedding"],
        )
    encoder = load_encoder(str(root), device="cpu")
    transform = open_clip.image_transform(side, is_train=False, **preprocessing)
    pictures = list(awkward().values())
    with torch.inference_mode():
        pixels = torch.stack([transform(Image.fromarray(picture)) for picture in pictures])
        their_images = model.encode_image(pixels).numpy()
        their_texts = model.encode_text(open_clip.tokenize(TEXTS)).numpy()
    images, texts = encoder.encode_images(pictures), encoder.encode_texts(TEXTS)
    if size == "tiny":
        assert (images @ images.T).min() < 0.99
        assert (texts @ texts.T).min() < 0.99
    assert least_cosine(images, their_images) >= 0.9999
    assert least_cosine(texts, their_texts) >= 0.9999


@pytest.mark.parametrize("layout", ["checkpoint", "two graphs"])
@pytest.mark.parametrize("family", MODELS)
def test_tiny(family: str, layout: str, tmp_path: Path, bpe: Path) -> None:
    check(family, "tiny", layout, tmp_path / "m", bpe)


@pytest.mark.slow
@pytest.mark.parametrize("layout", ["checkpoint", "two graphs"])
@pytest.mark.parametrize("family", MODELS)
def test_real_size(family: str, layout: str, tmp_path: Path, bpe: Path) -> None:
    check(family, "real", layout, tmp_path / "m", bpe)


def test_the_real_vocabulary(tmp_path: Path, bpe: Path) -> None:
    (tmp_path / "model.safetensors").touch()
    (tmp_path / "config.json").write_text('{"model_type": "clip"}', encoding="utf-8")
    (tmp_path / "tokenizer.json").write_bytes(bpe.read_bytes())
    texts = [
        *TEXTS,
        "Don't stop — naïve café, 東京 2024!",
        "e-mail: someone@example.org (50%)",
        "🎉🎉 fireworks ✨ at night",
        "UPPER and lower   and\ttabs",
    ]
    ids, _ = ModelFolder(tmp_path).text_tokens()(texts)
    np.testing.assert_array_equal(ids, open_clip.tokenize(texts).numpy())


@pytest.mark.parametrize("mode", ["shortest", "squash", "longest"])
@pytest.mark.parametrize("interpolation", ["bicubic", "bilinear"])
def test_every_way_to_resize(mode: Any, interpolation: str, tmp_path: Path) -> None:
    config = {"resize_mode": mode, "interpolation": interpolation, "fill_color": 7}
    (tmp_path / "model.safetensors").touch()
    (tmp_path / "config.json").write_text("{}", encoding="utf-8")
    siglip_tokenizer(tmp_path / "tokenizer.json")
    values = {"model_cfg": {"vision_cfg": {"image_size": 31}}, "preprocess_cfg": config}
    (tmp_path / "open_clip_config.json").write_text(json.dumps(values), encoding="utf-8")
    prepare = ModelFolder(tmp_path).image_preprocessing()
    transform = open_clip.image_transform(31, is_train=False, **config)
    for name, picture in awkward().items():
        if name in ("panorama", "tower", "one row") and mode == "longest":
            continue  # open_clip scales them to no pixels at all and fails
        theirs = transform(Image.fromarray(picture)).numpy()
        assert np.abs(prepare(picture) - theirs).mean() < 0.01, name
