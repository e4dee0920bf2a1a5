"""Ways of arrows on the map."""

from __future__ import annotations

import numpy as np
import pytest

from semantic_video.utils.visualization.ways import ways


def test_ways_end_at_boxes_and_go_round_others() -> None:
    boxes = np.array([[0, 4, 1, 5], [9, 4, 10, 5], [4, 4, 6, 5.0]])
    none = np.empty((0, 4))
    (way,) = ways(boxes, none, [(0, 1)], 5)
    assert way is not None
    assert way.points[0, 0] == pytest.approx(1.0, abs=0.06)
    assert way.points[2, 0] == pytest.approx(9.0, abs=0.06)
    assert way.covered < 0.05
    wall = np.array([[5, -50, 5.5, 50.0]])
    assert ways(boxes, wall, [(0, 1)], 5) == [None]  # over a name
    thick = np.concatenate([boxes[:2], np.array([[2, -50, 8, 50.0]])])
    assert ways(thick, none, [(0, 1)], 5) == [None]  # over pictures for most of its length
    assert ways(boxes, none, [(0, 1), (1, 2)], 1)[1] is None
