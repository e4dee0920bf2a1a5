"""Sizes and rates of the phases of training, and what can be switched on beside them."""

from __future__ import annotations

import argparse
import os
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

from training.data import CACHED_VIEWS, SOURCES
from training.model import STAGES


@dataclass(frozen=True)
class Plan:
    """Sizes and rates of one phase."""

    steps: int
    captioned: int
    """Pictures with human captions in a batch."""
    captions: int
    """Captions drawn for each of them."""
    labelled: int
    classes: int
    """ImageNet classes in a batch that have drawn features instead of pictures."""
    rate_heads: float
    rate_image: float = 0.0
    rate_text: float = 0.0
    weight_decay: float = 0.05
    distillation: float = 0.0
    warmup: int = 30
    minutes: float = 0.0
    """If given, the schedule follows the time spent instead of ``steps``."""


HEADS = Plan(450, 400, 2, 240, 160, 1.5e-3)
TOWERS = Plan(600, 160, 2, 96, 64, 6e-4, rate_image=4e-4, rate_text=8e-5, distillation=0.3)


@dataclass(frozen=True)
class Options:
    """What was tried. The defaults made the first weights; what made the shipped ones is in
    ``docs/model-card.md``."""

    loss: str = "softmax"
    """``softmax`` (InfoNCE) or ``sigmoid`` (SigLIP)."""
    hard_negatives: float = 0.0
    """Weight of hard negatives in the softmax loss (``losses.contrastive_loss``)."""
    smoothing: float = 0.0
    """Label smoothing of the softmax loss."""
    mined: float = 0.0
    """Share of a batch's captioned pictures that are there for a caption near another's."""
    word_dropout: float = 0.0
    """Share of words left out of half of the captions."""
    joined: float = 0.0
    """Share of captions put together of two of a picture."""
    average: float = 0.99
    """Decay of the moving average of the weights, 0 for none."""
    backbone: str = "lite0"
    pooling: str = "attention"
    """``attention`` or ``mean``."""
    pooling_heads: int = 1
    spatial: bool = False
    """Train the heads on whole maps, the pooling with them, instead of their mean."""
    fresh: bool = False
    """Frame pictures anew at every step of the towers, instead of the cached views."""
    end_to_end: bool = False
    """Tune the lower image blocks too, which takes pictures framed anew."""
    seed: int = 0
    holdout: bool = False
    """Keep a fifth of the labels out of training, to see what happens with such."""


def add_options(parser: argparse.ArgumentParser) -> None:
    """Adds a flag for each of ``Options``."""
    choices = {
        "loss": ("softmax", "sigmoid"),
        "pooling": ("attention", "mean"),
        "backbone": tuple(STAGES),
    }
    for field in fields(Options):
        flag = "--" + field.name.replace("_", "-")
        if isinstance(field.default, bool):
            parser.add_argument(flag, action="store_true")
        else:
            parser.add_argument(
                flag,
                type=type(field.default),
                default=field.default,
                choices=choices.get(field.name),
            )


def read_options(args: argparse.Namespace) -> Options:
    """The ``Options`` among parsed arguments."""
    values: dict[str, Any] = {field.name: getattr(args, field.name) for field in fields(Options)}
    return Options(**values)


def train_parser(description: str) -> argparse.ArgumentParser:
    """The arguments of ``training.train_lite``; ``Options`` say what the last group does."""
    parser = argparse.ArgumentParser(description=description)
    parser.add_argument("--data", type=Path, required=True, help="folder of the parquet files")
    parser.add_argument("--sources", nargs="+", default=SOURCES, choices=SOURCES)
    parser.add_argument("--out", type=Path, default=Path("runs/lite"))
    parser.add_argument("--cache", type=Path, help="folder of cached views, else --out")
    parser.add_argument("--resume", action="store_true", help="go on with what --out holds")
    parser.add_argument("--start", type=Path, help="exported weights to tune, instead of heads")
    parser.add_argument("--heads-only", action="store_true")
    parser.add_argument(
        "--views",
        type=int,
        nargs="+",
        default=list(range(CACHED_VIEWS)),
        help="which of training.data.VIEWS",
    )
    parser.add_argument("--head-steps", type=int, default=HEADS.steps)
    parser.add_argument("--steps", type=int, default=TOWERS.steps, help="steps of the towers")
    parser.add_argument("--minutes", type=float, default=0.0, help="time for the towers")
    parser.add_argument(
        "--evaluate-every", type=int, default=100, help="steps of the towers between checkpoints"
    )
    parser.add_argument("--rate", type=float, default=1.0, help="factor of the towers' rates")
    parser.add_argument(
        "--class-share", type=float, default=0.2, help="see Trainer.strengthen_classes"
    )
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    add_options(parser)
    return parser
