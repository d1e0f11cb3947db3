import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.metrics import jaccard_score

from biomarkers.symptoms.relations import positives, relations
from evaluation.uncertainty.bootstrap import Resampling

DASS = ("DASS-21-D", "DASS-21-A", "DASS-21-S")


@pytest.fixture
def totals():
    rng = np.random.default_rng(0)
    raw = rng.binomial(21, 1 / (1 + np.exp(1.5 - rng.standard_normal((80, 1)))), (80, 3))
    return pd.DataFrame(2.0 * raw, columns=list(DASS))


def test_labels_are_those_of_the_published_limits():
    edges = pd.DataFrame({"DASS-21-D": [8, 10], "DASS-21-A": [6, 8], "DASS-21-S": [14, 16]})  # 9, 7, 14
    assert positives(edges).to_numpy().tolist() == [[0, 0, 0], [1, 1, 1]]


def test_values_are_those_of_scipy_and_sklearn(totals):
    found = relations(totals, range(80), Resampling(1000)).set_index(["measure", "a", "b"])
    labels = positives(totals)
    assert len(found) == 9
    for (measure, a, b), row in found.iterrows():
        expected = {
            "pearson": stats.pearsonr(totals[a], totals[b]).statistic,
            "spearman": stats.spearmanr(totals[a], totals[b]).statistic,
            "jaccard": jaccard_score(labels[a], labels[b]),
        }[measure]
        assert row["value"] == pytest.approx(expected)
        assert row["low"] < row["value"] < row["high"]
    # The bootstrap's spread of Pearson's r is near Fisher's.
    row = found.loc[("pearson", *DASS[:2])]
    fisher = stats.pearsonr(totals[DASS[0]], totals[DASS[1]]).confidence_interval()
    assert row["high"] - row["low"] == pytest.approx(fisher.high - fisher.low, rel=0.35)


def test_a_person_counts_once_however_often_it_comes(totals):
    once = relations(totals, range(80), Resampling(1000))
    thrice = relations(totals.loc[np.repeat(range(80), 3)], np.repeat(range(80), 3), Resampling(1000))
    pd.testing.assert_frame_equal(once, thrice)


def test_what_is_no_total_is_refused(totals):
    with pytest.raises(ValueError, match="thus even"):
        relations(totals + 1, range(80), Resampling(1000))
    with pytest.raises(ValueError, match="no scales"):
        relations(totals.rename(columns={"DASS-21-D": "mood"}), range(80), Resampling(1000))
    with pytest.raises(ValueError, match="without gaps"):
        relations(totals.where(totals > 0), range(80), Resampling(1000))
