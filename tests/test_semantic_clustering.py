"""Clusters across the timeline: what is found, what is promised for every input, and the names."""

from __future__ import annotations

import subprocess
import sys
import warnings
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from semantic_video.errors import ConfigError
from semantic_video.records import SceneSpan, Span
from semantic_video.semantic_clustering import (
    METHODS,
    SemanticClustering,
    describe_clusters,
    find_occurrences,
    first_appearance,
    join,
    load_vocabulary,
    name_clusters,
    rank_words,
    silhouettes,
    ward_tree,
)
from semantic_video.semantic_clustering.auto_number import cut_silhouettes
from semantic_video.semantic_clustering.linkage import merge_order
from semantic_video.semantic_clustering.methods.base import Problem
from semantic_video.semantic_clustering.methods.kmeans import kmeans


def unit(vectors: NDArray[np.float64]) -> NDArray[np.float32]:
    return (vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)).astype(np.float32)


def subjects(
    returning: int, times: int, one_offs: int = 0, noise: float = 0.6, seed: int = 0
) -> tuple[NDArray[np.float32], NDArray[np.int64]]:
    """Scenes of a film in random order: subjects that return, with noise, and one-offs.

    Returns float32 [N, 128] and the subject of each scene.
    """
    rng = np.random.default_rng(seed)
    truth = np.concatenate(
        [np.repeat(np.arange(returning), times), returning + np.arange(one_offs)]
    )
    centres = rng.normal(size=(returning + one_offs, 128))
    scenes = unit(centres[truth] + noise * rng.normal(size=(len(truth), 128)))
    order = rng.permutation(len(truth))
    return scenes[order], truth[order]


def partition(labels: NDArray[np.integer]) -> set[frozenset[int]]:
    return {frozenset(np.flatnonzero(labels == label).tolist()) for label in np.unique(labels)}


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("num_clusters", ["auto", 12])
def test_finds_the_subjects_that_return(method: str, num_clusters: int | str) -> None:
    scenes, truth = subjects(returning=12, times=6)
    clustering = SemanticClustering(method, num_clusters).fit(scenes)
    assert partition(clustering.labels) == partition(truth)
    assert "12" in clustering.reason


def test_auto_leaves_one_offs_alone_and_keeps_what_returns_together() -> None:
    scenes, truth = subjects(returning=10, times=5, one_offs=60)
    clustering = SemanticClustering("kmeans", "auto").fit(scenes)
    returning = {group for group in partition(truth) if len(group) > 1}
    found = {group for group in partition(clustering.labels) if len(group) > 1}
    assert returning <= found
    assert len(found - returning) <= 10  # of 30 pairs that 60 one-offs could form
    assert "stand alone" in clustering.reason


@settings(max_examples=60, deadline=None)
@given(
    scenes=st.integers(1, 24),
    different=st.integers(1, 24),
    num_clusters=st.one_of(st.just("auto"), st.integers(1, 30)),
    method=st.sampled_from(METHODS),
    weighted=st.booleans(),
    seed=st.integers(0, 3),
)
def test_any_input_gives_contiguous_labels_in_order_of_appearance(
    scenes: int, different: int, num_clusters: int | str, method: str, weighted: bool, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    vectors = unit(rng.normal(size=(different, 8)))[rng.integers(0, different, scenes)]
    weights = rng.uniform(0, 9, scenes).astype(np.float32) if weighted else None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clustering = SemanticClustering(method, num_clusters, seed).fit(vectors, weights)
    labels = clustering.labels
    assert labels.dtype == np.int32
    assert labels.shape == (scenes,)
    assert labels[0] == 0
    assert np.array_equal(labels, first_appearance(labels))
    assert clustering.reason
    distinct = len(np.unique(vectors, axis=0))
    assert clustering.size <= distinct
    if num_clusters != "auto":
        assert clustering.size == min(num_clusters, distinct)
    for row in range(scenes):  # the same picture is never in two clusters
        assert len(set(labels[(vectors == vectors[row]).all(axis=1)])) == 1


@pytest.mark.parametrize("method", ["kmeans", "agglomerative"])
def test_auto_keeps_two_tight_subjects_apart_that_lie_far_from_all_others(method: str) -> None:
    """Slides and a screencast among photos: alike beside those, and yet clearly two."""
    rng = np.random.default_rng(1)
    photos, _ = subjects(returning=25, times=6, noise=0.8)
    middle = rng.normal(size=128)
    tight = [middle + 0.5 * rng.normal(size=128) for _ in range(2)]
    screens = unit(np.repeat(tight, 3, axis=0) + 0.1 * rng.normal(size=(6, 128)))
    clustering = SemanticClustering(method).fit(np.concatenate([photos, screens]))
    assert {frozenset({150, 151, 152}), frozenset({153, 154, 155})} <= partition(clustering.labels)
    assert "clearly two" in clustering.reason


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("pictures", [3, 4, 7])
@pytest.mark.parametrize("spread", [0.1, 0.6, 3.0])
def test_auto_finds_the_pictures_of_a_tiny_film_that_repeats_them_exactly(
    method: str, pictures: int, spread: float
) -> None:
    """Also where the pictures are much alike: what repeats to the bit says what is one thing."""
    rng = np.random.default_rng(pictures)
    different = unit(rng.normal(size=32) + spread * rng.normal(size=(pictures, 32)))
    truth = np.arange(3 * pictures) % pictures
    clustering = SemanticClustering(method, "auto").fit(different[truth])
    assert np.array_equal(clustering.labels, truth), clustering.reason


def test_auto_says_that_one_repeated_picture_is_one_cluster() -> None:
    scenes = np.repeat(unit(np.random.default_rng(0).normal(size=(1, 32))), 9, axis=0)
    assert SemanticClustering().fit(scenes).size == 1


def test_more_clusters_than_scenes_says_so() -> None:
    scenes, _ = subjects(returning=3, times=1)
    clustering = SemanticClustering(num_clusters=10).fit(scenes)
    assert clustering.size == 3
    assert clustering.num_clusters == 10
    assert "only 3 different scenes" in clustering.reason


@pytest.mark.parametrize("method", METHODS)
def test_near_copies_cluster_without_a_warning(method: str) -> None:
    rng = np.random.default_rng(0)
    scenes = unit(
        np.repeat(rng.normal(size=(4, 32)), 12, axis=0) + 1e-6 * rng.normal(size=(48, 32))
    )
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        clustering = SemanticClustering(method, 4).fit(scenes)
    assert np.array_equal(clustering.labels, np.repeat(np.arange(4), 12))


@pytest.mark.parametrize("method", METHODS)
def test_same_seed_same_clusters(method: str) -> None:
    scenes, _ = subjects(returning=15, times=4, one_offs=20, noise=1.2)
    first, second = (SemanticClustering(method, 9, seed=3).fit(scenes).labels for _ in range(2))
    assert np.array_equal(first, second)


def test_weights_decide_where_a_centroid_lies() -> None:
    scenes = unit(np.array([[1.0, 0.0], [0.0, 1.0], [-1.0, 0.1]]))
    clustering = SemanticClustering(num_clusters=1).fit(scenes)
    heavy_first = clustering.centroids(scenes, [100.0, 1.0, 1.0])
    heavy_second = clustering.centroids(scenes, [1.0, 100.0, 1.0])
    assert heavy_first @ scenes[0] > 0.99
    assert heavy_second @ scenes[1] > 0.99
    assert np.allclose(np.linalg.norm(heavy_first, axis=1), 1)
    assert clustering.medoids(scenes, [1.0, 100.0, 1.0]).tolist() == [1]


def test_unknown_method_names_the_nearest() -> None:
    with pytest.raises(ConfigError, match="did you mean 'kmeans'"):
        SemanticClustering("k-means")
    with pytest.raises(ConfigError, match="did you mean 'spectral'"):
        SemanticClustering("spectrum")
    with pytest.raises(ConfigError, match=r"unknown clustering method 'foo'\. There are kmeans,"):
        SemanticClustering("foo")


@pytest.mark.parametrize("wrong", [np.nan, np.inf])
@pytest.mark.parametrize("method", METHODS)
def test_what_is_not_finite_is_refused(method: str, wrong: float) -> None:
    estimator = SemanticClustering(method)
    with pytest.raises(ValueError, match="vectors hold NaN or infinity"):
        estimator.fit_predict(np.full((5, 4), wrong))
    with pytest.raises(ValueError, match="weights must be 5 finite numbers"):
        estimator.fit(np.eye(5), [1, 1, wrong, 1, 1])
    with pytest.raises(ValueError, match="weights must be 5 finite numbers"):
        estimator.fit(np.eye(5), [1, 1])


def test_impossible_number_of_clusters_is_refused() -> None:
    with pytest.raises(ConfigError, match="1 or more, not 0"):
        SemanticClustering(num_clusters=0)


def test_neither_grouping_as_by_default_nor_using_a_clustering_imports_scikit_learn() -> None:
    code = (
        "import sys, numpy as np\n"
        "from semantic_video.semantic_clustering import Clustering, SemanticClustering\n"
        "from semantic_video.semantic_clustering import name_clusters\n"
        "v = np.repeat(np.eye(3, dtype=np.float32), 3, axis=0)\n"
        "v += np.linspace(0, 0.1, v.size, dtype=np.float32).reshape(v.shape)\n"
        "assert SemanticClustering().fit(v).size == 3\n"
        "v = np.eye(3, dtype=np.float32)\n"
        "c = Clustering('kmeans', 2, 0, np.array([0, 1, 1], dtype=np.int32), '')\n"
        "c.medoids(v); name_clusters(c.centroids(v), ['a', 'b', 'c'], v, v)\n"
        "assert not {'sklearn', 'scipy', 'matplotlib'} & set(sys.modules)\n"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


# --- the parts that the number of clusters rests on


@settings(max_examples=25, deadline=None)
@given(count=st.integers(2, 40), seed=st.integers(0, 99))
def test_ward_tree_equals_scipy(count: int, seed: int) -> None:
    from scipy.cluster.hierarchy import cut_tree, linkage

    points = np.random.default_rng(seed).normal(size=(count, 5))
    tree = ward_tree(points, np.ones(count))
    theirs = linkage(points, "ward")
    # Ours is the increase of the sum of squares, theirs the square root of twice that.
    assert np.allclose([2 * cost for cost, _, _ in tree], theirs[:, 2] ** 2)
    for clusters in range(1, count + 1):
        labels = join(count, ((a, b) for _, a, b in tree[: count - clusters]))
        assert partition(labels) == partition(cut_tree(theirs, clusters)[:, 0])


def test_ward_tree_treats_weights_as_repeated_points() -> None:
    rng = np.random.default_rng(1)
    points, weights = rng.normal(size=(9, 4)), rng.integers(1, 4, 9)
    repeated = ward_tree(np.repeat(points, weights, axis=0), np.ones(weights.sum()))
    weighted = ward_tree(points, weights.astype(np.float64))
    assert np.allclose([cost for cost, _, _ in repeated][-8:], [cost for cost, _, _ in weighted])


@pytest.mark.parametrize("copies", [5, 60])
def test_ward_tree_ends_on_ties(copies: int) -> None:
    points = np.concatenate([np.zeros((copies, 3)), np.eye(3), -np.eye(3)])
    assert len(ward_tree(points, np.ones(len(points)))) == len(points) - 1


@settings(max_examples=25, deadline=None)
@given(count=st.integers(3, 40), clusters=st.integers(2, 8), seed=st.integers(0, 99))
def test_silhouettes_equal_scikit_learn(count: int, clusters: int, seed: int) -> None:
    from sklearn.metrics import silhouette_samples

    rng = np.random.default_rng(seed)
    points = unit(rng.normal(size=(count, 6)))
    labels = first_appearance(rng.integers(0, min(clusters, count - 1), count))
    if labels.max() == 0:
        labels[-1] = 1
    theirs = silhouette_samples(points.astype(np.float64), labels, metric="cosine")
    assert np.allclose(silhouettes(points, labels), theirs, atol=1e-5)


@settings(max_examples=25, deadline=None)
@given(count=st.integers(3, 40), copies=st.integers(1, 3), seed=st.integers(0, 99))
def test_silhouettes_of_all_cuts_equal_those_of_each(count: int, copies: int, seed: int) -> None:
    points = unit(np.random.default_rng(seed).normal(size=(count, 6)))
    points = np.repeat(points, copies, axis=0)
    tree = [(a, b) for _, a, b in merge_order(points, np.ones(len(points)))]
    each = [
        silhouettes(points, first_appearance(join(len(points), tree[: len(points) - k]))).mean()
        for k in range(2, len(points))
    ]
    assert np.allclose(cut_silhouettes(points, tree), each, atol=1e-5)


# --- time


@settings(max_examples=50, deadline=None)
@given(labels=st.lists(st.integers(0, 4), min_size=1, max_size=30), data=st.data())
def test_occurrences_are_maximal_runs_that_tile_the_timeline(
    labels: list[int], data: st.DataObject
) -> None:
    lengths = data.draw(
        st.lists(st.floats(0.1, 9), min_size=len(labels), max_size=len(labels)), label="lengths"
    )
    edges = np.concatenate([[0.0], np.cumsum(lengths)])
    spans = [
        SceneSpan(i, float(start), float(end)) for i, (start, end) in enumerate(pairwise(edges))
    ]
    clusters = first_appearance(labels)
    occurrences = find_occurrences(spans, clusters)
    runs = sorted((run, cluster) for cluster, each in enumerate(occurrences) for run in each)
    assert runs[0][0].start_s == 0.0
    assert runs[-1][0].end_s == edges[-1]
    for (run, cluster), (later, next_cluster) in pairwise(runs):
        assert run.end_s == later.start_s
        assert cluster != next_cluster
    for span, cluster in zip(spans, clusters, strict=True):
        inside = [r for r in occurrences[cluster] if r.start_s <= span.start_s < r.end_s]
        assert len(inside) == 1


def test_a_hole_in_the_timeline_ends_a_run() -> None:
    runs = find_occurrences([Span(0.0, 2.0), Span(3.0, 4.0), Span(4.0, 5.0)], [0, 0, 0])
    assert runs == ((Span(0.0, 2.0), Span(3.0, 5.0)),)


# --- names


def test_names_tell_clusters_apart_within_the_video() -> None:
    words = ["water", "boat", "diver"]
    axes = np.eye(3)
    # Every scene of this film shows water most of all: it names nothing.
    scenes = unit(np.array([axes[0] * 3 + axes[1], axes[0] * 3 + axes[2]]))
    assert name_clusters(scenes, words, axes, scenes) == ("boat", "diver")
    assert [ranked[0] for ranked in rank_words(scenes, words, axes, scenes)] == ["boat", "diver"]


def test_a_film_with_one_cluster_is_named_by_what_it_shows() -> None:
    words, axes = ["water", "boat"], np.eye(2)
    scene = unit(np.array([[0.2, 1.0]]))
    assert name_clusters(scene, words, axes, scene) == ("boat",)


@settings(max_examples=40, deadline=None)
@given(clusters=st.integers(1, 40), words=st.integers(1, 30), seed=st.integers(0, 99))
def test_names_never_repeat(clusters: int, words: int, seed: int) -> None:
    rng = np.random.default_rng(seed)
    vocabulary = [f"word {chr(97 + i)}" for i in range(words)]
    names = name_clusters(
        unit(rng.normal(size=(clusters, 6))), vocabulary, unit(rng.normal(size=(words, 6)))
    )
    assert len(names) == clusters
    assert len(set(names)) == clusters
    assert all(any(name.startswith(word) for word in vocabulary) for name in names)


def test_vocabulary_is_varied_and_clean() -> None:
    words = load_vocabulary()
    assert 1000 <= len(words) <= 1500
    assert len({word.casefold() for word in words}) == len(words)
    assert all(word == word.strip() and 0 < len(word) <= 40 for word in words)
    assert {"lecture slides", "a computer screen", "a cartoon", "a black screen"} <= set(words)


# --- one interface, more methods


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("noise", [0.1, 0.8])
def test_a_film_of_one_single_thing_is_one_cluster(method: str, noise: float) -> None:
    rng = np.random.default_rng(4)
    scenes = unit(rng.normal(size=(1, 256)) + noise * rng.normal(size=(40, 256)))
    clustering = SemanticClustering(method, "auto").fit(scenes)
    assert clustering.size == 1
    assert "one cluster" in clustering.reason


def test_auto_tells_two_tight_subjects_apart_however_alike_they_are() -> None:
    rng = np.random.default_rng(0)
    base, other = rng.normal(size=(2, 128))
    centres = np.repeat([base, base + 0.5 * other], 20, axis=0)
    scenes = unit(centres + 0.05 * rng.normal(size=(40, 128)))
    labels = SemanticClustering().fit(scenes).labels
    assert partition(labels) == {frozenset(range(20)), frozenset(range(20, 40))}


def test_hdbscan_leaves_noise_in_clusters_of_its_own() -> None:
    scenes, truth = subjects(returning=5, times=8, one_offs=12, noise=0.3)
    clustering = SemanticClustering("hdbscan").fit(scenes)
    for subject in range(5):  # none is torn apart, and none has a part in noise
        assert len(set(clustering.labels[truth == subject])) == 1
    alone = np.count_nonzero(np.bincount(clustering.labels) == 1)
    assert alone > 0
    assert f"{alone} scenes belong to none and stand alone" in clustering.reason


@pytest.mark.slow
@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("num_clusters", ["auto", 12])
def test_thousands_of_scenes_cluster_with_every_method(
    method: str, num_clusters: int | str
) -> None:
    scenes, truth = subjects(returning=12, times=300, noise=0.5)
    clustering = SemanticClustering(method, num_clusters).fit(scenes)
    assert partition(clustering.labels) == partition(truth)


@pytest.mark.slow
@pytest.mark.parametrize("method", ["kmeans", "agglomerative"])
def test_auto_agrees_with_itself_where_it_begins_to_draw_scenes(method: str) -> None:
    from sklearn.metrics import adjusted_rand_score

    scenes, truth = subjects(returning=60, times=45, one_offs=600, noise=0.9)
    below = SemanticClustering(method, "auto").fit(scenes[:2900])
    above = SemanticClustering(method, "auto").fit(scenes)
    assert adjusted_rand_score(below.labels, above.labels[:2900]) > 0.99
    assert adjusted_rand_score(truth, above.labels) > 0.99
    groups = [int((np.bincount(each.labels) > 1).sum()) for each in (below, above)]
    assert abs(groups[0] - groups[1]) <= 3
    alone = np.bincount(above.labels)[above.labels[truth >= 60]] == 1
    assert alone.mean() > 0.95
    assert "drawn at random" in above.reason
    assert "drawn at random" not in below.reason


@settings(max_examples=25, deadline=None)
@given(count=st.integers(3, 60), clusters=st.integers(2, 12), seed=st.integers(0, 99))
def test_k_means_settles_where_no_scene_is_nearer_to_another_mean(
    count: int, clusters: int, seed: int
) -> None:
    rng = np.random.default_rng(seed)
    clusters = min(clusters, count - 1)
    points, weights = unit(rng.normal(size=(count, 6))), rng.uniform(0.5, 9, count)
    start = np.concatenate([np.arange(clusters), rng.integers(0, clusters, count - clusters)])
    labels = kmeans(Problem(points, weights, clusters, 0, start.astype(np.int32)))
    assert set(labels.tolist()) == set(range(clusters))
    means = np.stack(
        [
            np.average(points[labels == k], axis=0, weights=weights[labels == k])
            for k in range(clusters)
        ]
    )
    distances = np.linalg.norm(points[:, None] - means, axis=2)
    assert (distances[np.arange(count), labels] <= distances.min(axis=1) + 1e-6).all()


def test_k_means_gives_a_cluster_that_lost_its_scenes_the_one_that_fits_worst() -> None:
    xs, ys = [[1, 0, 0], [1, 0.01, 0]], [[0, 1, 0], [0, 1, 0.3]]
    points = unit(np.array([*xs, *ys], np.float64))
    start = np.array([0, 2, 1, 2], np.int32)  # the third has a bit of both, and its mean nothing
    labels = kmeans(Problem(points, np.ones(4), 3, 0, start))
    assert labels.tolist() == [0, 0, 1, 2]


def test_estimator_can_be_cloned_and_predicts() -> None:
    from sklearn.base import clone

    scenes, truth = subjects(returning=4, times=6, noise=0.3)
    estimator = clone(SemanticClustering("agglomerative", 4, seed=2))
    assert estimator.get_params() == {"method": "agglomerative", "num_clusters": 4, "seed": 2}
    assert partition(estimator.fit_predict(scenes)) == partition(truth)
    assert partition(estimator.labels_) == partition(truth)
    assert estimator.clustering_.size == 4


@settings(max_examples=20, deadline=None)
@given(data=st.data(), method=st.sampled_from(METHODS), seed=st.integers(0, 50))
def test_links_are_honoured_by_every_method(data: st.DataObject, method: str, seed: int) -> None:
    scenes = unit(np.random.default_rng(seed).normal(size=(14, 6)))
    row = st.integers(0, 13)
    groups = st.lists(row, min_size=2, max_size=5, unique=True)
    held = data.draw(groups, label="together")
    together = [(held[0], other) for other in held[1:]]
    apart = data.draw(
        st.lists(st.tuples(row, row).filter(lambda p: not set(p) <= set(held)), max_size=3).filter(
            lambda pairs: all(a != b and not {a, b} & set(held) for a, b in pairs)
        ),
        label="apart",
    )
    labels = SemanticClustering(method, 4, seed).fit(scenes, None, together, apart).labels
    assert len({int(labels[r]) for r in held}) == 1
    assert all(labels[a] != labels[b] for a, b in apart)
    assert np.array_equal(labels, first_appearance(labels))


@settings(max_examples=25, deadline=None)
@given(count=st.integers(2, 40), seed=st.integers(0, 99))
def test_linkage_at_the_end_of_its_scale_is_ward(count: int, seed: int) -> None:
    points = np.random.default_rng(seed).normal(size=(count, 5)).astype(np.float32)
    ours = sorted(cost for cost, _, _ in merge_order(points, np.ones(count), exponent=1.0))
    theirs = [cost for cost, _, _ in ward_tree(points.astype(np.float64), np.ones(count))]
    assert np.allclose(ours, theirs)


def test_a_cluster_of_which_nothing_sure_can_be_said_gets_a_kind_of_thing() -> None:
    axes = np.eye(8)
    words, kinds = ["boat", "diver", "crown"], ["animals", "water"]
    clear_one, clear_two = axes[0] + 0.3 * axes[1], axes[2] + 0.3 * axes[1]
    vague = 0.25 * axes[3] + axes[4] + 0.5 * axes[5]
    scenes = unit(np.stack([clear_one, clear_two, vague]))
    described = describe_clusters(scenes, words, axes[[0, 2, 3]], scenes, kinds, axes[[5, 1]])
    assert [each.name for each in described] == ["boat", "diver", "animals"]
    assert [each.sure for each in described] == [True, True, False]
    assert described[0].words[0] == "boat"
    assert set(described[2].kinds) == set(kinds)


@pytest.mark.parametrize("noise", [0.0, 1e-7, 1e-5])
def test_auto_finds_subjects_whose_showings_are_the_same_but_for_rounding(noise: float) -> None:
    rng = np.random.default_rng(0)
    subjects = np.repeat(rng.normal(size=(40, 64)), 6, axis=0)
    scenes = subjects + noise * rng.normal(size=subjects.shape)
    scenes /= np.linalg.norm(scenes, axis=1, keepdims=True)
    found = SemanticClustering("kmeans", "auto", 0).fit(scenes.astype(np.float32))
    assert found.size == 40
    assert len({(a, b) for a, b in zip(found.labels, np.repeat(range(40), 6), strict=True)}) == 40


@settings(max_examples=50, deadline=None)
@given(seed=st.integers(0, 999), copies=st.integers(2, 6), noise=st.sampled_from([0.0, 1e-8, 1e-4]))
def test_silhouettes_of_near_copies_are_silhouettes(seed: int, copies: int, noise: float) -> None:
    rng = np.random.default_rng(seed)
    points = np.repeat(rng.normal(size=(5, 8)), copies, axis=0)
    points = points + noise * rng.normal(size=points.shape)
    points = (points / np.linalg.norm(points, axis=1, keepdims=True)).astype(np.float32)
    labels = rng.permutation(np.arange(len(points)) % 7).astype(np.int32)
    assert np.abs(silhouettes(points, labels)).max() <= 1
    tree = [(a, b) for _, a, b in merge_order(points, np.ones(len(points)))]
    assert np.abs(cut_silhouettes(points, tree)).max() <= 1
