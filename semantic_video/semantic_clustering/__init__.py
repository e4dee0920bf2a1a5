"""Scene vectors -> clusters across the timeline, and names for them.

Scenes are grouped by what they show, not by when. Fitting needs scikit-learn, which is imported
only then; reading and using a clustering does not.
"""

from typing import TYPE_CHECKING

from semantic_video.utils.lazy import lazily

if TYPE_CHECKING:
    from semantic_video.semantic_clustering.auto_number import silhouettes
    from semantic_video.semantic_clustering.clustering import Clustering, Found, first_appearance
    from semantic_video.semantic_clustering.corrections import Correction, replay
    from semantic_video.semantic_clustering.estimator import METHODS, SemanticClustering
    from semantic_video.semantic_clustering.links import Links
    from semantic_video.semantic_clustering.names import (
        ClusterName,
        describe_clusters,
        load_kinds,
        load_vocabulary,
        name_clusters,
        rank_words,
    )
    from semantic_video.semantic_clustering.occurrences import find_occurrences
    from semantic_video.semantic_clustering.themes import theme_levels, theme_name
    from semantic_video.semantic_clustering.ward import join, ward_tree

__all__ = [
    "METHODS",
    "ClusterName",
    "Clustering",
    "Correction",
    "Found",
    "Links",
    "SemanticClustering",
    "describe_clusters",
    "find_occurrences",
    "first_appearance",
    "join",
    "load_kinds",
    "load_vocabulary",
    "name_clusters",
    "rank_words",
    "replay",
    "silhouettes",
    "theme_levels",
    "theme_name",
    "ward_tree",
]

__getattr__ = lazily(
    __name__,
    {
        "auto_number": "silhouettes",
        "clustering": "Clustering Found first_appearance",
        "corrections": "Correction replay",
        "estimator": "METHODS SemanticClustering",
        "links": "Links",
        "names": "ClusterName describe_clusters load_kinds "
        "load_vocabulary name_clusters rank_words",
        "occurrences": "find_occurrences",
        "themes": "theme_levels theme_name",
        "ward": "join ward_tree",
    },
)
