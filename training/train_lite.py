"""One cycle of making ``lite``: ``python -m training.train_lite --data DIR --out DIR [--resume]``.

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
import sys
import time
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from experiments.run_record import in_a_line
from training.batches import Batch, Batches, unseen
from training.classes import ClassFeatures
from training.data import VIEWS, Picture, load_pictures
from training.export import export
from training.features import cache_top, cache_view, frozen_session, load_view
from training.fresh import FreshViews
from training.losses import SIGMOID_BIAS, contrastive_loss, distillation_loss, sigmoid_loss
from training.model import DIMENSION, FROZEN_LAYERS, LiteModel, load_pretrained
from training.options import HEADS, TOWERS, Options, Plan, read_options, train_parser
from training.prompts import imagenet_names
from training.restore import load_exported
from training.scores import retrieval, zero_shot
from training.texts import FrozenTexts, LowerTexts, pretrained_tokenizer, tokenize

log = logging.getLogger("training")

SCALES = (16, 20, 25, 30, 36, 43, 52)
"""Factors of the cosines among which ``Trainer.start_from`` chooses."""


class Trainer:
    """Data, model and the steps of both phases."""

    def __init__(
        self,
        pictures: Sequence[Picture],
        out: Path,
        cache: Path,
        views: Sequence[int],
        threads: int,
        how: Options,
    ):
        self.out, self.how = out, how
        for folder in (out, cache):
            folder.mkdir(parents=True, exist_ok=True)
        torch.manual_seed(how.seed)
        torch.set_num_threads(threads)
        self.device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self.model = LiteModel(how.backbone, how.pooling_heads)
        load_pretrained(self.model)
        if how.loss == "sigmoid":
            self.model.bias.data.fill_(SIGMOID_BIAS)
        self.train = [p for p in pictures if p.split == "train"]
        self.held = [p for p in pictures if p.split == "dev"]
        self._load_views([p for p in pictures if p.split != "train"], cache, views, threads)
        self.tokenizer = pretrained_tokenizer()
        frozen_text = copy.deepcopy(self.model.text).eval()
        self.frozen = FrozenTexts(frozen_text, self.tokenizer, cache / "texts.npz")
        self.lower_texts = LowerTexts(frozen_text, self.tokenizer)
        head = self.model.image_head
        weight, bias = head.classifier.weight.data.clone(), head.classifier.bias.data.clone()
        self.classifier, self.offset = weight, bias
        self.teacher = [self._taught(features) for _, features in self.views]
        features0 = self.views[0][1]
        self.classes = ClassFeatures(features0, weight, bias)
        self.batches = Batches(self.train, len(views), self.frozen, self.teacher[0].softmax(1), how)
        self.generator = torch.Generator().manual_seed(how.seed)
        names = [f"a photo of a {n[0]}" for n in imagenet_names()]
        self.class_texts = torch.from_numpy(self.frozen(names))
        with torch.no_grad():
            real = torch.from_numpy(features0.astype(np.float32))
            head.center.copy_(real.mean(0))
            head.scale.copy_(1 / (real.std(0) + 0.05))
            head.names.copy_(self.class_texts)
        self.average = copy.deepcopy(self.model).eval()

    def _load_views(
        self, held: list[Picture], cache: Path, views: Sequence[int], threads: int
    ) -> None:
        """Caches what is missing of the views, and maps them from the disk."""
        session = frozen_session(self.model, cache / "frozen.onnx", threads)
        self.session = session
        self.fresh = FreshViews(self.train, [VIEWS[k] for k in views], threads, self.how.seed)
        # Of pictures framed anew the cache only tells what the classifier says of the whole.
        kept = [0] if self.how.fresh else views
        for k in kept:
            cache_view(self.train, VIEWS[k], cache / f"train{k}", session, seed=k)
        cache_view(held, VIEWS[0], cache / "held0", session, seed=0)
        self.views = [load_view(cache / f"train{k}") for k in kept]
        dev = [i for i, p in enumerate(held) if p.split == "dev"]
        maps, features = load_view(cache / "held0")
        self.held_maps, self.held_features = maps[dev], features[dev]
        # Of lower blocks that are tuned no maps can be kept: only pixels.
        self.held_pixels = FreshViews(self.held, VIEWS[:1], threads, 0)
        if self.how.spatial:
            self.tops = [cache_top(cache / f"train{k}", self.model.upper) for k in kept]
            self.held_tops = cache_top(cache / "held0", self.model.upper)[dev]

    def loss(self, batch: Batch, tune: bool) -> tuple[Tensor, Tensor]:
        """Contrastive and distillation loss of a batch; ``tune`` runs the towers themselves."""
        model, device = self.model, self.device
        cached = 0 if self.how.fresh else batch.view
        maps, features = self.views[cached]
        teacher = self.teacher[cached][torch.from_numpy(batch.rows)]
        if tune:
            if self.how.end_to_end:
                pixels = torch.from_numpy(self.fresh.pixels(batch.rows, batch.view)).to(device)
                x = model.lower(pixels.permute(0, 3, 1, 2).float())
            elif self.how.fresh:
                framed = self.fresh.pixels(batch.rows, batch.view)
                found, top = self.session.run(None, {"pixels": framed})
                teacher = self._taught(top)
                x = torch.from_numpy(found).to(device).permute(0, 3, 1, 2)
            else:
                x = _rows(maps, batch.rows).to(device).permute(0, 3, 1, 2)
            pooled = model.image_head.pool(model.upper(x))
            states, mask = (t.to(device) for t in self.lower_texts(batch.texts))
            texts = model.text_head(model.text.upper(states, mask, FROZEN_LAYERS))
        else:
            if self.how.spatial:
                pooled = model.image_head.pool(_rows(self.tops[cached], batch.rows).to(device))
            else:
                pooled = torch.from_numpy(features[batch.rows].astype(np.float32)).to(device)
            texts = model.text_head(torch.from_numpy(self.frozen(batch.texts)).to(device))
        drawn = self.classes.draw(batch.classes, self.generator, 0.7).to(device)
        images, logits = model.image_head.project(torch.cat([pooled, drawn]))
        scores = texts @ images.T * model.log_scale.exp().clamp(max=60)
        owner, ignored = batch.owner.to(device), batch.ignored.to(device)
        if self.how.loss == "sigmoid":
            contrast = sigmoid_loss(scores + model.bias, owner, ignored)
        else:
            contrast = contrastive_loss(
                scores, owner, ignored, self.how.hard_negatives, self.how.smoothing
            )
        return contrast, distillation_loss(logits[: len(batch.rows)], teacher.to(device))

    def _taught(self, features: NDArray[np.floating]) -> Tensor:
        """The pretrained classifier's logits [N, 1000] of its features [N, 1280]."""
        return torch.from_numpy(features.astype(np.float32)) @ self.classifier.T + self.offset

    def _maps_of_held(self, rows: slice) -> Tensor:
        """What the averaged lower blocks make of dev pictures: [N, C, h, w]."""
        if self.how.end_to_end:
            places = np.arange(len(self.held))[rows]
            pixels = torch.from_numpy(self.held_pixels.pixels(places, 0)).to(self.device)
            maps: Tensor = self.average.lower(pixels.permute(0, 3, 1, 2).float())
            return maps
        kept = torch.from_numpy(self.held_maps[rows].astype(np.float32))
        return kept.to(self.device).permute(0, 3, 1, 2)

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
        pooled = head.pool(model.upper(self._maps_of_held(slice(None, None, 16))))
        length = head.from_features(pooled).norm(dim=1).mean()
        unit = torch.nn.functional.normalize(texts, dim=1).to(self.device)
        head.names.add_(share * length * unit)

    def start_from(self, exported: Path) -> None:
        """Takes over the weights of an exported model, to tune its towers further."""
        pretrained = copy.deepcopy(self.model)
        load_exported(self.model, exported)
        if self.how.pooling == "mean":
            self.model.image_head.attention.weight.data.zero_()
        # What was never tuned is taken unrounded, as the cached maps and texts have it.
        model, text = self.model, self.model.text
        model.lower.load_state_dict(pretrained.lower.state_dict())
        for name in ("words", "positions", "norm"):
            getattr(text, name).load_state_dict(getattr(pretrained.text, name).state_dict())
        for i in range(FROZEN_LAYERS):
            text.layers[i].load_state_dict(pretrained.text.layers[i].state_dict())
        # No graph holds the temperature: the one that suits a batch best.
        batch = self.batches.draw(TOWERS)
        losses = {}
        model.eval()
        with torch.no_grad():
            for scale in SCALES:
                model.log_scale.fill_(math.log(scale))
                losses[float(self.loss(batch, tune=True)[0])] = scale
            log.info("loss by scale %s", {s: round(x, 3) for x, s in losses.items()})
            model.log_scale.fill_(math.log(losses[min(losses)]))
        self.average.load_state_dict(self.model.state_dict())

    def run(self, plan: Plan, name: str, tune: bool, evaluate_every: int = 100) -> None:
        """One phase; resumes from its checkpoint if there is one. ``tune`` trains the towers."""
        model, path = self.model.to(self.device), self.out / f"{name}.pt"
        self.average.to(self.device)
        model.lower.requires_grad_(tune and self.how.end_to_end)
        model.image_head.attention.requires_grad_(self.how.pooling == "attention")
        model.image_head.classifier.requires_grad_(tune)
        model.text.words.requires_grad_(False)
        model.text.positions.requires_grad_(False)
        model.text.norm.requires_grad_(False)
        model.text.layers[:FROZEN_LAYERS].requires_grad_(False)
        groups: list[dict[str, Any]] = [
            {"params": [*model.image_head.parameters(), *model.text_head.parameters()],
             "lr": plan.rate_heads},
            {"params": [model.log_scale, model.bias], "lr": plan.rate_heads, "weight_decay": 0.0},
        ]  # fmt: skip
        if tune:
            model.upper.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
            text_layers = model.text.layers[FROZEN_LAYERS:]
            image_blocks = list(model.upper.parameters())
            if self.how.end_to_end:
                model.lower.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
                image_blocks += model.lower.parameters()
            groups += [
                {"params": image_blocks, "lr": plan.rate_image},
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
            contrast, distilled = self.loss(self.batches.draw(plan), tune)
            optimizer.zero_grad()
            (contrast + plan.distillation * distilled).backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(model.parameters(), 5.0)
            optimizer.step()
            step += 1
            now = time.perf_counter()
            spent, last = spent + min(now - last, 60.0), now  # a stopped process spends nothing
            progress = spent / 60 / plan.minutes if plan.minutes else step / plan.steps
            losses += (contrast.item(), distilled.item())
            self._update_average(min(self.how.average, step / (step + 10)))
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
        frozen: tuple[str, ...] = ("text.words", "text.positions")
        if not self.how.end_to_end:
            frozen += ("lower.",)
        for key, value in self.average.state_dict().items():
            if not key.startswith(frozen):
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
                images.append(model.images(self._maps_of_held(slice(i, i + 64)))[0].cpu())
            elif self.how.spatial:
                tops = torch.from_numpy(self.held_tops[i : i + 64].astype(np.float32))
                images.append(model.image_head(tops.to(device))[0].cpu())
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
        scores |= zero_shot(self.held, matrix, embed, unseen if self.how.holdout else None)
        return {k: round(v, 4) for k, v in scores.items()}


def _rows(array: NDArray[np.float16], rows: NDArray[np.int64]) -> Tensor:
    """Some rows of an array that lies on the disk, read in its order, as float32."""
    order = np.argsort(rows)
    result = np.empty((len(rows), *array.shape[1:]), np.float32)
    result[order] = array[rows[order]]
    return torch.from_numpy(result)


def main() -> None:
    """Runs or resumes all phases."""
    args = train_parser(__doc__.splitlines()[0]).parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(message)s")
    if not args.resume:
        for name in ("heads.pt", "towers.pt"):
            (args.out / name).unlink(missing_ok=True)
    (args.out / "train.pid").write_text(str(os.getpid()))
    pictures = load_pictures(args.data, args.sources)
    cache, how = args.cache or args.out, read_options(args)
    trainer = Trainer(pictures, args.out, cache, args.views, args.threads, how)
    if args.start:
        trainer.start_from(args.start)
    else:
        plan = replace(HEADS, steps=args.head_steps)
        trainer.run(plan, "heads", tune=False, evaluate_every=250)
        trainer.model.load_state_dict(trainer.average.state_dict())
    if not args.heads_only:
        trainer.run(_towers(args), "towers", True, args.evaluate_every)
        trainer.strengthen_classes(args.class_share)
        log.info("final %s", json.dumps(trainer.evaluate(tune=True)))
        torch.save({"average": trainer.average.state_dict()}, args.out / "lite.pt")
        export(trainer.average.cpu(), args.out / "weights")


def _towers(args: argparse.Namespace) -> Plan:
    return replace(
        TOWERS,
        steps=args.steps,
        minutes=args.minutes,
        rate_heads=args.rate * TOWERS.rate_heads,
        rate_image=args.rate * TOWERS.rate_image,
        rate_text=args.rate * TOWERS.rate_text,
    )


if __name__ == "__main__":
    sys.exit(in_a_line(main))
