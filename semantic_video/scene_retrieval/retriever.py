"""`SceneRetriever`: a query vector against the memories of one or more videos."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from itertools import islice
from typing import Self, get_args

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import RetrievalOptions
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.records import Moment, Scope
from semantic_video.scene_retrieval.calibration import NullDistribution, References, standing_out
from semantic_video.scene_retrieval.coarse import Coarse
from semantic_video.scene_retrieval.localisation import Interval, Part, join, parts
from semantic_video.scene_retrieval.moments import Moments
from semantic_video.scene_retrieval.packed import Asked, Foreign, Packed, Unrelated
from semantic_video.scene_retrieval.rows import FloatArray, Rows, gather
from semantic_video.scene_retrieval.scoring import (
    best_scores,
    likeliest,
    score_scenes,
    summary_scores,
)

Where = Scope | Mapping[str, Scope] | None
"""Where to look: one scope for all videos, or one for each video by its name in the answer; videos
that such a mapping leaves out are not searched."""

_EVERYWHERE = Scope()
_PERHAPS_AT = 3.0
# Scenes that are asked as pictures to know what does not belong: about so many, and no fewer.
_SCENES, _LEAST_SCENES = 256, 20
"""``perhaps`` accepts so many times the false alarms of ``found``."""


class SceneRetriever:
    """Searches the memories of one or more videos, all made with the same encoder.

    ``memories`` pairs what a moment should call its video with that video's memory. ``references``
    are vectors of that encoder to judge scores against; without them moments have a probability
    only in so far as they stand out among the scenes, and every query counts as found. The search
    looks at the frames of the likeliest entries only; with ``exact`` at all. Frames that a memory
    keeps as codes are scored from these, or decoded first without ``codes``.
    """

    def __init__(
        self,
        memories: Sequence[tuple[str, MemoryHierarchy]],
        options: RetrievalOptions,
        references: References | None = None,
        codes: bool = True,
    ) -> None:
        self._set(
            [name for name, _ in memories],
            [memory.names for _, memory in memories],
            gather([memory for _, memory in memories], options, codes),
            options,
            references,
        )

    @classmethod
    def of_rows(
        cls,
        names: Sequence[str],
        cluster_names: Sequence[Sequence[str]],
        rows: Rows,
        options: RetrievalOptions,
        references: References | None = None,
    ) -> Self:
        """Searches what was gathered already."""
        made = cls.__new__(cls)
        made._set(names, cluster_names, rows, options, references)
        return made

    @classmethod
    def of_packed(
        cls,
        names: Sequence[str],
        packed: Packed,
        options: RetrievalOptions,
        references: References | None = None,
    ) -> Self:
        """Searches what `packed` made of these videos, with options and references as they were.

        Answers as before, but that the search over all videos finds its scenes through `Coarse`.
        """
        made = cls.of_rows(names, packed.cluster_names, packed.rows, options, references)
        made._coarse = packed.coarse
        made._foreign = dict(packed.foreign)
        return made

    def _set(
        self,
        names: Sequence[str],
        cluster_names: Sequence[Sequence[str]],
        rows: Rows,
        options: RetrievalOptions,
        references: References | None,
    ) -> None:
        self._names = names
        self._cluster_names = cluster_names
        self._options = options
        self._rows = rows
        self._references = references
        self._coarse: Coarse | None = None
        self._foreign: dict[Unrelated, Foreign] = {}

    def packed(self) -> Packed:
        """All that this searches, to be kept; takes some seconds where there are very many."""
        for asked in get_args(Asked):
            self._null(None, asked)
        coarse = self._coarse or Coarse.of(self._rows)
        return Packed(self._rows, coarse, self._cluster_names, self._foreign)

    @property
    def durations(self) -> NDArray[np.float64]:
        """The end [V] of each video's last scene."""
        rows = self._rows
        ends: NDArray[np.float64] = rows.scene_end[rows.video_scenes[1:] - 1]
        return ends

    @property
    def cluster_names(self) -> Sequence[Sequence[str]]:
        """The names of each video's clusters."""
        return self._cluster_names

    def sample(self, count: int) -> FloatArray:
        """Some ``count`` entry vectors [n, D], evenly chosen of each video."""
        rows = self._rows
        step = max(1, len(rows.entry_vectors) // count)
        first = np.minimum.reduceat(rows.scene_entry, rows.video_scenes[:-1])
        ends = np.append(first[1:], len(rows.entry_vectors))
        chosen = [np.arange(*own, step) for own in zip(first, ends, strict=True)]
        vectors: FloatArray = rows.entry_vectors[np.concatenate(chosen)].astype(np.float32)
        return vectors

    def search(
        self,
        query: FloatArray,
        text: str = "",
        k: int | None = None,
        exact: bool = False,
        scope: Where = None,
        asked: Asked = "text",
    ) -> Moments:
        """The ``k`` best moments for a unit query vector [D].

        ``text`` is what the answer calls the query; ``exact`` looks at every frame; ``scope`` says
        where to look; ``asked`` what the vector was made from.
        """
        k = self._options.k if k is None else k
        moments, level = self._moments(query, exact, scope, k, asked)
        null = self._null(scope, asked)
        if null is None or not moments:
            return Moments(text, moments, found=bool(moments))
        rate = self._options.false_accept_rate
        evidence = moments[0].score - level
        return Moments(
            text,
            moments,
            found=evidence >= null.threshold(rate),
            perhaps=evidence >= null.threshold(min(_PERHAPS_AT * rate, 0.5)),
        )

    def thresholds(self, scope: Where = None, asked: Asked = "text") -> tuple[float, float]:
        """The probabilities from which on a moment passes for ``found`` and for ``perhaps``.

        They are the same for every query; without references nothing says, and both are a half.
        """
        null = self._null(scope, asked)
        if null is None:
            return 0.5, 0.5
        rates = [self._options.false_accept_rate * times for times in (1.0, _PERHAPS_AT)]
        evidence = np.array([null.threshold(min(rate, 0.5)) for rate in rates])
        # As moments round theirs, so that what passes there passes here.
        found, perhaps = np.floor(null.probability(evidence) * 1e4) / 1e4
        return float(found), float(perhaps)

    def candidates(
        self, query: FloatArray, scope: Where = None, asked: Asked = "text"
    ) -> tuple[Moment, ...]:
        """Every candidate moment for a unit query vector [D], best first, never overlapping.

        Each has a ``probability``; together they cover all that lies in ``scope``.
        """
        return tuple(self._moments(query, True, scope, None, asked)[0])

    def chance(
        self, query: FloatArray, asked: Asked = "text"
    ) -> tuple[NDArray[np.float64], float] | None:
        """What scores mean for a unit query vector [D]; None without references.

        First the best score [T] in these videos of each of T queries that do not belong, on the
        scale of this one, then the score from which on it counts as found.
        """
        null = self._null(None, asked)
        if null is None or self._references is None:
            return None
        level = self._level(query, asked)
        return null.evidence + level, null.threshold(self._options.false_accept_rate) + level

    def scenes(self, query: FloatArray) -> tuple[Moment, ...]:
        """A moment for every scene, for a unit query vector [D]: by video, then in order of time.

        Where `candidates` joins and cuts scenes to what answers best, these are all scenes as they
        are, so that each of them can be decided upon.
        """
        rows = self._rows
        every = np.arange(len(rows.scene_entry))
        if len(every) == 0:
            return ()
        scores = score_scenes(rows, query[None], every, self._options)[0].astype(np.float64)
        null = self._null(None, "text")
        if null is not None and self._references is not None:
            odds = null.probability(scores - float(self._references.level(query[None])[0]))
        else:
            odds = standing_out((scores - scores.mean()) / max(float(scores.std()), 1e-6))
        moments = []
        for scene, probability in zip(every.tolist(), odds.tolist(), strict=True):
            start_s, end_s = float(rows.scene_start[scene]), float(rows.scene_end[scene])
            best_s = (start_s + end_s) / 2
            part = Part(scene, start_s, end_s, float(scores[scene]), best_s)
            moments.append(self._moment(Interval(start_s, end_s, part), probability))
        return tuple(moments)

    def _moments(
        self, query: FloatArray, exact: bool, scope: Where, k: int | None, asked: Asked
    ) -> tuple[list[Moment], float]:
        """The moments, and the level that was taken off their scores to judge them."""
        rows, options = self._rows, self._options
        searched, usual, spread = self._likely(query, exact, scope)
        if len(searched) == 0:
            return [], 0.0
        null = self._null(scope, asked)
        level = self._level(query, asked)
        scores = score_scenes(rows, query[None], searched, options)[0]
        spread = max(spread, null.spread) if null else spread or 1.0
        chosen = self._overlapping(searched, scope)
        searched, scores = searched[chosen], scores[chosen]
        if k is not None and len(scores) > 4 * k and not _asks_for_length(scope):
            # Enough for k moments, however scenes join.
            least = np.partition(scores, -4 * k)[-4 * k] - options.join_depth * spread
            searched, scores = searched[scores >= least], scores[scores >= least]
        inside = [
            cut
            for part in parts(rows, query, searched, scores, spread, options)
            if (cut := self._within(part, scope)) is not None
        ]
        found = list(islice(self._long_enough(inside, spread, scope), k))
        peaks = np.array([interval.peak.score for interval in found], dtype=np.float64)
        probabilities = (
            null.probability(peaks - level)
            if null
            else standing_out((peaks - usual) / max(spread, 1e-6))
        )
        return [
            self._moment(interval, probability)
            for interval, probability in zip(found, probabilities, strict=True)
        ], level

    def _likely(
        self, query: FloatArray, exact: bool, scope: Where
    ) -> tuple[NDArray[np.int64], float, float]:
        """The scenes to look at closely, in order; how all score on average, and how differently.

        That is of all that is searched, so that what joins does not depend on what is looked at.
        """
        rows, options = self._rows, self._options
        if self._coarse is not None and not exact and not isinstance(scope, Mapping):
            return self._coarse.likeliest(rows, query, options), *self._coarse.usual(query)
        searched = self._scenes_of(scope)
        if len(searched) == 0:
            return searched, 0.0, 0.0
        summaries = summary_scores(rows, query, searched)
        # A film of one or two scenes does not say how far scores differ.
        spread = float(summaries.std()) if len(summaries) > 2 else 0.0
        if not exact:
            searched = searched[likeliest(summaries, options)]
        return searched, float(summaries.mean()), spread

    def _long_enough(
        self, inside: Sequence[Part], spread: float, scope: Where
    ) -> Iterator[Interval]:
        for interval in join(self._rows, inside, spread, self._options):
            least_s = self._scope(interval.peak, scope).min_length_s
            if interval.end_s - interval.start_s >= least_s:
                yield interval

    def _level(self, query: FloatArray, asked: Asked) -> float:
        """What is taken off a query's scores before they are judged.

        Nothing of a picture's: how like it unrelated photos are says little of other films.
        """
        if self._references is None or asked == "picture":
            return 0.0
        return float(self._references.level(query[None])[0])

    def _null(self, scope: Where, asked: Asked) -> NullDistribution | None:
        """Best scores of what does not belong, over the videos that are searched.

        A picture is held to the stricter of two: unrelated photos, and the videos' own scenes as
        found in clusters other than theirs, which are as alike as frames of films are.
        """
        if self._references is None:
            return None
        if asked != "picture":
            return self._distribution(scope, "text" if asked == "text" else "picture")
        both = [self._distribution(scope, kind, False) for kind in ("picture", "scene")]
        rate = self._options.false_accept_rate
        return max(filter(None, both), key=lambda null: null.threshold(rate), default=None)

    def _distribution(
        self, scope: Where, kind: Unrelated, levelled: bool = True
    ) -> NullDistribution | None:
        if kind not in self._foreign:
            self._foreign[kind] = self._unrelated(kind)
        best, level = self._foreign[kind]
        if isinstance(scope, Mapping):
            best = best[:, [name in scope for name in self._names]]
        if 0 in best.shape:
            return None
        evidence = best.max(axis=1) - (level if levelled else 0.0)
        evidence = np.sort(evidence[np.isfinite(evidence)])
        enough = len(evidence) >= (_LEAST_SCENES if kind == "scene" else 1)
        return NullDistribution(evidence) if enough else None

    def _unrelated(self, kind: Unrelated) -> Foreign:
        """Queries of this kind: the best score of each in each video, and its level."""
        references, rows, options = self._references, self._rows, self._options
        assert references is not None
        if kind == "text":
            return best_scores(rows, references.texts, options), references.level(references.texts)
        if kind == "picture":
            pictures = references.picture_queries
            return best_scores(rows, pictures, options), references.picture_levels
        chosen = np.arange(0, len(rows.entry_vectors), len(rows.entry_vectors) // _SCENES + 1)
        scenes = rows.entry_vectors[chosen].astype(np.float32)
        best = best_scores(rows, scenes, options, rows.entry_cluster[chosen])
        return best, np.zeros(len(chosen))

    def _scenes_of(self, scope: Where) -> NDArray[np.int64]:
        """The scenes of the videos that a scope names."""
        if not isinstance(scope, Mapping):
            return np.arange(len(self._rows.scene_entry))
        named = [name in scope for name in self._names]
        return np.flatnonzero(np.array(named, dtype=np.bool_)[self._rows.scene_video])

    def _overlapping(self, scenes: NDArray[np.int64], scope: Where) -> NDArray[np.bool_]:
        """Which of ``scenes`` [n] have something in the windows and clusters of a scope."""
        rows = self._rows
        chosen = np.ones(len(scenes), dtype=np.bool_)
        if scope is None:
            return chosen
        labels = rows.cluster_label[rows.entry_cluster[rows.scene_entry[scenes]]]
        for video, name in enumerate(self._names):
            own = scope.get(name) if isinstance(scope, Mapping) else scope
            if own is None:
                continue
            at = rows.scene_video[scenes] == video
            fits = (rows.scene_end[scenes] > own.start_s) & (rows.scene_start[scenes] < own.end_s)
            if own.clusters is not None:
                fits &= np.isin(labels, list(own.clusters))
            chosen &= fits | ~at
        return chosen

    def _scope(self, part: Part, scope: Where) -> Scope:
        if isinstance(scope, Mapping):
            return scope[self._names[int(self._rows.scene_video[part.scene])]]
        return scope or _EVERYWHERE

    def _within(self, part: Part, scope: Where) -> Part | None:
        """What of a part lies in ``scope``."""
        if scope is None:
            return part
        own = self._scope(part, scope)
        start_s, end_s = max(part.start_s, own.start_s), min(part.end_s, own.end_s)
        if start_s >= end_s:
            return None
        best_s = part.best_s if start_s <= part.best_s < end_s else (start_s + end_s) / 2
        return replace(part, start_s=start_s, end_s=end_s, best_s=best_s)

    def _cluster(self, part: Part) -> int:
        rows = self._rows
        return int(rows.cluster_label[rows.entry_cluster[rows.scene_entry[part.scene]]])

    def _moment(self, interval: Interval, probability: float) -> Moment:
        peak = interval.peak
        video, cluster = int(self._rows.scene_video[peak.scene]), self._cluster(peak)
        signals = {"picture": round(peak.score, 4)}
        if self._rows.video_coded[video]:
            signals["codes"] = signals["picture"]
        return Moment(
            video=self._names[video],
            start_s=interval.start_s,
            end_s=interval.end_s,
            score=round(peak.score, 4),
            probability=round(float(probability), 4),
            cluster=cluster,
            cluster_name=self._cluster_names[video][cluster],
            keyframe_s=peak.best_s,
            signals=signals,
        )


def _asks_for_length(scope: Where) -> bool:
    scopes = scope.values() if isinstance(scope, Mapping) else [scope or _EVERYWHERE]
    return any(own.min_length_s > 0 for own in scopes)
