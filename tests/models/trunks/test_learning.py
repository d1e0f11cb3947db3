"""Every trunk that has a leaf learns: it fits 16 clips that it first told apart the wrong way round."""

import pytest
import torch
import yaml
from sklearn.metrics import roc_auc_score
from torch import nn

from engine.config.source_code import ROOT
from models.heads import BinaryHead
from models.inputs import Appearance, Levels, Tokens
from models.mpdrm.branches import MDFN
from models.mpdrm.network import MPDRM
from models.mpdrm.rarm import MeanPool
from models.objective import Objective
from models.optim import parameter_groups
from models.trunks.video import VideoTrunk
from tests.models.trunks import test_contract as ours
from tests.models.zoo import test_contract_pixels as pixels
from tests.models.zoo import test_contract_series as series

# name -> (trunk, shape of one step, frames T)
CASES = {
    **ours.CASES,
    "r3d_18": (lambda: VideoTrunk(backbone="r3d_18"), (3, 32, 32), 8),
    **{name: (build, (3, size, size), frames) for name, (build, size, frames) in pixels.CASES.items()},
    **{name: (build, (series.CHANNELS,), series.STEPS) for name, build in series.CASES.items()},
}
EACH, STEPS, ENOUGH = 8, 60, 0.95


def _clips(shape, frames):
    """Noise, and in clips of one class half of each step is higher, the more the later: level and motion."""
    generator = torch.Generator().manual_seed(0)
    label = torch.arange(2 * EACH) % 2
    x = 0.5 * torch.randn(2 * EACH, frames, *shape, generator=generator)
    rise = torch.linspace(0.5, 1.5, frames).reshape(1, frames, *[1] * len(shape))
    half = (torch.arange(shape[-1]) < shape[-1] / 2).float()
    return x + label.reshape(-1, *[1] * (x.dim() - 1)) * rise * half, label.float()


def _network(trunk, shape):
    """The trunk, a mean over time and a head; only the trunk learns."""
    reads, input = ("frames", Appearance()) if len(shape) == 3 else ("series", Levels(channels=shape[0]))
    if hasattr(trunk, "places"):
        reads, input = "tokens", Tokens()
    branch, pool = MDFN(trunk=trunk, input=input), MeanPool(dim=trunk.dim)
    heads = {"binary": BinaryHead(dim=trunk.dim)}
    network = MPDRM(depression=branch, personality=None, context=None, rarm=pool, heads=heads)
    network.heads.requires_grad_(False)
    return network, reads


@torch.no_grad()
def _auc(network, batch):
    network.eval()
    answer = network(batch).logits["binary"]
    return roc_auc_score(batch["targets"]["binary"], answer) if answer.isfinite().all() else 0.0


def _learns(trunk, shape, frames):
    """AUC of the 16 before, at .5 or below by the choice of the labels, and after at most so many steps."""
    x, label = _clips(shape, frames)
    network, reads = _network(trunk, shape)
    rows = torch.ones(len(x), dtype=torch.bool)
    batch = {reads: x, "mask": torch.ones(x.shape[:2], dtype=torch.bool), "scored": rows}
    batch |= {"targets": {"binary": label}, "target_mask": {"binary": rows}}
    if (first := _auc(network, batch)) > 0.5:
        first, batch["targets"] = 1 - first, {"binary": 1 - label}
    objective, after = Objective(), 0.0
    optimizer = torch.optim.AdamW(parameter_groups(network), lr=2e-3)
    for step in range(1, STEPS + 1):
        network.train()
        loss = objective(dict(network.heads.items()), network(batch), batch)["loss"]
        optimizer.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        if step % 5 == 0 and (after := _auc(network, batch)) >= ENOUGH:
            break
    return first, after


@pytest.mark.slow  # two minutes in all
@pytest.mark.parametrize("name", CASES)
def test_a_trunk_fits_sixteen_clips(name):
    build, shape, frames = CASES[name]
    torch.manual_seed(0)
    before, after = _learns(build(), shape, frames)
    assert before <= 0.5
    assert after >= ENOUGH


def test_every_leaf_has_a_trunk_here():
    leaves = {}
    for path in (ROOT / "conf" / "model" / "trunk").glob("*.yaml"):
        node = yaml.safe_load(path.read_text())
        node = node.get("model", {}).get("network", {}).get("depression", node)
        leaves[path.stem] = node["trunk"]["_target_"].rpartition(".")[2]
    heavy = {*ours.HEAVY, "s3d", "r3d_18"}  # of a class that others are of
    found = {type(CASES[name][0]()).__name__ for name in CASES if name not in heavy}
    assert set(leaves.values()) == found


class _Deaf(nn.Module):
    """Answers the same whatever it is shown, though all of its weights get a gradient."""

    dim = 16

    def __init__(self):
        super().__init__()
        self.answer = nn.Parameter(torch.randn(16))

    def forward(self, x, mask):
        return self.answer.expand(*mask.shape, 16)


def test_a_trunk_that_cannot_learn_is_found():
    assert _learns(_Deaf(), (6,), 12)[1] == 0.5
