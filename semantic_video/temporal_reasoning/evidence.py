"""What a plan may look at: films with their clusters, scenes, lines, and who shows what when."""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantic_video.library import LineWords
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.query_language import Query, evaluate
from semantic_video.records import Cluster, Line, Moment, Scene, Span
from semantic_video.scene_retrieval import SceneRetriever
from semantic_video.semantic_clustering.names import load_kinds
from semantic_video.temporal_reasoning.presence import Presence, first_of
from semantic_video.temporal_reasoning.questions import Part
from semantic_video.word_search import WordHit, search_words

FloatArray = NDArray[np.float32]
Encode = Callable[[Sequence[str]], FloatArray]
"""Texts -> unit vectors [N, D] of the films' encoder."""

LEVEL = 0.5
"""From this probability on a scene counts as showing something."""

ALSO = 0.4
"""Where one scene of a film reaches `LEVEL`, others count from this probability on.

What a film shows for certain, it probably shows where it is less certain, too: the two thresholds
of Canny, "A computational approach to edge detection" (1986).
"""

# Clusters at least this alike show one subject.
_ONE_SUBJECT = 0.8
# A kind at least this like the one that is asked for is the same.
_ONE_KIND = 0.8
_NUMBER = re.compile(r"\s\d+$")
_PERSON = re.compile(
    r"\b(?:persons?|people|m[ae]n|wom[ae]n|boys?|girls?|child|children|baby|babies|toddlers?|"
    r"teenagers|couple|family|twins|bride|groom|crowd|friends|someone|faces?|actors?|singers?|"
    r"dancers?|players?|soldiers?|officers?|surfers?|cyclists?|riders?|boxers?|teachers?|workers?)\b",
    re.IGNORECASE,
)
_MAIN = re.compile(
    r"^(?:the\s+)?(?:main|central|leading)\s+(?:character|person|subject|figure|hero|protagonist|"
    r"actor|thing)$|^(?:the\s+)?(?:hero|protagonist)$",
    re.IGNORECASE,
)
_LIVING = ("a person", "a face", "an animal", "a cartoon character", "people")
_SETTING = ("a landscape", "an empty room", "text on a screen", "a building", "the sky")
_ARTICLE = re.compile(r"^(?:a|an|the|any|some|all\s+the|every)\s+", re.IGNORECASE)


@dataclass(frozen=True, eq=False)
class Film:
    """One film of the library, with what is remembered of it."""

    video: str
    """Its path, as moments name it."""
    duration_s: float
    memory: MemoryHierarchy
    lines: tuple[Line, ...] = ()

    @property
    def name(self) -> str:
        return Path(self.video).name

    @cached_property
    def scenes(self) -> tuple[Scene, ...]:
        return self.memory.scenes()

    @cached_property
    def clusters(self) -> tuple[Cluster, ...]:
        return self.memory.clusters()

    def span(self, part: Part | None) -> Span:
        """Where a part of the film lies; all of it for None."""
        if part is None:
            return Span(0.0, self.duration_s)
        if part.scenes:
            own = self.scenes[: part.scenes] if part.scenes > 0 else self.scenes[part.scenes :]
            return Span(own[0].start_s, own[-1].end_s)
        if not part.in_seconds:
            return Span(part.start * self.duration_s, part.end * self.duration_s)
        start_s, end_s = (
            max(0.0, self.duration_s + time_s) if time_s < 0 else time_s
            for time_s in (part.start, part.end)
        )
        if part.start == part.end:  # a point in time: the scene there
            # Times are written without fractions: 12:40 is also said of what begins at 12:40.7.
            meant_s = min(start_s + 0.999, max(start_s, self.duration_s - 0.001))
            for scene in self.scenes:
                if scene.start_s <= meant_s < scene.end_s:
                    return Span(scene.start_s, scene.end_s)
        return Span(start_s, min(end_s, self.duration_s))

    def lines_in(self, span: Span, kind: str | None = None) -> list[Line]:
        """What is said and written while a span lasts."""
        return [
            line
            for line in self.lines
            if kind in (None, line.kind) and line.start_s < span.end_s and line.end_s > span.start_s
        ]


class Evidence:
    """Everything that is known of some films, and the questions a plan can ask of it.

    Phrases are encoded once; ``encode`` makes vectors of the films' encoder, and ``vocabulary``
    (with its vectors [V, D]) are phrases that describe what films show.
    """

    def __init__(
        self,
        films: Sequence[Film],
        retriever: SceneRetriever,
        encode: Encode,
        vocabulary: Sequence[str],
        vocabulary_vectors: FloatArray,
        words: LineWords | None = None,
    ) -> None:
        self.films = {film.video: film for film in films}
        self._encode = encode
        self._vocabulary = tuple(vocabulary)
        self._vectors = vocabulary_vectors.astype(np.float32)
        self._words = words
        memories = {film.video: film.memory for film in films}
        self._presence = Presence(memories, retriever, self._vectors)
        self._known: dict[str, dict[str, tuple[Moment, ...]]] = {}
        self._encoded: dict[str, FloatArray] = {}

    def vector(self, text: str) -> FloatArray:
        """The unit vector [D] of a text."""
        if text not in self._encoded:
            self._encoded[text] = self._encode([text])[0]
        return self._encoded[text]

    def scenes(self, phrase: str) -> Mapping[str, tuple[Moment, ...]]:
        """Of each film, every scene in order of time, with the probability that it shows this.

        "The main character", and the name of a cluster, stand for the scenes of that cluster.
        """
        if phrase not in self._known:
            shown = self._presence.scenes(self.vector(phrase))
            for video, film in self.films.items():
                named = self._named(film, phrase)
                if named:
                    shown[video] = tuple(
                        replace(moment, probability=1.0 if moment.cluster in named else 0.0)
                        for moment in shown[video]
                    )
            self._known[phrase] = shown
        return self._known[phrase]

    def find(self, query: Query, film: Film, part: Part | None = None) -> list[Moment]:
        """The moments of a query of the query language in one film, in order of time.

        Only those that count (see `LEVEL`, `ALSO`), in a part of the film where one is asked for.
        """
        span = film.span(part)

        def candidates(phrase: str, videos: Collection[str]) -> dict[str, Sequence[Moment]]:
            shown = self.scenes(phrase)[film.video]
            there = any((moment.probability or 0.0) >= LEVEL for moment in shown)
            inside = [
                moment
                for moment in shown
                if there and span.start_s <= (moment.start_s + moment.end_s) / 2 < span.end_s
            ]
            return {film.video: inside}

        answer = evaluate(query, candidates, {film.video: film.duration_s}, level=ALSO, k=None)
        return sorted(answer.moments, key=lambda moment: moment.start_s) if answer.found else []

    def nearest(self, phrase: str, film: Film, part: Part | None = None) -> Moment | None:
        """The scene that shows a phrase best, however improbable."""
        return max(
            self._inside(phrase, film, part),
            key=lambda moment: (moment.probability or 0.0, moment.score),
            default=None,
        )

    def edge(
        self, phrase: str, film: Film, part: Part | None = None, last: bool = False
    ) -> Moment | None:
        """The scene that is most probably the first that shows a phrase, or the last."""
        inside = self._inside(phrase, film, part)
        if last:
            inside.reverse()
        if not inside:
            return None
        return inside[first_of([moment.probability or 0.0 for moment in inside])]

    def _inside(self, phrase: str, film: Film, part: Part | None) -> list[Moment]:
        """All scenes of a part of a film, in order, with the probability that they show this."""
        span = film.span(part)
        return [
            moment
            for moment in self.scenes(phrase)[film.video]
            if moment.start_s < span.end_s and moment.end_s > span.start_s
        ]

    def film_for(self, phrases: Sequence[str]) -> Film:
        """The film in which the least probable of these phrases is most probable."""

        def surely(film: Film) -> float:
            best = [self.nearest(phrase, film) for phrase in phrases]
            return min((moment.probability or 0.0 for moment in best if moment), default=0.0)

        return max(self.films.values(), key=surely)

    def subject(self, film: Film, phrase: str) -> frozenset[int]:
        """The clusters that a phrase names, empty where it is a description."""
        return self._named(film, phrase)

    def main_subject(self, film: Film) -> frozenset[int]:
        """The recurring subject with most screen time: a cluster, and those that look the same.

        Of what recurs, people, animals and characters come before places and text.
        """
        living = self._encode_all(_LIVING)
        setting = self._encode_all(_SETTING)
        centroids = film.memory.cluster_vectors
        alive = (centroids @ living.T).max(axis=1) > (centroids @ setting.T).max(axis=1)
        alike = centroids @ centroids.T >= _ONE_SUBJECT
        seconds = np.array([cluster.total_s for cluster in film.clusters])
        together = alike @ seconds
        recurs = np.array(
            [
                sum(len(film.clusters[other].occurrences) for other in np.flatnonzero(alike[own]))
                > 1
                for own in range(len(centroids))
            ]
        )
        for eligible in (alive & recurs, recurs, np.ones_like(recurs)):
            if eligible.any():
                seed = int(np.argmax(np.where(eligible, together, -1.0)))
                return frozenset(np.flatnonzero(alike[seed]).tolist())
        return frozenset()

    def clusters_of_kind(self, film: Film, kind: str) -> frozenset[int]:
        """The clusters whose names are of a kind, as "animals": rather than of any other kind."""
        names = [_NUMBER.sub("", name) for name in film.memory.names]
        if kind == "people":
            return frozenset(i for i, name in enumerate(names) if _PERSON.search(name))
        asked = self.vector(kind)
        kinds = self._encode_all(load_kinds())
        rivals = kinds[kinds @ asked < _ONE_KIND]
        words = np.concatenate([self._vectors, self._encode_all(names)])
        fits = words @ np.concatenate([asked[None], rivals]).T
        fits -= fits.mean(axis=0)  # some kinds are like everything
        best = np.argmax(fits[len(self._vectors) :], axis=1) == 0
        return frozenset(np.flatnonzero(best & (fits[len(self._vectors) :, 0] > 0)).tolist())

    def words_for(self, film: Film, moments: Sequence[Moment], count: int = 3) -> list[str]:
        """What sets these scenes apart: words that fit them better than the rest of the film."""
        scenes = self._presence.scenes_of(film.video)
        rows = np.unique([scenes.row_at((moment.start_s + moment.end_s) / 2) for moment in moments])
        fits = scenes.words[rows].mean(axis=0) - scenes.words.mean(axis=0)
        chosen: list[int] = []
        for word in np.argsort(-fits, kind="stable").tolist():
            if len(chosen) == count or fits[word] <= 0:
                break
            if all(self._vectors[word] @ self._vectors[other] < 0.7 for other in chosen):
                chosen.append(word)
        return [self._vocabulary[word] for word in chosen]

    def contrast(self, film: Film, texts: Sequence[str]) -> FloatArray:
        """How much better each scene [S] fits each text [T] than the film's scenes do on average.

        In standard deviations: texts differ in how like everything they are.
        """
        scenes = self._presence.scenes_of(film.video)
        likeness = scenes.vectors @ np.stack([self.vector(text) for text in texts]).T
        spread = np.maximum(likeness.std(axis=0), 1e-6)
        standing: FloatArray = (likeness - likeness.mean(axis=0)) / spread
        return standing

    def fit(self, film: Film, moments: Sequence[Moment], texts: Sequence[str]) -> FloatArray:
        """How much better the scenes of these moments fit each text [T] than the film does, [T].

        A difference of likenesses; not in standard deviations as in `contrast`, which make much of
        a text that is like nothing in the film.
        """
        scenes = self._presence.scenes_of(film.video)
        inside = np.zeros(len(scenes.start_s), bool)
        for moment in moments:
            inside[scenes.row_at(moment.start_s) : scenes.row_at(moment.end_s - 0.01) + 1] = True
        likeness = scenes.vectors @ np.stack([self.vector(text) for text in texts]).T
        fits: FloatArray = likeness[inside].mean(axis=0) - likeness.mean(axis=0)
        return fits

    def said(self, text: str, film: Film, kind: str | None = None) -> list[WordHit]:
        """Where words are said or written in a film, the most probable first."""
        if self._words is None:
            return []
        return [
            hit
            for hit in search_words(self._words, text)
            if hit.video == film.video and kind in (None, hit.signal)
        ]

    def _named(self, film: Film, phrase: str) -> frozenset[int]:
        if _MAIN.match(phrase.strip()):
            return self.main_subject(film)
        plain = _ARTICLE.sub("", phrase.strip()).casefold()
        return frozenset(
            cluster.id
            for cluster in film.clusters
            # Other names out of the vocabulary are guesses of ours.
            if _ARTICLE.sub("", cluster.name).casefold() == plain
            and (cluster.named_by == "user" or cluster.name not in self._vocabulary)
        )

    def _encode_all(self, texts: Sequence[str]) -> FloatArray:
        return np.stack([self.vector(text) for text in texts])
