"""Feature sets from files to predictions: trained, evaluated, predicted and called from Python."""

import json

import numpy as np
import pandas as pd
import pytest
import torch

from datamodules.manifests.manifest import Manifest
from datamodules.series import UnreadableSeries
from engine.checkpoints.checkpoint import load_checkpoint
from engine.config.build import build
from engine.evaluate import evaluate
from engine.inference.trained_network import load_network
from engine.train import train
from models.fusion.gated import GatedSets
from models.fusion.late import LateFusion
from tests.conftest import COHORT, SMALL, composed

SETS = ["experiment=feature_sets", "model.network.depression.trunk.blocks=1", *SMALL]
MADE = [*COHORT, "data.cohort.duration_s=6", "data.manifest.width=12", "data.sets.embedding=12"]


def run(folder, *words):
    config = composed(*words, output=folder)
    train(config, folder=folder)
    return folder / "checkpoints" / "best.ckpt"


@pytest.fixture(scope="module")
def own(cohorts, tmp_path_factory):
    """The made-up sets as somebody's own table, in another folder."""
    config = composed(*SETS, *MADE, f"paths.data={cohorts}", output=tmp_path_factory.mktemp("x"))
    manifest: Manifest = build(config["data"]["manifest"], key="data.manifest")
    place = tmp_path_factory.mktemp("own") / "table.csv"
    manifest.write(place)
    return place


@pytest.mark.slow
@pytest.mark.parametrize("fusion", ["early", "gated", "late"])
def test_sets_are_trained_and_a_checkpoint_alone_evaluates_and_predicts(fusion, own, tmp_path):
    words = [
        *SETS,
        "data=feature_sets",
        f"data.path={own}",
        "data.module.source.missing=mask",
        "protocol.val=0.3",
    ]
    best = run(
        tmp_path / "run", *words, f"model/fusion={fusion}", "data.sets=[head_gaze,embedding,action_units]"
    )
    kept = load_checkpoint(best).config["data"]
    assert kept["widths"] == [6, 12, 11]
    assert kept["channels"] == 29
    assert [kept["module"]["source"]["channels"][place] for place in (0, 6, 18)] == [
        "head_gaze/0", "embedding/0", "action_units/0",
    ]  # fmt: skip
    asked = {"ckpt_path": str(best), "manifest": None, "paths": {"data": str(own.parent)}}
    evaluate(asked, folder=tmp_path / "eval")
    before, after = (pd.read_csv(tmp_path / name / "predictions.csv") for name in ("run", "eval"))
    pd.testing.assert_frame_equal(
        before[before["split"] == "test"].reset_index(drop=True),
        after[after["split"] == "test"].reset_index(drop=True),
    )
    assert json.loads((tmp_path / "eval" / "manifest.json").read_text())["test_looks"]  # of this run
    network = load_network(best)
    assert isinstance(network.network, LateFusion) == (fusion == "late")
    real = torch.ones(2, 8, 3, dtype=torch.bool)
    real[1, :, 1] = False
    batch = {"series": torch.randn(2, 8, 29), "mask": real.any(2), "set_mask": real}
    assert network(batch)["score"].isfinite().all()
    with pytest.raises(ValueError, match="lacks 'set_mask'"):
        network({name: batch[name] for name in ("series", "mask")})


@pytest.mark.slow
def test_mpdrm_reads_gated_sets_and_knows_the_person(cohorts, tmp_path):
    words = [*SETS, "model=mpdrm_series", "model/fusion=gated", *MADE, f"paths.data={cohorts}"]
    best = run(tmp_path / "run", *words)
    record = json.loads((tmp_path / "run" / "manifest.json").read_text())
    assert record["status"] == "finished"
    network = load_network(best)
    assert any(isinstance(part, GatedSets) for part in network.modules())
    real = torch.ones(3, 8, 3, dtype=torch.bool)
    batch = {"series": torch.randn(3, 8, 29), "mask": real.any(2), "set_mask": real}
    found = network(batch | {"subject": torch.tensor([0, 0, 1]), "row": torch.arange(3)})
    assert found["context_available"].tolist() == [True, True, False]


@pytest.mark.slow
def test_a_recording_without_a_set_stops_a_run_unless_it_is_to_be_masked(own, tmp_path):
    table = pd.read_csv(own, dtype=str, keep_default_na=False)
    lacking = table.loc[table["features_embedding"] == "", "recording_id"].tolist()
    assert lacking  # of another set, which is not asked for
    table.loc[3, "features_head_gaze"] = ""
    changed = own.parent / "lacking.csv"
    table.to_csv(changed, index=False)
    with pytest.raises(UnreadableSeries, match=rf"'head_gaze' is lacking in {table.loc[3, 'recording_id']}"):
        run(tmp_path / "run", *SETS, "data=feature_sets", f"data.path={changed}", "data.sets=[head_gaze]")


@pytest.mark.slow
def test_a_planted_channel_is_found_by_the_audit(own, tmp_path, caplog):
    table = pd.read_csv(own, keep_default_na=False)
    rng = np.random.default_rng(0)
    (own.parent / "planted").mkdir()
    for row, score in enumerate(table["score"].astype(float)):
        values = rng.normal(size=(12, 3))
        values[:, 1] += score
        stamps = np.arange(12) * 500
        file = own.parent / "planted" / f"{row}.npz"
        np.savez(file, features=values, timestamps_ms=stamps, valid_mask=np.ones(12, bool))
        table.loc[row, "features_planted"] = f"planted/{row}.npz"
    table.assign(content_hash="").to_csv(own.parent / "planted.csv", index=False)
    words = ["data=feature_sets", f"data.path={own.parent / 'planted.csv'}", "data.sets=[planted]"]
    run(tmp_path / "run", *SETS, *words, "model/fusion=early", "trainer.max_epochs=1", "protocol.val=0.3")
    # of so few persons a leak cannot be told from chance, and is said to be so
    assert "mean of planted/1 AUC 1.00" in caplog.text
    assert "planted/0 AUC 1.00" not in caplog.text
