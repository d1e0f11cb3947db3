import csv
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from engine.checkpoints.checkpoint import KEY, digest, new_record
from engine.config.compose import ConfigError
from engine.runs.seed import seed_step
from engine.training.callbacks import EmbedRun, FiniteMonitor, History, StepSeed


def trainer(**attributes):
    return SimpleNamespace(global_rank=0, **attributes)


def test_a_step_is_seeded_by_its_number_and_rank():
    def draw(step, rank):
        loop = SimpleNamespace(epoch_loop=SimpleNamespace(total_batch_idx=step))
        state = SimpleNamespace(global_rank=rank, fit_loop=loop)
        StepSeed(seed=5).on_train_batch_start(state, None, None, 0)
        return torch.rand(())

    first = draw(3, 0)
    seed_step(5, 3, 0)
    assert first == torch.rand(()) == draw(3, 0)
    assert len({float(draw(step, rank)) for step in (0, 1) for rank in (0, 1)}) == 4


def test_the_history_of_a_resumed_run_goes_on_where_it_stopped(tmp_path):
    def epoch(history, number, loss):
        metrics = {"train/loss": torch.tensor(loss), "val/confusion": torch.zeros(2, 2)}
        state = trainer(current_epoch=number, global_step=number + 1, callback_metrics=metrics)
        history.on_train_epoch_end(state, None)

    first = History(path=tmp_path / "a" / "history.csv")
    epoch(first, 0, 3.0)
    epoch(first, 1, 2.0)
    resumed = History(path=tmp_path / "b" / "history.csv")
    resumed.load_state_dict(first.state_dict())
    epoch(resumed, 1, 1.5)  # repeated: the later one counts
    epoch(resumed, 2, 1.0)
    with (tmp_path / "b" / "history.csv").open() as file:
        rows = list(csv.DictReader(file))
    assert [float(row["train/loss"]) for row in rows] == [3.0, 1.5, 1.0]
    assert [float(row["epoch"]) for row in rows] == [0, 1, 2]
    assert set(rows[0]) == {"epoch", "step", "train/loss"}


def test_the_record_is_embedded_with_the_digest_of_the_weights():
    record = new_record(
        config={"seed": 1, "data": {"manifest": {}}},
        statistics={"prevalence": 0.5},
        data_digest="d",
        split={"name": "s", "train": ("a",), "subject_disjoint": True},
        seen={},
    )
    checkpoint = {"state_dict": {"w": torch.ones(2)}}
    EmbedRun(record=record).on_save_checkpoint(None, None, checkpoint)
    assert checkpoint[KEY]["digest"] == digest(checkpoint["state_dict"], record)
    assert checkpoint[KEY]["split"] == {"name": "s", "train": ["a"], "subject_disjoint": True}


def run(values):
    """A callback that saw these values, one an epoch."""
    callback = FiniteMonitor(monitor="val/pearson")
    for epoch, value in enumerate(values):
        trainer = SimpleNamespace(
            sanity_checking=False,
            state=SimpleNamespace(fn="fit"),
            current_epoch=epoch,
            callback_metrics={"val/pearson": torch.tensor(value)},
        )
        callback.on_validation_end(trainer, None)
    return callback


def test_a_number_in_no_epoch_stops_the_run(caplog):
    for value in (np.nan, np.inf, -np.inf):
        with pytest.raises(ConfigError, match="finite number in none of 2 epochs"):
            run([value, value]).on_train_end(None, None)
    run([0.1, 0.2]).on_train_end(None, None)
    assert not caplog.text
    some = run([np.nan, 0.2, np.nan])
    some.on_train_end(None, None)
    assert some.missing == [0, 2]
    assert "epochs [0, 2]" in caplog.text


def test_a_resumed_run_remembers():
    resumed = FiniteMonitor(monitor="val/pearson")
    resumed.load_state_dict(run([0.3, np.nan]).state_dict())
    resumed.on_train_end(None, None)
    assert resumed.missing == [1]


def test_a_later_number_beats_an_epoch_without_one(small_fit, tmp_path, monkeypatch):
    """The first epoch has no value; epoch 1 is then the best although epoch 0 was saved first."""
    from engine.checkpoints.checkpoint import load_checkpoint
    from evaluation.metrics.streaming import RecordingMetrics

    real, seen = RecordingMetrics.compute, []

    def compute(self):
        seen.append(1)
        out = real(self)
        return out | {"auc": out["auc"] * np.nan} if len(seen) == 1 else out

    monkeypatch.setattr(RecordingMetrics, "compute", compute)
    folder = small_fit(tmp_path / "run", "callbacks=early_stopping", "data.module.num_workers=0")
    assert torch.load(folder / "checkpoints" / "best.ckpt", weights_only=True)["epoch"] == 1
    load_checkpoint(folder / "checkpoints" / "best.ckpt")


def test_no_number_at_all_stops(small_fit, tmp_path, monkeypatch):
    from evaluation.metrics.streaming import RecordingMetrics

    real = RecordingMetrics.compute
    monkeypatch.setattr(
        RecordingMetrics, "compute", lambda self: (out := real(self)) | {"auc": out["auc"] * np.nan}
    )
    with pytest.raises(ConfigError, match="finite number in none of 2 epochs"):
        small_fit(tmp_path / "run")
