"""From a picture to what an image tower takes, as the model's own configuration says."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal, Self

import numpy as np
from numpy.typing import NDArray

from semantic_video.encoders.resampling import KERNELS, resample
from semantic_video.errors import EncoderError

_PILLOW_FILTERS = {1: "lanczos", 2: "bilinear", 3: "bicubic", 4: "box"}

# Published with CLIP and assumed by open_clip where a model says nothing else.
_CLIP_MEAN = (0.48145466, 0.4578275, 0.40821073)
_CLIP_STD = (0.26862954, 0.26130258, 0.27577711)


@dataclass(frozen=True, slots=True)
class ImagePreprocessing:
    """Resize, crop about the centre, normalise.

    ``resize`` says which edge is brought to ``size``: the shortest (the rest is cropped), the
    longest (the rest is filled), or both (``squash``). ``toolkit`` says whose rounding is followed
    where sizes are odd: that of transformers or of torchvision (open_clip).
    """

    size: tuple[int, int]
    """(height, width) of the result."""
    resize: Literal["shortest", "longest", "squash"]
    resize_to: int
    """Pixels of the shortest edge before cropping; ``size`` unless a model resizes to more."""
    interpolation: str
    mean: tuple[float, ...]
    std: tuple[float, ...]
    scale: float
    fill: int
    toolkit: Literal["transformers", "torchvision"]

    @classmethod
    def from_transformers(cls, config: Mapping[str, Any]) -> Self:
        """Read a ``preprocessor_config.json``.

        Raises:
            EncoderError: it asks for something that no fixed-size image tower takes.
        """
        if "max_num_patches" in config:
            raise EncoderError(
                "models with a variable number of patches (SigLIP2 NaFlex) are not supported; "
                "take one with a fixed size, for instance siglip2-base-224"
            )
        if not config.get("do_resize", True):
            raise EncoderError(
                "preprocessor_config.json switches resizing off: set do_resize and size in it"
            )
        crops = bool(config.get("do_center_crop", False))
        size = config.get("size")
        # Old files give a number: the shortest edge where a crop follows, else a square.
        shortest = size.get("shortest_edge") if isinstance(size, dict) else size if crops else None
        target = _height_width(config.get("crop_size", size) if crops else size, "size")
        if shortest is not None and not crops:
            raise EncoderError(
                "preprocessor_config.json resizes the shortest edge without a crop after it: set "
                "do_center_crop and crop_size in it"
            )
        resize_to = int(shortest) if shortest is not None else 0
        if shortest is None and crops and _height_width(size, "size") != target:
            raise EncoderError(
                "preprocessor_config.json squashes to one size and crops to another: set size to "
                'the shortest edge, {"shortest_edge": ...}'
            )
        code = config.get("resample", 3)
        if code not in _PILLOW_FILTERS:
            raise EncoderError(
                f"preprocessor_config.json asks for resample {code}: use one of "
                + ", ".join(f"{key} ({name})" for key, name in _PILLOW_FILTERS.items())
            )
        normalises = config.get("do_normalize", True)
        if normalises and not ("image_mean" in config and "image_std" in config):
            raise EncoderError("preprocessor_config.json lacks image_mean or image_std: add them")
        return cls(
            size=target,
            resize="shortest" if shortest is not None else "squash",
            resize_to=resize_to,
            interpolation=_PILLOW_FILTERS[code],
            mean=_three(config["image_mean"]) if normalises else (0.0, 0.0, 0.0),
            std=_three(config["image_std"]) if normalises else (1.0, 1.0, 1.0),
            scale=float(config.get("rescale_factor", 1 / 255)) if _rescales(config) else 1.0,
            fill=0,
            toolkit="transformers",
        )

    @classmethod
    def from_open_clip(cls, config: Mapping[str, Any], image_size: Any) -> Self:
        """Read ``preprocess_cfg`` of an ``open_clip_config.json``.

        ``image_size`` is that of its ``vision_cfg``, used where ``config`` has no ``size``.
        """
        size = _height_width(config.get("size") or image_size, "image_size")
        interpolation = config.get("interpolation") or "bicubic"
        resize: Any = config.get("resize_mode") or "shortest"
        if interpolation not in KERNELS or resize not in ("shortest", "longest", "squash"):
            raise EncoderError(
                f"the model's preprocess_cfg asks for {interpolation!r} and {resize!r}: use "
                "bilinear or bicubic, and shortest, longest or squash"
            )
        return cls(
            size=size,
            resize=resize,
            resize_to=min(size),
            interpolation=interpolation,
            mean=_three(config.get("mean") or _CLIP_MEAN),
            std=_three(config.get("std") or _CLIP_STD),
            scale=1 / 255,
            fill=int(config.get("fill_color") or 0),
            toolkit="torchvision",
        )

    def __call__(self, picture: NDArray[np.uint8]) -> NDArray[np.float32]:
        """A picture uint8 [H, W, 3], or grey [H, W] or [H, W, 1], to float32 [3, height, width]."""
        rgb = _as_rgb(picture)
        whole = self._resized(rgb.shape[0], rgb.shape[1])
        height, width = self.size
        top, left = self._offset(whole[0], height), self._offset(whole[1], width)
        inner = (
            max(top, 0),
            max(left, 0),
            min(height, whole[0] - max(top, 0)),
            min(width, whole[1] - max(left, 0)),
        )
        pixels = resample(rgb, whole, self.interpolation, inner)
        if pixels.shape[:2] != self.size:
            framed = np.full((height, width, 3), self.fill, np.uint8)
            row, column = max(-top, 0), max(-left, 0)
            framed[row : row + pixels.shape[0], column : column + pixels.shape[1]] = pixels
            pixels = framed
        std = np.asarray(self.std, np.float32)
        gain = np.float32(self.scale) / std
        shift = -np.asarray(self.mean, np.float32) / std
        return np.ascontiguousarray((pixels * gain + shift).transpose(2, 0, 1))

    def _resized(self, height: int, width: int) -> tuple[int, int]:
        """(height, width) of the whole picture after resizing, before anything is cut off."""
        if self.resize == "squash":
            return self.size
        if self.resize == "shortest" and (
            self.toolkit == "transformers" or self.size[0] == self.size[1]
        ):
            edge = self.resize_to
            if height <= width:
                return edge, int(edge * width / height)
            return int(edge * height / width), edge
        ratios = (height / self.size[0], width / self.size[1])
        ratio = min(ratios) if self.resize == "shortest" else max(ratios)
        return max(1, round(height / ratio)), max(1, round(width / ratio))

    def _offset(self, length: int, wanted: int) -> int:
        """Where the crop begins; negative where the picture is framed instead."""
        if length < wanted:
            return -((wanted - length) // 2)
        if self.toolkit == "transformers":
            return (length - wanted) // 2
        return round((length - wanted) / 2)


def _as_rgb(picture: NDArray[np.uint8]) -> NDArray[np.uint8]:
    if picture.ndim == 2:
        picture = picture[:, :, None]
    if picture.shape[2] == 1:
        return np.repeat(picture, 3, axis=2)
    return picture[:, :, :3]  # without an alpha channel


def _height_width(size: Any, name: str) -> tuple[int, int]:
    match size:
        case {"height": height, "width": width}:
            return int(height), int(width)
        case {"shortest_edge": edge}:
            return int(edge), int(edge)
        case [height, width]:
            return int(height), int(width)
        case int() | float() if not isinstance(size, bool):
            return int(size), int(size)
    raise EncoderError(f"the model's {name} is {size!r}: it must be a number or height and width")


def _three(values: Any) -> tuple[float, ...]:
    if isinstance(values, int | float):
        return (float(values),) * 3
    return tuple(float(value) for value in values)


def _rescales(config: Mapping[str, Any]) -> bool:
    return bool(config.get("do_rescale", True))
