"""Which frames are encoded, and that encoding beside decoding loses and mixes up nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np
import pytest
from numpy.typing import NDArray

from semantic_video.config import default_config
from semantic_video.encoders import load_encoder
from semantic_video.encoders.lite import LiteEncoder
from semantic_video.scene_encoder import EncodedFrames, FrameSampler, SceneEncoder
from tests.media import picture

OPTIONS = default_config().sampling
FPS = 25


def chosen(smalls: list[NDArray[np.uint8]], **changes: float) -> list[float]:
    sampler = FrameSampler(replace(OPTIONS, **changes))
    times = [i / FPS for i in range(len(smalls))]
    return [t for t, small in zip(times, smalls, strict=True) if sampler.wants(t, small)]


def noise(count: int, seed: int = 0) -> list[NDArray[np.uint8]]:
    """A moving picture that never jumps as a cut does."""
    rng = np.random.default_rng(seed)
    base = picture(seed, 64, 36).astype(float)
    return [
        np.asarray(np.clip(base + rng.normal(0, 6, base.shape), 0, 255), np.uint8)
        for _ in range(count)
    ]


def test_moving_pictures_are_encoded_at_the_interval() -> None:
    times = chosen(noise(10 * FPS), interval_s=2.0, interval_growth=1.0)
    assert times == pytest.approx([0, 2, 4, 6, 8], abs=1 / FPS)


def test_what_goes_on_is_encoded_ever_less_often() -> None:
    times = chosen(noise(30 * FPS), interval_s=2.0, interval_growth=2.0, static_interval_s=10.0)
    assert times == pytest.approx([0, 2, 4, 8, 16, 26], abs=1 / FPS)


def test_still_pictures_are_encoded_rarely() -> None:
    still = [picture(1, 64, 36)] * (25 * FPS)
    times = chosen(still, interval_s=1.0, static_interval_s=10.0)
    assert times == pytest.approx([0, 10, 20], abs=1.1)


def test_every_shot_gets_a_frame_soon_after_its_cut() -> None:
    smalls = [picture(shot, 64, 36) for shot in (1, 2, 3, 1) for _ in range(FPS)]
    times = chosen(smalls, first_offset_s=0.3, interval_s=5.0)
    assert times == pytest.approx([0, 1.3, 2.3, 3.3], abs=1.5 / FPS)


@pytest.mark.parametrize("batch_size", [1, 3, 8])
def test_encoding_beside_decoding_equals_encoding_at_once(batch_size: int) -> None:
    encoder = load_encoder("lite")
    pictures = [picture(seed) for seed in range(7)]
    with SceneEncoder(encoder, batch_size) as scene_encoder:
        for i, rgb in enumerate(pictures):
            scene_encoder.add(float(i), rgb)
    frames = scene_encoder.frames
    assert frames.times_s.tolist() == list(range(7))
    np.testing.assert_allclose(frames.vectors, encoder.encode_images(pictures), atol=1e-3)


class _Counting(LiteEncoder):
    """Notes how many pictures come in each call."""

    def __init__(self, at_once: int) -> None:
        super().__init__(threads=1)
        self.at_once = at_once
        self.calls: list[int] = []

    def encode_images(self, rgb: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        self.calls.append(len(rgb))
        return super().encode_images(rgb)


@pytest.mark.parametrize(
    ("batch_size", "at_once", "calls"), [(3, 8, [1, 3, 3, 1]), (8, 2, [1, 2, 2, 2, 1])]
)
def test_the_first_picture_goes_alone_and_then_as_many_as_are_encoded_at_once(
    batch_size: int, at_once: int, calls: list[int]
) -> None:
    encoder = _Counting(at_once)
    with SceneEncoder(encoder, batch_size) as scene_encoder:
        for i in range(8):
            scene_encoder.add(float(i), picture(i))
        scene_encoder.flush()
        assert (scene_encoder.added, scene_encoder.encoded, scene_encoder.in_hand) == (8, 8, 0)
    assert encoder.calls == calls


def test_an_error_of_the_encoder_reaches_the_caller() -> None:
    with pytest.raises(ValueError), SceneEncoder(load_encoder("lite"), 1) as scene_encoder:  # noqa: PT011, PT012
        for i in range(50):
            scene_encoder.add(float(i), np.zeros((4, 4), np.uint8))


def test_an_error_of_the_caller_is_not_hidden() -> None:
    with pytest.raises(KeyError), SceneEncoder(load_encoder("lite"), 2) as scene_encoder:  # noqa: PT012
        scene_encoder.add(0.0, picture(1))
        raise KeyError


def test_frames_within_an_interval() -> None:
    frames = EncodedFrames(np.array([0.0, 1.0, 2.0]), np.eye(3, dtype=np.float32))
    inside = frames.within(1.0, 2.0)
    assert inside.times_s.tolist() == [1.0]
    assert inside.vectors.tolist() == [[0, 1, 0]]
