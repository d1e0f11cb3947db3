"""Symptom discrepancy: how differently persons of the same total, or of the same severity, answer.

Xu et al., "Faces of the Mind" (arXiv 2405.20072), as their public code defines it. Of standardized items
`z_ij = (x_ij - mean_j) / std_j`, groups `g` and their centroids `c_g`,

    d_i = || z_i - c_g(i) ||,   d'_i = (d_i - min d) / (max d - min d),   GDI_g = mean_g(d') + std_g(d'),
    SDI = sum_g n_g GDI_g / sum_g n_g,

all standard deviations with `ddof=1`. The public scripts differ among themselves; what they do is an option
here, except that the one which groups by the sum of *standardized* items and the one which mixes up its rows
are mistakes. A distance of 0 at the lowest and at the highest total is arithmetic, not likeness of persons:
read a value beside its null (`discrepancy_uncertainty.py`).
"""

from dataclasses import dataclass
from typing import Literal, Self

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from biomarkers.symptoms.distances import (
    Array,
    Center,
    Codes,
    Normalization,
    centroids,
    distances,
    group_moments,
    item_moments,
    limits,
)
from datamodules.manifests.scales import SCALES

Grouping = Literal["score", "severity"]

_DECIMALS = 6  # of totals: sums of rescaled answers are equal up to rounding errors
UNSEEN = "nobody of this group was fitted"


class SymptomDiscrepancy(BaseEstimator):  # type: ignore[misc]  # sklearn is untyped
    """Distance of a person's answers to those of persons with the same total, or of the same severity.

    Args:
        grouping: `score` groups by the total, `severity` by the band of it.
        center: `group` measures from the centroid of the group, `global` from the mean of everybody fitted
            (as the published removal scripts do).
        normalization: `range` is min-max over the persons fitted, as defined; one extreme person moves all
            values. `quantile` uses their 1 % and 99 % quantiles instead (our choice). `none` keeps distances.
            Persons beyond those fitted lie below 0 or above 1.
        scale: Name of the scale, whose bands and doubling `severity` needs.
    """

    def __init__(
        self,
        *,
        grouping: Grouping = "score",
        center: Center = "group",
        normalization: Normalization = "range",
        scale: str | None = None,
    ) -> None:
        self.grouping = grouping
        self.center = center
        self.normalization = normalization
        self.scale = scale

    def fit(self, items: pd.DataFrame, y: object = None) -> Self:
        """Learn item moments, group centroids and the limits of the normalization.

        Args:
            items: Raw answers (N, J), complete; `datamodules.manifests.questionnaires` checks their range.
            y: Ignored.

        Raises:
            ValueError: An answer is missing, an item never varies, all distances are equal, or an option
                is not known.
        """
        self._check_options()
        answers = self._complete(items)
        self.columns_ = tuple(map(str, items.columns))
        self.mean_, self.std_ = item_moments(answers)
        if (still := np.flatnonzero(~(self.std_ > 0))).size:
            raise ValueError(
                f"everybody fitted answers {self.columns_[still[0]]} alike; leave it out or fit more persons"
            )
        self.groups_, codes = np.unique(self._group(self._total(answers)), return_inverse=True)
        self.centroids_ = centroids(answers, codes, len(self.groups_))
        distance = self._distance(answers, codes)
        # kept from the persons fitted: limits of those who are asked would change with their company
        self.low_, self.high_ = limits(distance, self.normalization)
        if not self.low_ < self.high_:
            raise ValueError(f"all distances are {self.low_:g}: they have no range; use normalization='none'")
        return self

    def per_person(self, items: pd.DataFrame) -> pd.DataFrame:
        """Total (raw sum), group, distance and discrepancy of any persons, with the index of `items`.

        `group` is the raw total or the number of the band, from 0. Where no distance can be told it is NaN
        and `reason` says why; else `reason` is empty.

        Raises:
            ValueError: Other columns than those fitted.
        """
        check_is_fitted(self)
        if (names := tuple(map(str, items.columns))) != self.columns_:
            raise ValueError(f"fitted on {self.columns_}, asked about {names}: give the same items in order")
        answers = items.to_numpy(dtype=np.float64).T
        reason = _unanswered(items)
        complete = reason == ""
        total = self._total(answers)
        group = np.full(len(items), np.nan)
        group[complete] = self._group(total[complete])
        # An unseen group lands on a neighbor: its code only keeps the arithmetic going, and the reason below
        # blanks the distance. A center that everybody shares needs no group, so there nobody is unseen.
        codes = np.clip(np.searchsorted(self.groups_, group), 0, len(self.groups_) - 1)
        if self.center == "group":
            reason[complete & (self.groups_[codes] != group)] = UNSEEN
        distance = np.where(reason == "", self._distance(answers, codes), np.nan)
        return pd.DataFrame(
            {
                "total": total,
                "group": group,
                "distance": distance,
                "discrepancy": (distance - self.low_) / (self.high_ - self.low_),
                "reason": reason,
            },
            index=items.index,
        )

    def _check_options(self) -> None:
        known = {
            "grouping": ("score", "severity"),
            "center": ("group", "global"),
            "normalization": ("range", "quantile", "none"),
        }
        for name, values in known.items():
            if (value := getattr(self, name)) not in values:
                raise ValueError(f"{name}={value!r}: choose {' or '.join(map(repr, values))}")
        if self.grouping == "severity" and self.scale not in SCALES:
            raise ValueError(f"scale={self.scale!r}: severity needs the bands of one of {', '.join(SCALES)}")

    def _complete(self, items: pd.DataFrame) -> Array:
        reason = _unanswered(items)
        if (gaps := np.flatnonzero(reason != "")).size:
            raise ValueError(
                f"{len(gaps)} of {len(items)} persons have gaps, e.g. {items.index[gaps[0]]}: "
                f"{reason[gaps[0]]}; fit on complete questionnaires"
            )
        if len(items) < 2:
            raise ValueError(f"{len(items)} persons: a discrepancy needs at least two")
        return np.asarray(items.to_numpy(dtype=np.float64).T)

    def _total(self, answers: Array) -> Array:
        return np.asarray(np.round(answers.sum(axis=0), _DECIMALS))

    def _group(self, total: Array) -> Array:
        if self.grouping == "score" or self.scale is None:
            return total
        scale = SCALES[self.scale]
        values, where = np.unique(total, return_inverse=True)
        return np.array([scale.band(value * (2 if scale.doubled else 1)) for value in values])[where]

    def _distance(self, answers: Array, codes: Codes) -> Array:
        if self.center == "global":
            return distances(answers, self.mean_[:, None], self.std_, np.zeros_like(codes))
        return distances(answers, self.centroids_, self.std_, codes)


@dataclass(frozen=True, eq=False)
class DiscrepancyIndex:
    """The index, and the table it is the mean of: group, n, mean, spread, gdi.

    `singletons` are groups of one person.
    """

    value: float
    groups: pd.DataFrame
    singletons: int


def index(discrepancy: pd.DataFrame) -> DiscrepancyIndex:
    """Group and whole index of a table of `per_person`; see `aggregate` for groups of one.

    Raises:
        ValueError: As in `aggregate`.
    """
    known = discrepancy[discrepancy["discrepancy"].notna()]
    names, codes = np.unique(known["group"].to_numpy(dtype=np.float64), return_inverse=True)
    n, mean, spread = group_moments(known["discrepancy"].to_numpy(dtype=np.float64), codes, len(names))
    table = pd.DataFrame(
        {"group": names, "n": n.astype(int), "mean": mean, "spread": spread, "gdi": mean + spread}
    )
    return DiscrepancyIndex(value=aggregate(n, mean, spread), groups=table, singletons=int((n == 1).sum()))


def aggregate(n: ArrayLike, mean: ArrayLike, std: ArrayLike) -> float:
    """`sum n_g (mean_g + std_g) / sum n_g` over groups, each argument (G,).

    A group of one has no standard deviation and is left out of both sums (our choice: whoever is alone
    differs from nobody). The published code keeps its size in the denominator and drops it from the
    numerator, which lowers the index the more, the smaller the sample.

    Raises:
        ValueError: No group has two persons.
    """
    size, gdi = np.asarray(n, dtype=np.float64), np.asarray(mean) + np.asarray(std)
    several = size > 1
    if not several.any():
        raise ValueError("no group has two persons: use wider groups, such as severity")
    return float((size[several] * gdi[several]).sum() / size[several].sum())


def _unanswered(items: pd.DataFrame) -> np.ndarray:
    """Reason (N,) why a person has no total, empty where all is answered."""
    gaps = ~np.isfinite(items.to_numpy(dtype=np.float64))
    reason = np.full(len(items), "", dtype=object)
    for row in np.flatnonzero(gaps.any(axis=1)):
        reason[row] = f"no answer to {items.columns[int(np.argmax(gaps[row]))]}"
    return reason
