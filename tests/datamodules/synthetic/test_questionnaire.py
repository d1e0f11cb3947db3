import numpy as np
import pandas as pd
import pytest

from datamodules.manifests.scales import SCALES
from datamodules.synthetic.questionnaire import DOMAINS, answer, symptom_profile, totals


def sample(n, heterogeneity=0.3, seed=0):
    rng = np.random.default_rng(seed)
    severity = rng.standard_normal(n)
    items = [answer(s, symptom_profile(rng), rng, heterogeneity=heterogeneity) for s in severity]
    return severity, pd.DataFrame(items), pd.DataFrame([totals(i) for i in items])


@pytest.fixture(scope="module")
def population():
    return sample(2000)


def test_columns_and_ranges(population):
    _, items, scores = population
    expected = [f"item_bdi2_{j:02d}" for j in range(1, 22)] + [f"item_phq9_{j}" for j in range(1, 10)]
    assert list(items) == expected + [f"item_dass21_{j:02d}" for j in range(1, 22)]
    assert set(np.unique(items)) == {0, 1, 2, 3}
    for name in scores:
        for score in scores[name]:
            SCALES[name].check(score)


def test_scores_span_the_scale_and_the_base_rate_is_set(population):
    _, _, scores = population
    assert scores["BDI-II"].min() == 0
    assert scores["BDI-II"].max() >= 55
    assert 0.39 < (scores["BDI-II"] >= 14).mean() < 0.46


@pytest.mark.parametrize(("prefix", "low"), [("bdi2", 0.90), ("phq9", 0.85), ("dass21", 0.85)])
def test_items_hang_together(population, prefix, low):
    """Coefficient alpha, k / (k - 1) (1 - sum of item variances / variance of the sum)."""
    items = population[1].filter(like=f"item_{prefix}").to_numpy()
    k = items.shape[1]
    alpha = k / (k - 1) * (1 - items.var(axis=0).sum() / items.sum(axis=1).var())
    assert low < alpha < 0.97


def test_scores_follow_severity(population):
    severity, _, scores = population
    for name in scores:
        assert np.corrcoef(severity, scores[name])[0, 1] > 0.75, name


def test_no_answer_falls_when_severity_rises():
    profile = np.array([1.0, -1.0, 0.5, 0.0, -0.5])
    grid = [answer(s, profile, np.random.default_rng(3)) for s in np.linspace(-3, 3, 25)]
    assert (np.diff(pd.DataFrame(grid).to_numpy(), axis=0) >= 0).all()
    assert sum(grid[-1].values()) > sum(grid[0].values()) + 60


def test_totals_by_hand():
    items = answer(0.0, np.zeros(len(DOMAINS)), np.random.default_rng(0))
    items = dict.fromkeys(items, 0) | {
        "item_phq9_9": 2,
        "item_phq9_1": 1,
        "item_dass21_03": 3,
        "item_dass21_02": 1,
    }
    result = totals(items | {"item_bdi2_21": 3})
    assert result == {
        "BDI-II": 3, "PHQ-9": 3, "PHQ-8": 1, "DASS-21-D": 6, "DASS-21-A": 2, "DASS-21-S": 0,
    }  # fmt: skip


def test_heterogeneity_loosens_the_domains():
    """Sleep and self-esteem go together less when symptoms are personal."""

    def together(heterogeneity):
        _, items, _ = sample(1500, heterogeneity, seed=1)
        somatic = items[["item_bdi2_15", "item_bdi2_16", "item_bdi2_18", "item_bdi2_20"]].sum(axis=1)
        cognitive = items[["item_bdi2_03", "item_bdi2_05", "item_bdi2_07", "item_bdi2_14"]].sum(axis=1)
        return np.corrcoef(somatic, cognitive)[0, 1]

    assert together(0.0) > together(0.7) + 0.15


def test_impossible_heterogeneity_is_refused():
    with pytest.raises(ValueError, match="share"):
        answer(0.0, np.zeros(5), np.random.default_rng(0), heterogeneity=1.2)
