from functools import partial

import pytest
import pytorch_lightning as pl
import torch
from torch.utils.data import DataLoader

from evaluation.metrics.streaming import RecordingMetrics
from evaluation.tables.predictions import PredictionError
from models.heads import BinaryHead, OrdinalHead, ScoreHead
from models.inputs import Levels
from models.losses.supcon import SupCon
from models.mpdrm.branches import MDFN, MPFN
from models.mpdrm.context import EnrolmentContext
from models.mpdrm.mmp import MMPSeries
from models.mpdrm.network import MPDRM
from models.mpdrm.rarm import RelationCross
from models.objective import Objective
from models.optim import WarmupCosine
from models.task import Task
from models.trunks.series import SeriesTrunk

DIM = 16


def _branch(kind):
    return kind(trunk=SeriesTrunk(channels=5, dim=DIM, blocks=1, mmp=MMPSeries), input=Levels(channels=5))


@pytest.fixture
def task(statistics):
    network = MPDRM(
        depression=_branch(MDFN),
        personality=_branch(MPFN),
        context=EnrolmentContext(),
        rarm=RelationCross(dim=DIM),
        heads={"score": ScoreHead(dim=DIM, low=0, high=63), "binary": BinaryHead(dim=DIM)},
    )
    task = Task(
        network=network,
        objective=Objective(contrast=SupCon(), contrast_weight=0.1),
        metrics=RecordingMetrics(),
        optimizer=partial(torch.optim.AdamW, lr=1e-2, weight_decay=0.1),
        scheduler=partial(torch.optim.lr_scheduler.StepLR, step_size=1, gamma=0.5),
    )
    task.set_statistics(statistics)
    return task


def _trainer(tmp_path, **settings):
    return pl.Trainer(
        accelerator="cpu",
        devices=1,
        default_root_dir=tmp_path,
        logger=False,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        **settings,
    )


def _loader(*batches):
    return DataLoader(list(batches), batch_size=None)


@pytest.mark.parametrize(("accumulate", "limit"), [(1, None), (2, None), (1, 2)])
def test_a_warm_up_counts_the_steps_of_the_optimizer(task, make_batch, tmp_path, accumulate, limit):
    """Five batches an epoch: five steps, three of two batches each, or two where no more are taken."""
    rates = []

    class Rates(pl.Callback):
        def on_before_optimizer_step(self, trainer, pl_module, optimizer):
            rates.append(optimizer.param_groups[0]["lr"])

    task._scheduler = WarmupCosine(warmup=0.5, T_max=2)
    settings = {"accumulate_grad_batches": accumulate, "limit_train_batches": limit, "callbacks": [Rates()]}
    trainer = _trainer(tmp_path, max_epochs=2, limit_val_batches=0, **settings)
    trainer.fit(task, _loader(*(make_batch() for _ in range(5))))
    steps = 2 * (limit or -(-5 // accumulate))
    warm = steps // 2
    assert len(rates) == steps
    assert task.warmup_epochs == 1.0
    assert rates[:warm] == pytest.approx([0.01 * (k + 1) / (warm + 1) for k in range(warm)])
    assert rates[warm] == pytest.approx(0.01)
    assert all(late < early for early, late in zip(rates[warm:], rates[warm + 1 :], strict=False))


def test_norms_and_biases_are_not_decayed(task):
    optimizer = task.configure_optimizers()["optimizer"]
    names = {id(p): name for name, p in task.named_parameters()}
    decay = {names[id(p)]: group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert set(decay) == set(names.values())
    norms = {
        f"{name}.{inner}"
        for name, module in task.named_modules()
        if isinstance(module, torch.nn.LayerNorm)
        for inner, _ in module.named_parameters()
    }
    assert norms
    free = {name for name in decay if name in norms or name.endswith("bias")}
    assert {name for name, value in decay.items() if value == 0.0} == free
    assert {value for name, value in decay.items() if name not in free} == {0.1}


def test_the_scheduler_steps_every_epoch(task, make_batch, tmp_path):
    trainer = _trainer(tmp_path, max_epochs=2)
    trainer.fit(task, _loader(make_batch(), make_batch(seed=1)))
    assert [group["lr"] for group in trainer.optimizers[0].param_groups] == [0.0025, 0.0025]
    task._scheduler = None
    assert isinstance(task.configure_optimizers(), torch.optim.Optimizer)


@pytest.mark.slow
def test_it_overfits_a_tiny_batch(task, make_batch, tmp_path):
    batch = make_batch()
    for name, value in batch["targets"].items():  # one label a recording
        batch["targets"][name] = value[batch["row"] * 2]
    task._scheduler = None
    trainer = _trainer(tmp_path, max_epochs=120)
    before = task.objective(task.network.heads, task(batch), batch)
    trainer.fit(task, _loader(batch))
    task.eval()
    after = task.objective(task.network.heads, task(batch), batch)
    for name in ("score", "binary"):
        assert after[name].item() < 0.1 * before[name].item()
    points = task.predict_step(batch)["score"]
    assert (points - batch["targets"]["score"]).abs().max() < 6


def test_it_logs_every_term_and_metrics_over_recordings(task, make_batch, tmp_path):
    batch = make_batch(subjects=4)
    batch["targets"]["binary"] = (batch["row"] % 2).float()
    batch["targets"]["score"] = batch["row"] * 5.0
    trainer = _trainer(tmp_path, max_epochs=1, num_sanity_val_steps=0)
    trainer.fit(task, _loader(batch), _loader(batch))
    logged = set(trainer.callback_metrics)
    for stage in ("train", "val"):
        assert {f"{stage}/{name}" for name in ("loss", "score", "binary", "contrast")} <= logged
    assert {"val/auc", "val/mae"} <= logged
    result = trainer.test(task, _loader(batch), verbose=False)[0]
    predicted = task.predict_step(batch)["score"]
    by_recording = predicted.view(-1, 2).mean(1)  # two clips a recording
    expected = (by_recording - torch.arange(8) * 5.0).abs().mean()
    assert result["test/mae"] == pytest.approx(expected.item(), abs=1e-3)


@pytest.mark.parametrize("heads", [("score", "binary"), ("score",), ("binary",), ("band",)])
def test_the_names_it_promises_are_those_it_logs(task, make_batch, tmp_path, heads):
    bands = OrdinalHead(dim=DIM, bands=4)
    task.network.heads = torch.nn.ModuleDict({**task.network.heads, "band": bands})
    for name in {"score", "binary", "band"} - set(heads):
        del task.network.heads[name]
    batch = make_batch(subjects=4)
    batch["targets"] = {
        "binary": (batch["row"] % 2).float(),
        "score": batch["row"] * 5.0,
        "band": (batch["row"] % 4).float(),
    }
    batch["target_mask"] = {name: torch.ones(len(batch["row"])).bool() for name in batch["targets"]}
    trainer = _trainer(tmp_path, max_epochs=1, num_sanity_val_steps=0)
    trainer.fit(task, _loader(batch), _loader(batch))
    logged = set(trainer.callback_metrics)
    assert {name for name in logged if name.startswith("val/")} == task.logged_names("val")
    assert {name for name in logged if name.startswith("train/")} == task.logged_names("train")


def test_divergence_names_the_epoch_and_the_recordings(task, make_batch, tmp_path):
    batch = make_batch(subjects=4)
    with torch.no_grad():
        task.network.heads["score"].linear.bias.fill_(torch.nan)
    trainer = _trainer(tmp_path, max_epochs=1, num_sanity_val_steps=0)
    with pytest.raises(PredictionError, match=r"epoch 0, val: .* rows \[0, 1, 2, 3, 4\] .*lr"):
        trainer.fit(task, _loader(batch), _loader(batch))


def test_metrics_leave_out_unscored_rows(task, make_batch, tmp_path):
    batch = make_batch()
    batch["targets"]["score"][:4] = 1e6  # would be seen from afar
    batch["scored"][:4] = False
    result = _trainer(tmp_path).test(task, _loader(batch), verbose=False)[0]
    assert result["test/mae"] < 100
    assert result["test/score"] < 100


def test_predictions_are_plain_and_of_scored_rows_only(task, make_batch):
    batch = make_batch()
    task.eval()
    everything = task.predict_step(batch)
    batch["scored"][[0, 5, 6]] = False
    kept = [i for i in range(12) if i not in (0, 5, 6)]
    result = task.predict_step(batch)
    assert set(result) == {
        "row",
        "clip",
        "score",
        "binary",
        "attention",
        "embedding",
        "plain",
        "relieved",
        "personality_feature",
        "context_available",
        "recording_id",
        "subject_id",
        "session_id",
    }
    for name, value in result.items():
        assert len(value) == 9
        if isinstance(value, torch.Tensor):
            assert not value.requires_grad
            assert torch.equal(value, everything[name][kept])  # context-only rows still give context
        else:
            assert value == [batch[name][i] for i in kept]
    assert ((result["score"] >= 0) & (result["score"] <= 63)).all()
    assert ((result["binary"] >= 0) & (result["binary"] <= 1)).all()
