"""What an index is made of, and which part of it has to be made again: decisions, no work."""

from __future__ import annotations

import math
from dataclasses import asdict
from typing import Any

from semantic_video.config import Config, options_hash
from semantic_video.library import VideoRecord

STAGES = ("scenes", "vectors", "memory", "clusters")
"""In order: when a stage is made again, so are those after it."""

# Raised when a stage makes something else of the same options.
_STAGE_VERSION = 1
_CLUSTERING_VERSION = 2

# Setting of a video -> option of the configuration.
_SETTINGS = {
    "model": ("encoder", "model"),
    "depth": ("reading", "depth"),
    "num_clusters": ("clustering", "num_clusters"),
    "clustering_method": ("clustering", "method"),
    "seed": ("clustering", "seed"),
    "memory_size": ("memory", "memory_size"),
    "exemplars": ("memory", "exemplars"),
    "spans": ("memory", "spans"),
    "max_bytes": ("memory", "max_bytes"),
    "compression": ("memory", "compression"),
    "code_bytes": ("memory", "code_bytes"),
}


def stage_hashes(config: Config, encoder_fingerprint: str) -> dict[str, str]:
    """Stage -> hash of what it is made with; clusters are told apart by `clustering_id`."""
    memory = config.memory
    reading = asdict(config.reading)
    del reading["decoder"]  # frames are the same from each
    coded = [] if memory.compression == "none" else [memory.compression, memory.code_bytes]
    return {
        "scenes": options_hash(_STAGE_VERSION, reading, config.segmentation),
        "vectors": options_hash(
            _STAGE_VERSION, config.sampling, memory.exemplars, memory.thumbnails,
            encoder_fingerprint,
        ),
        "memory": options_hash(
            _STAGE_VERSION, memory.memory_size, memory.spans, memory.max_bytes, *coded
        ),
    }  # fmt: skip


def clustering_id(config: Config) -> str:
    """Names the clustering that these options make, within a video."""
    return options_hash(_CLUSTERING_VERSION, config.clustering)


def settings(config: Config) -> dict[str, Any]:
    """What a video's record says it was indexed with."""
    return {
        name: getattr(getattr(config, section), option)
        for name, (section, option) in _SETTINGS.items()
    }


def with_settings_of(record: VideoRecord, config: Config) -> Config:
    """The configuration, with what nobody gave taken from an earlier run over the video."""
    kept: dict[str, dict[str, Any]] = {}
    for name, (section, option) in _SETTINGS.items():
        if f"{section}.{option}" not in config.given and name in record.settings:
            kept.setdefault(section, {})[option] = record.settings[name]
    return config.override(kept, source=f"the index of {record.name}")


def refined_share(record: VideoRecord) -> float:
    """The share of the video that further passes would not change: 1 where its index is whole."""
    return float(record.info.get("refined", 1.0))


def stale_perception(record: VideoRecord, config: Config, encoder_fingerprint: str) -> str | None:
    """``scenes`` or ``vectors`` where the film has to be watched again, else None."""
    wanted = stage_hashes(config, encoder_fingerprint)
    return next(
        (stage for stage in ("scenes", "vectors") if record.stages.get(stage) != wanted[stage]),
        None,
    )


def first_stale_stage(record: VideoRecord, config: Config, encoder_fingerprint: str) -> str | None:
    """The first stage that these options would make differently; None where nothing would."""
    stage = stale_perception(record, config, encoder_fingerprint)
    if stage is not None:
        return stage
    if _grown(record, config) and gave_up(record):
        return "vectors"  # entries were merged: only the film can tell them apart again
    if record.coder and _coded_otherwise(record, config):
        return "vectors"  # codes cannot give back what they left out
    if record.stages.get("memory") != stage_hashes(config, encoder_fingerprint)["memory"]:
        return "memory"
    return None if record.active_clustering == clustering_id(config) else "clusters"


def gave_up(record: VideoRecord) -> bool:
    """Whether the budget cost the video something that only the film can give back."""
    history = record.memory.get("history", {})
    return record.entries < record.scenes or bool(history.get("absorbed"))


def _coded_otherwise(record: VideoRecord, config: Config) -> bool:
    """Whether vectors, or longer codes, are wanted in place of the codes there are."""
    had, limits = record.settings, config.memory
    return limits.compression == "none" or limits.code_bytes != had.get("code_bytes")


def _grown(record: VideoRecord, config: Config) -> bool:
    """Whether more may be kept of a video than when it was indexed."""
    had, limits = record.settings, config.memory
    had_bytes = had.get("max_bytes") or math.inf
    return (
        limits.memory_size > int(had["memory_size"])
        or limits.spans > int(had.get("spans", limits.spans))
        or (limits.max_bytes or math.inf) > had_bytes
    )
