"""What goes into a library comes out of it, and films are recognised."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst

from semantic_video.errors import LibraryError, VideoError
from semantic_video.library import (
    ClusteringRecord,
    Library,
    StoredMemory,
    VideoRecord,
    fingerprint,
)
from semantic_video.records import SceneSpan
from tests.library_cases import (
    assert_same,
    assert_same_clustering,
    make_clustering,
    make_memory,
    make_record,
)


@pytest.fixture
def library(tmp_path: Path) -> Library:
    return Library(tmp_path / "library", create=True)


def film(path: Path, content: bytes = b"a film") -> VideoRecord:
    """A file and the record that indexing it would begin with."""
    path.parent.mkdir(exist_ok=True)
    path.write_bytes(content)
    status = path.stat()
    return VideoRecord(
        path=str(path),
        name=path.name,
        size=status.st_size,
        mtime_ns=status.st_mtime_ns,
        fingerprint=fingerprint(path),
    )


# Round trips


def arrays(dtype, shape):
    """Arrays of any bits: also NaNs with a payload and negative zeros."""
    bits = npst.arrays(np.dtype(f"u{np.dtype(dtype).itemsize}"), shape)
    return bits.map(lambda array: array.view(dtype))


finite = st.floats(allow_nan=False)
spans = st.builds(SceneSpan, st.integers(0, 2**31 - 1), finite, finite)
# File names on Linux may hold bytes that are no text; Python shows them as lone surrogates.
text = st.text(max_size=8) | st.just("\udcff.mp4")
json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | text,
    lambda inner: st.dictionaries(text, inner, max_size=3),
    max_leaves=4,
)


@st.composite
def memories(draw) -> StoredMemory:
    entries = draw(st.integers(0, 4))
    exemplars = draw(st.integers(0, 6)) if entries else 0
    dimension = draw(st.sampled_from([1, 3, 8]))
    owners = draw(
        st.lists(st.integers(0, max(0, entries - 1)), min_size=exemplars, max_size=exemplars)
    )
    names = draw(st.lists(text, max_size=3).map(tuple))
    clusterings = [
        ClusteringRecord(
            id=identity,
            method=draw(text),
            num_clusters=draw(st.just("auto") | st.integers(1, 9)),
            seed=draw(st.integers(0, 2**63)),
            assignments=draw(npst.arrays(np.int32, entries)),
            names=names,
            reason=draw(text),
            corrections=tuple(draw(st.lists(st.dictionaries(text, json_values), max_size=2))),
            active=identity == "a",
        )
        for identity in draw(st.sets(st.sampled_from("abc")))
    ]
    own_spans = st.lists(spans, max_size=3).map(tuple)
    return StoredMemory(
        entry_vectors=draw(arrays(np.float16, (entries, dimension))),
        entry_weights=draw(arrays(np.float32, entries)),
        entry_spans=tuple(draw(own_spans) for _ in range(entries)),
        exemplar_vectors=draw(arrays(np.float16, (exemplars, dimension))),
        exemplar_times=draw(arrays(np.float64, exemplars)),
        exemplar_entries=np.array(sorted(owners), dtype=np.int32),
        clusterings=tuple(clusterings),
        thumbnails=draw(st.dictionaries(finite, st.binary(max_size=20), max_size=3)),
    )


records = st.builds(
    VideoRecord,
    path=text,
    name=text,
    size=st.integers(0, 2**63),
    mtime_ns=st.integers(0, 2**63),
    fingerprint=st.binary(min_size=16, max_size=16).map(bytes.hex),
    duration_s=finite,
    average_fps=st.none() | finite,
    recorded_at=st.none() | text,
    info=st.dictionaries(text, json_values, max_size=3),
    stages=st.dictionaries(text, text, max_size=3),
    notes=st.lists(text, max_size=3).map(tuple),
)


@pytest.fixture(scope="module")
def shared_library(tmp_path_factory) -> Library:
    return Library(tmp_path_factory.mktemp("shared") / "library", create=True)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(record=records, memory=memories())
def test_what_was_saved_comes_back_bit_for_bit(shared_library, record, memory):
    saved = shared_library.save(record, memory)
    assert_same(shared_library.load(saved.id), memory)
    assert_same(shared_library.load_many()[saved.id], memory, thumbnails=False)
    assert shared_library.thumbnails(saved.id) == memory.thumbnails
    (stored,) = (other for other in shared_library.videos() if other.id == saved.id)
    assert stored == saved
    assert (saved.entries, saved.exemplars) == (
        len(memory.entry_vectors),
        len(memory.exemplar_times),
    )
    unchanged = ("path", "name", "size", "mtime_ns", "fingerprint", "info", "stages", "notes")
    assert all(getattr(saved, name) == getattr(record, name) for name in unchanged)


def test_videos_with_vectors_of_different_length_live_together(library):
    small = library.save(make_record(1), make_memory(1, dimension=8))
    large = library.save(make_record(2), make_memory(2, dimension=24))
    loaded = library.load_many()
    assert_same(loaded[small.id], make_memory(1, dimension=8), thumbnails=False)
    assert_same(loaded[large.id], make_memory(2, dimension=24), thumbnails=False)


def test_many_videos_load_together_and_one_by_one(library):
    saved = [library.save(make_record(i, i), make_memory(i, i)) for i in range(30)]
    wanted = [record.id for record in saved[3:7]]
    assert list(library.load_many(wanted)) == wanted
    for loaded in (library.load_many(), library.load_many([record.id for record in saved])):
        assert len(loaded) == 30
        for i, record in enumerate(saved):
            assert_same(loaded[record.id], make_memory(i, i), thumbnails=False)
    assert library.load_many([]) == {}


def test_arrays_of_another_type_are_refused():
    memory = make_memory(1)
    with pytest.raises(ValueError, match="entry_vectors must be float16"):
        StoredMemory(
            entry_vectors=memory.entry_vectors.astype(np.float32),
            entry_weights=memory.entry_weights,
            entry_spans=memory.entry_spans,
            exemplar_vectors=memory.exemplar_vectors,
            exemplar_times=memory.exemplar_times,
            exemplar_entries=memory.exemplar_entries,
        )


# Changes


def test_saving_again_replaces_the_whole_video(library):
    first = library.save(make_record(1, 0), make_memory(1, 0))
    second = library.save(make_record(1, 1), make_memory(1, 1))
    assert second.id == first.id
    assert second.generation > first.generation
    assert library.videos() == [second]
    assert_same(library.load(first.id), make_memory(1, 1))


def test_changed_content_at_a_path_keeps_its_id(library, tmp_path):
    path = tmp_path / "films" / "a.mp4"
    first = library.save(film(path, b"one"), make_memory(1))
    second = library.save(film(path, b"two"), make_memory(1, 1))
    assert second.id == first.id
    assert library.videos() == [second]


def test_ids_stay_short_and_differ_even_where_fingerprints_begin_alike(library):
    alike = [
        VideoRecord(path=f"/{i}", name="", size=0, mtime_ns=0, fingerprint="ab" * 5 + f"{i:022}")
        for i in range(3)
    ]
    ids = [library.save(record, make_memory(i)).id for i, record in enumerate(alike)]
    assert len(set(ids)) == 3
    assert len(ids[0]) == 8


def test_a_clustering_is_added_beside_the_active_one(library):
    saved = library.save(make_record(1), make_memory(1))
    extra = make_clustering("x", saved.entries, clusters=7, seed=9)
    after = library.save_clustering(saved.id, extra)
    assert after == saved
    loaded = library.load(saved.id)
    assert loaded.active_clustering.id == "k"
    assert_same_clustering({c.id: c for c in loaded.clusterings}["x"], extra)


def test_a_clustering_becomes_active_and_is_replaced_by_its_id(library):
    saved = library.save(make_record(1), make_memory(1))
    library.save_clustering(saved.id, make_clustering("x", saved.entries, clusters=7, seed=9))
    other = make_clustering("x", saved.entries, clusters=5, seed=10, active=True)
    after = library.save_clustering(saved.id, other, make_active=True)
    assert (after.active_clustering, after.clusters) == ("x", 5)
    assert library.videos() == [after]
    loaded = library.load(saved.id)
    assert_same_clustering(loaded.active_clustering, other)
    assert sorted(c.id for c in loaded.clusterings) == ["k", "s", "x"]


def test_a_clustering_of_a_replaced_memory_is_refused(library):
    old = library.save(make_record(1), make_memory(1))
    library.save(make_record(1), make_memory(1))
    with pytest.raises(LibraryError, match="indexed again meanwhile"):
        library.save_clustering(
            old.id, make_clustering("x", old.entries), generation=old.generation
        )
    with pytest.raises(LibraryError, match="indexed again meanwhile"):
        library.update(old)


def test_removed_videos_are_gone(library):
    kept, gone = (library.save(make_record(i), make_memory(i)) for i in range(2))
    library.remove(gone.id)
    assert library.videos() == [kept]
    assert list(library.load_many()) == [kept.id]
    for forgotten in (library.load, library.remove, library.thumbnails):
        with pytest.raises(LibraryError, match="no video"):
            forgotten(gone.id)
    # A reader that still knows the old record must not take new rows for its own.
    assert library.save(make_record(3), make_memory(3)).generation > gone.generation


def test_a_moved_film_is_relocated(library, tmp_path):
    old, new = tmp_path / "films" / "a.mp4", tmp_path / "films" / "b.mp4"
    saved = library.save(film(old), make_memory(1))
    old.rename(new)
    library.relocate(saved.id, new)
    (record,) = library.videos()
    assert (record.path, record.name) == (str(new), "b.mp4")
    assert library.find(new) == (record, "same")
    assert_same(library.load(saved.id), make_memory(1))


def test_a_film_that_took_the_place_of_another_replaces_it(library, tmp_path):
    old, new = tmp_path / "films" / "b.mp4", tmp_path / "films" / "a.mp4"
    moved = library.save(film(old, b"one"), make_memory(1))
    replaced = library.save(film(new, b"two"), make_memory(2))
    elsewhere = library.save(film(tmp_path / "films" / "c.mp4", b"three"), make_memory(3))
    old.replace(new)
    assert library.find(new) == (moved, "moved")
    after = library.relocate(moved.id, new)
    assert library.videos() == [after, elsewhere]
    assert library.resolve(str(new)) == after
    assert sorted(library.load_many()) == sorted([moved.id, elsewhere.id])
    with pytest.raises(LibraryError, match="no video"):
        library.load(replaced.id)


def test_a_video_saved_at_the_place_of_another_replaces_it(library, tmp_path):
    first, second = tmp_path / "films" / "a.mp4", tmp_path / "films" / "b.mp4"
    known = library.save(film(first, b"one"), make_memory(1))
    library.save(film(second, b"two"), make_memory(2))
    os.replace(first, second)
    after = library.save(film(second, b"one"), make_memory(1, 1))
    assert after.id == known.id
    assert library.videos() == [after]
    assert_same(library.load(after.id), make_memory(1, 1))


def test_what_was_replaced_is_freed_in_the_end(library):
    library.save(make_record(1), make_memory(1))
    library.maintain(keep_versions=timedelta(0))
    once = library.size_bytes()
    for version in range(40):
        library.save(make_record(1, version * 5), make_memory(1, version * 5))
    library.save(make_record(2), make_memory(2))
    library.remove(library.resolve("2.mp4").id)
    assert library.size_bytes() > 10 * once
    library.maintain(keep_versions=timedelta(0))
    assert library.size_bytes() < 1.5 * once
    assert_same(library.load(library.videos()[0].id), make_memory(1, 39 * 5))


def test_the_number_of_files_stays_small_without_anyone_tidying(library):
    import lance

    for i in range(60):
        library.save(make_record(i), make_memory(i))
    for table in library.path.glob("*.lance"):
        assert len(lance.dataset(str(table)).get_fragments()) < 25


def test_a_version_is_kept_for_its_readers_until_it_was_replaced_long_ago(library, monkeypatch):
    import lance

    for i in range(30):
        library.save(make_record(i), make_memory(i))
    uri = str(library.path / "entries_16.lance")
    in_use = lance.dataset(uri)
    rows = in_use.count_rows()
    replaced_s = time.time()
    for i in range(30):
        library.save(make_record(i, 1), make_memory(i, 1))

    monkeypatch.setattr(time, "time", lambda: replaced_s + 599)
    library.maintain()
    assert in_use.to_table().num_rows == rows

    monkeypatch.setattr(time, "time", lambda: replaced_s + 6000)
    library.maintain()
    assert len(lance.dataset(uri).versions()) == 1


# Opening


def test_a_missing_library_says_how_to_make_one(tmp_path):
    with pytest.raises(
        LibraryError, match=r"no library at .*: make one with `semantic-video index"
    ):
        Library(tmp_path / "none")
    assert not (tmp_path / "none").exists()


def test_a_folder_with_other_things_does_not_become_a_library(tmp_path):
    (tmp_path / "holiday.jpg").write_bytes(b"")
    with pytest.raises(LibraryError, match=r"holds other things \(holiday.jpg\)"):
        Library(tmp_path, create=True)
    assert [path.name for path in tmp_path.iterdir()] == ["holiday.jpg"]


def test_a_url_is_refused(tmp_path):
    with pytest.raises(LibraryError, match="local directory"):
        Library("s3://bucket/library", create=True)


def test_a_newer_library_is_refused(library):
    manifest = library.path / "library.json"
    facts = json.loads(manifest.read_text(encoding="utf-8"))
    manifest.write_text(json.dumps(facts | {"format_version": 2}), encoding="utf-8")
    with pytest.raises(LibraryError, match=r"newer semantic-video .*upgrade"):
        Library(library.path)


def test_what_a_later_version_adds_does_not_hinder_this_one(library):
    import lance
    import pyarrow as pa

    saved = library.save(make_record(1), make_memory(1))
    for table in library.path.glob("*.lance"):
        lance.dataset(str(table)).add_columns(pa.schema([pa.field("later", pa.string())]))
    lines = pa.table({"text": ["spoken words"]})
    lance.write_dataset(lines, str(library.path / "sounds.lance"))
    facts = saved.as_dict() | {"later": True}
    assert VideoRecord.from_dict(facts) == saved
    earlier = saved.as_dict() | {"content_hash": "", "refined": 1.0}
    assert VideoRecord.from_dict(earlier) == saved

    library.save_clustering(saved.id, make_clustering("x", saved.entries), make_active=True)
    library.save(make_record(2), make_memory(2))
    another = library.save(make_record(3), make_memory(3))
    library.update(replace(another, path="/films/2.mp4"))
    library.save(make_record(1, 1), make_memory(1, 1))
    library.maintain(keep_versions=timedelta(0))
    assert [record.id for record in library.videos()] == [saved.id, another.id]
    assert_same(library.load(saved.id), make_memory(1, 1))
    assert lance.dataset(str(library.path / "sounds.lance")).to_table() == lines
    assert all(finding.ok for finding in library.health(verify=True))


# Windows allows neither ? nor * in a name.
@pytest.mark.parametrize(
    "name",
    ["with space", "quote's", "ünï 🎬", "per%20cent", "ha#sh", "[x]"]
    + (["a?b=1", "*"] if os.name == "posix" else []),
)
def test_any_directory_name_will_do(tmp_path, name):
    saved = Library(tmp_path / name, create=True).save(make_record(1), make_memory(1))
    assert_same(Library(tmp_path / name).load(saved.id), make_memory(1))
    assert [path.name for path in tmp_path.iterdir()] == [name]


def test_the_directory_can_be_moved_as_a_whole(library, tmp_path):
    saved = library.save(make_record(1), make_memory(1))
    library.path.rename(tmp_path / "elsewhere")
    assert_same(Library(tmp_path / "elsewhere").load(saved.id), make_memory(1))


def test_importing_the_library_loads_neither_lance_nor_arrow():
    code = "import sys, semantic_video.library; print({'lance', 'pyarrow'} & set(sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"


# Films


def test_find_tells_what_became_of_a_film(library, tmp_path):
    path = tmp_path / "films" / "a.mp4"
    record = library.save(film(path, b"x" * 100), make_memory(1))
    other = tmp_path / "films" / "b.mp4"

    assert library.find(path) == (record, "same")
    os.utime(path, ns=(1, 1))
    assert library.find(path) == (record, "same")

    other.write_bytes(b"y" * 100)
    assert library.find(other) == (None, "new")

    other.write_bytes(path.read_bytes())
    os.utime(path, ns=(record.mtime_ns, record.mtime_ns))
    assert library.find(other) == (record, "copied")

    path.write_bytes(b"z" * 100)
    assert library.find(path) == (record, "changed")
    assert library.find(other) == (record, "moved")

    path.unlink()
    assert library.find(other) == (record, "moved")


def test_a_fingerprint_sees_the_size_and_both_ends(tmp_path):
    path = tmp_path / "a"
    prints = set()
    for content in (b"", b"a", b"aa", bytes(3_000_000), bytes(3_000_001)):
        path.write_bytes(content)
        prints.add(fingerprint(path))
    for place in (0, -1, (3_000_000 - 65536) * 8 // 15):
        content = bytearray(3_000_000)
        content[place] = 1
        path.write_bytes(content)
        prints.add(fingerprint(path))
    assert len(prints) == 8


def test_a_fingerprint_does_not_read_the_whole_file(tmp_path):
    path = tmp_path / "huge"
    with path.open("wb") as file:
        try:
            file.truncate(1 << 42)
        except OSError:
            pytest.skip("no sparse file of 4 TB on this file system")
    assert len(fingerprint(path)) == 32


def test_an_unreadable_film_is_an_error_about_the_film(tmp_path):
    with pytest.raises(VideoError, match="cannot read"):
        fingerprint(tmp_path / "none.mp4")


def test_resolve_takes_paths_names_ids_and_renamed_films(library, tmp_path, monkeypatch):
    path = tmp_path / "films" / "Ferien in Köln.mp4"
    record = library.save(film(path), make_memory(1))
    library.save(film(tmp_path / "films" / "b.mp4", b"another"), make_memory(2))
    decomposed = "Ferien in Ko\u0308ln.mp4"
    for text in (path, str(path), path.name, decomposed, record.id, record.id[:4]):
        assert library.resolve(text) == record
    monkeypatch.chdir(tmp_path)
    assert library.resolve(Path("films") / path.name) == record

    renamed = path.rename(tmp_path / "renamed.mp4")
    for text in (path, path.name, renamed, "renamed.mp4"):
        assert library.resolve(text) == record
    renamed.unlink()
    assert library.resolve(path) == record


def test_resolve_takes_the_file_name_in_an_address(library):
    def watched(number: int, address: str) -> VideoRecord:
        record = replace(make_record(number), path=address, name=address)
        return library.save(record, make_memory(number))

    record = watched(1, "rtsp://camera.local:554/yard/live.ts?channel=2")
    assert library.resolve("live.ts") == record
    with pytest.raises(LibraryError, match=r"did you mean live\.ts"):
        library.resolve("lve.ts")
    watched(2, "http://gate.local/live.ts")
    with pytest.raises(LibraryError, match="means several videos"):
        library.resolve("live.ts")
    for text in ("", "yard"):
        with pytest.raises(LibraryError):
            library.resolve(text)


def test_resolve_names_the_candidates_of_an_ambiguous_name(library, tmp_path):
    one = library.save(film(tmp_path / "one" / "a.mp4", b"1"), make_memory(1))
    two = library.save(film(tmp_path / "two" / "a.mp4", b"2"), make_memory(2))
    with pytest.raises(LibraryError, match="several videos") as error:
        library.resolve("a.mp4")
    for record in (one, two):
        assert record.id in str(error.value)
        assert record.path in str(error.value)
        assert library.resolve(record.path) == record


def test_resolve_names_the_nearest_of_an_unknown_name(library, tmp_path):
    with pytest.raises(LibraryError, match="library is empty"):
        library.resolve("a.mp4")
    library.save(film(tmp_path / "holiday.mp4"), make_memory(1))
    with pytest.raises(LibraryError, match=r"did you mean holiday\.mp4"):
        library.resolve("holidy.mp4")
    with pytest.raises(LibraryError, match="`semantic-video list`"):
        library.resolve("zzz")


# Cache


def test_an_array_is_made_once_for_each_key(library):
    made = []

    def make() -> np.ndarray:
        made.append(1)
        return np.arange(12, dtype=np.float16).reshape(3, 4)

    for key in ("a", "a", "b/ü", "b/ü"):
        array = library.cached_array("vocabulary", key, make)
        np.testing.assert_array_equal(array, np.arange(12).reshape(3, 4))
        assert array.dtype == np.float16
    assert len(made) == 2


@pytest.mark.parametrize(
    "damage", [lambda b: b[:-9], lambda b: b"", lambda b: b[:99] + b"?" + b[100:]]
)
def test_a_damaged_cache_is_made_again(library, damage):
    expected = np.arange(100.0)
    library.cached_array("a", "key", lambda: expected)
    (path,) = (library.path / "cache").iterdir()
    whole = path.read_bytes()
    path.write_bytes(damage(whole))
    np.testing.assert_array_equal(library.cached_array("a", "key", lambda: expected), expected)
    assert path.read_bytes() == whole
