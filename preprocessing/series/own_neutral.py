"""Channels relative to the person's own neutral, so that faces and cameras can be compared."""

from collections.abc import Mapping

import numpy as np
from numpy.typing import NDArray

from preprocessing.series.head import Array

STILL = 0.002  # our choice, in units or radians: less than landmarks tremble, so a still face stays near 0
_NORMAL = 1.4826  # the standard deviation of a normal distribution in its median absolute deviations


def from_own_neutral(channels: Mapping[str, Array], usable: NDArray[np.bool_]) -> dict[str, Array]:
    """Channels ``(N,)`` as robust z values, under their names and `_rel`.

    The neutral is the median over usable frames (Baltrusaitis et al., FG 2015, subtract a median face), the
    unit 1.4826 median absolute deviations, and at least `STILL`.
    """
    found = {}
    for name, values in channels.items():
        neutral = np.median(values[usable])
        spread = _NORMAL * np.median(np.abs(values[usable] - neutral))
        found[f"{name}_rel"] = (values - neutral) / max(spread, STILL)
    return found
