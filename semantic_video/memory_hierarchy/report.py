"""What a memory holds, what its budget cost, and what another budget would do: said in full."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any

import numpy as np

from semantic_video.memory_hierarchy.hierarchy import MemoryHierarchy, Tier
from semantic_video.records import Span

_MOST_MERGED = 1000


@dataclass(frozen=True, slots=True)
class Merged:
    """Scenes that share an entry; ``likeness`` is the mean cosine of its exemplars with it."""

    entry: int
    cluster: int
    name: str
    scenes: tuple[int, ...]
    likeness: float
    why: str


@dataclass(frozen=True, slots=True)
class Evicted:
    """Something that was given up, how much of it, why, and where on the timeline it lay.

    ``where`` are stretches of equal length with their counts, in order of time; empty in a memory
    that an earlier version made.
    """

    what: str
    count: int
    seconds: float
    why: str
    where: tuple[tuple[Span, int], ...] = ()


@dataclass(frozen=True, slots=True)
class OtherBudget:
    """What another number of entries would do.

    ``likeness`` is how like the present entries those are that would stand for them, a mean cosine
    over their seconds; None where only the film could tell.
    """

    memory_size: int
    entries: int
    bytes: int
    likeness: float | None
    what: str


@dataclass(frozen=True, slots=True)
class KeptAsCodes:
    """Codes in place of vectors: ``bytes`` of all of them with the ``experts`` that read them.

    ``bytes_per_vector`` is the code of a frame (that of an entry has one byte more), ``vectors``
    how many there are and ``as_vectors`` what they would take.
    """

    bytes_per_vector: int
    vectors: int
    bytes: int
    experts: int
    as_vectors: int


@dataclass(frozen=True, slots=True)
class MemoryReport:
    """See `report_on`."""

    tiers: tuple[Tier, ...]
    merged: tuple[Merged, ...]
    evicted: tuple[Evicted, ...]
    other_budgets: tuple[OtherBudget, ...]
    scenes_seen: int
    scenes_kept: int
    codes: KeptAsCodes | None = None
    """None where vectors are kept."""

    def as_dict(self) -> dict[str, Any]:
        return asdict(self)


def report_on(memory: MemoryHierarchy) -> MemoryReport:
    """Budget and use of each tier, what was merged and evicted and why, and other budgets."""
    kept = sum(len(spans) for spans in memory.entries.entry_spans)
    return MemoryReport(
        tiers=memory.tiers(),
        merged=_merged(memory),
        evicted=_evicted(memory),
        other_budgets=tuple(_other(memory, size) for size in _sizes(memory)),
        scenes_seen=max(memory.history.scenes, kept),
        scenes_kept=kept,
        codes=_codes(memory),
    )


def _codes(memory: MemoryHierarchy) -> KeptAsCodes | None:
    held = memory.entries
    if held.coder is None:
        return None
    size, frames = held.coder.size, len(held.exemplar_times)
    return KeptAsCodes(
        bytes_per_vector=size.frame,
        vectors=len(held) + frames,
        bytes=len(held) * size.entry + frames * size.frame + size.coder,
        experts=size.coder,
        as_vectors=(len(held) + frames) * 2 * held.dimension,
    )


def _merged(memory: MemoryHierarchy) -> tuple[Merged, ...]:
    held, found = memory.entries, []
    for entry, spans in enumerate(held.entry_spans):
        if len(spans) < 2:
            continue
        frames = held.exemplar_vectors[held.exemplar_rows(entry)].astype(np.float32)
        vector = held.entry_vectors[entry].astype(np.float32)
        likeness = round(float((frames @ vector).mean()), 3) if len(frames) else 1.0
        cluster = int(memory.labels[entry])
        found.append(
            Merged(
                entry,
                cluster,
                memory.names[cluster],
                tuple(span.scene for span in spans),
                likeness,
                "there were more scenes than the budget has room for, and joining these lost least",
            )
        )
    found.sort(key=lambda one: (-len(one.scenes), one.entry))
    return tuple(found[:_MOST_MERGED])


def _evicted(memory: MemoryHierarchy) -> tuple[Evicted, ...]:
    past, budget = memory.history, memory.budget
    short = "; fewer where bytes are short" if memory.max_bytes is not None else ""
    rows = (
        (
            "frame vectors",
            past.thinned,
            0.0,
            f"an entry keeps at most {memory.exemplars}, those that differ most{short}",
            past.thinned_at,
        ),
        (
            "scene boundaries",
            past.absorbed,
            past.absorbed_s,
            f"{budget.scenes} scenes are remembered one by one; where two neighbours became one, "
            "the fewest wrong seconds were told",
            past.absorbed_at,
        ),
        (
            "entries",
            past.dropped,
            0.0,
            "the policy in use gives up entries whole",
            past.dropped_at,
        ),
    )
    return tuple(
        Evicted(what, count, seconds, why, where.stretches())
        for what, count, seconds, why, where in rows
        if count
    )


def _sizes(memory: MemoryHierarchy) -> list[int]:
    used = len(memory)
    sizes = {max(1, used // 8), max(1, used // 4), max(1, used // 2)}
    return [*sorted(sizes - {used}), memory.memory_size * 2, memory.memory_size * 4]


def _other(memory: MemoryHierarchy, size: int) -> OtherBudget:
    now = sum(tier.bytes for tier in memory.tiers())
    if size >= len(memory):
        gave_up = memory.history.merged or memory.history.absorbed
        what = (
            "scenes that share an entry would have their own again: index the film anew with it"
            if gave_up
            else "nothing: every scene has its own entry already"
        )
        return OtherBudget(size, len(memory), now, None if gave_up else 1.0, what)
    smaller = memory.consolidate(size)
    owner = {s.scene: e for e, spans in enumerate(smaller.entries.entry_spans) for s in spans}
    rows = [owner.get(spans[0].scene, 0) for spans in memory.entries.entry_spans]
    cosines = np.einsum(
        "nd,nd->n",
        memory.vectors.astype(np.float32),
        smaller.vectors[rows].astype(np.float32),
    )
    likeness = float(np.average(cosines, weights=memory.entries.entry_weights))
    shared = sum(len(spans) for spans in smaller.entries.entry_spans if len(spans) > 1)
    lost = smaller.history.absorbed - memory.history.absorbed
    parts = [f"{shared} scenes would share an entry"] if shared else []
    if lost:  # else the smallest budget, which remembers the fewest scenes, would seem the gentlest
        parts.append(
            f"the times of {lost} scene{'s' * (lost != 1)} would be lost to those beside them"
        )
    return OtherBudget(
        size,
        len(smaller),
        sum(tier.bytes for tier in smaller.tiers()),
        round(likeness, 3),
        " and ".join(parts),
    )
