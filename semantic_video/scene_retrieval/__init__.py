"""Query vector -> moments: scores, intervals, and how sure they are.

`SceneRetriever` puts the parts together: ``rows`` gathers what is scored, ``scoring`` gives
every scene its score, ``localisation`` makes intervals of scenes, ``calibration`` says how likely
they are right, ``counting`` how many of them
there are, and ``moments`` is the answer. ``packed`` and ``coarse`` are for very many videos.
"""

from semantic_video.scene_retrieval.calibration import References, references_path
from semantic_video.scene_retrieval.counting import occurrence_level
from semantic_video.scene_retrieval.moments import Moments
from semantic_video.scene_retrieval.packed import Asked, Packed
from semantic_video.scene_retrieval.retriever import SceneRetriever

__all__ = [
    "Asked",
    "Moments",
    "Packed",
    "References",
    "SceneRetriever",
    "occurrence_level",
    "references_path",
]
