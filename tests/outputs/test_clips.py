"""Clips hold what the moment shows."""

from __future__ import annotations

from pathlib import Path

import av
import numpy as np
import pytest

from semantic_video.errors import OutputError, VideoError
from semantic_video.outputs import cut_clip
from semantic_video.records import Moment
from semantic_video.utils.video_utils import VideoReader
from tests.media import Shot, render, write_video

FPS = 24
SHOTS = [Shot(seed, 2.0, "pan") for seed in (1, 2, 3)]


def moment(film: Path, start_s: float, end_s: float) -> Moment:
    return Moment(str(film), start_s, end_s, 0.5, 0.5, 0, "", start_s)


def pictures(path: Path) -> list[tuple[float, np.ndarray]]:
    with VideoReader(path, cover=(96, 160)) as reader:
        return [(frame.time_s, frame.rgb()) for frame in reader.frames()]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "a film.mp4"
    return write_video(path, render(SHOTS), audio_s=6.0, key_every=24, start_s=1.5)


def test_a_copy_begins_at_the_key_frame_before(film: Path, tmp_path: Path) -> None:
    clip = cut_clip(moment(film, 2.5, 3.5), tmp_path / "new" / "clips")
    assert clip.copied
    assert clip.path.name == "001-a film-0h00m02s.mp4"
    assert clip.start_s == pytest.approx(2.0, abs=0.01)
    assert clip.end_s == pytest.approx(3.5, abs=0.1)
    own, whole = pictures(clip.path), pictures(film)
    for (time_s, shown), (film_s, original) in zip(own[:36], whole[48:84], strict=True):
        assert time_s == pytest.approx(film_s - 2.0, abs=0.01)
        assert (shown == original).all()  # the very packets
    assert len(own) <= 39  # pictures after the end only as far as those before refer to them
    with av.open(str(clip.path)) as container:
        (sound,) = container.streams.audio
        assert float(sound.duration * sound.time_base) == pytest.approx(1.5, abs=0.1)


def test_a_copy_from_a_key_frame_is_exact(film: Path, tmp_path: Path) -> None:
    clip = cut_clip(moment(film, 4.0, 6.0), tmp_path)
    assert clip.copied
    assert clip.start_s == pytest.approx(4.0, abs=0.01)
    assert len(pictures(clip.path)) == 48


def test_an_exact_clip_begins_and_ends_at_the_frame(film: Path, tmp_path: Path) -> None:
    clip = cut_clip(moment(film, 2.5, 3.5), tmp_path, rank=7, exact=True)
    assert not clip.copied
    assert clip.path.name.startswith("007-")
    own, whole = pictures(clip.path), pictures(film)
    assert len(own) == FPS
    for (time_s, shown), (film_s, original) in zip(own, whole[60:84], strict=True):
        assert time_s == pytest.approx(film_s - 2.5, abs=0.01)
        assert np.abs(shown.astype(int) - original).mean() < 6
    with av.open(str(clip.path)) as container:
        (sound,) = container.streams.audio
        assert float(sound.duration * sound.time_base) == pytest.approx(1.0, abs=0.1)


def test_a_turned_film_stays_upright(tmp_path: Path) -> None:
    film = write_video(tmp_path / "turned.mp4", render(SHOTS[:1]), rotation=90)
    for exact in (False, True):
        clip = cut_clip(moment(film, 0.5, 1.5), tmp_path, exact=exact)
        with VideoReader(clip.path) as reader:
            assert (reader.info.width, reader.info.height) == (96, 160)


def test_other_containers_and_nothing_is_overwritten(tmp_path: Path) -> None:
    film = write_video(tmp_path / "b.avi", render(SHOTS[:1]), codec="mpeg4")
    first, second = (cut_clip(moment(film, 0.5, 1.0), tmp_path / "clips") for _ in range(2))
    assert first.path != second.path
    assert first.path.suffix == ".mkv"
    assert pictures(first.path)
    assert sorted(path.name for path in (tmp_path / "clips").iterdir()) == sorted(
        [first.path.name, second.path.name]
    )


def test_what_cannot_be_cut_is_said(film: Path, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match=r"gone\.mp4"):
        cut_clip(moment(tmp_path / "gone.mp4", 0, 1), tmp_path)
    with pytest.raises(VideoError, match="99"):
        cut_clip(moment(film, 99, 100), tmp_path, exact=True)
    (tmp_path / "file").write_text("")
    with pytest.raises(OutputError, match="cannot cut"):
        cut_clip(moment(film, 0, 1), tmp_path / "file")
    assert list(tmp_path.glob("*partial*")) == []
