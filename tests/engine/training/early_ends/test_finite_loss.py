"""A loss that is no number ends the run with its step and recordings, and leaves the last good checkpoint."""

import json

import pytest
import torch

from engine.checkpoints.checkpoint import load_checkpoint
from engine.runs.provenance import RunManifest
from engine.training.early_ends.finite_loss import FiniteLoss, LossError
from models.task import Task


@pytest.fixture
def broken_at(monkeypatch):
    """Let the loss of a step be another value."""
    step = Task.training_step

    def at(number, value):
        def training_step(self, batch, batch_idx):
            loss = step(self, batch, batch_idx)
            return loss * value if self.global_step == number else loss

        monkeypatch.setattr(Task, "training_step", training_step)

    return at


def test_a_bad_loss_ends_the_run_and_the_epoch_before_stays(broken_at, small_fit, tmp_path, compose_run):
    folder = tmp_path / "run"
    broken_at(3, float("nan"))
    config = compose_run(output=folder)
    with (
        pytest.raises(LossError, match=r"the loss of step 3 \(epoch 2\) is NaN or infinite.*P000\d_V\d"),
        RunManifest(folder=folder, config=config),
    ):
        small_fit(folder, "data.module.subjects=2")
    record = json.loads((folder / "manifest.json").read_text())
    assert record["status"].startswith("failed: LossError: the loss of step 3")
    assert record["exit_status"] == 1
    kept = load_checkpoint(folder / "checkpoints" / "last.ckpt")
    assert all(torch.isfinite(value).all() for value in kept.state_dict.values() if value.is_floating_point())


class Loop:
    total_batch_idx = 0

    class batch_progress:
        is_last_batch = False


class Trainer:
    current_epoch = 0

    class fit_loop:
        epoch_loop = Loop()


class Module:
    device = torch.device("cpu")


def batch(*ids, bad=None):
    series = torch.zeros(len(ids), 4, 2)
    if bad is not None:
        series[bad] = torch.inf
    return {"recording_id": list(ids), "series": series}


def test_recordings_that_are_not_finite_are_named_alone():
    callback = FiniteLoss()
    callback.on_train_epoch_start(Trainer, Module)
    callback.on_train_batch_end(Trainer, Module, {"loss": torch.tensor(1.0)}, batch("a", "b"), 0)
    with pytest.raises(LossError, match="Its recordings: d, or of the batch before: a, b"):
        callback.on_train_batch_end(
            Trainer, Module, {"loss": torch.tensor(torch.inf)}, batch("c", "d", bad=1), 1
        )


def test_elsewhere_the_first_bad_step_is_told_before_a_checkpoint(monkeypatch):
    """A loss that lies on another device is not looked at in the step."""
    callback = FiniteLoss()
    callback.on_train_epoch_start(Trainer, Module)

    class Device:
        type = "cuda"

    class Loss(torch.Tensor):
        device = Device()

    def loss(value):
        return {"loss": torch.tensor(value).as_subclass(Loss)}

    for number, (name, value) in enumerate([("a", 1.0), ("b", float("nan")), ("c", float("nan"))]):
        callback.on_train_batch_end(Trainer, Module, loss(value), batch(name), number)
    with pytest.raises(LossError, match="Its recordings: b, or of the batch before: a"):
        callback.on_save_checkpoint(Trainer, Module, {})
    callback.on_train_epoch_start(Trainer, Module)
    callback.on_save_checkpoint(Trainer, Module, {})
