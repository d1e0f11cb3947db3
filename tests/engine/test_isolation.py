"""Whatever trains or selects meets no label of anybody who is tested."""

import numpy as np
import pytorch_lightning as pl
import torch

from datamodules.manifests.manifest import Manifest
from datamodules.splits.partition import Split
from engine.checkpoints.checkpoint import load_checkpoint
from engine.config.build import build
from engine.inference import clip_predictions
from engine.training import fit


class Probe(pl.Callback):
    """Notes what a callback can reach while it trains."""

    def on_train_end(self, trainer, pl_module):
        data = trainer.datamodule
        self.table, self.truth, self.split = data.manifest.table, data.manifest.truth, data.split
        self.masks = [batch["target_mask"] for batch in data.test_dataloader()]
        self.recordings = data.manifest.recordings(data.split.test)


def test_test_labels_are_missing_while_training(small_fit, tmp_path, monkeypatch):
    probe, make = Probe(), fit._trainer

    def probed(*arguments):
        trainer = make(*arguments)
        trainer.callbacks.append(probe)
        return trainer

    monkeypatch.setattr(fit, "_trainer", probed)
    small_fit(tmp_path / "run", "trainer.max_epochs=1")
    labels = [
        name for name in probe.table if name in ("score", "binary") or name.startswith(("item_", "trait_"))
    ]
    tested = probe.table["recording_id"].isin(probe.split.test)
    assert tested.any()
    assert len(labels) > 2
    assert probe.table.loc[tested, labels].isna().all(axis=None)
    assert probe.table.loc[~tested, ["score", "binary"]].notna().all(axis=None)
    assert probe.truth is None
    assert all(r.score is None and r.binary is None and r.band is None for r in probe.recordings)
    assert probe.masks
    assert not any(mask.any() for masks in probe.masks for mask in masks.values())


def test_recordings_outside_the_split_are_blind_too(series_run):
    checkpoint = load_checkpoint(series_run.best)
    manifest = build(checkpoint.config["data"]["manifest"], key="data.manifest")
    train, val, test = (tuple(checkpoint.split[part]) for part in ("train", "val", "test"))
    assert fit._outside(manifest, Split("some", train, val, ())) == set(test)
    assert fit._outside(manifest, Split("some", train, (), val)) == {*test, *val}


def test_weights_do_not_depend_on_the_labels_being_there(small_fit, series_run, tmp_path, monkeypatch):
    monkeypatch.setattr(Manifest, "without_labels", lambda self, ids=None: self)
    seeing = small_fit(tmp_path / "seeing")
    expected, found = (
        torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)
        for folder in (seeing, series_run.folder)
    )
    assert expected["state_dict"].keys() == found["state_dict"].keys()
    assert all(
        torch.equal(value, found["state_dict"][name]) for name, value in expected["state_dict"].items()
    )
    embedded = [content["euthymia"] for content in (expected, found)]
    assert embedded[0]["data_digest"] == embedded[1]["data_digest"]
    assert embedded[0]["statistics"] == embedded[1]["statistics"]


def test_predictions_are_made_without_labels(series_run, monkeypatch):
    checkpoint = load_checkpoint(series_run.best)
    manifest = build(checkpoint.config["data"]["manifest"], key="data.manifest")
    met = []
    monkeypatch.setattr(clip_predictions, "predict_clips", lambda _, __, data: met.append(data.manifest))
    predict = clip_predictions.Predictor(None, None, checkpoint.config)
    predict(manifest, Split("one", (), (), ("P0000_V1",)))
    (blind,) = met
    assert blind is not manifest
    assert np.isnan(blind.table["score"]).all()
    assert blind.digest() == manifest.digest()
