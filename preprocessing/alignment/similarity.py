"""Similarities between the crop and the frame, as two complex numbers each.

A point of the plane is a complex number ``x + iy`` and a similarity is ``z -> a z + b``: ``|a|`` is the
scale, ``arg a`` the angle, ``b`` the shift. All four parameters are linear in the points they are fitted to.
"""

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

ComplexArray = NDArray[np.complex128]


@dataclass(frozen=True, kw_only=True, eq=False)
class Similarities:
    """One similarity a frame; NaN where there is none.

    Attributes:
        turn: ``(T,)`` scale and angle, `a`.
        shift: ``(T,)`` shift, `b`.
    """

    turn: ComplexArray
    shift: ComplexArray

    def __call__(self, points: ComplexArray) -> ComplexArray:
        """Take the same points ``(R,)`` through each similarity ``(T, R)``."""
        return np.asarray(self.turn[:, None] * points + self.shift[:, None])

    def inverse_matrices(self) -> NDArray[np.float64]:
        """Matrices ``(T, 2, 3)`` of the way back, ``z -> (z - b) / a``."""
        with np.errstate(divide="ignore", invalid="ignore"):
            turn = 1 / self.turn
            shift = -self.shift * turn
        rows = [[turn.real, -turn.imag, shift.real], [turn.imag, turn.real, shift.imag]]
        return np.moveaxis(np.array(rows), -1, 0)


def as_complex(points: NDArray[np.floating]) -> ComplexArray:
    """Points ``(..., 2 or more)`` as complex numbers ``(...)``."""
    return np.asarray(points[..., 0].astype(np.float64) + 1j * points[..., 1].astype(np.float64))


def fit(template: ComplexArray, points: ComplexArray) -> Similarities:
    """Least squares from a template ``(R,)`` to points ``(T, R)`` (Umeyama 1991, in the plane, no mirror).

    With means taken away, ``a = sum(conj(t) p) / sum(|t|^2)``; then ``b = mean(p) - a mean(t)``.
    """
    center = template.mean()
    centered = template - center
    middle = points.mean(axis=1)
    turn = (points - middle[:, None]) @ centered.conj() / np.sum(np.abs(centered) ** 2)
    return Similarities(turn=turn, shift=middle - turn * center)


def bounded(
    smooth: Similarities, measured: Similarities, template: ComplexArray, limit: NDArray[np.float64]
) -> Similarities:
    """Draw smoothed similarities back until no template point is over `limit` from its measured place.

    Args:
        smooth: After smoothing.
        measured: Before it.
        template: Points ``(R,)`` that are compared.
        limit: Largest distance ``(T,)``, in the unit of the frame.
    """
    turn, shift = smooth.turn - measured.turn, smooth.shift - measured.shift
    away = np.abs(Similarities(turn=turn, shift=shift)(template)).max(axis=1)
    # Places are linear in the parameters, so the share of the way is the share of the parameters.
    share = np.minimum(1.0, limit / np.maximum(away, 1e-12))
    return Similarities(turn=measured.turn + share * turn, shift=measured.shift + share * shift)
