"""Heads of items from the command to the table: training, evaluating again, selecting by answers."""

import json

import numpy as np
import pandas as pd
import pytest
import torch
from sklearn.metrics import cohen_kappa_score

from datamodules.manifests.questionnaires import SUBSCALES
from datamodules.manifests.scales import SCALES
from engine.config.build import build
from engine.config.compose import ConfigError
from engine.evaluate import evaluate
from engine.inference.clip_predictions import blind_data, part_of
from engine.inference.trained_network import load_network
from engine.predict import predict
from engine.train import train
from engine.training.prepare import material
from evaluation.tables.predictions import read_predictions

DASS = ["data=synthetic_dass", "model/heads=items"]
ARGUMENTS = {"manifest": None, "num_workers": None, "trainer": None, "evaluation": None}
SUBSCALES_OF_DASS = ("DASS-21-D", "DASS-21-A", "DASS-21-S")


@pytest.fixture(scope="module")
def items_run(small_run, tmp_path_factory):
    """A run with the graded response head, selected by the agreement of answers."""
    folder = tmp_path_factory.mktemp("items") / "run"
    return small_run(folder, *DASS, "selection.monitor=val/item_kappa")


def test_the_tables_hold_answers_totals_thresholds_and_severities(items_run):
    table = read_predictions(items_run.folder / "predictions.csv")
    items = [name for scale in SUBSCALES_OF_DASS for name in SUBSCALES[scale].columns]
    assert [name for name in table if name.startswith("item_")] == [
        f"{name}_{side}" for name in items for side in ("target", "prediction")
    ]
    for name in items:
        assert table[f"{name}_prediction"].between(0, 3).all()
        assert table[f"{name}_target"].isin([0, 1, 2, 3]).all()
    for scale in SUBSCALES_OF_DASS:
        expected = table[[f"{name}_prediction" for name in SUBSCALES[scale].columns]].sum(axis=1) * 2
        np.testing.assert_allclose(table[f"{scale}_total"], expected, rtol=1e-5)
        assert table[f"{scale}_probability"].between(0, 1).all()
        assert (table[f"{scale}_severity_sd"] > 0).all()
        assert np.isfinite(table[f"{scale}_severity"]).all()
    # the scale of the data: its total is the score, and the sum of the known answers the target
    assert table["score_prediction"].equals(table["DASS-21-D_total"])
    assert table["binary_prediction"].equals(table["DASS-21-D_probability"])
    known = table[[f"{name}_target" for name in SUBSCALES["DASS-21-D"].columns]].sum(axis=1) * 2
    np.testing.assert_array_equal(table["score_target"], known)
    np.testing.assert_array_equal(table["binary_target"], known >= SCALES["DASS-21-D"].binary_threshold)


def test_the_metrics_are_those_of_the_table(items_run):
    metrics = json.loads((items_run.folder / "metrics.json").read_text())
    table = read_predictions(items_run.folder / "predictions.csv")
    for split in ("val", "test"):
        part = table[table["split"] == split]
        items = [
            name.removesuffix("_target") for name in part if name.startswith("item_") and "target" in name
        ]
        kappas = []
        for name in items:
            guess = np.floor(part[f"{name}_prediction"] + 0.5).astype(int)
            if part[f"{name}_target"].nunique() > 1:
                answers = part[f"{name}_target"].astype(int)
                kappas.append(cohen_kappa_score(answers, guess, weights="quadratic", labels=range(4)))
        found = metrics[split]["item_kappa"]
        assert found["value"] == pytest.approx(np.mean(kappas))
        assert {"mae", "auc", "macro_f1", "accuracy"} <= set(metrics[split])
    assert metrics["test"]["item_kappa"]["low"] < metrics["test"]["item_kappa"]["high"]
    history = pd.read_csv(items_run.folder / "history.csv")
    assert history["val/item_kappa"].max() == pytest.approx(metrics["val"]["item_kappa"]["value"], abs=1e-5)
    assert items_run.objective == pytest.approx(metrics["val"]["item_kappa"]["value"], abs=1e-5)
    assert "Item kappa" in (items_run.folder / "report.html").read_text()


@pytest.mark.slow  # as of every run: tests/test_eval.py
def test_evaluating_again_gives_the_same_numbers_to_the_last_digit(items_run, cohorts, tmp_path):
    given = ARGUMENTS | {"ckpt_path": str(items_run.best), "paths": {"data": str(cohorts)}}
    evaluate(given, folder=tmp_path)
    for name in ("metrics.json", "predictions.csv"):
        assert (tmp_path / name).read_bytes() == (items_run.folder / name).read_bytes()


def test_a_batch_to_predict_carries_no_answer(items_run):
    manifest, split = material(items_run.config)
    (blind,) = blind_data(items_run.config, manifest, part_of(split, "val")).predict_dataloader()
    assert blind["target_mask"]["items"].shape == (len(split.val), 21)
    assert not any(mask.any() for mask in blind["target_mask"].values())
    assert not any(target.any() for target in blind["targets"].values())
    seen = build(items_run.config["data"]["module"], key="data.module", manifest=manifest, split=split)
    (seeing,) = seen.val_dataloader()
    assert seeing["target_mask"]["items"].all()
    assert seeing["targets"]["items"].sum() > 0


def test_the_network_answers_from_python(items_run):
    network = load_network(items_run.best)
    channels = len(network.channels)
    batch = {"series": torch.randn(3, 8, channels), "mask": torch.ones(3, 8, dtype=torch.bool)}
    found = network(batch)
    assert {"score", "binary", "item_dass21_21", "DASS-21-S_severity_sd"} <= set(found)
    assert all(found[name].shape == (3,) for name in found if name not in ("embedding", "attention"))


def test_recordings_without_labels_are_predicted_by_item(items_run, cohorts, tmp_path):
    source = next(cohorts.glob("synthetic/*/manifest.csv"))
    table = pd.read_csv(source, dtype=str, keep_default_na=False).head(4)
    table["series_path"] = [str(source.parent / name) for name in table["series_path"]]
    table = table[["recording_id", "subject_id", "session_id", "series_path", "fps"]].assign(path="")
    table.to_csv(tmp_path / "new.csv", index=False)
    given = {"ckpt_path": str(items_run.best), "input": str(tmp_path / "new.csv"), "history": None}
    predict(ARGUMENTS | given | {"paths": {"data": str(cohorts)}}, folder=tmp_path / "out")
    found = pd.read_csv(tmp_path / "out" / "predictions.csv")
    columns = [f"{name}_prediction" for scale in SUBSCALES_OF_DASS for name in SUBSCALES[scale].columns]
    assert found[columns].notna().all(axis=None)
    assert found["DASS-21-A_probability"].between(0, 1).all()
    assert not [name for name in found if name.endswith("_target")]


@pytest.mark.slow  # a training; the head is held by tests/models/items
def test_ordered_logits_train_as_well(small_run, tmp_path):
    words = ["data=synthetic_series", "data/items=phq_9", "data/scale=phq_9", "model/heads=items_ordinal"]
    rescaled = [
        "data.manifest={_target_:datamodules.manifests.transforms.rescaled.rescaled,"
        "scale:PHQ-9,manifest:${data.cohort}}"
    ]
    run = small_run(tmp_path / "run", *words, *rescaled)
    table = read_predictions(run.folder / "predictions.csv")
    assert table["score_prediction"].equals(table["PHQ-9_total"])
    assert not [name for name in table if "severity" in name]


@pytest.mark.slow  # a training
def test_a_score_head_stays_what_the_score_is(small_run, tmp_path):
    run = small_run(tmp_path / "run", "data=synthetic_dass", "model/heads=[items,score]")
    table = read_predictions(run.folder / "predictions.csv")
    assert not np.allclose(table["score_prediction"], table["DASS-21-D_total"])
    assert table["binary_prediction"].equals(table["DASS-21-D_probability"])


def test_mistakes_are_named_before_training(compose_run, cohorts, tmp_path, series_overrides):
    with pytest.raises(ConfigError, match="choose them with data/items=bdi_ii"):
        compose_run(*series_overrides, "model/heads=items")
    base = [*series_overrides, f"paths.data={cohorts}"]
    other = compose_run(*base, "data/items=phq_9", "model/heads=items")
    with pytest.raises(ValueError, match="scale=BDI-II: the items are of PHQ-9"):
        train(other, folder=tmp_path / "scale")
    phq8 = compose_run(*base, "data/items=phq_8", "model/heads=[items,score_binary]")
    phq8["model"]["network"]["heads"]["answers"]["scale"] = "PHQ-8"
    with pytest.raises(ConfigError, match="no training recording answers item_phq8_1"):
        train(phq8, folder=tmp_path / "items")


def test_without_items_nothing_is_different(series_run):
    data = series_run.config["data"]
    assert "items" not in data
    assert "items" not in data["module"]
    header = (series_run.folder / "predictions.csv").read_text().splitlines()[0]
    assert "item_" not in header
    manifest, split = material(series_run.config)
    module = build(data["module"], key="data.module", manifest=manifest, split=split)
    assert set(next(iter(module.val_dataloader()))["targets"]) == {"score", "binary", "band"}
    assert "item_shares" not in module.train_statistics()
