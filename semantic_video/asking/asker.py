"""A request put to the memories of some films."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numpy.typing import NDArray

from semantic_video.asking.composition import FloatArray, composed, refined, unit
from semantic_video.asking.filters import scopes
from semantic_video.asking.request import Part, Request, split_moment, with_vector
from semantic_video.asking.spread import spread_out
from semantic_video.encoders import ImageTextEncoder
from semantic_video.errors import QueryError
from semantic_video.library import Mark
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.queries import encode_queries
from semantic_video.query_language import Every, Query, Term, evaluate, parse
from semantic_video.records import Moment, Scope, Span, Theme
from semantic_video.scene_retrieval import Asked, Moments, SceneRetriever, occurrence_level
from semantic_video.signal_fusion import PictureWithin, Signal, fuse
from semantic_video.word_search import WordHit

if TYPE_CHECKING:
    from semantic_video.adapted_search import AdaptedRetriever

    Retriever = SceneRetriever | AdaptedRetriever

# A scope needs a length, also where a line has none.
_LEAST_S = 0.1
_SAMPLE = 2000
"""So many entries tell how far apart the scores of a summand lie."""


class _Sought(NamedTuple):
    """What to look for, what to listen for, what the vector was made from, who looks, and which
    moments were called wrong."""

    vector: FloatArray
    heard: str
    asked: Asked
    retriever: Retriever
    wrong: tuple[Mark, ...] = ()

    def accepts(self, moment: Moment) -> bool:
        """Whether nobody called this moment wrong."""
        return not any(
            mark.video == moment.video and (_amid(mark, moment) or _amid(moment, mark))
            for mark in self.wrong
        )


@dataclass(frozen=True, slots=True)
class Film:
    """One of the films that are searched."""

    memory: MemoryHierarchy
    recorded_at: str | None = None
    """ISO 8601, when its recording began."""

    @property
    def duration_s(self) -> float:
        return self.memory.scenes()[-1].end_s

    @property
    def cluster_names(self) -> Sequence[str]:
        return self.memory.names

    @property
    def themes(self) -> Sequence[Theme]:
        return self.memory.themes()


@dataclass(frozen=True, slots=True)
class StoredFilm:
    """One of very many films that are searched: its memory is loaded when it is looked at."""

    load: Callable[[], MemoryHierarchy]
    duration_s: float
    cluster_names: Sequence[str]
    recorded_at: str | None = None

    @property
    def memory(self) -> MemoryHierarchy:
        return self.load()

    @property
    def themes(self) -> Sequence[Theme]:
        return self.memory.themes()


class Asker:
    """Answers requests from films, all made with the same encoder.

    Args:
        encoder: the encoder of all the films.
        films: by the name that moments call them.
        retriever: searches these films.
        memory_of: the memory of a film that somebody names, also one that is not searched; None
            where there is none.
        default_k: how many moments a request that does not say gets.
        hits_of: where in these films a phrase is said or written.
        alike: searches these films for what pictures show as trained experts see it; gives None
            where there are none.
    """

    def __init__(
        self,
        encoder: ImageTextEncoder,
        films: Mapping[str, Film] | Mapping[str, StoredFilm],
        retriever: SceneRetriever,
        memory_of: Callable[[str], MemoryHierarchy | None],
        default_k: int = 10,
        hits_of: Callable[[str], Sequence[WordHit]] = lambda phrase: (),
        alike: Callable[[], AdaptedRetriever | None] = lambda: None,
    ) -> None:
        self._encoder = encoder
        self._films = films
        self._retriever = retriever
        self._memory_of = memory_of
        self._default_k = default_k
        self._hits_of = hits_of
        self._alike = cache(alike)
        self._texts: dict[str, FloatArray] = {}

    @property
    def model(self) -> str:
        """The fingerprint of the encoder."""
        return self._encoder.fingerprint

    def learn(self, vectors: Mapping[str, FloatArray]) -> None:
        """Vectors of phrases that were encoded already."""
        self._texts.update(vectors)

    def answer(self, request: Request) -> Moments:
        """The moments that a request asks for.

        Raises:
            QueryError: it asks for nothing, or for what cannot be.
        """
        if "picture" not in request.signals and not any(request.phrases()):
            raise QueryError(
                "a picture or moment is found in pictures: take --in speech or text away, or ask "
                "with words"
            )
        where = scopes(request.filters, self._films)
        answer = self._answer(request, where)
        answer.searched = len(self._films if where is None else where)
        return answer

    def _answer(self, request: Request, where: Mapping[str, Scope] | None) -> Moments:
        query = parse(request.text, request.plain) if request.text.strip() else Term("")
        if not isinstance(query, Term):
            if request.parts or request.marks:
                raise QueryError(
                    "a query over time takes no --plus, --minus, pictures or marks: put the words "
                    "in quotes inside the query, or use --plain for a phrase"
                )
            return self._over_time(request, query, where)
        sought = self._sought(request)
        if request.every:
            return self._over_time(request, Every(query), where, {query.text: sought})
        k = request.k or self._default_k
        if not request.spread:
            return self._found(sought, request, where, k)
        best = self._found(sought, request, where, 1)
        moments = self._candidates(sought, request.signals, where)
        spread = spread_out(moments, self._durations, k)
        return Moments(request.label(), spread, best.found, perhaps=best.perhaps)

    def chance(self, phrase: str) -> tuple[NDArray[np.float64], float] | None:
        """What scores mean for a phrase, see `SceneRetriever.chance`."""
        return self._retriever.chance(self._text(phrase))

    def with_vectors(self, request: Request) -> Request:
        """The request with what its pictures and moments look like, so that it can be kept."""
        parts = tuple(
            part if part.kind == "text" else with_vector(part, self._vector_of(part), self.model)
            for part in request.parts
        )
        return replace(request, parts=parts)

    def mark(self, video: str, span: Span, right: bool) -> Mark:
        """A moment called right or wrong."""
        vector = self._look_of(video, span)
        return Mark(video, span.start_s, span.end_s, right, self._encoder.fingerprint, vector)

    def vector(self, request: Request) -> FloatArray:
        """The unit vector [D] of a phrase, its parts and its marks."""
        summands = []
        if request.text.strip():
            summands.append((self._text(request.text), 1.0))
        summands += [(self._vector_of(part), part.weight) for part in request.parts]
        if not any(weight > 0 for _, weight in summands):
            raise QueryError("say what to find as well: a phrase, --image, --like or --plus")
        query = composed(summands, self._sample)
        if not request.marks:
            return query
        right, wrong = (
            np.array(
                [self._marked(mark) for mark in request.marks if mark.right is side],
                dtype=np.float32,
            ).reshape(-1, len(query))
            for side in (True, False)
        )
        return refined(query, right, wrong, self._sample)

    def _retriever_for(self, request: Request) -> Retriever:
        """Experts look at pictures and moments; words are compared with vectors as they are."""
        pictures = all(part.kind != "text" for part in request.parts)
        if request.text.strip() or request.marks or not pictures:
            return self._retriever
        return self._alike() or self._retriever

    def _sought(self, request: Request) -> _Sought:
        """What to look and listen for, for a phrase, its parts and its marks."""
        # Words say what a phrase says, not what pictures, sums and marks make of it.
        heard = "" if request.parts or request.marks else request.text
        said = bool(request.text.strip()) or any(part.kind == "text" for part in request.parts)
        seen = any(part.kind != "text" for part in request.parts)
        seen = seen or any(mark.right for mark in request.marks)
        asked: Asked = "text" if not seen else "both" if said else "picture"
        wrong = tuple(mark for mark in request.marks if not mark.right)
        retriever = self._retriever_for(request)
        return _Sought(self.vector(request), heard, asked, retriever, wrong)

    def _found(
        self, sought: _Sought, request: Request, where: Mapping[str, Scope] | None, k: int
    ) -> Moments:
        """What pictures show and words say, merged."""
        hits = self._hits(sought.heard, where)
        # Moments may fall away that overlap with what words found, or were called wrong.
        more = len(hits) + len(sought.wrong)
        pictures = sought.retriever.search(
            sought.vector, request.label(), k + more, request.exact, where, sought.asked
        )
        accepted = [moment for moment in pictures if sought.accepts(moment)]
        if len(accepted) < len(pictures):
            found, perhaps = self._retriever.thresholds(where, sought.asked)
            best = max((moment.probability or 0.0 for moment in accepted[:1]), default=-1.0)
            pictures = Moments(
                pictures.query, accepted, found=best >= found, perhaps=best >= perhaps
            )
        return fuse(pictures, hits, self._shown_within(sought, where), k, request.signals)

    def _candidates(
        self,
        sought: _Sought,
        signals: Collection[Signal],
        where: Mapping[str, Scope] | None,
    ) -> Sequence[Moment]:
        """Every candidate moment, by pictures and by words, best first."""
        found = sought.retriever.candidates(sought.vector, where, sought.asked)
        moments = [moment for moment in found if sought.accepts(moment)]
        hits = self._hits(sought.heard, where)
        pictures = Moments(sought.heard, moments, bool(moments))
        return fuse(
            pictures, hits, self._shown_within(sought, where), len(moments) + len(hits), signals
        )

    def _hits(self, heard: str, where: Mapping[str, Scope] | None) -> list[WordHit]:
        """Where a phrase is said or written, within where to look."""
        hits = self._hits_of(heard) if heard else ()
        if where is None:
            return list(hits)
        kept = []
        for hit in hits:
            scope = where.get(hit.video)
            if scope is not None:
                start_s, end_s = max(hit.start_s, scope.start_s), min(hit.end_s, scope.end_s)
                if end_s >= start_s and end_s - start_s >= scope.min_length_s:
                    kept.append(replace(hit, start_s=start_s, end_s=end_s))
        return kept

    def _shown_within(self, sought: _Sought, where: Mapping[str, Scope] | None) -> PictureWithin:
        """What pictures show of a query while words are said."""

        def best(video: str, span: Span) -> Moment | None:
            clusters = where[video].clusters if where is not None else None
            scope = Scope(span.start_s, max(span.end_s, span.start_s + _LEAST_S), clusters)
            found = self._retriever.search(
                sought.vector, "", 1, exact=True, scope={video: scope}, asked=sought.asked
            )
            return next(iter(found), None)

        return best

    def _over_time(
        self,
        request: Request,
        query: Query,
        where: Mapping[str, Scope] | None,
        known: Mapping[str, _Sought] = MappingProxyType({}),
    ) -> Moments:
        """The answer to a query of the language; ``known`` is what to seek for some phrases."""
        spans: dict[str, Span] = {}
        for name, film in self._films.items():
            scope = Scope() if where is None else where.get(name)
            if scope is not None and scope.start_s < film.duration_s:
                spans[name] = Span(max(0.0, scope.start_s), min(film.duration_s, scope.end_s))
        # The length that is asked for is that of the answer, not of what it is made of.
        loose = where and {name: replace(own, min_length_s=0.0) for name, own in where.items()}

        probabilities: dict[str, list[float]] = {}

        def candidates(phrase: str, videos: Collection[str]) -> dict[str, list[Moment]]:
            scope = {name: loose[name] if loose else Scope() for name in videos}
            found: dict[str, list[Moment]] = {name: [] for name in videos}
            sought = known.get(phrase) or _Sought(
                self._text(phrase), phrase, "text", self._retriever
            )
            for moment in self._candidates(sought, request.signals, scope):
                found[moment.video].append(moment)
            probabilities.setdefault(phrase, []).extend(
                moment.probability or 0.0 for own in found.values() for moment in own
            )
            return found

        k = request.k or self._default_k
        wider = request.spread or request.filters.min_length_s > 0
        asked: Asked = next((sought.asked for sought in known.values()), "text")
        level, looser = self._retriever.thresholds(where, asked)

        def level_of(phrase: str) -> float:
            return occurrence_level(probabilities[phrase], level)

        answer = evaluate(query, candidates, spans, level=level_of, k=None if wider else k)
        moments: Iterable[Moment] = [
            moment
            for moment in answer.moments
            if moment.end_s - moment.start_s >= request.filters.min_length_s
        ]
        everything = answer.value is not None or isinstance(query, Every)
        if request.spread:
            moments = spread_out(list(moments), self._durations, k)
        elif wider and not everything:
            moments = list(moments)[:k]
        return Moments(
            request.label(),
            tuple(moments),
            answer.found,
            answer.value,
            complete=isinstance(query, Every),
            perhaps=any((moment.probability or 0.0) >= looser for moment in answer.moments[:1]),
        )

    def _text(self, text: str) -> FloatArray:
        if text not in self._texts:
            self._texts[text] = encode_queries(self._encoder, [text])[0]
        vector: FloatArray = self._texts[text]
        return vector

    def _vector_of(self, part: Part) -> FloatArray:
        """The unit vector [D] of one part."""
        if part.kind == "text":
            return self._text(part.source)
        if part.vector is not None and part.model == self._encoder.fingerprint:
            return np.array(part.vector, dtype=np.float32)
        if part.kind == "image":
            from semantic_video.utils.images import read_image

            return self._seen(read_image(part.source))
        named = split_moment(part.source)
        assert named is not None, part
        film, time_s = named
        memory = self._memory_of(film)
        if memory is not None:
            return look_at(memory, time_s)
        return self._seen(_frame(Path(film), time_s))

    def _seen(self, picture: NDArray[np.uint8]) -> FloatArray:
        vector: FloatArray = self._encoder.encode_images([picture])[0]
        return vector

    def _marked(self, mark: Mark) -> FloatArray:
        if mark.model == self._encoder.fingerprint:
            return mark.vector
        return self._look_of(mark.video, Span(mark.start_s, mark.end_s))

    def _look_of(self, video: str, span: Span) -> FloatArray:
        memory = self._films[video].memory if video in self._films else self._memory_of(video)
        if memory is None:
            raise QueryError(
                f"{video} is no longer in the library, and the moment marked in it was seen by "
                "another model: index it again, or save the query anew"
            )
        return look_of(memory, span)

    @property
    def _durations(self) -> dict[str, float]:
        return {name: film.duration_s for name, film in self._films.items()}

    @cached_property
    def _sample(self) -> FloatArray:
        """Entry vectors [N, D] of all films, evenly chosen."""
        return self._retriever.sample(_SAMPLE)


def look_of(memory: MemoryHierarchy, span: Span) -> FloatArray:
    """The unit vector [D] of what a film shows in a span: its frames there, or the nearest."""
    times = memory.entries.exemplar_times
    inside = (times >= span.start_s) & (times < span.end_s)
    if not inside.any():
        return look_at(memory, (span.start_s + span.end_s) / 2)
    return unit(memory.entries.exemplar_vectors[inside].astype(np.float32).mean(axis=0))


def look_at(memory: MemoryHierarchy, time_s: float) -> FloatArray:
    """The unit vector [D] of what a film shows at a time: the nearest frame of that scene.

    Raises:
        QueryError: the film is over by then.
    """
    entries = memory.entries
    for entry, spans in enumerate(entries.entry_spans):
        for span in spans:
            if span.start_s <= time_s < span.end_s:
                rows = np.arange(len(entries.exemplar_times))[entries.exemplar_rows(entry)]
                near = rows[
                    (entries.exemplar_times[rows] >= span.start_s)
                    & (entries.exemplar_times[rows] < span.end_s)
                ]
                if not len(near):
                    return unit(entries.entry_vectors[entry].astype(np.float32))
                best = near[np.argmin(np.abs(entries.exemplar_times[near] - time_s))]
                return unit(entries.exemplar_vectors[best].astype(np.float32))
    end_s = memory.scenes()[-1].end_s
    raise QueryError(f"the film has {end_s:.1f} s, and {time_s:.1f} s is beyond its end")


def _frame(path: Path, time_s: float) -> NDArray[np.uint8]:
    """The picture of a film, which the library does not hold, at a time."""
    from semantic_video.errors import VideoError
    from semantic_video.utils.video_utils import Plan, VideoReader

    try:
        with VideoReader(path) as reader:
            shown = None
            for frame in reader.frames(Plan.all([Span(max(0.0, time_s - 1), time_s + 1)])):
                if shown is not None and frame.time_s > time_s:
                    break
                shown = frame.rgb()
    except VideoError as error:
        raise QueryError(f"{error}; or name a film of the library, see `list`") from error
    if shown is None:
        raise QueryError(f"{path} shows nothing at {time_s:.1f} s")
    return shown


def _amid(one: Mark | Moment, other: Mark | Moment) -> bool:
    """Whether the middle of one lies in the other."""
    return other.start_s <= (one.start_s + one.end_s) / 2 < other.end_s
