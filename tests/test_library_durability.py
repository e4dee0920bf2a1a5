"""A library survives what happens to processes and disks: kills, rivals, full disks, damage."""

from __future__ import annotations

import os
import random
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest

from semantic_video.errors import LibraryError
from semantic_video.library import Finding, Library
from semantic_video.library.rows import video_rows
from semantic_video.library.tables import Tables
from tests.library_cases import assert_same, assert_whole, make_clustering, make_memory, make_record

ROOT = Path(__file__).parents[1]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library", create=True)


@pytest.fixture
def start() -> Iterator:
    """Start other processes that work on a library; those that still run are killed at the end."""
    processes = []

    def start_one(library: Library, *arguments: object) -> subprocess.Popen:
        command = [sys.executable, "-m", "tests.library_cases", str(library.path)]
        process = subprocess.Popen(
            [*command, *map(str, arguments)], cwd=ROOT, stdout=subprocess.PIPE, text=True
        )
        processes.append(process)
        assert process.stdout.readline() == "ready\n"
        return process

    yield start_one
    for process in processes:
        process.kill()
        process.wait()
        process.stdout.close()


def rows_in(library: Library, table: str) -> int:
    import lance

    return lance.dataset(str(library.path / f"{table}.lance")).count_rows()


def finding(library: Library, what: str) -> Finding | None:
    return next((finding for finding in library.health() if finding.what == what), None)


# Kills


def test_killed_writers_leave_every_video_old_or_new_and_whole(library, start):
    delays = random.Random(0)
    seen = set()
    for _ in range(10):
        process = start(library, "save", 0, 3)
        time.sleep(delays.uniform(0.02, 0.4))
        process.kill()
        process.wait()
        assert_whole(library)
        seen |= {record.generation for record in library.videos()}
    assert len(seen) > 3, "the writers were killed before they wrote anything"

    library.maintain()
    saved = library.videos()
    assert rows_in(library, "entries_16") == sum(record.entries for record in saved)
    assert rows_in(library, "exemplars_16") == sum(record.exemplars for record in saved)
    assert rows_in(library, "thumbnails") == sum(record.entries for record in saved)
    assert all(finding.ok for finding in library.health(verify=True))


def test_a_killed_owner_is_noticed_and_does_not_hold_the_lock(library, start):
    process = start(library, "hold")
    at_work = finding(library, "writer")
    assert at_work.ok
    assert str(process.pid) in at_work.state
    process.kill()
    process.wait()
    dead = finding(library, "writer")
    assert not dead.ok
    assert str(process.pid) in dead.state

    waits: list[str] = []
    library.save(make_record(1), make_memory(1), on_wait=waits.append)
    assert not waits
    assert finding(library, "writer") is None


def test_what_a_failed_save_left_is_swept_by_the_next_writer(library, monkeypatch):
    def interrupt(*arguments: object) -> None:
        raise KeyboardInterrupt

    library.save(make_record(1), make_memory(1))
    with monkeypatch.context() as patch:
        patch.setattr("semantic_video.library.tables.Tables.upsert", interrupt)
        with pytest.raises(KeyboardInterrupt):
            library.save(make_record(2), make_memory(2))
    assert len(library.videos()) == 1
    assert rows_in(library, "entries_16") == 24
    library.save(make_record(3), make_memory(3))
    assert rows_in(library, "entries_16") == 24
    assert assert_whole(library) == 2


# Rivals


def test_two_writers_take_turns_and_readers_see_whole_videos(library, start):
    first, second = start(library, "save", 0, 4, 6), start(library, "save", 2, 6, 6)
    reads = 0
    while first.poll() is None or second.poll() is None:
        assert_whole(library)
        reads += 1
    assert first.returncode == second.returncode == 0
    assert reads > 3
    assert assert_whole(library) == 6
    assert all(record.settings["version"] == 5 for record in library.videos())


def test_a_reader_that_is_overtaken_by_a_writer_reads_the_new_state(library, monkeypatch):
    saved = library.save(make_record(1, 0), make_memory(1, 0))
    rival, read = Library(library.path), Tables.read
    overtaken = []

    def read_late(tables: Tables, name: str, *arguments: object):
        if name == "entries_16" and not overtaken:
            overtaken.append(name)
            rival.save(make_record(1, 1), make_memory(1, 1))
            rival.maintain()
        return read(tables, name, *arguments)

    monkeypatch.setattr(Tables, "read", read_late)
    assert_same(library.load(saved.id), make_memory(1, 1))
    assert overtaken


def test_a_writer_says_whom_it_waits_for_and_goes_on_afterwards(library, start):
    process = start(library, "hold")
    waits: list[str] = []
    waiting = threading.Event()

    def on_wait(text: str) -> None:
        waits.append(text)
        waiting.set()

    saved = threading.Thread(target=library.save, args=(make_record(1), make_memory(1), on_wait))
    saved.start()
    assert waiting.wait(60)
    assert library.videos() == []
    process.kill()
    process.wait()
    saved.join(60)
    assert len(library.videos()) == 1
    assert len(waits) == 1
    assert f"waiting for process {process.pid}" in waits[0]


def test_threads_write_through_one_library_in_turn(library):
    def save(video: int) -> None:
        with library.writer():
            for version in range(3):
                library.save(make_record(video, version), make_memory(video, version))

    threads = [threading.Thread(target=save, args=(video,)) for video in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert assert_whole(library) == 4


def test_many_processes_may_make_the_library(tmp_path):
    code = (
        "import sys; from semantic_video.library import Library; Library(sys.argv[1], create=True)"
    )
    command = [sys.executable, "-c", code, str(tmp_path / "library")]
    processes = [subprocess.Popen(command, cwd=ROOT) for _ in range(4)]
    assert [process.wait() for process in processes] == [0] * 4
    assert Library(tmp_path / "library").videos() == []


def test_a_library_that_was_killed_while_it_was_made_is_made_again(library):
    (library.path / "library.json").unlink()
    (library.path / "library.json.x1y2.tmp").write_bytes(b"{")
    shutil.rmtree(library.path / "videos.lance" / "_versions")
    with pytest.raises(LibraryError, match="no library"):
        Library(library.path)
    again = Library(library.path, create=True)
    again.save(make_record(1), make_memory(1))
    assert assert_whole(again) == 1


def test_caches_may_be_filled_by_many_threads_at_once(library):
    results: list[np.ndarray] = []

    def fill() -> None:
        results.append(library.cached_array("a", "key", lambda: np.arange(1000)))

    threads = [threading.Thread(target=fill) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(results) == 8
    for array in results:
        np.testing.assert_array_equal(array, np.arange(1000))
    assert len(list((library.path / "cache").iterdir())) == 1


# Disks


class Disk:
    """A small file system of its own."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def remount(self, options: str) -> None:
        command = ["mount", "-o", f"remount,{options}", str(self.path)]
        subprocess.run(command, check=True, capture_output=True)


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Disk]:
    path = tmp_path / "disk"
    path.mkdir()
    if not sys.platform.startswith("linux") or os.geteuid() != 0:
        pytest.skip("mounting a small disk needs Linux and root")
    command = ["mount", "-t", "tmpfs", "-o", "size=2m", "tmpfs", str(path)]
    mounted = subprocess.run(command, capture_output=True, text=True, check=False)
    if mounted.returncode:
        pytest.skip(f"no small disk: {mounted.stderr.strip()}")
    yield Disk(path)
    subprocess.run(["umount", "-l", str(path)], check=True)


def test_a_full_disk_is_one_line_and_leaves_the_index_as_it_was(disk):
    library = Library(disk.path / "library", create=True)
    saved = 0

    def save_until_full() -> None:
        nonlocal saved
        while True:
            library.save(make_record(saved), make_memory(saved, entries=100))
            saved += 1

    with pytest.raises(LibraryError, match=r"is full: free some space") as error:
        save_until_full()
    assert "\n" not in str(error.value)
    assert saved > 3
    assert {record.name for record in library.videos()} >= {f"{i}.mp4" for i in range(saved)}
    loaded = library.load_many()
    for record in library.videos():
        video = int(record.name.removesuffix(".mp4"))
        assert_same(loaded[record.id], make_memory(video, entries=100), thumbnails=False)

    disk.remount("size=20m")
    library.save(make_record(saved), make_memory(saved, entries=100))
    assert len(library.videos()) == saved + 1
    assert all(finding.ok for finding in library.health(verify=True))


def test_a_library_that_cannot_be_written_can_be_read(disk):
    library = Library(disk.path / "library", create=True)
    saved = library.save(make_record(1), make_memory(1))
    disk.remount("ro")
    library = Library(disk.path / "library", create=True)
    assert_whole(library)
    np.testing.assert_array_equal(library.cached_array("a", "k", lambda: np.ones(3)), np.ones(3))
    assert not finding(library, "library").ok
    changes = (
        lambda: library.save(make_record(2), make_memory(2)),
        lambda: library.save_clustering(saved.id, make_clustering("x", saved.entries)),
        lambda: library.remove(saved.id),
        library.maintain,
        lambda: Library(disk.path / "another", create=True),
    )
    for change in changes:
        with pytest.raises(LibraryError, match=r"cannot (write|make)") as error:
            change()
        assert "\n" not in str(error.value)


# Damage


def _empty(path: Path) -> None:
    path.write_bytes(b"")


def _zero(path: Path) -> None:
    path.write_bytes(bytes(path.stat().st_size))


def _shorten(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-20])


@pytest.mark.parametrize("damage", [_empty, _zero, _shorten, Path.unlink])
@pytest.mark.parametrize(
    "pattern",
    [
        "library.json",
        "videos.lance/data/*",
        "videos.lance/_versions/*.manifest",
        "entries_16.lance/data/*",
        "entries_16.lance/_versions/*.manifest",
        "clusterings.lance/data/*",
    ],
)
def test_a_broken_library_is_one_line(library, damage, pattern):
    library.save(make_record(1), make_memory(1))
    for path in library.path.glob(pattern):
        damage(path)
    with pytest.raises(LibraryError) as error:
        Library(library.path).load_many()
    assert "\n" not in str(error.value)
    assert str(library.path) in str(error.value)


def test_damage_anywhere_is_refused_or_found_by_the_health_check(library, tmp_path):
    random_ = random.Random(0)
    expected = {}
    for i in range(3):
        expected[library.save(make_record(i), make_memory(i)).id] = make_memory(i).checksum()
    files = sorted(path.relative_to(library.path) for path in library.path.rglob("*.lance"))
    copy = tmp_path / "copy"
    for _ in range(20):
        shutil.copytree(library.path, copy)
        path = copy / random_.choice([path for path in files if (library.path / path).is_file()])
        content = bytearray(path.read_bytes())
        for _ in range(3):
            content[random_.randrange(len(content))] ^= random_.randrange(1, 256)
        path.write_bytes(content)
        try:
            damaged_library = Library(copy)
            damaged = any(
                damaged_library.load(identity).checksum() != checksum
                for identity, checksum in expected.items()
            )
        except LibraryError as error:
            assert "\n" not in str(error)  # noqa: PT017
            damaged = True
        if damaged:
            assert not all(finding.ok for finding in Library(copy).health(verify=True))
        shutil.rmtree(copy)


def lose(library: Library, table: str) -> None:
    shutil.rmtree(library.path / f"{table}.lance")


def spoil(library: Library, table: str) -> None:
    for path in (library.path / f"{table}.lance" / "data").iterdir():
        _zero(path)


@pytest.mark.parametrize("table", ["entries_16", "exemplars_16", "clusterings"])
def test_lost_rows_are_noticed_and_saving_again_makes_the_video_whole(library, table):
    saved = library.save(make_record(1), make_memory(1))
    other = library.save(make_record(2), make_memory(2, dimension=24))
    assert library.holds(saved.id)
    lose(library, table)
    assert not library.holds(saved.id)
    assert library.holds(other.id) == (table != "clusterings")
    library.save(make_record(1, 1), make_memory(1, 1))
    assert library.holds(saved.id)
    assert_same(library.load(saved.id), make_memory(1, 1))


def test_a_video_without_clustering_or_entries_is_held(library):
    bare = replace(make_memory(1, entries=0), clusterings=())
    assert library.holds(library.save(make_record(1), bare).id)
    with pytest.raises(LibraryError, match="no video"):
        library.holds("nothing")


def test_a_video_that_is_replaced_meanwhile_is_held(library, monkeypatch):
    saved = library.save(make_record(1, 0), make_memory(1, 0))
    rival, count = Library(library.path), Tables.count
    overtaken = []

    def count_late(tables: Tables, name: str, where: str) -> int:
        if not overtaken:
            overtaken.append(name)
            rival.save(make_record(1, 1), make_memory(1, 1))
        return count(tables, name, where)

    monkeypatch.setattr(Tables, "count", count_late)
    assert library.holds(saved.id)
    assert overtaken


def test_the_error_of_a_damaged_video_is_about_that_video(library):
    saved = library.save(make_record(1), make_memory(1))
    lose(library, "entries_16")
    with pytest.raises(LibraryError) as error:
        library.load(saved.id)
    remedy = f"`semantic-video remove {saved.id}`, then `semantic-video index {saved.path}`"
    assert str(error.value).endswith(f"index it again: {remedy}")
    assert "delete" not in str(error.value)
    (damage,) = (finding for finding in library.health() if not finding.ok)
    assert (damage.what, damage.state) == (f"video {saved.id}", str(error.value))
    library.remove(saved.id)
    library.save(make_record(1), make_memory(1))
    assert all(finding.ok for finding in library.health(verify=True))


@pytest.mark.parametrize("damage", [lose, spoil])
def test_the_videos_that_can_be_read_are_loaded(library, damage):
    """Whether a table is gone or cannot be read, those that lie in others come."""
    broken = [library.save(make_record(i), make_memory(i)) for i in range(2)]
    whole = library.save(make_record(2), make_memory(2, dimension=24))
    damage(library, "entries_16")
    errors: dict[str, LibraryError] = {}
    loaded = library.load_many(on_error=lambda record, error: errors.update({record.id: error}))
    assert list(loaded) == [whole.id]
    assert_same(loaded[whole.id], make_memory(2, dimension=24), thumbnails=False)
    assert sorted(errors) == sorted(record.id for record in broken)
    with pytest.raises(LibraryError):
        library.load_many()
    assert list(library.load_many([whole.id])) == [whole.id]


def test_a_table_that_cannot_be_read_is_one_finding(library):
    for video in range(3):
        library.save(make_record(video), make_memory(video))
    for path in (library.path / "entries_16.lance" / "_versions").iterdir():
        _zero(path)
    (damage,) = (finding for finding in library.health() if not finding.ok)
    assert "table entries_16" in damage.state
    assert damage.advice == ""


def test_two_videos_with_one_path_are_a_finding(library):
    """As versions before left them, where a film took the place of another."""
    records = [library.save(make_record(i), make_memory(i)) for i in range(2)]
    rivals = [replace(record, path="/films/0.mp4") for record in records]
    Tables(library.path).upsert("videos", ["id"], video_rows(rivals))
    (double,) = (finding for finding in library.health() if not finding.ok)
    assert all(record.id in f"{double.what} {double.state}" for record in records)
    assert "`semantic-video remove`" in double.advice
    library.remove(records[1].id)
    assert all(finding.ok for finding in library.health())


def test_old_generations_never_come_back(library):
    for version in range(4):
        library.save(make_record(1, version), make_memory(1, version))
        library.maintain(keep_versions=timedelta(0))
        assert rows_in(library, "entries_16") == len(make_memory(1, version).entry_weights)
        assert assert_whole(library) == 1
