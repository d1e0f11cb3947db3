"""Simulated test sets whose true metrics are known, for the coverage and for the comparison of two runs.

A person has a severity and a habit of face; a visit has a severity of its own and noise. A model sees
signal * severity + habit + noise; the habit makes the errors of a person alike. Where the label is of the
visit, both severities count half of the variance and the more severe half of the visits is positive; where
it is of the person, the more severe half of the persons. Two models share half of what disturbs them.
"""

from dataclasses import dataclass, replace
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import expit
from scipy.stats import rankdata

Array = NDArray[np.float64]

BANDS = (14, 20, 29)  # of the BDI-II (Beck, Steer and Brown, 1996)
_CENTER, _SCALE, _TOP = 14.0, 11.0, 63.0  # points: mean, spread and highest total, our choice
_SHARED = 0.7  # correlation of what disturbs two models
WEAKER = 0.7  # signal of the second model, relative to the first
_LARGE = 120_000  # recordings behind a true value
THRESHOLD = 0.5


@dataclass(frozen=True)
class Line:
    """A kind of study: how many persons and visits, whose label, and the true AUC of the first model."""

    persons: int
    visits: int
    label: str
    auc: float
    positives: int | None = None

    @property
    def name(self) -> str:
        """As in the tables of the page."""
        return f"{self.persons} x {self.visits}, of the {self.label}, {self.auc:.2f}"


def draw(
    rng: np.random.Generator, line: Line, *, signal: float, weaker: float = WEAKER
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Recording tables of two models on one simulated test set; the second sees `weaker` times the signal."""
    own, of_visit = _severities(rng, line)
    share = np.sqrt(0.5) if line.label == "visit" else 0.9
    severity = share * own + np.sqrt(1 - share**2) * of_visit
    positive = (severity if line.label == "visit" else np.broadcast_to(own, severity.shape)) > 0
    disturbed = [_disturbance(rng, severity.shape) for _ in range(2)]
    other = _SHARED * disturbed[0] + np.sqrt(1 - _SHARED**2) * disturbed[1]
    strengths = (signal, weaker * signal)
    first, second = (
        _table(severity, positive, strength, strength * severity + noise)
        for strength, noise in zip(strengths, (disturbed[0], other), strict=True)
    )
    return first, second


@cache
def signal_for(label: str, auc: float) -> float:
    """Strength of the signal at which the first model has this AUC."""

    def excess(signal: float) -> float:
        line = Line(persons=_LARGE // 2, visits=2, label=label, auc=auc)
        table, _ = draw(np.random.default_rng(0), line, signal=signal)
        y, ranks = table["binary_target"].to_numpy(), rankdata(table["binary_prediction"])
        positives = y.sum()
        wins = (y @ ranks) - positives * (positives + 1) / 2
        return float(wins / (positives * (len(y) - positives)) - auc)

    return float(brentq(excess, 0.05, 10, xtol=1e-3))


def large(line: Line) -> Line:
    """The same kind of study with so many persons that its metrics are the true ones."""
    persons = _LARGE // line.visits
    positives = None if line.positives is None else persons * line.positives // line.persons
    return replace(line, persons=persons, positives=positives)


def _severities(rng: np.random.Generator, line: Line) -> tuple[Array, Array]:
    """Severity of persons (S, 1), so many of them positive where that is given, and of visits (S, V)."""
    own = rng.standard_normal((line.persons, 1))
    if line.positives is not None:
        own = np.abs(own) * np.where(np.arange(line.persons) < line.positives, 1.0, -1.0)[:, None]
    return own, rng.standard_normal((line.persons, line.visits))


def _disturbance(rng: np.random.Generator, shape: tuple[int, ...]) -> Array:
    """Habit of a person plus noise of a visit, half of the variance each."""
    found: Array = np.sqrt(0.5) * (rng.standard_normal((shape[0], 1)) + rng.standard_normal(shape))
    return found


def _table(severity: Array, positive: NDArray[np.bool_], strength: float, seen: Array) -> pd.DataFrame:
    persons, visits = severity.shape
    score = np.clip(np.round(_CENTER + _SCALE * severity), 0, _TOP).ravel()
    best = seen * strength / (strength**2 + 1)  # what is to be expected of the severity
    predicted = np.clip(_CENTER + _SCALE * best, 0, _TOP).ravel()
    person = np.repeat(np.arange(persons), visits)
    return pd.DataFrame(
        {
            "recording_id": [f"r{row:06d}" for row in range(persons * visits)],
            "subject_id": [f"p{one:06d}" for one in person],
            "session_id": np.tile([f"{visit}" for visit in range(visits)], persons),
            "binary_target": positive.ravel().astype(np.float64),
            "binary_prediction": expit(1.7 * strength * seen).ravel(),
            "score_target": score,
            "score_prediction": predicted,
            "band_target": np.digitize(score, BANDS).astype(np.float64),
            "band_prediction": np.digitize(predicted, BANDS).astype(np.float64),
        }
    )
