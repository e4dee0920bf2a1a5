"""Entries that come, merge and go: what a policy works on while a video streams in."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from semantic_video.memory_hierarchy.budget import Budget
from semantic_video.memory_hierarchy.entries import SceneEntries
from semantic_video.memory_hierarchy.history import History
from semantic_video.memory_hierarchy.time_counts import TimeCounts
from semantic_video.memory_hierarchy.timeline import absorb
from semantic_video.memory_hierarchy.vectors import thin, worths
from semantic_video.records import SceneSpan


@dataclass(slots=True)
class Entry:
    """One entry: unit vector float32 [D], seconds, spans in order of time, and its exemplars.

    ``times`` float64 [E] and ``frames`` float16 [E, D] are ascending in time. ``uses`` is how often
    queries found it, where that counts.
    """

    vector: NDArray[np.float32]
    weight: float
    spans: list[SceneSpan]
    times: NDArray[np.float64]
    frames: NDArray[np.float16]
    uses: int = 0
    _worths: NDArray[np.float64] | None = None

    @property
    def worths(self) -> NDArray[np.float64]:
        """What each exemplar tells, float64 [E]: see `vectors.worths`."""
        if self._worths is None:
            self._worths = worths(self.frames, self.vector)
        return self._worths

    def keep(self, rows: NDArray[np.bool_] | NDArray[np.intp]) -> None:
        """Give up all exemplars but these."""
        self.times, self.frames, self._worths = self.times[rows], self.frames[rows], None

    @property
    def start_s(self) -> float:
        """When it was seen first."""
        return self.spans[0].start_s

    @property
    def mass(self) -> int:
        """How much it resists being merged: its scenes, and its uses."""
        return len(self.spans) + self.uses


class Pool:
    """At most ``budget.memory_size`` entries, and one more that is on its way in.

    Every entry has a *slot*, a row of the arrays ``vectors`` float32 [S, D], ``masses`` and
    ``starts`` float64 [S]; ``alive`` bool [S] says which slots hold one.
    """

    def __init__(self, budget: Budget) -> None:
        self.budget = budget
        self.history = History()
        self._entries: list[Entry | None] = []
        self._free: list[int] = []
        self.vectors = np.zeros((0, budget.dimension), dtype=np.float32)
        self.masses = np.zeros(0)
        self.starts = np.zeros(0)
        self.alive = np.zeros(0, dtype=np.bool_)

    def __len__(self) -> int:
        return len(self._entries) - len(self._free)

    def __getitem__(self, slot: int) -> Entry:
        entry = self._entries[slot]
        assert entry is not None
        return entry

    def slots(self) -> NDArray[np.intp]:
        """The slots that hold an entry, in order of the time when it was seen first."""
        slots = np.flatnonzero(self.alive)
        return slots[np.argsort(self.starts[slots], kind="stable")]

    def add(self, entry: Entry) -> int:
        """Put an entry in; its slot."""
        self._thin(entry)
        if not self._free:
            self._grow()
        slot = self._free.pop()
        self._entries[slot] = entry
        self._write(slot)
        return slot

    def merge(self, kept: int, gone: int, *, plain: bool = False) -> None:
        """One entry of two, in the slot ``kept``; ``plain`` averages them without their weights."""
        one, other = self[kept], self[gone]
        shares = (1.0, 1.0) if plain else (one.weight, other.weight)
        mean = shares[0] * one.vector + shares[1] * other.vector
        times = np.concatenate([one.times, other.times])
        order = np.argsort(times, kind="stable")
        frames = np.concatenate([one.frames, other.frames])[order]
        vector = np.asarray(mean / max(float(np.linalg.norm(mean)), 1e-12), dtype=np.float32)
        entry = Entry(
            vector,
            one.weight + other.weight,
            sorted([*one.spans, *other.spans], key=lambda span: span.start_s),
            times[order],
            frames,
            one.uses + other.uses,
        )
        self._thin(entry)
        self._entries[kept] = entry
        self._remove(gone)
        self._write(kept)
        self.history = self.history.add(merged=1)

    def drop(self, slot: int) -> None:
        """Give an entry up."""
        where = TimeCounts.of(self[slot].start_s)
        self._remove(slot)
        self.history = self.history.add(dropped=1, dropped_at=where)

    def thin(self, count: int) -> int:
        """Give up the ``count`` exemplars that tell least; how many there were to give up."""
        slots = [int(slot) for slot in np.flatnonzero(self.alive) if len(self[int(slot)].times)]
        if not slots:
            return 0
        owners = np.repeat(slots, [len(self[slot].times) for slot in slots])
        worth = np.concatenate([self[slot].worths for slot in slots])
        gone = np.zeros(len(worth), dtype=np.bool_)
        gone[np.argsort(worth, kind="stable")[:count]] = True
        times = np.concatenate([self[slot].times for slot in slots])
        for slot in np.unique(owners[gone]).tolist():
            self[slot].keep(~gone[owners == slot])
        self.history = self.history.add(
            thinned=int(gone.sum()), thinned_at=TimeCounts.of(times[gone])
        )
        return int(gone.sum())

    def counts(self) -> tuple[int, int, int]:
        """How many entries, exemplars and spans there are."""
        held = [entry for entry in self._entries if entry is not None]
        exemplars, spans = sum(len(e.times) for e in held), sum(len(e.spans) for e in held)
        return len(held), exemplars, spans

    def scene_ids(self) -> set[int]:
        """The scenes that are remembered."""
        return {span.scene for e in self._entries if e is not None for span in e.spans}

    def absorb(self, limit: int) -> bool:
        """Give up boundaries until at most ``limit`` scenes are left; whether any had to go.

        See `timeline.absorb`.
        """
        if self.counts()[2] <= max(limit, len(self)):
            return False
        slots = self.slots()
        entries = [self[int(slot)] for slot in slots]
        done = absorb([entry.spans for entry in entries], self.vectors[slots], limit)
        for entry, spans, slot in zip(entries, done.spans, slots, strict=True):
            if spans != entry.spans:
                entry.spans = spans
                entry.weight = sum(span.end_s - span.start_s for span in spans)
                inside = _inside(entry.times, spans)
                if inside.any():
                    entry.keep(inside)
                self._write(int(slot))
        self.history = self.history.add(
            absorbed=len(done.boundaries),
            absorbed_s=done.seconds,
            absorbed_at=TimeCounts.of(done.boundaries),
        )
        return True

    def entries(self, slots: NDArray[np.intp] | None = None) -> SceneEntries:
        """The entries as they are stored: those in ``slots``, else all by their first scene."""
        held = [self[int(slot)] for slot in (self.slots() if slots is None else slots)]
        return SceneEntries(
            entry_vectors=np.stack([entry.vector for entry in held]).astype(np.float16),
            entry_weights=np.array([entry.weight for entry in held], dtype=np.float32),
            entry_spans=tuple(tuple(entry.spans) for entry in held),
            exemplar_vectors=np.concatenate([entry.frames for entry in held]),
            exemplar_times=np.concatenate([entry.times for entry in held]),
            exemplar_entries=np.repeat(
                np.arange(len(held), dtype=np.int32), [len(entry.times) for entry in held]
            ),
        )

    def _thin(self, entry: Entry) -> None:
        rows = thin(entry.frames, entry.vector, self.budget.exemplars)
        if len(rows) < len(entry.times):
            gone = TimeCounts.of(np.delete(entry.times, rows))
            self.history = self.history.add(thinned=len(entry.times) - len(rows), thinned_at=gone)
        entry.keep(rows)

    def _write(self, slot: int) -> None:
        entry = self[slot]
        self.vectors[slot] = entry.vector
        self.masses[slot] = entry.mass
        self.starts[slot] = entry.start_s
        self.alive[slot] = True

    def _remove(self, slot: int) -> None:
        self._entries[slot] = None
        self.alive[slot] = False
        self._free.append(slot)

    def _grow(self) -> None:
        before = len(self._entries)
        size = min(max(64, 2 * before), max(before, self.budget.memory_size) + 1)
        more = size - before
        self._free += range(size - 1, before - 1, -1)
        self._entries += [None] * more
        self.vectors = np.pad(self.vectors, ((0, more), (0, 0)))
        self.masses, self.starts = np.pad(self.masses, (0, more)), np.pad(self.starts, (0, more))
        self.alive = np.pad(self.alive, (0, more))


def rows_of(entries: SceneEntries, uses: Mapping[int, int] | None = None) -> list[Entry]:
    """The entries one by one, in order; ``uses`` by the id of a scene."""
    counts = uses or {}
    rows = []
    for row in range(len(entries)):
        exemplars = entries.exemplar_rows(row)
        rows.append(
            Entry(
                entries.entry_vectors[row].astype(np.float32),
                float(entries.entry_weights[row]),
                list(entries.entry_spans[row]),
                entries.exemplar_times[exemplars],
                entries.exemplar_vectors[exemplars],
                sum(counts.get(span.scene, 0) for span in entries.entry_spans[row]),
            )
        )
    return rows


def _inside(times: NDArray[np.float64], spans: list[SceneSpan]) -> NDArray[np.bool_]:
    inside = np.zeros(len(times), dtype=np.bool_)
    for span in spans:
        inside |= (times >= span.start_s) & (times < span.end_s)
    return inside
