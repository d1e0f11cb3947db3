import numpy as np
import pandas as pd
import pytest
from sklearn.metrics import roc_auc_score

from datamodules.manifests.manifest import Manifest, ManifestError, read_manifest
from datamodules.manifests.transforms.permuted import permuted
from evaluation.baselines.reference_lines import reference_lines


def known_truth(tmp_path, *, persons=120, visits=4):
    """A manifest whose labels follow a statistic of the truth and, as a planted shortcut, the brightness."""
    rng = np.random.default_rng(0)
    person = np.repeat(np.arange(persons), visits)
    score = np.round(np.clip(rng.normal(18, 8, persons)[person] + rng.normal(0, 5, person.size), 0, 63))
    table = pd.DataFrame(
        {
            "recording_id": [f"r{i:03d}" for i in range(person.size)],
            "subject_id": [f"s{p:03d}" for p in person],
            "session_id": [str(i % visits) for i in range(person.size)],
            "path": "",
            "scale": "BDI-II",
            "score": score,
            "binary": (score >= 14).astype(float),
            "brightness": score / 30 + rng.normal(0, 0.1, person.size),
        }
    )
    stat = score / 8 + rng.normal(0, 0.4, person.size)
    truth = pd.DataFrame({"recording_id": table["recording_id"], "stat_a": stat, "habit_a": 0.0})
    return Manifest(table=table, root=tmp_path, name="known", truth=None), truth


def aucs(manifest, truth):
    """AUC of the true statistic over all recordings, and of the nuisance line on the last third."""
    cut = 2 * len(manifest.table) // 3
    train, test = manifest.table.iloc[:cut], manifest.table.iloc[cut:]
    model = test[["recording_id", "subject_id", "session_id"]].assign(
        binary_target=test["binary"].to_numpy(), binary_prediction=0.5
    )
    lines = reference_lines(train, None, test, model, threshold=None)
    return roc_auc_score(manifest.table["binary"], truth["stat_a"]), lines["nuisance"]["auc"]["value"]


@pytest.mark.slow
def test_after_permutation_neither_the_truth_nor_a_shortcut_finds_the_labels(tmp_path):
    manifest, truth = known_truth(tmp_path)
    assert min(aucs(manifest, truth)) > 0.85
    found = np.array([aucs(permuted(manifest=manifest, seed=seed), truth) for seed in range(5)])
    assert found.mean(axis=0) == pytest.approx([0.5, 0.5], abs=0.06)
    assert np.abs(found - 0.5).max() < 0.2


def test_labels_move_as_blocks_and_all_else_stays(cohort):
    columns = {"site": "here", "item_1": np.arange(24)}
    manifest = read_manifest(cohort(persons=8, visits=3, **columns))
    moved = permuted(manifest=manifest, seed=1)
    labels = ["scale", "score", "binary", "item_1"]
    pd.testing.assert_frame_equal(
        moved.table.drop(columns=labels), manifest.table.drop(columns=labels), check_exact=True
    )
    before, after = manifest.table["item_1"].to_numpy().reshape(8, 3), moved.table["item_1"].to_numpy()
    assert sorted(map(tuple, after.reshape(8, 3))) == sorted(map(tuple, before))  # whole persons, by visit
    assert (after.reshape(8, 3) != before).any()
    row = manifest.table.set_index("item_1").loc[after]
    for name in ("score", "binary", "scale"):
        assert moved.table[name].tolist() == row[name].tolist()  # one donor for all labels of a recording
    assert "negative control" in moved.notes[-1]
    assert "0 of 24" in moved.notes[-1]
    assert moved.digest() != manifest.digest()
    again = permuted(manifest=manifest, seed=1)
    assert again.digest() == moved.digest()
    assert permuted(manifest=manifest, seed=2).digest() != moved.digest()


def test_who_cannot_exchange_keeps_the_labels_and_is_counted(tmp_path):
    manifest, _ = known_truth(tmp_path, persons=6)
    table = manifest.table.assign(
        subject_id=["once"] + ["unknown"] * 3 + manifest.table["subject_id"].tolist()[4:]
    )
    moved = permuted(manifest=Manifest(table=table, root=tmp_path, name="x", truth=None), seed=0)
    assert moved.table["score"].head(4).tolist() == table["score"].head(4).tolist()
    assert "4 of 24 recordings could not take part" in moved.notes[-1]


def test_nothing_to_permute_is_refused(tmp_path):
    manifest, _ = known_truth(tmp_path, persons=6)
    bare = manifest.table.drop(columns=["scale", "score", "binary"])
    with pytest.raises(ManifestError, match="no labels to permute"):
        permuted(manifest=Manifest(table=bare, root=tmp_path, name="x", truth=None), seed=0)
    alone = manifest.table.assign(subject_id="one")
    with pytest.raises(ManifestError, match="24 of 24 recordings"):
        permuted(manifest=Manifest(table=alone, root=tmp_path, name="x", truth=None), seed=0)
