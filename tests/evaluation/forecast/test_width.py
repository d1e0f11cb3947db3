import numpy as np
import pandas as pd
import pytest
from scipy.stats import multivariate_normal, norm

from evaluation.forecast.design import Assumptions, Design
from evaluation.forecast.reader import read, strength_of
from evaluation.forecast.width import classes, expected, persons_of_class
from evaluation.metrics.applicable import measurements
from evaluation.uncertainty.confidence_intervals import estimate, interval
from evaluation.uncertainty.jackknife import leave_one_out, left_out

ONE = np.array([1])


def forecast(metric, labels, value, design, **assumed):
    reading = read(metric, labels.kinds, strength_of(metric, labels.kinds, value))
    return expected(metric, labels, reading, design, Assumptions(**assumed))


def reported(labels, saw, said=None):
    """The report's own intervals of a table."""
    table = {"subject_id": labels.person.astype(str), "binary_prediction": norm.cdf(saw)}
    if labels.positive is not None:
        table["binary_target"] = labels.positive
    if said is not None:
        table |= {"score_target": labels.score, "score_prediction": said}
    frame = pd.DataFrame(table)
    wanted = [one for one in measurements(frame, threshold=None) if one.name in ("auc", "mae")]
    return left_out(wanted, leave_one_out(frame["subject_id"]))


def test_the_expected_variance_of_the_jackknife_is_exact_with_few_persons(classes_of):
    """Eight positive and twelve negative persons: mean square of the report's error over 500 tables."""
    labels, rng = classes_of(8, 12), np.random.default_rng(0)
    found = forecast("auc", labels, 0.75, Design(20, ONE))
    seen = strength_of("auc", labels.kinds, 0.75) * labels.kinds.seen[labels.kinds.of]
    spreads = [reported(labels, seen + rng.standard_normal(20))["auc"].spread() for _ in range(500)]
    square = np.mean([one.error**2 for one in spreads])
    assert (found.error / (1 - 1 / (4 * found.df))) ** 2 == pytest.approx(square, rel=0.07)
    assert found.error == pytest.approx(np.mean([one.error for one in spreads]), rel=0.05)


def test_variances_of_an_auc_of_few_persons_are_exact(classes_of):
    """Eight positive and twelve negative persons: true variance and jackknife over 40,000 tables."""
    labels, rng = classes_of(8, 12), np.random.default_rng(0)
    reading = read("auc", labels.kinds, strength_of("auc", labels.kinds, 0.75))
    found = classes(labels, reading, Design(20, ONE), None)
    noise = rng.standard_normal((40_000, 20))
    wins = noise[:, :8, None] + np.sqrt(2) * norm.ppf(0.75) > noise[:, None, 8:]
    assert found.many * found.sampling() == pytest.approx(wins.mean(axis=(1, 2)).var(), rel=0.02)
    total, without = wins.sum(axis=(1, 2))[:, None], (wins.sum(axis=2), wins.sum(axis=1))
    left = np.hstack([(total - without[0]) / (7 * 12), (total - without[1]) / (8 * 11)])
    assert found.many * found.jackknife(20) == pytest.approx(19 * left.var(axis=1).mean(), rel=0.01)


def test_with_many_persons_the_interval_is_that_of_normal_theory(classes_of, labels_of):
    labels = classes_of(300, 700)
    found = forecast("auc", labels, 0.75, Design(200_000, ONE))
    z = norm.ppf(0.75)
    xi = multivariate_normal([0, 0], [[1, 0.5], [0.5, 1]]).cdf([z, z]) - 0.75**2
    error = np.sqrt(xi / (0.3 * 200_000) + xi / (0.7 * 200_000))  # DeLong of two binormal classes
    assert found.width == pytest.approx(2 * norm.ppf(0.975) * error, rel=2e-3)
    assert forecast("auc", labels, 0.75, Design(100_000, ONE)).width == pytest.approx(
        np.sqrt(2) * found.width, rel=1e-3
    )


def test_the_interval_is_the_formula_of_the_report(labels_of):
    labels = labels_of()
    for metric, value, scale in (("auc", 0.8, "share"), ("mae", 4.0, "error"), ("ccc", 0.4, "correlation")):
        found = forecast(metric, labels, value, Design(50, ONE))
        assert (found.low, found.high) == interval(found.value, found.error, found.df, scale)
        assert found.low < found.value < found.high


@pytest.mark.parametrize(("persons", "visits"), [(20, 1), pytest.param(60, 3, marks=pytest.mark.slow)])
def test_widths_are_those_of_reports(labels_of, persons, visits):
    """The forecast's own world, 400 tables: within 6 % for AUC and MAE."""
    everybody, rng = labels_of(persons=20_000, visits=visits), np.random.default_rng(1)
    kinds, strength = everybody.kinds, 0.7
    shape = (-1, visits)
    score, positive = everybody.score.reshape(shape), everybody.positive.reshape(shape)
    seen = kinds.seen[kinds.of].reshape(shape)
    slope = np.mean((score - score.mean()) * seen) * strength / (strength**2 + 1)
    mostly = positive.mean(axis=1) >= 0.5
    count = round(persons * mostly.mean())
    widths = {"auc": [], "mae": []}
    for _ in range(400):
        who = np.concatenate(
            [
                rng.choice(np.flatnonzero(own), size, replace=False)
                for own, size in ((mostly, count), (~mostly, persons - count))
            ]
        )
        noise = np.sqrt(0.5) * (rng.standard_normal((persons, 1)) + rng.standard_normal((persons, visits)))
        saw = strength * seen[who] + noise
        own = type(everybody)(
            np.repeat(np.arange(persons), visits), positive[who].ravel(), score[who].ravel()
        )
        for name, left in reported(own, saw.ravel(), (score.mean() + slope * saw).ravel()).items():
            made = estimate(name, left)
            widths[name].append(made["high"] - made["low"])
    for name, own in widths.items():
        reading = read(name, kinds, strength)
        found = expected(name, everybody, reading, Design(persons, np.array([visits])), Assumptions())
        assert found.width == pytest.approx(np.mean(own), rel=0.06), name


def test_visits_help_less_than_persons_and_habits_take_from_them(labels_of):
    labels = labels_of(visits=3)
    widths = {
        icc: forecast("auc", labels, 0.75, Design(40, np.array([3])), icc_predictions=icc).width
        for icc in (0.0, 0.5, 1.0)
    }
    assert widths[0.0] < widths[0.5] < widths[1.0]
    assert forecast("auc", labels, 0.75, Design(120, ONE)).width < widths[0.5]
    assert widths[0.5] < forecast("auc", labels, 0.75, Design(40, ONE)).width


def test_persons_of_a_class_are_fewer_than_its_recordings(classes_of):
    labels = classes_of(10, 30, visits=4)
    design = Design(40, np.array([4]))
    assert persons_of_class(labels, design, None, 1.0) == pytest.approx(10)
    assert persons_of_class(labels, design, 1.0, 1.0) == pytest.approx(10)
    assert persons_of_class(labels, Design(40, ONE), None, 0.0) == pytest.approx(30)
    assert persons_of_class(labels, design, 0.0, 1.0) > 15


def test_fewer_than_two_persons_of_a_class_have_no_auc(classes_of):
    with pytest.raises(ValueError, match=r"1\.5 persons of a class are to be expected"):
        forecast("auc", classes_of(3, 7), 0.75, Design(5, ONE))


@pytest.mark.parametrize("persons", [1, 2])
def test_so_few_persons_have_no_interval_as_in_the_report(labels_of, persons):
    with pytest.raises(
        ValueError, match=f"tested persons: {persons}; a report makes an interval of 3 or more"
    ):
        forecast("mae", labels_of(), 3.5, Design(persons, ONE))
    assert np.isfinite(forecast("mae", labels_of(), 3.5, Design(3, ONE)).width)


def test_degrees_of_freedom_stay_in_the_range_of_the_report(labels_of):
    labels = labels_of()
    for persons in (12, 30, 500):
        for metric, value in (("auc", 0.8), ("rmse", 5.0)):
            df = forecast(metric, labels, value, Design(persons, ONE)).df
            assert 5 <= df <= persons - 1
