"""A memory for long videos: find moments by what they show, across the whole timeline.

from semantic_video import SemanticVideoProcessor

processor = SemanticVideoProcessor(video_path="film.mp4")
processor.build_semantic_memory()
for moment in processor.query_semantic_memory("person walking"):
    print(moment.start_s, moment.end_s, moment.score)
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from semantic_video.errors import SemanticVideoError as SemanticVideoError
    from semantic_video.library import Library as Library
    from semantic_video.memory_hierarchy import MemoryHierarchy as MemoryHierarchy
    from semantic_video.records import Cluster as Cluster
    from semantic_video.records import Moment as Moment
    from semantic_video.records import Scene as Scene
    from semantic_video.records import Span as Span
    from semantic_video.scene_retrieval import Moments as Moments
    from semantic_video.video_processor import SemanticVideoProcessor as SemanticVideoProcessor

__version__ = "0.1.0"

_HOMES = {
    "SemanticVideoProcessor": "video_processor",
    "MemoryHierarchy": "memory_hierarchy",
    "Library": "library",
    "Moments": "scene_retrieval",
    "Moment": "records",
    "Scene": "records",
    "Cluster": "records",
    "Span": "records",
    "SemanticVideoError": "errors",
}

__all__ = ["__version__", *sorted(_HOMES)]


def __getattr__(name: str) -> Any:
    """Import a public name when it is first used, so that importing the package stays instant."""
    home = _HOMES.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{home}"), name)


def __dir__() -> list[str]:
    return sorted(__all__)
