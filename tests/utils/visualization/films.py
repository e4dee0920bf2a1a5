"""Made-up films for tests of pictures: scenes in clusters, with small pictures of one colour."""

from __future__ import annotations

import io
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
from numpy.typing import NDArray
from PIL import Image

from semantic_video.records import Cluster, Moment, Scene, Span

Picture = NDArray[np.uint8]
LONG_NAME = "people who stand around a table in a large kitchen and prepare a meal together"


@dataclass(frozen=True)
class Film:
    """``scenes`` tile ``duration_s``; cluster ``i`` is called ``name i``."""

    duration_s: float
    scenes: tuple[Scene, ...]
    clusters: tuple[Cluster, ...]
    thumbnails: dict[float, bytes]
    vectors: NDArray[np.float32]

    def candidates(self) -> list[Moment]:
        """A moment for each scene, best first; the score falls with the number of the scene."""
        return [
            Moment(
                "film.mp4",
                scene.start_s,
                scene.end_s,
                0.5 - 0.4 * scene.id / len(self.scenes),
                1 / (1 + scene.id),
                scene.cluster,
                self.clusters[scene.cluster].name,
                (scene.start_s + scene.end_s) / 2,
            )
            for scene in self.scenes
        ]


def film(
    scenes: int, clusters: int, duration_s: float, name: str = "cluster", seed: int = 0
) -> Film:
    """A film whose clusters return at random."""
    rng = np.random.default_rng(seed)
    clusters = min(clusters, scenes)
    labels = np.concatenate([np.arange(clusters), rng.integers(0, clusters, scenes - clusters)])
    edges = np.linspace(0, duration_s, scenes + 1)
    shown = tuple(
        Scene(number, float(edges[number]), float(edges[number + 1]), int(label))
        for number, label in enumerate(labels)
    )
    groups = []
    for cluster in range(clusters):
        own = [scene for scene in shown if scene.cluster == cluster]
        runs = [
            list(run)
            for label, run in groupby(shown, key=lambda scene: scene.cluster)
            if label == cluster
        ]
        occurrences = tuple(Span(run[0].start_s, run[-1].end_s) for run in runs)
        groups.append(
            Cluster(
                cluster,
                f"{name} {cluster}",
                tuple(scene.id for scene in own),
                occurrences,
                sum(span.duration_s for span in occurrences),
                own[0].id,
                (own[0].start_s + own[0].end_s) / 2,
            )
        )
    centres = rng.normal(size=(clusters, 16))
    vectors = centres[labels] + 0.2 * rng.normal(size=(scenes, 16))
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    thumbnails = {
        (scene.start_s + scene.end_s) / 2: jpeg(colour_of(scene.cluster)) for scene in shown
    }
    return Film(duration_s, shown, tuple(groups), thumbnails, vectors.astype(np.float32))


def colour_of(cluster: int) -> tuple[int, int, int]:
    """Bright and different for each of some twenty clusters."""
    return (255 - cluster * 37 % 200, cluster * 91 % 256, cluster * 53 % 256)


def jpeg(colour: tuple[int, int, int], size: tuple[int, int] = (160, 90)) -> bytes:
    """A small picture of one colour."""
    held = io.BytesIO()
    Image.new("RGB", size, colour).save(held, "JPEG")
    return held.getvalue()


def pixels(path: Path) -> Picture:
    """uint8 [H, W, 3]."""
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def area_of(picture: Picture, colour: tuple[int, int, int]) -> int:
    """How many pixels have about this colour."""
    return int((np.abs(picture.astype(int) - colour).max(axis=2) < 12).sum())


def edges_are_white(picture: Picture) -> bool:
    """Whether nothing reaches the edge of a picture, where it would be cut."""
    edges = (picture[:4], picture[-4:], picture[:, :4], picture[:, -4:])
    return all(bool((edge == 255).all()) for edge in edges)
