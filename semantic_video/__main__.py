"""``python -m semantic_video``: the command line."""

from semantic_video.cli import main

main()
