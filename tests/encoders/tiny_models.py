"""Small models made by code: tokenizers, ONNX towers, and folders laid out as people publish them.

The towers are random but not trivial: pictures are averaged over 4x4 patches and projected; texts
are pooled at the highest id, as CLIP does, or averaged over all places, as a tower would that looks
at its padding. Needs ``onnx``, not torch.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import onnx
from numpy.typing import NDArray
from onnx import TensorProto, helper, numpy_helper

DIMENSION = 24
IMAGE_SIZE = 16
WORDS = ["a", "dog", "cat", "train", "tunnel", "beach", "person", "walking", "red", "the", "on"]


def clip_tokenizer(path: Path, *, pads_with_end: bool = True) -> Path:
    """A byte-level BPE as CLIP's: lower case, marked start and end; whole words become one id."""
    from tokenizers import Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers
    from tokenizers.processors import TemplateProcessing

    letters = sorted(pre_tokenizers.ByteLevel.alphabet())
    vocabulary = {token: i for i, token in enumerate([*letters, *(f"{x}</w>" for x in letters)])}
    merges = []
    for word in WORDS:
        parts = [*word[:-1], f"{word[-1]}</w>"]
        while len(parts) > 1:
            left, right, *rest = parts
            if (left, right) not in merges:
                merges.append((left, right))
            vocabulary.setdefault(left + right, len(vocabulary))
            parts = [left + right, *rest]
    start, end = "<|startoftext|>", "<|endoftext|>"
    for token in (start, end):
        vocabulary[token] = len(vocabulary)
    tokenizer = Tokenizer(
        models.BPE(vocabulary, merges, end_of_word_suffix="</w>", unk_token=end, fuse_unk=False)
    )
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.NFC(), normalizers.Replace(Regex(r"\s+"), " "), normalizers.Lowercase()]
    )
    pattern = r"'s|'t|'re|'ve|'m|'ll|'d|[\p{L}]+|[\p{N}]|[^\s\p{L}\p{N}]+"
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence(
        [
            pre_tokenizers.Split(Regex(pattern), "removed", invert=True),
            pre_tokenizers.ByteLevel(add_prefix_space=False),
        ]
    )
    tokenizer.decoder = decoders.ByteLevel()
    tokenizer.add_special_tokens([start, end])
    tokenizer.post_processor = TemplateProcessing(
        single=f"{start} $A {end}",
        special_tokens=[(start, vocabulary[start]), (end, vocabulary[end])],
    )
    if pads_with_end:
        tokenizer.enable_padding(pad_id=vocabulary[end], pad_token=end, length=77)
    tokenizer.save(str(path))
    return path


def siglip_tokenizer(path: Path) -> Path:
    """A unigram model as SigLIP's sentencepiece: an end of text, padding, case as it comes."""
    from tokenizers import Tokenizer, models, pre_tokenizers
    from tokenizers.processors import TemplateProcessing

    letters = [chr(c) for c in range(33, 127)]
    pieces = [("<pad>", 0.0), ("</s>", 0.0), ("<unk>", 0.0), ("▁", -4.0)]
    pieces += [(letter, -8.0) for letter in letters]
    pieces += [(f"▁{word}", -3.0) for word in WORDS]
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=2, byte_fallback=False))
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace()
    tokenizer.add_special_tokens(["<pad>", "</s>", "<unk>"])
    tokenizer.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", 1)])
    tokenizer.save(str(path))
    return path


def random(*shape: int, seed: int) -> NDArray[np.float32]:
    return np.random.default_rng(seed).standard_normal(shape).astype(np.float32)


IMAGE_WEIGHTS = random((IMAGE_SIZE // 4) ** 2 * 3, DIMENSION, seed=1)
TEXT_WEIGHTS = random(1000, DIMENSION, seed=2)


def image_vectors(pixels: NDArray[np.float32]) -> NDArray[np.float32]:
    """What the image tower computes, in numpy: float32 [N, 3, 16, 16] to [N, D]."""
    n, side = len(pixels), IMAGE_SIZE // 4
    patches = pixels.reshape(n, 3, side, 4, side, 4).mean(axis=(3, 5))
    return np.asarray(patches.reshape(n, -1) @ IMAGE_WEIGHTS, np.float32)


def text_vectors(ids: NDArray[np.int64], pooling: str) -> NDArray[np.float32]:
    """What the text tower computes, in numpy: int64 [N, L] to [N, D]."""
    running = TEXT_WEIGHTS[ids].cumsum(axis=1)  # each place knows what came before it
    if pooling == "mean":
        return np.asarray(running.mean(axis=1), np.float32)
    return np.asarray(running[np.arange(len(ids)), ids.argmax(axis=1)], np.float32)


def image_nodes() -> tuple[list[Any], list[Any], Any, str]:
    nodes = [
        helper.make_node(
            "AveragePool", ["pixel_values"], ["patches"], kernel_shape=[4, 4], strides=[4, 4]
        ),
        helper.make_node("Flatten", ["patches"], ["flat"]),
        helper.make_node("MatMul", ["flat", "image_weights"], ["image_embeds"]),
    ]
    weights = [numpy_helper.from_array(IMAGE_WEIGHTS, "image_weights")]
    item = helper.make_tensor_value_info(
        "pixel_values", TensorProto.FLOAT, ["batch", 3, IMAGE_SIZE, IMAGE_SIZE]
    )
    return nodes, weights, item, "image_embeds"


def text_nodes(pooling: str, kind: int, length: int | str) -> tuple[list[Any], list[Any], Any, str]:
    nodes = [
        helper.make_node("Gather", ["text_weights", "input_ids"], ["tokens"]),
        helper.make_node("CumSum", ["tokens", "one"], ["running"]),
    ]
    weights = [
        numpy_helper.from_array(TEXT_WEIGHTS, "text_weights"),
        numpy_helper.from_array(np.array(1, np.int64), "one"),
    ]
    if pooling == "mean":
        nodes.append(
            helper.make_node("ReduceMean", ["running", "axes"], ["text_embeds"], keepdims=0)
        )
        weights.append(numpy_helper.from_array(np.array([1], np.int64), "axes"))
    else:
        nodes += [
            helper.make_node("ArgMax", ["input_ids"], ["end"], axis=1, keepdims=1),
            helper.make_node("GatherND", ["running", "end"], ["text_embeds"], batch_dims=1),
        ]
    item = helper.make_tensor_value_info("input_ids", kind, ["batch", length])
    return nodes, weights, item, "text_embeds"


def save_graph(path: Path, *sides: tuple[list[Any], list[Any], Any, str]) -> None:
    """Write one side, or several in one graph."""
    graph = helper.make_graph(
        [node for side in sides for node in side[0]],
        "tiny",
        [side[2] for side in sides],
        [
            helper.make_tensor_value_info(side[3], TensorProto.FLOAT, ["batch", DIMENSION])
            for side in sides
        ],
        [weight for side in sides for weight in side[1]],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=9)
    onnx.checker.check_model(model)
    path.parent.mkdir(parents=True, exist_ok=True)
    onnx.save(model, str(path))


CLIP_PREPROCESSING: dict[str, Any] = {
    "image_processor_type": "CLIPImageProcessor",
    "do_resize": True,
    "size": {"shortest_edge": IMAGE_SIZE},
    "do_center_crop": True,
    "crop_size": {"height": IMAGE_SIZE, "width": IMAGE_SIZE},
    "resample": 3,
    "do_rescale": True,
    "rescale_factor": 1 / 255,
    "do_normalize": True,
    "image_mean": [0.48145466, 0.4578275, 0.40821073],
    "image_std": [0.26862954, 0.26130258, 0.27577711],
}

SIGLIP_PREPROCESSING: dict[str, Any] = {
    "image_processor_type": "SiglipImageProcessor",
    "size": {"height": IMAGE_SIZE, "width": IMAGE_SIZE},
    "resample": 2,
    "image_mean": [0.5, 0.5, 0.5],
    "image_std": [0.5, 0.5, 0.5],
}


def write_json(path: Path, values: object) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(values), encoding="utf-8")


def clip_folder(root: Path, *, joint: bool = False, pooling: str = "end") -> Path:
    """A CLIP as transformers.js and optimum lay it out, with separate graphs or one."""
    root.mkdir(parents=True, exist_ok=True)
    clip_tokenizer(root / "tokenizer.json")
    write_json(root / "config.json", {"model_type": "clip"})
    write_json(root / "preprocessor_config.json", CLIP_PREPROCESSING)
    image, text = image_nodes(), text_nodes(pooling, TensorProto.INT64, "length")
    if joint:
        save_graph(root / "onnx/model.onnx", image, text)
    else:
        save_graph(root / "onnx/vision_model.onnx", image)
        save_graph(root / "onnx/text_model.onnx", text)
    return root


def siglip_folder(root: Path) -> Path:
    """A SigLIP as transformers.js lays it out; its text tower sees the padding."""
    root.mkdir(parents=True, exist_ok=True)
    siglip_tokenizer(root / "tokenizer.json")
    write_json(root / "tokenizer_config.json", {"pad_token": "<pad>"})
    write_json(root / "config.json", {"model_type": "siglip", "text_config": {}})
    write_json(root / "preprocessor_config.json", SIGLIP_PREPROCESSING)
    save_graph(root / "onnx/vision_model.onnx", image_nodes())
    save_graph(root / "onnx/text_model.onnx", text_nodes("mean", TensorProto.INT64, "length"))
    return root


def immich_folder(root: Path) -> Path:
    """An OpenCLIP as Immich lays it out: a folder a tower, 32-bit ids, a fixed length."""
    clip_tokenizer_path = root / "textual/tokenizer.json"
    clip_tokenizer_path.parent.mkdir(parents=True)
    clip_tokenizer(clip_tokenizer_path)
    write_json(
        root / "config.json",
        {"embed_dim": DIMENSION, "vision_cfg": {}, "text_cfg": {"context_length": 12}},
    )
    write_json(
        root / "visual/preprocess_cfg.json",
        {
            "size": [IMAGE_SIZE, IMAGE_SIZE],
            "mean": [0.0, 0.0, 0.0],
            "std": [1.0, 1.0, 1.0],
            "interpolation": "bilinear",
            "resize_mode": "shortest",
        },
    )
    save_graph(root / "visual/model.onnx", image_nodes())
    save_graph(root / "textual/model.onnx", text_nodes("end", TensorProto.INT32, 12))
    return root
