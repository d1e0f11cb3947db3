"""Speed of heads trained at once beside the same ones one by one: `python -m benchmarks.heads`.

One by one is a plain loop in torch: one network, its loss, clipping, AdamW and schedule, on the same windows.
Both take turns and the best round of each counts; the ratio travels between machines, seconds do not.
"""

import copy
import sys
import time
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.utils import clip_grad_norm_

from datamodules.command_line import run
from models.heads import BinaryHead
from models.inputs import Tokens
from models.mpdrm.attentive_pool import AttentivePool
from models.mpdrm.branches import MDFN
from models.mpdrm.network import MPDRM
from models.mpdrm.rarm import MeanPool
from models.objective import Objective
from models.optim import WarmupCosine, parameter_groups
from models.stacked import StackedNetworks
from models.trunks.encoded import EncodedTrunk
from models.types import Batch

RATES = (1e-4, 3e-4, 1e-3, 3e-3)  # as in conf/probe.yaml
WINDOWS = 8  # that steps take in turn


def main(
    *,
    heads: int = 100,
    recordings: int = 150,
    tokens: int = 16,
    channels: int = 384,
    steps: int = 100,
    rounds: int = 2,
    attentive: bool = False,
) -> None:
    """Measure and show CPU seconds of both, their ratio, and how far their predictions differ.

    Args:
        heads: A quarter for each of four rates.
        recordings: Of which each step reads a window.
        tokens: Of a window.
        channels: Of a token; 384 is the width of a small ViT.
        steps: Of training.
        rounds: The best one of each counts.
        attentive: Whether a learned query pools the tokens; else their mean is read.
    """
    batches = _batches(recordings, tokens, channels)
    networks = [_network(seed, channels, attentive=attentive) for seed in range(heads)]
    torch.manual_seed(0)
    scored = torch.rand(heads, recordings) < 0.64  # two levels of five folds
    best, found = {"at once": float("inf"), "one by one": float("inf")}, {}
    for _ in range(rounds):
        for name, way in (("at once", _at_once), ("one by one", _one_by_one)):
            start = time.process_time()
            found[name] = way(networks, batches, scored, steps)
            best[name] = min(best[name], time.process_time() - start)
    off = (found["at once"] - found["one by one"]).abs().max()
    pool = "attentive" if attentive else "linear"
    sys.stdout.write(
        f"{heads} {pool} heads on {recordings} windows of {tokens} tokens of width {channels}, {steps} "
        f"steps: at once {best['at once']:.2f} s, one by one {best['one by one']:.2f} s of CPU, "
        f"ratio {best['one by one'] / best['at once']:.1f}; predictions differ by at most {off:.1e}\n"
    )


def _batches(recordings: int, tokens: int, channels: int) -> list[Batch]:
    torch.manual_seed(0)
    label = (torch.rand(recordings) < 0.5).float()
    known = torch.ones(recordings, dtype=torch.bool)
    return [
        {
            "tokens": torch.randn(recordings, tokens, channels) + 0.2 * label[:, None, None],
            "mask": torch.ones(recordings, tokens, dtype=torch.bool),
            "targets": {"binary": label},
            "target_mask": {"binary": known},
        }
        for _ in range(WINDOWS)
    ]


def _network(seed: int, channels: int, *, attentive: bool) -> nn.Module:
    torch.manual_seed(seed)
    branch = MDFN(trunk=EncodedTrunk(channels=channels, normalize=True), input=Tokens())
    pool = AttentivePool(dim=channels) if attentive else MeanPool(dim=channels)
    heads = {"binary": BinaryHead(dim=channels)}
    return MPDRM(depression=branch, personality=None, context=None, rarm=pool, heads=heads)


def _at_once(networks: list[nn.Module], batches: list[Batch], scored: Tensor, steps: int) -> Tensor:
    def schedule(made: torch.optim.Optimizer) -> torch.optim.lr_scheduler.LRScheduler:
        return WarmupCosine(warmup=0.1, T_max=steps)(made, steps_per_epoch=1)

    adam = torch.optim.AdamW
    stack = StackedNetworks(networks, Objective(), rates=RATES, optimizer=adam, schedule=schedule)
    for step in range(steps):
        stack.step(batches[step % WINDOWS], scored)
    return stack.predict(batches[0])["binary"]


def _one_by_one(networks: list[nn.Module], batches: list[Batch], scored: Tensor, steps: int) -> Tensor:
    each = len(networks) // len(RATES)
    return torch.stack(
        [
            _alone(copy.deepcopy(network), batches, scored[place], steps, rate=RATES[place // each])
            for place, network in enumerate(networks)
        ]
    )


def _alone(network: nn.Module, batches: list[Batch], scored: Tensor, steps: int, *, rate: float) -> Tensor:
    objective = Objective()
    heads: dict[str, Any] = dict(network.get_submodule("heads").named_children())
    optimizer = torch.optim.AdamW(parameter_groups(network), lr=rate)
    schedule = WarmupCosine(warmup=0.1, T_max=steps)(optimizer, steps_per_epoch=1)
    network.train()
    for step in range(steps):
        batch = batches[step % WINDOWS] | {"scored": scored}
        loss = objective(heads, network(batch), batch)["loss"]
        optimizer.zero_grad()
        loss.backward()
        clip_grad_norm_(network.parameters(), 1.0)
        optimizer.step()
        schedule.step()
    network.eval()
    with torch.no_grad():
        answer: Tensor = heads["binary"].predict(network(batches[0]).logits["binary"])
    return answer


if __name__ == "__main__":
    sys.exit(run(main))
