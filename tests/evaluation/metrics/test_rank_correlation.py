import numpy as np
import pytest
from scipy.stats import rankdata, spearmanr

from evaluation.metrics.rank_correlation import partial_spearman, ranks, spearman


@pytest.fixture
def drawn():
    """Three variables with ties and how often each row was drawn."""
    rng = np.random.default_rng(0)
    z = rng.normal(size=40)
    x, y = (np.round(z + rng.normal(size=40), 1) for _ in range(2))
    return x, y, np.round(z, 1), rng.multinomial(40, np.full(40, 1 / 40), size=5).astype(float)


def test_it_is_spearman_of_the_rows_written_out(drawn):
    x, y, _, w = drawn
    for row, value in zip(w, spearman(x, y, w), strict=True):
        again = row.astype(int)
        assert value == pytest.approx(spearmanr(np.repeat(x, again), np.repeat(y, again)).statistic)
    assert ranks(x, np.ones((1, 40)))[0] == pytest.approx(rankdata(x))


def test_partial_correlation_is_that_of_the_residuals_of_ranks(drawn):
    x, y, z, w = drawn
    again = w[2].astype(int)
    a, b, c = (rankdata(np.repeat(v, again)) for v in (x, y, z))
    residuals = [v - np.polyval(np.polyfit(c, v, 1), c) for v in (a, b)]
    assert partial_spearman(x, y, z, w)[2] == pytest.approx(np.corrcoef(*residuals)[0, 1])


def test_what_does_not_vary_has_no_correlation(drawn):
    x, _, _, w = drawn
    assert np.isnan(spearman(x, np.ones(40), w)).all()
    assert np.isnan(partial_spearman(x, x, x, w)).all()
