"""Ways to code vectors in so many bytes: experts by route, and what they are compared with."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_video.moe_experts.adapt import FilmVectors
from semantic_video.moe_experts.baselines import scalar_pca
from semantic_video.moe_experts.codec import ExpertCodec
from semantic_video.moe_experts.quantiser import Quantiser, normal_levels
from semantic_video.moe_experts.routes import Route, route_labels
from semantic_video.semantic_clustering import SemanticClustering

FloatArray = NDArray[np.float32]
Coder = Callable[[FilmVectors], FloatArray]
"""Held-out film -> what is left of its frames [M, D]."""

EXPERTS = 16


def coders(
    seen: FilmVectors, size: int, bank: FloatArray, seed: int
) -> dict[str, Callable[[], tuple[Coder, float]]]:
    """Every way to code in ``size`` bytes: what fits it to what is seen, and gives the bytes of its
    weights as well."""
    ways: dict[str, Callable[[], tuple[Coder, float]]] = {}
    count = min(EXPERTS, len(seen.scenes))
    centroids = SemanticClustering("kmeans", count, seed).fit(seen.scenes).centroids(seen.scenes)
    for name, route, texts, local in (
        ("semantic", "semantic", bank, None),
        ("semantic, directions of each", "semantic", bank, 100.0),
        ("temporal", "temporal", bank, None),
        ("random", "random", bank, None),
        ("hash", "hash", bank, None),
        ("one shared", "dense", bank, None),
        ("semantic, no texts", "semantic", None, None),
    ):
        ways[name] = partial(_experts, seen, size, route, centroids, texts, local, seed)  # type: ignore[arg-type]
    ways["semantic, rest by directions of each"] = partial(
        _residual, seen, size, centroids, bank, seed
    )
    ways["nearest earlier scene"] = partial(_nearest, seen, size, bank)
    width, frames = seen.scenes.shape[1], seen.frames
    for bits in (8, 4):
        dimensions = min(size * 8 // bits, width)
        weights = (dimensions + 1) * width * 2
        ways[f"PCA int{bits}"] = partial(_plain, scalar_pca, weights, frames, size, bits)
        ways[f"PCA, turned, int{bits}"] = partial(_plain, _turned, weights, frames, size, bits)
    weights = (min(size * 8, width) + 1) * width * 2
    ways["binary"] = partial(_plain, _binary, weights, frames, size)
    ways["PQ"] = partial(_plain, _product, 256 * width * 2, frames, size, seed)
    weights = 2 * size * width * 2
    ways["dense autoencoder"] = partial(_plain, _autoencoder, weights, frames, size, seed)
    return ways


def _experts(
    seen: FilmVectors,
    size: int,
    route: Route,
    centroids: FloatArray,
    texts: FloatArray | None,
    local: float | None,
    seed: int,
) -> tuple[Coder, float]:
    def routed(film: FilmVectors) -> NDArray[np.int64]:
        first = np.unique(film.frame_scenes, return_index=True)[1]
        return route_labels(route, film.scenes, film.times_s[first], centroids, seed)

    labels = np.unique(routed(seen), return_inverse=True)
    codec = ExpertCodec.fit(
        seen.scenes, labels[1], seen.frames, seen.frame_scenes, size, texts, local
    )

    def code(film: FilmVectors) -> FloatArray:
        own = np.minimum(np.searchsorted(labels[0], routed(film)), len(labels[0]) - 1)
        coded = codec.encode(film.scenes, own, film.frames, film.frame_scenes)
        return codec.decode(coded, film.frame_scenes)[1]

    return code, codec.nbytes


def _residual(
    seen: FilmVectors, size: int, centroids: FloatArray, texts: FloatArray, seed: int
) -> tuple[Coder, float]:
    """A shared basis for three quarters of the bytes, and what it leaves of a frame by directions
    and bits of each category (its covariance, shrunk to that of all)."""
    own = max(1, size // 4)

    def routed(film: FilmVectors) -> NDArray[np.int64]:
        return np.asarray(np.argmax(film.scenes @ centroids.T, axis=1))

    def base(film: FilmVectors) -> FloatArray:
        coded = codec.encode(film.scenes, routed(film), film.frames, film.frame_scenes)
        return codec.sums(coded, film.frame_scenes)[1]

    codec = ExpertCodec.fit(
        seen.scenes, routed(seen), seen.frames, seen.frame_scenes, size - own, texts
    )
    owners = routed(seen)[seen.frame_scenes]
    rest = Quantiser.fit(seen.frames - base(seen), owners, len(centroids), own, texts, 30.0)

    def code(film: FilmVectors) -> FloatArray:
        decoded, experts = base(film), routed(film)[film.frame_scenes]
        rests = film.frames - decoded
        return decoded + rest.decode(rest.encode(rests, experts), experts)

    kept = (rest.back, rest.steps, rest.scales, rest.bits)
    return code, codec.nbytes + sum(array.nbytes for array in kept)


def _nearest(seen: FilmVectors, size: int, texts: FloatArray) -> tuple[Coder, float]:
    """Each scene from the most alike that was seen before, an expert whose mean costs nothing since
    the memory holds it: one byte more names it, of what the code had."""
    alike = seen.scenes @ seen.scenes.T
    np.fill_diagonal(alike, -1)
    earlier = np.argmax(alike, axis=1)
    means = (0.8 * seen.scenes).astype(np.float16)
    rests = seen.scenes - means[earlier].astype(np.float32)
    near = seen.frames - means[earlier[seen.frame_scenes]].astype(np.float32)
    both, nobody = np.concatenate([rests, near]), np.zeros(len(rests) + len(near), np.int64)
    entries = Quantiser.fit(both, nobody, 1, size - 1, texts)
    flat = nobody[: len(rests)]
    decoded = means[earlier] + entries.decode(entries.encode(rests, flat), flat)
    rest = seen.frames - decoded[seen.frame_scenes]
    frames = Quantiser.fit(rest, nobody[: len(rest)], 1, size, texts)

    def code(film: FilmVectors) -> FloatArray:
        own = np.argmax(film.scenes @ seen.scenes.T, axis=1)
        start = means[own].astype(np.float32)
        zeros = np.zeros(len(own), np.int64)
        scenes = start + entries.decode(entries.encode(film.scenes - start, zeros), zeros)
        rests = film.frames - scenes[film.frame_scenes]
        zeros = np.zeros(len(rests), np.int64)
        coded = frames.decode(frames.encode(rests, zeros), zeros)
        return np.asarray(scenes[film.frame_scenes] + coded, dtype=np.float32)

    kept = [
        getattr(quantiser, name)
        for quantiser in (entries, frames)
        for name in ("back", "steps", "scales", "bits")
    ]
    return code, sum(array.nbytes for array in kept)


def _plain(
    make: Callable[..., Callable[[FloatArray], FloatArray]], weights: float, *arguments: Any
) -> tuple[Coder, float]:
    """A way to code that looks at single frames only."""
    coder = make(*arguments)
    return (lambda film: coder(film.frames)), weights


def _turned(vectors: FloatArray, size: int, bits: int) -> Callable[[FloatArray], FloatArray]:
    """Leading principal coordinates turned by chance, so that one step serves all of them."""
    centre = vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(vectors - centre, full_matrices=False)
    axes = axes[: size * 8 // bits]
    noise = np.random.default_rng(0).standard_normal((len(axes), len(axes)))
    axes = np.linalg.qr(noise)[0] @ axes
    levels = normal_levels(bits) * np.float32(((vectors - centre) @ axes.T).std())
    edges = (levels[1:] + levels[:-1]) / 2

    def code(others: FloatArray) -> FloatArray:
        steps = np.searchsorted(edges, (others - centre) @ axes.T)
        return np.asarray(centre + levels[steps] @ axes, dtype=np.float32)

    return code


def _binary(vectors: FloatArray, size: int) -> Callable[[FloatArray], FloatArray]:
    """Signs of the leading principal directions, of a random rotation where more bits are left."""
    centre = vectors.mean(axis=0)
    _, _, axes = np.linalg.svd(vectors - centre, full_matrices=False)
    bits, width = size * 8, vectors.shape[1]
    if bits < len(axes):
        turn = np.linalg.qr(np.random.default_rng(0).standard_normal((bits, bits)))[0]
        axes = turn @ axes[:bits]
    else:
        axes = np.linalg.qr(np.random.default_rng(0).standard_normal((max(bits, width), width)))[0]
    scale = np.abs((vectors - centre) @ axes.T).mean(axis=0)
    return lambda x: np.asarray(
        centre + (np.sign((x - centre) @ axes.T) * scale) @ axes, dtype=np.float32
    )


def _product(vectors: FloatArray, size: int, seed: int) -> Callable[[FloatArray], FloatArray]:
    """Product quantisation (Jegou 2011): ``size`` parts with up to 256 centroids each."""
    from sklearn.cluster import KMeans

    parts = np.array_split(np.arange(vectors.shape[1]), size)
    books = [
        KMeans(min(256, len(vectors) // 2), n_init=1, max_iter=8, init="random", random_state=seed)
        .fit(vectors[:, part])
        .cluster_centers_.astype(np.float32)
        for part in parts
    ]

    def code(x: FloatArray) -> FloatArray:
        rebuilt = np.empty_like(x)
        for part, book in zip(parts, books, strict=True):
            distances = (book**2).sum(axis=1) - 2 * x[:, part] @ book.T
            rebuilt[:, part] = book[np.argmin(distances, axis=1)]
        return rebuilt

    return code


def _autoencoder(vectors: FloatArray, size: int, seed: int) -> Callable[[FloatArray], FloatArray]:
    """A dense autoencoder with ``size`` units in the middle, each rounded to a byte."""
    import torch

    torch.manual_seed(seed)
    width, x = vectors.shape[1], torch.from_numpy(vectors)
    centre = x.mean(dim=0)
    _, _, axes = torch.linalg.svd(x - centre, full_matrices=False)
    inner, outer = torch.nn.Linear(width, size), torch.nn.Linear(size, width)
    with torch.no_grad():  # from the principal directions, or it never gets there
        axes = torch.nn.functional.pad(axes[:size], (0, 0, 0, max(0, size - len(axes))))
        inner.weight.copy_(axes)
        inner.bias.copy_(-axes @ centre)
        outer.weight.copy_(axes.T)
        outer.bias.copy_(centre)
    optimiser = torch.optim.Adam([*inner.parameters(), *outer.parameters()], 1e-4)
    for _ in range(100):
        hidden = inner(x)
        loss = (outer(hidden + torch.randn_like(hidden) * hidden.std() / 64) - x).square().mean()
        optimiser.zero_grad()
        loss.backward()
        optimiser.step()
    with torch.no_grad():
        step = inner(x).abs().amax(dim=0).clamp_min(1e-9) / 127

    def code(others: FloatArray) -> FloatArray:
        with torch.no_grad():
            hidden = (inner(torch.from_numpy(others)) / step).round().clamp(-127, 127) * step
            return np.asarray(outer(hidden).numpy())

    return code
