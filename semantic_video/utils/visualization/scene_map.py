"""The map: scenes in two dimensions, near where they look alike, and the ways between clusters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from pathlib import Path

import numpy as np
from numpy.typing import ArrayLike, NDArray

from semantic_video.errors import ConfigError
from semantic_video.records import Cluster, Scene, Span
from semantic_video.utils.visualization.page import PAD_IN, SMALL_LINE_IN, SMALL_PT, Page, page
from semantic_video.utils.visualization.palette import GREY, cluster_colours
from semantic_video.utils.visualization.thumbnails import medoid_picture, picture_in, shape_of
from semantic_video.utils.visualization.ways import ways

FloatArray = NDArray[np.float64]

_CARD_IN = 0.86
"""Width of a cluster's picture."""
_SCENE_IN = 0.42
"""Width of the picture of a scene, where every scene has one."""
_ALL_PICTURES = 120
"""With more scenes, those beside the medoids are dots."""
_MAX_CARDS = 30
"""Clusters with a picture and a name; more would cover one another."""
_MAX_ARROWS = 10
_FREQUENT = 2
"""A transition is drawn from so many times on."""
_GAP_IN = 0.07
_FILLED = 0.45
"""Share of the page that boxes may take: denser, they would lie far from where they belong."""
_STEP_IN = 0.08
_CHUNK = 256


@dataclass(frozen=True, slots=True)
class _Box:
    """Something to place: a cluster's card (with ``lines``), or the picture of a scene."""

    cluster: int
    scene: int
    width: float
    height: float
    lines: tuple[str, ...] = ()
    size_pt: float = SMALL_PT

    def edges(self, x: float, y: float) -> tuple[float, float, float, float]:
        """Left, top, right and bottom around a middle, with its frame."""
        half_w, half_h = self.width / 2 + 0.02, self.height / 2 + 0.02
        return x - half_w, y - half_h, x + half_w, y + half_h


def scene_map(
    scenes: Sequence[Scene],
    clusters: Sequence[Cluster],
    vectors: ArrayLike,
    thumbnails: Mapping[float, bytes],
    path: str | Path,
    *,
    title: str = "",
    colours: Mapping[int, str] | None = None,
) -> Path:
    """Draw scenes in two dimensions and return the path: what looks alike lies side by side.

    ``vectors`` [S, D] has a row for each of ``scenes``. The clusters with most time on screen are
    drawn as a picture with a name; other scenes as small pictures (up to 120 scenes in all) or
    dots, in the colour of their cluster and tied to it. Arrows lead from one cluster to another
    that follows it at least twice, the most frequent ones and those whose way is free for half of
    it or more. ``colours`` are those of the film's clusters, where there are more than ``clusters``
    has. A scene without a small picture is a dot. Places come from t-SNE (van der Maaten and
    Hinton 2008), started from the principal components; each thing stands at the free place nearest
    to its own, so that nothing covers another. They are the same on every run on one machine.

    Raises ConfigError when matplotlib is missing, the format is unknown, or there is no scene.
    """
    if not scenes:
        raise ConfigError("A map needs a scene, and there is none")
    shown = sorted(clusters, key=lambda cluster: (-cluster.total_s, cluster.id))[:_MAX_CARDS]
    palette = cluster_colours(clusters) if colours is None else colours
    colours = {cluster.id: palette[cluster.id] for cluster in shown}
    note = "Scenes that look alike lie side by side."
    if any(colours.keys() >= {one, other} for one, other, _ in frequent_transitions(scenes)):
        note += " Arrows: what often comes next."
    others = len(clusters) - len(shown)
    if others:
        note += f" Grey: the other {others} clusters."
    with page(path) as drawing:
        top = drawing.heading(title, note)
        boxes = _boxes(drawing, scenes, shown, thumbnails)
        in_box = {box.scene for box in boxes}
        dots = [row for row, scene in enumerate(scenes) if scene.id not in in_box]
        sizes = np.array([(box.width, box.height) for box in boxes])
        wide = drawing.width_in - 2 * PAD_IN
        height = float((sizes + _GAP_IN).prod(axis=1).sum()) / _FILLED / wide
        height = max(height, 4.5 if len(scenes) > 8 else 2.0)
        unit = flatten(vectors)
        row_of = {scene.id: row for row, scene in enumerate(scenes)}
        nothing = np.empty((0, 4))
        while True:
            places = _spread_over(unit, wide, height)
            wanted = places[[row_of[box.scene] for box in boxes]]
            centres = _placed(wanted, sizes, wide, height, nothing)
            if centres is not None:
                break
            height *= 1.15
        covered = np.concatenate([centres - sizes / 2, centres + sizes / 2], axis=1)
        spots = _beside(places[dots], wide, height, covered)
        origin = np.array([PAD_IN, top])
        _draw(
            drawing,
            boxes,
            centres + origin,
            [(scenes[row], spot) for row, spot in zip(dots, spots + origin, strict=True)],
            scenes,
            {cluster.id: cluster for cluster in shown},
            colours,
            thumbnails,
        )
        drawing.height_in = top + height + PAD_IN
    return Path(path)


def flatten(vectors: ArrayLike) -> FloatArray:
    """Places [S, 2] in the unit square for unit vectors [S, D]: what is alike lies near.

    t-SNE from four rows on, principal components below. Each axis is half as given and half by
    rank, which fills the square without losing the groups.
    """
    rows = np.asarray(vectors, dtype=np.float64)
    count = len(rows)
    if count == 1:
        return np.full((1, 2), 0.5)
    if count < 4:
        centred = rows - rows.mean(axis=0)
        left, sizes, _ = np.linalg.svd(centred, full_matrices=False)
        places = np.zeros((count, 2))
        kept = min(2, len(sizes))
        places[:, :kept] = left[:, :kept] * sizes[:kept]
    else:
        from sklearn.manifold import TSNE

        # Rows that are equal give t-SNE nothing to start from.
        start = rows + np.random.default_rng(0).normal(0, 1e-4, rows.shape)
        places = TSNE(
            perplexity=min(30.0, (count - 1) / 3), init="pca", random_state=0, max_iter=500
        ).fit_transform(start)
    span = np.ptp(places, axis=0)
    given = np.where(span > 1e-9, (places - places.min(axis=0)) / np.where(span > 0, span, 1), 0.5)
    ranks = np.argsort(np.argsort(places, axis=0, kind="stable"), axis=0) / (count - 1)
    ranked = np.where(span > 1e-9, ranks, 0.5)
    return np.asarray((given + ranked) / 2, dtype=np.float64)


def frequent_transitions(scenes: Sequence[Scene]) -> list[tuple[int, int, int]]:
    """(from, to, times) for clusters that follow one another at least twice, most often first."""
    steps = Counter(
        (one.cluster, other.cluster)
        for one, other in pairwise(scenes)
        if one.cluster != other.cluster
    )
    frequent = [(*pair, times) for pair, times in steps.items() if times >= _FREQUENT]
    return sorted(frequent, key=lambda item: (-item[2], item[:2]))


def _boxes(
    drawing: Page,
    scenes: Sequence[Scene],
    shown: Sequence[Cluster],
    thumbnails: Mapping[float, bytes],
) -> list[_Box]:
    aspect = shape_of(thumbnails)
    boxes = []
    for cluster in shown:
        lines, size = drawing.fitted(cluster.name or "-", _CARD_IN, SMALL_PT)
        height = _CARD_IN / aspect + SMALL_LINE_IN * len(lines) + 0.05
        box = _Box(cluster.id, cluster.medoid_scene, _CARD_IN, height, tuple(lines), size)
        boxes.append(box)
    if len(scenes) <= _ALL_PICTURES:
        medoids = {box.scene for box in boxes}
        boxes += [
            _Box(scene.cluster, scene.id, _SCENE_IN, _SCENE_IN / aspect)
            for scene in scenes
            if scene.id not in medoids
            and picture_in(thumbnails, Span(scene.start_s, scene.end_s)) is not None
        ]
    return boxes


def _spread_over(places: FloatArray, width: float, height: float) -> FloatArray:
    """Places of the unit square on a page of this size, with room for a card at the edges."""
    margin = np.array([_CARD_IN / 2, _CARD_IN / 2])
    spread: FloatArray = margin + places * (np.array([width, height]) - 2 * margin)
    return spread


def _placed(
    wanted: FloatArray, sizes: FloatArray, width: float, height: float, taken: FloatArray
) -> FloatArray | None:
    """Centres [N, 2] near those ``wanted`` at which nothing covers anything, first come first.

    ``sizes`` [N, 2] are widths and heights, ``taken`` [M, 4] the (left, top, right, bottom) of what
    lies there. None where the page has no room left.
    """
    offsets = _offsets(width, height)
    page_size = np.array([width, height])
    centres = np.empty_like(wanted)
    for number, (place, size) in enumerate(zip(wanted, sizes, strict=True)):
        half = size / 2
        start = np.clip(place, half, page_size - half)
        for chunk in range(0, len(offsets), _CHUNK):
            tried = start + offsets[chunk : chunk + _CHUNK]
            low, high = tried - half, tried + half
            inside = ((low >= -1e-9) & (high <= page_size + 1e-9)).all(axis=1)
            covers = (
                (low[:, None] < taken[None, :, 2:] + _GAP_IN)
                & (high[:, None] > taken[None, :, :2] - _GAP_IN)
            ).all(axis=2)
            free = np.flatnonzero(inside & ~covers.any(axis=1))
            if len(free):
                centres[number] = tried[free[0]]
                box = np.concatenate([low[free[0]], high[free[0]]])
                taken = np.concatenate([taken, box[None]])
                break
        else:
            return None
    return centres


@lru_cache(maxsize=2)
def _offsets(width: float, height: float) -> FloatArray:
    """Steps [N, 2] from any place of the page to all others, shortest first."""
    steps = [np.arange(-length, length + _STEP_IN, _STEP_IN) for length in (width, height)]
    offsets: FloatArray = np.stack(np.meshgrid(*steps), axis=-1).reshape(-1, 2)
    return offsets[np.argsort((offsets**2).sum(axis=1), kind="stable")]


def _beside(wanted: FloatArray, width: float, height: float, taken: FloatArray) -> FloatArray:
    """Places [N, 2] for dots: as wanted, or nearest to it where nothing lies upon them."""
    dot = np.full(2, 2 * _GAP_IN)
    return np.array(
        [
            place
            if (one := _placed(place[None], dot[None], width, height, taken)) is None
            else one[0]
            for place in wanted
        ]
    ).reshape(-1, 2)


def _draw(
    drawing: Page,
    boxes: Sequence[_Box],
    centres: FloatArray,
    dots: Sequence[tuple[Scene, FloatArray]],
    scenes: Sequence[Scene],
    clusters: Mapping[int, Cluster],
    colours: Mapping[int, str],
    thumbnails: Mapping[float, bytes],
) -> None:
    spans = {scene.id: Span(scene.start_s, scene.end_s) for scene in scenes}
    hubs = {}
    for box, (x, y) in zip(boxes, centres, strict=True):
        if box.lines:
            hubs[box.cluster] = (float(x), float(y))
    for box, (x, y) in zip(boxes, centres, strict=True):
        colour = colours.get(box.cluster, GREY)
        left, top = float(x) - box.width / 2, float(y) - box.height / 2
        if box.lines:
            cluster = clusters[box.cluster]
            picture_in_height = box.height - SMALL_LINE_IN * len(box.lines) - 0.05
            drawing.rectangle(
                left - 0.02, top - 0.02, box.width + 0.04, box.height + 0.04, "white", layer=3.2
            )
            drawing.picture(
                left,
                top,
                box.width,
                picture_in_height,
                medoid_picture(thumbnails, cluster),
                edge=colour,
                edge_pt=2.0,
            )
            drawing.text(
                left + box.width / 2,
                top + picture_in_height + 0.03,
                box.lines,
                size=box.size_pt,
                align="center",
            )
            continue
        drawing.picture(
            left,
            top,
            box.width,
            box.height,
            picture_in(thumbnails, spans[box.scene]),
            edge=colour,
            edge_pt=1.4,
        )
        if box.cluster in hubs:
            _tie(drawing, (float(x), float(y)), hubs[box.cluster], colour)
    for scene, (x, y) in dots:
        if scene.cluster in hubs:
            _tie(drawing, (float(x), float(y)), hubs[scene.cluster], colours[scene.cluster])
    if dots:
        drawing.dots(
            [float(place[0]) for _, place in dots],
            [float(place[1]) for _, place in dots],
            [colours.get(scene.cluster, GREY) for scene, _ in dots],
            size_pt=5.0 if len(dots) < 1000 else 3.0,
        )
    _draw_ways(drawing, boxes, centres, frequent_transitions(scenes))


def _draw_ways(
    drawing: Page,
    boxes: Sequence[_Box],
    centres: FloatArray,
    transitions: Sequence[tuple[int, int, int]],
) -> None:
    """Arrows for the most frequent transitions; one with two heads where they go both ways."""
    cards = {box.cluster: row for row, box in enumerate(boxes) if box.lines}
    times = {(one, other): count for one, other, count in transitions}
    pairs = [
        pair
        for pair in times
        if cards.keys() >= set(pair) and not (pair[::-1] in times and pair[::-1] < pair)
    ]
    pairs.sort(key=lambda pair: -times[pair] - times.get(pair[::-1], 0))
    edges = np.array(
        [box.edges(float(x), float(y)) for box, (x, y) in zip(boxes, centres, strict=True)]
    )
    named = [(boxes[row], edges[row]) for row in sorted(cards.values())]
    names = np.array([_name_edges(drawing, box, own) for box, own in named])
    rows = [(cards[one], cards[other]) for one, other in pairs]
    for pair, way in zip(pairs, ways(edges, names, rows, _MAX_ARROWS), strict=True):
        if way is not None:
            often = max(times[pair], times.get(pair[::-1], 0))
            drawing.arrow(
                way.points.tolist(), width_pt=0.8 + 0.2 * min(often, 6), both=pair[::-1] in times
            )


def _name_edges(drawing: Page, box: _Box, edges: FloatArray) -> tuple[float, ...]:
    """Left, top, right and bottom of the name below a card's picture."""
    middle, half = (edges[0] + edges[2]) / 2, drawing.widest(box.lines, box.size_pt) / 2 + 0.02
    return middle - half, edges[3] - SMALL_LINE_IN * len(box.lines) - 0.04, middle + half, edges[3]


def _tie(drawing: Page, start: tuple[float, float], end: tuple[float, float], colour: str) -> None:
    drawing.line([start[0], end[0]], [start[1], end[1]], colour, width_pt=0.5, layer=1.5)
