"""One video, from file to answers: the promised API, in the order in which the data flows."""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from semantic_video import editing
from semantic_video.adapted_search import AdaptedRetriever, adapted_retriever
from semantic_video.answering import language_model, notice, reasoner_for
from semantic_video.asking import Asker, Film, Filters, Part, Request, part_of
from semantic_video.config import Config, load_config
from semantic_video.encoders import ImageTextEncoder, load_encoder
from semantic_video.errors import QueryError
from semantic_video.indexer import IndexReport, Note, VideoIndexer
from semantic_video.library import Library, LineWords, VideoRecord
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.queries import caption_from_query
from semantic_video.records import Answer, Moment, Span
from semantic_video.scene_retrieval import Moments, References, SceneRetriever
from semantic_video.temporal_reasoning import TemporalReasoner
from semantic_video.watching import SceneSeen, StreamingMemory
from semantic_video.word_search import WordHit, search_words

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from semantic_video.moe_experts.adapt import Objective
    from semantic_video.moe_experts.training_report import ExpertsReport
    from semantic_video.perception import Progress
    from semantic_video.scene_stream import StreamFrame

DEFAULT_NUM_CLUSTERS = 10
"""In Python, where neither the caller nor a configuration says; the command line uses auto."""


class SemanticVideoProcessor:
    """Gives one video a memory, and answers from it.

    Args:
        video_path: the film.
        num_clusters: how many semantic clusters, or "auto"; default as configured, else 10.
        memory_size: at most so many entries are kept; default as configured (1000).
        clustering_method: "kmeans", "spectral", "hdbscan" or "agglomerative"; default as
            configured ("kmeans").
        seed: makes clustering repeatable; default as configured (0).
        model: name of the image-text encoder; default as configured ("lite").
        compression: "experts" keeps codes in place of vectors where that takes fewer bytes, "none"
            vectors; default as configured ("none").
        library: where the index lies: a directory, or an open library; default as configured.
        config: options, or a YAML file with some; see ``configs/default_config.yaml``.
        progress: called as ``progress(stage, done_s, total_s)`` while the film is watched.
        note: called with a line for the user, for instance when another program holds the library.

    Raises:
        ConfigError: an option that cannot be.
        LibraryError: the library cannot be opened or made.
    """

    def __init__(
        self,
        video_path: str | Path,
        num_clusters: int | Literal["auto"] | None = None,
        memory_size: int | None = None,
        clustering_method: str | None = None,
        *,
        seed: int | None = None,
        model: str | None = None,
        compression: Literal["none", "experts"] | None = None,
        library: str | Path | Library | None = None,
        config: Config | str | Path | None = None,
        progress: Progress | None = None,
        note: Note | None = None,
    ) -> None:
        options = config if isinstance(config, Config) else load_config(config)
        if num_clusters is None and "clustering.num_clusters" not in options.given:
            num_clusters = DEFAULT_NUM_CLUSTERS
        given: dict[str, dict[str, Any]] = {
            "encoder": {"model": model},
            "clustering": {
                "num_clusters": num_clusters,
                "method": clustering_method,
                "seed": seed,
            },
            "memory": {"memory_size": memory_size, "compression": compression},
        }
        self.config = options.override(
            {
                section: {name: value for name, value in values.items() if value is not None}
                for section, values in given.items()
            },
            source="SemanticVideoProcessor",
        )
        self.video_path = Path(video_path)
        self._encoder: ImageTextEncoder = load_encoder(
            self.config.encoder.model,
            threads=self.config.encoder.threads,
            device=self.config.encoder.device,
        )
        self._library = (
            library
            if isinstance(library, Library)
            else Library(library or self.config.library, create=True)
        )
        self._note: Note = note or (lambda line: None)
        self._indexer = VideoIndexer(
            self.video_path, self.config, self._encoder, self._library, progress, note
        )
        self._stream: StreamingMemory | None = None
        self._progress: Progress = progress or (lambda stage, done_s, total_s: None)
        self._memory: MemoryHierarchy | None = None
        self._asker: Asker | None = None
        self._words: LineWords | None = None
        self._reasoner: TemporalReasoner | None = None
        self._experts: bytes | None = None

    def __repr__(self) -> str:
        state = repr(self._memory) if self._memory is not None else "no memory built yet"
        return f"SemanticVideoProcessor({str(self.video_path)!r}): {state}"

    def _repr_html_(self) -> str:
        from semantic_video.utils.visualization.notebook import titled_html

        if self._memory is None:
            return titled_html(repr(self), "")
        return titled_html(
            f"SemanticVideoProcessor({str(self.video_path)!r})", self._memory._repr_html_()
        )

    def build_semantic_memory(self) -> MemoryHierarchy:
        """The video's memory; the film is watched only where the library does not hold it yet.

        What the library holds is never changed behind the user's back: this processor's clustering
        is found there, or made and kept beside the one that the command line uses. Where the video
        was indexed with a smaller budget, the entries that are left are used. Where it was indexed
        with another model or other scenes, the film is watched for this processor alone and
        nothing is kept (``index`` replaces what the library holds).

        Raises:
            VideoError: the film cannot be read.
            LibraryError: the library cannot be read or written.
        """
        if self._stream is not None and self._stream.stream.scenes:
            self._memory = self._stream.memory()
        else:
            self._memory = self._indexer.memory()
        self._words = None
        self._asker = self._asker_of(self._memory)
        self._reasoner = None
        return self._memory

    def _asker_of(self, memory: MemoryHierarchy) -> Asker:
        name, options = str(self.video_path), self.config.retrieval
        references = References.of(self._encoder, self._library.cached_array)
        retriever = SceneRetriever([(name, memory)], options, references)
        films = {name: Film(memory)}
        return Asker(
            self._encoder,
            films,
            retriever,
            self._memory_of,
            options.k,
            self._hits_of,
            alike=self._alike,
        )

    def _hits_of(self, phrase: str) -> list[WordHit]:
        """Where a phrase is said or written in the film, as far as the library knows."""
        if self._words is None:
            record = self._indexer.known() if self._stream is None else None
            self._words = self._library.line_words([record.id] if record else [])
        return [
            replace(hit, video=str(self.video_path))
            for hit in search_words(self._words, caption_from_query(phrase))
        ]

    def query_semantic_memory(
        self,
        query: str | Request = "",
        k: int | None = None,
        exact: bool = False,
        *,
        image: str | Path | None = None,
        like: str | float | Moment | None = None,
        plus: str | Sequence[str] = (),
        minus: str | Sequence[str] = (),
        right: Iterable[Moment] = (),
        wrong: Iterable[Moment] = (),
        filters: Filters | None = None,
        plain: bool = False,
        every: bool = False,
        spread: bool = False,
    ) -> Moments:
        """The moments that show what is asked for, best first; builds the memory if need be.

        Args:
            query: a phrase, or a query over time such as ``'"a dog" then "a cat"'``
                (``docs/query-language.md``); or a whole `Request`, and nothing else.
            k: at most so many moments; default as configured (10).
            exact: score every scene rather than those of the likely clusters.
            image: a picture to find.
            like: a moment to find more of: seconds of this film, ``FILM@TIME``, or a moment.
            plus: words, pictures or moments (``FILM@TIME``) to add, each with its weight if it
                is not 1: ``"at night*0.5"``.
            minus: the same, to take away.
            right: moments of an earlier answer that are right: more like these.
            wrong: moments of an earlier answer that are wrong: less like these.
            filters: where to look.
            plain: the query is a phrase, whatever its words.
            every: all moments that pass the threshold, however many.
            spread: moments far apart instead of neighbours.

        Raises:
            QueryError: the query is empty, cannot be read, or ``k`` is less than 1.
        """
        if isinstance(query, Request):
            if k is not None or image or like is not None or plus or minus or right or wrong:
                raise QueryError("a Request says all that is asked for: put k and the rest into it")
            return self._ready().answer(query)
        if not isinstance(query, str):
            raise QueryError(f"a query is text or a Request, not {query!r}")
        if k is not None and (not isinstance(k, int) or k < 1):
            raise QueryError(f"k={k}: ask for a whole number of moments, at least 1 moment")
        marked = [(moment, side) for own, side in ((right, True), (wrong, False)) for moment in own]
        if any(not isinstance(moment, Moment) for moment, _ in marked):
            raise QueryError("right and wrong take moments of an earlier answer: right=[answer[0]]")
        parts = [Part("image", str(image))] if image is not None else []
        if isinstance(like, Moment):
            like = (like.start_s + like.end_s) / 2
        if like is not None:
            named = like if isinstance(like, str) else f"{self.video_path}@{like}"
            parts.append(part_of(named, "moment"))
        for texts, sign in ((plus, 1), (minus, -1)):
            texts = [texts] if isinstance(texts, str) else texts
            parts += [part_of(text, sign=sign) for text in texts]
        if not query.strip() and not parts:
            raise QueryError('the query is empty; say what to find, for instance "a dog"')
        asker = self._ready()
        marks = [
            asker.mark(moment.video, Span(moment.start_s, moment.end_s), side)
            for moment, side in marked
        ]
        return asker.answer(
            Request(
                query,
                tuple(parts),
                tuple(marks),
                plain=plain,
                filters=filters or Filters(),
                k=k,
                exact=exact,
                every=every,
                spread=spread,
            )
        )

    def _ready(self) -> Asker:
        if self._asker is None:
            self.build_semantic_memory()
        assert self._asker is not None
        return self._asker

    def _alike(self) -> AdaptedRetriever | None:
        """This film as its experts see it, where they are trained and on."""
        assert self._memory is not None
        weights = self._experts or self._indexer.experts()
        film = (str(self.video_path), self._memory, weights)
        references = References.of(self._encoder, self._library.cached_array)
        return adapted_retriever([film], self.config.retrieval, references)

    def _memory_of(self, video: str) -> MemoryHierarchy | None:
        """The memory of this film; None for another one, whose frame is then decoded."""
        same = os.path.abspath(video) == os.path.abspath(self.video_path)
        return self._memory if same else None

    def reason_across_time(self, question: str, options: Sequence[str] = ()) -> Answer:
        """A short answer to a question about what happens in time, each sentence with its moments.

        Works without a language model; where the configuration names an endpoint (``llm.url``),
        its host goes to ``note`` and the model words what was found.

        Args:
            question: in plain English; may hold choices, "(A) ... (B) ...".
            options: the choices, where they are not in the question.

        Raises:
            QueryError: the question is empty, or has a single option.
            VideoError: the film cannot be read.
            LibraryError: the library cannot be read or written.
        """
        if self._reasoner is None:
            memory = self._memory or self.build_semantic_memory()
            record = self._indexer.known() if self._stream is None else None
            if record is None:  # a stream, of which the library holds nothing
                record = VideoRecord(
                    path=str(self.video_path),
                    name=self.video_path.name,
                    size=0,
                    mtime_ns=0,
                    fingerprint="",
                    duration_s=memory.scenes()[-1].end_s,
                )
            self._reasoner = reasoner_for(
                self.config, self._library, self._encoder, {record.id: record}, {record.id: memory}
            )
        model = language_model(self.config)
        if model is not None:
            self._note(notice(model, self.config.llm.images))
        return self._reasoner.ask(question, options, model, self.config.llm.images)

    def edit(
        self,
        *,
        merge: tuple[int, int] | None = None,
        split: int | None = None,
        rename: tuple[int, str] | None = None,
        together: tuple[int, int] | None = None,
        apart: tuple[int, int] | None = None,
        undo: bool = False,
    ) -> MemoryHierarchy:
        """Correct the clusters by hand, and keep that in the library; the memory afterwards.

        Exactly one of: ``merge`` two clusters, ``split`` one into the two parts that differ most,
        ``rename`` one, put two scenes ``together`` or ``apart``, or ``undo`` the last correction.
        Numbers are those of this processor's clustering. Corrections hold for every clustering of
        the film, also one made later with another number, method or seed.

        Raises:
            QueryError: there is no such cluster or scene, or the change makes no sense.
            LibraryError: the film is not in the library as this processor sees it, or the library
                cannot be written.
        """
        change = editing.one_change(merge, split, rename, together, apart, undo)
        self.build_semantic_memory()
        self._indexer.edit(change)
        return self.build_semantic_memory()

    def update(
        self, frames: Iterable[StreamFrame | tuple[float, NDArray[np.uint8]]]
    ) -> list[SceneSeen]:
        """Take the next frames of a video that need not end, in constant memory.

        ``frames`` are frames of a reader, or pairs of a time in seconds and an RGB picture uint8
        [H, W, 3], in order of time. Returns the scenes that closed meanwhile, each with what it
        returns from. Queries then go to what was seen so far, within the same budget; the library
        is left alone (`watch` on the command line publishes there).

        Raises:
            VideoError: a frame that lies before the one that came last, or is no such picture;
                those before it are taken.
        """
        from semantic_video.utils.video_utils.live import frame_of_picture

        if self._stream is None:
            self._stream = StreamingMemory(self.config, self._encoder, self._library)
        cover = self._encoder.input_size
        before = self._stream.stream.scenes
        try:
            return self._stream.update(
                frame_of_picture(frame[0], frame[1], cover) if isinstance(frame, tuple) else frame
                for frame in frames
            )
        finally:
            self._renew(self._stream.stream.scenes > before)

    def close_stream(self) -> list[SceneSeen]:
        """The video that `update` was given ends, or pauses: the scenes that were still open."""
        seen = [] if self._stream is None else self._stream.close()
        self._renew(bool(seen))
        return seen

    def _renew(self, added: bool) -> None:
        """Queries are to see the scenes that were added."""
        if added:
            self._memory = self._asker = self._reasoner = None

    def train_moe_experts(
        self,
        epochs: int = 30,
        objective: Objective = "recurrence",
        num_experts: int | None = None,
        top_k: int = 8,
        seed: int | None = None,
    ) -> ExpertsReport:
        """Train an expert for each cluster of this video, on its own memory, without labels.

        Two jobs are measured on blocks of time that were held out: *compress* (codes at a fraction
        of the bytes) and *adapt* (vectors refined to this video, for finding scenes by pictures).
        What does not improve on the identity is switched off, and the report says so. The experts
        are kept in the library with this processor's clustering.

        Args:
            epochs: gradient steps for the variant of adapt that descends; 0 tries the closed forms
                only.
            objective: what should be alike: "recurrence" (a category, at any time), "scene" (the
                frames of a scene) or "shotcol" (and the most alike scene nearby).
            num_experts: how many; default one a cluster.
            top_k: how many experts share a vector.
            seed: makes training repeatable; default this processor's.

        Raises:
            ConfigError: torch is not installed, or an option that cannot be.
            VideoError: the film has no memory yet and cannot be read.
            LibraryError: the library cannot be read or written.
        """
        from semantic_video.moe_experts.training import (
            TrainingOptions,
            require_torch,
            train_experts,
        )
        from semantic_video.vocabulary import vocabulary_vectors

        options = TrainingOptions(
            epochs,
            objective,
            num_experts,
            top_k,
            self.config.clustering.seed if seed is None else seed,
        )
        require_torch()
        memory = self._memory or self.build_semantic_memory()
        texts = vocabulary_vectors(self._encoder, self._library).astype(np.float32)
        record = self._indexer.known()
        film = record.id if record else ""
        report, trained = train_experts([memory], texts, options, self._progress, [film])
        self._experts = trained.to_bytes()
        self._indexer.keep_experts(self._experts)
        self._asker = self._asker_of(memory)  # the next query is answered with them
        return report

    def index(self) -> IndexReport:
        """Bring the library up to date with this film and these options.

        Only stages whose input changed run again, and those after them. The clustering made here
        becomes the active one.

        Raises:
            VideoError: the film cannot be read, or changed while it was read.
            LibraryError: the library cannot be read or written.
        """
        return self._indexer.index()
