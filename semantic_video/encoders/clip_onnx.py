"""ONNX exports of CLIP, OpenCLIP, SigLIP, SigLIP2, MobileCLIP and MobileCLIP2.

Needs neither torch nor Pillow: onnxruntime runs the towers, ``tokenizers`` reads the tokenizer, and
pictures are prepared in numpy as the model's own configuration says.

CLIP: Radford et al. 2021; OpenCLIP: Cherti et al. 2023; SigLIP: Zhai et al. 2023; SigLIP2:
Tschannen et al. 2025; MobileCLIP: Vasu et al. 2024; MobileCLIP2: Faghri et al. 2025.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from semantic_video.encoders.image_preprocessing import ImagePreprocessing
from semantic_video.encoders.model_folder import ModelFolder
from semantic_video.encoders.text_tokens import TextTokens
from semantic_video.errors import EncoderError
from semantic_video.utils.cores import available_cores

Side = Literal["image", "text"]

_IMAGE_BATCH = 16
_TEXT_BATCH = 64

# In order of preference; TensorRT is left out, it takes minutes to build what it runs.
_PROVIDERS = {
    "cuda": ("CUDAExecutionProvider", "ROCMExecutionProvider", "MIGraphXExecutionProvider"),
    "directml": ("DmlExecutionProvider",),
    "coreml": ("CoreMLExecutionProvider",),
    "openvino": ("OpenVINOExecutionProvider",),
    "cpu": ("CPUExecutionProvider",),
}


class ClipOnnxEncoder:
    """An ``ImageTextEncoder`` over one ONNX graph or two; each is loaded when first used.

    Args:
        folder: the model.
        model_id: what ``load_encoder`` takes to make this encoder again.
        threads: bound on the threads of one call, None leaves it to the cores available.
        device: ``auto`` takes the fastest that this onnxruntime offers; or ``cuda``, ``directml``,
            ``coreml``, ``openvino``, ``cpu``.

    Raises:
        EncoderError: the folder lacks something, or there is no such device here.
    """

    def __init__(
        self,
        folder: ModelFolder,
        model_id: str,
        threads: int | None = None,
        device: str = "auto",
    ) -> None:
        self.model_id = model_id
        self.licence = folder.licence
        self.folder = folder
        """The model's files."""
        self._threads = threads
        self._device = device
        self._prepare: ImagePreprocessing = folder.image_preprocessing()
        self.input_size = self._prepare.size
        self.fingerprint = folder.fingerprint

    @property
    def dimension(self) -> int:
        return self._text_tower.dimension or self.encode_texts([""]).shape[1]

    def encode_images(self, rgb: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Pictures, uint8 [H, W, 3] (or grey [H, W]) of any size, to float32 [N, D], unit rows."""
        tower = self._image_tower
        parts = []
        for start in range(0, len(rgb), _IMAGE_BATCH):
            pixels = np.stack([self._prepare(picture) for picture in rgb[start:][:_IMAGE_BATCH]])
            parts.append(tower.run(pixels=pixels))
        return _unit_rows(parts, self)

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts to float32 [N, D], unit rows; what is past the model's length is not read."""
        tower = self._text_tower
        parts = []
        for start in range(0, len(texts), _TEXT_BATCH):
            ids, mask = self._tokens(texts[start:][:_TEXT_BATCH])
            parts.append(tower.run(ids=ids, mask=mask))
        return _unit_rows(parts, self)

    @cached_property
    def _tokens(self) -> TextTokens:
        return self.folder.text_tokens(self._text_tower.text_length)

    @cached_property
    def _image_tower(self) -> _Tower:
        return self._tower("image")

    @cached_property
    def _text_tower(self) -> _Tower:
        return self._tower("text")

    def _tower(self, side: Side) -> _Tower:
        folder = self.folder
        if folder.image_weights != folder.text_weights:
            path = folder.image_weights if side == "image" else folder.text_weights
            return _Tower(open_session(path, self._threads, self._device), folder, side)
        # One graph that holds both towers and wants both inputs at every run.
        tower = _Tower(self._joint_session, folder, side)
        ids, mask = folder.text_tokens(tower.text_length)([""])
        blank = np.zeros((1, 3, *self._prepare.size), np.float32)
        tower.fill_in(pixels=blank, ids=ids, mask=mask)
        return tower

    @cached_property
    def _joint_session(self) -> Any:
        return open_session(self.folder.image_weights, self._threads, self._device)


class _Tower:
    """One side of a model: finds its inputs and output in a session by their names and types."""

    def __init__(self, session: Any, folder: ModelFolder, side: Side) -> None:
        self._session = session
        self._inputs = {_role(item): item for item in session.get_inputs()}
        self._others: dict[str, NDArray[Any]] = {}
        self._output = _embedding(session.get_outputs(), folder, side)
        first = next(iter(self._inputs.values()))
        # Some exports are made for one size of batch.
        self._batch = first.shape[0] if isinstance(first.shape[0], int) else None

    @property
    def dimension(self) -> int | None:
        """D, where the graph states it."""
        length = self._output.shape[1]
        return length if isinstance(length, int) else None

    @property
    def text_length(self) -> int | None:
        """Tokens in a row, where the graph fixes it."""
        item = self._inputs.get("ids")
        length = item.shape[1] if item is not None else None
        return length if isinstance(length, int) else None

    def fill_in(self, **others: NDArray[Any]) -> None:
        """Remember what inputs take that a caller of ``run`` does not give."""
        self._others = others

    def run(self, **given: NDArray[Any]) -> NDArray[np.float32]:
        """Inputs by role (``pixels``, ``ids``, ``mask``) to float32 [N, D], of any length."""
        rows = len(next(iter(given.values())))
        step = self._batch or rows
        parts = []
        for start in range(0, rows, step):
            feeds = {}
            for role, item in self._inputs.items():
                values = given[role][start : start + step] if role in given else None
                values = self._others[role] if values is None else _filled_up(values, self._batch)
                feeds[item.name] = values.astype(_NUMPY_TYPES[item.type], copy=False)
            parts.append(self._session.run([self._output.name], feeds)[0])
        return np.concatenate(parts)[:rows].astype(np.float32, copy=False)


def _embedding(outputs: Sequence[Any], folder: ModelFolder, side: Side) -> Any:
    """Which of a graph's outputs is the vector in the shared space."""
    flat = [output for output in outputs if len(output.shape) == 2]
    for name in (f"{side}_embed", f"{side}_feature", "embedding", "feature"):
        for output in flat:
            if name in output.name:
                return output
    pooled = [output for output in flat if output.name == "pooler_output"]
    # SigLIP projects nothing after pooling; in an export of CLIP, a pooler's output is what comes
    # before the projection into the shared space.
    if pooled and not folder.is_clip:
        return pooled[0]
    if len(flat) == 1 and not pooled:
        return flat[0]
    raise EncoderError(
        f"{folder.path}: no {side} embedding among the outputs "
        f"{', '.join(output.name for output in outputs)}; export the model with its projection"
    )


_NUMPY_TYPES = {
    "tensor(float)": np.float32,
    "tensor(float16)": np.float16,
    "tensor(int64)": np.int64,
    "tensor(int32)": np.int32,
}


def open_session(path: Path, threads: int | None, device: str = "auto") -> Any:
    """An onnxruntime session on the graph at ``path``.

    Raises:
        EncoderError: onnxruntime cannot run it, or there is no such device here.
    """
    import onnxruntime as ort

    options = ort.SessionOptions()
    options.intra_op_num_threads = threads or available_cores()
    options.log_severity_level = 3
    # Threads that wait by spinning would take the cores from the decoder.
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")
    try:
        return ort.InferenceSession(str(path), options, providers=providers(device))
    except Exception as error:  # its errors have no common base
        reason = " ".join(str(error).split())
        raise EncoderError(
            f"onnxruntime cannot run {path}: fetch or export it again ({reason:.200})"
        ) from error


def providers(device: str) -> list[str]:
    """Execution providers for ``device`` among those that are installed, best first.

    Raises:
        EncoderError: no such device, or not with the onnxruntime that is installed.
    """
    import onnxruntime as ort

    if device != "auto" and device not in _PROVIDERS:
        raise EncoderError(f"unknown device {device!r}: use auto, {', '.join(_PROVIDERS)}")
    here = ort.get_available_providers()
    wanted = _PROVIDERS if device == "auto" else {device: _PROVIDERS[device]}
    chosen = [name for names in wanted.values() for name in names if name in here]
    if not chosen:
        raise EncoderError(
            f"the onnxruntime installed here has no {device}: use device auto, or for CUDA replace "
            "it (pip uninstall onnxruntime; pip install onnxruntime-gpu)"
        )
    return chosen if device in ("auto", "cpu") else [*chosen, "CPUExecutionProvider"]


def _role(item: Any) -> str:
    if len(item.shape) == 4:
        return "pixels"
    return "mask" if "mask" in item.name else "ids"


def _filled_up(values: NDArray[Any], rows: int | None) -> NDArray[Any]:
    if rows is None or len(values) == rows:
        return values
    return np.concatenate([values, np.repeat(values[-1:], rows - len(values), axis=0)])


def _unit_rows(parts: list[NDArray[np.float32]], encoder: ClipOnnxEncoder) -> NDArray[np.float32]:
    if not parts:
        return np.zeros((0, encoder.dimension), np.float32)
    vectors = np.concatenate(parts)
    vectors /= np.maximum(np.linalg.norm(vectors, axis=1, keepdims=True), 1e-12)
    return vectors
