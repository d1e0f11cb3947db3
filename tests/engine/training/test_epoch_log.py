import json
import logging
import math
from types import SimpleNamespace

import pandas as pd
import pytest
import torch

from engine.training.callbacks import History
from engine.training.epoch_log import EpochLog, best_epoch, epoch_line

ROWS = [
    {"epoch": 0.0, "train/loss": 1.2, "val/loss": 0.9, "val/auc": 0.8},
    {"epoch": 1.0, "train/loss": 0.8, "val/loss": 0.8, "val/auc": math.nan},
    {"epoch": 2.0, "train/loss": 0.7, "val/loss": 1.0, "val/auc": 0.8},
]


def test_the_best_epoch_is_the_first_of_equals_and_never_one_without_a_number():
    assert best_epoch(ROWS, monitor="val/auc", mode="max") == (0, 0.8)
    assert best_epoch(ROWS, monitor="val/loss", mode="min") == (1, 0.8)
    assert best_epoch(ROWS[1:2], monitor="val/auc", mode="max") is None
    assert best_epoch(ROWS, monitor="val/mae", mode="min") is None


def test_a_line_tells_loss_value_best_and_time_left():
    line = epoch_line(ROWS, monitor="val/auc", mode="max", last="29", left=3900)
    assert line == (
        "epoch 3/29: train/loss 0.7000, val/loss 1.0000, val/auc 0.8000, best val/auc 0.8000 in epoch 1, "
        "at most 1 h 05 min left"
    )
    line = epoch_line(ROWS[1:2], monitor="val/auc", mode="max", last="2", left=0.0)
    assert line == "epoch 2/2: train/loss 0.8000, val/loss 0.8000, val/auc nan, no finite val/auc so far"


@pytest.mark.parametrize("first", [True, False])
def test_only_the_first_rank_tells(first, tmp_path, caplog):
    history = History(path=tmp_path / "history.csv")
    history.load_state_dict({"rows": ROWS[:1]})
    log = EpochLog(monitor="val/auc", mode="max", history=history)
    trainer = SimpleNamespace(
        is_global_zero=first,
        world_size=2,
        strategy=SimpleNamespace(root_device=torch.device("cpu")),
        precision="32-true",
        num_training_batches=5,
        current_epoch=1,
        max_epochs=4,
        global_step=10,
        callback_metrics={"val/auc": torch.tensor(0.9)},
    )
    with caplog.at_level(logging.INFO, "engine.training.epoch_log"):
        log.setup(trainer, torch.nn.Linear(3, 2), "fit")
        log.on_train_start(trainer, None)
        history.on_train_epoch_end(trainer, None)
        log.on_train_epoch_end(trainer, None)
    told = [record.getMessage() for record in caplog.records]
    if not first:
        assert told == []
        return
    assert told[0].startswith(
        "2 x cpu, precision 32-true: 8 parameters to train, 5 steps an epoch, epochs 2 to"
    )
    assert told[1].startswith("epoch 2/4: val/auc 0.9000, best val/auc 0.9000 in epoch 2")


def test_a_run_records_the_epoch_that_its_best_checkpoint_holds(series_run):
    record = json.loads((series_run.folder / "manifest.json").read_text())
    stored = torch.load(series_run.best, weights_only=True)
    assert record["chosen"]["epoch"] == stored["epoch"]
    history = pd.read_csv(series_run.folder / "history.csv")
    assert record["chosen"]["value"] == pytest.approx(history["val/auc"].max())
    assert record["chosen"]["value"] == pytest.approx(series_run.objective)
    assert record["chosen"]["of"] == len(history)
    assert record["synthetic"]
    assert sum(part["persons"] for part in next(iter(record["parts"].values())).values()) == 10
