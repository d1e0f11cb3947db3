"""Weight decay is decided by layer and name, so that wrapping and flattening do not change it."""

import math
from functools import partial

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn

from models.optim import (
    WarmupCosine,
    parameter_groups,
    plain_name,
    rate_scales,
    scale_rates,
    weight_names,
)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.stem = nn.Sequential(nn.Conv1d(3, 4, 3), nn.GroupNorm(2, 4))
        self.head = nn.Sequential(nn.LayerNorm(4), nn.Linear(4, 2))
        self.queries = nn.Parameter(torch.zeros(2, 4))
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x):
        return self.head(self.stem(x).mean(-1) + self.queries.mean(0) * self.scale)


DECAYED = {"stem.0.weight", "head.1.weight", "queries"}


def _named(groups, module):
    """Names of the parameters of each group, and their decay."""
    names = {id(parameter): plain_name(name) for name, parameter in module.named_parameters()}
    return [(group.get("weight_decay"), {names[id(p)] for p in group["params"]}) for group in groups]


def test_weights_decay_and_biases_and_norms_do_not():
    network = Network()
    everything = {name for name, _ in network.named_parameters()}
    assert weight_names(network) == DECAYED
    assert _named(parameter_groups(network), network) == [(None, DECAYED), (0.0, everything - DECAYED)]


def test_flattened_parameters_stay_in_their_groups():
    network = Network()
    decayed = weight_names(network)
    expected = _named(parameter_groups(network), network)
    for parameter in network.parameters():
        parameter.data = parameter.data.flatten()  # what FSDP leaves on a rank
    assert _named(parameter_groups(network, decayed=decayed), network) == expected
    # without what was known before, layers and names still tell all but parameters of no layer
    without = _named(parameter_groups(network), network)
    assert without[0] == (None, DECAYED - {"queries"})


def test_wrappers_leave_no_trace_in_names():
    assert plain_name("_forward_module.a._fsdp_wrapped_module.b._orig_mod.weight") == "a.b.weight"
    assert plain_name("module.a.weight") == "a.weight"


def test_frozen_and_shared_parameters_count_once_or_not_at_all():
    network = nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3))
    network[1].weight = network[0].weight
    network[0].bias.requires_grad_(False)
    (weights, rest) = parameter_groups(network)
    assert (len(weights["params"]), len(rest["params"])) == (1, 1)
    network.requires_grad_(False)
    assert parameter_groups(network) == []


def test_one_flat_parameter_is_refused():
    network = nn.Module()
    network.register_parameter("_flat_param", nn.Parameter(torch.zeros(9)))
    with pytest.raises(ValueError, match="use_orig_params=true"):
        parameter_groups(network)


def _worker(rank, folder):
    from torch.distributed.fsdp import FullyShardedDataParallel
    from torch.distributed.fsdp.wrap import ModuleWrapPolicy

    dist.init_process_group("gloo", init_method=f"file://{folder}/meet", rank=rank, world_size=2)
    network = Network()
    decayed = weight_names(network)
    policy = ModuleWrapPolicy({nn.Sequential})
    wrapped = FullyShardedDataParallel(
        network, auto_wrap_policy=policy, use_orig_params=True, device_id=torch.device("cpu")
    )
    dims = {plain_name(name): parameter.dim() for name, parameter in wrapped.named_parameters()}
    groups = _named(parameter_groups(wrapped, decayed=decayed), wrapped)
    torch.save((dims, groups), f"{folder}/{rank}.pt")
    dist.destroy_process_group()


@pytest.mark.slow
def test_fsdp_has_the_groups_of_ddp_by_name(tmp_path):
    mp.spawn(partial(_worker), args=(str(tmp_path),), nprocs=2)
    network = Network()
    for rank in range(2):
        dims, groups = torch.load(tmp_path / f"{rank}.pt")
        assert max(dims.values()) == 1  # why dimensions do not decide
        assert groups == _named(parameter_groups(network), network)


def rates(schedule, *, steps_per_epoch, lr=0.4):
    """The rate of every step of a training."""
    optimizer = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=lr)
    scheduler = schedule(optimizer, steps_per_epoch=steps_per_epoch)
    found = []
    for _ in range(schedule._epochs * steps_per_epoch):
        found.append(optimizer.param_groups[0]["lr"])
        optimizer.step()
        scheduler.step()
    return found


@pytest.mark.parametrize(
    ("warmup", "epochs", "steps"), [(0.25, 4, 5), (0.1, 30, 11), (0.9, 2, 5), (0.0, 3, 4)]
)
def test_the_rate_warms_up_and_falls_as_its_equation_says(warmup, epochs, steps):
    n = epochs * steps
    w = round(warmup * n)
    expected = [0.4 * (k + 1) / (w + 1) for k in range(w)]
    expected += [0.2 * (1 + math.cos(math.pi * (k - w) / (n - w))) for k in range(w, n)]
    schedule = WarmupCosine(warmup=warmup, T_max=epochs)
    assert rates(schedule, steps_per_epoch=steps) == pytest.approx(expected, abs=1e-9)
    assert schedule.warmup_epochs == pytest.approx(w / steps)


def test_one_step_is_enough_for_a_warm_up_that_rounds_to_it():
    assert rates(WarmupCosine(warmup=0.9, T_max=1), steps_per_epoch=1) == [0.4]


@pytest.mark.parametrize(
    "given", [{"warmup": 1.0, "T_max": 3}, {"warmup": -0.1, "T_max": 3}, {"warmup": 0.1, "T_max": 0}]
)
def test_a_schedule_that_cannot_be_is_refused(given):
    with pytest.raises(ValueError, match="warmup="):
        WarmupCosine(**given)


class Trunk(nn.Module):
    """Three blocks of a weight and a bias each, and what reads them."""

    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(*(nn.Linear(2, 2) for _ in range(3)))
        self.readout = nn.Linear(2, 2)

    def blocks(self):
        return [[layer] for layer in self.layers]


def test_rates_fall_from_block_to_block_towards_the_input():
    network = nn.ModuleDict({"trunk": Trunk(), "head": nn.Linear(2, 1)})
    scales = rate_scales(network, 0.5)
    assert {name: scales.get(f"trunk.layers.{k}.weight") for k, name in enumerate("abc")} == {
        "a": 0.125, "b": 0.25, "c": 0.5,
    }  # fmt: skip
    optimizer = scale_rates(torch.optim.AdamW(parameter_groups(network, scales=scales), lr=0.8))
    rates = {id(p): group["lr"] for group in optimizer.param_groups for p in group["params"]}
    names = {name: rates[id(parameter)] for name, parameter in network.named_parameters()}
    assert [names[f"trunk.layers.{k}.bias"] for k in range(3)] == pytest.approx([0.1, 0.2, 0.4])
    assert names["trunk.readout.weight"] == names["head.bias"] == 0.8
    decays = {id(p): group["weight_decay"] for group in optimizer.param_groups for p in group["params"]}
    assert {decays[id(p)] for n, p in network.named_parameters() if n.endswith("bias")} == {0.0}
    assert {decays[id(p)] for n, p in network.named_parameters() if n.endswith("weight")} == {0.01}


def test_a_schedule_keeps_the_ratio_of_the_rates():
    network = nn.ModuleDict({"trunk": Trunk()})
    groups = parameter_groups(network, scales=rate_scales(network, 0.5))
    optimizer = scale_rates(torch.optim.SGD(groups, lr=1.0))
    ratios = []
    schedule = WarmupCosine(warmup=0.25, T_max=2)(optimizer, steps_per_epoch=4)
    for _ in range(7):
        ratios.append(optimizer.param_groups[0]["lr"] / optimizer.param_groups[-1]["lr"])
        optimizer.step()
        schedule.step()
    assert ratios == pytest.approx([8.0] * 7)


def test_one_rate_for_all_leaves_the_groups_as_they_are():
    network = nn.ModuleDict({"trunk": Trunk()})
    assert rate_scales(network, 1.0) == {}
    assert all("lr_scale" not in group for group in parameter_groups(network, scales={}))
    for wrong in (0.0, 1.5):
        with pytest.raises(ValueError, match="layer_decay="):
            rate_scales(network, wrong)
