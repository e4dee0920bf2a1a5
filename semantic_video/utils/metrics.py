"""How good results are: the field's own figures, each as its paper or benchmark defines it.

Spans are in seconds and half-open; ``predictions`` and ``truths`` have an item for each query, and
predictions stand best first.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semantic_video.records import Span

TIOU_THRESHOLDS = tuple(round(0.5 + 0.05 * step, 2) for step in range(10))
"""0.5, 0.55 to 0.95: those of ActivityNet and QVHighlights."""

Spans = Sequence[Span]


def tiou(one: Span, other: Span) -> float:
    """Temporal intersection over union, 0 to 1; 0 for spans without length."""
    shared = max(0.0, min(one.end_s, other.end_s) - max(one.start_s, other.start_s))
    union = one.duration_s + other.duration_s - shared
    return shared / union if union > 0 else 0.0


def recall_at(
    predictions: Sequence[Spans], truths: Sequence[Spans], k: int, threshold: float = 0.5
) -> float:
    """Share of queries with one of the first ``k`` predictions at this tIoU ("R@k, IoU=m").

    The measure of Gao et al. (TALL, 2017). Queries without a true span are left out.

    Raises ValueError without a query that counts.
    """
    hits = [
        any(tiou(found, true) >= threshold for found in own[:k] for true in truth)
        for own, truth in _answerable(predictions, truths)
    ]
    return float(np.mean(hits))


def average_precision(predictions: Spans, truth: Spans, threshold: float) -> float:
    """Interpolated average precision of one query's predictions, best first, at one tIoU.

    As ActivityNet evaluates (Caba Heilbron et al. 2015), and QVHighlights after it: a prediction is
    right if it reaches ``threshold`` with a true span that no better prediction took; of several it
    takes the one with the highest tIoU. Precision is made to fall with recall (the highest at that
    recall or beyond), and the area under it is returned. 0 without a true span.
    """
    if not truth or not predictions:
        return 0.0
    right = np.zeros(len(predictions))
    free = set(range(len(truth)))
    for rank, found in enumerate(predictions):
        overlaps = {index: tiou(found, truth[index]) for index in free}
        best = max(overlaps, key=lambda index: (overlaps[index], -index), default=None)
        if best is not None and overlaps[best] >= threshold:
            right[rank] = 1
            free.remove(best)
    recalls = np.cumsum(right) / len(truth)
    precisions = np.cumsum(right) / np.arange(1, len(right) + 1)
    envelope = np.maximum.accumulate(precisions[::-1])[::-1]
    return float((np.diff(recalls, prepend=0.0) * envelope).sum())


def mean_average_precision(
    predictions: Sequence[Spans],
    truths: Sequence[Spans],
    thresholds: Sequence[float] = TIOU_THRESHOLDS,
) -> float:
    """`average_precision` averaged over queries, and over ``thresholds``.

    Queries without a true span are left out. Raises ValueError without a query that counts.
    """
    answerable = _answerable(predictions, truths)
    return float(
        np.mean([average_precision(*query, at) for at in thresholds for query in answerable])
    )


def purity(found: ArrayLike, truth: ArrayLike, weights: ArrayLike | None = None) -> float:
    """Share of the weight that lies in the commonest true class of its cluster.

    ``found`` and ``truth`` are labels [N], ``weights`` [N] (such as seconds; default 1 each).
    """
    shared = _contingency(found, truth, weights)
    return float(shared.max(axis=1).sum() / shared.sum())


def normalised_mutual_information(
    found: ArrayLike, truth: ArrayLike, weights: ArrayLike | None = None
) -> float:
    """Mutual information of two labellings over the mean of their entropies, 0 to 1.

    Arguments as for `purity`. 1 where both put everything into one class, as in scikit-learn.
    """
    shared = _contingency(found, truth, weights)
    shared = shared / shared.sum()
    rows, columns = shared.sum(axis=1), shared.sum(axis=0)
    entropy = (_entropy(rows) + _entropy(columns)) / 2
    if entropy < 1e-12:
        return 1.0
    information = _entropy(rows) + _entropy(columns) - _entropy(shared.ravel())
    return float(np.clip(information / entropy, 0.0, 1.0))


def auroc(present: ArrayLike, absent: ArrayLike) -> float:
    """Chance that a score of ``present`` exceeds one of ``absent``, a tie counting one half.

    The area under the ROC curve, as the statistic of Mann and Whitney (1947).

    Raises ValueError where either is empty.
    """
    above, below = np.asarray(present, np.float64), np.asarray(absent, np.float64)
    if not len(above) or not len(below):
        raise ValueError("a comparison needs scores on both sides")
    ordered = np.sort(below)
    less = np.searchsorted(ordered, above, side="left")
    not_more = np.searchsorted(ordered, above, side="right")
    return float((less + not_more).sum() / (2 * len(above) * len(below)))


def calibration_error(probabilities: ArrayLike, right: ArrayLike, bins: int = 10) -> float:
    """Expected calibration error of probabilities [N] against what was right [N] (0 or 1).

    The mean distance of confidence and accuracy over ``bins`` of equal width, weighted by how many
    fall into each (Naeini et al. 2015; Guo et al. 2017). Raises ValueError without any.
    """
    sure, true = np.asarray(probabilities, np.float64), np.asarray(right, np.float64)
    if not len(sure) or len(sure) != len(true):
        raise ValueError(f"{len(sure)} probabilities and {len(true)} outcomes do not go together")
    if sure.min() < 0 or sure.max() > 1:
        raise ValueError("probabilities lie between 0 and 1")
    where = np.minimum((sure * bins).astype(np.int64), bins - 1)
    gaps = np.bincount(where, weights=sure - true, minlength=bins)
    return float(np.abs(gaps).sum() / len(sure))


def _answerable(predictions: Sequence[Spans], truths: Sequence[Spans]) -> list[tuple[Spans, Spans]]:
    """Predictions and true spans of each query that has any."""
    queries = [(own, truth) for own, truth in zip(predictions, truths, strict=True) if truth]
    if not queries:
        raise ValueError("no query has a true span")
    return queries


def _contingency(
    found: ArrayLike, truth: ArrayLike, weights: ArrayLike | None
) -> NDArray[np.float64]:
    """Weight [C, T] that cluster and class share."""
    _, rows = np.unique(np.asarray(found), return_inverse=True)
    _, columns = np.unique(np.asarray(truth), return_inverse=True)
    if not len(rows) or len(rows) != len(columns):
        raise ValueError(f"{len(rows)} and {len(columns)} labels do not go together")
    share = np.ones(len(rows)) if weights is None else np.asarray(weights, np.float64)
    shared = np.zeros((rows.max() + 1, columns.max() + 1))
    np.add.at(shared, (rows, columns), share)
    return shared


def _entropy(shares: NDArray[np.float64]) -> float:
    held = shares[shares > 0]
    return float(-(held * np.log(held)).sum())
