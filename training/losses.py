"""The training objectives."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def contrastive_loss(
    logits: Tensor,
    owner: Tensor,
    ignored: Tensor,
    hardness: float = 0.0,
    smoothing: float = 0.0,
) -> Tensor:
    """Symmetric InfoNCE (van den Oord et al. 2018; CLIP) where a picture may have several texts.

    Args:
        logits: scaled cosines [T, I] of texts and pictures.
        owner: int64 [T], the picture that each text belongs to.
        ignored: bool [T, I], pairs that are neither positives nor negatives.
        hardness: the exponent beta of Robinson et al. 2021: a negative counts in proportion to its
            exponentiated score to that power, so that hard ones count for more; 0 is plain InfoNCE.
        smoothing: label smoothing, the share of the target that is spread over all pairs.
    """
    own = F.one_hot(owner, logits.shape[1]).bool()
    positive = logits[own]
    negative = ~(ignored | own)
    among_pictures = _weighed(logits, negative, hardness, 1)
    among_texts = _weighed(logits, negative, hardness, 0)[owner]
    loss = F.softplus(among_pictures - positive) + F.softplus(among_texts - positive)
    if smoothing:
        # A target that is no longer all on the positive: the spread part asks for the mean score.
        counted = negative | own
        total = logits.masked_fill(~counted, 0.0)
        over_pictures = total.sum(1) / counted.sum(1)
        over_texts = (total.sum(0) / counted.sum(0).clamp(min=1))[owner]
        loss = loss + smoothing * (2 * positive - over_pictures - over_texts)
    return loss.mean() / 2


def _weighed(logits: Tensor, negative: Tensor, hardness: float, axis: int) -> Tensor:
    """Log of the sum of the exponentiated negatives, weighed by their hardness with mean 1."""
    scores = logits.masked_fill(~negative, -torch.inf)
    if not hardness:
        return torch.logsumexp(scores, axis)
    # A row without negatives keeps minus infinity, not the undefined difference of two of them.
    some = negative.any(axis)
    scores = scores.masked_fill(~some.unsqueeze(axis), 0.0)
    # The weights are constants: else the easiest negatives would be drawn nearer.
    powers = (hardness * scores).detach()
    mean = torch.logsumexp(powers, axis, keepdim=True)
    mean = mean - negative.sum(axis, keepdim=True).clamp(min=1).log()
    weighed = torch.logsumexp(scores + powers - mean, axis)
    return weighed.masked_fill(~some, -torch.inf)


def sigmoid_loss(logits: Tensor, owner: Tensor, ignored: Tensor) -> Tensor:
    """Every pair judged by itself (SigLIP, Zhai et al. 2023), summed and divided by the texts.

    Args:
        logits: scaled cosines [T, I] with the learned bias added.
        owner: int64 [T], the picture that each text belongs to.
        ignored: bool [T, I], pairs that are neither positives nor negatives.
    """
    own = F.one_hot(owner, logits.shape[1]).bool()
    counted = own | ~ignored
    return F.softplus(torch.where(own, -logits, logits))[counted].sum() / len(logits)


SIGMOID_BIAS = -10.0
"""Where the bias of the sigmoid loss starts: nearly all pairs are negatives."""


def distillation_loss(logits: Tensor, teacher: Tensor, temperature: float = 2.0) -> Tensor:
    """Divergence from the pretrained classifier (Hinton et al. 2015; Li and Hoiem 2016)."""
    ours = (logits / temperature).log_softmax(1)
    return F.kl_div(ours, (teacher / temperature).softmax(1), reduction="batchmean")
