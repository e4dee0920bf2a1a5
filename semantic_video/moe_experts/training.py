"""Train the experts of one film, or of several, and let held-out time say which jobs are on."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semantic_video.errors import ConfigError
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.moe_experts.baselines import scalar_pca
from semantic_video.moe_experts.codec import MAX_EXPERTS, ExpertCodec, unit_rows
from semantic_video.moe_experts.coded_entries import EXPERTS
from semantic_video.moe_experts.frozen import FrozenMoE, TrainedExperts
from semantic_video.moe_experts.held_out import (
    average_precisions,
    interval,
    overlap_at,
    time_blocks,
    words_of,
)
from semantic_video.moe_experts.training_report import ExpertsReport, JobReport
from semantic_video.semantic_clustering import SemanticClustering

if TYPE_CHECKING:
    from semantic_video.moe_experts.adapt import FilmVectors, Objective, Recipe

FloatArray = NDArray[np.float32]
Progress = Callable[[str, float, float], None]

OBJECTIVES = ("recurrence", "scene", "shotcol")
DEFAULT_EPOCHS = 30
DEFAULT_CODE_BYTES = 48
MIN_SCENES = 24
"""Scenes below which nothing can be held out that would tell anything."""

_SPLITS = 3
# Texts of the bank that the held-out overlap is taken over, spread evenly.
_OVERLAP_TEXTS = 300


@dataclass(frozen=True, slots=True)
class TrainingOptions:
    """What a caller may choose; ``num_experts`` None is an expert for each cluster.

    For several films, or another number, scenes are grouped anew, over all of them.
    """

    epochs: int = DEFAULT_EPOCHS
    objective: Objective = "recurrence"
    num_experts: int | None = None
    top_k: int = 8
    seed: int = 0
    code_bytes: int = DEFAULT_CODE_BYTES

    def __post_init__(self) -> None:
        if self.epochs < 0:
            raise ConfigError(f"epochs={self.epochs}: use 0 (the closed form) or more")
        if self.objective not in OBJECTIVES:
            raise ConfigError(f"objective={self.objective!r}: use one of {', '.join(OBJECTIVES)}")
        for name in ("num_experts", "top_k", "code_bytes"):
            value = getattr(self, name)
            if value is not None and value < 1:
                raise ConfigError(f"{name}={value}: use 1 or more")


def require_torch() -> None:
    """Raise `ConfigError` with what to do where torch is not installed, or does not load."""
    from importlib.util import find_spec

    if find_spec("torch") is None:
        raise ConfigError(
            "training experts needs torch, which is not installed: "
            "pip install 'semantic-video[train]'"
        )
    try:
        import torch  # noqa: F401
    except Exception as error:  # whatever a half-installed library raises
        reason = " ".join(str(error).split())[:200] or type(error).__name__
        raise ConfigError(
            f"torch is installed but does not load ({reason}): "
            "pip install --force-reinstall 'semantic-video[train]'"
        ) from error


def train_experts(
    memories: Sequence[MemoryHierarchy],
    texts: FloatArray,
    options: TrainingOptions | None = None,
    progress: Progress = lambda stage, done, total: None,
    films: Sequence[str] = (),
) -> tuple[ExpertsReport, TrainedExperts]:
    """Experts for these memories together, and a report.

    ``texts`` [V, D] is a bank of texts in the encoder's space, ``films`` the id of each memory's
    video (default: "0", "1" ...). With several films the experts learn from all and each film's
    experts are the same; the report's figures are over all.

    Raises:
        ConfigError: torch is not installed.
    """
    options = options or TrainingOptions()
    require_torch()
    import torch

    started = time.perf_counter()
    film = joined([_film(memory) for memory in memories])
    ends = [memory.scenes()[-1].end_s for memory in memories]
    starts = np.concatenate(
        [
            np.array([spans[0].start_s for spans in memory.entries.entry_spans]) + offset
            for memory, offset in zip(memories, np.cumsum([0.0, *ends[:-1]]), strict=True)
        ]
    )
    settings = asdict(options) | {"torch": torch.__version__, "films": len(memories)}
    if len(film.scenes) < MIN_SCENES:
        scenes = "1 scene is" if len(film.scenes) == 1 else f"{len(film.scenes)} scenes are"
        reason = f"{scenes} too few to hold any out: {MIN_SCENES} are needed"
        width = film.scenes.shape[1] * 2
        off = {name: JobReport(False, 0.0, 0.0, width, reason) for name in ("compress", "adapt")}
        seconds = time.perf_counter() - started
        return ExpertsReport(off, 0, seconds, settings=settings), TrainedExperts(
            facts={"settings": settings}
        )
    steps = _SPLITS * 2 + 2
    done = 0

    def step() -> None:
        nonlocal done
        done += 1
        progress("training experts", done, steps)

    clusters = sum(memory.clustering.size for memory in memories)
    labels, centroids = _categories(memories, film, options)
    count = len(centroids)
    splits = [time_blocks(starts, seed) for seed in range(_SPLITS)]
    choosing = time_blocks(starts, _SPLITS, share=0.5)
    recipe, adapt, variants, history = _best_adaptation(
        film, splits, choosing, count, texts, options, step
    )
    codec_count, compress = _best_codec(
        film,
        splits,
        choosing,
        min(options.num_experts or EXPERTS, clusters, MAX_EXPERTS),
        texts,
        options,
        step,
    )
    from semantic_video.moe_experts.adapt import fit_adapters

    moe, _ = fit_adapters(replace(film, categories=labels), centroids, recipe, _sparse(texts))
    step()
    frozen = FrozenMoE.from_model(moe)
    gates = frozen.gates(film.frames)
    own = np.argmax(frozen.gates(film.scenes), axis=1)
    groups, _ = _grouped(film.scenes, codec_count, options.seed)
    codec = ExpertCodec.fit(
        film.scenes, groups, film.frames, film.frame_scenes, options.code_bytes, texts
    )
    vectors, width = len(film.scenes) + len(film.frames), film.scenes.shape[1] * 2
    compress = if_it_pays(compress, codec, vectors, width)
    step()
    losses = {name: [epoch[name] for epoch in history] for name in (history[0] if history else ())}
    report = ExpertsReport(
        jobs={"compress": compress, "adapt": adapt},
        experts=frozen.num_experts,
        seconds=time.perf_counter() - started,
        losses=losses,
        held_out_variants=variants,
        utilisation=tuple(np.round(gates.mean(axis=0), 4).tolist()),
        specialisation=_agreement(own, np.concatenate([
            memory.labels + offset
            for memory, offset in zip(
                memories,
                np.cumsum([0, *[m.clustering.size for m in memories[:-1]]]),
                strict=True,
            )
        ])),
        settings=settings,
    )  # fmt: skip
    facts = {
        "settings": settings,
        "jobs": {name: job.as_dict() for name, job in report.jobs.items()},
        "losses": {name: _rounded_list(curve) for name, curve in losses.items()},
        "held_out_variants": variants,
        "specialisation": report.specialisation,
        "utilisation": list(report.utilisation),
        "routing": _routing(films or list(map(str, range(len(memories)))), memories, own),
    }
    kept = TrainedExperts(
        adapt=frozen if adapt.on else None,
        codec=codec if compress.on else None,
        facts=facts,
    )
    return report, kept


def _film(memory: MemoryHierarchy) -> FilmVectors:
    from semantic_video.moe_experts.adapt import FilmVectors

    held = memory.entries
    return FilmVectors(
        frames=unit_rows(held.exemplar_vectors.astype(np.float32)),
        times_s=held.exemplar_times,
        frame_scenes=held.exemplar_entries.astype(np.int64),
        scenes=unit_rows(held.entry_vectors.astype(np.float32)),
        categories=memory.labels.astype(np.int64),
    )


def joined(films: Sequence[FilmVectors]) -> FilmVectors:
    """Several films as one, one after the other on the timeline."""
    from semantic_video.moe_experts.adapt import FilmVectors

    scenes = np.cumsum([0, *(len(film.scenes) for film in films[:-1])])
    groups = np.cumsum([0, *(int(film.categories.max()) + 1 for film in films[:-1])])
    ends = np.cumsum([0.0, *(float(film.times_s.max()) + 1 for film in films[:-1])])
    return FilmVectors(
        frames=np.concatenate([film.frames for film in films]),
        times_s=np.concatenate([f.times_s + end for f, end in zip(films, ends, strict=True)]),
        frame_scenes=np.concatenate(
            [f.frame_scenes + base for f, base in zip(films, scenes, strict=True)]
        ),
        scenes=np.concatenate([film.scenes for film in films]),
        categories=np.concatenate(
            [f.categories + base for f, base in zip(films, groups, strict=True)]
        ),
    )


def part_of(film: FilmVectors, kept: NDArray[np.bool_]) -> FilmVectors:
    """The scenes ``kept`` bool[N] of a film, with their frames, numbered anew."""
    from semantic_video.moe_experts.adapt import FilmVectors

    rows = kept[film.frame_scenes]
    return FilmVectors(
        frames=film.frames[rows],
        times_s=film.times_s[rows],
        frame_scenes=(np.cumsum(kept) - 1)[film.frame_scenes[rows]],
        scenes=film.scenes[kept],
        categories=film.categories[kept],
    )


def _categories(
    memories: Sequence[MemoryHierarchy], film: FilmVectors, options: TrainingOptions
) -> tuple[NDArray[np.int64], FloatArray]:
    """The category of each scene [N], and the centroids [K, D]: one expert each."""
    if options.num_experts:
        return _grouped(film.scenes, options.num_experts, options.seed)
    if len(memories) == 1:
        return memories[0].labels.astype(np.int64), memories[0].cluster_vectors
    clustering = SemanticClustering("kmeans", "auto", options.seed).fit(film.scenes)
    return clustering.labels.astype(np.int64), clustering.centroids(film.scenes)


def _grouped(scenes: FloatArray, count: int, seed: int) -> tuple[NDArray[np.int64], FloatArray]:
    """Categories [N] and their centroids [K, D]."""
    clustering = SemanticClustering("kmeans", min(count, len(scenes)), seed).fit(scenes)
    return clustering.labels.astype(np.int64), clustering.centroids(scenes)


def _recipes(options: TrainingOptions) -> dict[str, Recipe]:
    """What is tried for adapt, by name."""
    from semantic_video.moe_experts.adapt import Recipe

    base = Recipe(
        objective=options.objective, top_k=options.top_k, seed=options.seed, rank=4, strength=0.3
    )
    recipes = {
        "centres": replace(base, normalise=False),
        "normalised": replace(base, strength=0.0),
        "centres, normalised": base,
        "centres, normalised, stronger": replace(base, strength=0.6),
    }
    if options.epochs:
        recipes["trained"] = replace(base, epochs=options.epochs)
    return recipes


def _best_adaptation(
    film: FilmVectors,
    splits: Sequence[NDArray[np.bool_]],
    choosing: NDArray[np.bool_],
    count: int,
    texts: FloatArray,
    options: TrainingOptions,
    step: Callable[[], None],
) -> tuple[Recipe, JobReport, dict[str, float], list[dict[str, float]]]:
    """The recipe that does best on held-out time, its report, the figure of each variant, and the
    losses of each epoch of the one that descends.

    ``choosing`` [N] are the scenes of the minutes by which the recipe is chosen; figures are those
    of the other minutes, which had no say.
    """
    from semantic_video.moe_experts.adapt import fit_adapters

    recipes = _recipes(options)
    history: list[dict[str, float]] = []
    # Average precision of each scene: a row a split, NaN where it was not held out.
    figures = {
        name: np.full((len(splits), len(film.scenes)), np.nan) for name in ("identity", *recipes)
    }
    for row, held in enumerate(splits):
        seen = part_of(film, ~held)
        groups = max(1, round(count * len(seen.scenes) / len(film.scenes)))
        labels, centroids = _grouped(seen.scenes, groups, options.seed)
        parts = [rows for side in (choosing, ~choosing) if len(rows := np.flatnonzero(held & side))]
        words = [words_of(film.scenes[rows], texts, seen.scenes) for rows in parts]
        for rows, own in zip(parts, words, strict=True):
            figures["identity"][row, rows] = average_precisions(film.scenes[rows], own)
        seen = replace(seen, categories=labels)
        for name, recipe in recipes.items():
            moe, losses = fit_adapters(seen, centroids, recipe, _sparse(texts))
            history = losses or history
            frozen = FrozenMoE.from_model(moe)
            for rows, own in zip(parts, words, strict=True):
                refined = frozen.refine(film.scenes[rows])
                figures[name][row, rows] = average_precisions(refined, own)
        step()
    best = max(recipes, key=lambda name: _mean(figures[name][:, choosing]))
    variants = {name: _mean(values[:, ~choosing]) for name, values in figures.items()}
    # A scene that several splits held out is one observation.
    gain, half = interval(_by_scene((figures[best] - figures["identity"])[:, ~choosing]))
    width = film.scenes.shape[1] * 2
    on = bool(gain > half and gain > 0)
    told = f"{best}: {gain:+.3f} ± {half:.3f} against the identity on held-out time"
    reason = told if on else f"switched off, since {told} is no clear gain"
    report = JobReport(on, variants[best], variants["identity"], width, reason, half)
    rounded = {name: round(float(value), 4) for name, value in variants.items()}
    return recipes[best], report, rounded, history


def _best_codec(
    film: FilmVectors,
    splits: Sequence[NDArray[np.bool_]],
    choosing: NDArray[np.bool_],
    count: int,
    texts: FloatArray,
    options: TrainingOptions,
    step: Callable[[], None],
) -> tuple[int, JobReport]:
    """How many experts code best on held-out time, one or ``count``, and the report.

    Chosen and reported on different minutes, as `_best_adaptation`.
    """
    asked = texts[:: max(1, len(texts) // _OVERLAP_TEXTS)]
    plain: list[float] = []
    figures: dict[int, list[float]] = {1: [], count: []}
    chosen: dict[int, list[float]] = {1: [], count: []}
    for held in splits:
        seen = part_of(film, ~held)
        parts = [
            (part_of(film, held & side), told)
            for side, told in ((choosing, chosen), (~choosing, figures))
            if (held & side).any()
        ]
        coder = scalar_pca(seen.frames, options.code_bytes)
        for unseen, told in parts:
            if told is figures:
                truth, rebuilt = asked @ unseen.frames.T, coder(unseen.frames)
                plain.append(overlap_at(truth, asked @ rebuilt.T, 10))
        for number in figures:
            labels, centroids = _grouped(seen.scenes, number, options.seed)
            codec = ExpertCodec.fit(
                seen.scenes, labels, seen.frames, seen.frame_scenes, options.code_bytes, texts
            )
            for unseen, told in parts:
                routed = np.argmax(unseen.scenes @ centroids.T, axis=1)
                codes = codec.encode(unseen.scenes, routed, unseen.frames, unseen.frame_scenes)
                _, decoded = codec.decode(codes, unseen.frame_scenes)
                truth = asked @ unseen.frames.T
                told[number].append(overlap_at(truth, asked @ decoded.T, 10))
        step()
    means = {number: _mean(np.array(found)) for number, found in figures.items()}
    best = max(chosen, key=lambda number: _mean(np.array(chosen[number])))
    gain, half = interval(np.array(figures[best]) - np.array(plain))
    flat = f"{means[count]:.3f} with {count} experts, {means[1]:.3f} with one shared by all"
    on = bool(gain > half and gain > 0)
    words = f"{gain:+.3f} ± {half:.3f} against plain coordinates of as many bytes ({flat})"
    reason = words if on else f"switched off, since {words} is no clear gain"
    return best, JobReport(
        on, means[best], _mean(np.array(plain)), options.code_bytes, reason, half
    )


def if_it_pays(job: JobReport, codec: ExpertCodec, vectors: int, width: int) -> JobReport:
    """The report, switched off where the experts weigh more than what their codes save.

    There are ``vectors``, of ``width`` bytes each without codes.
    """
    saved = width - codec.bytes_per_vector - 1
    pays = codec.nbytes // max(saved, 1) + 1
    job = replace(job, bytes_per_vector=codec.bytes_per_vector)
    if saved > 0 and vectors >= pays:
        return replace(job, reason=f"{job.reason}; pays from {pays} vectors, this has {vectors}")
    return replace(
        job, on=False, reason=f"switched off, since it pays from {pays} vectors and there are "
        f"{vectors}; {job.reason}",
    )  # fmt: skip


def _routing(
    films: Sequence[str], memories: Sequence[MemoryHierarchy], experts: NDArray[np.int64]
) -> dict[str, dict[str, list[int]]]:
    """The expert of each scene, for each film; ``experts`` [N] are those of all entries."""
    found, base = {}, 0
    for film, memory in zip(films, memories, strict=True):
        rows = sorted(
            (span.scene, int(experts[base + entry]))
            for entry, spans in enumerate(memory.entries.entry_spans)
            for span in spans
        )
        found[film] = {
            "scenes": [scene for scene, _ in rows],
            "experts": [expert for _, expert in rows],
        }
        base += len(memory)
    return found


def _sparse(texts: FloatArray) -> FloatArray:
    return np.ascontiguousarray(texts[:: max(1, len(texts) // _OVERLAP_TEXTS)], dtype=np.float32)


def _agreement(first: NDArray[np.int64], second: NDArray[np.int64]) -> float:
    from sklearn.metrics import normalized_mutual_info_score

    return round(float(normalized_mutual_info_score(first, second)), 4)


def _by_scene(figures: NDArray[np.float64]) -> NDArray[np.float64]:
    """Means of the columns [N], of those that have any figure."""
    known = np.isfinite(figures)
    counts = known.sum(axis=0)
    sums = np.where(known, figures, 0).sum(axis=0)
    return np.asarray(sums[counts > 0] / counts[counts > 0])


def _mean(figures: NDArray[np.float64]) -> float:
    known = figures[np.isfinite(figures)]
    return float(known.mean()) if len(known) else 0.0


def _rounded_list(values: Sequence[float]) -> list[float]:
    return [round(float(value), 5) for value in values]
