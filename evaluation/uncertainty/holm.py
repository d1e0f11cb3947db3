"""Correction for multiple testing (Holm)."""

import numpy as np
from numpy.typing import ArrayLike, NDArray


def holm(p_values: ArrayLike) -> NDArray[np.float64]:
    """Adjusted p-values (n,) by the step-down procedure of Holm (1979); NaN stays NaN and is not counted.

    Sorted ascending, `p_(i)` becomes `max_{j <= i} min(1, (n - j + 1) p_(j))`.

    Raises:
        ValueError: a value outside 0 to 1.

    Examples:
        >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
        [0.03, 0.06, 0.06]
    """
    p = np.asarray(p_values, dtype=np.float64)
    if ((p < 0) | (p > 1)).any():
        raise ValueError(f"p-values lie between 0 and 1, got {p[(p < 0) | (p > 1)][:3].tolist()}")
    adjusted = np.full(p.shape, np.nan)
    known = np.flatnonzero(np.isfinite(p))
    order = known[np.argsort(p[known], kind="stable")]
    factors = np.arange(order.size, 0, -1)
    adjusted[order] = np.minimum(np.maximum.accumulate(factors * p[order]), 1.0)
    return adjusted
