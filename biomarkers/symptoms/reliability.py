"""Reliability of a questionnaire: coefficients alpha and omega.

Coefficient alpha (Cronbach 1951) of `J` items with covariances `S` is `J / (J - 1) (1 - tr S / sum S)`.
Coefficient omega (McDonald 1999) of the one-factor model `x_j = l_j f + e_j` is
`(sum l_j)^2 / ((sum l_j)^2 + sum var(e_j))`; the model is fitted by maximum likelihood to the covariances.
Alpha equals omega where all loadings are equal and is lower elsewhere. Both treat answers as continuous.
"""

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from sklearn.decomposition import FactorAnalysis

from evaluation.uncertainty.bootstrap import Estimate, Resampling, interval_of, subject_weights

Array = NDArray[np.float64]

_STEPS, _TOLERANCE = 2000, 1e-5  # of the fit: iterations, and change of the log likelihood


def reliability(items: pd.DataFrame, resampling: Resampling) -> dict[str, Estimate]:
    """`alpha` and `omega` of answers (N, J), a row a person, with 95 % bootstrap intervals over persons.

    Raises:
        ValueError: Fewer than three items, gaps, or an item that never varies.
    """
    answers = items.to_numpy(dtype=np.float64)
    if answers.shape[1] < 3:
        raise ValueError(f"{answers.shape[1]} items: one factor needs at least three")
    if not np.isfinite(answers).all():
        raise ValueError(
            f"{int((~np.isfinite(answers)).any(axis=1).sum())} persons have gaps: leave them out"
        )
    if (still := np.flatnonzero(np.ptp(answers, axis=0) == 0)).size:
        raise ValueError(f"everybody answers {items.columns[still[0]]} alike: leave it out")
    covariances = [
        np.cov(answers, rowvar=False, fweights=weights.astype(np.int64))
        for block in subject_weights(range(len(answers)), resampling)
        for weights in block
    ]
    whole = np.cov(answers, rowvar=False)
    return {
        name: interval_of(measure(whole), np.array([measure(own) for own in covariances]))
        for name, measure in (("alpha", alpha), ("omega", omega))
    }


def alpha(covariance: Array) -> float:
    """Cronbach's alpha of item covariances (J, J); NaN without variance.

    Examples:
        >>> alpha(np.array([[1.0, 0.5], [0.5, 1.0]])).__round__(3)
        0.667
    """
    items, total = len(covariance), float(covariance.sum())
    return items / (items - 1) * (1 - float(np.trace(covariance)) / total) if total > 0 else np.nan


def omega(covariance: Array) -> float:
    """McDonald's omega of item covariances (J, J); NaN where an item has no variance.

    Items are standardized for the fit and the loadings brought back to the units of the answers.
    """
    spread = np.sqrt(np.diag(covariance))
    if not (spread > 0).all():
        return np.nan
    loading, unique = _one_factor(covariance / np.outer(spread, spread))
    common = float((loading * spread).sum()) ** 2
    return common / (common + float((unique * spread**2).sum()))


def _one_factor(correlation: Array) -> tuple[Array, Array]:
    """Loadings and unique variances (J,) of one factor.

    The likelihood knows the data by their covariances only, so `2 J` rows that have them stand for all.
    """
    values, vectors = np.linalg.eigh(correlation)
    root = vectors * np.sqrt(np.clip(values, 0, None))
    rows = np.concatenate([root.T, -root.T]) * np.sqrt(len(correlation))  # mean 0, covariance (ddof=0) kept
    model = FactorAnalysis(n_components=1, max_iter=_STEPS, tol=_TOLERANCE, svd_method="lapack").fit(rows)
    return model.components_[0], model.noise_variance_
