"""Two memories become one: what several workers made of parts of a video, or several cameras."""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

from semantic_video.errors import QueryError
from semantic_video.memory_hierarchy.entries import SceneEntries
from semantic_video.memory_hierarchy.hierarchy import MemoryHierarchy
from semantic_video.memory_hierarchy.returns import LEAST_SURE, likeness, sureness
from semantic_video.records import Return, SceneSpan, Span
from semantic_video.scene_segmentation import common_likeness
from semantic_video.semantic_clustering import Correction, first_appearance, join


def merge(a: MemoryHierarchy, b: MemoryHierarchy, *, offset_s: float = 0.0) -> MemoryHierarchy:
    """One memory of both, within the larger of their budgets; codes become vectors again.

    ``offset_s`` is where the clock of ``b`` starts on that of ``a``. Scenes are numbered anew in
    order of time; clusters whose centroids are each other's nearest and likely show the same become
    one, and the one with more screen time lends its name. Corrections by hand hold for both.

    Associative as far as entries go: within the budget the entries of ``merge(merge(a, b), c)`` and
    ``merge(a, merge(b, c))`` are the same to the bit. Above it entries merge in another order, and
    the mean likeness of scenes to their entries differs by 0.1 at most on what was measured.

    Raises:
        QueryError: the two overlap in time, or have vectors of different lengths.
    """
    if a.entries.dimension != b.entries.dimension:
        raise QueryError("the two memories were made with different models, whose vectors differ")
    held = _joined(a.entries, _moved(b.entries, offset_s))
    spans = sorted((span for own in held.entry_spans for span in own), key=lambda s: s.start_s)
    for before, after in pairwise(spans):
        if after.start_s < before.end_s - 1e-6:
            raise QueryError(
                f"the two memories overlap at {after.start_s:.1f} s: say with offset_s where the "
                "second begins"
            )
    numbers = {span.scene: number for number, span in enumerate(spans)}
    moved = [
        Return(one.scene + _second(a), one.earlier + _second(a), one.last_s + offset_s, one.sure)
        for one in b.returns
    ]
    returns = sorted(
        one._replace(scene=numbers[one.scene], earlier=numbers.get(one.earlier, -1))
        for one in [*a.returns, *moved]
        if one.scene in numbers
    )
    uses = {numbers[s]: n for s, n in a.uses.items() if s in numbers}
    uses |= {numbers[s + _second(a)]: n for s, n in b.uses.items() if s + _second(a) in numbers}
    order = np.argsort([own[0].start_s for own in held.entry_spans], kind="stable")
    corrections = [*a.clustering.corrections]
    corrections += [_later(one, offset_s) for one in b.clustering.corrections]
    a, b = a.corrected(()), b.corrected(())
    labels, names = _same_clusters(a, b)
    ordered = labels[order]
    numbering = first_appearance(ordered)
    name_of = dict(zip(numbering.tolist(), (names[label] for label in ordered), strict=True))
    limits = a if a.memory_size >= b.memory_size else b
    clustering = replace(
        a.clustering,
        labels=numbering,
        reason="two memories merged",
        words={**b.clustering.words, **a.clustering.words},
    )
    memory = MemoryHierarchy.build(
        _renumbered(held, order, numbers),
        clustering,
        [name_of[label] for label in range(len(name_of))],
        limits.memory_size,
        max(a.exemplars, b.exemplars),
        spans=max(a.spans, b.spans),
        max_bytes=limits.max_bytes,
        returns=returns,
        history=a.history + b.history.moved(offset_s),
        uses=uses,
    )
    return memory.corrected(corrections) if corrections else memory


def _later(correction: Correction, by_s: float) -> Correction:
    first, second = (
        tuple(Span(span.start_s + by_s, span.end_s + by_s) for span in spans)
        for spans in (correction.first, correction.second)
    )
    return replace(correction, first=first, second=second)


def _second(a: MemoryHierarchy) -> int:
    """What is added to the scene numbers of the second memory, so that none is there twice."""
    return 1 + max(span.scene for own in a.entries.entry_spans for span in own)


def _moved(entries: SceneEntries, by_s: float) -> SceneEntries:
    spans = tuple(
        tuple(SceneSpan(s.scene, s.start_s + by_s, s.end_s + by_s) for s in own)
        for own in entries.entry_spans
    )
    return SceneEntries(
        entries.entry_vectors,
        entries.entry_weights,
        spans,
        entries.exemplar_vectors,
        entries.exemplar_times + by_s,
        entries.exemplar_entries,
    )


def _joined(one: SceneEntries, other: SceneEntries) -> SceneEntries:
    shift = 1 + max(span.scene for own in one.entry_spans for span in own)
    spans = tuple(
        tuple(SceneSpan(s.scene + shift, s.start_s, s.end_s) for s in own)
        for own in other.entry_spans
    )
    return SceneEntries(
        np.concatenate([one.entry_vectors, other.entry_vectors]),
        np.concatenate([one.entry_weights, other.entry_weights]),
        one.entry_spans + spans,
        np.concatenate([one.exemplar_vectors, other.exemplar_vectors]),
        np.concatenate([one.exemplar_times, other.exemplar_times]),
        np.concatenate([one.exemplar_entries, other.exemplar_entries + len(one)]),
    )


def _renumbered(
    held: SceneEntries, order: NDArray[np.intp], numbers: dict[int, int]
) -> SceneEntries:
    """The entries in this order, their scenes numbered anew."""
    rows = [held.exemplar_rows(int(row)) for row in order]
    exemplars = np.concatenate([np.arange(part.start, part.stop) for part in rows])
    return SceneEntries(
        held.entry_vectors[order],
        held.entry_weights[order],
        tuple(
            tuple(s._replace(scene=numbers[s.scene]) for s in held.entry_spans[int(row)])
            for row in order
        ),
        held.exemplar_vectors[exemplars],
        held.exemplar_times[exemplars],
        np.repeat(np.arange(len(order)), [part.stop - part.start for part in rows]),
    )


def _same_clusters(a: MemoryHierarchy, b: MemoryHierarchy) -> tuple[NDArray[np.int32], list[str]]:
    """A label for each entry of both, and a name for each label."""
    count = len(a.names)
    vectors = np.concatenate([a.vectors, b.vectors]).astype(np.float32)
    sure = sureness(likeness(a.cluster_vectors @ b.cluster_vectors.T, common_likeness(vectors)))
    nearest_b, nearest_a = sure.argmax(axis=1), sure.argmax(axis=0)
    pairs = [
        (one, count + int(other))
        for one, other in enumerate(nearest_b)
        if nearest_a[other] == one and sure[one, other] >= LEAST_SURE
    ]
    roots = join(count + len(b.names), pairs)
    labels = roots[np.concatenate([a.labels, b.labels + count])]
    seconds = np.concatenate(
        [np.bincount(m.labels, weights=m.entries.entry_weights) for m in (a, b)]
    )
    names = [*a.names, *b.names]
    best: dict[int, int] = {}
    for cluster, root in enumerate(roots.tolist()):
        if root not in best or seconds[cluster] > seconds[best[root]]:
            best[root] = cluster
    return labels, [names[best.get(root, root)] for root in range(len(names))]
