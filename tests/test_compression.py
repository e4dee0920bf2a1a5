"""A memory that keeps codes of experts in place of vectors: bytes, searches, library."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic_video import Library, SemanticVideoProcessor
from semantic_video.editing import edit_video, merge, rename, split, undo
from semantic_video.encoders import load_encoder
from semantic_video.errors import LibraryError
from semantic_video.library import ClusteringRecord, VideoRecord
from semantic_video.memory_hierarchy import MemoryHierarchy, SceneEntries
from semantic_video.memory_hierarchy import merge as merge_memories
from semantic_video.memory_hierarchy.report import report_on
from semantic_video.moe_experts import CodedEntries, ExpertCoder, TrainedExperts
from semantic_video.moe_experts.codec import unit_rows
from semantic_video.records import Scope, Span
from semantic_video.scene_retrieval import Packed, SceneRetriever
from semantic_video.semantic_clustering import SemanticClustering
from semantic_video.stored_memory import (
    clustering_record,
    entries_from_stored,
    memory_facts,
    memory_from_stored,
    stored_from_memory,
)
from tests.media import Shot, render, write_video
from tests.test_scene_retrieval import OPTIONS

DIMENSION = 32
SIZE = 8


def film(
    seed: int = 0, scenes: int = 60, dimension: int = DIMENSION, kinds: int = 6
) -> SceneEntries:
    """Subjects that return, in few dimensions, three frames a scene."""
    rng = np.random.default_rng(seed)
    plane = rng.standard_normal((10, dimension))
    subjects = rng.standard_normal((kinds, 10))
    spans = [Span(6.0 * i, 6.0 * i + 6) for i in range(scenes)]
    frames = []
    for i in range(scenes):
        own = subjects[i % kinds] + 0.5 * rng.standard_normal(10)
        rows = (own + 0.2 * rng.standard_normal((3, 10))) @ plane
        frames.append(unit_rows(rows + 0.05 * rng.standard_normal(rows.shape)))
    times = [np.array([span.start_s + 1, span.start_s + 3, span.start_s + 5]) for span in spans]
    return SceneEntries.from_scenes(spans, times, frames)


def texts(dimension: int = DIMENSION) -> np.ndarray:
    return unit_rows(np.random.default_rng(9).standard_normal((40, dimension)))


def memory_of(entries: SceneEntries, coder: ExpertCoder | None = None, **limits) -> MemoryHierarchy:
    vectors = entries.entry_vectors.astype(np.float32)
    clustering = SemanticClustering("kmeans", min(6, len(vectors))).fit(vectors)
    names = [f"kind {i}" for i in range(clustering.size)]
    return MemoryHierarchy.build(entries, clustering, names, coder=coder, **limits)


def coded_memory(seed: int = 0, scenes: int = 60, **limits) -> MemoryHierarchy:
    entries = film(seed, scenes)
    return memory_of(entries, ExpertCoder.fit(entries, texts(), SIZE), **limits)


def keep(library: Library, memory: MemoryHierarchy, name: str = "a") -> VideoRecord:
    record = VideoRecord(
        path=f"/films/{name}.mp4",
        name=f"{name}.mp4",
        size=1,
        mtime_ns=1,
        fingerprint=name * 32,
        duration_s=600.0,
        settings={
            "memory_size": memory.memory_size,
            "exemplars": memory.exemplars,
            "spans": memory.spans,
            "max_bytes": memory.max_bytes,
            "num_clusters": 6,
        },
        memory=memory_facts(memory),
    )
    own: ClusteringRecord = replace(clustering_record("own", memory), active=True)
    return library.save(record, stored_from_memory(memory, [own], {}))


def code_bytes(memory: MemoryHierarchy) -> int:
    held = memory.entries
    assert isinstance(held, CodedEntries)
    return held.codes.nbytes + sum(a.nbytes for a in held.coder.codec.arrays().values())


@settings(max_examples=20, deadline=None)
@given(
    scenes=st.integers(1, 50),
    size=st.integers(1, 16),
    memory_size=st.integers(1, 60),
    exemplars=st.integers(1, 4),
    max_bytes=st.sampled_from([None, 30_000, 60_000]),
)
def test_a_budget_counts_codes_and_the_experts_that_read_them(
    scenes: int, size: int, memory_size: int, exemplars: int, max_bytes: int | None
) -> None:
    entries = film(scenes, scenes)
    coder = ExpertCoder.fit(entries, texts(), size)
    memory = memory_of(
        entries, coder, memory_size=memory_size, exemplars=exemplars, max_bytes=max_bytes
    )
    tier = memory.tiers()[1]
    held = memory.entries
    others = len(held) * 8 + len(held.exemplar_times) * 12
    others += sum(map(len, held.entry_spans)) * 20 + len(memory.returns) * 24
    assert tier.bytes == code_bytes(memory) + others
    assert tier.bytes <= tier.budget_bytes
    if max_bytes is not None:
        assert sum(each.bytes for each in memory.tiers()) <= max_bytes
    said = report_on(memory).codes
    assert said is not None
    assert said.bytes == code_bytes(memory)
    assert said.vectors == len(held) + len(held.exemplar_times)


def test_codes_hold_more_within_the_same_bytes() -> None:
    entries = film(scenes=400)
    coder = ExpertCoder.fit(entries, texts(), SIZE)
    assert coder.pays(entries) == (True, coder.size.coder // (2 * DIMENSION - SIZE - 1) + 1)
    plain = memory_of(entries, max_bytes=30_000)
    coded = memory_of(entries, coder, max_bytes=30_000)
    assert len(coded) > 1.2 * len(plain)
    few = film(scenes=3)
    assert not ExpertCoder.fit(few, texts(), SIZE).pays(few)[0]
    assert not coder.pays(entries, max_bytes=1_000)[0]


def test_a_library_gives_codes_back_bit_for_bit_and_answers_the_same(tmp_path: Path) -> None:
    memory = coded_memory(memory_size=40)
    library = Library(tmp_path / "library", create=True)
    record = keep(library, memory)
    assert (record.code_bytes, record.dimension) == (SIZE, DIMENSION)
    stored = Library(tmp_path / "library").load(record.id)
    assert stored.checksum() == record.checksum
    assert stored.entry_vectors.dtype == np.uint8
    again = memory_from_stored(stored, record)
    assert again.tiers() == memory.tiers()
    for name in ("entry_vectors", "exemplar_vectors", "exemplar_times", "entry_weights"):
        ours, theirs = getattr(memory.entries, name), getattr(again.entries, name)
        assert ours.tobytes() == theirs.tobytes()
    queries = unit_rows(np.random.default_rng(3).standard_normal((5, DIMENSION)))
    for query in queries:
        one, other = (SceneRetriever([("a", held)], OPTIONS) for held in (memory, again))
        assert list(one.search(query)) == list(other.search(query))
    assert library.health(verify=True)[1].ok


def test_frames_are_scored_from_codes_as_they_are_decoded() -> None:
    first = coded_memory(0)
    coder = first.entries.coder
    shared = memory_of(film(1), coder)  # type: ignore[arg-type]
    films = [
        ("plain", memory_of(film(2))),
        ("first", first),
        ("shared", shared),
        ("own", coded_memory(3)),
        ("last", memory_of(film(4))),
    ]
    from_codes = SceneRetriever(films, OPTIONS)
    decoded = SceneRetriever(films, OPTIONS, codes=False)
    packed = SceneRetriever.of_packed(
        [name for name, _ in films], Packed.from_arrays(from_codes.packed().arrays()), OPTIONS
    )
    rng = np.random.default_rng(5)
    for query in unit_rows(rng.standard_normal((6, DIMENSION))):
        ours, theirs = from_codes.scenes(query), decoded.scenes(query)
        assert [m.start_s for m in ours] == [m.start_s for m in theirs]
        assert [m.score for m in ours] == pytest.approx([m.score for m in theirs], abs=2e-3)
        for moment in ours:
            assert ("codes" in moment.signals) == (moment.video in ("first", "shared", "own"))
        assert not any("codes" in moment.signals for moment in theirs)
        assert packed.candidates(query) == from_codes.candidates(query)
        scope = {"own": Scope(10.0, 200.0)}
        found = from_codes.search(query, scope=scope)
        assert list(packed.search(query, scope=scope)) == list(found)


def test_what_is_scored_from_codes_is_never_decoded() -> None:
    memory = coded_memory()
    SceneRetriever([("a", memory)], OPTIONS).search(texts()[0])
    assert "exemplar_vectors" not in vars(memory.entries)


def test_a_coded_memory_is_grouped_cut_and_merged_like_any_other() -> None:
    memory = coded_memory()
    vectors = memory.vectors.astype(np.float32)
    clustering = SemanticClustering("agglomerative", 4).fit(vectors)
    again = memory.recluster(clustering, [f"group {i}" for i in range(clustering.size)])
    assert again.entries is memory.entries
    smaller = memory.consolidate(20)
    assert len(smaller) == 20
    assert smaller.entries.coder is memory.entries.coder
    assert smaller.entries.codes.nbytes < memory.entries.codes.nbytes  # type: ignore[attr-defined]
    likeness = np.einsum("nd,nd->n", smaller.vectors.astype(np.float32), unit_rows(smaller.vectors))
    assert np.allclose(likeness, 1, atol=1e-2)
    both = merge_memories(memory, coded_memory(1), offset_s=1000.0)
    assert len(both) == 2 * len(memory)
    assert both.entries.coder is None  # two codecs are no codec: what was decoded is kept
    assert memory.consolidate(1000).entries is memory.entries


def test_corrections_by_hand_work_on_codes(tmp_path: Path) -> None:
    library = Library(tmp_path / "library", create=True)
    record = keep(library, coded_memory())
    before = library.load(record.id)
    vectors = entries_from_stored(before)
    for change in (rename(0, "the first"), merge(0, 1), split(2), undo):
        record, memory = edit_video(library, record, change)
        assert isinstance(memory.entries, CodedEntries)
        now = entries_from_stored(library.load(record.id))
        assert np.array_equal(now.entry_vectors, vectors.entry_vectors)
        assert np.array_equal(now.exemplar_vectors, vectors.exemplar_vectors)
    assert "the first" in memory.names
    assert library.load(record.id).checksum() == before.checksum()


def test_weights_are_stored_once_and_go_with_the_last_that_needs_them(tmp_path: Path) -> None:
    library = Library(tmp_path / "library", create=True)
    coder = coded_memory().entries.coder
    records = [
        keep(library, memory_of(film(seed), coder), name)  # type: ignore[arg-type]
        for seed, name in enumerate("abc")
    ]
    assert len({record.coder for record in records}) == 1
    for record in records[:2]:
        library.save_experts(record.id, "own", b"trained together", record.generation)
    weights = library._tables.read("weights", ["id"])
    assert weights.num_rows == 2
    library.remove(records[0].id)
    assert library.experts([records[1].id]) == {records[1].id: b"trained together"}
    library.remove(records[1].id)
    assert library._tables.read("weights", ["id"]).num_rows == 1
    assert library.holds(records[2].id)
    library._tables.delete("weights", "true")
    assert not library.holds(records[2].id)
    with pytest.raises(Exception, match="index it again"):
        library.load(records[2].id)


# The command line, on a film whose memory was replaced by a larger one


def indexed(folder: Path, scenes: int) -> tuple[Library, Path]:
    encoder = load_encoder("lite")
    path = write_video(folder / "film.mp4", render([Shot(seed, 1.0) for seed in (1, 2, 1)]))
    library = Library(folder / "library", create=True)
    processor = SemanticVideoProcessor(path, num_clusters=3, library=library)
    record = processor.index().record
    stored = library.load(record.id)
    memory = memory_of(film(scenes=scenes, dimension=encoder.dimension))
    own = replace(clustering_record(record.active_clustering, memory), active=True)
    library.save(record, stored_from_memory(memory, [own], stored.thumbnails))
    return library, path


@pytest.fixture
def shelf(tmp_path: Path) -> tuple[Library, Path]:
    return indexed(tmp_path, 500)


def run(library: Library, *words: str) -> str:
    command = [sys.executable, "-m", "semantic_video", *words, "--library", str(library.path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_command_line_keeps_codes_and_says_so(shelf: tuple[Library, Path]) -> None:
    library, path = shelf
    plain = json.loads(run(library, "memory", str(path), "--json"))
    assert plain["codes"] is None
    record = library.videos()[0]
    trained = TrainedExperts(facts={"seed": 3}).to_bytes()
    library.save_experts(record.id, record.active_clustering, trained, record.generation)
    told = json.loads(run(library, "index", str(path), "--compression", "experts", "--json"))
    assert told[0]["done"] == ["memory", "clusters"]  # the film is not watched again
    record = library.videos()[0]
    assert record.code_bytes == 48
    assert library.experts([record.id]) == {record.id: trained}
    coded = json.loads(run(library, "memory", str(path), "--json"))
    assert coded["codes"]["bytes_per_vector"] == 48
    assert coded["codes"]["vectors"] == 2000
    assert coded["tiers"][1]["bytes"] < 0.5 * plain["tiers"][1]["bytes"]
    assert "2000 vectors kept as codes of 48 bytes" in run(library, "memory", str(path))
    again = json.loads(run(library, "index", str(path), "--json"))
    assert again[0]["done"] == []  # stays as it was asked for
    assert json.loads(run(library, "index", str(path), "--num-clusters", "4", "--json"))[0][
        "done"
    ] == ["clusters"]
    moments = json.loads(run(library, "search", "a dog", "--json"))["moments"]
    assert all("codes" in moment["signals"] for moment in moments)
    plain_moments = json.loads(run(library, "search", "a dog", "--json", "--no-experts"))["moments"]
    assert all("codes" not in moment["signals"] for moment in plain_moments)
    assert [m["score"] for m in moments] == pytest.approx(
        [m["score"] for m in plain_moments], abs=2e-3
    )
    back = json.loads(run(library, "index", str(path), "--compression", "none", "--json"))
    assert back[0]["done"][0] == "vectors"  # codes cannot give back what they left out
    assert library.videos()[0].code_bytes == 0


def test_a_search_of_codes_needs_no_torch(shelf: tuple[Library, Path]) -> None:
    library, path = shelf
    run(library, "index", str(path), "--compression", "experts", "--quiet")
    code = (
        "import sys\n"
        "from semantic_video.config import load_config\n"
        "from semantic_video.search import Searcher\n"
        f"config = load_config().override({{'library': {str(library.path)!r}}}, source='a test')\n"
        "answer = Searcher(config).by_texts(['a dog'])[0]\n"
        "print('codes' in answer[0].signals, *sorted({'torch', 'sklearn'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["True"]


def test_a_processor_keeps_codes_for_itself_where_the_library_keeps_vectors(
    shelf: tuple[Library, Path],
) -> None:
    library, path = shelf
    processor = SemanticVideoProcessor(path, num_clusters=3, compression="experts", library=library)
    memory = processor.build_semantic_memory()
    assert isinstance(memory.entries, CodedEntries)
    moments = processor.query_semantic_memory("a dog")
    assert moments
    assert all("codes" in moment.signals for moment in moments)
    assert library.videos()[0].code_bytes == 0


def test_where_codes_do_not_pay_vectors_are_kept_and_a_line_says_so(tmp_path: Path) -> None:
    library, path = indexed(tmp_path, 5)
    notes: list[str] = []
    processor = SemanticVideoProcessor(
        path, num_clusters=3, compression="experts", library=library, note=notes.append
    )
    assert processor.index().record.code_bytes == 0
    assert any("vectors are kept, since codes pay from" in note for note in notes)
    assert processor.index().done == ()


def other_format(weights: bytes) -> bytes:
    """The same weights, of codes that are read in another way."""
    data = weights.replace(b'\\"format\\": 1', b'\\"format\\": 9')
    assert data != weights
    return data


def fewer_bytes(weights: bytes) -> bytes:
    """A sound codec, but of codes of another size."""
    entries = film()
    return TrainedExperts(codec=ExpertCoder.fit(entries, texts(), SIZE // 2).codec).to_bytes()


def fewer_experts(weights: bytes) -> bytes:
    """A sound codec, but without some of the experts that codes name."""
    entries = film()
    return TrainedExperts(codec=ExpertCoder.fit(entries, texts(), SIZE, 2).codec).to_bytes()


@pytest.mark.parametrize(
    "spoil", [other_format, fewer_bytes, fewer_experts, lambda weights: weights[:40]]
)
def test_codes_that_their_experts_cannot_read_are_one_line_and_no_scores(spoil) -> None:
    memory = coded_memory()
    stored = stored_from_memory(memory, [clustering_record("own", memory)], {})
    assert stored.codec is not None
    spoiled = replace(stored, codec=replace(stored.codec, weights=spoil(stored.codec.weights)))
    with pytest.raises(LibraryError, match="remove the film and index it again"):
        entries_from_stored(spoiled)


def test_experts_that_do_not_say_their_format_are_of_the_first() -> None:
    weights = stored_from_memory(coded_memory(), [], {}).codec.weights
    told, silent = b'{\\"format\\": 1}', b"{}".ljust(len(b'{\\"format\\": 1}'))
    assert told in weights
    first = TrainedExperts.from_bytes(weights.replace(told, silent)).codec
    assert np.array_equal(first.means, coded_memory().entries.coder.codec.means)
