import numpy as np
import pytest

from evaluation.uncertainty.holm import holm


def test_a_published_example():
    # Holm 1979 by hand: 4 * .005, 3 * .011, 2 * .02 -> monotone, 1 * .04 -> monotone
    assert holm([0.02, 0.005, 0.04, 0.011]).tolist() == pytest.approx([0.04, 0.02, 0.04, 0.033])


def test_nothing_and_equal_values():
    assert holm([]).tolist() == []
    assert holm([0.6, 0.7]).tolist() == [1.0, 1.0]
    assert holm([0.02, 0.02]).tolist() == [0.04, 0.04]


def test_it_never_exceeds_one_and_keeps_the_order():
    p = np.random.default_rng(0).random(50)
    adjusted = holm(p)
    assert adjusted.max() <= 1
    assert (adjusted >= p).all()
    assert (np.diff(adjusted[np.argsort(p)]) >= 0).all()


def test_the_family_wise_error_is_kept_under_the_null():
    rng = np.random.default_rng(1)
    wrong = np.mean([holm(rng.random(8)).min() < 0.05 for _ in range(4000)])
    assert wrong == pytest.approx(0.05, abs=0.012)


def test_missing_values_are_not_counted():
    assert holm([0.02, np.nan, 0.01]).tolist() == pytest.approx([0.02, np.nan, 0.02], nan_ok=True)
    with pytest.raises(ValueError, match=r"1\.5"):
        holm([0.1, 1.5])
