"""Which entries become one when there are too many, and how a whole memory is made to fit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semantic_video.memory_hierarchy.budget import Budget
from semantic_video.memory_hierarchy.entries import SceneEntries
from semantic_video.memory_hierarchy.history import History
from semantic_video.memory_hierarchy.pool import Pool, rows_of
from semantic_video.memory_hierarchy.time_counts import TimeCounts
from semantic_video.memory_hierarchy.vectors import thin, worths
from semantic_video.records import Return, SceneSpan
from semantic_video.semantic_clustering import first_appearance, join, ward_tree

Uses = Mapping[int, int]
"""How often queries found a scene, by its id."""


@dataclass(frozen=True, slots=True, eq=False)
class Fitted:
    """Entries that fit their budget, and what became of the rest.

    ``labels`` int32 [N] are their clusters, ``cluster_map`` int32 [K] the new number of each
    cluster that there was, and ``history`` counts what was done.
    """

    entries: SceneEntries
    labels: NDArray[np.int32]
    cluster_map: NDArray[np.int32]
    returns: tuple[Return, ...]
    history: History
    heads: NDArray[np.intp]
    """[N] the first of the entries before that became each one."""

    @property
    def whole(self) -> bool:
        """Whether nothing was merged, thinned or coarsened."""
        done = self.history
        return not (done.merged or done.thinned or done.absorbed)


def fit(
    entries: SceneEntries,
    labels: NDArray[np.int32],
    budget: Budget,
    returns: Sequence[Return] = (),
    uses: Uses | None = None,
) -> Fitted:
    """Merge, thin and coarsen these entries until they fit.

    Entries merge down to ``budget.memory_size`` within their clusters, each keeps at most
    ``budget.exemplars``, and the timeline is coarsened to ``budget.scenes`` (`timeline.absorb`).
    Where that is still too many bytes, they go to entries first: an exemplar stands for frames of
    one scene, and an entry of its own stands for all of it and no longer blurs another. What bytes
    are left go to the exemplars that tell most (`vectors.worths`).
    """
    counts = uses or {}
    clusters = budget.cluster.entries
    groups, cluster_map = merge_groups(entries, labels, budget.memory_size, clusters, counts)
    held = merge_rows(entries, groups, budget.exemplars)
    heads = np.array([group[0] for group in groups])
    now = cluster_map[labels[heads]]
    held, absorbed = _coarsened(held, budget)
    kept = _surest(returns, budget)
    history = absorbed.add(merged=len(entries) - len(groups))
    size = _affordable(held, budget, len(kept))
    if size < len(held):
        groups, again = merge_groups(held, now, size, clusters, counts)
        history = history.add(merged=len(held) - len(groups))
        held = merge_rows(held, groups, budget.exemplars)
        # Fewer entries need fewer scenes at least, so that more of them can be given up.
        held, absorbed = _coarsened(held, budget)
        history += absorbed
        first = np.array([group[0] for group in groups])
        heads, now = heads[first], again[now[first]]
        cluster_map = again[cluster_map]
    held = _telling(held, budget, len(kept))
    history = history.add(
        thinned=len(entries.exemplar_times) - len(held.exemplar_times),
        thinned_at=TimeCounts.of(np.setdiff1d(entries.exemplar_times, held.exemplar_times)),
    )
    scenes = {span.scene for spans in held.entry_spans for span in spans}
    ordered = first_appearance(now)
    numbers = np.zeros(len(cluster_map), dtype=np.int32)
    numbers[now] = ordered
    return Fitted(
        held,
        ordered,
        numbers[cluster_map],
        tuple(one for one in kept if one.scene in scenes),
        history,
        heads,
    )


def merge_groups(
    entries: SceneEntries,
    labels: NDArray[np.int32],
    size: int,
    clusters: int,
    uses: Uses,
) -> tuple[list[NDArray[np.intp]], NDArray[np.int32]]:
    """Which rows become one entry so that ``size`` are left, in order of their first row.

    Those of one cluster that are most alike merge first (Ward 1963, weighted by the scenes an entry
    holds and how often it was used). If there are more clusters than ``clusters`` or ``size``,
    clusters merge by the same rule: with the groups comes the new number of each cluster.
    """
    count, kinds = len(entries), int(labels.max()) + 1
    cluster_map = np.arange(kinds, dtype=np.int32)
    singles = [np.array([row]) for row in range(count)]
    if count <= size and kinds <= clusters:
        return singles, cluster_map
    vectors = entries.entry_vectors.astype(np.float64)
    masses = np.array([len(s) + sum(uses.get(one.scene, 0) for one in s) for s in
                       entries.entry_spans], dtype=np.float64)  # fmt: skip
    if kinds > min(clusters, size):
        sizes = np.bincount(labels, weights=masses).astype(np.float64)
        sums = np.zeros((kinds, entries.dimension))
        np.add.at(sums, labels, vectors * masses[:, None])
        tree = ward_tree(sums / sizes[:, None], sizes)[: kinds - min(clusters, size)]
        cluster_map = first_appearance(join(kinds, ((a, b) for _, a, b in tree)))
    if count <= size:
        return singles, cluster_map
    banks = cluster_map[labels]
    merges: list[tuple[float, int, int]] = []
    for bank in np.unique(banks):
        rows = np.flatnonzero(banks == bank)
        tree = ward_tree(vectors[rows], masses[rows])
        merges += [(cost, int(rows[a]), int(rows[b])) for cost, a, b in tree]
    group_of_row = join(count, ((a, b) for _, a, b in sorted(merges)[: count - size]))
    return [np.flatnonzero(group_of_row == group) for group in np.unique(group_of_row)], cluster_map


def merge_rows(
    entries: SceneEntries, groups: Sequence[NDArray[np.intp]], exemplars: int
) -> SceneEntries:
    """One entry per group of rows, each with at most ``exemplars`` exemplars."""
    vectors: list[NDArray[np.float16]] = []
    spans: list[tuple[SceneSpan, ...]] = []
    kept: list[NDArray[np.intp]] = []
    for group in groups:
        if len(group) == 1:
            vectors.append(entries.entry_vectors[group[0]])
            spans.append(entries.entry_spans[group[0]])
        else:
            mean = entries.entry_weights[group] @ entries.entry_vectors[group].astype(np.float32)
            vectors.append((mean / max(float(np.linalg.norm(mean)), 1e-12)).astype(np.float16))
            together = [span for row in group for span in entries.entry_spans[row]]
            spans.append(tuple(sorted(together, key=lambda span: span.start_s)))
        slices = [entries.exemplar_rows(int(row)) for row in group]
        rows = np.concatenate([np.arange(part.start, part.stop) for part in slices])
        if len(rows) > exemplars:
            rows = rows[np.argsort(entries.exemplar_times[rows], kind="stable")]
            rows = rows[thin(entries.exemplar_vectors[rows], vectors[-1], exemplars)]
        kept.append(rows)
    order = np.concatenate(kept)
    weights = entries.entry_weights.astype(np.float64)
    return SceneEntries(
        entry_vectors=np.stack(vectors),
        entry_weights=np.array([weights[group].sum() for group in groups], dtype=np.float32),
        entry_spans=tuple(spans),
        exemplar_vectors=entries.exemplar_vectors[order],
        exemplar_times=entries.exemplar_times[order],
        exemplar_entries=np.repeat(np.arange(len(groups)), [len(rows) for rows in kept]),
    )


def _coarsened(entries: SceneEntries, budget: Budget) -> tuple[SceneEntries, History]:
    """The entries with as many scenes as may be remembered one by one."""
    scenes = sum(len(spans) for spans in entries.entry_spans)
    if scenes <= max(budget.scenes, len(entries)):
        return entries, History()
    pool = Pool(budget)
    slots = [pool.add(entry) for entry in rows_of(entries)]
    pool.absorb(budget.scenes)
    return pool.entries(np.array(slots)), replace(pool.history, thinned=0, thinned_at=TimeCounts())


def _surest(returns: Sequence[Return], budget: Budget) -> tuple[Return, ...]:
    """The returns that may be kept, in order of scenes."""
    if len(returns) <= budget.returns:
        return tuple(returns)
    return tuple(sorted(sorted(returns, key=lambda one: (-one.sure, one))[: budget.returns]))


def _affordable(entries: SceneEntries, budget: Budget, returns: int) -> int:
    """How many entries the bytes pay for, with their scenes and without exemplars."""
    if budget.max_bytes is None:
        return len(entries)
    scenes = sum(len(own) for own in entries.entry_spans)

    def fits(size: int) -> bool:
        # The last scene of an entry is never given up.
        spans = min(scenes, max(budget.scenes, size))
        return budget.entry_bytes(size, 0, spans, returns) <= budget.entry.bytes

    return next((size for size in range(len(entries), 1, -1) if fits(size)), 1)


def _telling(entries: SceneEntries, budget: Budget, returns: int) -> SceneEntries:
    """The entries with as many exemplars as the bytes pay for, those that tell most."""
    spans = sum(len(own) for own in entries.entry_spans)
    spare = budget.entry.bytes - budget.entry_bytes(len(entries), 0, spans, returns)
    room = spare // budget.exemplar_bytes()
    if room >= len(entries.exemplar_times):
        return entries
    worth = np.concatenate(
        [
            worths(entries.exemplar_vectors[entries.exemplar_rows(row)], vector)
            for row, vector in enumerate(entries.entry_vectors)
        ]
    )
    rows = np.sort(np.argsort(-worth, kind="stable")[: max(room, 0)])
    return replace(
        entries,
        exemplar_vectors=entries.exemplar_vectors[rows],
        exemplar_times=entries.exemplar_times[rows],
        exemplar_entries=entries.exemplar_entries[rows],
    )
