"""Reads the weights of an exported model back, to tune it further: the reverse of ``export``."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import onnx
import torch
from numpy.typing import NDArray
from onnx import numpy_helper
from torch import nn

from training.model import ConvNorm, LiteModel, TextLayer

Arrays = dict[str, NDArray[np.float32]]


def _weights(graph: onnx.GraphProto) -> Arrays:
    """The stored weights in float32, under the names that the graph computes with."""
    stored = {t.name: numpy_helper.to_array(t) for t in graph.initializer}
    weights: Arrays = {}
    for name, array in stored.items():
        if name.endswith(".int8"):
            base = name.removesuffix(".int8")
            weights[base] = array.astype(np.float32) * stored[f"{base}.scale"]
        elif not name.endswith(".scale") or name.removesuffix(".scale") + ".int8" not in stored:
            weights[name.removesuffix(".half")] = array.astype(np.float32)
    # Weights of equal numbers were stored once.
    for node in graph.node:
        if node.op_type == "Identity" and node.input[0] in weights:
            weights[node.output[0]] = weights[node.input[0]]
    return weights


def load_exported(model: LiteModel, folder: Path) -> None:
    """Fills ``model`` from the ``image.onnx`` and ``text.onnx`` of ``folder``.

    Convolutions were stored with their batch norms folded in: they are taken apart again by the
    norms that ``model`` has. What no graph holds, the temperature among it, stays as it is.
    """
    with torch.no_grad():
        _load_images(model, onnx.load(str(folder / "image.onnx")).graph)
        _load_texts(model, onnx.load(str(folder / "text.onnx")).graph)


def _load_images(model: LiteModel, graph: onnx.GraphProto) -> None:
    weights = _weights(graph)
    stored = [n.input[1:3] for n in graph.node if n.op_type == "Conv"]
    norms = [m for part in (model.lower, model.upper) for m in part.modules()]
    convolutions = [m for m in norms if isinstance(m, ConvNorm)]
    for module, (weight, bias) in zip(convolutions, stored, strict=True):
        module.set_folded(torch.from_numpy(weights[weight]), torch.from_numpy(weights[bias]))
    _load_named(model.image_head, "model.image_head.", weights)
    # The matrix that the attention multiplies with is stored transposed, under a number.
    (attention,) = (a for n, a in weights.items() if n.startswith("onnx::MatMul"))
    model.image_head.attention.weight.copy_(torch.from_numpy(attention.T.copy()))


def _load_texts(model: LiteModel, graph: onnx.GraphProto) -> None:
    weights = _weights(graph)
    _load_named(model.text, "model.text.", weights)
    _load_named(model.text_head, "model.text_head.", weights)
    numbered = iter([a for n, a in weights.items() if n.startswith("onnx::MatMul")])
    for layer in model.text.layers:
        assert isinstance(layer, TextLayer)
        for linear in (layer.query_key_value, layer.out, layer.up, layer.down):
            linear.weight.copy_(torch.from_numpy(next(numbered).T.copy()))


def _load_named(module: nn.Module, prefix: str, weights: Arrays) -> None:
    """Copies the weights that kept their names."""
    for name, target in module.state_dict().items():
        if prefix + name in weights:
            target.copy_(torch.from_numpy(weights[prefix + name]).reshape(target.shape))
