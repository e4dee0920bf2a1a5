"""A large library is searched through one mapped file, and answers as it does without."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic_video.asking import Filters, Part, Request
from semantic_video.config import Config, load_config
from semantic_video.encoders import load_encoder
from semantic_video.library import Library
from semantic_video.library.packs import read_pack, write_pack
from semantic_video.records import Scope
from semantic_video.scene_retrieval import Moments, Packed, References, SceneRetriever, coarse
from semantic_video.search import Searcher
from tests import library_cases
from tests.test_scene_retrieval import DIMENSION, OPTIONS, make_memory, unit

ARRAYS = {
    "half": np.arange(12, dtype=np.float16).reshape(3, 4),
    "empty": np.zeros((0, 5), np.float32),
    "one": np.array(0.25),
    "codes": np.arange(-9, 9, dtype=np.int8),
}


def test_a_pack_holds_what_was_put_into_it(tmp_path: Path) -> None:
    write_pack(tmp_path, "search", "a", lambda: ARRAYS)
    found = read_pack(tmp_path, "search", "a")
    assert found is not None
    assert found.keys() == ARRAYS.keys()
    for name, array in ARRAYS.items():
        assert found[name].dtype == array.dtype
        assert found[name].shape == array.shape
        assert found[name].tolist() == array.tolist()
        assert not found[name].flags.writeable
    assert read_pack(tmp_path, "search", "b") is None
    assert read_pack(tmp_path / "none", "search", "a") is None
    write_pack(tmp_path, "search", "b", lambda: ARRAYS)
    assert read_pack(tmp_path, "search", "a") is None
    assert found["codes"].tolist() == ARRAYS["codes"].tolist()  # who reads the old one keeps it
    assert len(list(tmp_path.iterdir())) == 1


def test_what_cannot_be_kept_is_not_made(tmp_path: Path) -> None:
    place = tmp_path / "cache"
    place.write_text("a file where the folder should be", encoding="utf-8")
    with pytest.raises(OSError, match="exists"):
        write_pack(place, "search", "a", lambda: pytest.fail("made for nothing"))


def test_what_fails_while_it_is_made_leaves_nothing(tmp_path: Path) -> None:
    write_pack(tmp_path, "search", "a", lambda: ARRAYS)
    held = list(tmp_path.iterdir())
    with pytest.raises(MemoryError):
        write_pack(tmp_path, "search", "b", _fail)
    assert list(tmp_path.iterdir()) == held
    assert read_pack(tmp_path, "search", "a") is not None


def _fail() -> Mapping[str, np.ndarray]:
    raise MemoryError


@pytest.mark.parametrize("keep", [0, 5, 100, -1])
def test_a_pack_that_is_cut_short_counts_as_none(tmp_path: Path, keep: int) -> None:
    write_pack(tmp_path, "search", "a", lambda: ARRAYS)
    (path,) = tmp_path.iterdir()
    path.write_bytes(path.read_bytes()[:keep])
    assert read_pack(tmp_path, "search", "a") is None


def test_a_pack_with_another_header_counts_as_none(tmp_path: Path) -> None:
    write_pack(tmp_path, "search", "a", lambda: ARRAYS)
    (path,) = tmp_path.iterdir()
    content = path.read_bytes()
    path.write_bytes(content.replace(b'"shape": [3, 4]', b'"shape": [4, 4]', 1))
    assert path.read_bytes() != content
    assert read_pack(tmp_path, "search", "a") is None


def random_references(seed: int) -> References:
    random = np.random.default_rng(seed)
    return References(
        unit(random.normal(size=(32, DIMENSION))), unit(random.normal(size=(64, DIMENSION)))
    )


def pair(
    folder: Path, seed: int, scenes: int, references: References | None = None, probe: int = 1000
) -> tuple[SceneRetriever, SceneRetriever]:
    """What searches some memories, as they are and through a file."""
    memories = [(f"film {i}", make_memory(seed + i, scenes)) for i in range(6)]
    options = replace(OPTIONS, probe_scenes=probe)
    plain = SceneRetriever(memories, options, references)
    write_pack(folder, "search", str(seed), lambda: plain.packed().arrays())
    arrays = read_pack(folder, "search", str(seed))
    assert arrays is not None
    names = [name for name, _ in memories]
    packed = Packed.from_arrays(arrays)
    return plain, SceneRetriever.of_packed(names, packed, options, references)


def assert_same(one: Moments, other: Moments) -> None:
    assert (one.found, one.perhaps) == (other.found, other.perhaps)
    assert len(one) == len(other)
    for left, right in zip(one, other, strict=True):
        assert left.probability == pytest.approx(right.probability, abs=2e-4)
        assert replace(left, probability=None) == replace(right, probability=None)


@settings(max_examples=10, deadline=None)
@given(seed=st.integers(0, 10_000), scenes=st.integers(1, 30), judged=st.booleans())
def test_the_packed_search_answers_as_the_plain_one(
    tmp_path_factory: pytest.TempPathFactory, seed: int, scenes: int, judged: bool
) -> None:
    references = random_references(seed) if judged else None
    plain, packed = pair(tmp_path_factory.mktemp("pack"), seed, scenes, references)
    query = unit(np.random.default_rng(seed).normal(size=DIMENSION))
    assert_same(plain.search(query), packed.search(query))
    assert_same(plain.search(query, exact=True), packed.search(query, exact=True))
    for scope in (Scope(5.0, 20.0), {"film 2": Scope(), "film 4": Scope(0.0, 9.0)}):
        assert_same(plain.search(query, scope=scope), packed.search(query, scope=scope))
    assert plain.candidates(query) == packed.candidates(query)
    assert plain.scenes(query) == packed.scenes(query)
    assert plain.thresholds() == packed.thresholds()
    assert plain.durations.tolist() == packed.durations.tolist()
    assert plain.sample(20).tolist() == packed.sample(20).tolist()


def test_of_many_scenes_the_likeliest_are_found_by_reading_some(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(coarse, "_READ_LEAST", 0)
    monkeypatch.setattr(coarse, "_READ_SHARE", 0.4)
    plain, packed = pair(tmp_path, 0, 200, probe=30)
    random = np.random.default_rng(0)
    shared = []
    for _ in range(40):
        query = unit(random.normal(size=DIMENSION))
        best, found = (
            {(moment.video, moment.start_s, moment.score) for moment in own.search(query, k=5)}
            for own in (plain, packed)
        )
        shared.append(len(best & found) / len(best))
    assert np.mean(shared) >= 0.95


QUERIES = ["a dog on a beach", "two people talking", "a red car at night"]


@pytest.fixture
def library(tmp_path: Path) -> Library:
    library = Library(tmp_path / "library", create=True)
    encoder = load_encoder("lite")
    dimension = encoder.encode_texts(["a dog"]).shape[1]
    for video in range(8):
        memory = library_cases.make_memory(video, entries=20, dimension=dimension)
        memory = replace(
            memory,
            entry_vectors=unit(memory.entry_vectors.astype(np.float64)).astype(np.float16),
            exemplar_vectors=unit(memory.exemplar_vectors.astype(np.float64)).astype(np.float16),
            exemplar_times=np.linspace(0.1, 59, len(memory.exemplar_times)),
            clusterings=tuple(replace(own, corrections=()) for own in memory.clusterings),
        )
        record = replace(
            library_cases.make_record(video),
            settings={"memory_size": 1000, "exemplars": 8},
            model_id=encoder.model_id,
            model_fingerprint=encoder.fingerprint,
        )
        library.save(record, memory)
    return library


def config_of(library: Library, above: int) -> Config:
    values: Mapping[str, object] = {
        "library": str(library.path),
        "retrieval": {"pack_above_scenes": above},
    }
    return load_config().override(values, source="a test")


def packs(library: Library) -> list[Path]:
    return sorted((library.path / "cache").glob("*.pack"))


def ask_all(searcher: Searcher) -> list[Moments]:
    """Answers to requests that look at films in different ways."""
    film = "/films/3.mp4"
    return searcher.ask(
        [
            *(Request(text) for text in QUERIES),
            Request(QUERIES[0], exact=True),
            Request(QUERIES[0], filters=Filters(clusters=("cluster 1",))),
            Request(QUERIES[0], filters=Filters(start_s=10.0, end_s=30.0)),
            Request('"a dog" then "a cat" within 30s'),
            Request(QUERIES[1], spread=True),
            Request(parts=(Part("moment", f"{film}@12"), Part("text", "a beach", 0.5))),
        ]
    )


def test_a_large_library_is_packed_by_its_first_search(library: Library) -> None:
    small = ask_all(Searcher(config_of(library, 100_000)))
    assert packs(library) == []
    first = ask_all(Searcher(config_of(library, 10)))
    (pack,) = packs(library)
    made_at = pack.stat().st_mtime_ns
    second = ask_all(Searcher(config_of(library, 10)))
    assert [path.stat().st_mtime_ns for path in packs(library)] == [made_at]
    for one, other, third in zip(small, first, second, strict=True):
        assert len(one)
        assert_same(one, other)
        assert_same(one, third)


def test_a_packed_search_loads_no_memory(library: Library, monkeypatch: pytest.MonkeyPatch) -> None:
    Searcher(config_of(library, 10)).by_texts(QUERIES)
    loaded: list[list[str]] = []
    load_many = Library.load_many

    def counted(self: Library, ids: list[str], **more: object) -> object:
        loaded.append(ids)
        return load_many(self, ids, **more)

    monkeypatch.setattr(Library, "load_many", counted)
    searcher = Searcher(config_of(library, 10))
    searcher.by_texts(QUERIES)
    assert loaded == []
    # Themes are a matter of memories: some are loaded one by one, then all others at once.
    themed = Request(QUERIES[0], filters=Filters(themes=("0",)))
    assert_same(searcher.ask([themed])[0], Searcher(config_of(library, 1000)).ask([themed])[0])
    assert [len(ids) for ids in loaded[:5]] == [1, 1, 1, 1, 8]
    assert len(loaded) == 6


def test_a_pack_of_what_has_changed_is_not_used(library: Library) -> None:
    config = config_of(library, 10)
    Searcher(config).by_texts(QUERIES)
    (old,) = packs(library)
    record = library.resolve("3.mp4")
    active = next(own for own in library.load(record.id).clusterings if own.active)
    renamed = replace(active, names=tuple(f"renamed {name}" for name in active.names))
    library.save_clustering(record.id, renamed)
    named = Searcher(config).by_texts(QUERIES, k=200)[0]
    (new,) = packs(library)
    assert new != old
    own = [moment for moment in named if moment.video == record.path]
    assert own
    assert all(moment.cluster_name.startswith("renamed") for moment in own)
    library.remove(record.id)
    left = Searcher(config).by_texts(QUERIES, k=200)[0]
    assert record.path not in {moment.video for moment in left}
    assert packs(library) != [new]
    assert len(packs(library)) == 1


def test_a_part_of_a_library_is_not_packed(library: Library) -> None:
    Searcher(config_of(library, 10), ["3.mp4"]).by_texts(QUERIES)
    assert packs(library) == []


def test_without_a_place_for_it_nothing_is_packed(library: Library) -> None:
    cache = library.path / "cache"
    if cache.exists():
        cache.rename(library.path / "cache.old")
    cache.write_text("a file where the folder should be", encoding="utf-8")
    expected = ask_all(Searcher(config_of(library, 100_000)))
    for one, other in zip(expected, ask_all(Searcher(config_of(library, 10))), strict=True):
        assert_same(one, other)


@pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may write anywhere")
def test_a_library_that_is_only_read_is_left_alone(library: Library) -> None:
    Searcher(config_of(library, 100_000)).by_texts(QUERIES)
    held = {path: path.stat().st_mtime_ns for path in library.path.rglob("*")}
    folders = [library.path, *(path for path in held if path.is_dir())]
    for folder in folders:
        folder.chmod(0o555)
    try:
        assert Searcher(config_of(library, 10)).by_texts(QUERIES)[0]
        assert {path: path.stat().st_mtime_ns for path in library.path.rglob("*")} == held
    finally:
        for folder in folders:
            folder.chmod(0o755)
