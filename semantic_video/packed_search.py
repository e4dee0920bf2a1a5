"""Searching a large library through one file that is mapped into memory.

Loading every memory takes seconds for hundreds of films. So what a search needs of all of them is
packed once, by the first search, and opened by the later ones; the memory of a film is loaded only
when it is looked at. The pack is named by the state of the library that it was made from: after a
change it is no longer found, and the next search makes another.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from functools import partial

from semantic_video.asking import StoredFilm
from semantic_video.config import RetrievalOptions, options_hash
from semantic_video.library import Library, VideoRecord
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.scene_retrieval import Packed, References, SceneRetriever
from semantic_video.stored_memory import memory_from_stored

_FORMAT = 2
"""Raised when what is packed, or how it is made of memories, changes."""
_FEW = 4


class SearchPack:
    """The pack of all videos of a library, all made with the model ``fingerprint``."""

    def __init__(
        self,
        library: Library,
        records: Sequence[VideoRecord],
        fingerprint: str,
        options: RetrievalOptions,
        references: References,
    ) -> None:
        self._library = library
        self._records = records
        self._options = options
        self._references = references
        self._name = f"search-{options_hash(fingerprint)}"
        # Before anything is read: what changes meanwhile is packed under a key that has passed.
        self._key = options_hash(
            _FORMAT,
            library.state(records),
            [options.kin_weight, options.cluster_weight, options.theme_weight],
            [options.entry_weight],
            [options.pooling, options.top_frames],
            hashlib.blake2b(references.texts.tobytes()).hexdigest(),
            hashlib.blake2b(references.pictures.tobytes()).hexdigest(),
        )

    def open(self) -> tuple[dict[str, StoredFilm], SceneRetriever] | None:
        """The films, their memories not loaded, and what searches them; None without a pack."""
        arrays = self._library.pack(self._name, self._key)
        if arrays is None:
            return None
        paths = [record.path for record in self._records]
        packed = Packed.from_arrays(arrays)
        retriever = SceneRetriever.of_packed(paths, packed, self._options, self._references)
        memories = _Memories(self._library, self._records)
        films = {
            record.path: StoredFilm(
                partial(memories.of, record), float(end_s), names, record.recorded_at
            )
            for record, end_s, names in zip(
                self._records, retriever.durations, retriever.cluster_names, strict=True
            )
        }
        return films, retriever

    def keep(self, retriever: SceneRetriever) -> None:
        """Make the pack of a retriever of these videos, in this order."""
        self._library.keep_pack(self._name, self._key, lambda: retriever.packed().arrays())


class _Memories:
    """The first few memories that are asked for are loaded one by one, then all at once."""

    def __init__(self, library: Library, records: Sequence[VideoRecord]) -> None:
        self._library = library
        self._records = {record.id: record for record in records}
        self._held: dict[str, MemoryHierarchy] = {}

    def of(self, record: VideoRecord) -> MemoryHierarchy:
        if record.id not in self._held:
            ids = [record.id] if len(self._held) < _FEW else list(self._records)
            for video, stored in self._library.load_many(ids).items():
                self._held[video] = memory_from_stored(stored, self._records[video])
        return self._held[record.id]
