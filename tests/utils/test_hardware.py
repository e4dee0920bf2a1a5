"""Decoding by a device: the same frames as from the CPU, also where the device gives up.

Where a test needs a device that does something, a file stands in for it: what the device would hand
out lies there as raw pictures, or packets that no decoder takes. With a GPU the tests of ``cuda``
decode on it.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import av
import numpy as np
import pytest
from av.container import InputContainer
from numpy.typing import NDArray

from semantic_video.cli import run
from semantic_video.config import default_config
from semantic_video.encoders import load_encoder
from semantic_video.errors import ConfigError
from semantic_video.indexing import stage_hashes
from semantic_video.records import Span
from semantic_video.scene_segmentation import SceneSegmenter
from semantic_video.utils.video_utils import Plan, VideoReader
from semantic_video.utils.video_utils.containers import open_local_file
from semantic_video.utils.video_utils.hardware import (
    HardwareDecoder,
    hardware_decoder,
    why_unusable,
)
from semantic_video.utils.video_utils.pictures import Orientation, Scalers
from tests import media
from tests.media import Shot, render, write_video

WITHOUT_GPU = pytest.mark.skipif(why_unusable() is None, reason="there is a GPU")
PLANS = {
    "all": Plan.all(),
    "references": Plan.all(skip_nonreference=True),
    "keys": Plan.keyframes(),
    "spans": Plan.all([Span(0.7, 1.2), Span(3.1, 3.9)]),
}
RAW_TIMESCALE = 49_152  # ticks a second of raw pictures at 24 frames a second, in their format
HEAD_BYTES = 5  # of a packet of H.264: what it holds
# Raw pictures do not say where their chroma lies between the pixels, so edges differ, of 255.
MEAN_APART = 0.5


class StandIn(HardwareDecoder):
    """A device that hands out what decoding another file gives."""

    def __init__(self, file: Path) -> None:
        super().__init__("stand-in")
        self.file = file
        self.opened = 0

    def open(self, path: Path) -> InputContainer | None:
        self.opened += 1
        return open_local_file(self.file)


@dataclass(frozen=True)
class Pass:
    """What one pass over a film gave."""

    times: list[float]
    small: NDArray[np.uint8]
    rgb: NDArray[np.uint8]
    decoder: str
    end_s: float
    undecoded_s: float
    broken: int


def passed(path: Path, plan: Plan, hardware: HardwareDecoder | None = None) -> Pass:
    with VideoReader(path, hardware=hardware) as reader:
        frames = [(frame.time_s, frame.small, frame.rgb()) for frame in reader.frames(plan)]
        times, small, rgb = zip(*frames, strict=True)
        return Pass(
            list(times),
            np.stack(small),
            np.stack(rgb),
            reader.decoder,
            reader.end_s,
            reader.undecoded_s,
            reader.broken_packets,
        )


def assert_alike(one: NDArray[np.uint8], other: NDArray[np.uint8]) -> None:
    assert np.abs(one.astype(int) - other.astype(int)).mean() <= MEAN_APART


def raw_copy(film: Path, target: Path) -> Path:
    """The film's pictures laid out as a device does, at their times."""
    with av.open(str(film)) as source, av.open(str(target), "w", format="nut") as output:
        own = source.streams.video[0]
        stream = output.add_stream("rawvideo", rate=own.average_rate)
        stream.width, stream.height, stream.pix_fmt = own.width, own.height, "nv12"
        stream.codec_context.time_base = own.time_base
        for frame in source.decode(own):
            picture = frame.reformat(format="nv12")
            picture.pts, picture.time_base = frame.pts, frame.time_base
            output.mux(stream.encode(picture))
        output.mux(stream.encode(None))
    return target


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    shots = [Shot(1, 2), Shot(2, 2, "pan"), Shot(3, 2, "zoom", 0.5)]
    return write_video(tmp_path_factory.mktemp("films") / "film.mp4", render(shots, 320, 192))


@pytest.mark.parametrize(
    ("codec", "pixels", "returned"),
    [("libx264", "yuv420p", "nv12"), ("libx265", "yuv420p10le", "p010le")],
)
def test_the_layout_of_a_device_scales_alike(
    tmp_path: Path, codec: str, pixels: str, returned: str
) -> None:
    shots = [Shot(1, 0.5), Shot(2, 0.5, "pan")]
    path = write_video(tmp_path / "f.mp4", render(shots, 640, 384), codec=codec, pix_fmt=pixels)
    own, other = (Scalers(Orientation(False, False, False), None, (224, 224)) for _ in range(2))
    with av.open(str(path)) as container:
        for picture in container.decode(video=0):
            laid_out = picture.reformat(format=returned)
            np.testing.assert_allclose(other.small(laid_out), own.small(picture), atol=1)
            np.testing.assert_allclose(
                other.rgb(laid_out).astype(int), own.rgb(picture).astype(int), atol=1
            )


def test_pictures_of_a_device_give_the_same_views_scenes_and_vectors(tmp_path: Path) -> None:
    shots = [Shot(1, 1.5), Shot(2, 1.5, "pan"), Shot(3, 1.5, "zoom")]
    path = write_video(
        tmp_path / "f.mp4",
        render(shots, 640, 384),
        container_options={"video_track_timescale": str(RAW_TIMESCALE)},
    )
    raw = raw_copy(path, tmp_path / "raw.nut")
    ours, theirs = passed(path, Plan.all()), passed(path, Plan.all(), StandIn(raw))
    assert theirs.decoder == "stand-in"
    np.testing.assert_allclose(theirs.times, ours.times, atol=1e-9)
    assert_alike(theirs.small, ours.small)
    assert_alike(theirs.rgb, ours.rgb)

    def cuts(hardware: HardwareDecoder | None) -> list[float]:
        segmenter = SceneSegmenter(default_config().segmentation)
        with VideoReader(path, hardware=hardware) as reader:
            for frame in reader.frames():
                segmenter.update(frame)
            return [shot.start_s for shot in segmenter.finish(reader.end_s).shots]

    assert cuts(StandIn(raw)) == pytest.approx(cuts(None))
    assert len(cuts(None)) == 3
    encoder = load_encoder("lite")
    vectors = [encoder.encode_images(list(one.rgb[::12])) for one in (ours, theirs)]
    assert (vectors[0] * vectors[1]).sum(axis=1).min() > 0.999


@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
@pytest.mark.parametrize("device", ["cuda", "vaapi", "no such device"])
@pytest.mark.parametrize("codec", ["libx264", "libsvtav1", "gif"])
def test_a_device_that_is_not_there_leaves_the_film_to_the_cpu(
    tmp_path: Path, codec: str, device: str, plan: Plan
) -> None:
    name, pixels = ("f.gif", "rgb8") if codec == "gif" else ("f.mp4", "yuv420p")
    path = write_video(tmp_path / name, render([Shot(1, 4)]), codec=codec, pix_fmt=pixels)
    ours, theirs = passed(path, plan), passed(path, plan, HardwareDecoder(device))
    assert theirs.times == ours.times
    if theirs.decoder == "cpu":
        np.testing.assert_array_equal(theirs.rgb, ours.rgb)
    else:
        assert_alike(theirs.rgb, ours.rgb)
    if why_unusable():
        assert theirs.decoder == "cpu"


@pytest.mark.parametrize("plan", PLANS.values(), ids=list(PLANS))
@pytest.mark.parametrize("from_packet", [0, 70], ids=["at once", "amid"])
def test_where_a_device_fails_the_cpu_goes_on(
    tmp_path: Path, film: Path, from_packet: int, plan: Plan
) -> None:
    def spoiled(index: int, packet: av.Packet) -> av.Packet:
        if index < from_packet:
            return packet
        head = bytes(packet)[:HEAD_BYTES]
        other = av.Packet(head + bytes(packet.size - len(head)))
        other.pts, other.dts, other.time_base = packet.pts, packet.dts, packet.time_base
        other.is_keyframe = packet.is_keyframe
        return other

    device = StandIn(media.remux(film, tmp_path / "fails.mp4", spoiled))
    ours, theirs = passed(film, plan), passed(film, plan, device)
    assert device.opened == 1
    assert theirs.decoder == "cpu"
    assert theirs.times == ours.times
    np.testing.assert_array_equal(theirs.small, ours.small)
    assert (theirs.end_s, theirs.undecoded_s, theirs.broken) == (ours.end_s, 0.0, 0)


def test_a_damaged_film_is_accounted_for_by_the_cpu(tmp_path: Path, film: Path) -> None:
    broken = media.damage_packets(film, tmp_path / "broken.mp4", lambda i: 60 <= i < 80)
    ours, theirs = passed(broken, Plan.all()), passed(broken, Plan.all(), StandIn(broken))
    assert ours.broken >= 20
    assert theirs.decoder == "cpu"
    assert theirs.times == ours.times
    assert (theirs.end_s, theirs.undecoded_s, theirs.broken) == (
        ours.end_s,
        ours.undecoded_s,
        ours.broken,
    )


def test_packets_and_glimpses_need_no_device(film: Path) -> None:
    device = StandIn(film)
    with VideoReader(film, hardware=device) as reader:
        reader.packets()
        assert len(list(reader.glimpses(3))) == 3
        assert device.opened == 0
        assert next(iter(reader.frames())).time_s == 0
        assert device.opened == 1


@pytest.mark.parametrize(("megapixels", "suits"), [(0.0, True), (8.8, True), (8.9, False)])
def test_small_films_are_not_worth_a_device(film: Path, megapixels: float, suits: bool) -> None:
    with VideoReader(film) as reader:  # 320 x 192 x 24 x 6
        assert HardwareDecoder("cuda", megapixels).suits(reader.info) is suits


def test_the_cpu_is_what_is_asked_for() -> None:
    assert hardware_decoder("cpu") is None


@WITHOUT_GPU
def test_without_a_gpu_auto_takes_the_cpu_and_cuda_says_what_to_do() -> None:
    assert hardware_decoder("auto") is None
    with pytest.raises(ConfigError, match=r"no CUDA device .* use decoder auto") as raised:
        hardware_decoder("cuda")
    assert "\n" not in str(raised.value)


@WITHOUT_GPU
def test_the_command_line_refuses_a_gpu_that_is_not_there(
    tmp_path: Path, film: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    library = tmp_path / "library"
    assert run(["index", str(film), "--library", str(library), "--decoder", "cuda"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("semantic-video: no CUDA device")
    assert said.err.count("\n") == 1
    assert not library.exists()
    for decoder, done in (("auto", "decoded by cpu"), ("cpu", "nothing to do")):
        words = ["index", str(film), "--library", str(library), "--decoder", decoder, "--verbose"]
        assert run(words) == 0
        assert done in capsys.readouterr().err


def test_an_index_does_not_depend_on_what_decoded() -> None:
    config = default_config()
    other = config.override({"reading": {"decoder": "cpu"}}, source="test")
    assert stage_hashes(other, "model") == stage_hashes(config, "model")
    deeper = config.override({"reading": {"depth": "full"}}, source="test")
    assert stage_hashes(deeper, "model") != stage_hashes(config, "model")
