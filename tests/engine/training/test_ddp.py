"""Several processes train what one trains on the same batches, and measure what one measures."""

import signal

import numpy as np
import pandas as pd
import pytest
import torch

from tests.conftest import SERIES
from tests.ranks import announced, fitted, together

OWN = [
    "data.module.subjects=1", "data.module.visits=2", "model.network.rarm.dropout=0",
    "model.network.depression.trunk.dropout=0", "callbacks/ema=none",  # dropout differs by rank
    "data.module.max_eval_clips=2",
    "model/contrast=none",  # which compares the clips of all devices: tests/models/losses/test_gathering.py
]  # fmt: skip
BASE = [one for one in SERIES if not one.startswith("data.module.subjects")]


@pytest.mark.parametrize("world", [2, pytest.param(4, marks=pytest.mark.slow)])
def test_ranks_train_what_one_process_trains_that_adds_their_batches_up(world, small_fit, cohorts, tmp_path):
    """The validation part is of fewer batches than ranks, or of a number that they do not divide."""
    one = small_fit(
        tmp_path / "one", *OWN, f"trainer.accumulate_grad_batches={world}", "trainer.limit_train_batches=4"
    )
    words = [
        *BASE, "trainer=ddp", "trainer.accelerator=cpu", "trainer.precision=32-true", *OWN,
        f"trainer.devices={world}", "trainer.deterministic=true", f"paths.data={cohorts}",
        f"trainer.limit_train_batches={4 // world}",
    ]  # fmt: skip
    codes = together(world, fitted, str(tmp_path / "ranks"), words, log=tmp_path / "ranks.log")
    assert codes == [0] * world, (tmp_path / "ranks.log").read_text()[-3000:]
    files = [folder / "checkpoints" / "last.ckpt" for folder in (one, tmp_path / "ranks")]
    expected, found = (torch.load(file, weights_only=True) for file in files)
    assert expected["global_step"] == found["global_step"] == 2 * 4 // world
    for name, value in expected["state_dict"].items():
        assert torch.allclose(value, found["state_dict"][name], atol=1e-5), name
    curves = [pd.read_csv(folder / "history.csv") for folder in (one, tmp_path / "ranks")]
    measured = [name for name in curves[0] if name.startswith("val/")]
    assert len(measured) > 5
    for name in measured:
        if name.partition("/")[2] in ("loss", "score", "binary"):
            continue  # means over batches, of which ranks repeat some
        assert np.allclose(curves[0][name], curves[1][name], atol=1e-4, equal_nan=True), name


@pytest.mark.slow
def test_ranks_end_after_the_same_step_and_go_on_as_if_nothing_had_been(cohorts, tmp_path):
    words = [
        *BASE, "trainer=ddp", "trainer.accelerator=cpu", "trainer.precision=32-true", f"paths.data={cohorts}",
        "data.module.subjects=1", "trainer.deterministic=true", "callbacks/ema=none",
    ]  # fmt: skip
    whole, run, log = tmp_path / "whole", tmp_path / "run", tmp_path / "log"
    assert together(2, fitted, str(whole), words, log=log) == [0, 0], log.read_text()[-3000:]
    steps = torch.load(whole / "checkpoints" / "previous.ckpt", weights_only=True)["global_step"]
    assert steps > 1  # of an epoch: there is a middle
    codes = together(2, announced, str(run), steps, words, log=log)
    assert codes == [128 + signal.SIGUSR1, 1], log.read_text()[-3000:]
    found = torch.load(run / "checkpoints" / "step.ckpt", weights_only=True)
    assert found["global_step"] == steps + 1
    assert together(2, fitted, str(run), [*words, f"resume={run}"], log=log) == [0, 0], log.read_text()[
        -3000:
    ]
    expected, resumed = (
        torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True) for folder in (whole, run)
    )
    for name, value in expected["state_dict"].items():
        assert torch.equal(value, resumed["state_dict"][name]), name
    assert (whole / "history.csv").read_bytes() == (run / "history.csv").read_bytes()
