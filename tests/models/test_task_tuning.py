"""Tuning inside a task: under Lightning, with averaged weights, and when a checkpoint is opened again."""

import copy
from functools import partial

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from engine.training.ema import EMA
from evaluation.metrics.streaming import RecordingMetrics
from models.heads import ScoreHead
from models.inputs import Appearance
from models.mpdrm.attentive_pool import AttentivePool
from models.mpdrm.branches import MDFN
from models.mpdrm.network import MPDRM
from models.objective import Objective
from models.task import Task
from models.trunks.frames import FramesTrunk
from models.trunks.readout import TokenReadout
from models.tuning import Freeze, LoRA

TRUNK = "network.depression.trunk."


def task_of(statistics, tuning, *, backbone="resnet10t", size=None, **settings):
    torch.manual_seed(4)
    trunk = FramesTrunk(
        backbone=backbone, dim=8, size=size, stages=(-1,), readout=partial(TokenReadout, grid=2)
    )
    network = MPDRM(
        depression=MDFN(trunk=trunk, input=Appearance()),
        personality=None,
        context=None,
        rarm=AttentivePool(dim=8),
        heads={"score": ScoreHead(dim=8, low=0, high=63)},
    )
    optimizer = partial(torch.optim.AdamW, lr=1e-2)
    parts = {"objective": Objective(), "metrics": RecordingMetrics(), "optimizer": optimizer}
    task = Task(network=network, **parts, tuning=tuning, **settings)
    task.set_statistics({name: statistics[name] for name in ("score_mean", "score_std")})
    return task


def fit(task, batch, folder, *callbacks):
    trainer = pl.Trainer(
        accelerator="cpu", devices=1, default_root_dir=folder, logger=False, enable_checkpointing=False,
        enable_progress_bar=False, enable_model_summary=False, max_epochs=2, callbacks=list(callbacks),
    )  # fmt: skip
    loader = DataLoader([batch, batch], batch_size=None)
    trainer.fit(task, loader, loader)


@pytest.fixture
def batch(make_batch):
    return make_batch(subjects=2, visits=1, clips=1, steps=2, channels=None, size=32)


@pytest.mark.parametrize("callbacks", [(), (EMA,)], ids=["plain", "averaged"])
def test_a_probe_trains_while_the_backbone_stays_bit_by_bit(callbacks, statistics, batch, tmp_path):
    task = task_of(statistics, Freeze())
    assert not task.network.depression.trunk.backbone.training
    before = copy.deepcopy(task.state_dict())
    fit(task, batch, tmp_path, *(callback() for callback in callbacks))
    after = task.state_dict()
    backbone = [name for name in before if name.startswith(TRUNK + "backbone")]
    assert any(name.endswith("running_mean") for name in backbone)
    assert all(torch.equal(after[name], before[name]) for name in backbone)
    read = [name for name in before if "rarm" in name or name.startswith(TRUNK + "readouts")]
    assert not any(torch.equal(after[name], before[name]) for name in read)
    groups = task.configure_optimizers().param_groups
    frozen = {id(p) for p in task.network.depression.trunk.backbone.parameters()}
    assert not frozen & {id(p) for group in groups for p in group["params"]}


def test_training_and_evaluation_switch_all_but_what_is_frozen(statistics):
    task = task_of(statistics, Freeze(last=1))
    trunk = task.network.depression.trunk
    for mode in (False, True):
        task.train(mode)
        assert task.network.rarm.training == trunk.backbone.layer4.training == mode
        assert not trunk.backbone.layer3.training


def test_without_tuning_everything_learns(statistics):
    task = task_of(statistics, None)
    assert all(parameter.requires_grad for parameter in task.parameters())
    assert all(module.training for module in task.network.modules())


def test_a_low_rank_task_trains_and_opens_again_from_its_weights(statistics, make_batch, tmp_path):
    given = {"backbone": "vit_tiny_patch16_224", "size": 32}
    task = task_of(statistics, LoRA(rank=2), **given)
    batch = make_batch(subjects=2, visits=1, clips=1, steps=2, channels=None, size=32)
    before = copy.deepcopy(task.state_dict())
    fit(task, batch, tmp_path)
    state = task.state_dict()
    moved = {
        name
        for name in state
        if name.startswith(TRUNK + "backbone") and not torch.equal(state[name], before[name])
    }
    assert moved
    assert all(name.endswith((".up", ".down")) for name in moved)
    again = task_of(statistics, LoRA(rank=2), **given)
    again.load_state_dict(state, strict=True)
    with torch.no_grad():
        told = (one.eval()(batch).logits["score"] for one in (task, again))
        assert torch.equal(*told)
    with pytest.raises(RuntimeError, match="parametrizations"):
        task_of(statistics, None, **given).load_state_dict(state, strict=True)


def test_rates_of_blocks_fall_towards_the_input(statistics):
    task = task_of(statistics, None, layer_decay=0.5)
    trunk = task.network.depression.trunk
    rates = {id(p): g["lr"] for g in task.configure_optimizers().param_groups for p in g["params"]}
    found = [rates[id(next(iter(block[0].parameters())))] for block in trunk.blocks()]
    assert found == pytest.approx([1e-2 * 0.5**k for k in (5, 4, 3, 2, 1)])
    assert rates[id(task.network.rarm.query)] == 1e-2


def test_a_network_without_a_trunk_cannot_be_tuned(statistics):
    network = task_of(statistics, None).network
    network.depression = torch.nn.Identity()
    with pytest.raises(ValueError, match="no part named `trunk`"):
        Task(
            network=network,
            objective=Objective(),
            metrics=RecordingMetrics(),
            optimizer=None,
            tuning=Freeze(),
        )
