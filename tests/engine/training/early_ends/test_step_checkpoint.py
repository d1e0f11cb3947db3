"""The announced end of a job: a checkpoint after the step, and a run that goes on as if nothing had been."""

import os
import signal

import pandas as pd
import pytest
import torch

from engine.runs.signals import Interrupted, Interruptions, waits_for_step
from engine.training.callbacks import StepSeed
from engine.training.resuming.earlier_run import whole_state

OWN = ["trainer.max_epochs=3", "data.module.subjects=2", "model.network.rarm.dropout=0.5"]


@pytest.fixture
def announced_at(monkeypatch):
    """Announce the end of a job in the step of this number."""
    begin = StepSeed.on_train_batch_start

    def at(step):
        def on_train_batch_start(self, trainer, pl_module, batch, batch_idx):
            begin(self, trainer, pl_module, batch, batch_idx)
            if trainer.global_step == step:
                os.kill(os.getpid(), signal.SIGUSR1)

        monkeypatch.setattr(StepSeed, "on_train_batch_start", on_train_batch_start)

    yield at
    monkeypatch.setattr(StepSeed, "on_train_batch_start", begin)


def state(path):
    return torch.load(path, map_location="cpu", weights_only=True)


@pytest.mark.parametrize("accumulated", [1, pytest.param(2, marks=pytest.mark.slow)])
def test_a_run_goes_on_from_the_step_as_if_nothing_had_been(
    accumulated, announced_at, small_fit, tmp_path, monkeypatch
):
    # twice as many batches, so that a whole step ends within an epoch
    own = [*OWN, f"trainer.accumulate_grad_batches={accumulated}", f"data.module.subjects={2 // accumulated}"]
    whole = small_fit(tmp_path / "whole", *own)
    monkeypatch.setenv("SLURM_JOB_ID", "17")
    signals = Interruptions()
    signals.install()
    announced_at(4 // accumulated)
    try:
        with pytest.raises(Interrupted):
            small_fit(tmp_path / "run", *own)
    finally:
        signals.restore()
    assert signals.received == "SIGUSR1"
    assert not waits_for_step()
    announced_at(-1)
    step = tmp_path / "run" / "checkpoints" / "step.ckpt"
    found, epoch = state(step), state(step.with_name("last.ckpt"))
    assert found["global_step"] > epoch["global_step"]
    loops = found["loops"]["fit_loop"]["epoch_loop.batch_progress"]
    assert loops["current"]["ready"] > 0  # in the middle of an epoch
    assert whole_state(tmp_path / "run").path == step

    run = small_fit(tmp_path / "run", *own, f"resume={tmp_path}/run")
    assert not step.exists()  # older than the next epoch's
    expected, resumed = (state(folder / "checkpoints/last.ckpt") for folder in (whole, run))
    assert expected["global_step"] == resumed["global_step"]
    for name, value in expected["state_dict"].items():
        assert torch.equal(value, resumed["state_dict"][name]), name
    moments = [one["optimizer_states"][0]["state"] for one in (expected, resumed)]
    assert all(torch.equal(moments[0][i]["exp_avg"], moments[1][i]["exp_avg"]) for i in moments[0])
    curves = [pd.read_csv(folder / "history.csv") for folder in (whole, run)]
    pd.testing.assert_frame_equal(curves[0], curves[1], check_exact=True)


def test_outside_a_job_the_signal_ends_at_once(announced_at, small_fit, tmp_path, monkeypatch):
    monkeypatch.delenv("SLURM_JOB_ID", raising=False)
    signals = Interruptions()
    signals.install()
    announced_at(0)
    try:
        with pytest.raises(Interrupted):
            small_fit(tmp_path / "run", *OWN)
    finally:
        signals.restore()
    assert not (tmp_path / "run" / "checkpoints").exists()
