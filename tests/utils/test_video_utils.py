"""The reader: exact times, plans, displayed pictures, and honesty about what is damaged."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from fractions import Fraction
from pathlib import Path

import av
import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from semantic_video.errors import VideoError
from semantic_video.records import Span
from semantic_video.utils.cores import _container_quotas, available_cores
from semantic_video.utils.video_utils import (
    SMALL_SIZE,
    Plan,
    VideoReader,
    find_videos,
)
from tests import media
from tests.media import Shot, render, write_video

FPS = 25
SHOTS = [Shot(1, 2), Shot(2, 2, "pan"), Shot(3, 2, "zoom", 0.5)]
COUNT = 6 * FPS

# name -> how it is made; every one holds the same 150 pictures at 25 a second.
FILMS: dict[str, dict[str, object]] = {
    "h264.mp4": {},
    "h264.ts": {},
    "sound.mkv": {"audio_s": 6.0},
    "fragmented.mp4": {"container_options": {"movflags": "frag_keyframe+empty_moov"}},
    "starts_late.mp4": {"start_s": 5.0},
    "starts_late.mkv": {"start_s": 5.0},
    "ten_bit.mp4": {"codec": "libx265", "pix_fmt": "yuv420p10le"},
    "av1.mp4": {"codec": "libsvtav1"},
    "vp9.webm": {"codec": "libvpx-vp9"},
    "live.webm": {"codec": "libvpx", "container_options": {"live": "1"}},
    "program.mpg": {"codec": "mpeg2video"},
    "interlaced.mp4": {"options": {"x264-params": "interlaced=1"}},
    "gray.mkv": {"codec": "ffv1", "pix_fmt": "gray"},
    "alpha.mov": {"codec": "prores_ks", "pix_fmt": "yuva444p10le", "options": {"profile": "4"}},
    "animated.gif": {"codec": "gif", "pix_fmt": "rgb8"},
    "bare.h264": {},
    "one_key.mp4": {"key_every": 1000},
    "open_gop.mp4": {"options": {"x264-params": "open-gop=1:bframes=3"}},
}


@pytest.fixture(scope="session")
def films(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str], Path]:
    """Films by name, each rendered when it is first asked for."""
    folder = tmp_path_factory.mktemp("films")
    pictures = list(render(SHOTS, fps=FPS))

    def film(name: str) -> Path:
        path = folder / name
        if not path.exists():
            write_video(path, pictures, fps=FPS, **FILMS[name])  # type: ignore[arg-type]
        return path

    return film


@pytest.mark.parametrize("name", FILMS)
def test_every_frame_is_served_at_its_time(films: Callable[[str], Path], name: str) -> None:
    with VideoReader(films(name)) as reader:
        frames = [(frame.time_s, frame.rgb().shape, frame.small.shape) for frame in reader.frames()]
        index = reader.packets()
    times = [time_s for time_s, _, _ in frames]
    # Matroska and WebM round to milliseconds.
    np.testing.assert_allclose(times, np.arange(COUNT) / FPS, atol=5.1e-4)
    np.testing.assert_array_equal(index.time_s, times)
    assert {shape for _, shape, _ in frames} == {(96, 160, 3)}
    assert {shape for _, _, shape in frames} == {(*SMALL_SIZE, 3)}
    assert reader.end_s == pytest.approx(6.0, abs=0.05)
    assert reader.undecoded_s == 0.0
    assert reader.broken_packets == 0
    assert (index.size > 0).all()


def test_times_are_the_floats_nearest_to_the_exact_fractions(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.mp4", render([Shot(1, 2)]), fps=24)
    with VideoReader(path) as reader:
        assert [frame.time_s for frame in reader.frames()] == [i / 24 for i in range(48)]


def test_variable_frame_rate(tmp_path: Path) -> None:
    def time(index: int) -> float:
        return index // 10 * 1.5 + index % 10 / 50

    path = write_video(tmp_path / "vfr.mp4", render([Shot(1, 2)]), times=time)
    with VideoReader(path) as reader:
        times = [frame.time_s for frame in reader.frames()]
        assert times == pytest.approx([time(i) for i in range(48)], abs=1e-4)
        assert reader.undecoded_s == 0.0
        assert reader.info.average_fps is not None
        assert reader.info.average_fps % 1 > 0


@pytest.mark.parametrize("name", ["h264.mp4", "ten_bit.mp4", "alpha.mov", "open_gop.mp4"])
def test_a_list_of_packets_in_the_file_is_that_of_all_of_them(
    films: Callable[[str], Path], name: str
) -> None:
    with VideoReader(films(name)) as reader:
        listed, packets = reader.listed_packets(), reader.packets()
    assert listed is not None
    assert sorted(listed.size) == sorted(packets.size)
    assert sorted(listed.size[listed.is_key]) == sorted(packets.size[packets.is_key])
    np.testing.assert_allclose(listed.time_s, packets.time_s, atol=0.2)  # decoded before shown


@pytest.mark.parametrize("name", ["h264.ts", "fragmented.mp4", "sound.mkv", "bare.h264"])
def test_files_without_a_list_of_all_packets_have_none(
    films: Callable[[str], Path], name: str
) -> None:
    with VideoReader(films(name)) as reader:
        assert reader.listed_packets() is None


def test_time_zero_is_the_first_presented_frame(tmp_path: Path) -> None:
    """An edit list hides the first second; what is hidden is neither served nor lost."""
    whole = write_video(tmp_path / "whole.mp4", render(SHOTS, fps=FPS), fps=FPS)

    def earlier(_: int, packet: av.Packet) -> av.Packet:
        units = round(1 / packet.time_base)
        packet.pts, packet.dts = packet.pts - units, packet.dts - units
        return packet

    with VideoReader(media.remux(whole, tmp_path / "edited.mp4", earlier)) as reader:
        times = [frame.time_s for frame in reader.frames()]
        assert times == pytest.approx(np.arange(COUNT - FPS) / FPS)
        assert (reader.undecoded_s, reader.end_s) == (0.0, pytest.approx(5.0))


def test_information(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "film.mov",
        render([Shot(1, 1)]),
        second_stream=True,
        audio_s=1.0,
        start_s=2.0,
        metadata={"creation_time": "2024-05-01T10:00:00Z"},
    )
    with VideoReader(path) as reader:
        info = reader.info
    assert (info.codec, info.pixel_format, info.average_fps) == ("h264", "yuv420p", 24.0)
    assert (info.width, info.height, info.rotation) == (160, 96, 0)
    assert (info.video_streams, info.audio_streams) == (2, 1)
    assert info.notes == ("2 video streams; the first is used",)
    assert info.recorded_at == "2024-05-01T10:00:00.000000Z"
    assert info.start_time_s == pytest.approx(2.0, abs=0.05)


def test_recording_time_with_its_zone_is_preferred(tmp_path: Path) -> None:
    recorded = {
        "creation_time": "2024-05-01T10:00:00Z",
        "com.apple.quicktime.creationdate": "2024-05-01T12:00:00+0200",
    }
    path = write_video(
        tmp_path / "film.mov",
        render([Shot(1, 0.2)]),
        metadata=recorded,
        container_options={"movflags": "use_metadata_tags"},
    )
    with VideoReader(path) as reader:
        assert reader.info.recorded_at == "2024-05-01T12:00:00+0200"


@pytest.mark.parametrize("quarters", [0, 1, 2, 3])
def test_rotation_is_applied(tmp_path: Path, quarters: int) -> None:
    shown = media.picture(4)
    path = write_video(
        tmp_path / "turned.mp4", [shown] * 3, rotation=90 * quarters, options={"crf": "4"}
    )
    with VideoReader(path, cover=(500, 500)) as reader:
        picture = next(reader.frames()).rgb()
        assert reader.info.rotation == 90 * quarters
        assert (reader.info.height, reader.info.width) == picture.shape[:2]
    turned = np.rot90(shown, quarters)
    assert picture.shape == turned.shape
    assert np.abs(picture.astype(int) - turned).mean() < 8


def test_pixels_that_are_not_square(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.mp4", render([Shot(1, 0.2)]), sample_aspect=Fraction(4, 3))
    with VideoReader(path) as reader:
        assert (reader.info.width, reader.info.height) == (213, 96)
        assert next(reader.frames()).rgb().shape == (96, 213, 3)


@given(
    size=st.tuples(st.integers(2, 90), st.integers(2, 90)),
    cover=st.tuples(st.integers(1, 60), st.integers(1, 60)),
    rotation=st.sampled_from([0, 90]),
)
@settings(max_examples=25, deadline=None)
def test_pictures_cover_what_was_asked_for(
    tmp_path_factory: pytest.TempPathFactory,
    size: tuple[int, int],
    cover: tuple[int, int],
    rotation: int,
) -> None:
    path = tmp_path_factory.mktemp("sizes") / "film.mov"
    still = media.picture(1, width=size[1], height=size[0])
    write_video(path, [still], codec="png", pix_fmt="rgb24", rotation=rotation)
    with VideoReader(path, cover=cover) as reader:
        height, width, _ = next(reader.frames()).rgb().shape
        shown_h, shown_w = reader.info.height, reader.info.width
    assert (shown_h, shown_w) == (size[::-1] if rotation else size)
    # Never scaled up, both sides cover, one of them just so, aspect kept to the pixel.
    assert height <= shown_h
    assert width <= shown_w
    assert height >= min(cover[0], shown_h) or width == shown_w
    assert width >= min(cover[1], shown_w) or height == shown_h
    assert height <= cover[0] or width <= cover[1] or (height, width) == (shown_h, shown_w)
    assert abs(height * shown_w / shown_h - width) <= 0.5 + 0.5 * shown_w / shown_h


def test_colours_survive(tmp_path: Path) -> None:
    bands = np.zeros((96, 160, 3), np.uint8)
    bands[:, :50], bands[:, 50:100], bands[:, 100:] = (200, 30, 30), (30, 200, 30), (30, 30, 200)
    path = write_video(tmp_path / "film.mp4", [bands] * 2)
    with VideoReader(path, cover=(48, 80)) as reader:
        picture = next(reader.frames()).rgb()
    for column, colour in ((12, (200, 30, 30)), (37, (30, 200, 30)), (65, (30, 30, 200))):
        assert np.abs(picture[24, column].astype(int) - colour).max() < 12


def test_thumbnails_keep_their_limits(films: Callable[[str], Path]) -> None:
    with VideoReader(films("h264.mp4")) as reader:
        frame = next(reader.frames())
        sizes = {limit: frame.jpeg(width=120, max_bytes=limit) for limit in (8000, 2000, 600)}
        with pytest.raises(ValueError, match="no JPEG fits"):
            frame.jpeg(max_bytes=20)
        shown = frame.rgb()
    for limit, content in sizes.items():
        assert len(content) <= limit
        decoder = av.CodecContext.create("mjpeg", "r")
        [picture] = decoder.decode(av.Packet(content))
        assert picture.width <= 120
        if limit == 8000:
            assert (picture.width, picture.height) == (120, 72)
            large = picture.reformat(160, 96, "rgb24").to_ndarray()
            assert np.abs(large.astype(int) - shown).mean() < 8


@pytest.mark.parametrize("name", ["h264.mp4", "h264.ts", "open_gop.mp4", "vp9.webm", "alpha.mov"])
def test_key_frames_alone(films: Callable[[str], Path], name: str) -> None:
    with VideoReader(films(name)) as reader:
        index = reader.packets()
        served = list(reader.frames(Plan.keyframes()))
        assert [frame.time_s for frame in served] == index.time_s[index.is_key].tolist()
        assert all(frame.is_key for frame in served)
        assert reader.broken_packets == 0
        some = [frame.time_s for frame in reader.frames(Plan.keyframes([Span(1.0, 3.5)]))]
        assert some == [frame.time_s for frame in served if 1.0 <= frame.time_s < 3.5]


@pytest.mark.parametrize(
    "name", ["h264.mp4", "h264.ts", "sound.mkv", "open_gop.mp4", "bare.h264", "one_key.mp4"]
)
@given(
    ends=st.lists(
        st.tuples(st.integers(-20, 700), st.integers(-20, 700)).map(lambda pair: sorted(pair)),
        max_size=4,
    )
)
@settings(
    max_examples=8, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
def test_stretches_hold_just_their_frames(
    films: Callable[[str], Path], name: str, ends: list[list[int]]
) -> None:
    spans = [Span(start / 100, end / 100) for start, end in ends]
    with VideoReader(films(name)) as reader:
        index = reader.packets()
        wanted = [
            time_s
            for time_s in index.time_s.tolist()
            if any(start_s <= time_s < end_s for start_s, end_s in spans)
        ]
        assert [frame.time_s for frame in reader.frames(Plan.all(spans))] == wanted


def test_stretches_show_the_same_pictures(films: Callable[[str], Path]) -> None:
    with VideoReader(films("open_gop.mp4")) as reader:
        whole = {frame.time_s: frame.small for frame in reader.frames()}
        for frame in reader.frames(Plan.all([Span(1.9, 2.2), Span(4.3, 4.5)])):
            np.testing.assert_array_equal(frame.small, whole[frame.time_s])


def test_frames_that_no_other_needs_can_be_left_out(films: Callable[[str], Path]) -> None:
    with VideoReader(films("h264.mp4")) as reader:
        index = reader.packets()
        times = [frame.time_s for frame in reader.frames(Plan.all(skip_nonreference=True))]
        assert (reader.undecoded_s, reader.broken_packets) == (0.0, 0), "left out is not lost"
        assert reader.end_s == pytest.approx(6.0)
    assert set(index.time_s[index.is_key]) <= set(times) <= set(index.time_s)
    assert len(times) < 0.8 * COUNT


def test_iterations_do_not_disturb_one_another(films: Callable[[str], Path]) -> None:
    with VideoReader(films("h264.mp4")) as reader:
        one = reader.frames()
        first = [next(one).time_s for _ in range(10)]
        keys = [frame.time_s for frame in reader.frames(Plan.keyframes())]
        first += [frame.time_s for frame in one]
    assert len(first) == COUNT
    assert len(keys) == 13


@pytest.mark.parametrize("threads", [1, 4])
@pytest.mark.parametrize(
    ("broken", "lost"),
    [
        (range(70, 72), range(70, 72)),  # unreferenced or not, what depends on them is concealed
        (range(30), range(36)),  # until the next key frame
        (range(140, 150), range(140, 150)),
    ],
    ids=["middle", "start", "end"],
)
def test_broken_packets_are_skipped_and_counted(
    tmp_path: Path, broken: range, lost: range, threads: int
) -> None:
    whole = write_video(
        tmp_path / "whole.mp4", render(SHOTS, fps=FPS), fps=FPS, options={"bf": "0"}
    )
    path = media.damage_packets(whole, tmp_path / "broken.mp4", lambda index: index in broken)
    with VideoReader(path, threads=threads) as reader:
        times = [frame.time_s for frame in reader.frames()]
        # Frames that were being decoded in parallel when the file ended may go with the broken.
        spared = threads if lost.stop == COUNT else 0
        expected = [index / FPS for index in range(COUNT) if index not in lost]
        assert times[: len(expected) - spared] == expected[: len(expected) - spared]
        assert len(times) + reader.undecoded_s * FPS == pytest.approx(COUNT)
        assert len(broken) <= reader.broken_packets <= len(lost) + spared


CONTAINERS = {".mp4": "libx264", ".mkv": "libx264", ".ts": "libx264", ".webm": "libvpx"}


@pytest.mark.parametrize("suffix", CONTAINERS)
def test_a_hole_in_the_file_is_a_hole_in_the_timeline(tmp_path: Path, suffix: str) -> None:
    path = write_video(
        tmp_path / f"film{suffix}",
        render([Shot(1, 3, "pan"), Shot(2, 3, "pan"), Shot(3, 4, "zoom")], fps=FPS),
        fps=FPS,
        codec=CONTAINERS[suffix],
        audio_s=0.0 if suffix == ".webm" else 10.0,
    )
    with VideoReader(media.zero_bytes(path, 0.4, 0.6)) as reader:
        times = np.array([frame.time_s for frame in reader.frames()])
        gaps = np.diff(times)
        assert times[-1] == pytest.approx(9.96, abs=0.01), "what follows keeps its time"
        assert gaps.max() > 0.5
        assert reader.undecoded_s == pytest.approx((gaps[gaps > 0.05] - 0.04).sum(), abs=0.25)
        assert reader.broken_packets > 0


@pytest.mark.parametrize("suffix", [".mp4", ".mkv", ".webm"])
def test_a_file_cut_short_says_how_much_is_missing(tmp_path: Path, suffix: str) -> None:
    path = write_video(
        tmp_path / f"film{suffix}",
        render([Shot(1, 5, "pan"), Shot(2, 5, "pan")], fps=FPS),
        fps=FPS,
        codec=CONTAINERS[suffix],
        container_options={"movflags": "faststart"} if suffix == ".mp4" else None,
    )
    with VideoReader(media.truncate(path, 0.6)) as reader:
        list(reader.frames(Plan.all(skip_nonreference=True)))
        assert 2.0 < reader.undecoded_s < 8.0
        times = [frame.time_s for frame in reader.frames()]
        assert reader.info.duration_s == pytest.approx(10.0, abs=0.05)
        assert reader.end_s == pytest.approx(times[-1] + 1 / FPS)
        assert reader.undecoded_s == pytest.approx(10.0 - reader.end_s, abs=0.2)
        assert 2.0 < reader.undecoded_s < 8.0


def test_sound_that_outlasts_the_pictures_is_no_loss(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.mkv", render([Shot(1, 2)]), audio_s=6.0)
    with VideoReader(path) as reader:
        assert len(list(reader.frames())) == 48
        assert reader.undecoded_s == 0.0


def test_pause_at_a_variable_rate_is_no_loss(tmp_path: Path) -> None:
    path = write_video(
        tmp_path / "film.mkv", render([Shot(1, 2)]), times=lambda i: i / 24 + 8 * (i >= 24)
    )
    with VideoReader(path) as reader:
        assert len(list(reader.frames())) == 48
        assert reader.undecoded_s == 0.0


def test_joined_recordings_become_one_timeline(
    films: Callable[[str], Path], tmp_path: Path
) -> None:
    path = tmp_path / "joined.ts"
    path.write_bytes(films("h264.ts").read_bytes() * 2)
    with VideoReader(path) as reader:
        times = [frame.time_s for frame in reader.frames()]
        np.testing.assert_allclose(times, np.arange(2 * COUNT) / FPS, atol=0.01)
        stretch = [frame.time_s for frame in reader.frames(Plan.all([Span(7.0, 7.5)]))]
        assert stretch == [time_s for time_s in times if 7.0 <= time_s < 7.5]


def test_a_stream_that_starts_without_a_key_frame(
    films: Callable[[str], Path], tmp_path: Path
) -> None:
    path = media.remux(
        films("h264.ts"), tmp_path / "late.ts", lambda i, packet: packet if i >= 5 else None
    )
    with VideoReader(path) as reader:
        times = [frame.time_s for frame in reader.frames()]
    assert reader.undecoded_s == pytest.approx(times[0], abs=0.05)
    assert times[0] > 0.1
    assert np.diff(times).max() < 0.05


def test_one_frame(tmp_path: Path) -> None:
    with VideoReader(write_video(tmp_path / "one.mp4", [media.picture(1)])) as reader:
        assert [frame.time_s for frame in reader.frames()] == [0.0]
        assert reader.end_s > 0


def not_a_video(path: Path) -> Path:
    path.write_text("hello\n" * 100, encoding="utf-8")
    return path


def playlist(path: Path) -> Path:
    path.write_text(
        "#EXTM3U\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\nhttp://127.0.0.1:9/x.ts\n#EXT-X-ENDLIST\n",
        encoding="utf-8",
    )
    return path


def picture_file(path: Path) -> Path:
    path.write_bytes(media.jpeg_bytes(media.picture(1)))
    return path


def empty_file(path: Path) -> Path:
    path.touch()
    return path


def all_broken(path: Path) -> Path:
    whole = write_video(path.with_name("whole.mp4"), render([Shot(1, 1)]))
    return media.damage_packets(whole, path, lambda _: True)


@pytest.mark.parametrize(
    ("name", "make", "message"),
    [
        ("missing.mp4", lambda path: path, "no such file"),
        ("empty.mp4", empty_file, "empty"),
        ("notes.mp4", not_a_video, "not a video"),
        ("notes.txt", not_a_video, "not a video"),
        ("online.m3u8", playlist, "not a video"),
        ("photo.jpg", picture_file, "picture, not a video"),
        ("voice.m4a", media.write_audio, "sound only"),
        ("song.mp3", media.write_song_with_cover, "sound only"),
        ("broken.mp4", all_broken, "nothing of .* can be decoded"),
        (
            "unfinished.mp4",
            lambda path: media.truncate(write_video(path, render([Shot(1, 1)])), 0.7),
            "no index",
        ),
    ],
)
def test_what_cannot_be_read_is_an_error_of_one_line(
    tmp_path: Path, name: str, make: Callable[[Path], Path], message: str
) -> None:
    path = make(tmp_path / name)
    with pytest.raises(VideoError, match=message) as error:
        VideoReader(path)
    assert "\n" not in str(error.value)
    assert name in str(error.value)


def test_folders_and_dangling_links(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="is a folder"):
        VideoReader(tmp_path)
    link = tmp_path / "link.mp4"
    link.symlink_to(tmp_path / "gone.mp4")
    with pytest.raises(VideoError, match=r"link to .*gone\.mp4, which does not exist"):
        VideoReader(link)


@pytest.mark.parametrize(
    "name", ["with space.mp4", "quote'.mp4", "päth 🎬.mp4", "a:b.mp4", "%d.mp4"]
)
def test_awkward_names(films: Callable[[str], Path], tmp_path: Path, name: str) -> None:
    if os.name == "nt" and ":" in name:
        pytest.skip("not a file name on Windows")
    path = Path(shutil.copy(films("h264.mp4"), tmp_path / name))
    with VideoReader(path) as reader:
        assert next(reader.frames()).time_s == 0.0


def test_closing_ends_iterations_and_frees_the_file(tmp_path: Path) -> None:
    path = write_video(tmp_path / "film.mp4", render([Shot(1, 1)]))
    with VideoReader(path) as reader:
        frames = reader.frames()
        next(frames)
    frames.close()  # type: ignore[attr-defined]
    path.unlink()


def test_videos_in_folders_are_found_in_order(tmp_path: Path) -> None:
    for name in ("b.mkv", "a/z.MP4", "a/notes.txt", ".hidden/x.mp4", "a/.y.mp4", "a/code.ts"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text("export const answer = 42;\n", encoding="utf-8")
    (tmp_path / "a" / "loop").symlink_to(tmp_path)
    odd = tmp_path / "odd.name"
    odd.write_bytes(b"anything")
    assert find_videos([tmp_path]) == [tmp_path / "b.mkv", tmp_path / "a" / "z.MP4"]
    assert find_videos([odd, tmp_path / "b.mkv", tmp_path]) == [
        odd,
        tmp_path / "b.mkv",
        tmp_path / "a" / "z.MP4",
    ]


def test_transport_streams_are_told_from_typescript(
    films: Callable[[str], Path], tmp_path: Path
) -> None:
    shutil.copy(films("h264.ts"), tmp_path / "film.ts")
    (tmp_path / "main.ts").write_text("Go".ljust(400, "x"), encoding="utf-8")
    assert find_videos([tmp_path]) == [tmp_path / "film.ts"]


def test_a_folder_without_videos_and_a_missing_path_say_so(tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="no videos in the folder"):
        find_videos([tmp_path])
    with pytest.raises(VideoError, match="no such file"):
        find_videos([tmp_path / "missing"])


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="Linux only")
def test_cores_follow_the_affinity() -> None:
    allowed = os.sched_getaffinity(0)
    try:
        os.sched_setaffinity(0, {min(allowed)})
        assert available_cores() == 1
    finally:
        os.sched_setaffinity(0, allowed)
    assert 1 <= available_cores() <= len(allowed)


def test_cores_follow_the_quota_of_the_container(tmp_path: Path) -> None:
    inner = tmp_path / "cgroup" / "slice" / "box"
    inner.mkdir(parents=True)
    (inner / "cpu.max").write_text("max 100000\n", encoding="utf-8")
    (inner.parent / "cpu.max").write_text("150000 100000\n", encoding="utf-8")
    membership = tmp_path / "membership"
    membership.write_text("0::/slice/box\n", encoding="utf-8")
    assert list(_container_quotas(tmp_path / "cgroup", membership)) == [1.5]
