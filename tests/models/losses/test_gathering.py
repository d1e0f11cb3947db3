"""Contrast over several processes: that of one process on the joined batch, in loss and in gradient."""

import pytest
import torch
import torch.distributed as dist
import torch.multiprocessing as mp
from torch import nn
from torch.nn import functional as F

from models.losses.gathering import ranks
from models.losses.severity_contrast import SeverityContrast
from models.losses.supcon import SupCon
from models.types import Output

ROWS = 15
PARTS = {2: (9, 6), 4: (5, 1, 3, 6)}  # rows of each rank
gen = torch.Generator().manual_seed(0)
X = torch.randn(ROWS, 6, generator=gen, dtype=torch.float64)
SUBJECT = torch.tensor([0, 1, 2, 0, 1, 2, -1, 0, 3, 3, 0, 2, -2, 1, 3])
VISIT = torch.arange(ROWS) // 2
BAND = torch.arange(ROWS) % 3
SCORE = 0.8 * torch.arange(ROWS, dtype=torch.float64)
CONTRASTS = {
    "cross_visit": SupCon,
    "same_visit": lambda: SupCon(positives="same_visit"),
    "severity": SeverityContrast,
}


def _network():
    torch.manual_seed(1)
    return nn.Linear(6, 4, dtype=torch.float64)


def _loss(network, rows, name):
    z = F.normalize(network(X[rows]), dim=-1)
    batch = {
        "subject": SUBJECT[rows],
        "visit": VISIT[rows],
        "targets": {"band": BAND[rows], "score": 0.8 * torch.arange(ROWS, dtype=torch.float64)[rows]},
        "target_mask": {
            label: torch.ones(len(SUBJECT[rows]), dtype=torch.bool) for label in ("band", "score")
        },
    }
    return CONTRASTS[name]()(Output(logits={}, embedding=z, personality=z), batch)


def _step(network, rows, name):
    loss = _loss(network, rows, name)
    loss.backward()
    return loss.item(), network.weight.grad.clone()


def _rows(parts, rank):
    start = sum(parts[:rank])
    return slice(start, start + parts[rank])


def _alone(rows):
    """The contrast of some rows in evaluation, where no rank waits for another."""
    z = F.normalize(_network()(X[rows]), dim=-1)
    batch = {"subject": SUBJECT[rows], "visit": VISIT[rows], "targets": {}, "target_mask": {}}
    return SupCon().eval()(Output(logits={}, embedding=z, personality=z), batch).item()


def _worker(rank, folder):
    for count, parts in PARTS.items():
        if rank >= count:
            continue
        meet = f"file://{folder}/meet{count}"
        dist.init_process_group("gloo", init_method=meet, rank=rank, world_size=count)
        found = {}
        for name in CONTRASTS:
            network = nn.parallel.DistributedDataParallel(_network())
            loss = _loss(network, _rows(parts, rank), name)
            loss.backward()
            found[name] = (loss.item(), network.module.weight.grad.clone())
        found["alone"] = _alone(_rows(parts, rank))
        torch.save(found, f"{folder}/{count}_{rank}.pt")
        dist.destroy_process_group()


@pytest.mark.slow
def test_ranks_together_are_one_process_on_the_joined_batch(tmp_path):
    mp.spawn(_worker, args=(str(tmp_path),), nprocs=max(PARTS))
    for count, parts in PARTS.items():
        for rank in range(count):
            found = torch.load(tmp_path / f"{count}_{rank}.pt")
            for name in CONTRASTS:
                loss, gradient = _step(_network(), slice(None), name)
                assert found[name][0] == pytest.approx(loss, abs=1e-10)
                torch.testing.assert_close(found[name][1], gradient, rtol=0, atol=1e-10)
            assert found["alone"] == pytest.approx(_alone(_rows(parts, rank)), abs=1e-10)


def test_one_process_is_one_rank():
    assert ranks() == 1
