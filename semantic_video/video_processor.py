"""One video, from file to answers: the promised API, in the order in which the data flows."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from semantic_video.config import Config, load_config
from semantic_video.encoders import ImageTextEncoder, load_encoder
from semantic_video.errors import QueryError
from semantic_video.indexer import IndexReport, Note, VideoIndexer
from semantic_video.library import Library
from semantic_video.memory_hierarchy import MemoryHierarchy
from semantic_video.queries import encode_queries
from semantic_video.scene_retrieval import Moments, SceneRetriever

if TYPE_CHECKING:
    from semantic_video.perception import Progress

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
            "memory": {"memory_size": memory_size},
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
        self._indexer = VideoIndexer(
            self.video_path, self.config, self._encoder, self._library, progress, note
        )
        self._memory: MemoryHierarchy | None = None
        self._retriever: SceneRetriever | None = None

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
        memory = self._indexer.memory()
        self._memory = memory
        self._retriever = SceneRetriever([(str(self.video_path), memory)], self.config.retrieval)
        return memory

    def query_semantic_memory(
        self, query: str, k: int | None = None, exact: bool = False
    ) -> Moments:
        """The moments that show what ``query`` says, best first; builds the memory if need be.

        Args:
            query: what to find, in plain words.
            k: at most so many moments; default as configured (10).
            exact: score every scene rather than those of the likely clusters.

        Raises:
            QueryError: the query is empty, or ``k`` is less than 1.
        """
        if not query.strip():
            raise QueryError('the query is empty; say what to find, for instance "a dog"')
        if k is not None and k < 1:
            raise QueryError(f"k={k}: ask for at least 1 moment")
        if self._retriever is None:
            self.build_semantic_memory()
        assert self._retriever is not None
        return self._retriever.search(encode_queries(self._encoder, [query])[0], query, k, exact)

    def index(self) -> IndexReport:
        """Bring the library up to date with this film and these options.

        Only stages whose input changed run again, and those after them. The clustering made here
        becomes the active one.

        Raises:
            VideoError: the film cannot be read, or changed while it was read.
            LibraryError: the library cannot be read or written.
        """
        return self._indexer.index()
