"""``lite``, the built-in encoder: EfficientNet-Lite0 and MiniLM towers in one space.

Two ONNX graphs beside this module, made by ``training`` as
``docs/model-card.md`` says. Each is loaded when first used.
"""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from semantic_video.utils.cores import available_cores

if TYPE_CHECKING:
    from concurrent.futures import ThreadPoolExecutor

    from tokenizers import Tokenizer

WEIGHTS = Path(__file__).with_name("weights")

VIEW_SIZES = (
    (384, 160), (320, 192), (288, 224), (256, 256), (224, 288), (192, 320), (160, 384),
)  # fmt: skip
"""(height, width) that pictures are scaled to: the nearest in aspect, all of about equal cost."""

TEXT_BATCH = 64
FEW_TEXTS = 4
"""The first few texts, what a search from the command line asks for, are encoded by the graph as it
is stored: 40 ms to load and 22 ms a text, against 130 and 9 ms of the optimised one."""

MARGIN = 0.07
"""A picture larger than its view by at most this part is cropped, not scaled."""


class LiteEncoder:
    """The built-in ``ImageTextEncoder``: no download, a few milliseconds a frame on two cores."""

    model_id = "lite"

    def __init__(self, threads: int | None = None, weights: Path = WEIGHTS):
        """``threads`` bounds the threads of one call, None for the cores available."""
        about = json.loads((weights / "lite.json").read_text(encoding="utf-8"))
        self.dimension: int = about["dimension"]
        self.fingerprint: str = about["fingerprint"]
        self.licence: str = about["licence"]
        self.input_size: tuple[int, int] = (192, 320)
        self._weights, self._threads = weights, threads or available_cores()
        self.at_once = self._threads
        """Pictures that are encoded at the same time: more in one call brings nothing."""
        self._texts_encoded = 0

    def encode_images(self, rgb: Sequence[NDArray[np.uint8]]) -> NDArray[np.float32]:
        """Pictures, each uint8 [H, W, 3] of any size, to float32 [N, D], rows of unit length.

        Each picture takes one thread: two threads that share a picture take a tenth longer for
        two than if each takes one, and batches are no faster.
        """
        if len(rgb) < 2 or self._threads < 2:
            rows = [self._encode_image(picture) for picture in rgb]
        else:
            rows = list(self._pool.map(self._encode_image, rgb))
        return np.stack(rows) if rows else np.zeros((0, self.dimension), np.float32)

    def _encode_image(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        pixels = resize(picture, view_size(picture.shape[0], picture.shape[1]))
        row: NDArray[np.float32] = self._image_session.run(None, {"pixels": pixels[None]})[0][0]
        return row

    def encode_texts(self, texts: Sequence[str]) -> NDArray[np.float32]:
        """Texts to float32 [N, D], rows of unit length; what is past 64 tokens is not read."""
        result = np.zeros((len(texts), self.dimension), np.float32)
        self._texts_encoded += len(texts)
        few = self._texts_encoded <= FEW_TEXTS
        session = self._stored_text_session if few else self._text_session
        ids = [e.ids for e in self._tokenizer.encode_batch(list(texts))]
        order = sorted(range(len(ids)), key=lambda i: len(ids[i]))
        for start in range(0, len(order), TEXT_BATCH):
            part = order[start : start + TEXT_BATCH]
            tokens = np.zeros((len(part), len(ids[part[-1]])), np.int64)
            mask = np.zeros(tokens.shape, np.float32)
            for row, i in enumerate(part):
                tokens[row, : len(ids[i])] = ids[i]
                mask[row, : len(ids[i])] = 1.0
            feeds = {"tokens": tokens, "mask": mask}
            result[part] = session.run(None, feeds)[0]
        return result

    @cached_property
    def _image_session(self) -> Any:
        return self._session("image.onnx", threads=1)

    @cached_property
    def _text_session(self) -> Any:
        return self._session("text.onnx", self._threads)

    @cached_property
    def _pool(self) -> ThreadPoolExecutor:
        from concurrent.futures import ThreadPoolExecutor

        self._image_session  # noqa: B018  # made here, not by each of the threads
        return ThreadPoolExecutor(self._threads, "lite")

    @cached_property
    def _stored_text_session(self) -> Any:
        return self._session("text.onnx", self._threads, optimised=False)

    @cached_property
    def _tokenizer(self) -> Tokenizer:
        os.environ.setdefault("TOKENIZERS_PARALLELISM", "false")
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(self._weights / "tokenizer.json"))

    def _session(self, name: str, threads: int, optimised: bool = True) -> Any:
        import onnxruntime as ort

        options = ort.SessionOptions()
        if not optimised:
            options.graph_optimization_level = ort.GraphOptimizationLevel.ORT_DISABLE_ALL
        options.intra_op_num_threads = threads
        options.log_severity_level = 3
        # Threads that wait by spinning would take the cores from the decoder.
        options.add_session_config_entry("session.intra_op.allow_spinning", "0")
        path = str(self._weights / name)
        return ort.InferenceSession(path, options, providers=["CPUExecutionProvider"])


def view_size(height: int, width: int) -> tuple[int, int]:
    """The (height, width) among ``VIEW_SIZES`` that stretches a picture least."""
    aspect = np.log(width / height)

    def stretch(size: tuple[int, int]) -> tuple[float, int]:
        # A picture of 2:1 is as near to two sizes: the less extreme one, also upright.
        return round(abs(np.log(size[1] / size[0]) - aspect), 9), abs(size[1] - size[0])

    return min(VIEW_SIZES, key=stretch)


def resize(rgb: NDArray[np.uint8], size: tuple[int, int]) -> NDArray[np.uint8]:
    """A picture uint8 [H, W, 3] scaled to (height, width), or cropped where it nearly fits."""
    top, left = rgb.shape[0] - size[0], rgb.shape[1] - size[1]
    if 0 <= top <= MARGIN * size[0] and 0 <= left <= MARGIN * size[1]:  # as the reader scales
        top, left = top // 2, left // 2
        return np.ascontiguousarray(rgb[top : top + size[0], left : left + size[1]])
    import av

    # The scaler wants a few pixels at least, and is not made for extreme ratios.
    for axis in (0, 1):
        length, wanted = rgb.shape[axis], size[axis]
        if length < 16 or length > 16 * wanted:
            index = (np.arange(wanted * 4) + 0.5) * length / (wanted * 4)
            rgb = rgb.take(index.astype(np.intp), axis)
    frame = av.VideoFrame.from_ndarray(np.ascontiguousarray(rgb), format="rgb24")
    scaled = frame.reformat(size[1], size[0], format="rgb24", interpolation="BICUBIC")
    pixels: NDArray[np.uint8] = scaled.to_ndarray()  # type: ignore[assignment]
    return pixels
