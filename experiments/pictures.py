"""The pictures of the documentation: drawn by the command line, then made small enough to keep.

``python -m experiments.pictures LIBRARY FILM... --out docs/images`` draws each film that is indexed
in LIBRARY as timeline, map, contact sheet, themes and (with ``--query``) the answers to a query.
What is shown must be free to show: the sample film, or Big Buck Bunny with its credit.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import numpy as np
from PIL import Image
from scipy.spatial import cKDTree

from experiments.run_record import in_a_line
from semantic_video.config import load_config
from semantic_video.library import Library
from semantic_video.pictures import KINDS, Pictures
from semantic_video.utils.visualization.palette import COLOURS, GREY

WIDTH = 1000
"""Pixels: sharp on a page of 800 points, and a fraction of what is drawn."""
KEPT = 240
"""Colours of the picture that are kept, beside white and those that mean a cluster."""


def main() -> None:
    """Command line: see the module."""
    parser = argparse.ArgumentParser(description="Draw the pictures of the documentation.")
    parser.add_argument("library", type=Path)
    parser.add_argument("films", nargs="+", help="as `semantic-video list` names them")
    parser.add_argument("--out", type=Path, default=Path("docs/images"))
    parser.add_argument("--query", help="also draw the answers to this")
    parser.add_argument(
        "--what", nargs="+", default=["timeline", "map", "sheet", "themes"], choices=KINDS
    )
    arguments = parser.parse_args()
    config = load_config(None).override({"library": str(arguments.library)}, source="LIBRARY")
    library = Library(arguments.library)
    for name in arguments.films:
        pictures = Pictures.of(library, library.resolve(name), config)
        stem = Path(pictures.record.name).stem
        for what in [*arguments.what, *(["query"] if arguments.query else [])]:
            path = arguments.out / f"{stem}-{what}.png"
            pictures.draw(what, path, query=arguments.query)
            shrink(path)
            print(f"{path}: {path.stat().st_size / 1000:.0f} kB")


def shrink(path: Path) -> None:
    """Reduce a PNG in place to `WIDTH` pixels and few colours, those of clusters as they are."""
    with Image.open(path) as image:
        size = (WIDTH, round(image.height * WIDTH / image.width))
        small = image.convert("RGB").resize(size, Image.Resampling.LANCZOS)
    most_seen = small.quantize(KEPT, dither=Image.Dither.NONE).getpalette() or []
    meant = b"".join(bytes.fromhex(colour[1:]) for colour in ("#FFFFFF", *COLOURS, GREY))
    colours = np.concatenate([np.frombuffer(meant, np.uint8), np.array(most_seen, np.uint8)])
    colours = colours.reshape(-1, 3)
    _, nearest = cKDTree(colours).query(np.asarray(small).reshape(-1, 3))
    few = Image.fromarray(nearest.astype(np.uint8).reshape(small.height, small.width), mode="P")
    few.putpalette(colours.tobytes())
    few.save(path, optimize=True)


if __name__ == "__main__":
    sys.exit(in_a_line(main))
