"""Caches what the frozen blocks say of every picture and view: computed once, read by training.

The frozen part runs in onnxruntime, several times faster than eager PyTorch on a CPU.
"""

from __future__ import annotations

import logging
import os
import time
from pathlib import Path

import numpy as np
import onnxruntime as ort
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from training.data import Picture, View, render
from training.model import FEATURES, LiteModel

log = logging.getLogger(__name__)


class _Frozen(nn.Module):
    """Pixels [B, H, W, 3] -> maps of the lower blocks [B, h, w, C] and pooled features."""

    def __init__(self, model: LiteModel):
        super().__init__()
        self.lower, self.upper = model.lower, model.upper

    def forward(self, pixels: Tensor) -> tuple[Tensor, Tensor]:
        maps = self.lower(pixels.permute(0, 3, 1, 2).float())
        return maps.permute(0, 2, 3, 1), self.upper(maps).mean((2, 3))


def frozen_session(pretrained: LiteModel, path: Path, threads: int) -> ort.InferenceSession:
    """onnxruntime session of the pretrained backbone with both outputs."""
    if not path.exists():
        example = torch.zeros(2, 224, 224, 3, dtype=torch.uint8)
        axes = {0: "batch", 1: "height", 2: "width"}
        torch.onnx.export(
            _Frozen(pretrained).eval(),
            (example,),
            str(path),
            input_names=["pixels"],
            output_names=["maps", "features"],
            dynamic_axes={"pixels": axes, "maps": axes, "features": {0: "batch"}},
            dynamo=False,
        )
    options = ort.SessionOptions()
    options.intra_op_num_threads = threads
    return ort.InferenceSession(str(path), options, providers=["CPUExecutionProvider"])


def cache_view(
    pictures: list[Picture],
    view: View,
    path: Path,
    session: ort.InferenceSession,
    seed: int,
    batch: int = 32,
) -> None:
    """Writes ``path``.maps.npy float16 [N, h, w, C] and ``path``.features.npy [N, 1280]."""
    done = path.with_suffix(".features.npy")
    if done.exists():
        return
    channels = session.get_outputs()[0].shape[3]
    shape = (len(pictures), view.height // 16, view.width // 16, channels)
    maps = np.lib.format.open_memmap(
        path.with_suffix(".maps.npy"), mode="w+", dtype=np.float16, shape=shape
    )
    features = np.zeros((len(pictures), 1280), np.float16)
    rng = np.random.default_rng(seed)
    start = time.perf_counter()
    for i in range(0, len(pictures), batch):
        pixels = np.stack([render(p, view, rng) for p in pictures[i : i + batch]])
        maps[i : i + batch], features[i : i + batch] = session.run(None, {"pixels": pixels})
        if i // batch % 100 == 0:
            rate = (time.perf_counter() - start) / (i + len(pixels)) * 1e3
            log.info("%s: %d of %d, %.1f ms a picture", path.name, i, len(pictures), rate)
    maps.flush()
    np.save(done, features)


@torch.no_grad()
def cache_top(path: Path, upper: nn.Module, batch: int = 64) -> NDArray[np.float16]:
    """What the untuned upper blocks make of a cached view, not averaged: [N, 1280, h/2, w/2].

    Computed once, into ``path``.top.npy, and mapped from the disk.
    """
    done = path.with_suffix(".top.npy")
    if not done.exists():
        maps, _ = load_view(path)
        height, width = (maps.shape[1] + 1) // 2, (maps.shape[2] + 1) // 2
        part = done.with_suffix(".part")
        shape = (len(maps), FEATURES, height, width)
        top = np.lib.format.open_memmap(part, mode="w+", dtype=np.float16, shape=shape)
        for i in range(0, len(maps), batch):
            x = torch.from_numpy(maps[i : i + batch].astype(np.float32)).permute(0, 3, 1, 2)
            top[i : i + batch] = upper(x).numpy()
        top.flush()
        os.replace(part, done)
    mapped: NDArray[np.float16] = np.load(done, mmap_mode="r")
    return mapped


def load_view(path: Path) -> tuple[NDArray[np.float16], NDArray[np.float16]]:
    """Maps (mapped from the disk) and features of a cached view."""
    maps = np.load(path.with_suffix(".maps.npy"), mmap_mode="r")
    return maps, np.load(path.with_suffix(".features.npy"))
