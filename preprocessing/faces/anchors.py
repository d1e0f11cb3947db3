"""Anchors of the full-range face detector: where each of its answers is counted from.

The published graph of MediaPipe (Apache-2.0) has one layer of stride 4 with one anchor of fixed size a cell,
in a picture of 192 pixels: 48 rows of 48.
"""

import numpy as np
from numpy.typing import NDArray

DETECTOR_SIDE = 192
_STRIDE = 4


def anchors(side: int = DETECTOR_SIDE, stride: int = _STRIDE) -> NDArray[np.float32]:
    """Centers of the cells ``(N, 2)``, x and y as shares of the picture, row by row.

    .. math:: a_{rc} = ((c + 1/2) s, (r + 1/2) s) / S
    """
    middles = (np.arange(side // stride, dtype=np.float32) + 0.5) * stride / side
    y, x = np.meshgrid(middles, middles, indexing="ij")
    return np.stack([x.ravel(), y.ravel()], axis=1)
