"""Sharded parameters: the groups, the weights and the checkpoints are those of one process."""

import json

import pandas as pd
import pytest
import torch

from engine.checkpoints.checkpoint import load_checkpoint
from tests.conftest import SERIES
from tests.ranks import together, trained

OWN = [
    "trainer.accelerator=cpu", "trainer.precision=32-true", "trainer.deterministic=true", "seed=3",
    "data.module.max_eval_clips=8", "model.network.rarm.dropout=0", "callbacks/ema=none",
]  # fmt: skip


def last(folder):
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=True)


@pytest.mark.slow
def test_two_ranks_with_sharded_parameters_are_two_ranks_with_whole_ones(cohorts, tmp_path):
    """DDP and FSDP2 compute the same step, so that each tests the other."""
    base = [one for one in SERIES if not one.startswith("data.module.subjects")]
    runs = {}
    for name in ("ddp", "fsdp"):
        words = [*base, f"trainer={name}", *OWN, "data.module.subjects=2", f"paths.data={cohorts}"]
        runs[name] = tmp_path / name
        codes = together(2, trained, str(runs[name]), words, log=tmp_path / f"{name}.log")
        assert codes == [0, 0], (tmp_path / f"{name}.log").read_text()[-3000:]
    whole, parts = (last(runs[name]) for name in ("ddp", "fsdp"))
    assert whole["state_dict"].keys() == parts["state_dict"].keys()
    for name, value in whole["state_dict"].items():
        assert torch.allclose(value, parts["state_dict"][name], atol=1e-5), name
    groups = [
        [
            (group["weight_decay"], len(group["params"]))
            for group in one["optimizer_states"][0]["param_groups"]
        ]
        for one in (whole, parts)
    ]
    assert groups[0] == groups[1]
    assert len({decay for decay, _ in groups[0]}) == 2  # performance of sharded runs without decay, silently
    opened = load_checkpoint(runs["fsdp"] / "checkpoints" / "best.ckpt")
    assert opened.state_dict.keys() == whole["state_dict"].keys()
    record = json.loads((runs["fsdp"] / "manifest.json").read_text())
    assert record["status"] == "finished"
    tables = [pd.read_csv(run / "predictions.csv") for run in runs.values()]
    assert tables[0]["recording_id"].tolist() == tables[1]["recording_id"].tolist()
    assert not tables[1]["recording_id"].duplicated().any()
    assert tables[0]["binary_prediction"].to_numpy() == pytest.approx(
        tables[1]["binary_prediction"].to_numpy(), abs=1e-4
    )
