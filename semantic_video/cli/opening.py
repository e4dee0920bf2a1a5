"""From the options of a command to an open library, a video of it and its memory."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from semantic_video.config import Config, load_config

if TYPE_CHECKING:
    from semantic_video.library import Library, VideoRecord
    from semantic_video.memory_hierarchy import MemoryHierarchy


def load_options(config: Path | None, library: str | None) -> Config:
    """The configuration, with the library that a command names."""
    options = load_config(config)
    if library is not None:
        options = options.override({"library": library}, source="--library")
    return options


def open_library(options: Config) -> Library:
    """The library that the options name; it must be there."""
    from semantic_video.library import Library

    return Library(options.library)


def open_video(config: Path | None, library: str | None, video: str) -> tuple[Library, VideoRecord]:
    """The library, and the video of it that is meant."""
    shelf = open_library(load_options(config, library))
    return shelf, shelf.resolve(video)


def load_memory(shelf: Library, record: VideoRecord) -> MemoryHierarchy:
    """The stored memory of a video."""
    from semantic_video.stored_memory import memory_from_stored

    return memory_from_stored(shelf.load(record.id), record)
