"""What is said of a scene that returns: the name of what it shows again, and when that was on last.

A return names the most alike earlier scene; the same may have been shown since. What counts as the
same is the cluster of that earlier scene. A scene that touches the last of them only goes on.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from semantic_video.memory_hierarchy.hierarchy import MemoryHierarchy
from semantic_video.records import Return, Scene, Span

_TOUCH_S = 1e-3


@dataclass(frozen=True, slots=True)
class Again:
    """A scene shows again what was seen before.

    ``name`` is that of the cluster it was seen in, empty where that scene is in none yet, or was
    given up. ``last_s`` is the latest time at which it is known to have been on before, ``like_s``
    the end of the most alike scene, and ``sure`` how sure it is that it shows the same.
    """

    name: str
    last_s: float
    like_s: float
    sure: float


class Sightings:
    """Tells of scenes as they stream in, between one grouping of what was seen and the next."""

    def __init__(self) -> None:
        self._names: tuple[str, ...] = ()
        self._group: dict[int, int] = {}  # of each scene; below 0: in no cluster yet
        self._runs = _Runs()

    def grouped(self, memory: MemoryHierarchy) -> None:
        """Everything so far was grouped anew."""
        self._names = memory.names
        self._group = {}
        self._runs = _Runs()
        for scene in memory.scenes():
            self._group[scene.id] = scene.cluster
            self._runs.add(scene.cluster, scene.start_s, scene.end_s)

    def add(self, span: Span, returns: Sequence[Return]) -> Again | None:
        """What the next scene shows again; None where it is new, or only goes on."""
        if not returns:
            return None
        found = returns[0]
        group = self._group.get(found.earlier)
        if group is None:  # a chain of scenes that came since the grouping is a group of its own
            group = self._group[found.earlier] = -1 - found.earlier
            self._runs.add(group, found.last_s, found.last_s)
        last_s = self._runs.before(group, span.start_s)
        self._group[found.scene] = group
        self._runs.add(group, *span)
        name = self._names[group] if group >= 0 else ""
        return None if last_s is None else Again(name, last_s, found.last_s, found.sure)


def returning_scenes(memory: MemoryHierarchy) -> Iterator[tuple[Scene, Again]]:
    """Every scene of a memory that returns, in order of time."""
    surest: dict[int, Return] = {}
    for one in memory.returns:
        surest.setdefault(one.scene, one)
    scenes = memory.scenes()
    clusters = {scene.id: scene.cluster for scene in scenes}
    runs = _Runs()
    for scene in scenes:
        found = surest.get(scene.id)
        if found is not None:
            cluster = clusters.get(found.earlier)
            if cluster is None:
                yield scene, Again("", found.last_s, found.last_s, found.sure)
            elif (last_s := runs.before(cluster, scene.start_s)) is not None:
                yield scene, Again(memory.names[cluster], last_s, found.last_s, found.sure)
        runs.add(scene.cluster, scene.start_s, scene.end_s)


class _Runs:
    """Where the latest run of each group ended, and the run before it."""

    def __init__(self) -> None:
        self._ends: dict[int, tuple[float | None, float]] = {}

    def add(self, group: int, start_s: float, end_s: float) -> None:
        """A scene of the group, after all others."""
        self._ends[group] = (self.before(group, start_s), end_s)

    def before(self, group: int, start_s: float) -> float | None:
        """When the group was on last before the run that a scene at ``start_s`` belongs to."""
        if group not in self._ends:
            return None
        earlier, latest = self._ends[group]
        return earlier if start_s - latest < _TOUCH_S else latest
