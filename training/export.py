"""Writes the model as two small ONNX graphs: ``python -m training.export --checkpoint FILE``.

Image weights are stored as float16 and text weights as int8 with one scale a row (word embeddings)
or column (matrices); both run in float32, so the cosine to the trained model stays above 0.999 and
every processor gives the same numbers.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import Tensor, nn

from experiments.run_record import in_a_line
from semantic_video.encoders import ImageTextEncoder
from training.model import LiteModel
from training.prompts import imagenet_names
from training.texts import MAX_TOKENS, pretrained_tokenizer, tokenize

WEIGHTS = Path(__file__).parent.parent / "semantic_video" / "encoders" / "weights"
LICENCE = (
    "Weights of lite: from EfficientNet-Lite0 and all-MiniLM-L6-v2 (both Apache-2.0), trained on "
    "research data (see docs/model-card.md): non-commercial use recommended"
)


class ImageGraph(nn.Module):
    """Pixels uint8 [B, H, W, 3], sides multiples of 32 -> embeddings float32 [B, D]."""

    def __init__(self, model: LiteModel):
        super().__init__()
        self.model = model

    def forward(self, pixels: Tensor) -> Tensor:
        maps = self.model.lower(pixels.permute(0, 3, 1, 2).float())
        embeddings: Tensor = self.model.images(maps)[0]
        return embeddings


class TextGraph(nn.Module):
    """Tokens int64 [B, L], mask float32 [B, L] -> embeddings float32 [B, D]."""

    def __init__(self, model: LiteModel):
        super().__init__()
        self.model = model

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        embeddings: Tensor = self.model.text_head(self.model.text(tokens, mask))
        return embeddings


def to_onnx(model: LiteModel, folder: Path) -> None:
    """Float32 graphs ``image.onnx`` and ``text.onnx``."""
    # Older stubs of torch do not know the argument.
    model = model.eval().to(memory_format=torch.contiguous_format)  # type: ignore[call-overload]
    pixels = torch.randint(0, 256, (2, 192, 320, 3), dtype=torch.uint8)
    torch.onnx.export(
        ImageGraph(model).eval(), (pixels,), str(folder / "image.onnx"), opset_version=17,
        input_names=["pixels"], output_names=["embeddings"], dynamo=False,
        dynamic_axes={"pixels": {0: "batch", 1: "height", 2: "width"}, "embeddings": {0: "batch"}},
    )  # fmt: skip
    tokens = torch.randint(1, 1000, (2, 9))
    axes = {0: "batch", 1: "length"}
    torch.onnx.export(
        TextGraph(model).eval(), (tokens, torch.ones(2, 9)), str(folder / "text.onnx"),
        opset_version=17, input_names=["tokens", "mask"], output_names=["embeddings"],
        dynamo=False,
        dynamic_axes={"tokens": axes, "mask": axes, "embeddings": {0: "batch"}},
    )  # fmt: skip


def fold_padding(path: Path) -> None:
    """Makes padding part of the convolutions it comes before, in place: the same numbers, sooner.

    A padding of its own makes onnxruntime rearrange what passes between the convolutions.
    """
    model = onnx.load(str(path))
    graph = model.graph
    paddings = [node for node in graph.node if node.op_type == "Pad"]
    probe = onnx.load(str(path))
    probe.graph.output.extend(
        helper.make_tensor_value_info(node.input[1], TensorProto.INT64, None) for node in paddings
    )
    session = onnxruntime.InferenceSession(probe.SerializeToString())
    blank = np.zeros((1, 192, 320, 3), np.uint8)
    amounts = session.run([node.input[1] for node in paddings], {"pixels": blank})
    for padding, amount in zip(paddings, amounts, strict=True):
        (convolution,) = (node for node in graph.node if padding.output[0] in node.input)
        (pads,) = (each for each in convolution.attribute if each.name == "pads")
        before, after = amount[2:4].tolist(), amount[6:8].tolist()
        pads.ints[:] = [old + new for old, new in zip(pads.ints, before + after, strict=True)]
        convolution.input[0] = padding.input[0]
        graph.node.remove(padding)
    used = {name for node in graph.node for name in node.input}
    used |= {output.name for output in graph.output}
    for node in reversed(list(graph.node)):  # what computed the amounts
        if used.isdisjoint(node.output):
            graph.node.remove(node)
            used = {name for other in graph.node for name in other.input}
            used |= {output.name for output in graph.output}
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def shrink(path: Path, eight_bit: bool) -> None:
    """Stores the large weights of a graph in fewer bits, in place; the graph still runs float32."""
    model = onnx.load(str(path))
    graph = model.graph
    gathered = {n.input[0] for n in graph.node if n.op_type == "Gather"}
    before, kept = [], []
    for tensor in graph.initializer:
        array = numpy_helper.to_array(tensor)
        if array.dtype != np.float32 or array.size < 1024:
            kept.append(tensor)
            continue
        name = tensor.name
        if eight_bit and array.ndim == 2:
            axis = 1 if name in gathered else 0
            scale = np.maximum(np.abs(array).max(axis, keepdims=True), 1e-12) / 127
            small = numpy_helper.from_array(np.rint(array / scale).astype(np.int8), f"{name}.int8")
            kept += [small, numpy_helper.from_array(scale.astype(np.float32), f"{name}.scale")]
            if name in gathered:  # scale the rows that are looked up, not the whole table
                gather = next(n for n in graph.node if name in n.input)
                out = gather.output[0]
                gather.input[0], gather.output[0] = small.name, f"{out}.int8"
                index = gather.input[1]
                position = list(graph.node).index(gather) + 1
                for node in reversed(
                    [
                        helper.make_node("Gather", [f"{name}.scale", index], [f"{out}.scale"]),
                        helper.make_node(
                            "Cast", [f"{out}.int8"], [f"{out}.cast"], to=TensorProto.FLOAT
                        ),
                        helper.make_node("Mul", [f"{out}.cast", f"{out}.scale"], [out]),
                    ]
                ):
                    graph.node.insert(position, node)
            else:
                before += [
                    helper.make_node("Cast", [small.name], [f"{name}.cast"], to=TensorProto.FLOAT),
                    helper.make_node("Mul", [f"{name}.cast", f"{name}.scale"], [name]),
                ]
        else:
            kept.append(numpy_helper.from_array(array.astype(np.float16), f"{name}.half"))
            before.append(helper.make_node("Cast", [f"{name}.half"], [name], to=TensorProto.FLOAT))
    del graph.initializer[:]
    graph.initializer.extend(kept)
    nodes = before + list(graph.node)
    del graph.node[:]
    graph.node.extend(nodes)
    onnx.checker.check_model(model)
    onnx.save(model, str(path))


def export(model: LiteModel, folder: Path = WEIGHTS) -> None:
    """Writes graphs, tokenizer and ``lite.json`` into ``folder``, each by renaming."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=folder.parent) as name:
        work = Path(name)
        to_onnx(model, work)
        fold_padding(work / "image.onnx")
        shrink(work / "image.onnx", eight_bit=False)
        shrink(work / "text.onnx", eight_bit=True)
        tokenizer = pretrained_tokenizer()
        (work / "tokenizer.json").write_text(tokenizer.to_str(pretty=False))
        files = ("image.onnx", "text.onnx", "tokenizer.json")
        digest = hashlib.sha256()
        for file in files:
            digest.update((work / file).read_bytes())
        about = {
            "model_id": "lite",
            "dimension": model.image_head.linear.out_features,
            "preprocessing": {"sides": "multiples of 32 nearest to the aspect", "version": 3},
            "max_tokens": MAX_TOKENS,
            "licence": LICENCE,
        }
        digest.update(json.dumps(about, sort_keys=True).encode())
        about["fingerprint"] = digest.hexdigest()[:16]
        (work / "lite.json").write_text(json.dumps(about, indent=2) + "\n")
        for file in (*files, "lite.json"):
            shutil.copymode(__file__, work / file)
            os.replace(work / file, folder / file)


def load_checkpoint(path: Path) -> LiteModel:
    """The averaged weights of a checkpoint of ``training.train_lite``."""
    model = LiteModel()
    model.load_state_dict(torch.load(path, map_location="cpu")["average"])
    return model.eval()


def exported_cosines(encoder: ImageTextEncoder, checkpoint: Path) -> dict[str, float]:
    """Smallest cosine between shipped and trained embeddings, on noise pictures and class names."""
    model = load_checkpoint(checkpoint)
    pixels = np.random.default_rng(0).integers(0, 256, (16, 6, 10, 3)).repeat(32, 1).repeat(32, 2)
    pixels = pixels.astype(np.uint8)
    texts = [f"a photo of a {names[0]}" for names in imagenet_names()[::10]]
    with torch.no_grad():
        images = ImageGraph(model)(torch.from_numpy(pixels)).numpy()
        rows = TextGraph(model)(*tokenize(pretrained_tokenizer(), texts)).numpy()
    return {
        "image": float((images * encoder.encode_images(list(pixels))).sum(1).min()),
        "text": float((rows * encoder.encode_texts(texts)).sum(1).min()),
    }


def main() -> None:
    """Exports a checkpoint."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--out", type=Path, default=WEIGHTS)
    args = parser.parse_args()
    export(load_checkpoint(args.checkpoint), args.out)


if __name__ == "__main__":
    sys.exit(in_a_line(main))
