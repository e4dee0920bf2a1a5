"""A memory that takes one scene after another, for a video that need not end."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semantic_video.memory_hierarchy.budget import RETURNS_PER_SCENE, Budget
from semantic_video.memory_hierarchy.entries import SceneEntries
from semantic_video.memory_hierarchy.history import History
from semantic_video.memory_hierarchy.policies import Policy, Semantic
from semantic_video.memory_hierarchy.pool import Entry, Pool, rows_of
from semantic_video.memory_hierarchy.returns import LEAST_SURE, likeness, sureness
from semantic_video.memory_hierarchy.vectors import robust_mean
from semantic_video.records import Return, SceneSpan, Span
from semantic_video.scene_segmentation import common_likeness

_COMMON_EVERY = 32  # scenes after which it is seen anew what all scenes have in common


class MemoryStream:
    """Entries within a hard budget, while scenes come one by one.

    Memory and time per scene do not grow with the video: what does not fit is merged or dropped as
    ``policy`` decides (default: `Semantic`), before the next scene is taken. Every number in
    ``budget`` holds after every call.
    """

    def __init__(self, budget: Budget, policy: Policy | None = None) -> None:
        self.budget = budget
        self.returns: list[Return] = []
        """What the scenes that are remembered return from."""
        self._policy = policy or Semantic()
        self._pool = Pool(budget)
        self._scenes = 0
        self._common = 0.0

    def __len__(self) -> int:
        """The number of entries."""
        return len(self._pool)

    @property
    def history(self) -> History:
        """What was seen, merged and given up so far."""
        return self._pool.history

    @property
    def scenes(self) -> int:
        """Scenes that came so far; the number of the next one."""
        return self._scenes

    def resume(
        self, entries: SceneEntries, returns: Sequence[Return] = (), history: History | None = None
    ) -> None:
        """Go on from a memory that was kept, before any scene is added."""
        for entry in rows_of(entries):
            self._policy.added(self._pool, self._pool.add(entry))
            self._fit()
        self._scenes = 1 + max(s.scene for spans in entries.entry_spans for s in spans)
        self.returns = list(returns)
        self._pool.history = history or History(scenes=self._scenes)
        self._common = common_likeness(self._pool.vectors[self._pool.slots()])

    def add(self, span: Span, frame_times: ArrayLike, frame_vectors: ArrayLike) -> list[Return]:
        """Take the next scene; what it returns from, surest first.

        ``frame_times`` [F] and ``frame_vectors`` [F, D] with unit rows, F at least 1, are its
        encoded frames. Scenes come in order of time.
        """
        times = np.asarray(frame_times, dtype=np.float64)
        frames = np.asarray(frame_vectors, dtype=np.float32)
        vector = robust_mean(frames)
        scene = SceneSpan(self._scenes, *span)
        if self._scenes % _COMMON_EVERY == 0 and len(self._pool) > 1:
            self._common = common_likeness(self._pool.vectors[self._pool.slots()])
        found = self._earlier(scene, vector)
        self.returns += found
        entry = Entry(vector, span.end_s - span.start_s, [scene], times, frames.astype(np.float16))
        self._scenes += 1
        self._pool.history = self._pool.history.add(scenes=1, frames=len(times))
        self._policy.added(self._pool, self._pool.add(entry))
        self._fit()
        return found

    def entries(self) -> SceneEntries:
        """What is held now, as it is stored. There has to be a scene."""
        return self._pool.entries()

    def _earlier(self, scene: SceneSpan, vector: NDArray[np.float32]) -> list[Return]:
        slots = self._pool.slots()
        if not len(slots):
            return []
        sure = sureness(likeness(self._pool.vectors[slots] @ vector, self._common))
        found: list[Return] = []
        for row in np.argsort(-sure, kind="stable")[: RETURNS_PER_SCENE + 1]:
            # A scene that touches the one before only goes on.
            earlier = [s for s in self._pool[int(slots[row])].spans if s.end_s < scene.start_s]
            if sure[row] < LEAST_SURE or len(found) == RETURNS_PER_SCENE:
                break
            if earlier:
                last = max(earlier, key=lambda span: span.end_s)
                found.append(
                    Return(scene.scene, last.scene, last.end_s, round(float(sure[row]), 4))
                )
        return found

    def _fit(self) -> None:
        pool, budget = self._pool, self.budget
        while len(pool) > budget.memory_size:
            self._policy.make_room(pool)
        self._fit_timeline()
        if len(self.returns) > budget.returns:
            surest = sorted(self.returns, key=lambda one: (-one.sure, one))
            self.returns = sorted(surest[: budget.returns])
        if budget.max_bytes is None:
            return
        while (excess := self._bytes() - budget.entry.bytes) > 0:
            if not pool.thin(-(-excess // budget.exemplar_bytes())):
                self._policy.make_room(pool)
                self._fit_timeline()

    def _fit_timeline(self) -> None:
        if self._pool.absorb(self.budget.scenes) or self.history.dropped:
            held = self._pool.scene_ids()
            self.returns = [r for r in self.returns if r.scene in held]

    def _bytes(self) -> int:
        counts = self._pool.counts()
        return self.budget.entry_bytes(*counts, len(self.returns))
