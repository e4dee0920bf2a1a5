"""Retrieval and zero-shot figures from embeddings of unit length."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np
from numpy.typing import NDArray

from training.data import LABELLED, Picture
from training.prompts import SCORED

Embed = Callable[[Sequence[str]], NDArray[np.float32]]


def text_to_image(
    images: NDArray[np.float32], texts: NDArray[np.float32], owner: NDArray[np.int64]
) -> dict[str, float]:
    """Share of texts [T, D] whose own picture is among the first 1, 5, 10 of images [N, D]."""
    scores = texts @ images.T
    own = scores[np.arange(len(texts)), owner]
    rank = (scores > own[:, None]).sum(1)
    return {f"R@{k}": float((rank < k).mean()) for k in (1, 5, 10)}


def retrieval(
    pictures: Sequence[Picture], images: NDArray[np.float32], embed: Embed
) -> dict[str, float]:
    """Text-to-image retrieval over the captioned pictures among ``pictures``."""
    rows = [i for i, p in enumerate(pictures) if p.captions]
    texts = [c for i in rows for c in pictures[i].captions]
    owner = np.repeat(np.arange(len(rows)), [len(pictures[i].captions) for i in rows])
    return text_to_image(images[rows], embed(texts), owner)


def zero_shot(
    pictures: Sequence[Picture],
    images: NDArray[np.float32],
    embed: Embed,
    unseen: Callable[[str], bool] | None = None,
) -> dict[str, float]:
    """Top-1 accuracy of each labelled set over its class names, and over pictures of ``unseen``
    classes alone if given.
    """
    result = {}
    for source in LABELLED:
        rows = [i for i, p in enumerate(pictures) if p.source == source]
        if not rows:
            continue
        truth = np.array([pictures[i].label for i in rows])
        names = np.unique(truth)
        prompts = embed([SCORED[source].format(n) for n in names])
        right = names[(images[rows] @ prompts.T).argmax(1)] == truth
        result[source] = float(right.mean())
        if unseen is not None:
            pick = [unseen(pictures[i].label_id) for i in rows]
            result[f"{source} unseen"] = float(right[pick].mean())
    return result
