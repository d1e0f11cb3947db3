import numpy as np
import pytest
import torch
import torchmetrics.functional as tm
from scipy import stats
from sklearn import metrics as sk

from evaluation.metrics import definitions as metrics


@pytest.fixture
def scores():
    rng = np.random.default_rng(0)
    y = rng.integers(0, 40, 60).astype(float)
    return y, 0.6 * y + 9 + rng.normal(0, 5, 60)


@pytest.fixture
def classes():
    rng = np.random.default_rng(1)
    y = rng.integers(0, 2, 80).astype(float)
    return y, np.round(np.clip(0.3 * y + rng.uniform(0, 0.7, 80), 0, 1), 2)  # rounding makes ties


def test_errors_have_their_closed_form(scores):
    y, p = scores
    assert metrics.mae(y, p).value == pytest.approx(np.abs(y - p).mean())
    assert metrics.rmse(y, p).value == pytest.approx(np.sqrt(((y - p) ** 2).mean()))
    assert metrics.pearson(y, p).value == pytest.approx(np.corrcoef(y, p)[0, 1])


def test_ccc_is_the_population_form_and_differs_from_torchmetrics_as_stated(scores):
    y, p = scores
    n = y.size
    value = metrics.ccc(y, p).value
    covariance = np.cov(y, p, ddof=0)
    shift = (y.mean() - p.mean()) ** 2
    assert value == pytest.approx(2 * covariance[0, 1] / (covariance[0, 0] + covariance[1, 1] + shift))
    theirs = tm.concordance_corrcoef(torch.tensor(p), torch.tensor(y)).item()
    unbiased = np.cov(y, p, ddof=1)
    assert theirs == pytest.approx(2 * unbiased[0, 1] / (unbiased[0, 0] + unbiased[1, 1] + shift), abs=1e-6)
    assert 0 < theirs - value < 1 / n
    centered = p - p.mean() + y.mean()
    assert metrics.ccc(y, centered).value == pytest.approx(
        tm.concordance_corrcoef(torch.tensor(centered), torch.tensor(y)).item(), abs=1e-6
    )


def test_ccc_limits(scores):
    y, _ = scores
    assert metrics.ccc(y, y).value == pytest.approx(1)
    assert metrics.ccc(y, np.full_like(y, 12.3)).value == 0
    assert metrics.ccc(y, y + 5).value < 1


def test_auc_counts_pairs_with_ties_one_half(classes):
    y, p = classes
    pairs = p[y == 1][:, None] - p[y == 0][None, :]
    assert metrics.auc(y, p).value == pytest.approx(((pairs > 0) + 0.5 * (pairs == 0)).mean())
    mann_whitney = stats.mannwhitneyu(p[y == 1], p[y == 0]).statistic / pairs.size
    assert metrics.auc(y, p).value == pytest.approx(mann_whitney)


def test_ranking_and_probability_against_torchmetrics(classes):
    y, p = classes
    target, predicted = torch.tensor(y).long(), torch.tensor(p)
    assert metrics.average_precision(y, p).value == pytest.approx(
        tm.average_precision(predicted, target, task="binary").item(), abs=1e-5
    )
    assert metrics.ece(y, p).value == pytest.approx(
        tm.calibration_error(predicted, target, task="binary", n_bins=metrics.ECE_BINS).item(), abs=1e-5
    )
    assert metrics.brier(y, p).value == pytest.approx(sk.brier_score_loss(y, p))


def test_ece_by_hand():
    # one bin holds both: |1/2 - 0.5| = 0; two bins: (|1 - 0.9| + |0 - 0.1|) / 2
    assert metrics.ece([0, 1], [0.5, 0.5]).value == pytest.approx(0)
    assert metrics.ece([1, 0], [0.9, 0.1]).value == pytest.approx(0.1)


def test_decisions_by_hand():
    y, d = [1, 1, 1, 0, 0], [1, 1, 0, 1, 0]  # TP 2, FN 1, FP 1, TN 1
    assert metrics.sensitivity(y, d).value == pytest.approx(2 / 3)
    assert metrics.specificity(y, d).value == pytest.approx(1 / 2)
    assert metrics.precision(y, d).value == pytest.approx(2 / 3)
    assert metrics.uar(y, d).value == pytest.approx(7 / 12)
    assert metrics.f1(y, d).value == pytest.approx(4 / 6)
    assert metrics.accuracy(y, d).value == pytest.approx(3 / 5)


def test_quadratic_kappa_is_the_concordance_of_bands():
    rng = np.random.default_rng(2)
    y, p = rng.integers(0, 4, 50).astype(float), rng.uniform(-0.4, 3.4, 50)
    rounded = metrics.round_band(p)
    theirs = tm.cohen_kappa(
        torch.tensor(rounded).long(), torch.tensor(y).long(), "multiclass", num_classes=4, weights="quadratic"
    ).item()
    assert metrics.quadratic_kappa(y, p).value == pytest.approx(theirs, abs=1e-5)
    assert metrics.quadratic_kappa(y, p).value == pytest.approx(metrics.ccc(y, rounded).value)


def test_round_band_rounds_halves_upwards():
    assert metrics.round_band(np.array([0.5, 1.5, 2.49])).tolist() == [1, 2, 2]


def test_pearson_within_ignores_levels():
    subject = np.repeat([0, 1, 2], 4)
    rng = np.random.default_rng(3)
    inner = rng.normal(size=12)
    y = inner + 10 * subject
    p = inner - 50 * subject  # levels point the other way
    assert metrics.pearson(y, p).value < 0
    assert metrics.pearson_within(y, p, subject).value > 0.99


@pytest.mark.parametrize(
    ("metric", "y", "p", "reason"),
    [
        (metrics.auc, [1, 1], [0.2, 0.3], "one class"),
        (metrics.uar, [0, 0], [0, 1], "one class"),
        (metrics.average_precision, [0, 0], [0.2, 0.3], "no positive"),
        (metrics.sensitivity, [0, 0], [0, 1], "no positive"),
        (metrics.f1, [0, 0], [0, 1], "no positive"),
        (metrics.precision, [0, 1], [0, 0], "decided positive"),
        (metrics.specificity, [1, 1], [0, 1], "no negative"),
        (metrics.pearson, [3, 3], [1, 2], "targets are equal"),
        (metrics.pearson, [1, 2], [3, 3], "predictions are equal"),
        (metrics.ccc, [3, 3], [1, 2], "targets are equal"),
        (metrics.quadratic_kappa, [2, 2], [1, 2], "targets are equal"),
        (lambda y, p: metrics.pearson_within(y, p, ["a", "b"]), [1, 2], [1, 2], "more than one"),
        (lambda y, p: metrics.pearson_within(y, p, ["a", "a"]), [1, 1], [1, 2], "target changes"),
        (lambda y, p: metrics.pearson_within(y, p, ["a", "a"]), [1, 2], [1, 1], "prediction changes"),
    ],
)
def test_undefined_is_none_with_a_reason(metric, y, p, reason):
    value, why = metric(y, p)
    assert value is None
    assert reason in why


@pytest.mark.parametrize(
    ("metric", "y", "p", "message"),
    [
        (metrics.mae, [], [], "no recordings"),
        (metrics.mae, [1, 2], [1], "one length"),
        (metrics.mae, [1, np.nan], [1, 2], "1 of 2 targets are not finite"),
        (metrics.auc, [0, 1], [0.2, np.inf], "1 of 2 predictions are not finite"),
        (metrics.auc, [0, 2], [0.2, 0.3], "binary targets must be 0 or 1"),
        (metrics.brier, [0, 1], [0.2, 1.3], "probabilities must lie in"),
    ],
)
def test_impossible_input_is_refused(metric, y, p, message):
    with pytest.raises(ValueError, match=message):
        metric(y, p)


def _answers(n=60, items=4, seed=0):
    """Answers with gaps, and expected answers near them."""
    rng = np.random.default_rng(seed)
    answers = rng.integers(0, 4, (n, items)).astype(float)
    expected = np.clip(answers + rng.normal(0, 1, answers.shape), 0, 3)
    answers[rng.random(answers.shape) < 0.2] = np.nan
    return answers, expected


@pytest.mark.parametrize(
    ("target", "prediction"),
    [([0, 0, 0, 0, 3, 3, 1, 1], [0, 0, 1, 1, 1, 1, 0, 1]), ([0, 0, 0, 3, 4, 4], [0, 0, 3, 3, 4, 0])],
)
def test_a_band_that_does_not_occur_has_its_distance(target, prediction):
    y, p = np.array(target, dtype=float), np.array(prediction, dtype=float)
    theirs = sk.cohen_kappa_score(target, prediction, weights="quadratic", labels=range(5))
    assert metrics.quadratic_kappa(y, p).value == pytest.approx(theirs)
    assert metrics.quadratic_kappa(y, p).value == pytest.approx(metrics.ccc(y, p).value)
    assert metrics.item_kappa(y[:, None], p[:, None]).value == pytest.approx(theirs)


def test_item_kappa_is_the_mean_of_those_of_sklearn():
    answers, expected = _answers()
    each = []
    for item in range(answers.shape[1]):
        known = ~np.isnan(answers[:, item])
        guess = np.floor(expected[known, item] + 0.5).astype(int)
        each.append(sk.cohen_kappa_score(answers[known, item].astype(int), guess, weights="quadratic"))
    assert metrics.item_kappa(answers, expected).value == pytest.approx(np.mean(each), rel=1e-12)
    answers[:, 0] = 2.0  # all answer alike: no kappa of this item
    assert metrics.item_kappa(answers, expected).value == pytest.approx(np.mean(each[1:]), rel=1e-12)
    assert metrics.item_kappa(np.zeros((3, 2)), np.zeros((3, 2))).reason == "no item was answered in two ways"
    expected[~np.isnan(answers)] = np.nan
    with pytest.raises(ValueError, match="not finite"):
        metrics.item_kappa(answers, expected)


def test_macro_f1_is_that_of_sklearn():
    rng = np.random.default_rng(0)
    y, d = rng.integers(0, 2, 50), rng.integers(0, 2, 50)
    assert metrics.macro_f1(y, d).value == pytest.approx(sk.f1_score(y, d, average="macro"))
    assert metrics.macro_f1(np.ones(3), np.ones(3)).value is None
