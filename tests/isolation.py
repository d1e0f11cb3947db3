"""Check that nothing fitted has seen the test rows: fit again with other test rows and compare.

A scaler, a component analysis, a feature selection or an imputation that is fitted before the split looks
right in code review and inflates results (Kapoor & Narayanan, Patterns 4, 100804, 2023, types L1.2 and
L1.3). It gives itself away: what it predicts changes with rows it must not know.
"""

from collections.abc import Callable

import numpy as np
from numpy.typing import ArrayLike, NDArray

Array = NDArray[np.float64]
Rows = NDArray[np.int_]
Predictor = Callable[[Array], Array]
Procedure = Callable[[Array, Array, Rows, Rows], Predictor]

_ROUNDS = 8  # our choice: a selection of few columns may survive one draw of other test rows
_SPREAD = 10.0  # our choice: noise this many standard deviations wide moves every scaler and every ranking


class IsolationError(ValueError):
    """A procedure that learned from rows it is to be tested on."""


def check_isolated(
    procedure: Procedure,
    features: ArrayLike,
    target: ArrayLike,
    *,
    train: ArrayLike,
    test: ArrayLike,
    seed: int = 0,
) -> None:
    """Stop if what a procedure learns depends on the features or the target of the test rows.

    Args:
        procedure: `procedure(features, target, train, test)` does everything that is fitted, from selection
            to estimator, and returns `predict(features)`. It must be deterministic.
        features: (N, F).
        target: (N,).
        train: Row numbers it may learn from.
        test: Row numbers it is tested on; what it does with them must not change what it learned.
        seed: Of the noise that takes the place of the test rows.

    Raises:
        IsolationError: Predictions for the training rows change when the test rows do.
        ValueError: The procedure is not deterministic, so that nothing can be said.
    """
    x, y = np.asarray(features, dtype=np.float64), np.asarray(target, dtype=np.float64)
    fit, held = np.asarray(train, dtype=np.int_), np.asarray(test, dtype=np.int_)
    learned, again = (procedure(x.copy(), y.copy(), fit, held)(x[fit].copy()) for _ in range(2))
    if not np.array_equal(learned, again):
        raise ValueError(
            "two fits on the same rows differ: give the procedure a fixed seed, then check again"
        )
    rng = np.random.default_rng(seed)
    for _ in range(_ROUNDS):
        for what, other_x, other_y in (
            ("features", _noise(x, held, rng), y),
            ("target", x, _other_target(x, y, fit, held, rng)),
        ):
            changed = procedure(other_x, other_y.copy(), fit, held)(x[fit].copy())
            _require_equal(learned, changed, f"the {what} of the {held.size} test rows")


def _require_equal(learned: Array, changed: Array, what: str) -> None:
    if not np.array_equal(learned, changed):
        moved = float(np.max(np.abs(learned - changed)))
        raise IsolationError(
            f"{what} change what was learned (a prediction for a training row moves by {moved:.3g}): "
            "fit scaling, selection and imputation on the training rows only, e.g. in one sklearn Pipeline"
        )


def _noise(x: Array, rows: Rows, rng: np.random.Generator) -> Array:
    other = x.copy()
    spread = np.nanstd(x, axis=0) + 1.0
    other[rows] = np.nanmean(x, axis=0) + _SPREAD * spread * rng.standard_normal((rows.size, x.shape[1]))
    return other


def _other_target(x: Array, y: Array, train: Rows, rows: Rows, rng: np.random.Generator) -> Array:
    """Values of training rows in the order of a random feature: a selection by them would choose it."""
    other = y.copy()
    column = rng.choice([-1.0, 1.0]) * x[rows, rng.integers(x.shape[1])]
    other[rows[np.argsort(column)]] = np.sort(rng.choice(y[train], size=rows.size))
    return other
