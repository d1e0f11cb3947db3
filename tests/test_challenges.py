"""A challenge from its tree to the table that is submitted, by the commands of a user."""

import json

import numpy as np
import pandas as pd
import pytest

from datamodules.sources.trees import adodas, mpdd_avg
from tests import commands

SMALL = [
    "experiment=feature_sets",
    "protocol=official",
    "debug=fast",
    "width=16",
    "logger=none",
    "evaluation.lines=[]",
]
ITEMS = ["model/heads=items", "data/items=dass_21"]


def command(*words, status=0):
    done = commands.command(*words)
    assert done.returncode == status, done.stderr[-3000:] + done.stdout[-3000:]
    return done.stdout + done.stderr


def trained(tmp_path, corpus, root, *words):
    command("-m", "datamodules.checks.validate", f"source={corpus}", f"root={root}")
    run, evaluated = tmp_path / "run", tmp_path / "eval"
    command("train.py", f"data={corpus}", f"data.root={root}", *SMALL, *words, f"hydra.run.dir={run}")
    told = command(
        "eval.py",
        f"ckpt_path={run}/checkpoints/best.ckpt",
        f"paths.data={root}",
        f"hydra.run.dir={evaluated}",
    )
    assert "predicted, not measured" in told
    return run, evaluated


def submit(run, predictions, out, made, status=0):
    given = [f"predictions={predictions}", f"manifest={run}", f"format={made}", f"out={out}"]
    return command("-m", "engine.submission", *given, status=status)


def check_hidden(folder, tested):
    metrics = json.loads((folder / "metrics.json").read_text())
    assert "reason" in metrics["test"]
    assert "auc" not in metrics["test"]
    assert metrics["val"]["mae"]["value"] > 0
    assert "low" in metrics["val"]["mae"]
    table = pd.read_csv(folder / "predictions.csv", dtype={"subject_id": str})
    test = table[table["split"] == "test"]
    assert test["subject_id"].nunique() == tested
    assert test["score_target"].isna().all()
    assert np.isfinite(test["score_prediction"]).all()
    assert "Test labels are hidden or missing" in (folder / "report.html").read_text()
    return metrics


@pytest.mark.slow
def test_adodas_from_the_tree_to_the_refusal_without_item_heads(tmp_path):
    root = tmp_path / "adodas"
    adodas.write(root, persons=40)
    run, evaluated = trained(
        tmp_path, "adodas", root, "data.manifest.sets=[head_pose,quality]", "evaluation.cluster=school"
    )
    for folder in (run, evaluated):
        metrics = check_hidden(folder, tested=8)
        assert metrics["val"]["intervals_over"] == "groups of 'school'"
    told = submit(run, evaluated / "predictions.csv", tmp_path / "a1.csv", "adodas_a1", status=1)
    assert "a network trained with model/heads=items data/items=dass_21 gives it" in told
    assert not (tmp_path / "a1.csv").exists()


@pytest.mark.slow
def test_adodas_from_the_tree_to_both_tables(tmp_path):
    root = tmp_path / "adodas"
    adodas.write(root, persons=40)
    run, evaluated = trained(tmp_path, "adodas", root, "data.manifest.sets=[head_pose,quality]", *ITEMS)
    check_hidden(run, tested=8)
    for made, columns in {"adodas_a1": 3 + 3, "adodas_a2": 3 + 21}.items():
        submit(run, evaluated / "predictions.csv", tmp_path / f"{made}.csv", made)
        table = pd.read_csv(tmp_path / f"{made}.csv")
        assert table.shape == (8, columns)
        assert table.iloc[:, 3:].notna().all(axis=None)


@pytest.mark.command
def test_mpdd_avg_from_the_tree_to_the_table(tmp_path):
    root = tmp_path / "mpdd_avg"
    mpdd_avg.write(root, persons=48)
    run, evaluated = trained(tmp_path, "mpdd_avg", root, "data.manifest.sets=[imu]")
    for folder in (run, evaluated):
        check_hidden(folder, tested=12)
    told = submit(run, evaluated / "predictions.csv", tmp_path / "out.csv", "mpdd_avg")
    assert "not checked against the organisers' checker" in told
    table = pd.read_csv(tmp_path / "out.csv")
    assert list(table) == ["id", "binary", "ternary", "PHQ-9"]
    assert len(table) == 12
    assert set(table["binary"]) <= {0, 1}
    assert set(table["ternary"]) <= {0, 1, 2}


@pytest.mark.slow
def test_a_test_file_of_0_bytes_stops_validation_and_the_training_that_reads_it(tmp_path):
    root = tmp_path / "mpdd_avg"
    mpdd_avg.write(root, persons=32)
    (root / "test" / "Young" / "Video" / "densenet" / "13.npy").write_bytes(b"")
    told = command("-m", "datamodules.checks.validate", "source=mpdd_avg", f"root={root}", status=1)
    assert "1 file(s) cannot be read: mpdd_avg_young_13" in told
    words = ["data=mpdd_avg", f"data.root={root}", "data.manifest.sets=[densenet]", *SMALL]
    done = commands.command("train.py", *words, f"hydra.run.dir={tmp_path}/run")
    assert done.returncode != 0
    assert "densenet/13.npy" in done.stdout + done.stderr
    assert "0 bytes" in done.stdout + done.stderr
