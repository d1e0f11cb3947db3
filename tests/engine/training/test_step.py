"""What a training step asks of its device: nothing that the host would have to wait for."""

import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_map_only

from benchmarks.gpu.steps import WAYS, a_step
from benchmarks.speed.resident import drawn_batch, resident
from engine.config.build import build
from tests.test_conf import EXPERIMENTS

# Of every kind of network one; the others take minutes together.
LIGHT = {"mpdrm", "mpdrm_series", "mpdrm_joint", "tcn", "state_space", "lstm"}
# Each names what waits: a packed sequence takes the lengths of its rows as numbers of the host.
WAITS = {"lstm": "pack_padded_sequence", "facial_pulse": "pack_padded_sequence"}
PERSONS, VISITS = 3, 2
COPIES = (torch.ops.aten._to_copy.default, torch.ops.aten.copy_.default)


class Watched(TorchDispatchMode):
    """Refuses a loop over the rows of a batch in Python, and a copy to the device, which waits for it too."""

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):
        along = args[1] if len(args) > 1 else 0
        if func is torch.ops.aten.unbind.int and not along and len(args[0]) == PERSONS * VISITS:
            raise AssertionError("a loop over the rows of a batch")
        out = func(*args, **(kwargs or {}))
        if (
            func in COPIES
            and out.is_meta
            and any(one.device.type == "cpu" for one in args[:2] if hasattr(one, "device"))
        ):
            raise AssertionError("a copy to the device")
        return out


def on_device(batch):
    """The batch on a device of which only shapes are known: who asks it for a number fails."""
    return tree_map_only(torch.Tensor, lambda value: value.to("meta"), batch)


def training(config):
    """Hooks, network, objective and gradients of a step, and a validation batch."""
    batch = on_device(drawn_batch(config, persons=PERSONS, visits=VISITS, seed=0))
    with torch.device("meta"):
        task = build(config["model"] | {"scheduler": None}, key="model").train()
    data = resident(config, [])
    data.trainer = type("Training", (), {"training": True})
    with torch.no_grad():  # tables of positions are copied once
        task(data.on_after_batch_transfer(batch, 0))
    with Watched():
        task.training_step(data.on_after_batch_transfer(batch, 0), 0).backward()
        torch.nn.utils.clip_grad_norm_(task.parameters(), 1.0)
        data.trainer.training = False
        with torch.no_grad():
            task.eval().validation_step(data.on_after_batch_transfer(batch, 0), 0)
    assert all(one.grad is not None for one in task.parameters() if one.requires_grad)


@pytest.mark.parametrize(
    "experiment",
    [name if name in LIGHT else pytest.param(name, marks=pytest.mark.slow) for name in EXPERIMENTS],
)
def test_a_step_waits_for_no_number_of_its_device(experiment, compose_run):
    config = compose_run(f"experiment={experiment}")
    if experiment in WAITS:
        with pytest.raises(RuntimeError):
            training(config)
    else:
        training(config)


@pytest.mark.parametrize("waits", ["item", "bool", "index", "nonzero", "loop", "copy"])
def test_what_waits_is_found(waits):
    x = torch.ones(PERSONS * VISITS, device="meta")
    does = {
        "item": lambda: x.sum().item(),
        "bool": lambda: bool((x > 0).any()),
        "index": lambda: x[x > 0],
        "nonzero": lambda: (x > 0).nonzero(),
        "loop": lambda: list(x),
        "copy": lambda: torch.ones(3).to(x.device),
    }
    with Watched(), pytest.raises((RuntimeError, AssertionError)):
        does[waits]()


@pytest.mark.gpu
@pytest.mark.parametrize("way", WAYS[:3])
@pytest.mark.parametrize("experiment", ["mpdrm", "mpdrm_series"])
def test_on_a_gpu_the_host_is_never_synchronized_by_a_step(experiment, way, compose_run):
    step = a_step(compose_run(f"experiment={experiment}"), way, device=torch.device("cuda"))
    for _ in range(3):
        step()
    torch.cuda.set_sync_debug_mode("error")
    try:
        step()
    finally:
        torch.cuda.set_sync_debug_mode("default")
