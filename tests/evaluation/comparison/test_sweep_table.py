import numpy as np
import pandas as pd
import pytest

from evaluation.comparison.sweep_table import read_sweep


def table(seeds=(0, 1), trials=(1, 2, 10), persons=8, visits=2):
    rng = np.random.default_rng(0)
    rows = [
        (trial, seed, f"p{p}", f"p{p}v{v}", float(p % 2), p % 2 + rng.standard_normal())
        for trial in trials for seed in seeds for p in range(persons) for v in range(visits)
    ]  # fmt: skip
    return pd.DataFrame(rows, columns=["trial", "seed", "subject_id", "recording_id", "target", "prediction"])


def test_models_are_bound_to_the_same_recordings_whatever_their_order():
    own = table()
    found, shuffled = read_sweep(own, "auc"), read_sweep(own.sample(frac=1, random_state=1), "auc")
    assert found.trials == (1, 2, 10)
    np.testing.assert_array_equal(found.trial_of, [0, 0, 1, 1, 2, 2])
    assert len(np.unique(found.persons)) == 8
    for one, other in zip(found.models, shuffled.models, strict=True):
        np.testing.assert_array_equal(one.prediction, other.prediction)
        assert one.value() == other.value()


def test_a_trial_may_lack_seeds():
    own = table()
    found = read_sweep(own[(own["trial"] != 2) | (own["seed"] == 0)], "mae")
    np.testing.assert_array_equal(found.trial_of, [0, 0, 1, 2, 2])


def test_a_trial_with_a_bad_prediction_is_named_and_not_flattered_by_its_other_seed():
    own = table()
    own.loc[(own["trial"] == 2) & (own["seed"] == 1) & (own["subject_id"] == "p3"), "prediction"] = np.nan
    found = read_sweep(own, "auc")
    assert found.trials == (1, 10)
    assert found.absent == {2: "no finite prediction of 2 of 16 recordings (seed 1)"}
    lacking = own[(own["trial"] != 10) | (own["subject_id"] != "p0")]
    assert "2 of 16" in read_sweep(lacking, "auc").absent[10]


def test_a_constant_prediction_has_no_correlation_and_an_auc_of_one_half():
    own = table()
    own.loc[own["trial"] == 1, "prediction"] = 0.5
    assert read_sweep(own, "pearson").absent == {1: "all predictions are equal"}
    assert read_sweep(own, "auc").models[0].value().value == 0.5


def test_one_class_leaves_no_trial():
    found = read_sweep(table().assign(target=1.0), "auc")
    assert found.trials == ()
    assert set(found.absent.values()) == {"only one class among the targets"}


def test_recordings_without_a_target_are_left_out():
    own = table()
    own.loc[own["subject_id"] == "p7", "target"] = np.nan
    assert read_sweep(own, "auc").persons.size == 14


@pytest.mark.parametrize(
    ("change", "metric", "message"),
    [
        (lambda t: t.drop(columns="seed"), "auc", "lacks .'seed'."),
        (lambda t: t, "uar", "metric='uar' cannot rank"),
        (lambda t: t, "ece", "take one of"),
        (lambda t: t.assign(target=np.nan), "auc", "no recording has a target"),
        (lambda t: pd.concat([t, t[:1]]), "auc", "p0v0: more than one row"),
        (lambda t: t.assign(target=t["target"] + (t["trial"] == 2)), "mae", "disagree on the person or"),
    ],
)
def test_tables_that_cannot_be_ranked_are_refused(change, metric, message):
    with pytest.raises(ValueError, match=message):
        read_sweep(change(table()), metric)
