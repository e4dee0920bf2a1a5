"""Pictures of a video's memory. Needs matplotlib: ``pip install 'semantic-video[viz]'``."""

from semantic_video.utils.visualization.timeline import timeline

__all__ = ["timeline"]
