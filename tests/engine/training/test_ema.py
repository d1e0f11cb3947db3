"""The average of the weights: what it is of, who looks at it, and that training does not notice it."""

import math
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import pytorch_lightning as pl
import torch
from pytorch_lightning.callbacks import ModelCheckpoint
from torch import nn
from torch.utils.data import DataLoader

from engine.checkpoints.checkpoint import TRAINED, load_checkpoint
from engine.config.compose import ConfigError
from engine.config.selection import with_modes
from engine.evaluate import evaluate
from engine.predict import predict
from engine.training.checks import check_trainer
from engine.training.ema import EMA
from studies.interruptions.compare import same

AVERAGE = "callbacks/ema=average"
SMALL = ["width=8", "data.module.subjects=2"]  # of which an epoch takes three steps


class Walk(pl.LightningModule):
    """A layer with batch normalization that learns from noise; keeps its weights after every step."""

    def __init__(self):
        super().__init__()
        torch.manual_seed(0)
        self.net = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))
        self.register_buffer("mean", torch.tensor([0.1, 1 / 3, 1e7]))
        self.walked, self.validated, self.normed = [], [], []

    def training_step(self, batch, number):
        torch.manual_seed(1000 * self.current_epoch + number)
        return (self.net(torch.randn(8, 3)) - torch.randn(8, 1)).square().mean()

    def on_train_batch_end(self, *rest):
        self.walked.append(self.net[0].weight.detach().double().numpy().copy())
        self.normed.append(self.net[1].running_var.double().numpy().copy())

    def validation_step(self, batch, _):
        self.validated.append(self.net[0].weight.detach().double().numpy().copy())

    def configure_optimizers(self):
        return torch.optim.SGD(self.parameters(), lr=0.2)


def walked(folder, *, epochs=3, ckpt_path=None, **settings):
    callbacks = [EMA(**settings), ModelCheckpoint(dirpath=folder, filename="{epoch}", save_top_k=-1)]
    trainer = pl.Trainer(
        accelerator="cpu", max_epochs=epochs, callbacks=callbacks, logger=False, default_root_dir=folder,
        enable_progress_bar=False, enable_model_summary=False, num_sanity_val_steps=0,
    )  # fmt: skip
    task = Walk()
    trainer.fit(
        task, DataLoader(torch.zeros(7)), DataLoader(torch.zeros(1)), ckpt_path=ckpt_path, weights_only=True
    )
    return task


def averaged(steps, decay):
    """The definition, in a loop of its own."""
    found = steps[0]
    for number, weight in enumerate(steps[1:], start=2):
        share = min(decay, number / (number + 9))
        found = share * found + (1 - share) * weight
    return found


@pytest.mark.parametrize("decay", [0.5, 0.99])
def test_validation_and_checkpoint_have_the_average_and_training_goes_on_without(tmp_path, decay):
    task = walked(tmp_path, decay=decay)
    for epoch in range(3):
        expected = averaged(task.walked[: 7 * (epoch + 1)], decay)
        assert np.allclose(task.validated[epoch], expected, atol=1e-6)
        content = torch.load(tmp_path / f"epoch={epoch}.ckpt", weights_only=True)
        name = "net.0.weight"
        assert np.allclose(content["state_dict"][name].numpy(), expected, atol=1e-6)
        assert np.array_equal(content[TRAINED][name].double().numpy(), task.walked[7 * (epoch + 1) - 1])
        statistics = averaged(task.normed[: 7 * (epoch + 1)], decay)
        assert np.allclose(content["state_dict"]["net.1.running_var"].numpy(), statistics, atol=1e-6)
        assert not np.allclose(content[TRAINED]["net.1.running_var"].numpy(), statistics, atol=1e-6)
        for buffer in ("mean", "net.1.num_batches_tracked"):  # the same to the last digit
            assert torch.equal(content["state_dict"][buffer], content[TRAINED][buffer])
    assert np.array_equal(task.net[0].weight.detach().double().numpy(), task.walked[-1])


def test_a_resumed_average_is_the_uninterrupted_one(tmp_path):
    walked(tmp_path / "whole")
    walked(tmp_path / "part", epochs=1)
    walked(tmp_path / "part", ckpt_path=tmp_path / "part" / "epoch=0.ckpt")
    whole, part = (
        torch.load(tmp_path / name / "epoch=2.ckpt", weights_only=True) for name in ("whole", "part")
    )
    for name in ("state_dict", TRAINED, "averaging_state", "optimizer_states"):
        assert same(whole[name], part[name])


@pytest.mark.parametrize("decay", [-0.1, 1.0, math.nan])
def test_a_decay_that_is_none_is_refused(decay):
    with pytest.raises(ValueError, match="decay="):
        EMA(decay=decay)


@pytest.mark.parametrize("strategy", ["fsdp", {"_target_": "engine.training.sharded.FullySharded"}])
def test_sharded_weights_are_not_averaged(compose_run, strategy):
    config = compose_run("experiment=mpdrm_series", AVERAGE)
    config["trainer"]["strategy"] = strategy
    with pytest.raises(ConfigError, match="Use trainer=ddp, or callbacks/ema=none"):
        check_trainer(with_modes(config))


@pytest.fixture(scope="module")
def run(small_run, tmp_path_factory):
    """A small run that keeps an average and compares it with the trained weights."""
    given = [AVERAGE, "callbacks.ema.compare=true", "model/scheduler=warmup_cosine", *SMALL]
    return small_run(tmp_path_factory.mktemp("ema") / "run", *given)


def test_each_set_of_weights_repeats_its_own_validation(run, tmp_path):
    history = pd.read_csv(run.folder / "history.csv")
    chosen = run.record["chosen"]
    row = history[history["epoch"] == chosen["epoch"]].iloc[0]
    assert run.record["weights"] == "ema"
    share = run.config["model"]["scheduler"]["warmup"]
    assert run.record["warmup_epochs"] == pytest.approx(2 * share)
    assert chosen["of"] == 2
    assert chosen["last"] == history["val/auc"].iloc[-1]
    assert "average over steps (EMA, decay 0.99)" in (run.folder / "report.html").read_text()
    asked = {"manifest": None, "evaluation": {}, "paths": {"data": run.config["paths"]["data"]}}
    for weights, used, prefix in ((None, "ema", "val"), ("raw", "raw", "val_raw")):
        folder = tmp_path / used
        found = evaluate({**asked, "ckpt_path": str(run.best), "weights": weights}, folder=folder)
        for metric in ("auc", "mae"):
            assert found.metrics["val"][metric]["value"] == pytest.approx(row[f"{prefix}/{metric}"], abs=1e-5)
        assert f'"weights": "{used}"' in (folder / "manifest.json").read_text()
    assert row["val/mae"] != row["val_raw/mae"]
    assert "those of the last step (weights=raw)" in (tmp_path / "raw" / "report.html").read_text()


def test_predictions_of_the_trained_weights_take_no_threshold_of_the_average(run, tmp_path):
    data = run.config["paths"]["data"]
    source = next(Path(data).glob("synthetic/*/series/P0000_V1.npz"))
    asked = {"ckpt_path": str(run.best), "input": str(source), "paths": {"data": data}}
    ema, raw = (
        predict(asked | {"weights": weights}, folder=tmp_path / weights) for weights in ("ema", "raw")
    )
    assert ema["low"].notna().all()
    assert "decision" in ema
    assert raw["low"].isna().all()
    assert "decision" not in raw
    assert ema["prediction"].item() != raw["prediction"].item()
    assert '"weights": "raw"' in (tmp_path / "raw" / "manifest.json").read_text()


def test_training_does_not_notice_the_average(run, small_fit, tmp_path):
    given = ["model/scheduler=warmup_cosine", *SMALL, f"paths.data={run.config['paths']['data']}"]
    plain = small_fit(tmp_path / "plain", *given, "callbacks/ema=none")
    weights = [
        torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True) for folder in (plain, run.folder)
    ]
    assert same(weights[0]["state_dict"], weights[1][TRAINED])
    assert load_checkpoint(plain / "checkpoints" / "last.ckpt").trained is None
