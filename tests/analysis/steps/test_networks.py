"""Networks out of fold: everybody once, thresholds of validation, weights untouched by test persons."""

import shutil
from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
import torch

from analysis.steps import networks
from analysis.steps.networks import Network
from engine.config.build import build
from engine.config.compose import ConfigError
from engine.runs.provenance import RunFolderError
from evaluation.uncertainty.threshold import best_cut
from tests.analysis.test_run import composed

CHANNELS = ["au01", "au12", "au15"]
LSTM = Network(
    channels=CHANNELS,
    model=["model=baseline", "model/trunk=lstm"],
    training=[
        "experiment=mpdrm_series",
        "width=8",
        "trainer.max_epochs=1",
        "data.module.num_workers=0",
        "data.module.visits=1",
        "data.module.train_clips.length=8",
        "data.module.eval_clips.length=8",
        "callbacks.last=null",
    ],
)
MPDRM = replace(LSTM, model=["model/context=clip", "model/contrast=same_visit"])


def test_the_training_config_has_the_data_of_the_analysis(material, tmp_path):
    other = replace(
        material, data=material.data | {"scale": {"name": "PHQ-8", "low": 0, "high": 24, "bands": 5}}
    )
    config = LSTM.config(other, output=tmp_path)
    assert config["data"]["manifest"] == material.data["manifest"]
    assert config["data"]["module"]["source"] == material.data["module"]["source"] | {"channels": CHANNELS}
    assert config["data"]["scale"]["name"] == "PHQ-8"
    assert config["model"]["network"]["heads"]["score"]["high"] == 24
    assert config["model"]["network"]["depression"]["trunk"]["channels"] == config["data"]["channels"] == 3
    assert config["paths"]["output"] == str(tmp_path)


@pytest.fixture(scope="module")
def trained(material, tmp_path_factory):
    """The material in a folder of its own, and what the network predicted."""
    own = replace(material, folder=tmp_path_factory.mktemp("trained"))
    return own, MPDRM.out_of_fold(own, name="mpdrm")


@pytest.mark.slow
def test_everybody_is_predicted_once_with_the_threshold_of_validation(trained):
    own, table = trained
    assert sorted(table["recording_id"]) == sorted(own.manifest.table["recording_id"])
    assert np.isfinite(table[["binary_prediction", "score_prediction"]]).all(axis=None)
    for number, split in enumerate(own.splits):
        fold = table[table["fold"] == number]
        assert set(fold["recording_id"]) == set(split.test)
        kept = pd.read_csv(own.folder / f"networks/mpdrm/fold_{number}/predictions.csv")
        val = kept[kept["split"] == "val"]
        assert set(val["recording_id"]) == set(split.val)
        cut, _ = best_cut(val["binary_target"], val["binary_prediction"])
        assert fold["threshold"].tolist() == pytest.approx([cut] * len(fold), abs=1e-12)
        assert fold["decision"].tolist() == (fold["binary_prediction"] >= cut).astype(float).tolist()


@pytest.mark.slow
def test_a_finished_fold_is_kept_and_never_taken_for_another_one(trained, tmp_path, monkeypatch):
    own, table = trained

    def trains(*arguments, **options):
        raise RuntimeError("trains")

    monkeypatch.setattr(networks, "fit_split", trains)
    pd.testing.assert_frame_equal(MPDRM.out_of_fold(own, name="mpdrm"), table)
    swapped = [replace(own.splits[0], train=own.splits[0].val, val=own.splits[0].train)]
    cases = [
        (replace(MPDRM, model=[*MPDRM.model, "seed=1"]), own, RunFolderError, "another config"),
        (MPDRM, replace(own, splits=swapped), RuntimeError, "trains"),
    ]
    for number, (network, where, error, says) in enumerate(cases):
        copy = shutil.copytree(own.folder, tmp_path / str(number))  # a failed training leaves its mark
        with pytest.raises(error, match=says):
            network.out_of_fold(replace(where, folder=copy), name="mpdrm")


@pytest.mark.slow
def test_weights_do_not_depend_on_labels_and_series_of_test_people(trained, tmp_path):
    own, table = trained
    split = own.splits[0]
    changed = own.manifest.table.copy()
    tested = changed["recording_id"].isin(set(split.test))
    changed.loc[tested, "binary"] = 1 - changed.loc[tested, "binary"]
    changed.loc[tested, "score"] = 63 - changed.loc[tested, "score"]
    for row in np.flatnonzero(tested):
        with np.load(own.manifest.root / changed["series_path"].iloc[row]) as file:
            content = dict(file)
        content["values"] = content["values"][::-1] * 0.5
        np.savez(tmp_path / f"{row}.npz", **content)
        changed.loc[changed.index[row], "series_path"] = str(tmp_path / f"{row}.npz")
    other = replace(own, manifest=replace(own.manifest, table=changed), splits=[split], folder=tmp_path)
    found = MPDRM.out_of_fold(other, name="mpdrm")
    weights, expected = (
        torch.load(
            folder / "networks/mpdrm/fold_0/checkpoints/best.ckpt", weights_only=True, map_location="cpu"
        )["state_dict"]
        for folder in (tmp_path, own.folder)
    )
    assert weights.keys() == expected.keys()
    assert all(torch.equal(value, expected[name]) for name, value in weights.items())
    before = table[table["fold"] == 0].set_index("recording_id").loc[found["recording_id"]]
    assert not np.allclose(before["binary_prediction"], found["binary_prediction"])
    assert found["threshold"].tolist() == before["threshold"].tolist()


@pytest.mark.slow
@pytest.mark.parametrize(
    ("option", "context", "positives", "clips"),
    [("one_visit", "ClipContext", "same_visit", 2), ("visits", "EnrolmentContext", "cross_visit", 1)],
)
def test_what_mpdrm_knows_of_a_person_depends_on_the_visits(
    option, context, positives, clips, material, tmp_path
):
    analysis = composed("analysis=parikh2024", f"analysis/networks={option}", output=tmp_path)["analysis"]
    assert list(analysis["networks"]) == ["InceptionTime", "LSTM", "MPDRM"]
    mpdrm = build(analysis["networks"]["MPDRM"], key="MPDRM")
    config = mpdrm.config(material, output=tmp_path)
    assert config["model"]["network"]["context"]["_target_"] == f"models.mpdrm.context.{context}"
    assert config["model"]["objective"]["contrast"]["positives"] == positives
    assert config["data"]["module"]["clips"] == clips
    assert config["trainer"]["max_epochs"] == analysis["epochs"]
    assert "context" in mpdrm.remark


def test_networks_can_be_left_out(tmp_path):
    analysis = composed("analysis=parikh2024", "analysis/networks=none", output=tmp_path)["analysis"]
    assert analysis["steps"]["estimators"]["networks"] == analysis["steps"]["severity"]["networks"] == {}


def test_a_phase_is_refused_because_networks_read_whole_recordings(material):
    with pytest.raises(ConfigError, match="analysis/networks=none"):
        LSTM.out_of_fold(replace(material, phase="seconds 1 to 2"), name="lstm")
