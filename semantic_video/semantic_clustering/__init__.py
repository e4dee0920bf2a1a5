"""Scene vectors -> clusters across the timeline, and names for them.

Scenes are grouped by what they show, not by when. Fitting needs scikit-learn, which is imported
only then; reading and using a clustering does not.
"""

from semantic_video.semantic_clustering.auto_number import silhouettes
from semantic_video.semantic_clustering.clustering import Clustering, Found, first_appearance
from semantic_video.semantic_clustering.corrections import Correction, replay
from semantic_video.semantic_clustering.estimator import METHODS, SemanticClustering
from semantic_video.semantic_clustering.links import Links
from semantic_video.semantic_clustering.names import load_vocabulary, name_clusters, rank_words
from semantic_video.semantic_clustering.occurrences import find_occurrences
from semantic_video.semantic_clustering.ward import join, ward_tree

__all__ = [
    "METHODS",
    "Clustering",
    "Correction",
    "Found",
    "Links",
    "SemanticClustering",
    "find_occurrences",
    "first_appearance",
    "join",
    "load_vocabulary",
    "name_clusters",
    "rank_words",
    "replay",
    "silhouettes",
    "ward_tree",
]
