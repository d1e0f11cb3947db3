"""Random convolutional kernels (ROCKET) with linear models, as pipelines on recordings."""

from typing import Any

from aeon.transformations.collection.convolution_based import Rocket
from sklearn.preprocessing import StandardScaler

from biomarkers.estimators.grouped_pipeline import PersonPipeline
from biomarkers.estimators.series_array import SeriesPanel

N_KERNELS = 10_000  # Dempster et al. 2020 (arXiv 1910.13051)


def rocket(*, seed: int = 0, n_kernels: int = N_KERNELS) -> Rocket:
    """ROCKET kernels: share of positive values and maximum of each, 2 `n_kernels` features.

    Normalization is the panel's: `scaling="recording"` is what the paper does, `training` keeps levels.
    """
    # aeon's own normalization works on each recording and would remove the levels that tell persons apart
    return Rocket(n_kernels=n_kernels, normalise=False, random_state=seed)


def kernel_pipeline(*, panel: SeriesPanel, kernels: Rocket, reader: Any) -> PersonPipeline:
    """Recordings to predictions: panel, kernels, features of unit variance, reader.

    Every step is fitted by `fit(recordings, y, groups)` alone. Readers: `biomarkers.estimators.linear`.
    """
    # kernels give shares and maxima of very different spread, which one penalty cannot serve unscaled
    return PersonPipeline(
        [("panel", panel), ("kernels", kernels), ("scale", StandardScaler()), ("reader", reader)]
    )
