"""PyTorch checkpoints: what is missing is said, and batches shrink to what fits."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semantic_video.encoders import load_encoder
from semantic_video.errors import EncoderError
from tests.encoders.pictures import noise
from tests.encoders.tiny_models import CLIP_PREPROCESSING, clip_folder, clip_tokenizer, write_json


@pytest.mark.parametrize("missing", ["torch", "transformers"])
def test_a_missing_library_is_said(
    missing: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if missing != "torch":
        pytest.importorskip("torch", reason="torch is missed first")
    monkeypatch.setitem(sys.modules, missing, None)
    clip_tokenizer(tmp_path / "tokenizer.json")
    write_json(tmp_path / "config.json", {"model_type": "clip"})
    write_json(tmp_path / "preprocessor_config.json", CLIP_PREPROCESSING)
    (tmp_path / "model.safetensors").touch()
    with pytest.raises(EncoderError, match=rf'{missing}.*pip install "semantic-video\[clip\]"'):
        load_encoder(str(tmp_path))


@pytest.fixture
def checkpoint(tmp_path: Path) -> Path:
    reason = 'needs torch and transformers: pip install "semantic-video[clip]"'
    pytest.importorskip("torch", reason=reason)
    pytest.importorskip("transformers", reason=reason)
    from tests.encoders import references

    model = references.transformers_model("clip", "tiny")
    return references.save_transformers(model, "clip", tmp_path / "m", "checkpoint")


def test_a_batch_that_does_not_fit_is_halved(
    checkpoint: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import torch

    from semantic_video.encoders.clip_torch import ClipTorchEncoder

    encoder = load_encoder(str(checkpoint), device="cpu")
    assert isinstance(encoder, ClipTorchEncoder)
    pictures = [noise(20, 30 + i, i) for i in range(21)]
    whole = encoder.encode_images(pictures)
    run = encoder._image_vectors

    def with_little_memory(rgb: Sequence[Any]) -> Any:
        if len(rgb) > 3:
            raise torch.OutOfMemoryError("out of memory")
        return run(rgb)

    monkeypatch.setattr(encoder, "_image_vectors", with_little_memory)
    np.testing.assert_allclose(encoder.encode_images(pictures), whole, atol=1e-5)
    assert encoder.batch_size == 2


def test_devices(checkpoint: Path) -> None:
    import torch

    with pytest.raises(EncoderError, match="unknown device 'tpu'"):
        load_encoder(str(checkpoint), device="tpu")
    if not torch.cuda.is_available():
        with pytest.raises(EncoderError, match="no cuda"):
            load_encoder(str(checkpoint), device="cuda")


def test_half_precision_on_a_gpu(checkpoint: Path) -> None:
    import torch

    if not torch.cuda.is_available():
        pytest.skip("there is no CUDA device here")
    pictures = [noise(20, 30 + i, i) for i in range(21)]
    on_cpu = load_encoder(str(checkpoint), device="cpu").encode_images(pictures)
    on_gpu = load_encoder(str(checkpoint), device="cuda").encode_images(pictures)
    assert (on_cpu * on_gpu).sum(axis=1).min() > 0.999


def test_onnx_comes_first_and_torch_by_name(checkpoint: Path, tmp_path: Path) -> None:
    both = clip_folder(tmp_path / "both")
    for name in ("model.safetensors", "config.json"):
        (both / name).write_bytes((checkpoint / name).read_bytes())
    onnx, torch = load_encoder(str(both)), load_encoder(f"{both}:torch")
    assert type(onnx).__name__ == "ClipOnnxEncoder"
    assert type(torch).__name__ == "ClipTorchEncoder"
    assert onnx.fingerprint != torch.fingerprint
