import numpy as np
import pytest
from scipy.stats import multivariate_normal, norm
from sklearn.metrics import mean_absolute_error, roc_auc_score, root_mean_squared_error

from evaluation.forecast.design import Assumptions, Design, moments, moments_of_difference, paired
from evaluation.forecast.reader import METRICS, UnreachableError, read, strength_of
from evaluation.metrics.definitions import ccc


def both_below(a, b, correlation):
    return multivariate_normal([0, 0], [[1, correlation], [correlation, 1]]).cdf([a, b])


def test_the_auc_of_two_classes_is_that_of_the_binormal_model(classes_of):
    kinds = classes_of(3, 7).kinds
    gap = np.ptp(kinds.seen)
    for strength in (0.0, 0.3, 1.0):
        value = read("auc", kinds, strength).value
        assert value == pytest.approx(norm.cdf(strength * gap / np.sqrt(2)), abs=1e-5)
    assert strength_of("auc", kinds, 0.75) == pytest.approx(np.sqrt(2) * norm.ppf(0.75) / gap, abs=1e-4)


@pytest.mark.parametrize("icc", [0.0, 0.3, 0.8])
def test_variances_of_the_auc_are_those_of_obuchowski(classes_of, icc):
    """Placements of binormal predictions: E F(x) F(x') is a bivariate normal probability (closed form)."""
    labels, auc = classes_of(30, 70, visits=3), 0.8
    reading = read("auc", labels.kinds, strength_of("auc", labels.kinds, auc))
    found = moments(labels, reading, Assumptions(icc_predictions=icc))
    z = norm.ppf(auc)
    within, between = (both_below(z, z, 0.5 * share) - auc**2 for share in (1, icc))
    assert found.own == pytest.approx(within / 0.3 + within / 0.7, rel=1e-3)
    assert found.pair == pytest.approx(between / 0.3 + between / 0.7, rel=2e-3, abs=1e-6)


def test_a_visit_of_either_class_lowers_the_variance(classes_of):
    """One of two visits positive: what lifts both predictions helps one and harms the other."""
    positive = np.tile([1.0, 0.0], 50)
    labels = type(classes_of(1, 1))(np.repeat(np.arange(50), 2), positive)
    reading = read("auc", labels.kinds, strength_of("auc", labels.kinds, 0.8))
    found = moments(labels, reading, Assumptions(icc_predictions=0.6))
    z = norm.ppf(0.8)
    expected = (both_below(z, z, -0.3) - 0.64) / 0.25
    assert found.pair == pytest.approx(expected, rel=2e-3)
    assert expected < 0


def sample(labels, strength, *, rng):
    kinds = labels.kinds
    saw = strength * kinds.seen[kinds.of] + rng.standard_normal(len(kinds.of))
    slope = (kinds.share @ (kinds.points * kinds.seen)) * strength / (strength**2 + 1)
    return saw, labels.score.mean() + slope * saw


def measured(labels, saw, said):
    return {
        "auc": roc_auc_score(labels.positive, saw),
        "mae": mean_absolute_error(labels.score, said),
        "rmse": root_mean_squared_error(labels.score, said),
        "ccc": ccc(labels.score, said).value,
    }


def test_values_are_those_of_many_predictions(labels_of):
    labels = labels_of(persons=200_000)
    for strength in (0.4, 1.5):
        found = measured(labels, *sample(labels, strength, rng=np.random.default_rng(1)))
        for name in METRICS:
            assert read(name, labels.kinds, strength).value == pytest.approx(found[name], rel=0.01), name


def test_a_guess_has_an_auc_of_one_half_and_the_deviation_of_the_scores(labels_of):
    labels = labels_of()
    found = {name: read(name, labels.kinds, 0.0).value for name in METRICS}
    assert found["auc"] == pytest.approx(0.5)
    assert found["mae"] == pytest.approx(np.abs(labels.score - labels.score.mean()).mean())
    assert found["rmse"] == pytest.approx(labels.score.std())
    assert found["ccc"] == 0


@pytest.mark.slow  # 1,500 tables
def test_influences_have_mean_zero_and_the_variance_of_the_metric(labels_of):
    """Against the spread of sklearn's values over 1,500 tables of 300 persons with two visits."""
    labels, rng = labels_of(persons=300, visits=2), np.random.default_rng(2)
    everybody = labels_of(persons=20_000, visits=2)
    icc, strength = 0.5, 1.0
    values = {name: [] for name in METRICS}
    design = Design(300, np.array([2]))
    score, positive = everybody.score.reshape(-1, 2), everybody.positive.reshape(-1, 2)
    seen = everybody.kinds.seen[everybody.kinds.of].reshape(-1, 2)
    slope = np.mean((score - score.mean()) * seen) * strength / (strength**2 + 1)
    for _ in range(1500):
        who = rng.choice(20_000, 300, replace=False)
        noise = np.sqrt(icc) * rng.standard_normal((300, 1)) + np.sqrt(1 - icc) * rng.standard_normal(
            (300, 2)
        )
        saw = strength * seen[who] + noise
        own = type(labels)(labels.person, positive[who].ravel(), score[who].ravel())
        for name, value in measured(own, saw.ravel(), (score.mean() + slope * saw).ravel()).items():
            values[name].append(value)
    for name in METRICS:
        reading = read(name, everybody.kinds, strength)
        assert everybody.kinds.share @ reading.coefficients()[:, 0] == pytest.approx(0, abs=1e-5)
        expected = design.variance(moments(everybody, reading, Assumptions(icc_predictions=icc)))
        assert np.sqrt(expected) == pytest.approx(np.std(values[name]), rel=0.08), name


def test_products_of_two_recordings_are_those_of_correlated_disturbances(labels_of):
    labels = labels_of(persons=400)
    kinds, rng, shared = labels.kinds, np.random.default_rng(3), 0.6
    points = np.linspace(-8, 8, 641)
    for name in METRICS:
        reading = read(name, kinds, 1.0)
        first = rng.standard_normal(400_000)
        second = shared * first + np.sqrt(1 - shared**2) * rng.standard_normal(400_000)
        kind = rng.choice(len(kinds.share), 400_000, p=kinds.share)
        f, g = (_at(reading.influence, kind, noise, points) for noise in (first, second))
        coefficients = reading.coefficients()
        found = paired(labels, coefficients, coefficients, shared, 1.0)
        assert found == pytest.approx(np.mean(f * g), rel=0.03), name


def _at(influence, kind, noise, points):
    place = np.clip(np.round((noise - points[0]) / (points[1] - points[0])).astype(int), 0, len(points) - 1)
    return influence[kind, place]


def test_the_same_model_twice_differs_by_nothing(labels_of):
    labels = labels_of(visits=2)
    for name in METRICS:
        reading = read(name, labels.kinds, 1.0)
        found = moments_of_difference(labels, reading, reading, Assumptions(correlation=0.999))
        own = moments(labels, reading, Assumptions())
        assert found.own == pytest.approx(0, abs=0.01 * own.own)
        assert found.pair == pytest.approx(0, abs=0.005 * own.own)


def test_a_given_correlation_of_labels_stands_for_pairs_of_the_table(labels_of):
    """Labels of a person all alike, or drawn anew, are the two ends."""
    alike = labels_of(persons=5000, visits=2, stability=1.0)
    strangers = labels_of(persons=5000, visits=2, stability=0.0)
    for name in METRICS:
        for labels, icc in ((alike, 1.0), (strangers, 0.0)):
            f = read(name, labels.kinds, 1.0).coefficients()
            table, given = (paired(labels, f, f, 0.5, how) for how in (None, icc))
            scale = labels.kinds.share @ (f**2).sum(axis=1)
            assert given == pytest.approx(table, abs=0.02 * scale), name


def test_what_no_reader_reaches_is_refused_with_the_range(labels_of):
    kinds = labels_of().kinds
    with pytest.raises(UnreachableError, match=r"mae=50: on these labels a reader who knows nothing has \d"):
        strength_of("mae", kinds, 50)
    with pytest.raises(UnreachableError, match=r"auc=0\.4"):
        strength_of("auc", kinds, 0.4)


def test_next_to_a_guess_is_refused_as_a_guess_is(labels_of):
    """Rounding puts the AUC of a guess at .5 or just below."""
    kinds = labels_of().kinds
    guess = read("mae", kinds, 0.0).value
    for metric, value in (("auc", 0.5), ("auc", 0.5 + 1e-12), ("auc", 0.5004), ("mae", guess * (1 - 1e-6))):
        with pytest.raises(UnreachableError, match="give a value clearly between"):
            strength_of(metric, kinds, value)
    assert strength_of("auc", kinds, 0.501) > 0


def test_a_metric_that_nothing_moves_has_no_kurtosis(labels_of):
    kinds = labels_of().kinds
    with pytest.raises(ValueError, match="no recording moves the value of 0"):
        read("ccc", kinds, 0.0).kurtosis(kinds.share)


def test_two_models_that_are_disturbed_alike_are_refused():
    with pytest.raises(ValueError, match=r"correlation=1: two models .* give 0\.999 or less"):
        Assumptions(correlation=1.0, icc_predictions=1.0, icc_labels=1.0)


@pytest.mark.parametrize("name", ["icc_predictions", "icc_labels", "correlation"])
def test_a_correlation_beyond_one_is_refused(name):
    with pytest.raises(ValueError, match=f"{name}=1.2: give a correlation"):
        Assumptions(**{name: 1.2})
