"""Heads of items under late fusion: means of the sets that are there, answers learned from these alone."""

import pytest
import torch

from models.fusion.late import LateFusion, OneSet, SetItemHeads
from models.items.graded import GradedResponseHead
from models.items.ordinal import OrdinalItemsHead
from models.mpdrm.branches import MDFN
from models.mpdrm.rarm import MeanPool
from models.objective import Objective
from models.predictions import predicted_names, predictions
from models.trunks.series import SeriesTrunk

WIDTHS, DIM = (2, 3), 8
ONE = {"columns": ["item_a"], "highest": [3], "factor": 1, "threshold": 2}
TWO = {"columns": ["item_a", "item_b"], "highest": [3, 2], "factor": 2, "threshold": 4}


def heads_of(kind, form):
    torch.manual_seed(0)
    return [kind(dim=DIM, questionnaires={"PHQ-9": form}, scale="PHQ-9") for _ in WIDTHS]


@pytest.mark.parametrize("form", [ONE, TWO], ids=["one item", "two items"])
@pytest.mark.parametrize("kind", [GradedResponseHead, OrdinalItemsHead])
def test_predictions_are_the_mean_of_the_sets_that_are_there(kind, form):
    own = heads_of(kind, form)
    heads = SetItemHeads(own)
    v, there = torch.randn(3, 2, DIM), torch.tensor([[True, True], [True, False], [False, True]])
    found = heads.named(heads(v, there))
    first, second = (head.named(head(v[:, place])) for place, head in enumerate(own))
    assert tuple(found) == heads.names == own[0].names
    for name in heads.names:
        expected = [(first[name][0] + second[name][0]) / 2, first[name][1], second[name][2]]
        torch.testing.assert_close(found[name], torch.stack(expected))


@pytest.mark.parametrize("kind", [GradedResponseHead, OrdinalItemsHead])
def test_an_absent_set_learns_from_no_answer(kind):
    own = heads_of(kind, TWO)
    heads = SetItemHeads(own)
    v, there = torch.randn(3, 2, DIM), torch.tensor([[True, False], [True, True], [True, True]])
    answers = torch.tensor([[3, 2], [0, 1], [1, 0]])
    mask = torch.tensor([[True, True], [True, False], [True, True]])
    expected = [
        own[0].loss(own[0](v[:, 0]), answers, mask),
        own[1].loss(own[1](v[:, 1]), answers, mask & there[:, 1:]),
    ]
    torch.testing.assert_close(heads.loss(heads(v, there), answers, mask), torch.stack(expected).mean())


def test_a_late_network_learns_all_answers_and_predicts_them_by_name():
    torch.manual_seed(0)
    network = LateFusion(
        depression=MDFN(
            trunk=SeriesTrunk(channels=DIM, dim=DIM, pool=2, mmp=None),
            input=OneSet(channels=sum(WIDTHS), widths=WIDTHS, dim=DIM),
        ),
        rarm=MeanPool(dim=DIM),
        heads={"answers": GradedResponseHead(dim=DIM, questionnaires={"PHQ-9": TWO}, scale="PHQ-9")},
    )
    rows, steps = 4, 12
    real = torch.ones(rows, steps, len(WIDTHS), dtype=torch.bool)
    real[0, :, 1] = False
    batch = {
        "series": torch.randn(rows, steps, sum(WIDTHS)), "mask": real.any(2), "set_mask": real,
        "row": torch.arange(rows), "subject": torch.arange(rows),
        "scored": torch.ones(rows, dtype=torch.bool),
        "targets": {"items": torch.tensor([[3, 2], [0, 1], [1, 0], [2, 2]])},
        "target_mask": {"items": torch.ones(rows, 2, dtype=torch.bool)},
    }  # fmt: skip
    output = network(batch)
    Objective()(network.heads, output, batch)["loss"].backward()
    lost = [name for name, weight in network.heads.named_parameters() if weight.grad is None]
    assert not lost
    assert all(weight.grad.isfinite().all() for weight in network.heads.parameters())
    found = predictions(network.heads, output.logits)
    assert sorted(found) == sorted(predicted_names(network.heads))
    torch.testing.assert_close(found["PHQ-9_total"], 2 * (found["item_a"] + found["item_b"]))
