"""The job *adapt*: refine vectors to one film, so that what returns in it is found again.

Everything is learned from the film itself, without labels. Training begins at a closed form, which
is the identity at strength 0:

- the shared expert takes out what varies within scenes (within-class covariance normalisation,
  Hatch 2006): how the frames of one scene differ says nothing about which scene it is;
- the expert of a category moves a vector towards the category's centre, as far as the router sends
  it there, so that scenes of one category gather.

Then gradient steps may follow, with positives by ``objective`` (see `positives`), an anchor to the
start and preservation of similarities to a bank of texts. What is kept is for held-out time to say.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, cast, get_args

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from semantic_video.moe_experts.model import Expert, SceneMoE
from semantic_video.moe_experts.routes import Route, route_labels

FloatArray = NDArray[np.float32]
Objective = Literal["recurrence", "scene", "shotcol"]
OBJECTIVES: tuple[Objective, ...] = get_args(Objective)

# Directions whose variance within scenes is so many times the mean one are halved in energy.
_DAMPING = 3.0
_CONTRAST_TEMPERATURE = 0.1
_LEARNING_RATE = 1e-3
_ANCHOR_WEIGHT = 10.0
_TEXT_WEIGHT = 300.0
_BALANCE_WEIGHT = 1e-2  # as Switch Transformers
_Z_WEIGHT = 1e-3  # as ST-MoE
# ShotCoL looks for a scene's neighbour among so many scenes before and after.
_SHOTCOL_WINDOW = 8
# So many frames take part in one step.
_BATCH = 1024


@dataclass(frozen=True, slots=True, eq=False)
class FilmVectors:
    """What adapt learns from: M frames of N scenes in order of time.

    ``frames`` float32[M, D], ``times_s`` float64[M], ``frame_scenes`` int64[M] the scene of each
    frame, ``scenes`` float32[N, D] and ``categories`` int64[N] the category of each scene.
    """

    frames: FloatArray
    times_s: NDArray[np.float64]
    frame_scenes: NDArray[np.int64]
    scenes: FloatArray
    categories: NDArray[np.int64]


@dataclass(frozen=True, slots=True)
class Recipe:
    """How the adapters are made; see the module.

    ``strength`` is how far vectors move towards the centre of their category (0: not at all),
    ``from_mean`` how much of the mean of all centres is taken off that (hubs are near it),
    ``normalise`` whether the shared expert takes out what varies within scenes, ``epochs`` how many
    gradient steps follow.
    """

    strength: float = 0.3
    from_mean: float = 0.0
    normalise: bool = True
    epochs: int = 0
    objective: Objective = "recurrence"
    route: Route = "semantic"
    top_k: int = 8
    temperature: float = 0.05
    rank: int = 4
    shared_rank: int = 64
    seed: int = 0


def fit_adapters(
    film: FilmVectors, centroids: FloatArray, recipe: Recipe, texts: FloatArray | None = None
) -> tuple[SceneMoE, list[dict[str, float]]]:
    """A mixture trained by ``recipe``, and the losses of each epoch by name.

    ``centroids`` [K, D] of the categories start the router; ``texts`` [V, D] is the bank whose
    similarities are to be preserved.
    """
    torch.manual_seed(recipe.seed)
    moe = SceneMoE(
        torch.from_numpy(np.ascontiguousarray(centroids)),
        recipe.rank,
        recipe.shared_rank,
        min(recipe.top_k, len(centroids)),
        recipe.temperature,
        recipe.seed,
    )
    start(moe, film, recipe)
    history: list[dict[str, float]] = []
    if recipe.epochs:
        history = _descend(moe, film, recipe, texts)
    return moe.eval(), history


def gates_of(
    moe: SceneMoE, vectors: FloatArray, times_s: NDArray[np.float64], route: Route, seed: int
) -> Tensor | None:
    """Gates [N, K] of a control route; None where the router decides."""
    if route == "semantic":
        return None
    centroids = moe.router.weight.detach().numpy()
    labels = route_labels(route, vectors, times_s, centroids, seed)
    return functional.one_hot(torch.from_numpy(labels), moe.num_experts).float()


def start(moe: SceneMoE, film: FilmVectors, recipe: Recipe) -> None:
    """Put the closed form of ``recipe`` into a mixture that is still the identity."""
    with torch.no_grad():
        if recipe.strength:
            gates = gates_of(moe, film.frames, film.times_s, recipe.route, recipe.seed)
            if gates is None:
                centres: Tensor = moe.router.weight
            else:
                sums = gates.T @ torch.from_numpy(film.frames)
                centres = functional.normalize(sums, dim=1)
            hub = recipe.from_mean * centres.mean(dim=0)
            for expert, centre in zip(moe.experts, centres, strict=True):
                cast(Expert, expert).bias.copy_(recipe.strength * (centre - hub))
        if recipe.normalise:
            axes, factors = within_scene_axes(film, moe.shared.down.shape[0])
            count = len(factors)
            moe.shared.down.zero_()
            moe.shared.down[:count] = torch.from_numpy(axes.T.astype(np.float32))
            moe.shared.up[:, :count] = torch.from_numpy((axes * (factors - 1)).astype(np.float32))


def within_scene_axes(
    film: FilmVectors, count: int
) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """The ``count`` directions [D, R] that vary most within scenes, and what to scale each by [R].

    Scaling by root(damping / (variance + damping)), variances relative to their mean over all
    directions, is the inverse root of the shrunk within-scene covariance, up to a factor.
    """
    owners = film.frame_scenes
    sums = np.zeros((int(owners.max()) + 1, film.frames.shape[1]))
    np.add.at(sums, owners, film.frames)
    counts = np.bincount(owners)
    rests = film.frames - (sums / np.maximum(counts, 1)[:, None])[owners]
    covariance = rests.T @ rests
    mean = float(np.trace(covariance)) / len(covariance)
    if mean < 1e-9:  # a frame a scene: nothing varies within
        return np.zeros((len(covariance), 0)), np.zeros(0)
    variances, axes = np.linalg.eigh(covariance / mean)
    largest = slice(None, -count - 1, -1)
    variances, axes = np.maximum(variances[largest], 0), axes[:, largest]
    return axes, np.sqrt(_DAMPING / (variances + _DAMPING))


def positives(film: FilmVectors, objective: Objective) -> NDArray[np.bool_]:
    """Which frames should be alike: bool[M, M].

    ``scene``: frames of one scene. ``shotcol``: those, and the frames of the scene nearby in time
    that is most alike (ShotCoL, Chen 2021). ``recurrence``: frames of one category, at any time.
    """
    owners = film.frame_scenes
    same = np.asarray(owners[:, None] == owners[None, :])
    if objective == "scene":
        return same
    if objective == "recurrence":
        labels = film.categories[owners]
        return np.asarray(labels[:, None] == labels[None, :])
    count = len(film.scenes)
    likeness = film.scenes @ film.scenes.T
    distance = np.abs(np.arange(count)[:, None] - np.arange(count)[None, :])
    likeness[(distance == 0) | (distance > _SHOTCOL_WINDOW)] = -np.inf
    nearest = np.argmax(likeness, axis=1)
    partner = nearest[owners][:, None] == owners[None, :]
    return np.asarray(same | partner | partner.T)


def _descend(
    moe: SceneMoE, film: FilmVectors, recipe: Recipe, texts: FloatArray | None
) -> list[dict[str, float]]:
    """Gradient steps on the contrast of `positives`; returns the losses of each."""
    rng = np.random.default_rng(recipe.seed)
    bank = None if texts is None else torch.from_numpy(np.ascontiguousarray(texts))
    parameters = moe.trainable()
    anchors = [parameter.detach().clone() for parameter in parameters]
    optimiser = torch.optim.Adam(parameters, _LEARNING_RATE)
    pairs = positives(film, recipe.objective)
    history = []
    for _ in range(recipe.epochs):
        rows = rng.permutation(len(film.frames))[:_BATCH]
        vectors = torch.from_numpy(film.frames[rows])
        gates = gates_of(moe, film.frames[rows], film.times_s[rows], recipe.route, recipe.seed)
        output = moe(vectors, gates)
        losses = {
            "contrast": contrast(output.vectors, torch.from_numpy(pairs[np.ix_(rows, rows)])),
            "anchor": sum(
                (parameter - anchor).square().sum()
                for parameter, anchor in zip(parameters, anchors, strict=True)
            )
            / len(anchors),
            **output.losses,
        }
        weighted = losses["contrast"] + _ANCHOR_WEIGHT / moe.num_experts * losses["anchor"]
        if bank is not None:
            losses["texts"] = ((output.vectors - vectors) @ bank.T).square().mean()
            weighted = weighted + _TEXT_WEIGHT * losses["texts"]
        if output.losses:
            weighted = weighted + _BALANCE_WEIGHT * losses["balance"] + _Z_WEIGHT * losses["z"]
        optimiser.zero_grad()
        weighted.backward()
        optimiser.step()
        history.append({name: float(loss.detach()) for name, loss in losses.items()})
    return history


def contrast(vectors: Tensor, alike: Tensor) -> Tensor:
    """Supervised contrastive loss (Khosla 2020) of [N, D] with positives ``alike`` bool[N, N]."""
    count = len(vectors)
    logits = vectors @ vectors.T / _CONTRAST_TEMPERATURE
    self_mask = torch.eye(count, dtype=torch.bool)
    log_shares = logits.masked_fill(self_mask, -torch.inf).log_softmax(dim=1)
    wanted = (alike & ~self_mask).float()
    numbers = wanted.sum(dim=1)
    told = numbers > 0
    if not told.any():
        return vectors.sum() * 0
    sums = (log_shares.masked_fill(self_mask, 0) * wanted).sum(dim=1)
    return -(sums[told] / numbers[told]).mean()
