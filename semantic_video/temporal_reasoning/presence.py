"""Which scenes show what a phrase says: a decision for every scene, not a ranking.

Counting, order and duration need to know of each scene whether it shows something. A cosine alone
does not tell: some phrases are like everything. So a scene's score is compared with how well the
best words of a large vocabulary describe the same scene (words that mean much the same as the
phrase left out), scenes of one cluster, which show the same, decide together, and what search makes
of the score, and of the best score in the film, says how far foreign texts get. A logistic model
makes a probability of it (`python -m experiments.presence_calibration`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.records import Moment
from semantic_video.scene_retrieval import SceneRetriever

FloatArray = NDArray[np.float32]

# Words at least this like the phrase say the same and are no rivals.
_SAME_MEANING = 0.7
_RIVALS = 3
FEATURES = ("margin", "cluster margin", "standing out", "evidence", "best evidence")
# Fitted by experiments/presence_calibration.py.
_BIAS = -1.75
_WEIGHTS = np.array([5.45, 4.43, 0.70, 0.21, 0.0])
_SUREST = 1e-4
"""Probabilities of search are taken as no nearer to 0 and 1 than this."""


@dataclass(frozen=True, slots=True, eq=False)
class Scenes:
    """The scenes of one film in order of time, as phrases are compared with them."""

    start_s: NDArray[np.float64]  # [S]
    cluster: NDArray[np.int64]  # [S]
    vectors: FloatArray  # [S, D] of the entry that a scene is in
    words: FloatArray  # [S, V] likeness to each word of the vocabulary

    def row_at(self, time_s: float) -> int:
        """The scene at a time."""
        return max(0, int(np.searchsorted(self.start_s, time_s, side="right")) - 1)


class Presence:
    """Says of every scene of some films how probably it shows a phrase.

    Args:
        memories: video -> its memory, as ``retriever`` names videos.
        retriever: searches these memories.
        vocabulary: vectors [V, D] of phrases that describe what films show, of the same encoder.
    """

    def __init__(
        self,
        memories: Mapping[str, MemoryHierarchy],
        retriever: SceneRetriever,
        vocabulary: FloatArray,
    ) -> None:
        self._retriever = retriever
        self._vocabulary = vocabulary
        self._scenes = {video: scenes_of(memory, vocabulary) for video, memory in memories.items()}

    def scenes_of(self, video: str) -> Scenes:
        """The scenes of a film, as they are compared with phrases."""
        return self._scenes[video]

    def scenes(self, phrase: FloatArray) -> dict[str, tuple[Moment, ...]]:
        """Of each film, a moment for every scene in order of time, for a phrase's vector [D]."""
        found: dict[str, list[Moment]] = {video: [] for video in self._scenes}
        for moment in self._retriever.scenes(phrase):
            found[moment.video].append(moment)
        answer = {}
        for video, moments in found.items():
            moments.sort(key=lambda moment: moment.start_s)
            own = self._scenes[video]
            values = features(own, moments, phrase, self._vocabulary)
            logits = _BIAS + values @ _WEIGHTS
            answer[video] = tuple(
                replace(moment, probability=round(float(p), 4))
                for moment, p in zip(moments, 1 / (1 + np.exp(-logits)), strict=True)
            )
        return answer


def first_of(probabilities: Sequence[float] | NDArray[np.float64]) -> int:
    """Which of some scenes in order, each showing something with such a probability [S], is most
    probably the first that does: it shows it and none before does."""
    p = np.asarray(probabilities, dtype=np.float64)
    none_before = np.concatenate([[1.0], np.cumprod(1.0 - p)[:-1]])
    return int(np.argmax(p * none_before))


def features(
    scenes: Scenes, moments: Sequence[Moment], phrase: FloatArray, vocabulary: FloatArray
) -> NDArray[np.float64]:
    """What the probability is made of, [M, 5] for M moments of one film, see ``FEATURES``."""
    if not moments:
        return np.empty((0, len(FEATURES)))
    middles = [(moment.start_s + moment.end_s) / 2 for moment in moments]
    row = np.maximum(np.searchsorted(scenes.start_s, middles, side="right") - 1, 0)
    rivals = vocabulary @ phrase < _SAME_MEANING
    others = scenes.words[:, rivals]
    count = min(_RIVALS, others.shape[1])
    best = np.partition(others, -count, axis=1)[:, -count:].mean(axis=1) if count else 0.0
    margins = scenes.vectors @ phrase - best
    sizes = np.bincount(scenes.cluster)
    together = np.bincount(scenes.cluster, weights=margins) / np.maximum(sizes, 1)
    scores = np.array([moment.score for moment in moments])
    spread = max(float(scores.std()), 1e-6)
    found = np.array([moment.probability or 0.0 for moment in moments])
    found = np.clip(found, _SUREST, 1 - _SUREST)
    evidence = np.log(found / (1 - found))
    return np.stack(
        [
            margins[row],
            together[scenes.cluster[row]],
            (scores - scores.mean()) / spread,
            evidence,
            np.full(len(moments), evidence.max()),
        ],
        axis=1,
    )


def scenes_of(memory: MemoryHierarchy, vocabulary: FloatArray) -> Scenes:
    """The scenes of a memory, for a vocabulary's vectors [V, D]."""
    rows = sorted(
        (span.start_s, entry)
        for entry, spans in enumerate(memory.entries.entry_spans)
        for span in spans
    )
    entries = np.array([entry for _, entry in rows])
    vectors = memory.vectors.astype(np.float32)
    return Scenes(
        start_s=np.array([start_s for start_s, _ in rows]),
        cluster=memory.labels[entries].astype(np.int64),
        vectors=vectors[entries],
        words=(vectors @ vocabulary.T)[entries],
    )
