"""Which encoders there are, by name.

A name is ``lite`` (built in), a preset, the path of a local folder, or a hub id
(``organisation/name``); the last three may end in ``:fp32``, ``:fp16``, ``:int8`` or ``:torch`` to
choose among a model's weights. Nothing here uses the network but ``obtain``.
"""

from __future__ import annotations

import difflib
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple

from semantic_video.encoders.base import ImageTextEncoder
from semantic_video.encoders.model_layout import VARIANTS, Variant
from semantic_video.encoders.presets import PRESETS
from semantic_video.errors import EncoderError

if TYPE_CHECKING:
    from semantic_video.encoders.model_folder import ModelFolder

BUILT_IN = "lite"


class ModelName(NamedTuple):
    """A name taken apart: ``clip-vit-b-32:int8`` -> ``clip-vit-b-32`` and ``int8``."""

    base: str
    variant: Variant | None


def available_encoders() -> tuple[str, ...]:
    """Names that ``load_encoder`` takes besides folders and hub ids; a preset must be fetched."""
    return (BUILT_IN, *PRESETS)


def load_encoder(
    model_id: str, threads: int | None = None, device: str = "auto"
) -> ImageTextEncoder:
    """The encoder of that name, from this machine; its weights are read when first used.

    Args:
        model_id: ``lite``, a preset, the path of a folder, or a hub id.
        threads: bound on the threads of one call, None leaves it to the cores available.
        device: where it runs; ``auto`` takes the fastest that is installed. ``lite`` always runs on
            the CPU.

    Raises:
        EncoderError: no such encoder, or it is not on this machine; the message says what to do.
    """
    if model_id == BUILT_IN:
        from semantic_video.encoders.lite import LiteEncoder

        return LiteEncoder(threads=threads)
    from semantic_video.encoders.model_folder import ModelFolder

    base, variant = split_name(model_id)
    path = _local_folder(base)
    if path is not None:
        folder = ModelFolder(path, variant=variant)
        model_id = _join(str(path), variant)  # an index keeps it: it must mean the same anywhere
    else:
        folder = _fetched_folder(base, variant)
    if folder.layout.variant == "torch":
        from semantic_video.encoders.clip_torch import ClipTorchEncoder

        return ClipTorchEncoder(folder, model_id, threads=threads, device=device)
    from semantic_video.encoders.clip_onnx import ClipOnnxEncoder

    return ClipOnnxEncoder(folder, model_id, threads=threads, device=device)


def obtain(model_id: str, note: Callable[[str], None]) -> str:
    """Have the model that the user named on this machine, fetching it from a hub if need be.

    Args:
        model_id: as for ``load_encoder``.
        note: told what is about to be fetched, and on which terms.

    Returns:
        The name that means the same from anywhere: of a folder, its absolute path.

    Raises:
        EncoderError: the hub cannot be reached, or has no such model.
    """
    base, variant = split_name(model_id)
    if base == BUILT_IN:
        return model_id
    path = _local_folder(base)
    if path is not None:
        return _join(str(path), variant)
    from semantic_video.encoders.hub import fetch, hub_model, look_up

    model = hub_model(base)
    if model is None:
        raise unknown_model(base)
    if not model.is_here(variant):
        listing = look_up(model, variant)
        note(
            f"fetching {model.repository} ({listing.size / 1e6:.0f} MB); licence of the weights: "
            f"{listing.licence}"
        )
        fetch(listing)
    return model_id


def split_name(model_id: str) -> ModelName:
    """Take the variant off a name, if it ends in one.

    Raises:
        EncoderError: the built-in model is asked for in a precision.
    """
    base, colon, ending = model_id.rpartition(":")
    for variant in VARIANTS:
        if colon and ending == variant:
            if base == BUILT_IN:
                raise EncoderError(f"{BUILT_IN} comes in one precision: name it without :{variant}")
            return ModelName(base, variant)
    return ModelName(model_id, None)


def unknown_model(name: str) -> EncoderError:
    """The error for a name that can mean nothing; names the nearest."""
    nearest = difflib.get_close_matches(name, available_encoders(), n=1, cutoff=0.4)
    known = ", ".join(available_encoders())
    hint = f"did you mean {nearest[0]!r}?" if nearest else f"there is: {known}"
    return EncoderError(f"unknown model {name!r}; {hint} (or a folder, or a hub id)")


def _local_folder(name: str) -> Path | None:
    path = Path(name).expanduser()
    # A preset's name means the preset, whatever lies here under that name.
    return path.resolve() if name and name not in PRESETS and path.is_dir() else None


def _join(base: str, variant: Variant | None) -> str:
    return f"{base}:{variant}" if variant else base


def _fetched_folder(name: str, variant: Variant | None) -> ModelFolder:
    from semantic_video.encoders.hub import hub_model
    from semantic_video.encoders.model_folder import ModelFolder

    model = hub_model(name)
    if model is None:
        raise unknown_model(name)
    if not model.is_here(variant):
        wanted = _join(name, variant)
        raise EncoderError(
            f"the model {wanted} is not on this machine: fetch it with `semantic-video models pull "
            f"{wanted}`, or index again with the built-in one (--model {BUILT_IN})"
        )
    return ModelFolder(model.folder, model.subfolder, variant)
