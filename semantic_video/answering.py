"""From a library to a reasoner: the memories, words and encoder that a question needs."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import numpy as np

from semantic_video.config import Config
from semantic_video.encoders import ImageTextEncoder
from semantic_video.library import Library, VideoRecord
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.queries import encode_queries
from semantic_video.records import Moment
from semantic_video.scene_retrieval import References, SceneRetriever
from semantic_video.search import Searcher
from semantic_video.semantic_clustering import load_vocabulary
from semantic_video.stored_memory import memory_from_stored
from semantic_video.temporal_reasoning import Evidence, Film, LanguageModel, TemporalReasoner
from semantic_video.vocabulary import vocabulary_vectors


def reasoner_for_library(
    config: Config,
    videos: Sequence[str] = (),
    note: Callable[[str], None] = lambda line: None,
) -> TemporalReasoner:
    """Answers questions about the videos of a library, or about some of them.

    Args:
        config: options; says where the library lies.
        videos: paths, file names or ids; all videos if empty.
        note: called with a line for the user, for instance on a video whose index is damaged.

    Raises:
        LibraryError: no library, nothing in it, or no such video.
        EncoderError: the videos were indexed with an encoder that is not at hand, or with several.
    """
    searcher = Searcher(config, videos, note)
    library = Library(config.library)
    records = {record.id: record for record in searcher.records.values()}
    stored = library.load_many(records, on_error=lambda record, error: note(str(error)))
    memories = {
        video: memory_from_stored(memory, records[video]) for video, memory in stored.items()
    }
    return reasoner_for(config, library, searcher.encoder, records, memories)


def reasoner_for(
    config: Config,
    library: Library,
    encoder: ImageTextEncoder,
    records: Mapping[str, VideoRecord],
    memories: Mapping[str, MemoryHierarchy],
) -> TemporalReasoner:
    """Answers questions about these memories (by id of the video), all made with ``encoder``."""
    kept = [video for video in memories if records[video].generation]  # not a live one
    lines = library.lines(kept)
    films = [
        Film(records[video].path, records[video].duration_s, memory, lines.get(video, ()))
        for video, memory in memories.items()
    ]
    words = library.line_words(kept)
    vocabulary = load_vocabulary()
    vectors = vocabulary_vectors(encoder, library).astype(np.float32)
    retriever = SceneRetriever(
        [(film.video, film.memory) for film in films],
        config.retrieval,
        References.of(encoder, library.cached_array),
    )
    evidence = Evidence(
        films,
        retriever,
        lambda texts: encode_queries(encoder, texts),
        vocabulary,
        vectors,
        replace(words, videos=tuple(records[video].path for video in words.videos)),
    )
    return TemporalReasoner(evidence, _Thumbnails(library, records))


def language_model(config: Config) -> LanguageModel | None:
    """The model at the endpoint that the options name; None where they name none.

    Raises:
        ConfigError: the endpoint is no address, or no model is named for it.
    """
    options = config.llm
    if options.url is None:
        return None
    return LanguageModel(options.url, options.model, options.timeout_s)


def notice(model: LanguageModel, images: bool) -> str:
    """What the user should know before anything is sent."""
    what = "the question, findings and small pictures" if images else "the question and findings"
    return f"{what} are sent to {model.host} ({model.name})"


class _Thumbnails:
    """The small pictures that the library keeps of moments, read when one is asked for."""

    def __init__(self, library: Library, records: Mapping[str, VideoRecord]) -> None:
        self._library = library
        self._ids = {record.path: video for video, record in records.items()}
        self._known: dict[str, dict[float, bytes]] = {}

    def __call__(self, moment: Moment) -> bytes | None:
        video = self._ids.get(moment.video)
        if video is None:
            return None
        if video not in self._known:
            self._known[video] = self._library.thumbnails(video)
        inside = {
            time_s: jpeg
            for time_s, jpeg in self._known[video].items()
            if moment.start_s <= time_s < moment.end_s
        }
        if not inside:
            return None
        return inside[min(inside, key=lambda time_s: abs(time_s - moment.keyframe_s))]
