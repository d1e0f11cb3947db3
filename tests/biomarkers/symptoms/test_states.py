import numpy as np
import pandas as pd
import pytest
from scipy import stats
from sklearn.cluster import AgglomerativeClustering
from sklearn.metrics import adjusted_rand_score, davies_bouldin_score, silhouette_score

from biomarkers.symptoms import state_figures
from biomarkers.symptoms.states import cluster_means, cluster_states, gaussian, same_margins
from evaluation.uncertainty.bootstrap import Resampling

DASS = ("DASS-21-D", "DASS-21-A", "DASS-21-S")

SMALL = {"rounds": 5, "draws": 19, "at_most": 120}


def table(x):
    return pd.DataFrame(x, columns=list(DASS))


@pytest.fixture
def rng():
    return np.random.default_rng(2)


@pytest.fixture
def correlated(rng):
    """Depression, anxiety and stress of 150 persons from one Gaussian, correlated by 0.75."""
    return rng.multivariate_normal(np.zeros(3), 0.75 + 0.25 * np.eye(3), 150)


def test_planted_clusters_are_found_named_by_severity_and_beat_both_nulls(rng):
    truth = np.repeat([2, 0, 1], 50)
    x = np.array([[0, 0, 0], [16, 14, 20], [36, 30, 38]])[truth] + rng.standard_normal((150, 3))
    (state,) = cluster_states(table(x), ks=[3], **SMALL)
    assert state.labels.tolist() == truth.tolist()
    assert state.stability.mean == 1
    found = state.indices
    assert found[["index", "null"]].drop_duplicates().shape == (6, 2)
    assert (found.loc[found["null"] == "gaussian", "p"] == 1 / 20).all()
    assert (found.loc[found["index"] == "silhouette", "p"] == 1 / 20).all()


def test_values_are_those_of_sklearn_on_standardized_totals(correlated):
    (state,) = cluster_states(table(correlated), ks=[2], rounds=1, draws=1)
    z = (correlated - correlated.mean(axis=0)) / correlated.std(axis=0)
    labels = AgglomerativeClustering(2).fit_predict(z)
    assert adjusted_rand_score(labels, state.labels) == 1
    values = state.indices.set_index(["index", "null"])["value"]
    assert values["silhouette", "gaussian"] == pytest.approx(silhouette_score(z, labels))
    assert values["davies_bouldin", "same margins"] == pytest.approx(davies_bouldin_score(z, labels))
    assert z[state.labels == 0].mean() < z[state.labels == 1].mean()


def test_a_continuum_is_cut_and_the_null_says_so(correlated):
    (state,) = cluster_states(table(correlated), ks=[3], **SMALL)
    assert set(state.labels) == {0, 1, 2}  # it is cut all the same
    silhouette = state.indices.set_index(["index", "null"]).loc["silhouette"]
    assert (silhouette["p"] > 0.05).all()
    assert (silhouette["null_low"] < silhouette["compared"]).all()


def test_a_floor_looks_like_clusters_to_a_gaussian_and_not_to_its_own_margins(correlated):
    floored = 2 * np.clip(np.floor(4 * (correlated - 0.6)), 0, 21)  # 7 of 10 totals are zero
    (state,) = cluster_states(table(floored), ks=[2], **SMALL)
    silhouette = state.indices.set_index(["index", "null"]).loc["silhouette"]
    assert silhouette.loc["gaussian", "p"] == 1 / 20
    assert silhouette.loc["same margins", "p"] > 0.05


def test_nulls_keep_what_they_promise(correlated, rng):
    skewed = np.exp(correlated)
    drawn = gaussian(skewed, 20000, rng)
    np.testing.assert_allclose(np.cov(drawn.T), np.cov(skewed.T), rtol=0.06)
    np.testing.assert_allclose(drawn.mean(axis=0), skewed.mean(axis=0), rtol=0.05)
    drawn = same_margins(skewed, 20000, rng)
    assert stats.ks_2samp(drawn[:, 0], skewed[:, 0]).statistic < 0.02
    assert set(drawn[:, 1]) <= set(skewed[:, 1])
    expected = stats.spearmanr(skewed[:, 0], skewed[:, 1]).statistic
    assert stats.spearmanr(drawn[:, 0], drawn[:, 1]).statistic == pytest.approx(expected, abs=0.03)


def test_means_of_clusters_have_the_intervals_of_their_persons(correlated):
    labels = (correlated[:, 0] > 0).astype(np.int64)
    means = cluster_means(table(correlated), labels, Resampling(4000))
    for row in means.to_dict("records"):
        own = correlated[labels == row["cluster"], DASS.index(row["scale"])]
        assert row["mean"] == pytest.approx(own.mean())
        half = 1.96 * own.std() / np.sqrt(len(own))
        assert row["high"] - row["low"] == pytest.approx(2 * half, rel=0.08)
        assert row["persons"] == len(own)


def test_missing_or_constant_totals_are_refused(correlated):
    correlated[3, 1] = np.nan
    with pytest.raises(ValueError, match="none missing"):
        cluster_states(table(correlated))
    with pytest.raises(ValueError, match="none constant"):
        cluster_states(table(np.ones((20, 3))))


@pytest.mark.slow
def test_figures_show_what_they_should(correlated, drawn):
    totals = table(2 * np.clip(np.round(4 * correlated + 5), 0, 21))
    pairs = drawn(state_figures, "total_pairs", totals)
    first = np.ma.asarray(pairs.axes[0].collections[0].get_array())
    assert first.shape == (22, 22)
    for x, y in ((0, 0), (10, 12), (20, 20)):  # depression along x, anxiety along y
        count = int(((totals[DASS[0]] == x) & (totals[DASS[1]] == y)).sum())
        assert np.ma.filled(first, 0)[y // 2, x // 2] == count
    assert all(axes.collections[0].get_array().sum() == 150 for axes in pairs.axes[:3])
    labels = np.digitize(totals[DASS[0]], [8, 16]).astype(np.int64)
    means = cluster_means(totals, labels, Resampling(1000))
    profiles = drawn(state_figures, "cluster_profiles", means)
    heights = [line.get_ydata().tolist() for line in profiles.axes[0].lines if len(line.get_ydata()) == 3]
    assert means.loc[means["cluster"] == 2, "mean"].tolist() in heights
    top = drawn(state_figures, "treetop", totals.to_numpy(), k=3, at_most=100)
    cut = top.axes[0].lines[0].get_ydata()[0]
    segments = top.axes[0].collections[0].get_segments()
    crossed = sum(min(s[0, 1], s[3, 1]) < cut < s[1, 1] for s in segments) + sum(
        max(s[0, 1], s[3, 1]) < cut < s[1, 1] for s in segments
    )
    assert crossed == 3  # the dashed line meets three branches
    with pytest.raises(ValueError, match="1 scales"):
        state_figures.total_pairs(totals.iloc[:, :1])
