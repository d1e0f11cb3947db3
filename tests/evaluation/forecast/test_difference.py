import numpy as np
import pytest
from scipy.stats import norm
from statsmodels.stats.power import TTestPower

from evaluation.forecast.design import Assumptions, Design, moments_of_difference
from evaluation.forecast.difference import POWER, persons_for, power_of, smallest_difference
from evaluation.forecast.reader import read, strength_of
from evaluation.metrics.applicable import Measurement
from evaluation.metrics.catalog import METRICS
from evaluation.uncertainty.paired_permutation import paired_permutation

ONE = np.array([1])


def visible(metric, labels, value, design, **assumed):
    strength = strength_of(metric, labels.kinds, value)
    return smallest_difference(metric, labels, strength, design, Assumptions(**assumed))


@pytest.mark.parametrize("persons", [12, 50, 400])
@pytest.mark.parametrize("second", [0.3, 0.8])
def test_power_is_that_of_students_test(labels_of, persons, second):
    labels, assumed, design = labels_of(), Assumptions(), Design(persons, ONE)
    a, b = (read("mae", labels.kinds, one) for one in (1.0, second))
    spread = np.sqrt(moments_of_difference(labels, a, b, assumed).own)
    expected = TTestPower().power(abs(a.value - b.value) / spread, persons, 0.05)
    assert power_of("mae", labels, (1.0, second), design, assumed) == pytest.approx(expected, abs=1e-6)


def test_the_smallest_difference_has_the_power_that_was_asked(labels_of):
    labels, design = labels_of(visits=2), Design(80, np.array([2]))
    for metric, value in (("auc", 0.8), ("mae", 3.2), ("ccc", 0.6)):
        found = visible(metric, labels, value, design)
        pair = (strength_of(metric, labels.kinds, value), strength_of(metric, labels.kinds, found.second))
        assert power_of(metric, labels, pair, design, Assumptions()) == pytest.approx(POWER, abs=1e-3)
        assert found.difference == pytest.approx(abs(found.second - value), abs=1e-6)
        assert found.weaker == ((found.second < value) == METRICS[metric].higher_is_better)


@pytest.mark.parametrize("metric", ["auc", "mae"])
def test_the_test_of_a_comparison_sees_it_in_80_of_100_studies(labels_of, metric):
    """600 pairs of models in the forecast's own world; error of the share .016."""
    everybody, rng, persons = labels_of(persons=20_000), np.random.default_rng(0), 60
    kinds = everybody.kinds
    value = {"auc": 0.75, "mae": read("mae", kinds, 0.9).value}[metric]
    found = visible(metric, everybody, value, Design(persons, ONE))
    strengths = [strength_of(metric, kinds, one) for one in (value, found.second)]
    common = kinds.share @ (kinds.points * kinds.seen)
    hits = 0
    for study in range(600):
        who = rng.choice(20_000, persons, replace=False)
        first = rng.standard_normal(persons)
        noise = (first, 0.7 * first + np.sqrt(1 - 0.49) * rng.standard_normal(persons))
        saw = [s * kinds.seen[kinds.of[who]] + z for s, z in zip(strengths, noise, strict=True)]
        said = [common * s / (s**2 + 1) * one for s, one in zip(strengths, saw, strict=True)]
        target = everybody.positive[who] if metric == "auc" else kinds.points[kinds.of[who]]
        rows = np.ones(persons, dtype=bool)
        pair = tuple(
            Measurement(metric, METRICS[metric], rows, target, one) for one in (said, saw)[metric == "auc"]
        )
        hits += paired_permutation([pair], np.arange(persons), n_perm=399, seed=study).p_value <= 0.05
    assert 0.75 <= hits / 600 <= 0.85


def test_more_persons_and_likelier_models_see_more(labels_of):
    labels = labels_of()
    by_persons = [visible("auc", labels, 0.75, Design(n, ONE)).difference for n in (60, 200, 1000)]
    assert by_persons == sorted(by_persons, reverse=True)
    by_models = [
        visible("auc", labels, 0.75, Design(200, ONE), correlation=c).difference for c in (0, 0.5, 0.9)
    ]
    assert by_models == sorted(by_models, reverse=True)


def test_where_not_even_a_guess_is_bad_enough_a_better_one_is_looked_for(labels_of):
    labels = labels_of()
    found = visible("mae", labels, 4.0, Design(30, ONE))
    assert not found.weaker
    assert found.second < 4.0
    assert visible("auc", labels, 0.9, Design(40, ONE)).weaker
    assert visible("auc", labels, 0.75, Design(8, ONE)) is None


def test_models_all_but_alike_differ_by_something(labels_of):
    same = {"correlation": 0.999, "icc_predictions": 1.0, "icc_labels": 1.0}
    for metric, value in (("auc", 0.75), ("mae", 3.5), ("ccc", 0.5)):
        assert visible(metric, labels_of(), value, Design(60, ONE), **same).difference > 1e-4


def test_of_fewer_than_three_persons_no_difference_is_told(labels_of):
    for persons in (1, 2):
        assert visible("mae", labels_of(), 3.0, Design(persons, ONE)) is None


def test_fewest_persons_are_found_by_bisection():
    for least in (1, 3, 4, 6, 7, 1000, 123_456):
        assert persons_for(lambda persons, least=least: persons >= least) == max(3, least)
    assert persons_for(lambda persons: False) is None


def test_the_persons_that_a_difference_takes_see_it(labels_of):
    labels = labels_of()

    def enough(persons):
        found = visible("auc", labels, 0.75, Design(persons, ONE))
        return found is not None and found.difference <= 0.1

    persons = persons_for(enough)
    assert visible("auc", labels, 0.75, Design(persons, ONE)).difference <= 0.1
    assert visible("auc", labels, 0.75, Design(persons - 1, ONE)).difference > 0.1
    # by hand: (2.8 standard errors)^2 of a difference of binormal AUCs lies near that
    assert persons == pytest.approx(172, rel=0.15)
    assert norm.ppf(0.975) + norm.ppf(0.8) == pytest.approx(2.8, abs=0.01)
