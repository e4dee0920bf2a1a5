"""What clusters and moments come to where only a part of the film counts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from semantic_video.records import Cluster, Moment, Scene, Span
from semantic_video.utils.visualization.timeline import spans_inside


def clusters_of(
    scenes: Sequence[Scene], clusters: Sequence[Cluster], shown: Span
) -> tuple[Cluster, ...]:
    """What the clusters are where only ``scenes`` count, in order of time.

    Times on screen are those within ``shown``, into which each of the scenes reaches.

    A medoid that is not among them gives way to the cluster's longest scene.
    """
    own: dict[int, list[Scene]] = {}
    for scene in scenes:
        own.setdefault(scene.cluster, []).append(scene)
    kept = []
    for cluster in clusters:
        members = own.get(cluster.id)
        if members is None:
            continue
        ids = tuple(scene.id for scene in members)
        occurrences: list[Span] = []
        for scene in members:
            if occurrences and occurrences[-1].end_s == scene.start_s:
                occurrences[-1] = Span(occurrences[-1].start_s, scene.end_s)
            else:
                occurrences.append(Span(scene.start_s, scene.end_s))
        medoid, at = cluster.medoid_scene, cluster.medoid_s
        if medoid not in ids:
            longest = max(members, key=lambda scene: scene.end_s - scene.start_s)
            medoid, at = longest.id, (longest.start_s + longest.end_s) / 2
        kept.append(
            replace(
                cluster,
                scenes=ids,
                occurrences=tuple(occurrences),
                total_s=sum(span.duration_s for span in spans_inside(occurrences, shown)),
                medoid_scene=medoid,
                medoid_s=at,
            )
        )
    return tuple(kept)


def rests_on(result: Sequence[Moment], candidates: Sequence[Moment]) -> list[Moment]:
    """The moments of a phrase that the results of a query are made of.

    Those are at least as sure as the result, and within its time; of `before` and `after`, whose
    other side lies outside, the surest.
    """
    least = min((moment.probability or 0.0 for moment in result), default=1.0)
    sure = [moment for moment in candidates if (moment.probability or 0.0) >= least]
    within = [
        moment
        for moment in sure
        if any(
            moment.start_s < one.end_s
            and moment.end_s > one.start_s
            and (moment.probability or 0.0) >= (one.probability or 0.0)
            for one in result
        )
    ]
    return within or sure[:1]
