"""Films made of known things: one vector for each, so that what a plan should find is certain."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence

import numpy as np

from semantic_video.config import load_config
from semantic_video.library import VideoRecord
from semantic_video.library.lines import line_rows, line_words
from semantic_video.memory_hierarchy import MemoryHierarchy, SceneEntries
from semantic_video.records import Line, Span
from semantic_video.scene_retrieval import SceneRetriever
from semantic_video.semantic_clustering import Clustering
from semantic_video.semantic_clustering.corrections import Correction
from semantic_video.temporal_reasoning import Evidence, Film, TemporalReasoner
from semantic_video.temporal_reasoning.model_wording import Pictures

THINGS = ("dog", "cat", "train", "beach", "violin", "goal", "sunset", "kitchen")
_AXES = {thing: row for row, thing in enumerate(THINGS)}
_DIMENSION = len(THINGS) + 8

LINES = (
    Line(12, 15, "Here comes the night train", "speech"),
    Line(41, 44, "That was the winning goal", "speech"),
    Line(60, 70, "Platform nine", "text"),
)
#        0   10    20  30    40   50     60    70
SHOWN = "dog train cat beach goal sunset train dog"
"""A film of eight things, ten seconds each, and what is said and written in it."""


def encode(texts: Sequence[str]) -> np.ndarray:
    """A text points where the known things in it point; one without any points elsewhere."""
    vectors = np.zeros((len(texts), _DIMENSION), np.float32)
    for row, text in enumerate(texts):
        for word in re.findall(r"[a-z]+", text.lower()):
            axis = _AXES.get(word.removesuffix("s"))
            if axis is not None:
                vectors[row, axis] = 1
        if not vectors[row].any():
            vectors[row, len(THINGS) + sum(text.encode()) % 8] = 1
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


def film(
    name: str,
    shown: str,
    scene_s: float = 10.0,
    lines: Sequence[Line] = (),
    renamed: Mapping[str, str] | None = None,
) -> Film:
    """A film that shows these things for ``scene_s`` seconds each, "dog cat dog".

    ``renamed``: the names that a user gave to clusters of some of these things.
    """
    given = renamed or {}
    things = shown.split()
    spans = [Span(i * scene_s, (i + 1) * scene_s) for i in range(len(things))]
    vectors = encode(things)
    kinds = list(dict.fromkeys(things))
    entries = SceneEntries.from_scenes(
        spans,
        [np.array([(span.start_s + span.end_s) / 2]) for span in spans],
        [vector[None] for vector in vectors],
    )
    clustering = Clustering(
        method="kmeans",
        num_clusters="auto",
        seed=0,
        labels=np.array([kinds.index(thing) for thing in things], np.int32),
        reason="as the test says",
        corrections=tuple(
            Correction("rename", (spans[things.index(kind)],), name=own)
            for kind, own in given.items()
        ),
    )
    memory = MemoryHierarchy.build(
        entries, clustering, [given.get(kind, f"a {kind}") for kind in kinds]
    )
    return Film(f"/films/{name}", len(things) * scene_s, memory, tuple(lines))


def reasoner(*films: Film, pictures: Pictures | None = None) -> TemporalReasoner:
    record = VideoRecord(path="", name="", size=0, mtime_ns=0, fingerprint="", id="v", generation=1)
    own = films[0]
    import pyarrow as pa

    rows = [
        line_rows(record, kind, [line for line in own.lines if line.kind == kind])
        for kind in ("speech", "text")
    ]
    vocabulary = [f"a {thing}" for thing in THINGS]
    retriever = SceneRetriever([(f.video, f.memory) for f in films], load_config(None).retrieval)
    words = line_words(pa.concat_tables(rows), {1: own.video})
    return TemporalReasoner(
        Evidence(films, retriever, encode, vocabulary, encode(vocabulary), words), pictures
    )
