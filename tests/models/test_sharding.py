"""Sharded parameters: units, groups of the optimizer, and a step that is the same on one rank."""

import copy

import pytest
import torch
import torch.distributed as dist
from torch import nn
from torch.distributed.device_mesh import init_device_mesh
from torch.distributed.fsdp import FSDPModule
from torch.distributed.tensor import DTensor

from models.optim import parameter_groups, plain_name, weight_names
from models.sharding import shard


class Trunk(nn.Module):
    def __init__(self):
        super().__init__()
        self.first = nn.Sequential(nn.Conv1d(3, 4, 3), nn.GroupNorm(2, 4))
        self.second = nn.Sequential(nn.Conv1d(4, 4, 3), nn.GroupNorm(2, 4))

    def blocks(self):
        return [[self.first], [self.second]]

    def forward(self, x):
        return self.second(self.first(x)).mean(-1)


class Network(nn.Module):
    def __init__(self):
        super().__init__()
        self.trunk, self.head = Trunk(), nn.Linear(4, 2)
        self.queries = nn.Parameter(torch.ones(2, 4))
        self.scale = nn.Parameter(torch.ones(4))

    def forward(self, x):
        return self.head(self.trunk(x) + self.queries.mean(0) * self.scale)


@pytest.fixture
def mesh(tmp_path):
    """One rank of one."""
    dist.init_process_group("gloo", init_method=f"file://{tmp_path}/meet", rank=0, world_size=1)
    yield init_device_mesh("cpu", (1,))
    dist.destroy_process_group()


def named(groups, module):
    names = {id(parameter): plain_name(name) for name, parameter in module.named_parameters()}
    return [(group.get("weight_decay"), {names[id(one)] for one in group["params"]}) for group in groups]


def test_a_sharded_step_is_the_step_and_its_groups_are_the_groups(mesh):
    torch.manual_seed(0)
    whole = Network()
    network, x = copy.deepcopy(whole), torch.randn(5, 3, 9)
    decayed = weight_names(network)
    expected = named(parameter_groups(whole), whole)
    shard(network, mesh)
    assert {name for name, part in network.named_modules() if isinstance(part, FSDPModule)} == {
        "", "trunk.first", "trunk.second"
    }  # fmt: skip
    assert all(isinstance(parameter, DTensor) for parameter in network.parameters())
    assert named(parameter_groups(network, decayed=decayed), network) == expected
    assert named(parameter_groups(network), network) == expected  # dimensions stay
    for one in (whole, network):
        optimizer = torch.optim.AdamW(parameter_groups(one, decayed=decayed), lr=0.1, weight_decay=0.1)
        one(x).square().sum().backward()
        optimizer.step()
    for name, parameter in whole.named_parameters():
        assert torch.allclose(parameter, dict(network.named_parameters())[name].full_tensor()), name


def test_a_second_call_changes_nothing(mesh):
    network = Network()
    shard(network, mesh)
    kinds = [type(part) for part in network.modules()]
    shard(network, mesh)
    assert [type(part) for part in network.modules()] == kinds
