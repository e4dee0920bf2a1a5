"""How much a memory may hold: entries and bytes of each tier.

Bytes are those of the arrays, spans and names as the library stores them; what can be computed
from them (centroids, caches) is not kept. The budget is fixed by four numbers and the length of a
vector, whatever the video: nothing in it grows with time.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import NamedTuple

from semantic_video.errors import ConfigError

DEFAULT_MEMORY_SIZE = 1000
DEFAULT_EXEMPLARS = 8
DEFAULT_SPANS = 16

SPAN_BYTES = 20  # scene int32, start and end float64
RETURN_BYTES = 24  # scene and earlier scene int32, time and sureness float64
RETURNS_PER_SCENE = 3
NAME_BYTES = 64
"""A name of a cluster or theme is cut to so many bytes of UTF-8."""
NODE_BYTES = 4  # which theme a cluster or theme lies in

_SHORT_NAME_BYTES = 16  # what is left of a name at least, where bytes are short
_FRAMES = 64  # frame vectors of the one scene that is open
TIERS = ("frame", "entry", "cluster", "theme")


class CodeSize(NamedTuple):
    """Bytes of the code of an entry's vector, of a frame's, and of what is needed to read them."""

    entry: int
    frame: int
    coder: int


class TierBudget(NamedTuple):
    """What one tier may hold."""

    entries: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Budget:
    """What a memory of vectors of length ``dimension`` may hold.

    Args:
        dimension: length of a vector.
        memory_size: entries.
        exemplars: frame vectors kept with an entry.
        spans: scenes remembered, as a mean over the entries: ``memory_size * spans`` in all.
        max_bytes: bytes of all tiers together; None for what the other numbers come to.
        code: bytes of codes, where vectors are kept as such; None where they are float16.
        at_rest: no scene is open, so none of ``max_bytes`` is set aside for its frames.

    Raises:
        ConfigError: a number is below 1, or nothing fits into ``max_bytes``.
    """

    dimension: int
    memory_size: int = DEFAULT_MEMORY_SIZE
    exemplars: int = DEFAULT_EXEMPLARS
    spans: int = DEFAULT_SPANS
    max_bytes: int | None = None
    code: CodeSize | None = None
    at_rest: bool = False

    def __post_init__(self) -> None:
        for name in ("memory_size", "exemplars", "spans"):
            if getattr(self, name) < 1:
                raise ConfigError(f"{name} must be 1 or more, not {getattr(self, name)}")
        coder = self.code.coder if self.code else 0
        least = 8 * (self.entry_bytes(1, 1, 1) - coder + self.frame_bytes(1)) + coder
        if self.max_bytes is not None and self.max_bytes < least:
            raise ConfigError(
                f"max_bytes must be {least} or more for vectors of {self.dimension} numbers, "
                f"not {self.max_bytes}"
            )

    def entry_bytes(self, entries: int, exemplars: int, spans: int, returns: int = 0) -> int:
        """Bytes of so many entries with so many exemplars and spans in all."""
        size = self.code or CodeSize(2 * self.dimension, 2 * self.dimension, 0)
        return (
            size.coder
            + entries * (size.entry + 4 + 4)  # its weight and the number of its cluster
            + exemplars * (size.frame + 8 + 4)
            + spans * SPAN_BYTES
            + returns * RETURN_BYTES
        )

    def frame_bytes(self, frames: int) -> int:
        """Bytes of so many frames of the open scene: float32 vectors and times."""
        return frames * (4 * self.dimension + 8)

    @property
    def frame(self) -> TierBudget:
        """Frames of the scene that is open."""
        frames = 0 if self.at_rest else _FRAMES
        if frames and self.max_bytes is not None:
            frames = max(1, min(frames, self.max_bytes // 8 // self.frame_bytes(1)))
        return TierBudget(frames, self.frame_bytes(frames))

    @property
    def cluster(self) -> TierBudget:
        """Clusters, each with a name and the theme it lies in."""
        groups = self.memory_size
        most = groups * (NAME_BYTES + NODE_BYTES)
        if self.max_bytes is not None:
            most = min(most, self.max_bytes // 16)
            groups = max(1, min(groups, most // (_SHORT_NAME_BYTES + NODE_BYTES)))
        return TierBudget(groups, most)

    @property
    def theme(self) -> TierBudget:
        """Themes above the clusters; nothing of them is stored."""
        return TierBudget(self.cluster.entries, 0)

    @property
    def entry(self) -> TierBudget:
        """Entries with their exemplars, spans and what they return from."""
        scenes = self.memory_size * self.spans
        most = self.entry_bytes(
            self.memory_size,
            self.memory_size * self.exemplars,
            scenes,
            scenes * RETURNS_PER_SCENE,
        )
        if self.max_bytes is not None:
            most = min(most, self.max_bytes - self.frame.bytes - self.cluster.bytes)
        return TierBudget(self.memory_size, most)

    @property
    def tiers(self) -> dict[str, TierBudget]:
        """The budget of each tier, from fine to coarse."""
        return {name: getattr(self, name) for name in TIERS}

    @property
    def scenes(self) -> int:
        """Scenes that may be remembered one by one."""
        scenes = self.memory_size * self.spans
        if self.max_bytes is not None:
            # A quarter of the entries' bytes: the rest belongs to vectors.
            scenes = min(scenes, max(1, self.entry.bytes // 4 // SPAN_BYTES))
        return scenes

    @property
    def returns(self) -> int:
        """Returns that may be kept."""
        if self.max_bytes is None:
            return self.scenes * RETURNS_PER_SCENE
        return self.entry.bytes // 8 // RETURN_BYTES

    def exemplar_bytes(self) -> int:
        """Bytes of one exemplar."""
        return self.entry_bytes(0, 1, 0) - self.entry_bytes(0, 0, 0)
