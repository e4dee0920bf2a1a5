"""Writing a film of pictures made by code."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from fractions import Fraction
from pathlib import Path

import av


def write_film(
    path: Path,
    pictures: Iterable[av.VideoFrame],
    fps: int,
    size: tuple[int, int],
    options: Mapping[str, str],
) -> None:
    """Write H.264 in a container that the name's suffix says; ``size`` is (width, height).

    The film appears under its name only when it is complete.
    """
    part = path.with_name(f"{path.stem}.part{path.suffix}")
    path.parent.mkdir(parents=True, exist_ok=True)
    try:
        with av.open(str(part), "w") as container:
            stream = container.add_stream("libx264", rate=Fraction(fps))
            stream.width, stream.height, stream.pix_fmt = *size, "yuv420p"
            stream.options = dict(options)
            # The same number on every machine, since the stream that x264 writes depends on it.
            stream.codec_context.thread_count = 2
            for picture in pictures:
                container.mux(stream.encode(picture))
            container.mux(stream.encode())
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)
