"""Draws what a step learns from, and marks the pairs that are neither true nor false."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.augment import draw_changed
from training.data import Picture
from training.model import CLASSES
from training.options import Options, Plan
from training.prompts import draw_class_caption
from training.texts import FrozenTexts

ALIKE = 0.85
"""Cosine of frozen sentence features from which a text may well be true of another's picture."""
NEIGHBOURS = 30
"""Pictures of the nearest captions that mining draws from."""
SHARES = {"sports": 1.3, "actions": 1.0, "scenes": 0.8, "objects": 0.7}
"""Small sets count for more than their size, single-picture classes for less."""


@dataclass
class Batch:
    """What one step learns from: T texts, the first I of the pictures real, then drawn classes."""

    texts: list[str]
    owner: Tensor
    """int64 [T]: the picture of each text, drawn classes counted after the real ones."""
    rows: NDArray[np.int64]
    """Row of each real picture in the cache."""
    view: int
    classes: Tensor
    """int64 [C]: the drawn classes."""
    ignored: Tensor
    """bool [T, I + C]: neither positive nor negative."""


def unseen(label_id: str) -> bool:
    """Whether a class is of the fifth that ``Options.holdout`` keeps out of training."""
    if not label_id:
        return False
    return sum(map(ord, label_id)) % 5 == 0 and not label_id.startswith("imagenet")


class Batches:
    """Draws batches from the training pictures."""

    def __init__(
        self,
        pictures: Sequence[Picture],
        views: int,
        frozen: FrozenTexts,
        probabilities: Tensor,
        options: Options,
    ):
        """``probabilities`` [N, 1000] are the pretrained classifier's of the pictures."""
        self._pictures, self._views, self._frozen = pictures, views, frozen
        self._probabilities, self._options = probabilities, options
        self._captioned = np.array([i for i, p in enumerate(pictures) if p.captions])
        labels = [(i, p) for i, p in enumerate(pictures) if not p.captions]
        held = options.holdout
        self._labelled = np.array([i for i, p in labels if not (held and unseen(p.label_id))])
        numbers = {label: n for n, label in enumerate({p.label_id for p in pictures} - {""})}
        self._labels = np.array([numbers.get(p.label_id, -1) for p in pictures])
        weights = np.array([SHARES.get(pictures[i].source, 1.0) for i in self._labelled])
        self._shares = weights / weights.sum()
        self._rng = np.random.default_rng(options.seed)
        self._near = self._neighbours() if options.mined else None

    def draw(self, plan: Plan) -> Batch:
        """A batch of the sizes of ``plan``."""
        rng, options = self._rng, self._options
        first = self._draw_captioned(min(plan.captioned, len(self._captioned)))
        second = rng.choice(self._labelled, plan.labelled, replace=False, p=self._shares)
        rows = np.concatenate([first, second])
        texts: list[str] = []
        owner: list[int] = []
        for i, row in enumerate(rows):
            picture = self._pictures[row]
            count = plan.captions if picture.captions else 1
            drawn = {
                draw_changed(picture, rng, options.word_dropout, options.joined)
                for _ in range(count)
            }
            texts += sorted(drawn)
            owner += [i] * len(drawn)
        classes = torch.from_numpy(rng.choice(CLASSES, plan.classes, replace=False))
        texts += [draw_class_caption(int(c), rng) for c in classes]
        owners = torch.tensor(owner + [len(rows) + i for i in range(plan.classes)])
        view = int(rng.integers(self._views))
        return Batch(
            texts, owners, rows, view, classes, self._ignored(texts, owners, rows, classes)
        )

    def _draw_captioned(self, count: int) -> NDArray[np.int64]:
        """Rows of captioned pictures, ``Options.mined`` of them near others among them."""
        rng = self._rng
        if self._near is None:
            drawn: NDArray[np.int64] = rng.choice(self._captioned, count, replace=False)
            return drawn
        near = round(count * self._options.mined)
        chosen = list(rng.choice(len(self._captioned), count - near, replace=False))
        taken = set(chosen)
        for i in list(chosen):
            if len(chosen) == count:
                break
            free = [j for j in self._near[i] if j not in taken]
            if free:
                j = int(rng.choice(free))
                chosen.append(j)
                taken.add(j)
        if len(chosen) < count:  # more near ones asked for than chosen ones have
            rest = [i for i in range(len(self._captioned)) if i not in taken]
            chosen += list(rng.choice(rest, count - len(chosen), replace=False))
        return self._captioned[np.array(chosen)]

    def _neighbours(self) -> NDArray[np.int64]:
        """For each captioned picture those with the nearest mean caption."""
        means = np.stack(
            [self._frozen(self._pictures[i].captions).mean(0) for i in self._captioned]
        )
        means /= np.linalg.norm(means, axis=1, keepdims=True)
        count = min(NEIGHBOURS, len(means) - 1)
        scores = means @ means.T
        np.fill_diagonal(scores, -2.0)
        near: NDArray[np.int64] = np.argpartition(-scores, count - 1, axis=1)[:, :count]
        return near

    def _ignored(
        self, texts: list[str], owner: Tensor, rows: NDArray[np.int64], classes: Tensor
    ) -> Tensor:
        """Pairs that may well be true: equal labels, near-equal texts, the classifier's opinion."""
        text = torch.from_numpy(self._frozen(texts))
        pictures = len(rows) + len(classes)
        alike = text @ text.T > ALIKE
        near = torch.zeros(len(texts), pictures)
        near.index_add_(1, owner, alike.float())
        labels = np.concatenate([self._labels[rows], np.full(len(classes), -1)])
        same = torch.from_numpy((labels[:, None] == labels[None]) & (labels >= 0)[None])
        opinion = torch.zeros(pictures, pictures, dtype=torch.bool)
        maybe = self._probabilities[torch.from_numpy(rows)][:, classes] > 0.04
        opinion[: len(rows), len(rows) :] = maybe
        opinion[len(rows) :, : len(rows)] = maybe.T
        return (near > 0) | (same | opinion)[owner]
