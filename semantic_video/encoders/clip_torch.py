"""PyTorch checkpoints of transformers (CLIP, SigLIP, SigLIP2) and open_clip, for a GPU.

Pictures and texts are prepared by the same code as for ONNX exports, from the model's own
configuration. Needs the extra ``[clip]``.
"""

from __future__ import annotations

import importlib
from collections.abc import Callable, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from semantic_video.encoders.image_preprocessing import ImagePreprocessing
from semantic_video.encoders.model_folder import ModelFolder
from semantic_video.encoders.text_tokens import TextTokens
from semantic_video.errors import EncoderError
from semantic_video.utils.cores import available_cores

DEVICES = ("auto", "cpu", "cuda", "mps")

# What is tried first; halved for good when the device runs out of memory.
_FIRST_BATCH = {"cpu": 16, "cuda": 256, "mps": 64}


class ClipTorchEncoder:
    """An ``ImageTextEncoder`` over a PyTorch checkpoint; loaded when first used.

    On a CUDA device it runs in bfloat16 (float16 where the device has no bfloat16), elsewhere in
    float32. Batches are as large as fits: found by trying, halving when memory runs out.

    Args:
        folder: the model.
        model_id: what ``load_encoder`` takes to make this encoder again.
        threads: bound on torch's threads on the CPU; torch keeps one number for the whole process.
        device: ``auto`` (a GPU where there is one), ``cpu``, ``cuda`` or ``mps``.

    Raises:
        EncoderError: torch or the model's library is not installed, there is no such device, or
            the folder lacks something.
    """

    def __init__(
        self,
        folder: ModelFolder,
        model_id: str,
        threads: int | None = None,
        device: str = "auto",
    ) -> None:
        self._torch = _require("torch")
        self._library = _require("open_clip" if folder.is_open_clip else "transformers")
        self.model_id = model_id
        self.licence = folder.licence
        self.folder = folder
        """The model's files."""
        self._prepare: ImagePreprocessing = folder.image_preprocessing()
        self._tokens: TextTokens = folder.text_tokens()
        self.input_size = self._prepare.size
        self.fingerprint = folder.fingerprint
        self.device: str = self._chosen(device)
        """Where it runs."""
        self.batch_size: int = _FIRST_BATCH[self.device]
        """Pictures or texts in one run; grows no more, shrinks when memory runs out."""
        self._torch.set_num_threads(
            threads or min(self._torch.get_num_threads(), available_cores())
        )

    @cached_property
    def dimension(self) -> int:
        return int(self.encode_texts([""]).shape[1])

    def encode_images(self, rgb: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Pictures, uint8 [H, W, 3] (or grey [H, W]) of any size, to float32 [N, D], unit rows."""
        return self._encode(len(rgb), lambda rows: self._image_vectors(rgb[rows]))

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts to float32 [N, D], unit rows; what is past the model's length is not read."""
        return self._encode(len(texts), lambda rows: self._text_vectors(texts[rows]))

    def _encode(self, count: int, run: Callable[[slice], Any]) -> NDArray[np.float32]:
        torch = self._torch
        parts: list[NDArray[np.float32]] = []
        start = 0
        with torch.inference_mode():
            while start < count:
                try:
                    vectors = run(slice(start, min(start + self.batch_size, count)))
                    unit = torch.nn.functional.normalize(vectors.float(), dim=-1)
                    parts.append(unit.cpu().numpy())
                except torch.OutOfMemoryError:
                    if self.batch_size == 1:
                        raise EncoderError(
                            f"{self.device} has too little memory for one picture: take a smaller "
                            "model, or device cpu"
                        ) from None
                    self.batch_size //= 2
                    if self.device == "cuda":
                        torch.cuda.empty_cache()
                    continue
                start += len(parts[-1])
        if not parts:
            return np.zeros((0, self.dimension), np.float32)
        return np.concatenate(parts)

    def _image_vectors(self, rgb: Sequence[NDArray[np.uint8]]) -> Any:
        pixels = np.stack([self._prepare(picture) for picture in rgb])
        tensor = self._torch.from_numpy(pixels).to(self.device, self._precision)
        if self.folder.is_open_clip:
            return self._model.encode_image(tensor)
        return _pooled(self._model.get_image_features(pixel_values=tensor))

    def _text_vectors(self, texts: Sequence[str]) -> Any:
        ids, mask = self._tokens(texts)
        tokens = self._torch.from_numpy(ids).to(self.device)
        if self.folder.is_open_clip:
            return self._model.encode_text(tokens)
        seen = self._torch.from_numpy(mask).to(self.device)
        return _pooled(self._model.get_text_features(input_ids=tokens, attention_mask=seen))

    @cached_property
    def _precision(self) -> Any:
        if self.device != "cuda":
            return self._torch.float32
        bfloat16 = self._torch.cuda.is_bf16_supported()
        return self._torch.bfloat16 if bfloat16 else self._torch.float16

    @cached_property
    def _model(self) -> Any:
        path = self.folder.image_weights.parent
        try:
            if self.folder.is_open_clip:
                model = self._library.create_model(f"local-dir:{path}")
            else:
                model = self._library.AutoModel.from_pretrained(path, local_files_only=True)
        except (OSError, RuntimeError, ValueError, KeyError) as error:
            reason = " ".join(str(error).split())
            raise EncoderError(
                f"{path} cannot be loaded: fetch it again ({reason:.200})"
            ) from error
        return model.to(self.device, self._precision).eval()

    def _chosen(self, device: str) -> str:
        if device not in DEVICES:
            raise EncoderError(f"unknown device {device!r}: use {', '.join(DEVICES)}")
        here = {
            "cuda": self._torch.cuda.is_available(),
            "mps": self._torch.backends.mps.is_available(),
            "cpu": True,
        }
        if device == "auto":
            return next(name for name, available in here.items() if available)
        if not here[device]:
            raise EncoderError(f"torch sees no {device} here: use device auto or cpu")
        return device


def _pooled(output: Any) -> Any:
    """The projected vectors: transformers 5 hands out a record, older ones the tensor itself."""
    return getattr(output, "pooler_output", output)


def _require(library: str) -> Any:
    try:
        return importlib.import_module(library)
    except (
        ImportError,
        RuntimeError,
    ) as error:  # torchvision raises the latter beside another torch
        reason = " ".join(str(error).split())[:120]
        raise EncoderError(
            f"this model needs {library}, which is not installed or does not load ({reason}): "
            'pip install "semantic-video[clip]", or take an ONNX export of the model'
        ) from error
