"""Training on what a library holds, by the command line and in Python, and searching with it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from semantic_video import Library, SemanticVideoProcessor
from semantic_video.cli import run as command_line
from semantic_video.encoders import load_encoder
from semantic_video.library import VideoRecord
from semantic_video.memory_hierarchy import MemoryHierarchy, SceneEntries
from semantic_video.moe_experts import TrainedExperts, overview_of
from semantic_video.moe_experts.codec import unit_rows
from semantic_video.moe_experts.training import TrainingOptions, train_experts
from semantic_video.records import Span
from semantic_video.semantic_clustering import SemanticClustering
from semantic_video.stored_memory import clustering_record, stored_from_memory
from tests.media import Shot, render, write_video

SCENES, KINDS = 48, 6


def memory_of_kinds(dimension: int) -> MemoryHierarchy:
    """Six subjects that return eight times, far enough from their kind to gain by gathering."""
    rng = np.random.default_rng(0)
    subjects = unit_rows(rng.standard_normal((KINDS, dimension)).astype(np.float32))
    own = subjects[np.arange(SCENES) % KINDS]
    own = own + 1.2 / dimension**0.5 * rng.standard_normal(own.shape)
    frames = [
        unit_rows((row + 0.01 * rng.standard_normal((2, dimension))).astype(np.float32))
        for row in own
    ]
    spans = [Span(10.0 * i, 10.0 * i + 10) for i in range(SCENES)]
    times = [np.array([span.start_s + 2, span.start_s + 6]) for span in spans]
    entries = SceneEntries.from_scenes(spans, times, frames)
    vectors = entries.entry_vectors.astype(np.float32)
    clustering = SemanticClustering("kmeans", KINDS).fit(vectors)
    return MemoryHierarchy.build(entries, clustering, [f"kind {i}" for i in range(KINDS)])


@pytest.fixture
def shelf(tmp_path: Path) -> Library:
    """A library with one film indexed by the built-in model."""
    encoder = load_encoder("lite")
    library = Library(tmp_path / "library", create=True)
    memory = memory_of_kinds(encoder.dimension)
    record = VideoRecord(
        path="/films/kinds.mp4",
        name="kinds.mp4",
        size=1,
        mtime_ns=1,
        fingerprint="f" * 32,
        duration_s=10.0 * SCENES,
        model_id=encoder.model_id,
        model_fingerprint=encoder.fingerprint,
        settings={"memory_size": 1000, "exemplars": 8, "num_clusters": KINDS},
    )
    clustering = replace(clustering_record("kinds", memory), active=True)
    library.save(record, stored_from_memory(memory, [clustering], {}))
    return library


def run(library: Library, *words: str, expected: int = 0) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "semantic_video", *words, "--library", str(library.path)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == expected, done.stderr
    return done


def test_train_prints_its_contract_and_search_uses_what_it_made(
    shelf: Library, tmp_path: Path
) -> None:
    done = run(shelf, "train", "kinds.mp4", "--epochs", "2", "--num-experts", "6", "--json")
    report = json.loads(done.stdout)
    assert set(report) == {"jobs", "experts", "seconds"}
    for job in report["jobs"].values():
        assert set(job) == {"on", "held_out", "identity", "bytes_per_vector", "reason"}
    assert report["experts"] == 6
    record = shelf.videos()[0]
    kept = TrainedExperts.from_bytes(shelf.experts([record.id])[record.id])
    assert kept.facts["jobs"] == report["jobs"]
    assert shelf.experts([record.id], "another clustering") == {}
    seen_by = overview_of(shelf.experts([record.id])[record.id], record.id)
    assert sorted(seen_by.routing) == list(range(SCENES))
    assert set(seen_by.routing.values()) <= set(range(6))
    assert sum(seen_by.utilisation) == pytest.approx(1, abs=0.01)
    assert len(seen_by.losses["contrast"]) == 2
    assert seen_by.held_out["identity"] == report["jobs"]["adapt"]["identity"]
    assert seen_by.jobs == report["jobs"]
    assert overview_of(TrainedExperts().to_bytes(), record.id).routing == {}

    picture = tmp_path / "picture.png"
    pixels = np.random.default_rng(1).integers(0, 255, (64, 64, 3), dtype=np.uint8)
    Image.fromarray(pixels).save(picture)
    plain = json.loads(
        run(shelf, "search", "--image", str(picture), "--json", "--no-experts").stdout
    )
    assert all("experts" not in moment["signals"] for moment in plain["moments"])
    seen = json.loads(run(shelf, "search", "--image", str(picture), "--json").stdout)
    took_part = ["experts" in moment["signals"] for moment in seen["moments"]]
    assert len(took_part) == 10
    assert all(took_part) if report["jobs"]["adapt"]["on"] else not any(took_part)
    text = json.loads(run(shelf, "search", "a dog", "--json").stdout)
    assert len(text["moments"]) == 10  # texts are compared with vectors as they are


def test_regrouping_says_that_experts_of_other_clusters_rest(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    film = write_video(tmp_path / "film.mp4", render([Shot(i % 3, 2) for i in range(6)], fps=12))
    options = ["--library", str(tmp_path / "library")]
    assert command_line(["index", str(film), "--num-clusters", "3", *options]) == 0
    assert command_line(["train", str(film), *options]) == 0
    capsys.readouterr()
    assert command_line(["index", str(film), "--num-clusters", "2", *options]) == 0
    assert "its experts are of the clusters it had" in capsys.readouterr().err
    assert command_line(["index", str(film), "--num-clusters", "3", *options]) == 0
    assert "experts" not in capsys.readouterr().err


def test_pictures_are_compared_as_the_experts_see_them(shelf: Library, tmp_path: Path) -> None:
    from semantic_video.config import load_config
    from semantic_video.moe_experts import FrozenMoE
    from semantic_video.search import Searcher

    record = shelf.videos()[0]
    dimension = record.dimension
    turned = np.zeros((1, dimension), np.float16)  # an expert that shows when it took part
    turned[0, 0] = 3
    nothing = np.zeros((1, 0, dimension), np.float16)
    experts = FrozenMoE(
        router=turned, bias=turned, down=nothing, up=nothing.transpose(0, 2, 1),
        shared_down=nothing[0], shared_up=nothing[0].T, shared_bias=np.zeros(dimension, np.float16),
        top_k=1, temperature=0.05,
    )  # fmt: skip
    weights = TrainedExperts(experts).to_bytes()
    shelf.save_experts(record.id, record.active_clustering, weights, record.generation)
    picture = tmp_path / "picture.png"
    Image.fromarray(np.full((64, 64, 3), 90, np.uint8)).save(picture)
    config = load_config().override({"library": str(shelf.path)}, source="a test")
    with_experts = Searcher(config).by_image(picture)
    without = Searcher(config, experts=False).by_image(picture)
    assert with_experts[0].signals["experts"] == with_experts[0].score
    assert with_experts[0].score > 0.8 > without[0].score
    texts = [Searcher(config, experts=on).by_texts(["a dog"])[0] for on in (True, False)]
    assert [m.score for m in texts[0]] == [m.score for m in texts[1]]


def test_experts_go_with_their_generation_and_clustering(shelf: Library) -> None:
    record = shelf.videos()[0]
    shelf.save_experts(record.id, "kinds", b"one", record.generation)
    shelf.save_experts(record.id, "kinds", b"two", record.generation)
    shelf.save_experts(record.id, "others", b"three", record.generation)
    assert shelf.experts([record.id]) == {record.id: b"two"}
    assert shelf.experts([record.id], "others") == {record.id: b"three"}
    with pytest.raises(Exception, match="indexed again meanwhile"):
        shelf.save_experts(record.id, "kinds", b"late", record.generation - 1)
    shelf.save(replace(record, generation=0), shelf.load(record.id))
    assert shelf.experts([record.id]) == {}


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (["train"], "say what to train on"),
        (["train", "kinds.mp4", "--all"], "say what to train on"),
        (["train", "kinds.mp4", "--objective", "magic"], "objective='magic'"),
        (["train", "other.mp4"], "other.mp4"),
    ],
)
def test_what_train_cannot_do_is_one_line(shelf: Library, words: list[str], message: str) -> None:
    done = run(shelf, *words, expected=2)
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert done.stdout == ""


def test_without_torch_one_line_says_what_to_install(shelf: Library) -> None:
    code = (
        "import sys, importlib.util as u; find = u.find_spec\n"
        "u.find_spec = lambda name, *a: None if name == 'torch' else find(name, *a)\n"
        "from semantic_video.cli.app import run\n"
        f"sys.exit(run(['train', 'kinds.mp4', '--library', {str(shelf.path)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert "pip install 'semantic-video[train]'" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


@pytest.mark.parametrize("raised", ["ImportError", "OSError", "RuntimeError"])
def test_a_broken_torch_is_one_line(shelf: Library, tmp_path: Path, raised: str) -> None:
    broken = tmp_path / "broken" / "torch"
    broken.mkdir(parents=True)
    (broken / "__init__.py").write_text(f"raise {raised}('libtorch.so: no such\\nfile')\n")
    code = (
        f"import sys; sys.path.insert(0, {str(broken.parent)!r})\n"
        "from semantic_video.cli.app import run\n"
        f"sys.exit(run(['train', 'kinds.mp4', '--library', {str(shelf.path)!r}]))"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert done.returncode == 2
    assert "torch is installed but does not load (libtorch.so: no such file)" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_the_promised_call(tmp_path: Path) -> None:
    film = write_video(tmp_path / "film.mp4", render([Shot(seed, 1.0) for seed in (1, 2, 1, 2)]))
    processor = SemanticVideoProcessor(film, num_clusters=2, library=tmp_path / "library")
    report = processor.train_moe_experts(epochs=1)
    assert set(report.jobs) == {"compress", "adapt"}
    assert not any(job.on for job in report.jobs.values())  # four scenes hold nothing out
    record = Library(tmp_path / "library").videos()[0]
    kept = Library(tmp_path / "library").experts([record.id])
    assert TrainedExperts.from_bytes(kept[record.id]).facts["settings"]["epochs"] == 1
    assert "too few" in str(report)


def test_experts_are_those_of_the_clusters() -> None:
    memory = memory_of_kinds(64)
    texts = unit_rows(np.random.default_rng(1).standard_normal((40, 64)).astype(np.float32))
    report, _ = train_experts([memory], texts, TrainingOptions(epochs=0))
    assert (report.experts, report.specialisation) == (KINDS, 1.0)
    fewer, _ = train_experts([memory], texts, TrainingOptions(epochs=0, num_experts=3))
    assert fewer.experts == 3
    assert fewer.specialisation < 1.0
