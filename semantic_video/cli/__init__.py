"""The command line of `semantic-video`."""

from semantic_video.cli.app import run

__all__ = ["run"]
