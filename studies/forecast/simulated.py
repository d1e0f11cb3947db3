r"""Simulated studies beside which forecasts are held.

A population of persons with visits: severity of a visit is that of the person plus its own, their share is
the stability. A questionnaire sees it with noise; its total is PHQ-9-like, a gamma distribution of mean 7 and
standard deviation 5.8 in whole points from 0 to 27, so that some 28 % reach 10. A model sees

    strength * severity + disturbance,    half of the disturbance stays with the person

and says the score that is linearly best. A forecast knows nothing of the questionnaire's noise, and takes
what is seen for the normal score of the total; `seen="points"` is a world in which skewed points are seen.
A study draws persons as a holdout does, by majority label, or, `stratified=False`, blindly. A second model
shares part of the disturbance. Letters: `S` persons, `V` visits.
"""

from dataclasses import dataclass
from functools import cache
from typing import Literal

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
    """A kind of study: persons, visits of each, what a model sees, and how persons are drawn."""

    persons: int
    visits: int
    seen: Literal["severity", "points"] = "severity"
    stratified: bool = True

    @property
    def name(self) -> str:
        """As in the tables of the page."""
        words = [", points"] * (self.seen == "points") + [", drawn blindly"] * (not self.stratified)
        return "".join([f"{self.persons} x {self.visits}", *words])


@dataclass(frozen=True, eq=False)
class Population:
    """What a model can see of every visit of every person (S, V), of variance 1, and the total."""

    signal: Array
    score: Array

    @property
    def positive(self) -> NDArray[np.bool_]:
        """Which visits reach the threshold."""
        reached: NDArray[np.bool_] = self.score >= CUT
        return reached


@dataclass(frozen=True)
class Model:
    """A model on a population: its strength, what it is worth there, and how it says a score."""

    strength: float
    slope: float
    auc: float
    mae: float
    rmse: float
    ccc: float


@cache
def population(visits: int, seen: str = "severity") -> Population:
    """All persons that a study can draw."""
    rng = np.random.default_rng([17, visits])
    own = rng.standard_normal((POPULATION, 1))
    severity = np.sqrt(STABILITY) * own + np.sqrt(1 - STABILITY) * rng.standard_normal((POPULATION, visits))
    noise = rng.standard_normal(severity.shape)
    answered = np.sqrt(RELIABILITY) * severity + np.sqrt(1 - RELIABILITY) * noise
    shape = (_MEAN / _SD) ** 2
    score = np.clip(np.round(gamma.ppf(ndtr(answered), shape, scale=_MEAN / shape)), 0, HIGHEST)
    return Population(severity if seen == "severity" else (score - score.mean()) / score.std(), score)


def drawn(rng: np.random.Generator, everybody: Population, setting: Setting) -> NDArray[np.int64]:
    """Persons of a study, as many with mostly positive visits as there are in the population, or blindly."""
    persons = setting.persons
    if not setting.stratified:
        return rng.choice(POPULATION, persons, replace=False).astype(np.int64)
    mostly = everybody.positive.mean(axis=1) >= 0.5
    count = round(persons * float(mostly.mean()))
    parts = [
        rng.choice(np.flatnonzero(own), size, replace=False)
        for own, size in ((mostly, count), (~mostly, persons - count))
    ]
    who: NDArray[np.int64] = np.concatenate(parts).astype(np.int64)
    return who


def disturbances(rng: np.random.Generator, shape: tuple[int, ...]) -> tuple[Array, Array]:
    """Disturbances (S, V) of two models on the same recordings."""

    def one() -> Array:
        habit = np.sqrt(HABIT) * rng.standard_normal((shape[0], 1))
        found: Array = habit + np.sqrt(1 - HABIT) * rng.standard_normal(shape)
        return found

    first = one()
    second: Array = SHARED * first + np.sqrt(1 - SHARED**2) * one()
    return first, second


@cache
def model(visits: int, seen: str, strength: float) -> Model:
    """The model of this strength, measured on the whole population."""
    everybody = population(visits, seen)
    saw = strength * everybody.signal + disturbances(np.random.default_rng(18), everybody.signal.shape)[0]
    slope = float(np.cov(saw.ravel(), everybody.score.ravel())[0, 1] / saw.var())
    said = everybody.score.mean() + slope * saw
    positive = everybody.positive.ravel()
    ranks, count = rankdata(saw.ravel()), int(positive.sum())
    wins = ranks[positive].sum() - count * (count + 1) / 2
    error, gap = everybody.score - said, said.mean() - everybody.score.mean()
    common = float(np.cov(said.ravel(), everybody.score.ravel(), ddof=0)[0, 1])
    return Model(
        strength,
        slope,
        auc=float(wins / (count * (positive.size - count))),
        mae=float(np.abs(error).mean()),
        rmse=float(np.sqrt((error**2).mean())),
        ccc=float(2 * common / (said.var() + everybody.score.var() + gap**2)),
    )


@cache
def model_with(visits: int, seen: str, metric: str, value: float) -> Model:
    """The model that has this value of a metric on the population."""

    def excess(strength: float) -> float:
        return float(getattr(model(visits, seen, strength), metric)) - value

    return model(visits, seen, float(brentq(excess, 0.0, 12.0, xtol=1e-4)))


def table(everybody: Population, who: NDArray[np.int64], disturbed: Array, of: Model) -> pd.DataFrame:
    """The recording table of a model on these persons, with its disturbances (S, V)."""
    saw = of.strength * everybody.signal[who] + disturbed
    persons, visits = saw.shape
    return pd.DataFrame(
        {
            "recording_id": [f"r{row:05d}" for row in range(persons * visits)],
            "subject_id": np.repeat([f"p{one:05d}" for one in who], visits),
            "session_id": np.tile([f"v{visit}" for visit in range(visits)], persons),
            "score_target": everybody.score[who].ravel(),
            "score_prediction": (everybody.score.mean() + of.slope * saw).ravel(),
            "binary_target": everybody.positive[who].ravel().astype(np.float64),
            "binary_prediction": ndtr(saw).ravel(),
        }
    )
