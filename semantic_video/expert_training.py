"""Training the experts of videos that a library holds, and keeping them there."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import numpy as np

from semantic_video.encoders import ImageTextEncoder
from semantic_video.errors import EncoderError
from semantic_video.library import Library, VideoRecord
from semantic_video.moe_experts.training import (
    Progress,
    TrainingOptions,
    require_torch,
    train_experts,
)
from semantic_video.moe_experts.training_report import ExpertsReport
from semantic_video.stored_memory import memory_from_stored
from semantic_video.vocabulary import vocabulary_vectors


def train_videos(
    library: Library,
    records: Sequence[VideoRecord],
    encoder: ImageTextEncoder,
    options: TrainingOptions,
    progress: Progress = lambda stage, done, total: None,
    note: Callable[[str], None] = lambda line: None,
) -> ExpertsReport:
    """Train experts on the active clusterings of these videos together, and keep them.

    Raises:
        ConfigError: torch is not installed.
        EncoderError: a video was indexed with another encoder than ``encoder``.
        LibraryError: a video is damaged, or the library cannot be written.
    """
    require_torch()
    for record in records:
        if record.model_fingerprint != encoder.fingerprint:
            raise EncoderError(
                f"{record.name} was indexed with {record.model_id!r} and not {encoder.model_id!r}: "
                "train videos of one model together"
            )
        if record.coder:
            note(
                f"{record.name} is kept as codes: held-out figures are of what these decode to; "
                "those of the film itself need `index --compression none` first"
            )
    stored = library.load_many([record.id for record in records])
    memories = [memory_from_stored(stored[record.id], record) for record in records]
    texts = vocabulary_vectors(encoder, library).astype(np.float32)
    report, trained = train_experts(
        memories, texts, options, progress, [record.id for record in records]
    )
    weights = trained.to_bytes()
    with library.writer(note):
        for record in records:
            library.save_experts(record.id, record.active_clustering, weights, record.generation)
    return report
