"""Anchors against a loop over rows and columns."""

import numpy as np

from preprocessing.faces.anchors import anchors


def test_anchors_are_the_middles_of_the_cells_row_by_row():
    expected = [((column + 0.5) / 48, (row + 0.5) / 48) for row in range(48) for column in range(48)]
    assert anchors().shape == (2304, 2)
    assert np.allclose(anchors(), expected, atol=1e-6)
