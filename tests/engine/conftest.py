"""A checkpoint of a network so small that it is made without a training."""

from copy import deepcopy

import pytest
import torch

from engine.checkpoints.checkpoint import KEY, new_record, seal
from engine.inference.clip_predictions import form

STORED = {
    "experiment_name": "tiny",
    "seed": 0,
    "evaluation": {"aggregate": "mean", "n_boot": 1000, "seed": 0, "filmstrips": 0},
    "trainer": {"_target_": "pytorch_lightning.Trainer", "accelerator": "cpu", "precision": "32-true"},
    "model": {
        "_target_": "models.task.Task",
        "network": {
            "_target_": "models.mpdrm.network.MPDRM",
            "depression": {
                "_target_": "models.mpdrm.branches.MDFN",
                "input": {"_target_": "models.inputs.Levels", "channels": 2},
                "trunk": {
                    "_target_": "models.trunks.series.SeriesTrunk",
                    **{"channels": 2, "dim": 8, "blocks": 1},
                },
            },
            "personality": None,
            "context": None,
            "rarm": {"_target_": "models.mpdrm.rarm.MeanPool", "dim": 8},
            "heads": {"score": {"_target_": "models.heads.ScoreHead", "dim": 8, "low": 0, "high": 63}},
        },
        "objective": {"_target_": "models.objective.Objective"},
        "metrics": {"_target_": "evaluation.metrics.streaming.RecordingMetrics", "aggregate": "mean"},
        "optimizer": {"_target_": "torch.optim.NAdam", "_partial_": True, "lr": 0.1},
        "scheduler": None,
    },
    "data": {
        "scale": {"name": "BDI-II", "low": 0, "high": 63, "bands": 4},
        "manifest": {"_target_": "datamodules.manifests.manifest.read_manifest", "path": "table.csv"},
        "module": {
            "_target_": "datamodules.datamodule.ClipDataModule",
            "_partial_": True,
            "source": {"_target_": "datamodules.clips.dataset.SeriesClips", "channels": ["au01", "au02"]},
            "train_clips": {
                "_target_": "datamodules.clips.samplers.RandomClips",
                "length": 8,
                "strides": [2],
            },
            "eval_clips": {
                "_target_": "datamodules.clips.samplers.UniformClips",
                "length": 8,
                "stride": 1,
                "clips": 2,
            },
            "augment": None,
            "num_workers": 1,
        },
    },
}


@pytest.fixture
def tiny_config():
    """The config of a run that was never made."""
    return deepcopy(STORED)


@pytest.fixture
def tiny_record(tiny_config):
    """What it would have put into its checkpoints."""
    return new_record(
        config=tiny_config,
        statistics={"series_mean": torch.tensor([1.0, 2.0]), "series_std": torch.tensor([1.0, 1.0])},
        data_digest="abc",
        split={"name": "holdout", "train": ("r1",), "val": ("r2",), "test": ("r3",)},
        seen={"salt": "0" * 32, "train": {"persons": [], "files": []}, "val": {"persons": [], "files": []}},
    )


@pytest.fixture
def tiny_checkpoint(tiny_record, tmp_path):
    """Write its checkpoint: `tiny_checkpoint(change)` changes the record and seals it, as strangers would."""

    def write(change=None, *, weights=None, name="tiny.ckpt"):
        task = form(tiny_record["config"]["model"])
        state = {key: torch.ones(value.shape, dtype=value.dtype) for key, value in task.state_dict().items()}
        state = state if weights is None else weights(state)
        if change:
            change(tiny_record)
        torch.save({"state_dict": state, KEY: seal(state, tiny_record)}, tmp_path / name)
        return tmp_path / name

    return write
