import numpy as np
import pytest
from sklearn.base import clone
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import mean_absolute_error, root_mean_squared_error
from sklearn.neighbors import KNeighborsClassifier
from sklearn.svm import LinearSVC

from biomarkers.estimators.frame_classifiers import (
    FrameClassifier,
    paper_metrics,
    sample_frames,
)
from datamodules.series import Series
from tests.isolation import check_isolated

CHANNELS = ("au04", "au12")


def paper_estimators():
    """The three classifiers of Sun et al.; how many neighbors is not told."""
    return {
        "knn": KNeighborsClassifier(n_neighbors=5),
        "logistic": LogisticRegression(max_iter=10_000),
        "svm": LinearSVC(max_iter=10_000),
    }


def series(values, valid=None):
    values = np.asarray(values, dtype=np.float32)
    valid = np.ones(len(values), dtype=bool) if valid is None else np.asarray(valid, dtype=bool)
    return Series(values=values, channels=CHANNELS, valid=valid, fps=10.0)


def cohort(count, effect, seed=0, steps=20):
    rng = np.random.default_rng(seed)
    y = np.arange(count) % 2
    return [
        series(rng.standard_normal((rng.integers(steps, 2 * steps), 2)) + effect * label) for label in y
    ], y


def test_frames_are_evenly_spaced_over_the_measured_ones():
    long = series(np.c_[np.arange(12), np.zeros(12)], valid=[0] + [1] * 11)
    broken = series([[1, 0], [2, np.nan], [3, 0]])
    frames, owners = sample_frames([long, broken], CHANNELS, per_recording=3)
    np.testing.assert_array_equal(frames[:, 0], [1, 6, 11, 1, 3])
    np.testing.assert_array_equal(owners, [0, 0, 0, 1, 1])
    assert len(sample_frames([long, broken], CHANNELS, per_recording=None)[0]) == 13


def test_recordings_that_give_no_frames_are_errors():
    with pytest.raises(ValueError, match=r"recording 1 \(counted from 0\) has no frame with all of au04, au"):
        sample_frames([series([[1, 1]]), series([[1, np.nan]])], CHANNELS, per_recording=3)
    with pytest.raises(ValueError, match="recording 0 has no channel 'au01'"):
        sample_frames([series([[1, 1]])], ["au01"], per_recording=3)


@pytest.mark.parametrize("name", paper_estimators())
def test_the_share_of_positive_frames_decides(name):
    train, y = cohort(20, effect=1.0)
    test, truth = cohort(10, effect=1.0, seed=1)
    model = FrameClassifier(estimator=paper_estimators()[name], channels=CHANNELS).fit(train, y)
    share = model.predict_proba(test)[:, 1]
    frames = (np.concatenate([r.values for r in train]), np.repeat(y, [len(r.values) for r in train]))
    low, high = frames[0].min(0), frames[0].max(0)
    plain = clone(paper_estimators()[name]).fit((frames[0] - low) / (high - low), frames[1])
    expected = [plain.predict((r.values - low) / (high - low)).mean() for r in test]
    np.testing.assert_allclose(share, expected, atol=0.03)  # float32 against float64 at the border
    np.testing.assert_array_equal(model.predict(test), share >= 0.5)
    assert (model.predict(test) == truth).mean() > 0.8


def test_labels_must_be_zero_and_one():
    train, y = cohort(4, effect=1.0)
    with pytest.raises(ValueError, match="both labels, 0 and 1"):
        FrameClassifier(estimator=paper_estimators()["svm"], channels=CHANNELS).fit(train, y + 1)


def test_metrics_are_those_of_sklearn():
    y, share = [0, 1, 1, 0], [0.2, 0.5, 0.4, 0.9]
    assert paper_metrics(y, share) == pytest.approx(
        {
            "accuracy": 0.5,
            "mae": mean_absolute_error(y, share),
            "rmse": root_mean_squared_error(y, share),
        }
    )


def test_nothing_is_learned_from_the_test_rows():
    recordings, y = cohort(16, effect=0.5)
    flat = np.stack([r.values[:20].ravel() for r in recordings])
    model = FrameClassifier(estimator=paper_estimators()["knn"], channels=CHANNELS)

    def procedure(rows, target, train, test):
        fitted = clone(model).fit([series(r.reshape(-1, 2)) for r in rows[train]], target[train])
        return lambda asked: fitted.predict_proba([series(r.reshape(-1, 2)) for r in asked])[:, 1]

    check_isolated(procedure, flat, y, train=np.arange(12), test=np.arange(12, 16))
