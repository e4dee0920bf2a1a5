"""The small pictures of a film: which of them shows a scene, and what shape they have."""

from __future__ import annotations

import io
from collections.abc import Mapping
from typing import Any

import numpy as np

from semantic_video.records import Cluster, Span

_ASPECT = 16 / 9


def shape_of(thumbnails: Mapping[float, bytes]) -> float:
    """Width by height of a video's small pictures."""
    for jpeg in thumbnails.values():
        image = decoded(jpeg)
        if image is not None:
            return float(image.shape[1] / image.shape[0])
    return _ASPECT


def picture_in(
    thumbnails: Mapping[float, bytes], span: Span, time_s: float | None = None
) -> bytes | None:
    """The small picture taken within a span, nearest to ``time_s`` (default: its middle)."""
    wanted = (span.start_s + span.end_s) / 2 if time_s is None else time_s
    inside = [time for time in thumbnails if span.start_s <= time < span.end_s]
    return thumbnails[min(inside, key=lambda time: (abs(time - wanted), time))] if inside else None


def medoid_picture(thumbnails: Mapping[float, bytes], cluster: Cluster) -> bytes | None:
    """The small picture that shows a cluster best: from the occurrence of its medoid.

    Where that has none, the one of the cluster's other occurrences that is nearest in time.
    """
    at = cluster.medoid_s
    spans = sorted(
        cluster.occurrences,
        key=lambda span: (max(span.start_s - at, at - span.end_s, 0.0), span.start_s),
    )
    found = (picture_in(thumbnails, span, at) for span in spans)
    return next((picture for picture in found if picture is not None), None)


def inside(width: float, height: float, aspect: float) -> tuple[float, float]:
    """The largest size of shape ``aspect`` inside a box; what nearly fits fills it."""
    if abs(aspect / (width / height) - 1) < 0.02:
        return width, height
    return (width, width / aspect) if aspect > width / height else (height * aspect, height)


def decoded(jpeg: bytes) -> np.ndarray[Any, np.dtype[np.uint8]] | None:
    """uint8 [H, W, 3], or None where the bytes are no picture."""
    from PIL import Image, UnidentifiedImageError

    try:
        with Image.open(io.BytesIO(jpeg)) as image:
            return np.asarray(image.convert("RGB"))
    except (OSError, UnidentifiedImageError):
        return None
