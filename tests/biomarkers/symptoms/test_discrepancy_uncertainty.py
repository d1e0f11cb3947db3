import numpy as np
import pandas as pd
import pytest
from scipy.stats import binomtest

from biomarkers.symptoms import discrepancy_uncertainty as uncertainty
from biomarkers.symptoms.discrepancy import SymptomDiscrepancy, index
from biomarkers.symptoms.discrepancy_uncertainty import interval, null
from biomarkers.symptoms.permuted_answers import shuffles
from evaluation.uncertainty.bootstrap import Resampling
from tests.biomarkers.symptoms.answers import partial_credit

PLAIN = SymptomDiscrepancy(normalization="quantile")


def value_of(items, estimator):
    return index(estimator.fit(items).per_person(items)).value


@pytest.mark.parametrize("normalization", ["range", "quantile", "none"])
@pytest.mark.parametrize("center", ["group", "global"])
def test_a_resample_is_the_index_of_the_drawn_table(normalization, center):
    """Weights give what repeating the rows and fitting anew gives."""
    items = partial_credit(80)
    estimator = SymptomDiscrepancy(normalization=normalization, center=center)
    assert interval(items, estimator, Resampling(1000, 3))["value"] == pytest.approx(
        value_of(items, estimator)
    )
    prepared = uncertainty._fitted(items, estimator)
    for weights in np.random.default_rng(3).multinomial(80, np.full(80, 1 / 80), size=10):
        drawn = items.loc[np.repeat(items.index, weights)].reset_index(drop=True)
        assert uncertainty._resampled(*prepared, weights) == pytest.approx(value_of(drawn, estimator))


@pytest.mark.slow
def test_the_interval_of_10000_persons_holds_the_value_of_many_more():
    truth = value_of(partial_credit(100_000, profile=0.3, seed=1), PLAIN)
    found = interval(partial_credit(10_000, profile=0.3), PLAIN, Resampling(1000))
    assert found["low"] < truth < found["high"]
    assert found["high"] - found["low"] < 0.03


@pytest.mark.slow
def test_p_values_are_uniform_where_persons_have_no_profiles():
    p = np.array([null(partial_credit(150, seed=s), PLAIN, draws=20, seed=s).p_value for s in range(40)])
    assert set(np.round(p * 21)) <= set(range(1, 22))
    assert abs(p.mean() - 11 / 21) < 3 * np.sqrt(1 / 12 / 40)
    assert binomtest(int((p <= 4 / 21).sum()), 40, 4 / 21).pvalue > 0.01


@pytest.mark.slow
@pytest.mark.parametrize("discrimination", [1.5, np.linspace(1, 2.5, 7)], ids=["equal", "unequal"])
def test_the_rate_of_false_positives_is_the_level(discrimination):
    p = [
        null(partial_credit(300, discrimination=discrimination, seed=s), PLAIN, draws=39, seed=s).p_value
        for s in range(150)
    ]
    assert binomtest(int((np.array(p) <= 0.05).sum()), 150, 0.05).pvalue > 0.01  # 0.05 is 2 of 40


@pytest.mark.slow
def test_profiles_of_10000_persons_are_found_and_their_absence_is_not():
    planted = null(partial_credit(10_000, profile=0.6), PLAIN, draws=39)
    assert planted.p_value == 1 / 40
    assert planted.effect > 5
    nothing = null(partial_credit(10_000), PLAIN, draws=39)
    assert nothing.p_value > 0.05
    assert abs(nothing.effect) < 3


@pytest.mark.slow
def test_unequal_discrimination_is_no_profile_given_the_total_but_contradicts_one_slope():
    items = partial_credit(10_000, discrimination=np.linspace(0.7, 3, 7))
    assert abs(null(items, PLAIN, draws=39).effect) < 3
    assert null(items, PLAIN, draws=39, within="sample").effect < -4


def test_limits_of_its_own_would_hide_profiles():
    """Profiles stretch the largest distances more: the normalized index falls, its value in units rises."""
    items = partial_credit(10_000, profile=0.6)
    found = null(items, PLAIN, draws=39)
    table = items.to_numpy(dtype=np.int16).T
    other = next(shuffles(table, within="total", sweeps=60, rng=np.random.default_rng(0)))
    shuffled = pd.DataFrame(other.T, columns=items.columns)
    assert found.value > found.mean
    assert value_of(items, PLAIN) < value_of(shuffled, PLAIN)
    distance = SymptomDiscrepancy(normalization="none")
    assert value_of(items, distance) > value_of(shuffled, distance)


def test_the_normalization_does_not_change_what_the_null_says():
    items = partial_credit(300, profile=0.5)
    found = [
        null(items, SymptomDiscrepancy(normalization=name), draws=39, seed=1)
        for name in ("range", "quantile", "none")
    ]
    assert len({one.p_value for one in found}) == 1
    assert found[0].effect == pytest.approx(found[2].effect)


def test_the_curve_of_the_null_is_zero_where_there_is_nothing_to_shuffle():
    items = partial_credit(2000)
    groups = null(items, SymptomDiscrepancy(), draws=20).groups.set_index("group")
    assert groups["n"].sum() == 2000
    assert groups["expected"][0] == groups["observed"][0] == 0
    assert groups["expected"][1] == pytest.approx(groups["observed"][1])  # one item each: only who
    middle = groups.loc[5:12]
    assert (middle["low"] < middle["high"]).all()
    means = SymptomDiscrepancy().fit(items).per_person(items).groupby("group")["discrepancy"].mean()
    np.testing.assert_allclose(groups["observed"], means, atol=1e-12)


def test_what_cannot_be_shuffled_is_refused():
    items = partial_credit(100)
    with pytest.raises(ValueError, match="draws=5: with 10 sweeps between them take at least 20"):
        null(items, PLAIN, draws=5)
    with pytest.raises(ValueError, match="give raw answers"):
        null(items * 0.5, PLAIN)


def test_equal_seeds_give_equal_numbers():
    items = partial_credit(100)
    one, other = (null(items, PLAIN, draws=20, seed=4) for _ in range(2))
    assert one.p_value == other.p_value
    pd.testing.assert_frame_equal(one.groups, other.groups)
