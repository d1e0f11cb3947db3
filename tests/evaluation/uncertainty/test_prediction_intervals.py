import numpy as np
import pytest

from evaluation.uncertainty.prediction_intervals import ConformalInterval, VennAbers, add_intervals


def test_radius_is_the_ranked_residual():
    y = np.arange(1.0, 10.0)  # residuals 1..9, n = 9: rank ceil(10 * 0.9) = 9, rank ceil(10 * 0.5) = 5
    fit = ConformalInterval.fit(y, np.zeros(9), low=-100, high=100, coverage=0.9)
    assert fit.radius == 9
    assert ConformalInterval.fit(y, np.zeros(9), low=-100, high=100, coverage=0.5).radius == 5
    low, high = fit([50.0])
    assert (low[0], high[0]) == (41, 59)


def test_too_few_recordings_give_the_whole_scale():
    fit = ConformalInterval.fit([1, 2], [1, 2], low=0, high=63)
    low, high = fit([30.0, 5.0])
    assert low.tolist() == [0, 0]
    assert high.tolist() == [63, 63]


def test_conformal_coverage_is_what_it_promises():
    rng = np.random.default_rng(0)
    covered, n = [], 29
    for _ in range(400):
        y, e = rng.uniform(0, 63, n + 50), rng.standard_t(3, n + 50)
        fit = ConformalInterval.fit(y[:n], y[:n] + e[:n], low=-1e9, high=1e9)
        low, high = fit(y[n:] + e[n:])
        covered.append(((low <= y[n:]) & (y[n:] <= high)).mean())
    assert 0.89 <= np.mean(covered) <= 0.9 + 1 / (n + 1) + 0.01


@pytest.mark.parametrize(("low", "high", "coverage"), [(0, 63, 1.0), (0, 63, 0.0), (5, 5, 0.9)])
def test_impossible_settings_are_refused(low, high, coverage):
    with pytest.raises(ValueError, match="need 0 < coverage < 1 and low < high"):
        ConformalInterval.fit([1], [1], low=low, high=high, coverage=coverage)


def isotonic_at(x, y, at):
    """Min-max formula of isotonic regression: max over starts, min over ends of block means."""
    values = np.unique(x)
    sums = np.array([y[x == v].sum() for v in values])
    counts = np.array([(x == v).sum() for v in values])
    i = int(np.flatnonzero(values == at)[0])
    mean = lambda a, b: sums[a : b + 1].sum() / counts[a : b + 1].sum()  # noqa: E731
    return max(min(mean(a, b) for b in range(i, len(values))) for a in range(i + 1))


def test_venn_abers_against_the_min_max_formula():
    rng = np.random.default_rng(1)
    x = np.round(rng.uniform(0, 1, 25), 1)
    y = (rng.uniform(0, 1, 25) < x).astype(float)
    new = np.array([0.05, 0.3, 0.3, 0.95])
    low, high = VennAbers.fit(y, x)(new)
    for k, at in enumerate(new):
        for label, end in ((0.0, low[k]), (1.0, high[k])):
            assert end == pytest.approx(isotonic_at(np.append(x, at), np.append(y, label), at), abs=1e-9)


def test_venn_abers_repairs_an_overconfident_model():
    rng = np.random.default_rng(2)
    truth = rng.uniform(0.3, 0.7, 1200)
    y = (rng.uniform(size=1200) < truth).astype(float)
    shouted = 1 / (1 + np.exp(-20 * (truth - 0.5)))
    low, high = VennAbers.fit(y[:800], shouted[:800])(shouted[800:])
    assert (low <= high).all()
    assert low.mean() - 0.05 <= y[800:].mean() <= high.mean() + 0.05
    merged = high / (1 - low + high)
    assert np.mean((merged - y[800:]) ** 2) < np.mean((shouted[800:] - y[800:]) ** 2)


def test_venn_abers_needs_both_classes():
    with pytest.raises(ValueError, match="both classes"):
        VennAbers.fit([1, 1], [0.2, 0.3])


def test_table_gets_intervals_of_its_primary_head(recordings, validation):
    scored = add_intervals(recordings, validation, low=0, high=63)
    inside = (scored["low"] <= scored["score_target"]) & (scored["score_target"] <= scored["high"])
    assert 0.8 <= inside.mean() <= 1
    assert scored["low"].min() >= 0
    binary = recordings.drop(columns=["score_target", "score_prediction"])
    ranged = add_intervals(binary, validation)
    assert ((ranged["low"] >= 0) & (ranged["low"] <= ranged["high"]) & (ranged["high"] <= 1)).all()


def test_table_without_support_stays_empty(recordings, validation):
    unlabeled = validation.assign(score_target=np.nan, binary_target=1.0)
    assert add_intervals(recordings, unlabeled, low=0, high=63)["low"].isna().all()
    binary = recordings.drop(columns=["score_target", "score_prediction"])
    assert add_intervals(binary, unlabeled)["high"].isna().all()
    with pytest.raises(ValueError, match="range of the scale"):
        add_intervals(recordings, validation)
