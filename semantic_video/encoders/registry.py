"""Which encoders there are, by name."""

from __future__ import annotations

import difflib
from collections.abc import Callable

from semantic_video.encoders.base import ImageTextEncoder
from semantic_video.errors import EncoderError


def _lite(threads: int | None) -> ImageTextEncoder:
    from semantic_video.encoders.lite import LiteEncoder

    return LiteEncoder(threads=threads)


_FACTORIES: dict[str, Callable[[int | None], ImageTextEncoder]] = {"lite": _lite}


def available_encoders() -> tuple[str, ...]:
    """Names that ``load_encoder`` takes."""
    return tuple(_FACTORIES)


def load_encoder(model_id: str, threads: int | None = None) -> ImageTextEncoder:
    """The encoder of that name; its weights are read when first used.

    ``threads`` bounds the threads of one call, None leaves it to the cores available.

    Raises:
        EncoderError: no such encoder; the message names the nearest.
    """
    factory = _FACTORIES.get(model_id)
    if factory is None:
        nearest = difflib.get_close_matches(model_id, _FACTORIES, n=1, cutoff=0.4)
        hint = f"did you mean {nearest[0]!r}?" if nearest else f"there is: {', '.join(_FACTORIES)}"
        raise EncoderError(f"unknown model {model_id!r}; {hint}")
    return factory(threads)
