"""How common symptoms are: a monotone map of traits, after which totals follow a histogram of real persons.

A trait is standard normal in the cohort as it is, so that half of all persons have symptoms. Among pupils
most have none. ``theta = F^-1(Phi(trait))`` keeps who is worse than whom; ``F`` is the distribution of
``theta`` under which the graded response model gives the published counts of totals, by nonparametric maximum
likelihood (Kiefer & Wolfowitz 1956; Laird 1978) on a grid, by expectation-maximization.
"""

from __future__ import annotations

import functools

import numpy as np
import numpy.typing as npt
from scipy.special import expit, ndtri

FloatArray = npt.NDArray[np.float64]

# Pupils by raw total 0-21 of each subscale of the DASS-21: 11,427 of primary grade 1 to senior grade 3, Xu
# et al., "Faces of the Mind" (arXiv 2405.20072), from tables in their public code (github.com/njnklab/FACES).
SCHOOL: dict[str, tuple[int, ...]] = {
    "depression": (
        4169, 1732, 1170, 1000, 725, 530, 456, 445, 268, 204, 148,
        117, 91, 87, 68, 54, 41, 32, 26, 32, 14, 18,
    ),
    "anxiety": (
        3327, 1764, 1328, 1156, 848, 643, 535, 500, 353, 251, 180,
        141, 113, 75, 56, 57, 31, 24, 19, 10, 4, 12,
    ),
    "stress": (
        2964, 1249, 1018, 1010, 936, 810, 778, 743, 522, 343, 270,
        189, 186, 123, 71, 58, 51, 38, 29, 20, 8, 11,
    ),
}  # fmt: skip
_GRID = np.linspace(-4.0, 6.0, 201)  # our choice: at its ends all items are answered 0, or 3
_ROUNDS = 2000


def total_distribution(
    theta: FloatArray, discriminations: FloatArray, difficulties: FloatArray
) -> FloatArray:
    """Probability of every total, ``(len(theta), 3 J + 1)``, under the graded response model.

    Args:
        theta: traits.
        discriminations: of the items, ``(J,)``.
        difficulties: of their three steps, ``(J, 3)``, rising.
    """
    out = np.ones((len(theta), 1))
    for slope, steps in zip(discriminations, difficulties, strict=True):
        reached = expit(slope * (theta[:, None] - steps))
        chance = -np.diff(reached, axis=1, prepend=1.0, append=0.0)  # of the answers 0 to 3
        padded = np.zeros((len(theta), out.shape[1] + 3))
        for answer in range(4):
            padded[:, answer : answer + out.shape[1]] += chance[:, [answer]] * out
        out = padded
    return out


@functools.cache
def _calibrated(
    counts: tuple[int, ...], slopes: tuple[float, ...], steps: tuple[tuple[float, ...], ...]
) -> tuple[FloatArray, FloatArray]:
    """Grid of traits and what each becomes; the arguments are tuples so that it is computed once."""
    share = np.array(counts) / sum(counts)
    chance = total_distribution(_GRID, np.array(slopes), np.array(steps))
    weight = np.full(len(_GRID), 1 / len(_GRID))
    for _ in range(_ROUNDS):
        weight = weight * (chance @ (share / (weight @ chance)))
    below = np.cumsum(weight) - weight / 2
    return ndtri(np.clip(below, 1e-12, 1 - 1e-12)), _GRID


def school_trait(
    trait: FloatArray, subscale: str, discriminations: FloatArray, difficulties: FloatArray
) -> FloatArray:
    """What standard normal traits become among pupils, so that totals of `subscale` follow `SCHOOL`.

    Args:
        trait: standard normal, of any shape.
        subscale: key of `SCHOOL`.
        discriminations: of the items of this subscale, ``(J,)``.
        difficulties: of their steps, ``(J, 3)``.
    """
    steps = tuple(tuple(row) for row in difficulties.tolist())
    grid, theta = _calibrated(SCHOOL[subscale], tuple(discriminations.tolist()), steps)
    mapped: FloatArray = np.interp(trait, grid, theta)
    return mapped
