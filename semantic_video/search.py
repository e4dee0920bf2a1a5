"""Searching a library: open it, load the encoder its videos were made with, ask.

Imports neither scikit-learn nor a video decoder for a query in words, so that a search from a
cold start feels instant; the text tower is loaded while the library is read.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from semantic_video.config import Config
from semantic_video.encoders import ImageTextEncoder, load_encoder
from semantic_video.errors import EncoderError, LibraryError, QueryError
from semantic_video.library import Library, LineWords, VideoRecord
from semantic_video.queries import caption_from_query, encode_queries
from semantic_video.records import Moment, Scope, Span
from semantic_video.scene_retrieval import Moments, SceneRetriever
from semantic_video.signal_fusion import SIGNALS, Signal, fuse
from semantic_video.stored_memory import memory_from_stored
from semantic_video.word_search import search_words

# A scope needs a length, also where a line has none.
_LEAST_S = 0.1


class Searcher:
    """Answers queries from the videos of a library, or from some of them.

    Args:
        config: options; says where the library lies.
        videos: paths, file names or ids; all videos if empty.
        note: called with a line for the user, for instance on a video whose index is damaged.

    Raises:
        LibraryError: no library, nothing in it, or no such video.
        EncoderError: the videos were indexed with an encoder that is not at hand, or with several.
    """

    def __init__(
        self,
        config: Config,
        videos: Sequence[str] = (),
        note: Callable[[str], None] = lambda line: None,
    ) -> None:
        self._config = config
        self._note = note
        self._library = Library(config.library)
        records = self._library.videos()
        if not records:
            raise LibraryError(
                f"the library at {self._library.path} is empty: "
                "fill it with `semantic-video index PATH`"
            )
        if videos:
            named = [self._library.resolve(video) for video in videos]
            records = list({record.id: record for record in named}.values())
        self._records = records
        self._encoder = self._matching_encoder()
        self._paths = {record.id: record.path for record in records}
        self._retriever: SceneRetriever | None = None
        self._line_words: LineWords | None = None

    def by_texts(
        self,
        texts: Sequence[str],
        k: int | None = None,
        exact: bool = False,
        signals: Collection[Signal] = SIGNALS,
    ) -> list[Moments]:
        """An answer for each text, in order; ``signals`` says what may find it."""
        with ThreadPoolExecutor(1) as beside:
            vectors = beside.submit(encode_queries, self._encoder, texts)
            self._loaded()
            return [
                self._search(vector, text, k or self._config.retrieval.k, exact, signals)
                for vector, text in zip(vectors.result(), texts, strict=True)
            ]

    def _search(
        self,
        vector: NDArray[np.float32],
        text: str,
        k: int,
        exact: bool,
        signals: Collection[Signal],
    ) -> Moments:
        """What pictures show and words say, merged."""
        retriever = self._loaded()
        hits = [
            replace(hit, video=self._paths[hit.video])
            for hit in search_words(self._words(), caption_from_query(text))
        ]
        # Moments may fall away that overlap with what words found.
        pictures = retriever.search(vector, text, k + len(hits), exact)

        def picture_within(video: str, span: Span) -> Moment | None:
            scope = {video: Scope(span.start_s, max(span.end_s, span.start_s + _LEAST_S))}
            return next(iter(retriever.search(vector, text, 1, exact=True, scope=scope)), None)

        return fuse(pictures, hits, picture_within, k, signals)

    def _words(self) -> LineWords:
        if self._line_words is None:
            self._line_words = self._library.line_words([record.id for record in self._records])
        return self._line_words

    def by_image(self, path: Path, k: int | None = None, exact: bool = False) -> Moments:
        """Moments that show what the picture at ``path`` shows.

        Raises:
            QueryError: the file is missing or not a picture.
        """
        from semantic_video.utils.images import read_image

        vector = self._encoder.encode_images([read_image(path)])[0]
        return self._loaded().search(vector, str(path), k, exact)

    def _loaded(self) -> SceneRetriever:
        if self._retriever is None:
            damaged: list[LibraryError] = []

            def leave_out(record: VideoRecord, error: LibraryError) -> None:
                damaged.append(error)
                self._note(str(error))

            stored = self._library.load_many(
                [record.id for record in self._records], on_error=leave_out
            )
            if not stored:
                raise damaged[0]
            self._retriever = SceneRetriever(
                [
                    (record.path, memory_from_stored(stored[record.id], record))
                    for record in self._records
                    if record.id in stored
                ],
                self._config.retrieval,
            )
        return self._retriever

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
        encoder = load_encoder(models.pop(), threads=options.threads, device=options.device)
        for record in self._records:
            if record.model_fingerprint != encoder.fingerprint:
                raise EncoderError(
                    f"{record.name} was indexed with another version of {encoder.model_id!r}: "
                    "run `semantic-video index` on it again, or install the version it was made "
                    "with"
                )
        return encoder


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
