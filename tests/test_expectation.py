"""What the passes over a film are expected to take, before they are made."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from semantic_video.config import load_config
from semantic_video.encoders import load_encoder
from semantic_video.perception import expectation, perceive
from semantic_video.perception.workload import Portion
from semantic_video.records import Span
from semantic_video.utils.video_utils import PacketIndex, VideoReader
from tests.media import Shot, render, write_video

# Ten packets a second for ten seconds, every 20th a key frame.
PACKETS = PacketIndex(
    time_s=np.arange(100) / 10,
    size=np.where(np.arange(100) % 20 == 0, 500, 10),
    is_key=np.arange(100) % 20 == 0,
    stamp=np.arange(100),
)


def test_decoding_takes_the_frames_and_bytes_of_the_stretches() -> None:
    portion = expectation.decoding([Span(2.0, 4.0), Span(9.0, 9.5)], PACKETS, picture_s=2.0)
    assert portion.frames == pytest.approx(0.65 * 25)
    assert portion.bytes == 500 + 19 * 10 + 5 * 10
    assert portion.pictures == 1.25


def test_looks_are_taken_where_nothing_is_decoded_and_a_frame_stands_for_long() -> None:
    groups = [Span(0.0, 2.0), Span(2.0, 4.0), Span(4.0, 8.0)]
    looks = expectation.looking(groups, [Span(2.0, 3.0)], (0.5, 1.5), PACKETS)
    assert looks.pictures == 1 + 2
    assert looks.bytes == (500 + 4 * 10) + (500 + 14 * 10)
    assert expectation.looking(groups, [Span(0.0, 8.0)], (0.5,), PACKETS) == Portion()


@pytest.mark.parametrize("whole_below", [0.0, 8.0])
@pytest.mark.parametrize("suffix", ["mp4", "mkv"])
def test_the_share_never_falls_with_and_without_a_list_of_packets(
    tmp_path: Path, suffix: str, whole_below: float
) -> None:
    shots = [Shot(seed, 4.0, "pan") for seed in range(10)]
    film = write_video(tmp_path / f"film.{suffix}", render(shots), key_every=48)
    reading = {"reading": {"whole_below": whole_below}}
    config = load_config().override(reading, source="a test")
    told: list[float] = []
    for _ in perceive(film, load_encoder("lite"), config, lambda _, d, t: told.append(d / t)):
        pass
    assert told == sorted(told)
    assert all(type(share) is float for share in told)
    with VideoReader(film) as reader:
        assert (reader.listed_packets() is None) == (suffix == "mkv")
