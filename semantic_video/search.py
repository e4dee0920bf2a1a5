"""Searching a library: open it, load the encoder its videos were made with, ask.

Imports neither scikit-learn nor a video decoder for a query in words, so that a search from a
cold start feels instant; the text tower is loaded while the library is read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from semantic_video.asking import Asker, Film, Part, Request, StoredFilm
from semantic_video.config import Config
from semantic_video.encoders import BUILT_IN, ImageTextEncoder, load_encoder
from semantic_video.errors import EncoderError, LibraryError, QueryError
from semantic_video.library import LastSearch, Library, LineWords, SavedQuery, VideoRecord
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.packed_search import SearchPack
from semantic_video.queries import caption_from_query, encode_queries
from semantic_video.records import Span
from semantic_video.scene_retrieval import Moments, References, SceneRetriever
from semantic_video.signal_fusion import SIGNALS, Signal
from semantic_video.stored_memory import memory_from_stored, reinforced
from semantic_video.word_search import WordHit, search_words

if TYPE_CHECKING:
    from semantic_video.adapted_search import AdaptedRetriever


class Searcher:
    """Answers queries from the videos of a library, or from some of them.

    Args:
        config: options; says where the library lies.
        videos: paths, file names or ids; all videos if empty.
        note: called with a line for the user, for instance on a video whose index is damaged.
        ahead: phrases that will be asked for; they are encoded while the library is read.
        experts: whether pictures are compared by what trained experts make of them, where all the
            videos have such, and frames that are kept as codes scored from these; without, codes
            are decoded and searched as vectors are.

    Raises:
        LibraryError: no library, nothing in it, or no such video.
        EncoderError: the videos were indexed with an encoder that is not at hand, or with several.
    """

    def __init__(
        self,
        config: Config,
        videos: Sequence[str] = (),
        note: Callable[[str], None] = lambda line: None,
        experts: bool = True,
        ahead: Sequence[str] = (),
    ) -> None:
        self._config = config
        self._ahead = _Ahead(config, ahead)
        self._experts = experts
        self._note = note
        self._library = Library(config.library)
        records = self._library.videos()
        if not records:
            raise LibraryError(
                f"the library at {self._library.path} is empty: "
                "fill it with `semantic-video index PATH`"
            )
        # A search of a part has no pack: each part would be another.
        self._whole = not videos
        if videos:
            named = [self._library.resolve(video) for video in videos]
            records = list({record.id: record for record in named}.values())
        self._records = records
        self._encoder = self._matching_encoder()
        self._asker: Asker | None = None
        self._line_words: LineWords | None = None

    def by_texts(
        self,
        texts: Sequence[str],
        k: int | None = None,
        exact: bool = False,
        signals: Sequence[Signal] = SIGNALS,
    ) -> list[Moments]:
        """An answer for each text, in order; ``signals`` says what may find it."""
        return self.ask([Request(text, k=k, exact=exact, signals=tuple(signals)) for text in texts])

    def by_image(self, path: Path, k: int | None = None, exact: bool = False) -> Moments:
        """Moments that show what the picture at ``path`` shows.

        Raises:
            QueryError: the file is missing or not a picture.
        """
        return self.ask([Request(parts=(Part("image", str(path)),), k=k, exact=exact)])[0]

    def ask(self, requests: Sequence[Request]) -> list[Moments]:
        """An answer for each request, in order.

        Raises:
            QueryError: a request asks for nothing, or for what cannot be.
        """
        phrases = list(dict.fromkeys(phrase for own in requests for phrase in own.phrases()))
        with ThreadPoolExecutor(1) as beside:
            encoded = self._ahead.encoded(self._encoder, phrases)
            if encoded is None and phrases:
                encoded = beside.submit(encode_queries, self._encoder, phrases)
            asker = self.asker
            if encoded is not None:
                asker.learn(dict(zip(phrases, encoded.result(), strict=True)))
        answers = [asker.answer(request) for request in requests]
        if self._config.memory.reinforce:
            self._reinforce(answers)
        return answers

    def _reinforce(self, answers: Sequence[Moments]) -> None:
        """Count what was found first, so that it is kept longer."""
        for path, record in self.records.items():
            found = [
                answer[0].keyframe_s for answer in answers if answer and answer[0].video == path
            ]
            if found:
                now = self._library.resolve(record.id)
                memory = memory_from_stored(self._library.load(now.id), now)
                self._library.update(reinforced(now, memory, found), self._note)

    # Searches that build on others

    def saved(self, name: str) -> Request:
        """The request that was saved under a name.

        Raises:
            QueryError: there is none.
        """
        query = self._library.saved_query(name)
        return Request.from_dict(query.request, query.marks)

    def marked(self, right: Sequence[int], wrong: Sequence[int]) -> Request:
        """The last search with moments of it called right or wrong, by rank from 1.

        Raises:
            QueryError: there was no search, or it listed fewer moments.
        """
        last = self._library.last_search()
        if last is None:
            raise QueryError("there is no search to refine yet: run one, then mark its moments")
        both = sorted(set(right) & set(wrong))
        if both:
            raise QueryError(f"{both[0]} cannot be both right and wrong")
        marks = {(mark.video, mark.start_s, mark.end_s): mark for mark in last.marks}
        asker = self.asker
        for ranks, side in ((right, True), (wrong, False)):
            for rank in ranks:
                if not 1 <= rank <= len(last.moments):
                    raise QueryError(
                        f"there is no moment {rank}: the last search listed {len(last.moments)}"
                    )
                video, start_s, end_s = last.moments[rank - 1]
                mark = asker.mark(video, Span(start_s, end_s), side)
                marks[video, start_s, end_s] = mark
        return Request.from_dict(last.request, tuple(marks.values()))

    def remember(self, request: Request, answer: Moments, name: str | None = None) -> None:
        """Keep a search for the next to refine, and under a name if one is given."""
        request = self.asker.with_vectors(request)
        listed = tuple((moment.video, moment.start_s, moment.end_s) for moment in answer)
        self._library.remember_search(LastSearch(request.as_dict(), request.marks, listed))
        if name is not None:
            saved = SavedQuery(name, request.as_dict(), request.marks)
            self._library.save_query(saved, self._note)

    @property
    def records(self) -> dict[str, VideoRecord]:
        """The videos that are searched, by the name that moments call them."""
        return {record.path: record for record in self._records}

    @property
    def encoder(self) -> ImageTextEncoder:
        """The encoder that all of them were indexed with."""
        return self._encoder

    @property
    def asker(self) -> Asker:
        """What answers requests from these videos; their memories are loaded when first needed."""
        if self._asker is None:
            references = References.of(self._encoder, self._library.cached_array)
            pack = self._pack(references)
            films, retriever = (pack and pack.open()) or self._gathered(references, pack)
            self._asker = Asker(
                self._encoder,
                films,
                retriever,
                self._memory_of,
                self._config.retrieval.k,
                self._hits_of,
                lambda: self._alike(films, references),
            )
        return self._asker

    def _gathered(
        self, references: References, pack: SearchPack | None
    ) -> tuple[Mapping[str, Film], SceneRetriever]:
        """The films with their memories, and what searches them; fills a pack that is due."""
        damaged: list[LibraryError] = []

        def leave_out(record: VideoRecord, error: LibraryError) -> None:
            damaged.append(error)
            self._note(str(error))

        stored = self._library.load_many(
            [record.id for record in self._records], on_error=leave_out
        )
        if not stored:
            raise damaged[0]
        films = {
            record.path: Film(memory_from_stored(stored[record.id], record), record.recorded_at)
            for record in self._records
            if record.id in stored
        }
        retriever = SceneRetriever(
            [(path, film.memory) for path, film in films.items()],
            self._config.retrieval,
            references,
            self._experts,
        )
        if pack is not None and not damaged:
            self._note("preparing this large library for faster searches, once after each change")
            pack.keep(retriever)
        return films, retriever

    def _pack(self, references: References) -> SearchPack | None:
        """The pack of the library, made or not; None where the library is too small for one."""
        options = self._config.retrieval
        if not self._whole or sum(r.scenes for r in self._records) <= options.pack_above_scenes:
            return None
        if not self._experts and any(record.coder for record in self._records):
            return None  # which would hold codes
        return SearchPack(
            self._library, self._records, self._encoder.fingerprint, options, references
        )

    def _alike(
        self, films: Mapping[str, Film] | Mapping[str, StoredFilm], references: References
    ) -> AdaptedRetriever | None:
        """The films as their experts see them, where all have experts that are on."""
        if not self._experts:
            return None
        ids = {record.path: record.id for record in self._records if record.path in films}
        weights = self._library.experts(ids.values())
        if len(weights) < len(films):  # without loading what nobody will look at
            return None
        from semantic_video.adapted_search import adapted_retriever

        return adapted_retriever(
            [(path, film.memory, weights.get(ids[path])) for path, film in films.items()],
            self._config.retrieval,
            references,
        )

    def _hits_of(self, phrase: str) -> list[WordHit]:
        """Where a phrase is said or written."""
        if self._line_words is None:
            self._line_words = self._library.line_words([record.id for record in self._records])
        paths = {record.id: record.path for record in self._records}
        return [
            replace(hit, video=paths[hit.video])
            for hit in search_words(self._line_words, caption_from_query(phrase))
        ]

    def _memory_of(self, video: str) -> MemoryHierarchy | None:
        """The memory of a film that somebody names; None for a file that is not in the library."""
        try:
            record = self._library.resolve(video)
        except LibraryError as error:
            if Path(video).is_file():
                return None
            raise QueryError(str(error)) from error
        if record.model_fingerprint != self._encoder.fingerprint:
            raise EncoderError(
                f"{record.name} was indexed with another model than what is searched"
            )
        return memory_from_stored(self._library.load(record.id), record)

    def _matching_encoder(self) -> ImageTextEncoder:
        """The encoder that all the videos were indexed with."""
        models = {record.model_id for record in self._records}
        if len(models) > 1:
            raise EncoderError(
                f"the videos were indexed with different models ({', '.join(sorted(models))}), "
                "whose scores do not compare: name videos of one with --video, or index them "
                "again with one --model"
            )
        options = self._config.encoder
        model = models.pop()
        encoder = self._ahead.encoder
        if encoder is None or model != options.model:
            encoder = load_encoder(model, threads=options.threads, device=options.device)
        for record in self._records:
            if record.model_fingerprint != encoder.fingerprint:
                raise EncoderError(
                    f"{record.name} was indexed with another version of {encoder.model_id!r}: "
                    "run `semantic-video index` on it again, or install the version it was made "
                    "with"
                )
        return encoder


class _Ahead:
    """Phrases that are encoded by the model that is configured, most likely that of the library,
    while the library is opened, which says whether it is: a third of a short search."""

    def __init__(self, config: Config, phrases: Sequence[str]) -> None:
        self.encoder: ImageTextEncoder | None = None
        self._phrases = list(phrases)
        self._encoded: Future[NDArray[np.float32]] | None = None
        options = config.encoder
        if options.model == BUILT_IN and self._phrases:
            self.encoder = load_encoder(options.model, options.threads, options.device)
            beside = ThreadPoolExecutor(1)
            self._encoded = beside.submit(encode_queries, self.encoder, self._phrases)
            beside.shutdown(wait=False)

    def encoded(
        self, encoder: ImageTextEncoder, phrases: Sequence[str]
    ) -> Future[NDArray[np.float32]] | None:
        """The vectors of these phrases, if they were asked for ahead, of this encoder."""
        known = encoder is self.encoder and list(phrases) == self._phrases
        return self._encoded if known else None


def read_queries(path: Path) -> list[str]:
    """The lines of a text file, one query each; ``-`` reads standard input.

    Raises:
        QueryError: the file cannot be read, or a line of it is blank.
    """
    try:
        text = sys.stdin.read() if str(path) == "-" else path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "not text in UTF-8"
        raise QueryError(f"cannot read the queries in {path}: {reason}") from error
    lines = text.removeprefix("\ufeff").rstrip("\r\n").split("\n")
    for number, line in enumerate(lines, start=1):
        if not line.strip():
            where = f"line {number} of {path} is blank" if len(lines) > 1 else f"{path} is empty"
            raise QueryError(f"{where}: write a query a line")
    return [line.rstrip("\r") for line in lines]
