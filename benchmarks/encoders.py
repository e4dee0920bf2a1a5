"""How much slower than ``lite`` the well-known models are on this machine.

    python -m benchmarks.encoders [--threads 2] [--rounds 5]

Random weights in the real shapes (speed does not depend on their values): CLIP ViT-B/32 in float32
and int8 (dynamic, of the matrix products) and MobileCLIP2-S0. Needs the extra ``[clip]``. Rounds of
all models take turns, so that whatever else the machine does meets all of them alike; JSON on
standard output gives, for each, the ratio of its time to that of ``lite`` (median over rounds,
lowest and highest), and milliseconds for orientation only.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
import warnings
from collections.abc import Callable
from functools import partial
from pathlib import Path
from statistics import median
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_video.encoders import ImageTextEncoder, load_encoder

BATCH = 8
QUERY = "a train entering a tunnel"


def main() -> None:
    """Run the benchmark and print its result."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--threads", type=int, default=2, help="threads of one call")
    parser.add_argument("--rounds", type=int, default=5, help="rounds over all models")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        encoders = {"lite": load_encoder("lite", threads=arguments.threads)}
        for name, build in _BUILDERS.items():
            print(f"building {name} ...", file=sys.stderr)
            path = build(Path(folder) / name)
            for variant in ("fp32", "int8") if name.startswith("clip") else ("fp32",):
                model = f"{path}:{variant}"
                encoders[f"{name}:{variant}"] = load_encoder(model, arguments.threads, "cpu")
        print(json.dumps(measure(encoders, arguments.threads, arguments.rounds), indent=2))


def measure(
    encoders: dict[str, ImageTextEncoder], threads: int, rounds: int
) -> dict[str, dict[str, Any]]:
    """Times of images (a frame, in batches of 8) and texts (a query), as ratios to ``lite``."""
    runs: dict[tuple[str, str], Callable[[], object]] = {}
    for name, encoder in encoders.items():
        runs[name, "image"] = partial(encoder.encode_images, _frames(encoder.input_size))
        runs[name, "text"] = partial(encoder.encode_texts, [QUERY])
    for run in runs.values():
        run()
    times: dict[tuple[str, str], list[float]] = {key: [] for key in runs}
    for _ in range(rounds):
        for key, run in runs.items():
            times[key].append(_seconds(run) / (BATCH if key[1] == "image" else 1))
    result: dict[str, dict[str, Any]] = {}
    for (name, side), seconds in times.items():
        ratios = sorted(own / lite for own, lite in zip(seconds, times["lite", side], strict=True))
        result.setdefault(name, {"threads": threads})[side] = {
            "to_lite": round(median(ratios), 2),
            "lowest": round(ratios[0], 2),
            "highest": round(ratios[-1], 2),
            "ms": round(median(seconds) * 1000, 2),
        }
    return result


def _seconds(run: Callable[[], object]) -> float:
    """Of one run: the best of three, since what disturbs a run only ever slows it."""
    best = float("inf")
    for _ in range(3):
        started = time.perf_counter()
        run()
        best = min(best, time.perf_counter() - started)
    return best


def _frames(cover: tuple[int, int]) -> list[NDArray[np.uint8]]:
    """Frames of a film in 16:9, as large as the reader makes them for a model."""
    height = max(cover[0], round(cover[1] * 9 / 16))
    shape = (BATCH, height, round(height * 16 / 9), 3)
    return list(np.random.default_rng(0).integers(0, 256, shape, dtype=np.uint8))


def _clip_vit_b_32(folder: Path) -> Path:
    import transformers

    model: Any = transformers.CLIPModel(transformers.CLIPConfig())
    model.eval()
    _export(folder / "vision_model.onnx", model, "get_image_features", (1, 3, 224, 224))
    _export(folder / "text_model.onnx", model, "get_text_features", (1, 77))
    _describe(folder, 224)
    _quantise(folder)
    return folder


def _mobileclip2_s0(folder: Path) -> Path:
    import open_clip
    from timm.utils.model import reparameterize_model

    model: Any = open_clip.create_model("MobileCLIP2-S0").eval()
    # Published exports have their branches merged, as the model is meant to run.
    reparameterize_model(model.visual, inplace=True)
    _export(folder / "vision_model.onnx", model, "encode_image", (1, 3, 256, 256))
    _export(folder / "text_model.onnx", model, "encode_text", (1, 77))
    _describe(folder, 256)
    return folder


_BUILDERS: dict[str, Callable[[Path], Path]] = {
    "clip-vit-b-32": _clip_vit_b_32,
    "mobileclip2-s0": _mobileclip2_s0,
}


def _export(path: Path, model: Any, method: str, shape: tuple[int, ...]) -> None:
    """Write one tower; four dimensions mean pictures, two mean token ids."""
    import torch

    class Tower(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.model = model

        def forward(self, values: Any) -> Any:
            output = getattr(self.model, method)(values)
            return getattr(output, "pooler_output", output)

    values = torch.zeros(shape) if len(shape) == 4 else torch.zeros(shape, dtype=torch.long)
    side = "image" if len(shape) == 4 else "text"
    name = "pixel_values" if side == "image" else "input_ids"
    path.parent.mkdir(parents=True, exist_ok=True)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Tower().eval(),
            (values,),
            str(path),
            input_names=[name],
            output_names=[f"{side}_embeds"],
            dynamic_axes={name: {0: "batch"}, f"{side}_embeds": {0: "batch"}},
            opset_version=17,
            dynamo=False,
        )


def _quantise(folder: Path) -> None:
    from onnxruntime.quantization import QuantType, quantize_dynamic

    for tower in ("vision_model", "text_model"):
        quantize_dynamic(
            folder / f"{tower}.onnx",
            folder / f"{tower}_int8.onnx",
            op_types_to_quantize=["MatMul", "Gemm"],
            weight_type=QuantType.QUInt8,
        )


def _describe(folder: Path, size: int) -> None:
    """What a model's folder holds beside its weights; a tokenizer of a few words will do."""
    from tokenizers import Tokenizer, models, pre_tokenizers, processors

    start, end = "<|startoftext|>", "<|endoftext|>"
    vocabulary = {word: i for i, word in enumerate([*QUERY.split(), start, end])}
    tokenizer = Tokenizer(models.WordLevel(vocabulary, unk_token=end))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{start} $A {end}",
        special_tokens=[(start, vocabulary[start]), (end, vocabulary[end])],
    )
    tokenizer.save(str(folder / "tokenizer.json"))
    preprocessing = {
        "size": {"shortest_edge": size},
        "do_center_crop": True,
        "crop_size": {"height": size, "width": size},
        "image_mean": [0.5, 0.5, 0.5],
        "image_std": [0.5, 0.5, 0.5],
    }
    text = json.dumps(preprocessing)
    (folder / "preprocessor_config.json").write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
