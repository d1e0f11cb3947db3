"""Results of a run: what stands beside the model on other tables, and where nothing is measured."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from datamodules.splits.longitudinal import everybody_later
from datamodules.splits.protocols import Holdout
from datamodules.synthetic.cohort import synthetic_manifest
from engine.inference.recordings import PredictedParts, rows_of, targets, unmeasured_table
from engine.inference.results import assess


@pytest.fixture(scope="module")
def manifest(tmp_path_factory):
    return synthetic_manifest(
        root=tmp_path_factory.mktemp("cohort"), n_subjects=16, n_visits=3, fps=12.0, duration_s=2.0,
        size=None, confound=1.0, habit_visibility=0.1, seed=0, landmarks=False, workers=1,
    )  # fmt: skip


def told(manifest, ids, rng):
    """Made-up predictions of recordings, as a table of a part."""
    rows = rows_of(targets(manifest), ids)
    table = rows[["recording_id", "subject_id", "session_id"]].assign(split="part")
    for head in ("score", "binary"):
        table[f"{head}_target"] = rows[head].astype(float)
    table["score_prediction"] = rows["score"] + rng.normal(0, 3, len(table))
    return table.assign(binary_prediction=rng.uniform(size=len(table)))


CONFIG = {
    "data": {
        "module": {"source": {"_target_": "datamodules.clips.dataset.SeriesClips"}},
        "scale": {"low": 0, "high": 63},
    },
    "evaluation": {"lines": ["statistics"]},
}


@pytest.mark.parametrize("known", [1, 2])
def test_earlier_scores_of_new_persons_stand_beside_a_network_that_may_know_them(manifest, known):
    split, rng = everybody_later(manifest, known), np.random.default_rng(0)
    test = told(manifest, split.test, rng)
    parts = PredictedParts({}, {"test": test}, unmeasured_table({}, targets(manifest), heads=("score",)))
    learned = told(manifest, manifest.table["recording_id"], rng)
    found = assess(CONFIG, manifest, split, parts, calibration=learned).metrics
    lines, table = found["reference"], manifest.table.sort_values("session_id")
    for row, (person, visit) in enumerate(zip(test["subject_id"], test["session_id"], strict=True)):
        own = table[(table["subject_id"] == person) & (table["session_id"] < visit)]["score"][:known]
        test.loc[test.index[row], ["last_score", "mean_score"]] = own.iloc[-1], own.mean()
    for name in ("last_score", "mean_score"):
        error = (test["score_target"] - test[name]).abs().mean()
        assert lines[name]["mae"]["value"] == pytest.approx(error)
        ranked = roc_auc_score(test["binary_target"], test[name])
        assert lines[name]["auc"]["value"] == pytest.approx(ranked)
        gap = found["test"]["auc"]["value"] - ranked
        assert lines[name]["difference"]["auc"]["value"] == pytest.approx(gap)
        assert "brier" not in lines[name]  # nobody taught what a score says of the class
    ranked = {
        head: roc_auc_score(learned["binary_target"], learned[f"{head}_prediction"])
        for head in ("binary", "score")
    }
    assert found["ranked_by_heads"] == pytest.approx(ranked)
    assert lines["constant"] is None
    assert set(lines["reasons"]) >= {"constant", "statistics", "oracle"}


def test_earlier_scores_rank_visits_of_which_the_class_alone_is_known(manifest):
    split, rng = everybody_later(manifest, 1), np.random.default_rng(0)
    table = manifest.table
    later = table["recording_id"].isin(set(split.test))
    classes = replace(manifest, table=table.assign(score=table["score"].mask(later)))
    test = told(manifest, split.test, rng).assign(score_target=np.nan)
    parts = PredictedParts({}, {"test": test}, unmeasured_table({}, targets(manifest), heads=("score",)))
    learned = told(manifest, table["recording_id"], rng)
    lines = assess(CONFIG, classes, split, parts, calibration=learned).metrics["reference"]
    first = table.set_index("subject_id")[~later.to_numpy()]["score"]
    ranked = roc_auc_score(test["binary_target"], first.loc[test["subject_id"]])
    assert lines["last_score"]["auc"]["value"] == pytest.approx(ranked)
    assert lines["last_score"].get("mae") is None


def test_without_known_visits_no_earlier_score_stands_beside_new_persons(manifest):
    split, rng = replace(everybody_later(manifest, 1), known=None), np.random.default_rng(0)
    test = told(manifest, split.test, rng)
    parts = PredictedParts({}, {"test": test}, unmeasured_table({}, targets(manifest), heads=("score",)))
    found = assess(CONFIG, manifest, split, parts, calibration=pd.DataFrame(test)).metrics["reference"]
    assert found["last_score"] is found["mean_score"] is None
    assert "last_score" in found["reasons"]


def test_a_validation_recording_without_a_measurement_takes_no_line_away(manifest, tmp_path):
    split = Holdout().splits(manifest)[0]
    lost, rng = split.val[0], np.random.default_rng(0)
    table = manifest.table.copy()
    path = Path(manifest.root) / table.set_index("recording_id").loc[lost, "series_path"]
    with np.load(path) as held:
        np.savez(tmp_path / "nobody.npz", **{**held, "valid": np.zeros(len(held["values"]), bool)})
    table.loc[table["recording_id"] == lost, "series_path"] = str(tmp_path / "nobody.npz")
    damaged, parts = replace(manifest, table=table), {}
    for name in ("val", "test"):
        parts[name] = told(damaged, set(getattr(split, name)) - {lost}, rng).assign(split=name)
    nothing = unmeasured_table({}, targets(damaged), heads=("score", "binary"))
    found = assess(CONFIG, damaged, split, PredictedParts({}, parts, nothing)).metrics["reference"]
    assert "statistics" in found
    assert "statistics" not in found["reasons"]


def test_no_interval_of_an_error_is_beyond_the_questionnaire(manifest):
    """Four persons, of whom one is missed by far: their interval alone would reach beyond 63 points."""
    rng, table = np.random.default_rng(0), manifest.table
    few = sorted(set(table["subject_id"]))[:4]
    tested, chosen = (
        tuple(table.loc[table["subject_id"].isin(own), "recording_id"])
        for own in (few, sorted(set(table["subject_id"]))[4:8])
    )
    rest = tuple(set(table["recording_id"]) - {*tested, *chosen})
    split = replace(Holdout().splits(manifest)[0], train=rest, val=chosen, test=tested)
    test, val = (told(manifest, ids, rng) for ids in (tested, chosen))
    missed = np.where(test["subject_id"] == few[0], 62.9 - test["score_target"], 0.1)
    both = {"test": test.assign(score_prediction=test["score_target"] + missed), "val": val}
    nothing = unmeasured_table({}, targets(manifest), heads=("score",))
    found = assess(CONFIG, manifest, split, PredictedParts({}, both, nothing)).metrics
    assert found["test"]["mae"]["high"] == 63
    assert "cut to a scale of 63 points" in found["test"]["mae"]["method"]
