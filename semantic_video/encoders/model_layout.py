"""Which files make up a model: the layouts in which CLIP-family models are published.

The same rules choose what to fetch from a hub's listing and what to open in a folder, so they work
on names relative to the model's root, with forward slashes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import PurePosixPath
from typing import Literal

from semantic_video.errors import EncoderError

Variant = Literal["fp32", "fp16", "int8", "torch"]
"""Which of a model's weights: an ONNX export in that precision, or the PyTorch checkpoint."""

VARIANTS: tuple[Variant, ...] = ("fp32", "fp16", "int8", "torch")

# transformers.js, open_clip's usual two files, and Immich's two folders; then one graph for both.
_IMAGE_GRAPHS = ("vision_model", "visual/model", "visual", "image_encoder", "vision_encoder")
_TEXT_GRAPHS = ("text_model", "textual/model", "textual", "text_encoder")
_JOINT_GRAPH = "model"
_SUFFIXES: dict[Variant, tuple[str, ...]] = {
    "fp32": ("",),
    "fp16": ("_fp16",),
    "int8": ("_int8", "_quantized", "_uint8"),
}
_CHECKPOINTS = (
    ("open_clip_config.json", "open_clip_model.safetensors"),
    ("open_clip_config.json", "open_clip_pytorch_model.bin"),
    ("config.json", "model.safetensors"),
    ("config.json", "pytorch_model.bin"),
)
_TOKENIZERS = ("tokenizer.json", "textual/tokenizer.json")
_CONFIGS = (
    "config.json",
    "open_clip_config.json",
    "preprocessor_config.json",
    "processor_config.json",
    "visual/preprocess_cfg.json",
    "tokenizer_config.json",
    "textual/tokenizer_config.json",
)
_NOTES = ("README.md", "LICENSE")


@dataclass(frozen=True, slots=True)
class ModelLayout:
    """The files of one model, as names relative to its root."""

    variant: Variant
    image_weights: str
    text_weights: str
    """The same as ``image_weights`` where one file holds both towers."""
    weights: tuple[str, ...]
    """Every file of weights, those that an ONNX graph keeps beside itself included."""
    tokenizer: str | None
    configs: dict[str, str]
    """Which configuration -> where it lies."""
    notes: tuple[str, ...]

    @property
    def files(self) -> tuple[str, ...]:
        """All the files."""
        tokenizer = (self.tokenizer,) if self.tokenizer else ()
        return (*self.weights, *tokenizer, *self.configs.values(), *self.notes)


def find_layout(
    exists: Callable[[str], bool], subfolder: str = "", variant: Variant | None = None
) -> ModelLayout:
    """The files of the model in ``subfolder``; what is shared may lie in the folders above it.

    Args:
        exists: whether there is a file of that name.
        subfolder: where the weights lie below the root.
        variant: which weights; default the first there are, in the order of ``VARIANTS``.

    Raises:
        EncoderError: no such weights.
    """
    for candidate in VARIANTS if variant is None else (variant,):
        pair = _weights(exists, subfolder, candidate)
        if pair is not None:
            break
    else:
        raise EncoderError(_nothing_found(exists, subfolder, variant))
    found = {name: _above(exists, subfolder, name) for name in (*_CONFIGS, *_NOTES, *_TOKENIZERS)}
    present = {name: where for name, where in found.items() if where is not None}
    return ModelLayout(
        variant=candidate,
        image_weights=pair[0],
        text_weights=pair[1],
        weights=tuple(_with_external_data(exists, pair)),
        tokenizer=next((present[name] for name in _TOKENIZERS if name in present), None),
        configs={name: where for name, where in present.items() if name in _CONFIGS},
        notes=tuple(where for name, where in present.items() if name in _NOTES),
    )


def _weights(
    exists: Callable[[str], bool], subfolder: str, variant: Variant
) -> tuple[str, str] | None:
    if variant == "torch":
        for config, checkpoint in _CHECKPOINTS:
            name = _join(subfolder, checkpoint)
            if exists(name) and _above(exists, subfolder, config):
                return name, name
        return None
    for folder in (subfolder, _join(subfolder, "onnx")):

        def first(stems: tuple[str, ...], folder: str = folder) -> str | None:
            names = (
                _join(folder, f"{stem}{suffix}.onnx")
                for suffix in _SUFFIXES[variant]
                for stem in stems
            )
            return next((name for name in names if exists(name)), None)

        image, text = first(_IMAGE_GRAPHS), first(_TEXT_GRAPHS)
        if image and text:
            return image, text
        joint = first((_JOINT_GRAPH,))
        if joint:
            return joint, joint
    return None


def _with_external_data(exists: Callable[[str], bool], pair: tuple[str, str]) -> Iterator[str]:
    for name in dict.fromkeys(pair):
        yield name
        if name.endswith(".onnx"):
            yield from (data for data in (f"{name}_data", f"{name}.data") if exists(data))


def _above(exists: Callable[[str], bool], subfolder: str, name: str) -> str | None:
    """The nearest file of that name, in ``subfolder`` or in a folder above it."""
    folder = PurePosixPath(subfolder)
    for place in (folder, *folder.parents):
        where = str(place / name)
        if exists(where):
            return where
    return None


def _join(folder: str, name: str) -> str:
    return str(PurePosixPath(folder) / name)


def _nothing_found(exists: Callable[[str], bool], subfolder: str, variant: Variant | None) -> str:
    where = f" in its {subfolder}" if subfolder else ""
    if variant is None:
        return (
            f"no model{where}: expected vision_model.onnx and text_model.onnx (or one model.onnx, "
            "or a checkpoint with its config.json)"
        )
    others = [name for name in VARIANTS if _weights(exists, subfolder, name)]
    hint = f"there is {', '.join(others)}" if others else "there is no other either"
    return f"no {variant} weights{where}: {hint}"
