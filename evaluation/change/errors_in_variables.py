r"""Linear regression on regressors that are measured with a known error, by corrected moments.

For `y = T b + e`, where T is seen as Z = T + u and the error u of row r has the covariance O_r,

    b = (Z'Z - O)^{-1} Z'y,    O = \sum_r O_r
    var(e) = S / (S - p) mean (y - Zb)^2 - mean b'O_r b

(Fuller 1987, Measurement Error Models, 2.2 and 3.1); plain least squares finds slopes that are too small and
residuals that are too large. Rows of one person are not independent: the degrees of freedom are counted in
the S persons. The variance is that of each group of rows. Letters: `R` rows, `G` groups, `p` coefficients.
"""

from collections.abc import Iterator
from dataclasses import dataclass, fields

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float64]

_SINGULAR = 1e-6  # smallest eigenvalue, of columns of unit length: our choice


@dataclass(frozen=True)
class Moments:
    """Sums over rows that the regression needs, by person (S, G, ...) or of several persons (G, ...)."""

    square: Array  # (..., p, p) of Z'Z
    error: Array  # (..., p, p) of O
    cross: Array  # (..., p) of Z'y
    response: Array  # (...) of y'y
    rows: Array  # (...) number of rows
    persons: Array  # (...) number of persons, those without rows in the group included

    @classmethod
    def of(
        cls, design: Array, error: Array, response: Array, person: NDArray[np.int_], group: NDArray[np.int_]
    ) -> "Moments":
        """Sums by person and group.

        Args:
            design: Z (R, p).
            error: covariances O_r (R, p, p), zero where a column has no error.
            response: y (R,).
            person: number of the person of each row (R,), from 0.
            group: number of the group of each row (R,), from 0.
        """
        shape = (int(person.max()) + 1, int(group.max()) + 1)

        def summed(values: Array) -> Array:
            out = np.zeros((*shape, *values.shape[1:]))
            np.add.at(out, (person, group), values)
            return out

        return cls(
            square=summed(design[:, :, None] * design[:, None, :]),
            error=summed(error),
            cross=summed(design * response[:, None]),
            response=summed(response**2),
            rows=summed(np.ones(len(response))),
            persons=np.ones(shape),
        )

    def total(self) -> "Moments":
        """Of all persons together."""
        return Moments(*(getattr(self, field.name).sum(axis=0) for field in fields(self)))

    def without_each(self) -> Iterator["Moments"]:
        """Of all persons but one, each in turn."""
        whole = self.total()
        for one in range(len(self.rows)):
            yield Moments(*(getattr(whole, f.name) - getattr(self, f.name)[one] for f in fields(self)))

    def part(self, count: int) -> "Moments":
        """Of the regression on the first columns."""
        own = slice(0, count)
        return Moments(
            self.square[..., own, own], self.error[..., own, own], self.cross[..., own], self.response,
            self.rows, self.persons,
        )  # fmt: skip


@dataclass(frozen=True)
class Regression:
    """Coefficients (p,), and by group (G,) the variance of `e` and that of the residuals.

    Groups without rows have the variance NaN.
    """

    coefficients: Array
    variance: Array
    residual: Array


def regress(moments: Moments) -> Regression | None:
    """The regression of several persons; None where the regressors, their errors taken out, do not vary.

    Args:
        moments: Of `total`, or one of `without_each`.
    """
    square, error, cross = (own.sum(axis=0) for own in (moments.square, moments.error, moments.cross))
    scale, persons = np.sqrt(np.diag(square)), float(moments.persons[0])
    left, spare = square - error, persons - len(scale)
    if spare < 1 or not (scale > 0).all():
        return None
    if np.linalg.eigvalsh(left / np.outer(scale, scale)).min() <= _SINGULAR:
        return None
    b = np.linalg.solve(left, cross)
    squares = moments.response - 2 * moments.cross @ b + moments.square @ b @ b
    rows = np.where(moments.rows > 0, moments.rows, np.nan)
    residual = persons / spare * np.maximum(squares, 0.0) / rows
    return Regression(b, residual - moments.error @ b @ b / rows, residual)
