import numpy as np
import pytest

from biomarkers.estimators.frame_leak import (
    DIFFERENCE,
    FRAME_RANDOM,
    PERSON_GROUPED,
    gap_table,
)
from datamodules.series import Series
from datamodules.synthetic.behavior import behave
from datamodules.synthetic.latent import CHANNELS, LatentSettings, draw_cohort
from evaluation.uncertainty.bootstrap import Resampling
from tests.biomarkers.estimators.test_frame_classifiers import paper_estimators

UNITS = tuple(name for name in CHANNELS if name.startswith("au"))
RESAMPLING = Resampling(2000)
KNN = {"knn": paper_estimators()["knn"]}


def persons_without_a_difference(seed, persons=24):
    """Each person has a face of their own, and the labels are drawn by lot."""
    rng = np.random.default_rng(seed)
    labels = rng.permutation(np.arange(persons) % 2)
    faces = 3 * rng.standard_normal((persons, 1, 4)) + rng.standard_normal((persons, 30, 4))
    return [
        Series(values=face.astype(np.float32), channels=UNITS[:4], valid=np.ones(30, dtype=bool), fps=10.0)
        for face in faces
    ], labels


def test_labels_by_lot_are_read_almost_perfectly_where_frames_are_shuffled():
    tables = []
    for seed in range(6):
        recordings, labels = persons_without_a_difference(seed)
        table = gap_table(recordings, labels, np.arange(24), KNN, RESAMPLING, channels=UNITS[:4])
        tables.append(table.set_index("split")["accuracy"])
    assert np.mean([t[FRAME_RANDOM] for t in tables]) > 0.95
    assert 0.3 < np.mean([t[PERSON_GROUPED] for t in tables]) < 0.7


def test_the_gap_shows_on_the_cohort():
    settings = LatentSettings(30, 1, 10.0, 20.0, confound=1.0, habit_visibility=0.1, seed=0)
    visits = draw_cohort(settings)
    labels = np.array([visit.severity for visit in visits])
    labels = (labels > np.median(labels)).astype(int)
    recordings = [
        Series(values=v, channels=CHANNELS, valid=np.ones(len(v), dtype=bool), fps=10.0)
        for v in (behave(visit, settings) for visit in visits)
    ]
    persons = [visit.person.subject_id for visit in visits]
    table = gap_table(
        recordings, labels, persons, paper_estimators(), RESAMPLING, channels=UNITS, frames_per_recording=40
    )
    accuracy = table.pivot(index="estimator", columns="split", values="accuracy")
    assert set(accuracy.index) == {"knn", "logistic", "svm"}
    assert accuracy.loc["knn", FRAME_RANDOM] > accuracy.loc["knn", PERSON_GROUPED] + 0.15
    assert table.loc[table["split"] != DIFFERENCE, "frame_accuracy"].between(0, 1).all()


def test_intervals_are_those_of_resampled_persons_and_the_difference_is_paired():
    recordings, labels = persons_without_a_difference(0)
    table = gap_table(recordings, labels, np.arange(24), KNN, RESAMPLING, channels=UNITS[:4])
    table = table.set_index("split")
    for split in (FRAME_RANDOM, PERSON_GROUPED):
        share, low, high = table.loc[split, ["accuracy", "accuracy_low", "accuracy_high"]]
        drawn = np.quantile(np.random.default_rng(5).binomial(24, share, 100_000) / 24, [0.025, 0.975])
        np.testing.assert_allclose([low, high], drawn, atol=1 / 24 + 1e-9)  # one recording a person
    gap = table.loc[DIFFERENCE]
    assert gap["accuracy"] == table.loc[FRAME_RANDOM, "accuracy"] - table.loc[PERSON_GROUPED, "accuracy"]
    assert table.loc[FRAME_RANDOM, "accuracy"] == 1.0  # so the difference is the share of errors
    np.testing.assert_allclose(
        [gap["accuracy_low"], gap["accuracy_high"]],
        [1 - table.loc[PERSON_GROUPED, "accuracy_high"], 1 - table.loc[PERSON_GROUPED, "accuracy_low"]],
    )


def test_a_class_of_one_person_cannot_be_grouped():
    recordings, labels = persons_without_a_difference(0)
    with pytest.raises(ValueError, match="single person"):
        gap_table(recordings, labels, labels, KNN, RESAMPLING, channels=UNITS[:4])
