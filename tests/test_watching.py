"""Videos that need not end: what was watched is what indexing finds, in constant memory."""

from __future__ import annotations

import json
import os
import signal
import socket
import struct
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from itertools import islice, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from semantic_video.config import load_config
from semantic_video.encoders import load_encoder
from semantic_video.errors import VideoError
from semantic_video.library import Library
from semantic_video.records import Span
from semantic_video.search import Searcher
from semantic_video.stored_memory import memory_from_stored
from semantic_video.utils.video_utils import VideoReader
from semantic_video.utils.video_utils.live import LiveSource, Retry, frame_of_picture
from semantic_video.video_processor import SemanticVideoProcessor
from semantic_video.watching import StreamingMemory, Watcher, live_source
from tests.media import Shot, render, write_video
from tests.processes import heeds_ctrl_c
from tests.test_memory_budget import bytes_of, check

SHOTS = [
    Shot(1, 4.0, "pan"),
    Shot(2, 3.5),
    Shot(3, 4.0, "zoom", fade_s=0.5),
    Shot(1, 4.0, "pan"),
    Shot(4, 3.0),
    Shot(2, 3.5),
]


# The pictures of these films are much alike to the model: no two shots are to become one scene.
OPTIONS = load_config().override(
    {
        "segmentation": {"merge_similarity": 2.0},
        "watching": {"retry_s": 0.05, "most_retry_s": 0.1},
    },
    "a test",
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("film") / "returns.mp4"
    return write_video(path, render(SHOTS))


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """One library for all, because the vocabulary of names is encoded once for each."""
    return tmp_path_factory.mktemp("shared") / "library"


@pytest.fixture(scope="module")
def stream_bytes(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    path = tmp_path_factory.mktemp("stream") / "live.ts"
    return write_video(path, render(SHOTS)).read_bytes()


def watched(source: object, library: Path, **options: Any) -> Any:
    config = OPTIONS.override({"library": str(library)}, "a test")
    config = config.override(options.pop("config", {}), "a test")
    encoder = load_encoder("lite")
    shelf = Library(library, create=True)
    notes: list[str] = []
    follow_s = options.pop("follow_s", 0.0)
    live = live_source(str(source), config, encoder, notes.append, follow_s)
    watcher = Watcher(live, config, encoder, shelf, note=notes.append, **options)
    record = watcher.run()
    memory = memory_from_stored(shelf.load(record.id), record)
    return watcher, record, memory, notes


def test_watching_finds_the_scenes_that_indexing_finds(film: Path, library: Path) -> None:
    _, record, memory, _ = watched(film, library)
    processor = SemanticVideoProcessor(film, "auto", library=library, config=OPTIONS)
    processor.index()
    indexed = processor.build_semantic_memory()
    starts = [scene.start_s for scene in memory.scenes()]
    assert starts == pytest.approx([scene.start_s for scene in indexed.scenes()], abs=0.1)
    assert record.duration_s == pytest.approx(22, abs=0.2)
    assert memory.labels.tolist() == indexed.labels.tolist()
    assert memory.names == indexed.names
    cosines = np.einsum(
        "nd,nd->n", memory.vectors.astype(np.float32), indexed.vectors.astype(np.float32)
    )
    assert cosines.min() > 0.98
    # Both see that the first and the second picture return.
    for one in (memory, indexed):
        assert [one.returns_from(scene)[0].earlier for scene in (3, 5)] == [0, 1]
    scenes = memory.scenes()
    assert all(a.end_s == b.start_s for a, b in pairwise(scenes))


def test_what_is_watched_can_be_searched(film: Path, library: Path) -> None:
    watched(film, library)
    config = load_config().override({"library": str(library)}, "a test")
    answers = Searcher(config, [str(film)]).by_texts(["a picture"], k=3)
    assert len(answers[0]) == 3


def test_frames_from_memory_go_in_by_update(library: Path) -> None:
    pictures = list(render(SHOTS))
    frames = [(index / 24, picture) for index, picture in enumerate(pictures)]
    processor = SemanticVideoProcessor("camera", "auto", library=library, config=OPTIONS)
    seen = []
    for first in range(0, len(frames), 50):
        seen += processor.update(frames[first : first + 50])
    assert 3 <= len(seen) <= 5  # what is open is not told yet
    seen += processor.close_stream()
    assert len(seen) == 6
    assert [seen[scene].returns[0].earlier for scene in (3, 5)] == [0, 1]
    assert len(processor.query_semantic_memory("a picture", k=2)) == 2


def test_frames_that_cannot_be_are_refused_and_those_before_are_kept(library: Path) -> None:
    processor = SemanticVideoProcessor("camera", "auto", library=library, config=OPTIONS)
    frames = [(index / 24, picture) for index, picture in enumerate(render(SHOTS))]
    with pytest.raises(VideoError, match=r"order of time: one at 1\.000 s came after 21\.958 s"):
        processor.update([*frames, (1.0, frames[0][1])])
    picture = frames[0][1]
    for time_s, wrong, why in [
        (1e6, picture[..., 0], r"not uint8 \[\d+, \d+\]"),
        (1e6, picture.astype(np.float32), "not float32"),
        (1e6, "picture.png", "not str"),
        (np.nan, picture, "a time in seconds, not nan"),
    ]:
        with pytest.raises(VideoError, match=why):
            processor.update([(time_s, wrong)])
    processor.close_stream()
    assert len(processor.build_semantic_memory().scenes()) == 6


def test_a_stream_keeps_its_budget_while_scenes_come(film: Path, library: Path) -> None:
    config = OPTIONS.override({"memory": {"memory_size": 2, "exemplars": 2, "spans": 2}}, "a test")
    encoder = load_encoder("lite")
    memory = StreamingMemory(config, encoder, Library(library, create=True))
    with VideoReader(film, cover=encoder.input_size) as reader:
        for frame in reader.frames():
            memory.update([frame])
            assert len(memory.stream) <= 2
            assert memory.open_frames <= memory.budget.frame.entries
    memory.close()
    held = memory.memory()
    assert len(held) == 2
    assert len(held.scenes()) <= 4
    assert held.history.scenes == 6


def test_what_watching_publishes_weighs_no_more_than_its_budget(film: Path, tmp_path: Path) -> None:
    limits = {"memory_size": 3, "exemplars": 2, "spans": 2, "max_bytes": 30_000}
    config = {"memory": limits, "watching": {"publish_s": 0.0}}
    _, record, memory, _ = watched(film, tmp_path / "library", config=config)
    check(memory, limits)
    stored = Library(tmp_path / "library").load(record.id)
    assert bytes_of(stored) <= 30_000
    assert len(stored.thumbnails) <= 3


def test_a_pipe_is_watched(stream_bytes: bytes, library: Path, tmp_path: Path) -> None:
    fifo = tmp_path / "camera.ts"
    os.mkfifo(fifo)

    def feed() -> None:
        with fifo.open("wb") as pipe:
            pipe.write(stream_bytes)

    feeder = threading.Thread(target=feed)
    feeder.start()
    _, record, memory, _ = watched(fifo, library)
    feeder.join()
    assert len(memory.scenes()) == 6
    assert record.name == str(fifo)


@pytest.mark.slow
def test_a_growing_file_is_followed(stream_bytes: bytes, library: Path, tmp_path: Path) -> None:
    path = tmp_path / "growing.ts"
    half = len(stream_bytes) // 2
    path.write_bytes(stream_bytes[:half])

    def grow() -> None:
        time.sleep(1.0)
        with path.open("ab") as file:
            file.write(stream_bytes[half:])

    thread = threading.Thread(target=grow)
    thread.start()
    _, record, memory, _ = watched(path, library, follow_s=4.0)
    thread.join()
    assert len(memory.scenes()) == 6
    assert record.duration_s == pytest.approx(22, abs=0.3)


@pytest.fixture
def server(stream_bytes: bytes) -> Iterator[ThreadingHTTPServer]:
    """Serves the stream as a camera does, without a length, and breaks off the first time."""

    class Camera(BaseHTTPRequestHandler):
        times = 0

        def do_GET(self) -> None:
            Camera.times += 1
            self.send_response(200)
            self.send_header("Content-Type", "video/mp2t")
            self.end_headers()
            content = stream_bytes
            if Camera.times == 1:
                content = content[: len(content) * 2 // 3]
            if Camera.times <= 2:
                with open(os.devnull, "wb") as _:
                    self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            pass

    httpd = ThreadingHTTPServer(("127.0.0.1", 0), Camera)
    thread = threading.Thread(target=httpd.serve_forever)
    thread.start()
    yield httpd
    httpd.shutdown()
    thread.join()
    httpd.server_close()


def test_a_lost_stream_is_sought_again_and_the_gap_noted(
    server: ThreadingHTTPServer, library: Path
) -> None:
    address = f"http://127.0.0.1:{server.server_port}/live.ts"
    watcher, record, memory, notes = watched(address, library, config={"watching": {"retries": 3}})
    assert any("lost" in note and "trying again" in note for note in notes)
    assert len(watcher.gaps) >= 1
    gap = watcher.gaps[0]
    assert "the stream was lost" in record.notes[0]
    assert record.undecoded_s == pytest.approx(sum(g.end_s - g.start_s for g in watcher.gaps), 0.01)
    scenes = memory.scenes()
    # The timeline has a hole where nothing was seen, and goes on behind it.
    assert not any(s.start_s < gap.end_s - 0.01 and s.end_s > gap.start_s + 0.1 for s in scenes)
    assert scenes[-1].end_s > gap.end_s + 15
    assert memory.returns  # the second connection shows again what the first did
    # The same address watched again goes on where it was.
    again = Library(library).resolve(address)
    assert again.id == record.id


@pytest.fixture
def rtsp_camera(stream_bytes: bytes) -> Iterator[str]:
    """A camera that serves the stream once by RTSP (RFC 2326), as MPEG-TS in RTP over TCP."""
    server = socket.create_server(("127.0.0.1", 0))
    port = server.getsockname()[1]

    def serve() -> None:
        connection, _ = server.accept()
        server.close()
        with connection, connection.makefile("rb") as asked:
            while first := asked.readline():
                method, heads = first.split()[0].decode(), {}
                while line := asked.readline().decode().strip():
                    name, _, value = line.partition(": ")
                    heads[name] = value
                body = b""
                answer = ["RTSP/1.0 200 OK", f"CSeq: {heads['CSeq']}", "Session: 1"]
                if method == "OPTIONS":
                    answer.append("Public: OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN")
                elif method == "DESCRIBE":
                    answer.append("Content-Type: application/sdp")
                    body = (
                        b"v=0\r\ns=camera\r\nt=0 0\r\nm=video 0 RTP/AVP 33\r\na=control:track\r\n"
                    )
                elif method == "SETUP":
                    assert "TCP" in heads["Transport"]
                    answer.append("Transport: RTP/AVP/TCP;unicast;interleaved=0-1")
                answer += [f"Content-Length: {len(body)}", "", ""]
                connection.sendall("\r\n".join(answer).encode() + body)
                if method == "PLAY":
                    for number, payload in enumerate(_packets(stream_bytes)):
                        rtp = struct.pack(">BBHII", 0x80, 33, number & 0xFFFF, 900 * number, 7)
                        size = len(rtp) + len(payload)
                        connection.sendall(b"$\0" + struct.pack(">H", size) + rtp + payload)
                    return

    thread = threading.Thread(target=serve)
    thread.start()
    yield f"rtsp://127.0.0.1:{port}/live"
    thread.join(timeout=30)
    assert not thread.is_alive()


def _packets(content: bytes) -> list[bytes]:
    """MPEG-TS as it travels: seven of its packets of 188 bytes at a time."""
    return [content[first : first + 7 * 188] for first in range(0, len(content), 7 * 188)]


def test_an_rtsp_camera_is_watched(rtsp_camera: str, library: Path) -> None:
    _, record, memory, notes = watched(rtsp_camera, library, config={"watching": {"retries": 0}})
    assert len(memory.scenes()) == 6
    assert record.duration_s == pytest.approx(22, abs=0.3)
    assert record.name == rtsp_camera
    assert any("lost" in note for note in notes)  # a camera that ends is lost, not over


def test_a_udp_stream_is_watched(stream_bytes: bytes) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = threading.Event()

    def send() -> None:
        """Again and again: who listens to UDP misses what came before."""
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            while not done.is_set():
                for packet in _packets(stream_bytes):
                    sender.sendto(packet, ("127.0.0.1", port))
                    if done.wait(0.002):
                        return

    thread = threading.Thread(target=send)
    thread.start()
    try:
        source = LiveSource(f"udp://127.0.0.1:{port}", (64, 64), Retry(attempts=0))
        times = [item.time_s for item in islice(source.frames(), 100) if not isinstance(item, Span)]
    finally:
        done.set()
        thread.join()
    assert len(times) == 100
    assert all(before < after for before, after in pairwise(times))


def test_backing_off_doubles_up_to_its_most(tmp_path: Path) -> None:
    source = LiveSource("http://127.0.0.1:9/none.ts", (64, 64), Retry(1.0, 5.0, 5))
    waits: list[float] = []
    source._waiting = waits.append  # type: ignore[assignment]
    source._connection = _seen_once(source._connection)  # type: ignore[method-assign]
    source._finite = False
    list(source.frames())
    assert waits == [1, 2, 4, 5, 5]


class _File(BaseHTTPRequestHandler):
    """Serves a file with its length; ``breaks``: only half of it comes."""

    content = b""
    breaks = False
    times = 0

    def do_GET(self) -> None:
        type(self).times += 1
        self.send_response(200)
        self.send_header("Content-Length", str(len(self.content)))
        self.end_headers()
        self.wfile.write(self.content[: len(self.content) // 2] if self.breaks else self.content)

    def log_message(self, *_: object) -> None:
        pass


def _serves(content: bytes, breaks: bool, retry: Retry) -> tuple[Any, ...]:
    """What watching such a file by its address gives: the handler, items, notes."""
    handler = type("Handler", (_File,), {"content": content, "breaks": breaks})
    notes: list[str] = []
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        try:
            address = f"http://127.0.0.1:{httpd.server_port}/sample.ts"
            source = LiveSource(address, (64, 64), retry, note=notes.append)
            items = list(islice(source.frames(), 3000))
        finally:
            httpd.shutdown()
            thread.join()
    return handler, items, notes


def test_a_file_at_an_address_ends_where_it_says(stream_bytes: bytes) -> None:
    handler, items, notes = _serves(stream_bytes, False, Retry(0.01, 0.01, 1))
    assert handler.times == 1
    assert items[-1].time_s == pytest.approx(22, abs=0.2)
    assert not any(isinstance(item, Span) for item in items)
    (note,) = notes
    assert note.endswith("/sample.ts: it is at its end")


def test_what_breaks_again_and_again_is_given_up(stream_bytes: bytes) -> None:
    handler, items, notes = _serves(stream_bytes, True, Retry(0.01, 0.01, 2))
    assert handler.times == 3
    assert sum(isinstance(item, Span) for item in items) == 2
    assert "lost" in notes[-1]
    assert "not found again" in notes[-1]


def test_what_ran_for_a_good_while_may_break_anew(stream_bytes: bytes) -> None:
    handler, items, _ = _serves(stream_bytes, True, Retry(0.01, 0.01, 1, steady_s=0.0))
    assert len(items) == 3000  # and would go on
    assert handler.times > 5


def _seen_once(real: Any) -> Any:
    """A connection that shows a frame the first time and is refused for real from then on."""
    times = iter([True])

    def connect() -> Iterator[Any]:
        if next(times, False):
            yield frame_of_picture(0.0, np.zeros((64, 64, 3), np.uint8), (64, 64))
        else:
            yield from real()

    return connect


@pytest.mark.parametrize("source", ["/no/such/camera", "http://127.0.0.1:9/x.ts"])
def test_what_cannot_be_watched_is_refused_in_one_line(source: str, tmp_path: Path) -> None:
    with pytest.raises(VideoError, match="cannot"):
        watched(source, tmp_path / "library")


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("notes.txt", "Buy milk.\n" * 200, "is a text, not a video"),
        ("notes.py", "milk = 1\n" * 20, "is not a video that FFmpeg can read"),
        ("empty.mp4", "", "is empty"),
    ],
)
def test_a_file_that_is_no_video_is_refused_as_indexing_does(
    name: str, content: str, why: str, library: Path, tmp_path: Path
) -> None:
    path = tmp_path / name
    path.write_text(content, encoding="utf-8")
    processor = SemanticVideoProcessor(path, "auto", library=library, config=OPTIONS)
    with pytest.raises(VideoError, match=why) as indexed:
        processor.index()
    with pytest.raises(VideoError) as refused:
        watched(path, library)
    assert str(refused.value) == str(indexed.value)


def test_text_in_a_pipe_is_refused(library: Path, tmp_path: Path) -> None:
    path = tmp_path / "growing.txt"
    path.write_text("Buy milk.\n" * 200, encoding="utf-8")
    with pytest.raises(VideoError, match=r"\.txt is a text, not a video|cannot open"):
        watched(path, library, follow_s=0.1)


@pytest.mark.parametrize("source", ["/no/such/camera", "http://127.0.0.1:9/x.ts"])
def test_what_cannot_be_watched_leaves_no_library(source: str, tmp_path: Path) -> None:
    shelf = tmp_path / "library"
    done = subprocess.run(
        [sys.executable, "-m", "semantic_video", "watch", source, "--library", str(shelf)],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == 2
    assert done.stderr.startswith("semantic-video: cannot")
    assert len(done.stderr.splitlines()) == 1
    assert not shelf.exists()


def test_a_password_in_an_address_is_not_kept() -> None:
    source = LiveSource("rtsp://me:secret@camera.local:554/live", (64, 64))
    assert source.name == "rtsp://camera.local:554/live"


def test_ctrl_c_ends_cleanly_and_others_search_meanwhile(
    stream_bytes: bytes, library: Path, tmp_path: Path
) -> None:
    options = tmp_path / "options.yaml"
    options.write_text("watching:\n  publish_s: 0.1\n", encoding="utf-8")
    command = [sys.executable, "-m", "semantic_video", "watch", "-", "--json"]
    command += ["--library", str(library), "--config", str(options)]
    process = subprocess.Popen(
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        preexec_fn=heeds_ctrl_c,
    )
    assert process.stdin is not None
    process.stdin.write(stream_bytes)
    process.stdin.flush()
    deadline = time.monotonic() + 120
    found = 0
    while time.monotonic() < deadline and not found:
        time.sleep(0.5)
        if any(record.name == "standard input" for record in Library(library).videos()):
            found = Library(library).resolve("standard input").scenes
    assert found
    config = load_config().override({"library": str(library)}, "a test")
    assert len(Searcher(config, ["standard input"]).by_texts(["a picture"])[0])
    process.send_signal(signal.SIGINT)
    process.wait(timeout=60)  # with its input still open: it was Ctrl-C that ended it
    out, err = process.communicate()
    assert process.returncode == 0, err.decode()
    assert b"stopped; what was seen is kept" in err
    assert b"Traceback" not in err
    rows = [json.loads(line) for line in out.decode().splitlines()]
    assert len(rows) == Library(library).resolve("standard input").scenes
    assert set(rows[0]) == {"start_s", "end_s", "returns_from"}
