"""The training objectives."""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor


def contrastive_loss(logits: Tensor, owner: Tensor, ignored: Tensor) -> Tensor:
    """Symmetric InfoNCE (van den Oord et al. 2018; CLIP) where a picture may have several texts.

    Args:
        logits: scaled cosines [T, I] of texts and pictures.
        owner: int64 [T], the picture that each text belongs to.
        ignored: bool [T, I], pairs that are neither positives nor negatives.
    """
    own = F.one_hot(owner, logits.shape[1]).bool()
    positive = logits[own]
    negatives = logits.masked_fill(ignored | own, -torch.inf)
    among_pictures = torch.logsumexp(negatives, 1)
    among_texts = torch.logsumexp(negatives, 0)[owner]
    return (F.softplus(among_pictures - positive) + F.softplus(among_texts - positive)).mean() / 2


def distillation_loss(logits: Tensor, teacher: Tensor, temperature: float = 2.0) -> Tensor:
    """Divergence from the pretrained classifier (Hinton et al. 2015; Li and Hoiem 2016)."""
    ours = (logits / temperature).log_softmax(1)
    return F.kl_div(ours, (teacher / temperature).softmax(1), reduction="batchmean")
