"""Averages the weights of models that were tuned from one another, and exports the average.

``python -m training.blend --models A B --shares 0.5 0.5 --out DIR``. Each model is a checkpoint of
``training.train_lite`` or a folder that ``training.export`` wrote. Between a model and one tuned
further from it lie models that may be better than both (Wortsman et al. 2022, WiSE-FT and soups).
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

import torch

from experiments.run_record import in_a_line
from training.export import export, load_checkpoint
from training.model import LiteModel
from training.restore import load_exported


def load_any(path: Path) -> LiteModel:
    """A checkpoint or an exported folder as a model, the batch norms folded."""
    if path.is_dir():
        model = LiteModel()
        load_exported(model, path)
    else:
        model = load_checkpoint(path)
    model.fold()
    return model.eval()


def _add_up(shares: Sequence[float], models: int) -> bool:
    return len(shares) == models and abs(sum(shares) - 1) <= 1e-6


@torch.no_grad()
def blend(models: Sequence[LiteModel], shares: Sequence[float]) -> LiteModel:
    """The average of the weights, weighed by ``shares``, which add up to 1."""
    if not _add_up(shares, len(models)):
        raise ValueError("the shares have to add up to 1, one for each model")
    result = LiteModel(models[0].backbone)
    states = [model.state_dict() for model in models]
    mixed = {
        name: torch.stack([s * state[name] for s, state in zip(shares, states, strict=True)]).sum(0)
        for name in states[0]
    }
    result.load_state_dict(mixed)
    return result.eval()


def main() -> None:
    """Blends and exports."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", type=Path, nargs="+", required=True)
    parser.add_argument("--shares", type=float, nargs="+", required=True)
    parser.add_argument("--out", type=Path, required=True)
    args = parser.parse_args()
    if not _add_up(args.shares, len(args.models)):
        parser.error("--shares have to add up to 1, one for each of --models")
    export(blend([load_any(path) for path in args.models], args.shares), args.out)


if __name__ == "__main__":
    sys.exit(in_a_line(main))
