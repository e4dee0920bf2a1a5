"""Randomly initialised models of the real libraries, exported as people publish them.

Needs torch and transformers (and open_clip for its own): the extra ``[clip]``. Weights cannot be
had offline, but that our towers, tokens and pictures agree with the libraries' own does not depend
on their values.
"""

from __future__ import annotations

import json
import warnings
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from tests.encoders.tiny_models import clip_tokenizer, siglip_tokenizer

MASK = ("attention_mask",)


def seeded(model: Any) -> Any:
    """Weights large enough that inputs make a difference: a fresh model maps all to one vector."""
    generator = torch.Generator().manual_seed(0)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if parameter.dim() > 1:
                spread = 1.5 / parameter.shape[-1] ** 0.5
                if "embed" in name or "class" in name:
                    spread = 0.5
                parameter.copy_(torch.randn(parameter.shape, generator=generator) * spread)
    return model.eval()


class Side(torch.nn.Module):
    """One tower of a model as a module of its own, which is what can be exported."""

    def __init__(self, model: Any, call: Callable[..., Any]) -> None:
        super().__init__()
        self.model, self.call = model, call

    def forward(self, *inputs: Any) -> Any:
        return self.call(self.model, *inputs)


def export(
    model: Any, call: Callable[..., Any], path: Path, inputs: dict[str, Any], outputs: list[str]
) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    axes = {name: {0: "batch"} for name in (*inputs, *outputs)}
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.onnx.export(
            Side(model, call).eval(),  # else exporting leaves the model in training mode
            tuple(inputs.values()),
            str(path),
            input_names=[*inputs],
            output_names=outputs,
            dynamic_axes=axes,
            opset_version=17,
            dynamo=False,
        )


def vectors(output: Any) -> Any:
    return getattr(output, "pooler_output", output)


def transformers_model(family: str, size: str) -> Any:
    """A CLIP or a SigLIP; ``size`` is tiny or real (ViT-B/32; SigLIP2 base at 224)."""
    import transformers

    transformers.logging.set_verbosity_error()  # it finds a vocabulary of 1000 small
    tiny = {
        "hidden_size": 32,
        "intermediate_size": 64,
        "num_hidden_layers": 2,
        "num_attention_heads": 2,
    }
    vision = {"image_size": 32, "patch_size": 8}
    torch.manual_seed(0)
    if family == "clip":
        text = {"vocab_size": 1000, "max_position_embeddings": 77, "eos_token_id": 2}
        config: Any = transformers.CLIPConfig(
            text_config=(tiny | text) if size == "tiny" else {"eos_token_id": 2},
            vision_config=(tiny | vision) if size == "tiny" else {},
            projection_dim=24 if size == "tiny" else 512,
        )
        return seeded(transformers.CLIPModel(config))
    text = {"vocab_size": 1000, "max_position_embeddings": 64, "projection_size": 32}
    config = transformers.SiglipConfig(
        text_config=(tiny | text) if size == "tiny" else {"vocab_size": 256000},
        vision_config=(tiny | vision) if size == "tiny" else {},
    )
    return seeded(transformers.SiglipModel(config))


def image_processor(family: str, size: int) -> Any:
    """The library's own, over Pillow rather than torchvision."""
    if family == "clip":
        from transformers.models.clip.image_processing_pil_clip import CLIPImageProcessorPil

        return CLIPImageProcessorPil(
            size={"shortest_edge": size}, crop_size={"height": size, "width": size}
        )
    from transformers.models.siglip.image_processing_pil_siglip import SiglipImageProcessorPil

    return SiglipImageProcessorPil(size={"height": size, "width": size})


def save_transformers(model: Any, family: str, root: Path, layout: str) -> Path:
    """Configuration, tokenizer, and weights: ``checkpoint``, ``two graphs`` or ``one graph``."""
    root.mkdir(parents=True, exist_ok=True)
    side = model.config.vision_config.image_size
    processor = json.loads(image_processor(family, side).to_json_string())
    (root / "preprocessor_config.json").write_text(json.dumps(processor), encoding="utf-8")
    if family == "clip":
        clip_tokenizer(root / "tokenizer.json")
        special = {"pad_token": "<|endoftext|>"}
    else:
        siglip_tokenizer(root / "tokenizer.json")
        special = {"pad_token": "<pad>"}
    (root / "tokenizer_config.json").write_text(json.dumps(special), encoding="utf-8")
    if layout == "checkpoint":
        model.save_pretrained(root)
        return root
    (root / "config.json").write_text(model.config.to_json_string(), encoding="utf-8")
    length = model.config.text_config.max_position_embeddings
    pixels = torch.zeros(2, 3, side, side)
    ids = torch.ones(2, length, dtype=torch.long)
    takes_mask = family == "clip"
    texts = {"input_ids": ids} | ({"attention_mask": torch.ones_like(ids)} if takes_mask else {})
    name = "embeds" if family == "clip" else "pooler"
    if layout == "one graph":
        # As optimum exports zero-shot image classification: logits first, both inputs always.
        def both(model: Any, ids: Any, pixels: Any, *mask: Any) -> Any:
            out = model(input_ids=ids, pixel_values=pixels, **dict(zip(MASK, mask, strict=False)))
            return out.logits_per_image, out.logits_per_text, out.text_embeds, out.image_embeds

        inputs = {"input_ids": ids, "pixel_values": pixels} | dict(list(texts.items())[1:])
        outputs = ["logits_per_image", "logits_per_text", "text_embeds", "image_embeds"]
        export(model, both, root / "onnx/model.onnx", inputs, outputs)
        return root
    export(
        model,
        lambda model, pixels: vectors(model.get_image_features(pixel_values=pixels)),
        root / "onnx/vision_model.onnx",
        {"pixel_values": pixels},
        ["image_embeds" if name == "embeds" else "pooler_output"],
    )
    export(
        model,
        lambda model, ids, *mask: vectors(
            model.get_text_features(ids, **dict(zip(MASK, mask, strict=False)))
        ),
        root / "onnx/text_model.onnx",
        texts,
        ["text_embeds" if name == "embeds" else "pooler_output"],
    )
    return root


def transformers_images(
    model: Any, family: str, pictures: Sequence[NDArray[np.uint8]]
) -> NDArray[np.float32]:
    processor = image_processor(family, model.config.vision_config.image_size)
    result = []
    with torch.inference_mode():
        for picture in pictures:
            # The layout said, as it is guessed wrongly for pictures 1 or 3 pixels high.
            pixels = processor(
                images=picture, return_tensors="pt", input_data_format="channels_last"
            )
            result.append(vectors(model.get_image_features(**pixels))[0].numpy())
    return np.stack(result)


def transformers_texts(
    model: Any, family: str, root: Path, texts: Sequence[str]
) -> NDArray[np.float32]:
    """As the library's processors do it: CLIP pads to the longest, SigLIP to its full length."""
    from transformers import PreTrainedTokenizerFast

    end, pad = ("<|endoftext|>",) * 2 if family == "clip" else ("</s>", "<pad>")
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_file=str(root / "tokenizer.json"), eos_token=end, pad_token=pad
    )
    length = model.config.text_config.max_position_embeddings
    if family == "clip":
        tokens = tokenizer(
            list(texts), padding=True, truncation=True, max_length=length, return_tensors="pt"
        )
        inputs = {"input_ids": tokens["input_ids"], "attention_mask": tokens["attention_mask"]}
    else:
        lowered = [" ".join(text.lower().split()) for text in texts]
        tokens = tokenizer(
            lowered, padding="max_length", truncation=True, max_length=length, return_tensors="pt"
        )
        inputs = {"input_ids": tokens["input_ids"]}
    with torch.inference_mode():
        found: NDArray[np.float32] = vectors(model.get_text_features(**inputs)).numpy()
    return found
