"""The colours of the pictures: one for each cluster of a film, the same in all of them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from semantic_video.records import Cluster

# Paul Tol's "muted" scheme (SRON/EPS/TN/09-002), made for colour-blind readers; ordered so that
# neighbours differ in lightness too, which survives a black and white print.
COLOURS = (
    "#332288",
    "#CC6677",
    "#117733",
    "#88CCEE",
    "#882255",
    "#DDCC77",
    "#44AA99",
    "#AA4499",
    "#999933",
)
MARK = "#222222"
"""For what was said and written."""
GREY = "#777777"
"""For what has no colour of its own, such as clusters that share a row."""


def cluster_colours(clusters: Sequence[Cluster]) -> Mapping[int, str]:
    """A colour for each cluster of a film, by its id.

    Those with most time on screen have colours of their own; beyond as many as there are in
    `COLOURS` they come again. Give the clusters of the whole film also where a picture shows less.
    """
    order = sorted(clusters, key=lambda cluster: (-cluster.total_s, cluster.id))
    return {cluster.id: COLOURS[place % len(COLOURS)] for place, cluster in enumerate(order)}
