"""What clusters and moments come to in a part of the film."""

from __future__ import annotations

from semantic_video.records import Moment, Span
from semantic_video.utils.visualization.stretches import clusters_of, rests_on
from tests.utils.visualization.films import film


def moment(start_s: float, end_s: float, probability: float) -> Moment:
    return Moment("film.mp4", start_s, end_s, probability, probability, 0, "", start_s)


def test_clusters_of_a_stretch_count_what_lies_in_it() -> None:
    made = film(10, 3, 100.0)
    shown = Span(15.0, 38.0)
    scenes = [s for s in made.scenes if s.end_s > shown.start_s and s.start_s < shown.end_s]
    clusters = clusters_of(scenes, made.clusters, shown)
    assert {scene for cluster in clusters for scene in cluster.scenes} == {1, 2, 3}
    assert sum(cluster.total_s for cluster in clusters) == 23.0
    assert all(cluster.medoid_scene in cluster.scenes for cluster in clusters)


def test_a_result_rests_on_what_is_as_sure_and_within_it() -> None:
    result = [moment(10, 30, 0.05), moment(60, 70, 0.02)]
    inside, early, unsure = moment(20, 30, 0.1), moment(0, 5, 0.9), moment(10, 20, 0.03)
    weak = moment(60, 65, 0.02)
    assert rests_on(result, [early, inside, unsure, weak]) == [inside, weak]
    assert rests_on(result, [early, moment(10, 20, 0.01)]) == [early]  # the other side of `before`
    assert rests_on([], [early]) == []
