"""Trying encoders: what they are, how fast they are here, what a small precision costs."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_video.encoders.base import ImageTextEncoder
from semantic_video.encoders.clip_onnx import ClipOnnxEncoder
from semantic_video.encoders.clip_torch import ClipTorchEncoder
from semantic_video.encoders.hub import hub_model
from semantic_video.encoders.lite import WEIGHTS
from semantic_video.encoders.presets import PRESETS
from semantic_video.encoders.registry import BUILT_IN, load_encoder, split_name
from semantic_video.errors import EncoderError

_TRIAL_S = 0.5
_TRIAL_BATCH = 8
_TRIAL_TEXTS = ("a train entering a tunnel", "two people talking at a table", "a dog on a beach")


def survey(name: str, threads: int | None, device: str, measure: bool) -> dict[str, Any]:
    """What there is to say of a model that has a name, whether it is on this machine or not.

    ``image_ms`` and ``text_ms`` are None where nothing was measured.
    """
    unmeasured = {"image_ms": None, "text_ms": None}
    model = hub_model(name)
    if name != BUILT_IN and (model is None or not model.is_here()):
        preset = PRESETS[name]
        return {
            "id": name,
            "here": False,
            "size": preset.size,
            "dimension": preset.dimension,
            "licence": preset.licence,
        } | unmeasured
    encoder = load_encoder(name, threads, device)
    speed = measure_speed(encoder) if measure else unmeasured
    return describe(encoder) | {"id": name, "here": True} | speed


def describe(encoder: ImageTextEncoder) -> dict[str, Any]:
    """What an encoder is; ``size`` in bytes, ``input_size`` as (height, width)."""
    return {
        "id": encoder.model_id,
        "size": _size(encoder),
        "dimension": encoder.dimension,
        "input_size": list(encoder.input_size),
        "licence": encoder.licence,
        "fingerprint": encoder.fingerprint,
    }


def measure_speed(encoder: ImageTextEncoder) -> dict[str, float]:
    """Milliseconds a frame, eight at a time, and a query by itself: medians."""
    pictures = _pictures(encoder.input_size)
    image_ms = _median_ms(lambda: encoder.encode_images(pictures)) / len(pictures)
    text_ms = _median_ms(lambda: encoder.encode_texts(_TRIAL_TEXTS[:1]))
    return {"image_ms": round(image_ms, 2), "text_ms": round(text_ms, 2)}


def cosine_to_full_precision(
    encoder: ImageTextEncoder, name: str, threads: int | None, device: str
) -> float | None:
    """The least cosine between a small precision's vectors and float32's; None without those."""
    base, variant = split_name(name)
    if variant not in ("fp16", "int8"):
        return None
    try:
        full = load_encoder(f"{base}:fp32", threads, device)
    except EncoderError:
        return None
    pictures = _pictures(encoder.input_size)
    images = (encoder.encode_images(pictures) * full.encode_images(pictures)).sum(axis=1)
    texts = (encoder.encode_texts(_TRIAL_TEXTS) * full.encode_texts(_TRIAL_TEXTS)).sum(axis=1)
    return round(float(min(images.min(), texts.min())), 5)


def _size(encoder: ImageTextEncoder) -> int:
    if isinstance(encoder, ClipOnnxEncoder | ClipTorchEncoder):
        return encoder.folder.size
    return sum(path.stat().st_size for path in WEIGHTS.iterdir())


def _median_ms(run: Callable[[], object]) -> float:
    run()  # the first loads the weights
    times: list[float] = []
    started = time.perf_counter()
    while len(times) < 3 or time.perf_counter() - started < _TRIAL_S:
        before = time.perf_counter()
        run()
        times.append((time.perf_counter() - before) * 1000)
    return sorted(times)[len(times) // 2]


def _pictures(cover: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Coloured patches in 16:9, as large as the reader makes frames for a model."""
    height = max(cover[0], round(cover[1] * 9 / 16))
    width = round(height * 16 / 9)
    patches = np.random.default_rng(0).integers(0, 256, (_TRIAL_BATCH, 9, 16, 3), dtype=np.uint8)
    rows = np.arange(height)[:, None] * 9 // height
    columns = np.arange(width) * 16 // width
    return [np.ascontiguousarray(patch[rows, columns]) for patch in patches]
