"""``python -m semantic_video`` and the command ``semantic-video``: starts the command line.

Small, so that Ctrl-C during the first imports ends as quietly as later.
"""

import sys


def main() -> None:
    """Run the command line and exit with its status."""
    try:
        from semantic_video.cli import run

        sys.exit(run())
    except KeyboardInterrupt:
        print("semantic-video: stopped; what was finished is kept", file=sys.stderr)
        sys.exit(130)


if __name__ == "__main__":
    main()
