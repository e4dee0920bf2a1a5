"""The ways to group N scenes in K clusters, a file each: all are functions of one shape."""

from semantic_video.semantic_clustering.methods.agglomerative import agglomerative
from semantic_video.semantic_clustering.methods.base import Method, Problem
from semantic_video.semantic_clustering.methods.density import hdbscan
from semantic_video.semantic_clustering.methods.kmeans import kmeans
from semantic_video.semantic_clustering.methods.spectral import spectral

BY_NAME: dict[str, Method] = {
    "kmeans": kmeans,
    "spectral": spectral,
    "hdbscan": hdbscan,
    "agglomerative": agglomerative,
}

__all__ = ["BY_NAME", "Method", "Problem"]
