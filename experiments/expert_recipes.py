"""Ways to refine vectors to a film: recipes of experts, and what is done to them otherwise."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_video.moe_experts.adapt import FilmVectors, Recipe, gates_of, within_scene_axes
from semantic_video.moe_experts.codec import unit_rows
from semantic_video.moe_experts.held_out import words_of
from semantic_video.moe_experts.training import part_of

FloatArray = NDArray[np.float32]

_NEAR_CENTRES = 10


def recipes(seed: int) -> dict[str, Recipe | None]:
    """Every way to refine; None is the identity."""
    base = Recipe(normalise=False, seed=seed)
    return {
        "identity": None,
        "semantic": base,
        "temporal": replace(base, route="temporal"),
        "random": replace(base, route="random"),
        "hash": replace(base, route="hash"),
        "dense": replace(base, route="dense"),
        "within-scene whitening": replace(base, strength=0.0, normalise=True),
        "semantic and whitening": replace(base, normalise=True),
        "semantic, hubs taken off": replace(base, from_mean=1.0),
        "semantic, one expert a vector": replace(base, top_k=1),
        "semantic, cooler router": replace(base, temperature=0.02),
        "trained on recurrence": replace(base, epochs=30),
        "trained on scenes": replace(base, epochs=30, objective="scene"),
        "trained as ShotCoL": replace(base, epochs=30, objective="shotcol"),
    }


def by_word(seen: FilmVectors, bank: FloatArray) -> tuple[FilmVectors, FloatArray]:
    """The film with the word that stands out most as the category of a scene, and the centres."""
    words = words_of(seen.scenes, bank, seen.scenes)
    labels = np.unique(words, return_inverse=True)[1]
    sums = np.zeros((int(labels.max()) + 1, seen.scenes.shape[1]), np.float32)
    np.add.at(sums, labels, seen.scenes)
    return replace(seen, categories=labels.astype(np.int64)), unit_rows(sums)


def nearest_pairs(seen: FilmVectors) -> FilmVectors:
    """The film with a category for each two scenes that are nearest to one another, at any time."""
    likeness = seen.scenes @ seen.scenes.T
    np.fill_diagonal(likeness, -np.inf)
    nearest = likeness.argmax(axis=1)
    own = np.arange(len(nearest))
    return replace(
        seen, categories=np.where(nearest[nearest] == own, np.minimum(own, nearest), own)
    )


def _whiten_each(moe: Any, seen: FilmVectors) -> None:
    """Give each expert what varies within the scenes of its category, to be taken out."""
    import torch

    labels = seen.categories[seen.frame_scenes]
    for number, expert in enumerate(moe.experts):
        if (labels == number).sum() < 2:
            continue
        axes, factors = within_scene_axes(part_of(seen, seen.categories == number), moe.rank)
        count = len(factors)
        with torch.no_grad():
            expert.down.zero_()
            expert.down[:count] = torch.from_numpy(axes.T.astype(np.float32))
            expert.up[:, :count] = torch.from_numpy((axes * (factors - 1)).astype(np.float32))


def _near_hubs_off(moe: Any, seen: FilmVectors) -> None:
    """Take off each expert's centre the mean of the centres nearest to it, as CSLS does."""
    import torch

    with torch.no_grad():
        centres = moe.router.weight
        likeness = centres @ centres.T
        likeness.fill_diagonal_(-torch.inf)
        near = likeness.topk(min(_NEAR_CENTRES, len(centres) - 1), dim=1).indices  # [K, near]
        hubs = centres[near].mean(dim=1)  # [K, D]
        for expert, centre, hub in zip(moe.experts, centres, hubs, strict=True):
            expert.bias.copy_(Recipe().strength * (centre - hub))


ALTERED = {"semantic, whitening of each": _whiten_each, "semantic, near hubs off": _near_hubs_off}
"""What is done to the experts of the semantic recipe after they are fitted."""


def refine(
    moe: Any, vectors: FloatArray, times_s: NDArray[np.float64], recipe: Recipe
) -> FloatArray:
    """The vectors [N, D] at ``times_s`` [N] as fitted experts refine them."""
    import torch

    with torch.no_grad():
        gates = gates_of(moe, vectors, times_s, recipe.route, recipe.seed)
        return np.asarray(moe(torch.from_numpy(vectors), gates).vectors.numpy())
