import numpy as np
import pytest

from evaluation.change.errors_in_variables import Moments, regress


def moments(design, error, response, person):
    errors = np.broadcast_to(np.asarray(error, dtype=float), (len(design), *np.shape(error)))
    return Moments.of(design, errors, response, person, np.zeros(len(design), dtype=int))


def test_without_errors_it_is_least_squares():
    rng = np.random.default_rng(0)
    z, person = rng.normal(size=(60, 2)), np.repeat(np.arange(20), 3)
    y = z @ [2.0, -1.0] + rng.normal(size=60)
    found = regress(moments(z, np.zeros((2, 2)), y, person).total())
    expected, squares, *_ = np.linalg.lstsq(z, y, rcond=None)
    assert found.coefficients == pytest.approx(expected)
    assert found.variance[0] == pytest.approx(20 / 18 * squares[0] / 60)


def test_a_known_error_of_the_regressor_is_taken_out():
    rng = np.random.default_rng(1)
    true = rng.normal(0, 3, 40_000)
    y = 0.5 * true + rng.normal(0, 2, 40_000)
    seen = (true + rng.normal(0, 2, 40_000))[:, None]
    found = regress(moments(seen, [[4.0]], y, np.arange(40_000)).total())
    assert found.coefficients[0] == pytest.approx(0.5, abs=0.02)
    assert found.variance[0] == pytest.approx(4.0, abs=0.1)
    assert found.residual[0] == pytest.approx(4.0 + 0.25 * 4, abs=0.1)


def test_without_each_person_is_the_regression_of_the_others():
    rng = np.random.default_rng(2)
    z, y, person = rng.normal(size=(30, 1)), rng.normal(size=30), np.repeat(np.arange(10), 3)
    whole = moments(z, [[0.1]], y, person)
    for one, own in enumerate(whole.without_each()):
        others = person != one
        alone = moments(z[others], [[0.1]], y[others], person[others] - (person[others] > one))
        assert regress(own).coefficients == pytest.approx(regress(alone.total()).coefficients)
        assert regress(own).variance == pytest.approx(regress(alone.total()).variance)


def test_regressors_of_nothing_but_error_teach_nothing():
    z = np.random.default_rng(3).normal(size=(30, 1))
    assert regress(moments(z, [[2.0]], z[:, 0], np.arange(30)).total()) is None
