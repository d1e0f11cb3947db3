"""What a training step asks of its device: nothing that the host would have to wait for."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from benchmarks.speed.resident import drawn_batch, resident
from engine.config.build import build
from tests.test_conf import BORROWED, EXPERIMENTS

HEAVY = {*BORROWED, "lmtformer", "sta_drn", "vit_video"}
# Each names what waits: a packed sequence takes the lengths of its rows as numbers of the host.
WAITS = {"lstm": "pack_padded_sequence"}
PERSONS, VISITS = 3, 2


class ByRow(TorchDispatchMode):
    """Refuses to take a tensor apart row by row, as a Python loop over the batch does."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        if func is torch.ops.aten.unbind.int and args[0].shape[:1] == (PERSONS * VISITS,):
            raise AssertionError("a loop over the rows of a batch")
        return func(*args, **(kwargs or {}))


def on_device(batch):
    """The batch on a device of which only shapes are known: who asks it for a number, or for rows by one, fails."""
    return tree_map_only(torch.Tensor, lambda value: value.to("meta"), batch)


def training(config):
    """Hooks, network, objective and gradients of one step, and those of a validation batch."""
    batch = drawn_batch(config, persons=PERSONS, visits=VISITS, seed=0)
    with torch.device("meta"):
        task = build(config["model"] | {"scheduler": None}, key="model").train()
    data = resident(config, [])
    with ByRow():
        data.trainer = type("Training", (), {"training": True})
        moved = data.on_after_batch_transfer(on_device(batch), 0)
        task.training_step(moved, 0).backward()
        torch.nn.utils.clip_grad_norm_(task.parameters(), 1.0)
        assert all(one.grad is not None for one in task.parameters() if one.requires_grad)
        data.trainer.training = False
        moved = data.on_after_batch_transfer(on_device(batch), 0)
        task.eval()
        with torch.no_grad():
            task.validation_step(moved, 0)


@pytest.mark.parametrize(
    "experiment", [pytest.param(name, marks=pytest.mark.slow) if name in HEAVY else name for name in EXPERIMENTS]
)
def test_a_step_waits_for_no_number_of_its_device(experiment, compose_run):
    config = compose_run(f"experiment={experiment}")
    if experiment in WAITS:
        with pytest.raises(RuntimeError):
            training(config)
    else:
        training(config)


@pytest.mark.parametrize("waits", ["item", "bool", "index", "nonzero", "loop"])
def test_what_waits_is_found(waits):
    x = torch.ones(PERSONS * VISITS, device="meta")
    does = {
        "item": lambda: x.sum().item(),
        "bool": lambda: bool((x > 0).any()),
        "index": lambda: x[x > 0],
        "nonzero": lambda: (x > 0).nonzero(),
        "loop": lambda: list(x),
    }
    with ByRow(), pytest.raises((RuntimeError, AssertionError)):
        does[waits]()
