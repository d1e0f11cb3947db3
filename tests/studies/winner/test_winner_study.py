from dataclasses import replace

import numpy as np
import pytest

from evaluation.comparison.winner import model_values, resampled_values, trial_values
from studies.winner.calibration import Stated, logistic, reliability, slope
from studies.winner.page import write_page
from studies.winner.simulated import Setting, setting, simulate
from studies.winner.work import plain, sweep

LARGE = Setting(
    metric="auc", shape="normal", trials=4, persons=3000, visits=2, seeds=8, ragged=False, tau=0.4,
    omega=0.2, common=0.5, habit=0.5,
)  # fmt: skip


@pytest.mark.parametrize("metric", ["auc", "mae", "ccc"])
def test_what_trials_are_worth_is_what_many_persons_and_seeds_measure(metric):
    found, true = simulate(np.random.default_rng(5), replace(LARGE, metric=metric))
    assert np.abs(trial_values(found) - true).max() < 5 * 0.2 / 4 / np.sqrt(8)
    assert np.abs(trial_values(found) - true).mean() < 0.03
    single, alone = simulate(np.random.default_rng(5), replace(LARGE, metric=metric, omega=1e-9, seeds=1))
    np.testing.assert_allclose(trial_values(single), alone, atol=0.025)


def test_settings_are_within_what_the_page_says():
    drawn = [setting(np.random.default_rng([3, number])) for number in range(300)]
    for name, low, high in (("trials", 5, 40), ("persons", 15, 100), ("visits", 1, 4), ("seeds", 1, 5)):
        values = [getattr(one, name) for one in drawn]
        assert low <= min(values) <= low + 1
        assert high - 1 <= max(values) <= high
    assert {one.shape for one in drawn} == {"normal", "landscape", "failed"}


def test_a_simulated_sweep_is_judged_against_its_truth():
    found = sweep(12)
    assert sum(found["stated"]) == pytest.approx(1, abs=1e-4)
    assert sum(found["plain"]) == pytest.approx(1, abs=1e-4)
    assert len(found["stated"]) == len(found["plain"]) == found["trials"]
    assert found["regret"] >= 0
    assert (found["regret"] == 0) == (found["winner"] == found["best"])
    assert sweep(12) == found


def test_the_plain_bootstrap_draws_seeds_within_their_trial():
    """One seed a trial: only persons are drawn, and the shares are those of the largest resampled value."""
    found, _ = simulate(np.random.default_rng(0), replace(LARGE, persons=30, seeds=1, tau=0.05))
    drawn = resampled_values(found)
    shares = plain(found, drawn, np.random.default_rng(0))
    top = np.bincount(drawn.argmax(axis=1), minlength=4) / len(drawn)
    np.testing.assert_allclose(shares, top, atol=0.01)
    assert model_values(found).shape == (4,)


def test_the_slope_is_one_of_what_holds_and_half_of_what_is_twice_too_sure():
    rng = np.random.default_rng(0)
    x = rng.normal(-1, 1, 30_000)
    p, sweeps = 1 / (1 + np.exp(-x)), np.repeat(np.arange(1500), 20)
    true = (rng.random(x.size) < p).astype(float)
    right = slope(Stated(p, true, sweeps))
    assert right.low < 1 < right.high
    assert right.high - right.low < 0.15
    sure = slope(Stated(1 / (1 + np.exp(-2 * x)), true, sweeps))
    assert sure.value == pytest.approx(0.5, abs=0.05)


def test_the_slope_is_that_of_a_logistic_regression():
    from sklearn.linear_model import LogisticRegression

    rng = np.random.default_rng(1)
    x, y = rng.standard_normal(200), rng.integers(0, 2, 200)
    peer = LogisticRegression(C=np.inf, tol=1e-10).fit(x[:, None], y)
    own = logistic(x, y.astype(float))
    np.testing.assert_allclose(own, [peer.intercept_[0], peer.coef_[0, 0]], atol=1e-5)


def test_bins_hold_the_mean_stated_and_the_share_that_came_true():
    stated = Stated(np.array([0.1, 0.3, 0.9, 0.7]), np.array([0.0, 1.0, 1.0, 0.0]), np.zeros(4, dtype=int))
    low, high = reliability(stated, np.array([0.5]))
    assert (low.trials, low.stated, low.true) == (2, pytest.approx(0.2), 0.5)
    assert (high.trials, high.stated, high.true) == (2, pytest.approx(0.8), 0.5)


@pytest.mark.slow
def test_the_page_states_slope_and_strata(tmp_path):
    write_page(tmp_path, [sweep(number) for number in range(40)])
    text = (tmp_path / "winner.md").read_text()
    assert "**The calibration slope is " in text
    assert "| seeds a trial | 1 |" not in text  # too few of these sweeps for a slope
    assert "sweeps=40`" in text
    assert (tmp_path / "images/winner.png").stat().st_size > 5000
