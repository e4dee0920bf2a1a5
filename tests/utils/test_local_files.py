"""Files that a user names: only they are read, and what is wrong with them is one line."""

from __future__ import annotations

import errno
import os
import shutil
import tempfile
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import numpy as np
import pytest

from semantic_video.errors import QueryError, SemanticVideoError, VideoError
from semantic_video.utils.images import read_image
from semantic_video.utils.video_utils import VideoReader, find_videos
from semantic_video.utils.video_utils.files import check_path
from tests import media
from tests.media import Shot, render, write_video

AWKWARD = ["with space", "quote'", "pàth 🎬", "%03d", "%d%%", "-i", "#", "{1}"]
if os.name == "posix":
    AWKWARD += ["a:b", "http:", "concat:a", "a?b=1", "*", "a|b", os.fsdecode(b"\xff\xfe")]


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("film") / "film.mp4", render([Shot(1, 1)]))


@pytest.fixture
def picture(tmp_path: Path) -> Path:
    path = tmp_path / "picture.jpg"
    path.write_bytes(media.jpeg_bytes(media.picture(1)))
    return path


# Only that file


class Server:
    """Serves files on this machine and remembers what was asked of it."""

    def __init__(self, folder: Path) -> None:
        asked = self.asked = []  # type: list[str]

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                asked.append(self.path)
                content = (folder / self.path.lstrip("/")).read_bytes()
                self.send_response(200)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"


@pytest.fixture
def server(tmp_path: Path, film: Path, picture: Path) -> Iterator[Server]:
    shutil.copy(film, tmp_path / "film.mp4")
    serving = Server(tmp_path)
    thread = threading.Thread(target=serving.server.serve_forever)
    thread.start()
    yield serving
    serving.server.shutdown()
    thread.join()
    serving.server.server_close()


def read_film(path: str | Path) -> None:
    with VideoReader(path) as reader:
        next(reader.frames())


READERS: list[Callable[[str | Path], object]] = [read_image, read_film]


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("form", ["{}", "{}?x=1", "async:{}", "cache:{}"])
def test_an_address_is_not_a_file(
    server: Server, read: Callable[[str | Path], object], form: str
) -> None:
    for name in ("picture.jpg", "film.mp4"):
        address = form.format(f"{server.url}/{name}")
        for path in (address, Path(address)):
            with pytest.raises(SemanticVideoError, match="no such file"):
                read(path)
    assert server.asked == []


def ffconcat(target: str) -> str:
    return f"ffconcat version 1.0\nfile '{target}'\nduration 1\n"


def hls(target: str) -> str:
    return (
        "#EXTM3U\n#EXT-X-VERSION:3\n#EXT-X-TARGETDURATION:5\n#EXTINF:5,\n"
        f"{target}\n#EXT-X-ENDLIST\n"
    )


def dash(target: str) -> str:
    return (
        '<?xml version="1.0"?><MPD xmlns="urn:mpeg:dash:schema:mpd:2011" type="static" '
        'mediaPresentationDuration="PT1S" profiles="urn:mpeg:dash:profile:isoff-on-demand:2011">'
        '<Period><AdaptationSet contentType="video"><Representation id="1" bandwidth="1000" '
        f'mimeType="video/mp4"><BaseURL>{target}</BaseURL></Representation></AdaptationSet>'
        "</Period></MPD>"
    )


@pytest.mark.parametrize("read", READERS)
@pytest.mark.parametrize("where", ["here", "there"])
@pytest.mark.parametrize("name", ["list.mp4", "list.m3u8", "list.mpd", "list.ffconcat", "list.jpg"])
@pytest.mark.parametrize("write", [ffconcat, hls, dash])
def test_what_names_other_files_is_neither_video_nor_picture(
    server: Server,
    tmp_path: Path,
    write: Callable[[str], str],
    name: str,
    where: str,
    read: Callable[[str | Path], object],
) -> None:
    path = tmp_path / name
    target = "film.mp4" if where == "here" else f"{server.url}/film.mp4"
    path.write_text(write(target), encoding="utf-8")
    with pytest.raises(SemanticVideoError, match=r"not a (video|picture)") as error:
        read(path)
    assert "\n" not in str(error.value)
    assert server.asked == []


@pytest.mark.parametrize("stem", AWKWARD)
def test_a_name_is_only_a_name(
    tmp_path: Path, film: Path, picture: Path, monkeypatch: pytest.MonkeyPatch, stem: str
) -> None:
    expected = read_image(picture)
    folder = tmp_path / stem
    folder.mkdir()
    image, video = folder / f"{stem}.jpg", folder / f"{stem}.mp4"
    shutil.copy(picture, image)
    shutil.copy(film, video)
    monkeypatch.chdir(folder)
    for path in (image, Path(image.name), str(image), image.name):
        np.testing.assert_array_equal(read_image(path), expected)
    for path in (video, Path(video.name)):
        read_film(path)
    assert read_image(video).shape == expected.shape


def test_a_series_of_pictures_is_not_what_a_name_means(tmp_path: Path) -> None:
    for number in (1, 2):
        jpeg = media.jpeg_bytes(media.picture(number))
        (tmp_path / f"{number:03}.jpg").write_bytes(jpeg)
    for name in ("%03d.jpg", "*.jpg"):
        with pytest.raises(QueryError, match="no such file"):
            read_image(tmp_path / name)
    if os.name == "posix":
        shutil.copy(tmp_path / "002.jpg", tmp_path / "%03d.jpg")
        np.testing.assert_array_equal(
            read_image(tmp_path / "%03d.jpg"), read_image(tmp_path / "002.jpg")
        )


def test_what_is_no_picture_is_one_line(tmp_path: Path, picture: Path) -> None:
    cut = tmp_path / "cut.png"
    cut.write_bytes(b"\x89PNG\r\n\x1a\n")
    text = tmp_path / "text.jpg"
    text.write_text("hello", encoding="utf-8")
    sound = media.write_audio(tmp_path / "sound.m4a")
    for path in (cut, text, sound, tmp_path, tmp_path / "none.jpg", ""):
        with pytest.raises(QueryError) as error:
            read_image(path)
        assert "\n" not in str(error.value)
    assert read_image(picture).shape == (96, 160, 3)


# What is wrong with a path


@pytest.fixture
def as_ordinary_user() -> Iterator[Path]:
    """A folder, and from here on no more rights than its owner has."""
    if os.name != "posix":
        pytest.skip("permissions of POSIX")
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o777)
    was_root = os.geteuid() == 0
    if was_root:
        os.seteuid(65534)
    try:
        yield folder
    finally:
        if was_root:
            os.seteuid(0)
        for path in (folder, *folder.iterdir()):
            path.chmod(0o755)
        shutil.rmtree(folder)


def test_an_empty_path_is_not_the_current_folder(
    tmp_path: Path, film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(film, tmp_path)
    monkeypatch.chdir(tmp_path)
    assert find_videos(["."]) == [Path("film.mp4")]
    for look in (lambda: find_videos([""]), lambda: check_path("")):
        with pytest.raises(VideoError, match="an empty path; name a file or folder"):
            look()


def test_paths_that_the_system_refuses_are_one_line(tmp_path: Path) -> None:
    loop = tmp_path / "loop.mp4"
    loop.symlink_to(loop)
    file = tmp_path / "file"
    file.touch()
    for path in (loop, tmp_path / ("a" * 300), file / "inside.mp4", f"{tmp_path}/zero\0.mp4"):
        for look in (check_path, lambda path: find_videos([path]), VideoReader, read_image):
            with pytest.raises(SemanticVideoError) as error:
                look(path)
            assert "\n" not in str(error.value)
            assert ": " in str(error.value) or ";" in str(error.value)


def test_a_folder_that_may_not_be_searched_is_one_line(as_ordinary_user: Path) -> None:
    closed = as_ordinary_user / "closed"
    closed.mkdir()
    film = closed / "film.mp4"
    film.write_bytes(b"x")
    closed.chmod(0)
    for look in (check_path, lambda path: find_videos([path]), VideoReader, read_image):
        with pytest.raises(SemanticVideoError, match="no permission to reach"):
            look(film)


def test_a_file_that_may_not_be_read_is_one_line(as_ordinary_user: Path) -> None:
    film = as_ordinary_user / "film.mp4"
    film.write_bytes(b"x")
    film.chmod(0)
    with pytest.raises(VideoError, match="no permission to read"):
        VideoReader(film)


@pytest.mark.parametrize("mode", [0, 0o444], ids=["closed", "names only"])
def test_a_folder_that_cannot_be_read_is_reported_and_the_rest_is_found(
    as_ordinary_user: Path, mode: int
) -> None:
    for name in ("bad/x.mp4", "good/a.mp4", "good/z.mp4"):
        path = as_ordinary_user / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    bad, good = as_ordinary_user / "bad", as_ordinary_user / "good"
    bad.chmod(mode)
    errors: list[VideoError] = []
    assert find_videos([as_ordinary_user], errors.append) == [good / "a.mp4", good / "z.mp4"]
    assert len(errors) == 1
    assert f"cannot look into {bad}" in str(errors[0])
    for given in (as_ordinary_user, bad):
        with pytest.raises(VideoError, match=f"cannot look into {bad}"):
            find_videos([given])


def test_every_bad_argument_is_reported_and_the_others_are_found(tmp_path: Path) -> None:
    film, empty = tmp_path / "film.mp4", tmp_path / "empty"
    film.write_bytes(b"x")
    empty.mkdir()
    errors: list[VideoError] = []
    given = [tmp_path / "none.mp4", "", empty, film, film]
    assert find_videos(given, errors.append) == [film]
    assert [str(error).split(";")[0] for error in errors] == [
        f"no such file: {tmp_path / 'none.mp4'}",
        "an empty path",
        f"no videos in the folder {empty}",
    ]


def test_what_vanishes_while_a_folder_is_searched_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Films and folders that are gone between being listed and being looked at."""
    for name in ("a.mp4", "b.mp4", "c/d.mp4", "e/f.mp4"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    (tmp_path / "dangling.mp4").symlink_to(tmp_path / "gone.mp4")
    stat = os.stat

    def stat_late(path: str | os.PathLike[str], **options: object) -> os.stat_result:
        if os.fspath(path) == str(tmp_path / "a.mp4"):
            Path(path).unlink(missing_ok=True)
        if os.fspath(path) == str(tmp_path / "c"):
            shutil.rmtree(path, ignore_errors=True)
        return stat(path, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(os, "stat", stat_late)
    assert find_videos([tmp_path]) == [tmp_path / "b.mp4", tmp_path / "e" / "f.mp4"]


def test_what_vanishes_before_it_is_checked_is_missing(
    film: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def vanish(path: object) -> os.stat_result:
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "stat", vanish)
        with pytest.raises(VideoError, match="no such file"):
            check_path(film)
