"""The objectives against what their papers say, written out in loops."""

from __future__ import annotations

import math

import pytest
import torch

from training.losses import contrastive_loss, sigmoid_loss

TEXTS, PICTURES = 5, 4
OWNER = torch.tensor([0, 1, 1, 2, 3])


def scores() -> torch.Tensor:
    return torch.randn(TEXTS, PICTURES, generator=torch.Generator().manual_seed(3)) * 3


def left_out() -> torch.Tensor:
    ignored = torch.zeros(TEXTS, PICTURES, dtype=torch.bool)
    ignored[0, 2] = ignored[3, 0] = True
    return ignored


def written_out(
    logits: torch.Tensor, ignored: torch.Tensor, beta: float, smoothing: float
) -> float:
    """Robinson et al. 2021 without their prior, and label smoothing, one pair at a time."""
    own = [[int(OWNER[t]) == i for i in range(PICTURES)] for t in range(TEXTS)]

    def one(positive: float, negatives: list[float], among: list[float]) -> float:
        weights = [math.exp(beta * s) for s in negatives]
        mean = sum(weights) / len(weights)
        against = sum(w / mean * math.exp(s) for w, s in zip(weights, negatives, strict=True))
        whole = math.log(math.exp(positive) + against)
        return whole - (1 - smoothing) * positive - smoothing * sum(among) / len(among)

    losses = []
    for t in range(TEXTS):
        i = int(OWNER[t])
        positive = float(logits[t, i])
        row = [float(logits[t, j]) for j in range(PICTURES) if not own[t][j] and not ignored[t, j]]
        column = [float(logits[s, i]) for s in range(TEXTS) if not own[s][i] and not ignored[s, i]]
        others = [float(logits[s, i]) for s in range(TEXTS) if own[s][i]]
        losses.append(one(positive, row, [*row, positive]))
        losses.append(one(positive, column, column + others))
    return sum(losses) / len(losses)


@pytest.mark.parametrize(("beta", "smoothing"), [(0, 0), (0.5, 0), (0, 0.1), (1.0, 0.2)])
def test_softmax_loss(beta: float, smoothing: float) -> None:
    got = contrastive_loss(scores(), OWNER, left_out(), beta, smoothing)
    assert float(got) == pytest.approx(written_out(scores(), left_out(), beta, smoothing), rel=1e-5)


def test_hard_negatives_pull_harder_where_the_negative_is_hard() -> None:
    def pull(beta: float) -> float:
        logits = torch.tensor([[2.0, 1.9, -3.0], [0.0, 2.0, 0.0], [0.0, 0.0, 2.0]])
        logits.requires_grad_()
        nothing = torch.zeros(3, 3, dtype=torch.bool)
        contrastive_loss(logits, torch.arange(3), nothing, beta).backward()
        assert logits.grad is not None
        return float(logits.grad[0, 1] / logits.grad[0, 2])

    assert pull(1.0) > 2 * pull(0.0)


def test_a_text_without_negatives_does_not_break_the_weighed_loss() -> None:
    logits = scores().requires_grad_()
    ignored = left_out()
    ignored[0] = True
    loss = contrastive_loss(logits, OWNER, ignored, hardness=0.5)
    loss.backward()
    assert math.isfinite(loss.item())
    assert logits.grad is not None
    assert bool(logits.grad.isfinite().all())


def test_sigmoid_loss() -> None:
    logits, ignored = scores() - 2.0, left_out()
    total = 0.0
    for t in range(TEXTS):
        for i in range(PICTURES):
            own = int(OWNER[t]) == i
            if own or not ignored[t, i]:
                total += math.log(1 + math.exp(-float(logits[t, i]) * (1 if own else -1)))
    assert float(sigmoid_loss(logits, OWNER, ignored)) == pytest.approx(total / TEXTS, rel=1e-5)


@pytest.mark.parametrize("loss", [contrastive_loss, sigmoid_loss])
def test_what_is_ignored_does_not_count(loss: object) -> None:
    changed = scores()
    changed[0, 2] += 5.0
    assert callable(loss)
    before, after = (loss(s, OWNER, left_out()) for s in (scores(), changed))
    assert float(before) == float(after)
