"""Reading still pictures with what the core brings."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantic_video.errors import QueryError, VideoError

SUFFIXES = frozenset(
    {
        ".avif", ".bmp", ".gif", ".heic", ".jpe", ".jpeg", ".jpg", ".jxl", ".png", ".ppm", ".tif",
        ".tiff", ".webp",
    }
)  # fmt: skip
"""How names of pictures end."""

# A picture beyond this is a mistake or an attack, not a query.
_MAX_PIXELS = 200_000_000


def read_image(path: str | Path) -> NDArray[np.uint8]:
    """The picture in a file as displayed, uint8 [H, W, 3] in RGB; of a film, its first frame.

    Raises:
        QueryError: the file is missing, or not a picture.
    """
    from av.error import FFmpegError

    from semantic_video.utils.video_utils.containers import open_local_file
    from semantic_video.utils.video_utils.files import check_path

    try:
        check_path(path)
        with open_local_file(Path(path)) as container:
            stream = next(iter(container.streams.video), None)
            if stream is None:
                raise QueryError(f"{path} holds no picture: use a JPEG or PNG file")
            if stream.width * stream.height > _MAX_PIXELS:
                raise QueryError(f"{path} is too large ({stream.width}x{stream.height} pixels)")
            frame = next(container.decode(stream))
    except VideoError as error:
        raise QueryError(str(error)) from error
    except (FFmpegError, StopIteration) as error:
        raise QueryError(f"{path} is not a picture: use a JPEG or PNG file") from error
    # Display matrices turn counterclockwise, as numpy does.
    turns = round(frame.rotation / 90) % 4
    return np.ascontiguousarray(np.rot90(frame.to_ndarray(format="rgb24"), turns))
