import numpy as np
import pytest
from scipy import stats

from evaluation.uncertainty.confidence_intervals import (
    WITHOUT_END,
    estimate,
    interval,
    limits,
    t_interval,
    wilson,
)
from evaluation.uncertainty.jackknife import LeftOut
from evaluation.uncertainty.table_estimates import estimates


def test_a_share_has_wilsons_interval():
    expected = stats.binomtest(13, 20).proportion_ci(method="wilson")
    assert wilson(13 / 20, 20, stats.norm.ppf(0.975)) == pytest.approx((expected.low, expected.high))
    error = np.sqrt(0.65 * 0.35 / 20)
    assert interval(0.65, error, 1e9, "share") == pytest.approx((expected.low, expected.high), abs=1e-6)


def test_a_correlation_has_fishers_interval():
    rng = np.random.default_rng(0)
    x = rng.normal(size=40)
    found = stats.pearsonr(x, x + rng.normal(size=40))
    r = found.statistic
    expected = found.confidence_interval()
    assert interval(r, (1 - r**2) / np.sqrt(37), 1e9, "correlation") == pytest.approx(tuple(expected))


def test_errors_are_positive_and_differences_are_symmetric():
    low, high = interval(2.0, 1.5, 8, "error")
    assert 0 < low < 2 < high
    assert low * high == pytest.approx(4)
    half = stats.t.ppf(0.975, 8) * 1.5
    assert interval(2.0, 1.5, 8, "difference") == pytest.approx((2 - half, 2 + half))


def test_two_seeds_give_no_interval_beyond_the_range_of_the_metric():
    values = [0.8, 0.9]
    low, high = stats.t.interval(0.95, 1, loc=0.85, scale=stats.sem(values))
    assert (low, high) == pytest.approx((0.215, 1.485), abs=1e-3)  # as it would be
    assert t_interval(values, limits=WITHOUT_END)[1:] == pytest.approx((low, high))
    assert t_interval(values, limits=limits("auc")) == pytest.approx((0.85, low, 1.0))
    gaps = [-0.2, 0.4]
    assert t_interval(gaps, limits=limits("auc", difference=True)) == pytest.approx((0.1, -1.0, 1.0))
    assert t_interval(gaps, limits=limits("pearson", difference=True))[1:] == (-2.0, 2.0)
    assert t_interval([2.0, 9.0], limits=limits("mae"))[1] == 0.0
    assert t_interval([2.0, 9.0], limits=limits("mae", difference=True))[1] < -30


def test_cutting_an_interval_leaves_its_coverage():
    rng, truth, held = np.random.default_rng(0), 0.93, np.zeros(2)
    for draws in rng.normal(truth, 0.05, (500, 2)):
        for place, bounds in enumerate((WITHOUT_END, limits("auc"))):
            _, low, high = t_interval(draws, limits=bounds)
            held[place] += low <= truth <= high
    assert held[0] == held[1] == pytest.approx(475, abs=20)


def test_a_difference_of_few_persons_stays_among_possible_ones():
    found = LeftOut(0.6, np.array([0.1, 0.9, 0.8]), np.ones(3, dtype=bool), 3)
    assert interval(0.6, found.spread().error, found.spread().df, "difference")[1] > 1
    told = estimate("auc", found, scale="difference")
    assert (told["low"], told["high"]) == (-1.0, 1.0)


def test_a_perfect_ranking_is_not_certain(cohort):
    table = cohort(subjects=12, visits=2)
    table["binary_prediction"] = 0.2 + 0.6 * table["binary_target"]
    found = estimates([table], [0.5])
    for name in ("auc", "sensitivity", "specificity", "uar", "accuracy"):
        assert (found[name]["value"], found[name]["high"]) == (1.0, 1.0)
        assert 0.3 < found[name]["low"] < 0.9, name
    persons = table.groupby("subject_id")["binary_target"].agg(["min", "max"])
    fewest = min((persons["max"] == 1).sum(), (persons["min"] == 0).sum())
    expected = stats.binomtest(fewest, fewest).proportion_ci(method="wilson").low
    assert found["auc"]["low"] == pytest.approx(expected)


@pytest.mark.parametrize(
    ("change", "name"),
    [
        (lambda t: t.assign(score_prediction=t["score_target"]), "mae"),
        (lambda t: t.assign(score_prediction=t["score_target"]), "ccc"),
        (lambda t: t.assign(score_prediction=3.0), "ccc"),
        (lambda t: t.assign(binary_prediction=0.5), "auc"),
    ],
)
def test_no_spread_between_persons_is_no_certainty(recordings, change, name):
    found = estimates([change(recordings)])[name]
    assert found["value"] is not None
    assert (found["low"], found["high"]) == (None, None)
    assert "spread between persons is not known" in found["reason"]


def test_one_person_of_a_class_gives_no_interval(recordings):
    table = recordings.assign(binary_target=(recordings["subject_id"] == "p000").astype(float))
    found = estimates([table])["auc"]
    assert (found["low"], found["high"]) == (None, None)
    assert "without 1 of the 30 it is undefined" in found["reason"]


def test_few_persons_of_a_class_are_warned_of(recordings):
    few = recordings["subject_id"].isin(["p000", "p001", "p002"])
    found = estimates([recordings.assign(binary_target=few.astype(float))], [0.5])
    assert "only 3 persons of a class" in found["auc"]["warning"]
    assert "warning" not in found["specificity"]
    assert "warning" not in found["mae"]
    small = recordings[recordings["subject_id"] < "p006"]
    assert "only 6 persons" in estimates([small])["mae"]["warning"]


def test_the_method_is_named():
    flat = LeftOut(0.7, np.linspace(0.65, 0.75, 12), np.ones(12, dtype=bool), 12)
    assert estimate("auc", flat)["method"] == "jackknife over persons, Wilson"
    assert estimate("ccc", flat)["method"] == "jackknife over persons, Fisher z"
    assert estimate("mae", flat)["method"] == "jackknife over persons, log"
    assert estimate("mae", flat, scale="difference")["method"] == "jackknife over persons"


def test_two_persons_give_a_value_and_no_interval(cohort):
    found = estimates([cohort(subjects=2, visits=6)])["mae"]
    assert found["value"] is not None
    assert found["low"] is found["high"] is None
    assert found["reason"] == "no interval: only 2 persons"


@pytest.mark.parametrize("huge", [1e120, 1e155, 1e308])
@pytest.mark.filterwarnings("ignore:(overflow|invalid value) encountered:RuntimeWarning")  # meant here
def test_values_without_end_give_numbers_or_reasons(recordings, huge):
    table = recordings.assign(
        score_prediction=recordings["score_prediction"].where(recordings.index > 0, huge)
    )
    for name, found in estimates([table]).items():
        for side in ("low", "high"):
            assert found[side] is None or np.isfinite(found[side]), (name, found)
        assert found["low"] is not None or found.get("reason") or not np.isfinite(found["value"]), name


def test_an_interval_beyond_all_numbers_is_none():
    found = LeftOut(1.0, np.array([1e-3, 2e3, 5.0]), np.array([True] * 3), 3)
    assert estimate("mae", found, scale="error")["low"] is None
