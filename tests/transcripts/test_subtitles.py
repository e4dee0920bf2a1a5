"""Subtitles beside a film and inside it."""

from __future__ import annotations

import io
from pathlib import Path

import av
import pytest

from semantic_video.errors import VideoError
from semantic_video.transcripts.subtitles import find_subtitles, plain_text, read_subtitles
from tests.media import Shot, render, write_video

SRT = """1
00:00:01,000 --> 00:00:02,500
<i>Hello</i>
there

2
00:00:03,000 --> 00:00:04,000
Bye
"""
VTT = """WEBVTT

00:01.000 --> 00:02.500
<v Ann>Hello <c.y>there</c>

00:03.000 --> 00:04.000
Bye
"""
ASS = """[Script Info]
ScriptType: v4.00+

[Events]
Format: Layer, Start, End, Style, Name, MarginL, MarginR, MarginV, Effect, Text
Dialogue: 0,0:00:01.00,0:00:02.50,Default,,0,0,0,,{\\i1}Hello{\\i0}\\Nthere
Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,Bye
Dialogue: 0,0:00:03.00,0:00:04.00,Default,,0,0,0,,{\\p1}m 0 0 l 9 9{\\p0}
"""


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("films") / "film.mkv"
    return write_video(path, render([Shot(1, 5)]), start_s=2.0)


def beside(film: Path, folder: Path, name: str, content: bytes | str) -> Path:
    """A film in ``folder`` with a subtitle file beside it."""
    own = folder / film.name
    if not own.exists():
        own.hardlink_to(film)
    data = content.encode() if isinstance(content, str) else content
    (folder / name).write_bytes(data)
    return own


def texts(film: Path) -> list[tuple[float, float, str]]:
    source = find_subtitles(film)
    assert source is not None
    return [(line.start_s, line.end_s, line.text) for line in read_subtitles(source, 2.0)]


EXPECTED = [(1.0, 2.5, "Hello there"), (3.0, 4.0, "Bye")]


@pytest.mark.parametrize(
    ("name", "content"), [("film.srt", SRT), ("film.vtt", VTT), ("film.ass", ASS)]
)
def test_every_format_gives_the_same_lines(
    film: Path, tmp_path: Path, name: str, content: str
) -> None:
    assert texts(beside(film, tmp_path, name, content)) == EXPECTED


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "cp1252"])
def test_common_encodings_are_read(film: Path, tmp_path: Path, encoding: str) -> None:
    content = SRT.replace("Bye", "Adiós, señor").encode(encoding)
    assert texts(beside(film, tmp_path, "film.srt", content))[1][2] == "Adiós, señor"


def test_the_nearest_name_is_used(film: Path, tmp_path: Path) -> None:
    for name in ("film.de.srt", "film.en.forced.srt", "film.en.srt", "filmed.srt"):
        own = beside(film, tmp_path, name, SRT)
    assert find_subtitles(own).path.name == "film.en.srt"
    beside(film, tmp_path, "film.srt", SRT)
    assert find_subtitles(own).path.name == "film.srt"


def test_a_stream_inside_the_film_is_in_the_films_time(film: Path, tmp_path: Path) -> None:
    own = tmp_path / "inside.mkv"
    later = SRT.replace("00:00:0", "00:00:1")  # the picture begins at 2 s of the file's clock
    with (
        av.open(str(film)) as pictures,
        av.open(io.BytesIO(later.encode()), format="srt") as words,
        av.open(str(own), "w") as output,
    ):
        video = output.add_stream_from_template(pictures.streams.video[0])
        text = output.add_stream_from_template(words.streams.subtitles[0])
        for source, target in ((pictures, video), (words, text)):
            for packet in source.demux():
                if packet.dts is not None:
                    packet.stream = target
                    output.mux(packet)
    assert [(start, text) for start, _, text in texts(own)] == [(9.0, "Hello there"), (11.0, "Bye")]


def test_repeated_events_are_one_line(film: Path, tmp_path: Path) -> None:
    karaoke = "".join(f"{n}\n00:00:01,{n}00 --> 00:00:01,{n + 1}00\nla la\n\n" for n in range(1, 6))
    assert texts(beside(film, tmp_path, "film.srt", karaoke)) == [(1.1, 1.6, "la la")]


def test_a_film_without_subtitles_has_none(film: Path) -> None:
    assert find_subtitles(film) is None


def test_what_is_no_subtitle_file_is_one_line(film: Path, tmp_path: Path) -> None:
    own = beside(film, tmp_path, "film.vtt", b"\x00\x01 no subtitles at all")
    source = find_subtitles(own)
    assert source is not None
    with pytest.raises(VideoError, match=r"film\.vtt holds no subtitles") as caught:
        read_subtitles(source)
    assert "\n" not in str(caught.value)


def test_styles_and_tags_are_taken_off() -> None:
    assert plain_text(r"{\an8}<b>Where</b>\Nare\hyou < there >?") == "Where are you < there >?"
