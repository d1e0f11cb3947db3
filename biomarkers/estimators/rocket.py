"""Random convolutional kernels (ROCKET) with linear models, as pipelines on recordings."""

from typing import Any

import numba
import torch
from aeon.transformations.collection.convolution_based import MiniRocket, Rocket
from sklearn.preprocessing import StandardScaler

from biomarkers.estimators.grouped_pipeline import PersonPipeline
from biomarkers.estimators.series_array import SeriesPanel

N_KERNELS = 10_000  # Dempster et al. 2020 (arXiv 1910.13051)


def rocket(*, seed: int = 0, n_kernels: int = N_KERNELS) -> Rocket:
    """ROCKET kernels: share of positive values and maximum of each, 2 `n_kernels` features.

    Normalization is the panel's: `scaling="recording"` is what the paper does, `training` keeps levels.
    """
    _start_threads()
    # aeon's own normalization works on each recording and would remove the levels that tell persons apart
    return Rocket(n_kernels=n_kernels, normalise=False, random_state=seed)


def mini_rocket(*, seed: int = 0, n_kernels: int = N_KERNELS) -> MiniRocket:
    """MiniRocket's kernels (Dempster et al. 2021, arXiv 2012.08791): the share of positive values of each."""
    _start_threads()
    return MiniRocket(n_kernels=n_kernels, random_state=seed)


def _start_threads() -> None:
    """Start numba's threads and leave torch's number as it was.

    Both share one OpenMP. Where numba starts later, torch goes on with a thread a core, and processes that
    were given one thread each, such as workers side by side, hold each other up a hundredfold.
    """
    before = torch.get_num_threads()
    numba.set_num_threads(min(before, numba.config.NUMBA_NUM_THREADS))
    torch.set_num_threads(before)


def kernel_pipeline(*, panel: SeriesPanel, kernels: Rocket, reader: Any) -> PersonPipeline:
    """Recordings to predictions: panel, kernels, features of unit variance, reader.

    Every step is fitted by `fit(recordings, y, groups)` alone. Readers: `biomarkers.estimators.linear`.
    """
    # kernels give shares and maxima of very different spread, which one penalty cannot serve unscaled
    return PersonPipeline(
        [("panel", panel), ("kernels", kernels), ("scale", StandardScaler()), ("reader", reader)]
    )
