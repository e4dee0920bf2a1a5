"""Corrections by hand to what is watched: they outlive every publishing, and can be taken back."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from semantic_video import editing
from semantic_video.encoders import load_encoder
from semantic_video.library import Library
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.stored_memory import memory_from_stored, reinforced
from semantic_video.video_processor import SemanticVideoProcessor
from semantic_video.watching import Watcher, live_source
from tests.media import render, write_video
from tests.test_watching import OPTIONS, SHOTS

CONFIG = OPTIONS.override(
    {
        "watching": {"publish_s": 0.0, "retries": 0},
        "clustering": {"num_clusters": 3},
    },
    "a test",
)


@pytest.fixture(scope="module")
def film(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_video(tmp_path_factory.mktemp("film") / "returns.ts", render(SHOTS))


@pytest.fixture
def address(film: Path) -> Iterator[str]:
    class Camera(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(film.read_bytes())

        def log_message(self, *_: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Camera) as httpd:
        thread = threading.Thread(target=httpd.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{httpd.server_port}/live.ts"
        httpd.shutdown()
        thread.join()


def watch(source: object, library: Path, **options: Any) -> list[str]:
    encoder = load_encoder("lite")
    notes: list[str] = []
    live = live_source(str(source), CONFIG, encoder, notes.append)
    shelf = Library(library, create=True)
    Watcher(live, CONFIG, encoder, shelf, note=notes.append, **options).run()
    return notes


def stored(library: Path) -> MemoryHierarchy:
    shelf = Library(library)
    (record,) = shelf.videos()
    return memory_from_stored(shelf.load(record.id), record)


def edit(library: Path, change: editing.Change) -> MemoryHierarchy:
    shelf = Library(library)
    return editing.edit_video(shelf, shelf.videos()[0], change)[1]


def test_corrections_outlive_watching_an_address_on(address: str, tmp_path: Path) -> None:
    watch(address, tmp_path)
    edit(tmp_path, editing.merge(0, 1))
    after = edit(tmp_path, editing.rename(0, "harbour"))
    wanted = set(after.clusters()[0].scenes)
    watch(address, tmp_path)
    memory = stored(tmp_path)
    harbour = memory.clusters()[memory.names.index("harbour")]
    assert wanted <= set(harbour.scenes)
    assert len(memory.scenes()) == 12
    assert harbour.named_by == "user"
    # And they are taken back one by one, for good.
    assert "harbour" not in edit(tmp_path, editing.undo).names
    watch(address, tmp_path)
    memory = stored(tmp_path)
    assert "harbour" not in memory.names
    assert [each.kind for each in memory.clustering.corrections] == ["merge"]
    edit(tmp_path, editing.undo)
    assert stored(tmp_path).clustering.corrections == ()


def test_an_edit_made_meanwhile_outlives_the_next_publishing(film: Path, tmp_path: Path) -> None:
    seen = 0

    def rename_once(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == 3:
            edit(tmp_path, editing.rename(0, "harbour"))

    watch(film, tmp_path, on_scene=rename_once)
    memory = stored(tmp_path)
    assert seen == len(memory.scenes()) == 6
    assert memory.names[memory.scenes()[0].cluster] == "harbour"


def test_watching_a_file_keeps_the_corrections_of_its_index(film: Path, tmp_path: Path) -> None:
    SemanticVideoProcessor(film, "auto", library=tmp_path, config=CONFIG).index()
    edit(tmp_path, editing.rename(1, "harbour"))
    watch(film, tmp_path)
    assert "harbour" in stored(tmp_path).names
    assert "harbour" not in edit(tmp_path, editing.undo).names


def test_beginning_anew_says_which_corrections_go(address: str, tmp_path: Path) -> None:
    watch(address, tmp_path)
    edit(tmp_path, editing.rename(0, "harbour"))
    notes = watch(address, tmp_path, fresh=True)
    assert "harbour" not in stored(tmp_path).names
    assert sum("1 correction by hand" in note for note in notes) == 1


def test_what_queries_used_is_still_counted_after_the_next_publishing(
    film: Path, tmp_path: Path
) -> None:
    seen = 0

    def use_once(*_: object) -> None:
        nonlocal seen
        seen += 1
        if seen == 3:
            shelf = Library(tmp_path)
            (record,) = shelf.videos()
            shelf.update(reinforced(record, stored(tmp_path), [1.0]))

    watch(film, tmp_path, on_scene=use_once)
    assert stored(tmp_path).uses == {0: 1}
