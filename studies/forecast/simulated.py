r"""Simulated studies beside which forecasts are held.

A population of persons with visits: severity of a visit is that of the person plus its own, their share is
the stability. A questionnaire sees it with noise; its total is PHQ-9-like, a gamma distribution of mean 7 and
standard deviation 5.8 in whole points from 0 to 27, so that some 28 % reach 10. A model sees

    strength * severity + disturbance,    half of the disturbance stays with the person

and says the score that is best on average. None of this is what a forecast assumes: it knows neither the
questionnaire's noise nor the skew between severity and points. A study draws persons as a holdout does, by
majority label, and a second model shares part of the disturbance. Letters: `S` persons, `V` visits.
"""

from dataclasses import dataclass
from functools import cache

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from scipy.optimize import brentq
from scipy.special import ndtr
from scipy.stats import gamma, rankdata

Array = NDArray[np.float64]

POPULATION = 30_000  # persons
HIGHEST, CUT = 27, 10  # of the PHQ-9 and its threshold (Kroenke, Spitzer and Williams 2001)
_MEAN, _SD = 7.0, 5.8  # points: our choice, near samples of the community with some patients
RELIABILITY = 0.85  # of the questionnaire, our choice
STABILITY = 0.6  # share of severity between persons, our choice
HABIT = 0.5  # share of the disturbance that stays with a person, our choice
SHARED = 0.7  # correlation of the disturbances of two models, our choice


@dataclass(frozen=True)
class Setting:
    """A kind of study."""

    persons: int
    visits: int
    stability: float = STABILITY
    habit: float = HABIT

    @property
    def name(self) -> str:
        """As in the tables of the page."""
        return f"{self.persons} x {self.visits}"


@dataclass(frozen=True, eq=False)
class Population:
    """Severity and total of every visit of every person (S, V)."""

    severity: Array
    score: Array

    @property
    def positive(self) -> NDArray[np.bool_]:
        """Which visits reach the threshold."""
        reached: NDArray[np.bool_] = self.score >= CUT
        return reached


@cache
def population(visits: int, stability: float = STABILITY) -> Population:
    """All persons that a study can draw."""
    rng = np.random.default_rng([17, visits, round(100 * stability)])
    own = rng.standard_normal((POPULATION, 1))
    severity = np.sqrt(stability) * own + np.sqrt(1 - stability) * rng.standard_normal((POPULATION, visits))
    answered = np.sqrt(RELIABILITY) * severity
    answered = answered + np.sqrt(1 - RELIABILITY) * rng.standard_normal(severity.shape)
    shape = (_MEAN / _SD) ** 2
    total = gamma.ppf(ndtr(answered), shape, scale=_MEAN / shape)
    return Population(severity, np.clip(np.round(total), 0, HIGHEST))


def drawn(rng: np.random.Generator, everybody: Population, persons: int) -> NDArray[np.int64]:
    """Persons of a study, as many with mostly positive visits as there are in the population."""
    mostly = everybody.positive.mean(axis=1) >= 0.5
    count = round(persons * float(mostly.mean()))
    parts = [
        rng.choice(np.flatnonzero(own), size, replace=False)
        for own, size in ((mostly, count), (~mostly, persons - count))
    ]
    return np.concatenate(parts).astype(np.int64)


def disturbances(rng: np.random.Generator, shape: tuple[int, int], habit: float) -> tuple[Array, Array]:
    """Disturbances (S, V) of two models on the same recordings."""

    def one() -> Array:
        found: Array = np.sqrt(habit) * rng.standard_normal((shape[0], 1))
        return found + np.sqrt(1 - habit) * rng.standard_normal(shape)

    first = one()
    return first, SHARED * first + np.sqrt(1 - SHARED**2) * one()


@cache
def truth(visits: int, stability: float, strength: float) -> dict[str, float]:
    """AUC, MAE, RMSE and CCC of a model on the whole population, and how it says its score."""
    everybody = population(visits, stability)
    rng = np.random.default_rng(18)
    seen = strength * everybody.severity + disturbances(rng, everybody.severity.shape, HABIT)[0]
    slope = float(np.cov(seen.ravel(), everybody.score.ravel())[0, 1] / seen.var())
    said = everybody.score.mean() + slope * (seen - seen.mean())
    positive = everybody.positive.ravel()
    ranks, count = rankdata(seen.ravel()), int(positive.sum())
    wins = ranks[positive].sum() - count * (count + 1) / 2
    gap, error = said.mean() - everybody.score.mean(), everybody.score - said
    common = float(np.cov(said.ravel(), everybody.score.ravel(), ddof=0)[0, 1])
    return {
        "auc": float(wins / (count * (positive.size - count))),
        "mae": float(np.abs(error).mean()),
        "rmse": float(np.sqrt((error**2).mean())),
        "ccc": float(2 * common / (said.var() + everybody.score.var() + gap**2)),
        "slope": slope,
    }


@cache
def strength_for(visits: int, stability: float, auc: float) -> float:
    """Strength of the model with this AUC on the population."""
    return float(brentq(lambda s: truth(visits, stability, s)["auc"] - auc, 0.0, 12.0, xtol=1e-4))


def table(everybody: Population, who: NDArray[np.int64], seen: Array, slope: float) -> pd.DataFrame:
    """The recording table of a model that saw this of these persons (S, V)."""
    persons, visits = seen.shape
    said = everybody.score.mean() + slope * seen
    return pd.DataFrame(
        {
            "recording_id": [f"r{row:05d}" for row in range(persons * visits)],
            "subject_id": np.repeat([f"p{one:05d}" for one in who], visits),
            "session_id": np.tile([f"v{visit}" for visit in range(visits)], persons),
            "score_target": everybody.score[who].ravel(),
            "score_prediction": said.ravel(),
            "binary_target": everybody.positive[who].ravel().astype(np.float64),
            "binary_prediction": ndtr(seen).ravel(),
        }
    )
