"""Networks trained at once are those that are trained one by one."""

import copy

import pytest
import torch
from torch.nn.utils import clip_grad_norm_

from models.heads import BinaryHead, ScoreHead
from models.inputs import Tokens
from models.mpdrm.attentive_pool import AttentivePool
from models.mpdrm.branches import MDFN
from models.mpdrm.network import MPDRM
from models.mpdrm.rarm import AttentionPool, MeanPool
from models.objective import Objective
from models.optim import WarmupCosine, parameter_groups
from models.stacked import StackedNetworks
from models.standardize import set_statistics
from models.trunks.encoded import EncodedTrunk

RATES = (0.03, 0.003)
EACH = 3  # networks a rate
ROWS = 24


def _network(seed, pool=MeanPool, **trunk):
    torch.manual_seed(seed)
    trunk = EncodedTrunk(channels=8, **trunk)
    heads = {"score": ScoreHead(dim=8, low=0, high=63), "binary": BinaryHead(dim=8)}
    branch = MDFN(trunk=trunk, input=Tokens())
    network = MPDRM(depression=branch, personality=None, context=None, rarm=pool(dim=8), heads=heads)
    set_statistics(network, {"score_mean": 10.0 + seed, "score_std": 5.0, "prevalence": 0.3})
    return network


def _batch(step):
    torch.manual_seed(100 + step)
    score, mask = torch.rand(ROWS) * 40, torch.rand(ROWS, 5) > 0.2
    mask[:, 0] = True
    tokens = torch.randn(ROWS, 5, 8) + score[:, None, None] / 40
    return {
        "tokens": tokens,
        "mask": mask,
        "targets": {"score": score, "binary": (score > 20).float()},
        "target_mask": {"score": torch.rand(ROWS) > 0.1, "binary": torch.ones(ROWS, dtype=torch.bool)},
    }


def _one_by_one(network, rate, scored, steps):
    """What Lightning does with one network: the loss of its rows, clipped, AdamW, a schedule by steps."""
    network, objective = copy.deepcopy(network).train(), Objective()
    optimizer = torch.optim.AdamW(parameter_groups(network), lr=rate)
    schedule = WarmupCosine(warmup=0.2, T_max=steps)(optimizer, steps_per_epoch=1)
    for step in range(steps):
        batch = _batch(step) | {"scored": scored}
        loss = objective(dict(network.heads), network(batch), batch)["loss"]
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(network.parameters(), 0.5)
        optimizer.step()
        schedule.step()
    network.eval()
    with torch.no_grad():
        logits = network(_batch(99)).logits
        return {name: head.predict(logits[name]) for name, head in network.heads.items()}, loss.item()


def _stack(networks, steps, **changes):
    return StackedNetworks(
        networks,
        Objective(),
        **{
            "rates": RATES,
            "optimizer": torch.optim.AdamW,
            "schedule": lambda made: WarmupCosine(warmup=0.2, T_max=steps)(made, steps_per_epoch=1),
            "clip": 0.5,
            **changes,
        },
    )


@pytest.mark.parametrize(
    "form",
    [{"normalize": True}, {"dim": 8}, {"pool": lambda dim: AttentivePool(dim=dim, heads=2)}],
    ids=["linear", "mapped", "attentive"],
)
def test_each_ends_where_it_ends_alone(form):
    steps = 12
    networks = [_network(seed, **form) for seed in range(EACH * len(RATES))]
    torch.manual_seed(0)
    scored = torch.rand(len(networks), ROWS) > 0.3
    stack = _stack(networks, steps)
    for step in range(steps):
        losses = stack.step(_batch(step), scored)
    found = stack.predict(_batch(99))
    for place, network in enumerate(networks):
        expected, loss = _one_by_one(network, RATES[place // EACH], scored[place], steps)
        assert losses[place].item() == pytest.approx(loss, abs=1e-5)
        for name, values in expected.items():
            torch.testing.assert_close(found[name][place], values, atol=1e-4, rtol=1e-5)
    assert found["binary"][0].sub(found["binary"][EACH]).abs().max() > 0.01  # rates matter


def test_networks_that_are_given_stay_as_they_are():
    networks = [_network(seed) for seed in range(2)]
    before = copy.deepcopy(networks[0].state_dict())
    _stack(networks, 4).step(_batch(0), torch.ones(2, ROWS, dtype=torch.bool))
    for name, value in networks[0].state_dict().items():
        torch.testing.assert_close(value, before[name])


def test_dropout_falls_in_training_alone_and_in_each_by_itself():
    same = [_network(0, pool=lambda dim: AttentionPool(dim=dim, dropout=0.5)) for _ in range(2)]
    stack = _stack(same, 4)
    losses = stack.step(_batch(0), torch.ones(2, ROWS, dtype=torch.bool))
    assert losses[0] != losses[1]
    torch.testing.assert_close(stack.predict(_batch(1)), stack.predict(_batch(1)))


def test_networks_that_rates_do_not_divide_are_refused():
    with pytest.raises(ValueError, match="3 networks cannot be shared out among 2 rates"):
        _stack([_network(seed) for seed in range(3)], 4)
