"""Entries in groups that show the same, corrected by hand, and named by the words of a model."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from semantic_video.config import ClusteringOptions
from semantic_video.encoders import ImageTextEncoder
from semantic_video.library import Library
from semantic_video.memory_hierarchy import SceneEntries
from semantic_video.semantic_clustering import (
    Clustering,
    Correction,
    Found,
    SemanticClustering,
    describe_clusters,
    load_kinds,
    load_vocabulary,
    replay,
)
from semantic_video.vocabulary import word_vectors


def grouped(
    entries: SceneEntries,
    corrections: Sequence[Correction],
    options: ClusteringOptions,
    encoder: ImageTextEncoder,
    library: Library,
) -> tuple[Clustering, tuple[str, ...]]:
    """A clustering of the entries, corrected by hand, and names for its clusters.

    ``library`` keeps the vectors of the words that ``encoder`` may call them by.
    """
    vectors = entries.entry_vectors.astype(np.float32)
    clustering = SemanticClustering(options.method, options.num_clusters, options.seed).fit(
        vectors, entries.entry_weights
    )
    vocabulary, kinds = load_vocabulary(), load_kinds()
    described = describe_clusters(
        clustering.centroids(vectors, entries.entry_weights),
        vocabulary,
        word_vectors(encoder, library, "vocabulary", vocabulary),
        background=vectors,
        kinds=kinds,
        kind_vectors=word_vectors(encoder, library, "kinds", kinds),
    )
    names = tuple(each.name for each in described)
    clustering = replace(
        clustering, words={each.name: (*each.words, *each.kinds) for each in described}
    )
    if corrections:
        found = Found(clustering.labels, names)
        seconds = entries.entry_weights.astype(np.float64)
        labels, names = replay(found, corrections, vectors, seconds, entries.entry_spans)
        clustering = replace(clustering, labels=labels, corrections=tuple(corrections), found=found)
    return clustering, names
