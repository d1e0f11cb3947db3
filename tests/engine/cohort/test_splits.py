"""Splits of a config are checked, filtered where asked for, and checked again."""

import json

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from datamodules.feature_leakage.channels import LeakageError
from datamodules.manifests.manifest import Manifest
from datamodules.manifests.questionnaires import subscale
from engine.checkpoints.checkpoint import load_checkpoint
from engine.cohort import splits as splitting
from engine.cohort.splits import checked_splits
from engine.inference.strata import by_discrepancy, discrepancy_facts, strata_sections

COLUMNS = list(subscale("DASS-21-D").columns)
N = 400
KFOLD = {"_target_": "datamodules.splits.protocols.KFold", "folds": 4}
FILTER = {
    "_target_": "biomarkers.symptoms.training_filter.TrainingFilter",
    "scale": "DASS-21-D",
    "share": 0.2,
    "grouping": "severity",
}


@pytest.fixture(scope="module")
def manifest():
    rng = np.random.default_rng(0)
    items = rng.binomial(3, 0.25, (N, 7)).astype(float)
    score = 2 * items.sum(axis=1)
    ids = {"recording_id": [f"r{i}" for i in range(N)], "subject_id": [f"p{i}" for i in range(N)]}
    table = pd.DataFrame(ids | {"session_id": "1", "scale": "DASS-21-D", "score": score})
    table[COLUMNS] = items
    return Manifest(table=table.assign(binary=(score > 9) * 1.0), root=None, name="cohort", truth=None)


def test_without_a_filter_the_splits_are_those_of_the_protocol(manifest):
    splits = checked_splits({"protocol": KFOLD, "train_filter": None}, manifest)
    assert [len(split.left_out) for split in splits] == [0] * 4


def test_a_filter_takes_from_every_training_part_and_from_nothing_else(manifest):
    whole = checked_splits({"protocol": KFOLD, "train_filter": None}, manifest)
    filtered = checked_splits({"protocol": KFOLD, "train_filter": FILTER}, manifest)
    for before, after in zip(whole, filtered, strict=True):
        assert (after.val, after.test) == (before.val, before.test)
        assert 0.1 < len(after.left_out) / len(before.train) < 0.25
        assert sorted(after.train + after.left_out) == sorted(before.train)


def test_a_filter_that_touches_the_test_part_is_refused(manifest, monkeypatch):
    def dropping(node, *, key):
        if key == "protocol":
            return build(node, key=key)
        return lambda manifest, split: splitting.Split("odd", split.train, split.val, split.test[:-5])

    build = splitting.build
    monkeypatch.setattr(splitting, "build", dropping)
    with pytest.raises(LeakageError, match="may only leave out training recordings"):
        checked_splits({"protocol": KFOLD, "train_filter": FILTER}, manifest)


def test_strata_are_the_same_with_and_without_a_filter(manifest):
    (whole, *_) = checked_splits({"protocol": KFOLD, "train_filter": None}, manifest)
    (filtered, *_) = checked_splits({"protocol": KFOLD, "train_filter": FILTER}, manifest)
    facts = discrepancy_facts(manifest, [whole])
    assert set(facts["discrepancy"]) == {"low", "high"}
    pd.testing.assert_frame_equal(facts, discrepancy_facts(manifest, [filtered]))


def test_there_are_no_strata_without_items_and_a_reason_with_some_of_them(manifest):
    (split, *_) = checked_splits({"protocol": KFOLD, "train_filter": None}, manifest)
    bare = Manifest(table=manifest.table.drop(columns=COLUMNS), root=None, name="bare", truth=None)
    assert by_discrepancy(pd.DataFrame(), bare, [split], threshold=None) == {}
    some = Manifest(table=manifest.table.drop(columns=COLUMNS[0]), root=None, name="some", truth=None)
    found = by_discrepancy(pd.DataFrame(), some, [split], threshold=None)
    assert COLUMNS[0] in found["discrepancy"]["reason"]
    assert strata_sections({}, {}, bare, [split]) == []


def test_a_reader_that_fails_for_unusual_answers_shows_it(manifest):
    """Predictions are right for usual answers and coins for the others."""
    splits = checked_splits({"protocol": KFOLD, "train_filter": None}, manifest)
    facts = discrepancy_facts(manifest, splits)
    table = manifest.table.merge(facts, on="recording_id")
    coins = np.random.default_rng(1).random(N)
    predictions = pd.DataFrame(
        {
            "recording_id": table["recording_id"],
            "subject_id": table["subject_id"],
            "session_id": "1",
            "binary_target": table["binary"],
            "binary_prediction": np.where(table["discrepancy"] == "low", table["binary"], coins),
        }
    )
    everybody = roc_auc_score(predictions["binary_target"], predictions["binary_prediction"])
    whole = {"reader": {"value": everybody}}
    (section,) = strata_sections({"reader": predictions}, whole, manifest, splits)
    name, full, low, high = section.rows[0]
    assert name == "reader"
    assert low["value"] == 1.0
    assert 0.35 < high["value"] < 0.65
    assert high["value"] < full["value"] < 1


@pytest.mark.slow
def test_a_run_with_a_filter_says_so_everywhere(small_run, tmp_path):
    more = ["data.cohort.n_subjects=40", "trainer.max_epochs=1", "train_filter=symptom_discrepancy"]
    severity = ["train_filter.grouping=severity", "train_filter.share=0.2"]
    run = small_run(tmp_path / "run", *more, *severity)
    (counts,) = run.record["train_filter"].values()
    split = load_checkpoint(run.best).split
    assert counts["left_out"] == len(split["left_out"]) > 0
    assert counts["of"] == len(split["train"]) + len(split["left_out"])
    page = (run.folder / "report.html").read_text()
    assert f"{counts['left_out']} of {counts['of']} training recordings left out" in page
    assert "By symptom discrepancy" in page
    found = json.loads((run.folder / "metrics.json").read_text())["discrepancy"]
    assert {group["group"] for group in found["groups"]} == {"low", "high"}
    assert sum(group["recordings"] for group in found["groups"]) <= len(split["test"])
