import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import mean_absolute_error, roc_auc_score

from datamodules.manifests.manifest import manifest_from_table
from datamodules.splits.cross_validation import RepeatedKFold
from datamodules.splits.protocols import KFold, LeaveOneSubjectOut
from datamodules.synthetic.cohort import synthetic_manifest
from engine.inference.lines import Lines
from engine.inference.recordings import rows_of, targets
from engine.training.cross_val_results import pool, spread


def made(folder):
    """Ten persons of two visits, with files that nothing opens."""
    rows = []
    for person in range(10):
        for visit in range(2):
            name = f"p{person}_v{visit}"
            (folder / f"{name}.mp4").touch()
            row = {"recording_id": name, "subject_id": f"p{person}", "session_id": f"v{visit}"}
            rows.append(row | {"path": f"{name}.mp4", "scale": "PHQ-8", "score": 2 * person + visit})
    return manifest_from_table(pd.DataFrame(rows), root=folder, name="made", probe=False)


@pytest.fixture
def manifest(tmp_path):
    return made(tmp_path)


def predicted(manifest, split, seed):
    """What a fold of this split would write."""
    rng = np.random.default_rng(seed)
    rows = manifest.table[manifest.table["recording_id"].isin(split.test)].reset_index(drop=True)
    table = rows[["recording_id", "subject_id", "session_id"]].assign(split="test")
    table["score_target"], table["binary_target"] = rows["score"], rows["binary"]
    return table.assign(score_prediction=rows["score"] + rng.normal(0, 3, len(rows)))


def test_repeats_are_pooled_apart_and_their_metrics_averaged(manifest):
    splits = RepeatedKFold(folds=2, repeats=3, val=0.3).splits(manifest)
    tables = [predicted(manifest, split, seed) for seed, split in enumerate(splits)]
    found = pool(manifest, splits, tables)
    errors = []
    for repeat in range(3):
        own = pd.concat([t for t, s in zip(tables, splits, strict=True) if s.repeat == repeat])
        errors.append(mean_absolute_error(own["score_target"], own["score_prediction"]))
    assert found.metrics["repeats"]["mae"]["values"] == pytest.approx(errors)
    assert found.metrics["repeats"]["mae"]["sd"] == pytest.approx(np.std(errors, ddof=1))
    assert found.metrics["test"]["mae"]["value"] == pytest.approx(np.mean(errors))
    assert found.metrics["test"]["counts"]["recordings"] == 20
    assert len(found.metrics["folds"]["mae"]["values"]) == 6
    assert found.metrics["reference"]["constant"]["difference"]["mae"]["high"] < 0
    assert sorted(found.test["recording_id"]) == sorted(manifest.table["recording_id"])
    one = found.test.set_index("recording_id")["score_prediction"]["p3_v0"]
    each = [t.set_index("recording_id")["score_prediction"].get("p3_v0") for t in tables]
    assert one == pytest.approx(np.mean([value for value in each if value is not None]))


def test_a_repeat_that_misses_somebody_is_refused(manifest):
    splits = RepeatedKFold(folds=2, repeats=2, val=0.3).splits(manifest)
    tables = [predicted(manifest, split, seed) for seed, split in enumerate(splits)]
    with pytest.raises(ValueError, match="do not test each recording once"):
        pool(manifest, splits, [*tables[:3], tables[3].iloc[1:]])


def test_no_interval_of_an_error_is_beyond_the_questionnaire(manifest):
    splits = KFold(folds=2, val=0.3).splits(manifest)
    tables = [predicted(manifest, split, seed) for seed, split in enumerate(splits)]
    whole = pool(manifest, splits, tables).metrics["test"]["mae"]
    span = (whole["value"] + whole["high"]) / 2  # as if the questionnaire had so few points
    assert pool(manifest, splits, tables, span=span).metrics["test"]["mae"]["high"] == span


def test_recordings_without_a_measurement_are_counted_and_in_no_line(manifest):
    splits = KFold(folds=2, val=0.3).splits(manifest)
    tables = [predicted(manifest, split, seed) for seed, split in enumerate(splits)]
    lost = tables[0]["recording_id"].iloc[0]
    rows = tables[0]["recording_id"] == lost
    tables[0].loc[rows, "score_prediction"] = np.nan
    tables[0] = tables[0].assign(
        valid_share=rows.map({True: 0.0, False: np.nan}), unmeasured=rows.map({True: "nothing", False: ""})
    )
    found = pool(manifest, splits, tables)
    assert lost not in set(found.test["recording_id"])
    assert found.unmeasured["recording_id"].tolist() == [lost]
    assert found.metrics["test"]["counts"]["recordings"] == 19
    assert found.metrics["test"]["counts"]["unmeasured"] == 1
    assert found.metrics["unmeasured"] == [
        {"recording_id": lost, "split": "test", "valid_share": 0.0, "reason": "nothing"}
    ]
    kept = found.test
    expected = mean_absolute_error(kept["score_target"], kept["score_prediction"])
    assert found.metrics["test"]["mae"]["value"] == pytest.approx(expected)
    assert found.metrics["reference"]["constant"]["counts"]["recordings"] == 19


def test_a_metric_that_a_fold_does_not_define_is_listed_with_the_reason_and_has_no_mean():
    rng = np.random.default_rng(0)
    tables = []
    for number, classes in enumerate(([0, 1, 0, 1], [1, 1, 1], [0, 1, 1])):
        names = [f"{number}{row}" for row in range(len(classes))]
        table = pd.DataFrame({"recording_id": names, "subject_id": names, "session_id": "1", "split": "test"})
        tables.append(
            table.assign(binary_target=np.array(classes, float), binary_prediction=rng.random(len(table)))
        )
    found = spread(tables)
    assert found["auc"]["mean"] is None
    assert found["auc"]["sd"] is None
    assert [value is None for value in found["auc"]["values"]] == [False, True, False]
    assert found["auc"]["reason"] == "undefined in 1 of 3: only one class among the targets"
    assert found["brier"]["mean"] == pytest.approx(np.mean(found["brier"]["values"]))
    assert not {"f1", "uar", "mae"} & set(found)  # decisions are not pooled, and there is no score


def test_a_person_a_fold_is_pooled_without_a_word_missing(manifest):
    splits = LeaveOneSubjectOut(val=0.3).splits(manifest)
    tables = [predicted(manifest, split, seed) for seed, split in enumerate(splits)]
    tables = [table.assign(binary_prediction=table["score_prediction"].rank(pct=True)) for table in tables]
    found = pool(manifest, splits, tables).metrics
    assert found["folds"]["auc"]["reason"] == "undefined in 10 of 10: only one class among the targets"
    assert found["folds"]["mae"]["mean"] == pytest.approx(np.mean(found["folds"]["mae"]["values"]))
    together = pd.concat(tables)
    assert found["test"]["auc"]["value"] == pytest.approx(
        roc_auc_score(together["binary_target"], together["binary_prediction"])
    )


@pytest.mark.parametrize("protocol", [KFold(folds=3, val=0.3), RepeatedKFold(folds=3, repeats=2, val=0.3)])
def test_the_constants_of_folds_rank_nobody(manifest, protocol):
    splits = protocol.splits(manifest)
    tables = [predicted(manifest, split, seed) for seed, split in enumerate(splits)]
    tables = [table.assign(binary_prediction=table["score_prediction"].rank(pct=True)) for table in tables]
    metrics = pool(manifest, splits, tables).metrics
    line = metrics["reference"]["constant"]
    assert line["auc"]["value"] == 0.5  # pooled as they are, the constants of the first round have 0.36
    assert line["difference"]["auc"]["value"] == pytest.approx(metrics["test"]["auc"]["value"] - 0.5)
    assert line["by_subject"]["auc"]["value"] == 0.5
    assert line["average_precision"]["value"] == pytest.approx(manifest.table["binary"].mean())
    assert line["pearson"]["value"] is None
    assert line["pearson"]["reason"] == "all predictions are equal"
    errors = []
    for split in splits:
        known = manifest.table.set_index("recording_id")["score"]
        errors.append(
            (known[list(split.test)] - known[list(split.train)].mean()).abs().mean() * len(split.test)
        )
    assert line["mae"]["value"] == pytest.approx(sum(errors) / sum(len(split.test) for split in splits))


def test_lines_on_series_learn_in_each_fold_from_its_own_training_persons_and_are_pooled(tmp_path):
    made_up = synthetic_manifest(
        root=tmp_path, n_subjects=14, n_visits=2, fps=10.0, duration_s=2.0, size=None, confound=1.0,
        habit_visibility=0.1, seed=0, workers=1, landmarks=False,
    )  # fmt: skip
    source = {"_target_": "datamodules.clips.dataset.SeriesClips"}
    config = {"data": {"module": {"source": source}}, "evaluation": {"lines": ["statistics"]}}
    splits = KFold(folds=2, val=0.3).splits(made_up)
    tables = [predicted(made_up, split, seed) for seed, split in enumerate(splits)]
    lines = Lines(config, made_up)
    reference = pool(made_up, splits, tables, lines=lines).metrics["reference"]
    found = reference["statistics"]["both"]
    each = []
    for split in splits:
        line = lines.of(split, split.test, heads=("score",)).families["statistics"]["both"]
        each.append(line(None, rows_of(targets(made_up), split.test), heads=("score",)).predictions)
    both = pd.concat(each)
    assert found["mae"]["value"] == pytest.approx(
        mean_absolute_error(both["score_target"], both["score_prediction"])
    )
    own = mean_absolute_error(*(pd.concat(tables)[f"score_{name}"] for name in ("target", "prediction")))
    assert found["difference"]["mae"]["value"] == pytest.approx(own - found["mae"]["value"])
    assert "by_subject" not in reference["statistics"]["enrolment"]
    assert "rocket" in reference["reasons"]
    assert reference["last_score"] is None
