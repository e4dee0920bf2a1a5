"""Router, experts, codes, and what held-out time says of them, on vectors made by code."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from semantic_video.errors import ConfigError, LibraryError
from semantic_video.memory_hierarchy import MemoryHierarchy, SceneEntries
from semantic_video.moe_experts import ROUTES, ExpertCodec, FrozenMoE, TrainedExperts
from semantic_video.moe_experts.adapt import (
    FilmVectors,
    Recipe,
    fit_adapters,
    positives,
)
from semantic_video.moe_experts.codec import CodedFrames, unit_rows
from semantic_video.moe_experts.held_out import average_precisions, time_blocks
from semantic_video.moe_experts.model import (
    Expert,
    Router,
    SceneMoE,
    load_balancing_loss,
)
from semantic_video.moe_experts.quantiser import allocate_bits, normal_levels
from semantic_video.moe_experts.routes import route_labels
from semantic_video.moe_experts.training import (
    TrainingOptions,
    if_it_pays,
    train_experts,
)
from semantic_video.moe_experts.training_report import JobReport
from semantic_video.records import Span
from semantic_video.semantic_clustering import SemanticClustering

DIMENSION = 48


def made_film(
    seed: int = 0, scenes: int = 60, kinds: int = 6, noise: float = 0.8, wobble: float = 0.5
) -> FilmVectors:
    """A film of ``kinds`` subjects that return: scenes near their subject, three frames a scene."""
    rng = np.random.default_rng(seed)
    subjects = unit_rows(rng.standard_normal((kinds, DIMENSION)).astype(np.float32))
    kind = np.tile(np.arange(kinds), scenes // kinds)
    spread = noise / DIMENSION**0.5
    own = subjects[kind] + spread * rng.standard_normal((scenes, DIMENSION))
    owners = np.repeat(np.arange(scenes), 3)
    shaken = rng.standard_normal((len(owners), 3)) @ rng.standard_normal((3, DIMENSION))
    frames = own[owners] + wobble / DIMENSION * shaken
    times = np.arange(len(owners)) * 4.0
    return FilmVectors(
        frames=unit_rows(frames.astype(np.float32)),
        times_s=times,
        frame_scenes=owners,
        scenes=unit_rows(own.astype(np.float32)),
        categories=kind,
    )


def made_memory(film: FilmVectors, clusters: int = 6) -> MemoryHierarchy:
    spans = [Span(12.0 * i, 12.0 * i + 12) for i in range(len(film.scenes))]
    own = [film.frame_scenes == i for i in range(len(spans))]
    entries = SceneEntries.from_scenes(
        spans, [film.times_s[rows] for rows in own], [film.frames[rows] for rows in own]
    )
    clustering = SemanticClustering("kmeans", clusters).fit(film.scenes)
    return MemoryHierarchy.build(entries, clustering, [f"kind {i}" for i in range(clustering.size)])


def random_moe(seed: int = 0, experts: int = 9, top_k: int = 3) -> SceneMoE:
    torch.manual_seed(seed)
    moe = SceneMoE(torch.randn(experts, DIMENSION), rank=4, shared_rank=8, top_k=top_k)
    with torch.no_grad():
        for parameter in moe.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    return moe.eval()


def unit_vectors(count: int, seed: int = 0) -> np.ndarray:
    rng = np.random.default_rng(seed)
    return unit_rows(rng.standard_normal((count, DIMENSION)).astype(np.float32))


# The model


def test_an_untrained_mixture_is_the_identity() -> None:
    vectors = torch.from_numpy(unit_vectors(20))
    output = SceneMoE(torch.randn(5, DIMENSION), top_k=2)(vectors)
    assert torch.allclose(output.vectors, vectors, atol=1e-6)
    assert output.gates.shape == (20, 5)
    assert set(output.losses) == {"balance", "z"}


def test_the_router_starts_as_the_soft_assignment_to_the_centroids() -> None:
    centroids = torch.from_numpy(unit_vectors(6))
    router = Router(centroids * 3, top_k=6, temperature=0.1)
    vectors = torch.from_numpy(unit_vectors(30, seed=1))
    gates, _ = router(vectors)
    assert torch.allclose(gates, (vectors @ centroids.T / 0.1).softmax(dim=1), atol=1e-5)
    top, _ = Router(centroids, top_k=2)(vectors)
    assert ((top > 0).sum(dim=1) == 2).all()
    assert torch.allclose(top.sum(dim=1), torch.ones(30))
    assert torch.equal(top, Router(centroids, top_k=2).train()(vectors)[0])  # no chance in it


def test_the_balance_loss_is_one_when_all_share_alike_and_more_when_one_takes_all() -> None:
    fair = torch.eye(4).repeat(5, 1) * 50
    greedy = torch.zeros(20, 4)
    greedy[:, 0] = 50
    assert load_balancing_loss(fair).item() == pytest.approx(1, abs=1e-4)
    assert load_balancing_loss(greedy).item() == pytest.approx(4, abs=1e-4)


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(ValueError, match="top_k=3"):
        Router(torch.randn(2, 8), top_k=3)
    with pytest.raises(ValueError, match="rank=9"):
        Expert(8, 9)
    moe = random_moe()
    with pytest.raises(ValueError, match=r"\[N, 48\]"):
        moe(torch.randn(3, 7))
    with pytest.raises(ValueError, match=r"gates must be \[3, 9\]"):
        moe(torch.randn(3, DIMENSION), torch.ones(3, 2))


def test_new_experts_do_not_change_what_was_learned() -> None:
    """An expert for a new cluster learns; the old ones, and vectors of their clusters, stay."""
    torch.manual_seed(0)
    known = torch.nn.functional.normalize(torch.randn(5, DIMENSION), dim=1)
    moe = SceneMoE(known, rank=2, shared_rank=4, top_k=1)
    with torch.no_grad():
        for parameter in moe.parameters():
            parameter += 0.05 * torch.randn_like(parameter)
    old = torch.nn.functional.normalize(known + 0.05 * torch.randn(5, DIMENSION), dim=1)
    before = moe(old).vectors.detach()
    new = torch.nn.functional.normalize(torch.randn(1, DIMENSION), dim=1)
    moe.add_experts(new)
    assert moe.num_experts == 6
    frozen = [parameter.detach().clone() for parameter in moe.experts[0].parameters()]
    target = torch.nn.functional.normalize(torch.randn(1, DIMENSION), dim=1)
    optimiser = torch.optim.Adam(moe.trainable(), 0.05)
    losses = []
    for _ in range(30):
        loss = 1 - (moe(new).vectors * target).sum()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
        losses.append(loss.item())
    assert losses[-1] < 0.5 * losses[0]
    # Sums over more experts round differently; nothing else may change.
    assert torch.allclose(moe(old).vectors.detach(), before, atol=1e-6)
    for parameter, kept in zip(moe.experts[0].parameters(), frozen, strict=True):
        assert torch.equal(parameter, kept)


# Frozen


@pytest.mark.parametrize("top_k", [1, 3, 9])
def test_numpy_says_what_torch_says(top_k: int) -> None:
    moe = random_moe(top_k=top_k)
    vectors = unit_vectors(200)
    with torch.no_grad():
        expected = moe(torch.from_numpy(vectors)).vectors.numpy()
    refined = FrozenMoE.from_model(moe).refine(vectors)
    # Weights are kept as float16; a vector between two experts may fall to the other.
    agreement = (refined * expected).sum(axis=1)
    assert np.quantile(agreement, 0.02) > 0.9999
    assert np.allclose(np.linalg.norm(refined, axis=1), 1, atol=1e-5)


def test_trained_experts_survive_as_bytes() -> None:
    film = made_film()
    codec = ExpertCodec.fit(
        film.scenes, film.categories, film.frames, film.frame_scenes, 16, unit_vectors(50)
    )
    trained = TrainedExperts(FrozenMoE.from_model(random_moe()), codec, {"seed": 3, "why": "ü"})
    again = TrainedExperts.from_bytes(trained.to_bytes())
    assert again.facts == {"seed": 3, "why": "ü"}
    assert again.adapt is not None
    assert again.codec is not None
    assert trained.adapt is not None
    assert np.array_equal(again.adapt.refine(film.scenes), trained.adapt.refine(film.scenes))
    coded = codec.encode(film.scenes, film.categories, film.frames, film.frame_scenes)
    for ours, theirs in zip(
        codec.decode(coded, film.frame_scenes),
        again.codec.decode(coded, film.frame_scenes),
        strict=True,
    ):
        assert np.array_equal(ours, theirs)
    nothing = TrainedExperts.from_bytes(TrainedExperts(facts={"a": 1}).to_bytes())
    assert (nothing.adapt, nothing.codec, nothing.facts) == (None, None, {"a": 1})


@pytest.mark.parametrize("data", [b"", b"nonsense", b"\xff" * 64])
def test_damaged_experts_are_one_clear_line(data: bytes) -> None:
    with pytest.raises(LibraryError, match="--no-experts"):
        TrainedExperts.from_bytes(data)


def test_reading_experts_needs_no_torch() -> None:
    code = (
        "import sys; import semantic_video.moe_experts, semantic_video.moe_experts.frozen, "
        "semantic_video.expert_training; print('torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


# Codes


@settings(max_examples=25, deadline=None)
@given(
    st.integers(1, 40),
    st.integers(1, 60),
    st.integers(1, 4),
    st.booleans(),
    st.sampled_from([None, 10.0]),
)
def test_codes_have_the_size_asked_for_and_scores_need_no_decoding(
    size: int, scenes: int, experts: int, with_texts: bool, local: float | None
) -> None:
    vectors = unit_vectors(scenes, seed=scenes)
    labels = np.arange(scenes) % experts
    labels = np.unique(labels, return_inverse=True)[1]
    owners = np.repeat(np.arange(scenes), 2)
    frames = unit_rows(vectors[owners] + 0.05 * unit_vectors(len(owners), seed=1))
    texts = unit_vectors(30, seed=2) if with_texts else None
    codec = ExpertCodec.fit(vectors, labels, frames, owners, size, texts, local)
    coded = codec.encode(vectors, labels, frames, owners)
    assert codec.bytes_per_vector <= size
    assert coded.nbytes <= (scenes + len(owners)) * size + scenes
    assert sum(array.nbytes for array in codec.arrays().values()) == codec.nbytes
    entries, decoded = codec.decode(coded, owners)
    assert entries.shape == vectors.shape
    held = CodedFrames.of(codec, coded, owners)
    queries = unit_vectors(3, seed=4)
    chosen = np.random.default_rng(6).permutation(len(owners))[: max(1, scenes)]
    assert np.allclose(held.scores(queries, chosen), queries @ decoded[chosen].T, atol=1e-4)
    again = CodedFrames.from_arrays(held.rows(chosen).arrays())
    every = np.arange(len(chosen))
    assert np.array_equal(again.scores(queries, every), held.scores(queries, chosen))
    twice = held.followed_by(held)
    assert np.array_equal(twice.scores(queries, chosen + len(owners)), held.scores(queries, chosen))


def test_more_bytes_lose_less_and_the_text_metric_serves_texts() -> None:
    film = made_film(noise=2.0)
    rng = np.random.default_rng(5)
    seen = rng.standard_normal((6, DIMENSION))  # what texts can tell lies in few dimensions
    texts = unit_rows((rng.standard_normal((80, 6)) @ seen).astype(np.float32))
    errors = {}
    for size in (4, 8, 16, 32):
        for bank in (None, texts):
            codec = ExpertCodec.fit(
                film.scenes, film.categories, film.frames, film.frame_scenes, size, bank
            )
            coded = codec.encode(film.scenes, film.categories, film.frames, film.frame_scenes)
            decoded, _ = codec.sums(coded, film.frame_scenes)
            rest = decoded - film.scenes
            errors[size, bank is None] = (np.square(rest).sum(), np.square(rest @ texts.T).sum())
    plain = [errors[size, True][0] for size in (4, 8, 16, 32)]
    assert plain == sorted(plain, reverse=True)
    assert all(errors[size, False][1] < errors[size, True][1] for size in (4, 8, 16))


def test_bits_go_where_they_save_most() -> None:
    bits = allocate_bits(np.array([16.0, 4.0, 1.0, 0.0]), 9)
    assert bits.sum() == 9
    assert list(bits) == sorted(bits, reverse=True)
    assert bits[3] == 0
    # A bit more halves the error's deviation: a variance four times as large earns one.
    assert bits[0] - bits[1] == 1
    assert allocate_bits(np.zeros(3), 10).sum() == 0
    assert allocate_bits(np.ones(2), 100).max() == 8


@pytest.mark.parametrize(("bits", "levels"), [(1, [0.7979]), (2, [0.4528, 1.510])])
def test_levels_are_those_of_max(bits: int, levels: list[float]) -> None:
    """Table I of Max, "Quantizing for minimum distortion" (1960)."""
    found = normal_levels(bits)
    assert np.allclose(found[len(found) // 2 :], levels, atol=5e-3)
    assert np.allclose(found, -found[::-1], atol=1e-3)


# Routes and held-out time


@pytest.mark.parametrize("route", ROUTES)
def test_every_route_gives_an_expert_that_exists(route: str) -> None:
    film = made_film()
    centroids = unit_vectors(6, seed=9)
    labels = route_labels(route, film.frames, film.times_s, centroids, seed=1)  # type: ignore[arg-type]
    assert labels.shape == (len(film.frames),)
    assert 0 <= labels.min() <= labels.max() < 6
    again = route_labels(route, film.frames, film.times_s, centroids, seed=1)  # type: ignore[arg-type]
    assert np.array_equal(labels, again)
    expected = {"dense": 1}.get(route, 6)
    assert len(np.unique(labels)) == expected
    if route == "temporal":
        assert (np.diff(labels) >= 0).all()
    moe, _ = fit_adapters(film, centroids, Recipe(route=route, epochs=1, rank=2))  # type: ignore[arg-type]
    assert moe.num_experts == 6


def test_held_out_time_is_whole_blocks() -> None:
    times = np.arange(0, 1800, 2.0)
    held = time_blocks(times, seed=0)
    assert 0.3 < held.mean() < 0.5
    assert (np.diff(held.astype(int)) != 0).sum() <= 24  # 30 blocks, not single frames
    assert not np.array_equal(held, time_blocks(times, seed=1))
    short = time_blocks([0.0, 1.0, 2.0], seed=0)
    assert short.any()
    assert not short.all()


def test_average_precision_is_that_of_scikit_learn() -> None:
    from sklearn.metrics import average_precision_score

    vectors, labels = unit_vectors(30), np.arange(30) % 7
    labels[0] = 99  # alone
    ours = average_precisions(vectors, labels)
    assert np.isnan(ours[0])
    for row in range(1, 30):
        others = np.arange(30) != row
        expected = average_precision_score(
            labels[others] == labels[row], vectors[others] @ vectors[row]
        )
        assert ours[row] == pytest.approx(expected)


# Training


def test_the_closed_form_gathers_categories_and_quietens_what_varies_within_scenes() -> None:
    film = made_film(noise=1.6, wobble=3.0)
    centroids = unit_rows(np.stack([film.scenes[film.categories == k].mean(0) for k in range(6)]))
    start = np.nanmean(average_precisions(film.frames, film.categories[film.frame_scenes]))
    for recipe in (
        Recipe(strength=0.3, normalise=False),
        Recipe(strength=0.0, normalise=True, shared_rank=3),
    ):
        moe, history = fit_adapters(film, centroids, recipe)
        refined = FrozenMoE.from_model(moe).refine(film.frames)
        ours = np.nanmean(average_precisions(refined, film.categories[film.frame_scenes]))
        assert ours > start
        assert history == []


def test_descending_lowers_the_contrast() -> None:
    film = made_film(noise=1.6)
    centroids = unit_rows(np.stack([film.scenes[film.categories == k].mean(0) for k in range(6)]))
    recipe = Recipe(strength=0.0, normalise=False, epochs=25, rank=2)
    _, history = fit_adapters(film, centroids, recipe, unit_vectors(20, seed=3))
    assert len(history) == 25
    assert history[-1]["contrast"] < history[0]["contrast"]
    assert set(history[0]) == {"contrast", "anchor", "balance", "z", "texts"}
    _, again = fit_adapters(film, centroids, recipe, unit_vectors(20, seed=3))
    assert again == history


def test_positives_are_what_the_objective_says() -> None:
    film = made_film(scenes=12, kinds=3)
    scene, near, kind = (positives(film, o) for o in ("scene", "shotcol", "recurrence"))
    owners = film.frame_scenes
    assert np.array_equal(scene, owners[:, None] == owners[None, :])
    assert (near >= scene).all()
    assert near.sum() > scene.sum()
    labels = film.categories[owners]
    assert np.array_equal(kind, labels[:, None] == labels[None, :])


def test_training_reports_jobs_curves_and_specialisation() -> None:
    film = made_film(scenes=90, noise=1.5)
    texts = unit_vectors(60, seed=8)
    stages: list[float] = []
    report, trained = train_experts(
        [made_memory(film)],
        texts,
        TrainingOptions(epochs=3, num_experts=6, top_k=2, code_bytes=4),
        lambda stage, done, total: stages.append(done / total),
    )
    contract = report.as_dict()
    assert set(contract) == {"jobs", "experts", "seconds"}
    assert set(contract["jobs"]) == {"compress", "adapt"}
    for job in contract["jobs"].values():
        assert set(job) == {"on", "held_out", "identity", "bytes_per_vector", "reason"}
        assert not job["on"] or job["held_out"] > job["identity"]
    for job in report.jobs.values():  # on only where chance is no explanation
        gain = job.held_out - job.identity
        assert job.on == (gain > job.interval), job.reason
    assert report.experts == 6
    assert len(report.losses["contrast"]) == 3
    assert len(report.utilisation) == 6
    assert sum(report.utilisation) == pytest.approx(1, abs=1e-2)
    assert report.specialisation > 0.9  # the router follows the clusters
    assert stages == sorted(stages)
    assert stages[-1] == 1
    assert (trained.adapt is not None) == report.jobs["adapt"].on
    assert (trained.codec is not None) == report.jobs["compress"].on
    assert trained.facts["settings"]["num_experts"] == 6


def test_where_nothing_returns_adapt_is_switched_off() -> None:
    """Scenes without kinds: any gain would be made up."""
    rng = np.random.default_rng(0)
    owners = np.repeat(np.arange(60), 2)
    scenes = unit_vectors(60, seed=11)
    film = FilmVectors(
        frames=unit_rows(scenes[owners] + 0.1 * unit_vectors(120, seed=12)),
        times_s=np.arange(120) * 6.0,
        frame_scenes=owners,
        scenes=scenes,
        categories=rng.integers(0, 5, 60),
    )
    report, trained = train_experts(
        [made_memory(film)], unit_vectors(12, seed=13), TrainingOptions(epochs=0, num_experts=5)
    )
    assert not report.jobs["adapt"].on
    assert report.jobs["adapt"].reason.startswith("switched off")
    assert trained.adapt is None


def test_codes_that_experts_outweigh_are_switched_off() -> None:
    film = made_film()
    codec = ExpertCodec.fit(film.scenes, film.categories, film.frames, film.frame_scenes, 16)
    job = JobReport(True, 0.9, 0.8, 16, "+0.1")
    kept = if_it_pays(job, codec, vectors=10_000, width=2 * DIMENSION)
    assert kept.on
    few = codec.nbytes // (2 * DIMENSION - 17)
    off = if_it_pays(job, codec, vectors=few, width=2 * DIMENSION)
    assert not off.on
    assert f"it pays from {few + 1} vectors and there are {few}" in off.reason


def test_a_short_film_is_too_short_to_judge() -> None:
    film = made_film(scenes=12, kinds=3)
    report, _ = train_experts([made_memory(film, 3)], unit_vectors(10))
    assert report.experts == 0
    assert all("12 scenes are too few" in job.reason for job in report.jobs.values())


def test_several_films_share_their_experts() -> None:
    films = [made_film(seed=0, scenes=36), made_film(seed=0, scenes=60)]
    report, _ = train_experts(
        [made_memory(film) for film in films],
        unit_vectors(20),
        TrainingOptions(epochs=0, num_experts=6, top_k=1),
    )
    assert report.experts == 6
    assert report.settings["films"] == 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"epochs": -1}, "epochs=-1"),
        ({"objective": "magic"}, "objective='magic'"),
        ({"num_experts": 0}, "num_experts=0"),
        ({"top_k": 0}, "top_k=0"),
    ],
)
def test_options_that_cannot_be_are_refused(options: dict, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        TrainingOptions(**options)
