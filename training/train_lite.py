"""Makes ``lite``: ``python -m training.train_lite --data DIR --out DIR [--resume]``.

1. Caches the frozen blocks' maps and features of every picture, in several views (``features``).
2. Trains both projection heads on frozen features (minutes).
3. Tunes the upper image blocks, the text tower and the heads together (about an hour on two cores),
   with an exponential moving average of the weights; a checkpoint every few minutes.
4. Strengthens what the ImageNet classifier says (``Trainer.strengthen_classes``).
5. Exports (``training.export``).

Whatever is already in ``--out`` is used again with ``--resume``.
"""

from __future__ import annotations

import argparse
import copy
import json
import logging
import math
import os
import time
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from training.classes import ClassFeatures
from training.data import VIEWS, load_pictures
from training.export import export
from training.features import cache_view, frozen_session, load_view
from training.losses import contrastive_loss, distillation_loss
from training.model import CLASSES, DIMENSION, FROZEN_LAYERS, LiteModel, load_pretrained
from training.prompts import draw_caption, draw_class_caption, imagenet_names
from training.scores import retrieval, zero_shot
from training.texts import FrozenTexts, LowerTexts, pretrained_tokenizer, tokenize

log = logging.getLogger("training")


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
    decay_average: float = 0.99
    minutes: float = 0.0
    """If given, the schedule follows the time spent instead of ``steps``."""


HEADS = Plan(450, 400, 2, 240, 160, 1.5e-3)
CLASS_SHARE = 0.2
"""See ``Trainer.strengthen_classes``."""
TOWERS = Plan(600, 160, 2, 96, 64, 6e-4, rate_image=4e-4, rate_text=8e-5, distillation=0.3)


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


class Trainer:
    """Data, model and the steps of both phases."""

    def __init__(self, data: Path, out: Path, holdout: bool, views: int, threads: int):
        self.out, self.holdout = out, holdout
        out.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(0)
        torch.set_num_threads(threads)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = LiteModel()
        load_pretrained(self.model)
        pictures = load_pictures(data)
        self.train = [p for p in pictures if p.split == "train"]
        self.held = [p for p in pictures if p.split == "dev"]
        held = [p for p in pictures if p.split != "train"]
        session = frozen_session(self.model, out / "frozen.onnx", threads)
        for k in range(views):
            cache_view(self.train, VIEWS[k], out / f"train{k}", session, seed=k)
        cache_view(held, VIEWS[0], out / "held0", session, seed=0)
        self.views = [load_view(out / f"train{k}") for k in range(views)]
        dev = [i for i, p in enumerate(held) if p.split == "dev"]
        maps, features = load_view(out / "held0")
        self.held_maps, self.held_features = maps[dev], features[dev]

        self.tokenizer = pretrained_tokenizer()
        frozen_text = copy.deepcopy(self.model.text).eval()
        self.frozen = FrozenTexts(frozen_text, self.tokenizer, out / "texts.npz")
        self.lower_texts = LowerTexts(frozen_text, self.tokenizer)
        head = self.model.image_head
        weight, bias = head.classifier.weight.data.clone(), head.classifier.bias.data.clone()
        self.teacher = [
            torch.from_numpy(f.astype(np.float32)) @ weight.T + bias for _, f in self.views
        ]
        self.probabilities = self.teacher[0].softmax(1)
        features0 = self.views[0][1]
        self.classes = ClassFeatures(features0, weight, bias)
        self.captioned = np.array([i for i, p in enumerate(self.train) if p.captions])
        labels = [(i, p) for i, p in enumerate(self.train) if not p.captions]
        self.labelled = np.array([i for i, p in labels if not self.unseen(p.label_id)])
        self.label_ids = np.array([p.label_id for p in self.train])
        # Small sets count for more than their size, single-picture classes for less.
        share = {"sports": 1.3, "actions": 1.0, "scenes": 0.8, "objects": 0.7}
        weights = np.array([share.get(self.train[i].source, 1.0) for i in self.labelled])
        self.labelled_share = weights / weights.sum()
        self.rng = np.random.default_rng(0)
        self.generator = torch.Generator().manual_seed(0)
        names = [f"a photo of a {n[0]}" for n in imagenet_names()]
        self.class_texts = torch.from_numpy(self.frozen(names))
        with torch.no_grad():
            real = torch.from_numpy(features0.astype(np.float32))
            head.center.copy_(real.mean(0))
            head.scale.copy_(1 / (real.std(0) + 0.05))
            head.names.copy_(self.class_texts)
        self.average = copy.deepcopy(self.model).eval()

    def unseen(self, label_id: str) -> bool:
        """Whether a class is kept out of training, to see what happens with such classes."""
        if not self.holdout or not label_id:
            return False
        return sum(map(ord, label_id)) % 5 == 0 and not label_id.startswith("imagenet")

    # -- batches

    def batch(self, plan: Plan) -> Batch:
        """Draws a batch."""
        rng, n = self.rng, plan.captioned
        first = rng.choice(self.captioned, min(n, len(self.captioned)), replace=False)
        second = rng.choice(self.labelled, plan.labelled, replace=False, p=self.labelled_share)
        rows = np.concatenate([first, second])
        texts: list[str] = []
        owner: list[int] = []
        for i, row in enumerate(rows):
            picture = self.train[row]
            count = plan.captions if picture.captions else 1
            drawn = {draw_caption(picture, rng) for _ in range(count)}
            texts += sorted(drawn)
            owner += [i] * len(drawn)
        classes = torch.from_numpy(rng.choice(CLASSES, plan.classes, replace=False))
        texts += [draw_class_caption(int(c), rng) for c in classes]
        owners = torch.tensor(owner + [len(rows) + i for i in range(plan.classes)])
        return Batch(
            texts, owners, rows, int(rng.integers(len(self.views))), classes,
            self._ignored(texts, owners, rows, classes),
        )  # fmt: skip

    def _ignored(
        self, texts: list[str], owner: Tensor, rows: NDArray[np.int64], classes: Tensor
    ) -> Tensor:
        """Pairs that may well be true: equal labels, near-equal texts, the classifier's opinion."""
        text = torch.from_numpy(self.frozen(texts))
        pictures = len(rows) + len(classes)
        alike = text @ text.T > 0.85
        near = torch.zeros(len(texts), pictures)
        near.index_add_(1, owner, alike.float())
        ids = np.concatenate([self.label_ids[rows], [""] * len(classes)])
        same = torch.from_numpy((ids[:, None] == ids[None]) & (ids != "")[None])
        opinion = torch.zeros(pictures, pictures, dtype=torch.bool)
        maybe = self.probabilities[torch.from_numpy(rows)][:, classes] > 0.04
        opinion[: len(rows), len(rows) :] = maybe
        opinion[len(rows) :, : len(rows)] = maybe.T
        return (near > 0) | (same | opinion)[owner]

    # -- steps

    def loss(self, plan: Plan, batch: Batch, tune: bool) -> tuple[Tensor, Tensor]:
        """Contrastive and distillation loss of a batch; ``tune`` runs the towers themselves."""
        model, device = self.model, self.device
        maps, features = self.views[batch.view]
        if tune:
            order = np.argsort(batch.rows)  # the maps lie on the disk
            array = np.empty((len(order), *maps.shape[1:]), np.float32)
            array[order] = maps[batch.rows[order]]
            x = torch.from_numpy(array).to(device).permute(0, 3, 1, 2)
            pooled = model.image_head.pool(model.upper(x))
            states, mask = (t.to(device) for t in self.lower_texts(batch.texts))
            texts = model.text_head(model.text.upper(states, mask, FROZEN_LAYERS))
        else:
            pooled = torch.from_numpy(features[batch.rows].astype(np.float32)).to(device)
            texts = model.text_head(torch.from_numpy(self.frozen(batch.texts)).to(device))
        drawn = self.classes.draw(batch.classes, self.generator, 0.7).to(device)
        images, logits = model.image_head.project(torch.cat([pooled, drawn]))
        scores = texts @ images.T * model.log_scale.exp().clamp(max=60)
        contrast = contrastive_loss(scores, batch.owner.to(device), batch.ignored.to(device))
        teacher = self.teacher[batch.view][torch.from_numpy(batch.rows)].to(device)
        return contrast, distillation_loss(logits[: len(batch.rows)], teacher)

    @torch.no_grad()
    def strengthen_classes(self, share: float) -> None:
        """Adds each class's own text to its vector in the averaged model.

        Training leaves the part of an embedding that comes from the classifier small, since real
        pictures of most classes are rare. ``share`` is the length that a certain class adds,
        relative to the rest; chosen on the dev splits (docs/experiment-log.md).
        """
        model, head = self.average, self.average.image_head
        texts = torch.stack(
            [
                torch.from_numpy(self.embed([t.format(names[0]) for names in imagenet_names()]))
                for t in ("a photo of a {}", "a {}", "{}")
            ]
        ).mean(0)
        maps = torch.from_numpy(self.held_maps[::16].astype(np.float32)).to(self.device)
        pooled = head.pool(model.upper(maps.permute(0, 3, 1, 2)))
        length = head.from_features(pooled).norm(dim=1).mean()
        unit = torch.nn.functional.normalize(texts, dim=1).to(self.device)
        head.names.add_(share * length * unit)

    def run(self, plan: Plan, name: str, tune: bool, evaluate_every: int = 100) -> None:
        """One phase; resumes from its checkpoint if there is one. ``tune`` trains the towers."""
        model, path = self.model.to(self.device), self.out / f"{name}.pt"
        self.average.to(self.device)
        model.lower.requires_grad_(False)
        model.image_head.classifier.requires_grad_(tune)
        model.text.words.requires_grad_(False)
        model.text.positions.requires_grad_(False)
        model.text.norm.requires_grad_(False)
        model.text.layers[:FROZEN_LAYERS].requires_grad_(False)
        groups: list[dict[str, Any]] = [
            {"params": [*model.image_head.parameters(), *model.text_head.parameters()],
             "lr": plan.rate_heads},
            {"params": [model.log_scale], "lr": plan.rate_heads, "weight_decay": 0.0},
        ]  # fmt: skip
        if tune:
            model.upper.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            text_layers = model.text.layers[FROZEN_LAYERS:]
            groups += [
                {"params": list(model.upper.parameters()), "lr": plan.rate_image},
                {"params": list(text_layers.parameters()), "lr": plan.rate_text},
            ]
        optimizer = torch.optim.AdamW(groups, weight_decay=plan.weight_decay, betas=(0.9, 0.98))
        rates = [g["lr"] for g in optimizer.param_groups]
        step, spent = 0, 0.0
        if path.exists():
            state = torch.load(path, map_location=self.device)
            model.load_state_dict(state["model"])
            self.average.load_state_dict(state["average"])
            if "optimizer" not in state:
                return
            optimizer.load_state_dict(state["optimizer"])
            step, spent = state["step"], state["spent"]
        losses, last = np.zeros(2), time.perf_counter()
        progress = 0.0
        while progress < 1.0:
            warm = min(1.0, (step + 1) / plan.warmup)
            progress = spent / 60 / plan.minutes if plan.minutes else step / plan.steps
            factor = warm * (0.02 + 0.98 * 0.5 * (1 + math.cos(math.pi * min(1.0, progress))))
            for group, rate in zip(optimizer.param_groups, rates, strict=True):
                group["lr"] = rate * factor
            model.train()
            contrast, distilled = self.loss(plan, self.batch(plan), tune)
            optimizer.zero_grad()
            (contrast + plan.distillation * distilled).backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            step += 1
            now = time.perf_counter()
            spent, last = spent + min(now - last, 60.0), now  # a stopped process spends nothing
            progress = spent / 60 / plan.minutes if plan.minutes else step / plan.steps
            losses += (contrast.item(), distilled.item())
            self._update_average(min(plan.decay_average, step / (step + 10)))
            if step % (10 if tune else 100) == 0:
                mean = losses / (10 if tune else 100)
                log.info(
                    "%s %d (%.1f %%) loss %.3f kl %.3f scale %.1f, %.2f s a step",
                    name, step, progress * 100, *mean, model.log_scale.exp().item(), spent / step,
                )  # fmt: skip
                losses[:] = 0
            if step % evaluate_every == 0 or progress >= 1.0:
                state = {"model": model.state_dict(), "average": self.average.state_dict()}
                if progress < 1.0:
                    state |= {"optimizer": optimizer.state_dict(), "step": step, "spent": spent}
                torch.save(state, path.with_suffix(".part"))
                os.replace(path.with_suffix(".part"), path)
                log.info("%s %d %s", name, step, json.dumps(self.evaluate(tune)))
        self.frozen.save()

    @torch.no_grad()
    def _update_average(self, decay: float) -> None:
        ours = self.model.state_dict()
        for key, value in self.average.state_dict().items():
            if not key.startswith(("lower.", "text.words", "text.positions")):
                value.lerp_(ours[key], 1 - decay)

    @torch.no_grad()
    def embed(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts to embeddings [N, D] by the averaged towers."""
        order = sorted(range(len(texts)), key=lambda i: len(texts[i]))
        rows = np.zeros((len(texts), DIMENSION), np.float32)
        for i in range(0, len(order), 128):
            part = order[i : i + 128]
            pair = tokenize(self.tokenizer, [texts[j] for j in part])
            rows[part] = self.average.texts(*(t.to(self.device) for t in pair)).cpu().numpy()
        return rows

    @torch.no_grad()
    def evaluate(self, tune: bool) -> dict[str, float]:
        """Scores of the averaged weights on the dev splits."""
        model, device = self.average.eval(), self.device
        images = []
        for i in range(0, len(self.held), 64):
            if tune:
                maps = torch.from_numpy(self.held_maps[i : i + 64].astype(np.float32))
                images.append(model.images(maps.to(device).permute(0, 3, 1, 2))[0].cpu())
            else:
                features = torch.from_numpy(self.held_features[i : i + 64].astype(np.float32))
                images.append(model.image_head.project(features.to(device))[0].cpu())
        matrix = torch.cat(images).numpy()

        def embed(texts: Sequence[str]) -> NDArray[np.float32]:
            if tune:
                return self.embed(texts)
            frozen = torch.from_numpy(self.frozen(texts)).to(device)
            return np.asarray(model.text_head(frozen).cpu())

        scores = retrieval(self.held, matrix, embed)
        unseen = self.unseen if self.holdout else None
        scores |= zero_shot(self.held, matrix, embed, unseen)
        return {k: round(v, 4) for k, v in scores.items()}


def main() -> None:
    """Runs or resumes all phases."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--data", type=Path, required=True, help="folder of the parquet files")
    parser.add_argument("--out", type=Path, default=Path("runs/lite"))
    parser.add_argument("--resume", action="store_true", help="go on with what --out holds")
    parser.add_argument("--holdout", action="store_true", help="keep a fifth of the labels unseen")
    parser.add_argument("--heads-only", action="store_true")
    parser.add_argument("--views", type=int, default=len(VIEWS))
    parser.add_argument("--steps", type=int, default=TOWERS.steps)
    parser.add_argument("--minutes", type=float, default=0.0, help="time for the towers")
    parser.add_argument("--threads", type=int, default=os.cpu_count() or 1)
    args = parser.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if not args.resume:
        for name in ("heads.pt", "towers.pt"):
            (args.out / name).unlink(missing_ok=True)
    (args.out / "train.pid").write_text(str(os.getpid()))
    trainer = Trainer(args.data, args.out, args.holdout, args.views, args.threads)
    trainer.run(HEADS, "heads", tune=False, evaluate_every=250)
    trainer.model.load_state_dict(trainer.average.state_dict())
    if not args.heads_only:
        plan = Plan(**{**TOWERS.__dict__, "steps": args.steps, "minutes": args.minutes})
        trainer.run(plan, "towers", tune=True, evaluate_every=100)
        trainer.strengthen_classes(CLASS_SHARE)
        log.info("final %s", json.dumps(trainer.evaluate(tune=True)))
        torch.save({"average": trainer.average.state_dict()}, args.out / "lite.pt")
        export(trainer.average.cpu(), args.out / "weights")


if __name__ == "__main__":
    main()
