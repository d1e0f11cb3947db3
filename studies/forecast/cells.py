"""Cells of the study: realized widths of a setting, and studies in which the test sees a difference."""

from collections.abc import Mapping
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from evaluation.forecast.design import Assumptions, Design
from evaluation.forecast.difference import smallest_difference
from evaluation.forecast.labels import Labels
from evaluation.forecast.reader import METRICS, read, strength_of
from evaluation.forecast.width import expected
from evaluation.metrics.applicable import Measurement, measurements, subject_codes
from evaluation.uncertainty.confidence_intervals import estimate
from evaluation.uncertainty.jackknife import leave_one_out, left_out
from evaluation.uncertainty.paired_permutation import paired_permutation
from studies.forecast.simulated import (
    Model,
    Population,
    Setting,
    disturbances,
    drawn,
    model_with,
    population,
    table,
)

Array = NDArray[np.float64]

AUC = 0.75
EXCHANGES, ALPHA = 999, 0.05
CORPUS = 4000  # persons whose labels a forecast knows
_DEGREE = 3  # of the polynomial that takes the label out of what a model saw
_SEED = 19


def widths(setting: Setting, *, studies: int) -> dict[str, Any]:
    """Mean width of the report's own intervals over simulated studies, and in how many there is one."""
    everybody = population(setting.visits, setting.seen)
    of = model_with(setting.visits, setting.seen, "auc", AUC)
    rng = np.random.default_rng([_SEED, setting.persons, setting.visits, len(setting.name)])
    found: dict[str, list[float]] = {name: [] for name in METRICS}
    for _ in range(studies):
        who = drawn(rng, everybody, setting)
        own = table(everybody, who, disturbances(rng, (setting.persons, setting.visits))[0], of)
        bound = [one for one in measurements(own, threshold=None) if one.name in METRICS]
        for name, left in left_out(bound, leave_one_out(own["subject_id"])).items():
            made = estimate(name, left)
            if made["low"] is not None and made["high"] is not None:
                found[name].append(made["high"] - made["low"])
    return {
        name: {"mean": float(np.mean(own)), "sd": float(np.std(own)), "studies": len(own)}
        for name, own in found.items()
    }


def forecasts(
    setting: Setting, *, auc: float | None = None, icc: float | None = None, labels: Labels | None = None
) -> dict[str, float]:
    """Forecast widths of a setting from what it was made of.

    Args:
        setting: The kind of study.
        auc: Added to the true AUC, from which the other metrics then follow; None knows all true values.
        icc: Of the disturbances, in place of the true one.
        labels: In place of those of many persons.
    """
    of = model_with(setting.visits, setting.seen, "auc", AUC)
    labels = labels or corpus_labels(setting.visits, CORPUS)
    assumed = _assumed(setting, icc)
    out = {}
    for name in METRICS:
        strength = (
            strength_of("auc", labels.kinds, of.auc + auc)
            if auc is not None
            else strength_of(name, labels.kinds, getattr(of, name))
        )
        reading = read(name, labels.kinds, strength)
        out[name] = expected(name, labels, reading, _design(setting), assumed).width
    return out


def visible(setting: Setting, metric: str) -> dict[str, float] | None:
    """The smallest difference by the forecast, and what the second model then has."""
    of = model_with(setting.visits, setting.seen, "auc", AUC)
    labels = corpus_labels(setting.visits, CORPUS)
    first = float(getattr(of, metric))
    strength = strength_of(metric, labels.kinds, first)
    found = smallest_difference(metric, labels, strength, _design(setting), _assumed(setting, None))
    return found and {"first": first, "second": found.second, "difference": found.difference}


def seen(setting: Setting, metric: str, pair: Mapping[str, float], *, start: int, studies: int) -> int:
    """In how many studies the test of `evaluation.comparison` tells two models apart."""
    everybody = population(setting.visits, setting.seen)
    models = [model_with(setting.visits, setting.seen, metric, pair[which]) for which in ("first", "second")]
    hits = 0
    for study in range(start, start + studies):
        rng = np.random.default_rng([_SEED, setting.persons, setting.visits, METRICS.index(metric), study])
        bound, persons = _pair(rng, everybody, setting, models, metric)
        tested = paired_permutation([bound], persons, n_perm=EXCHANGES, seed=study)
        hits += tested.p_value < ALPHA
    return hits


@cache
def corpus_labels(visits: int, persons: int, first: int = 0) -> Labels:
    """Labels of some persons of the population."""
    own = population(visits)
    rows = slice(first, first + persons)
    person = np.repeat(np.arange(persons, dtype=np.int64), visits)
    return Labels(person, own.positive[rows].ravel().astype(np.float64), own.score[rows].ravel())


@cache
def disturbed(visits: int, of_what: str) -> dict[str, float]:
    """True correlations, given the label, of what a model saw: of two visits, and of two models on one."""
    everybody = population(visits, of_what)
    of = model_with(visits, of_what, "auc", AUC)
    rest = [
        _without_label(of.strength * everybody.signal + one, everybody.score)
        for one in disturbances(np.random.default_rng(20), everybody.signal.shape)
    ]
    icc = 0.0  # nothing to know of single visits
    if visits > 1:
        person = np.repeat(np.arange(len(rest[0]), dtype=np.int64), visits)
        icc = Labels(person, score=rest[0].ravel()).icc() or 0.0
    return {"icc": icc, "correlation": float(np.corrcoef(rest[0].ravel(), rest[1].ravel())[0, 1])}


def _without_label(saw: Array, score: Array) -> Array:
    rest: Array = saw - np.polyval(np.polyfit(score.ravel(), saw.ravel(), _DEGREE), score)
    return rest


def _pair(
    rng: np.random.Generator, everybody: Population, setting: Setting, models: list[Model], metric: str
) -> tuple[tuple[Measurement, Measurement], NDArray[np.int64]]:
    who = drawn(rng, everybody, setting)
    noise = disturbances(rng, (setting.persons, setting.visits))
    tables = [table(everybody, who, one, of) for one, of in zip(noise, models, strict=True)]
    first, second = (
        next(one for one in measurements(own, threshold=None) if one.name == metric) for own in tables
    )
    return (first, second), subject_codes(tables[0]["subject_id"])


def _assumed(setting: Setting, icc: float | None) -> Assumptions:
    truth = disturbed(setting.visits, setting.seen)
    return Assumptions(icc_predictions=truth["icc"] if icc is None else icc, correlation=truth["correlation"])


def _design(setting: Setting) -> Design:
    return Design(setting.persons, np.full(1, setting.visits, dtype=np.int64))
