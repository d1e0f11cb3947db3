"""Integrated gradients against closed forms, and against moving one recording alone."""

import numpy as np
import pytest
import torch
from torch import nn

from engine.inspection.integrated_gradients import GRID, attributions, cell_names, in_cells
from evaluation.audit.attribution import attribution_table, completeness
from evaluation.uncertainty.bootstrap import Resampling
from models.heads import BinaryHead, ScoreHead
from models.inputs import Appearance, Levels
from models.masking import zero_masked
from models.mpdrm.branches import MDFN, MPFN
from models.mpdrm.context import CalibratedContext, EnrolmentContext
from models.mpdrm.network import MPDRM
from models.mpdrm.rarm import MeanPool, RelationCross
from models.trunks.pixels import PixelTrunk
from models.trunks.series import SeriesTrunk
from models.types import Output

pytest.importorskip("captum")

CHANNELS = ("au04", "au12", "gaze_x")


def _batch(persons=2, visits=2, steps=6, channels=3):
    rows = torch.arange(persons * visits)
    mask = torch.ones(len(rows), steps, dtype=torch.bool)
    mask[-1, -2:] = False
    return {
        "series": zero_masked(torch.randn(len(rows), steps, channels), mask),
        "mask": mask,
        "subject": rows // visits,
        "row": rows,
        "scored": torch.ones(len(rows), dtype=torch.bool),
        "recording_id": [f"r{row}" for row in rows],
        "subject_id": [f"s{row // visits}" for row in rows],
    }


class Weighted(nn.Module):
    """The output is the sum of weights times the real steps of the input."""

    def __init__(self):
        super().__init__()
        self.weight = torch.randn(6, 3)
        self.heads = nn.ModuleDict({"binary": nn.Identity()})

    def forward(self, batch):
        x = zero_masked(batch["series"], batch["mask"])
        return Output(logits={"binary": (x * self.weight).sum((1, 2))}, embedding=x)


@pytest.fixture(autouse=True)
def _seeded():
    torch.manual_seed(0)


def _baseline(heads, branch=None):
    series = MDFN(trunk=SeriesTrunk(channels=3, dim=8, blocks=1), input=Levels(channels=3))
    return MPDRM(
        depression=branch or series, personality=None, context=None, rarm=MeanPool(dim=8), heads=heads
    )


def _explain(network, batch, *, head="binary", baseline=None, channels=CHANNELS):
    key = "series" if "series" in batch else "frames"
    start = torch.zeros(len(channels)) if baseline is None else baseline
    return attributions(network, iter([batch]), head=head, key=key, channels=channels, baseline=start)


def test_a_linear_network_gives_weight_times_distance_from_the_baseline():
    network, batch, baseline = Weighted(), _batch(), torch.tensor([1.0, -2.0, 0.5])
    found = _explain(network, batch, baseline=baseline)
    exact = zero_masked(network.weight * (batch["series"] - baseline), batch["mask"])
    early = exact[0, :2].sum(0)
    assert found.thirds[0, 0] == pytest.approx(early.numpy(), abs=1e-5)
    assert found.thirds.sum(1) == pytest.approx(exact.sum(1).numpy(), abs=1e-5)
    assert found.steps[:, :, 0] == pytest.approx(exact[:, :, 0].numpy(), abs=1e-5)  # brows: au04
    assert completeness(found)["max_residual"] < 1e-5
    assert np.abs(found.steps[-1, -2:]).sum() == 0  # steps that are not real


def test_rows_that_are_context_only_are_not_explained():
    batch = _batch()
    batch["scored"][1] = False
    assert _explain(Weighted(), batch).clips["recording_id"].tolist() == ["r0", "r2", "r3"]


def test_a_score_is_explained_in_points():
    head = ScoreHead(dim=8, low=0, high=60)  # its spread before training: 15
    network = _baseline({"score": head}).eval()
    batch = _batch()
    found = _explain(network, batch, head="score")
    with torch.no_grad():
        raw = network(batch).logits["score"]
        points = head.predict(raw) - head.mean
    assert found.unit == "points"
    assert found.clips["output"].to_numpy() == pytest.approx(points.numpy(), abs=1e-4)
    assert completeness(found)["complete"]


def test_the_planted_channel_leads_in_a_fitted_network():
    network = _baseline({"binary": BinaryHead(dim=8)})
    batch = _batch(persons=64, visits=1)
    label = (batch["series"][..., 1].mean(1) > 0).float()
    optimizer = torch.optim.Adam(network.parameters(), lr=1e-2)
    for _ in range(60):
        optimizer.zero_grad()
        loss = nn.functional.binary_cross_entropy_with_logits(network(batch).logits["binary"], label)
        loss.backward()
        optimizer.step()
    assert loss < 0.35
    found = _explain(network.eval(), batch)
    rows = attribution_table(found, Resampling(1000)).query("scope == 'unit' and third == 'all'")
    size = rows.set_index("name")["strength"]
    assert size["AU12"] > 3 * size.drop("AU12").max()
    assert completeness(found)["complete"]
    pushed = found.thirds.sum(1)[:, 1]
    depressed = label.numpy() == 1
    assert pushed[depressed].mean() > pushed[~depressed].mean() + 2  # logits


def _mpdrm(context):
    return MPDRM(
        depression=MDFN(trunk=SeriesTrunk(channels=3, dim=8, blocks=1), input=Levels(channels=3)),
        personality=MPFN(trunk=None, input=None, dim=8, projection=4),
        context=context,
        rarm=RelationCross(dim=8, heads=2),
        heads={"binary": BinaryHead(dim=8)},
        start_at_difference=True,
    ).eval()


def _history(batch):
    """Of each person every visit but the last is known, with a score."""
    row, subject = batch["row"], batch["subject"]
    earlier = (subject[:, None] == subject[None, :]) & (row[None, :] < row[:, None])
    score = torch.where(earlier, (row[None, :] % 3).float(), torch.nan)
    return batch | {"visit": row, "history": {"earlier": earlier, "score": score}}


@pytest.mark.parametrize("context", [EnrolmentContext, lambda: CalibratedContext(dim=8)])
def test_it_is_as_if_one_recording_moved_and_those_of_the_context_stayed(context):
    network, batch = _mpdrm(context()), _history(_batch(visits=3))
    context = network.context
    found = _explain(network, batch)
    assert network.context is context
    nodes, weights = np.polynomial.legendre.leggauss(30)
    for row in (0, 5):
        total = torch.zeros(6, 3)
        for node, weight in zip((nodes + 1) / 2, weights / 2, strict=True):
            series = batch["series"].clone()
            series[row] *= float(node)
            series.requires_grad_()
            network(batch | {"series": series}).logits["binary"][row].backward()
            total += float(weight) * series.grad[row]
        exact = (total * batch["series"][row]).sum(0)
        assert found.thirds[row].sum(0) == pytest.approx(exact.detach().numpy(), abs=1e-4)
    assert completeness(found)["complete"]


def test_every_pixel_is_in_one_cell():
    maps = torch.randn(2, 3, 32, 20)
    cells = in_cells(maps, GRID)
    assert cells.shape == (2, 3, GRID * GRID)
    assert torch.allclose(cells.sum(2), maps.sum((2, 3)), atol=1e-4)
    corner = in_cells(nn.functional.pad(torch.ones(1, 1, 1, 1), (0, 31, 31, 0)), GRID)  # bottom left
    assert cell_names(GRID)[int(corner[0, 0].argmax())] == "cell_lower_5_0"


def test_pixels_are_summed_over_cells():
    branch = MDFN(trunk=PixelTrunk(dim=8, widths=(8, 8)), input=Appearance())
    network = _baseline({"binary": BinaryHead(dim=8)}, branch).eval()
    batch = _batch() | {"frames": torch.randn(4, 6, 3, 16, 16)}
    del batch["series"]
    found = _explain(network, batch, channels=cell_names(GRID), baseline=torch.zeros(()))
    assert found.thirds.shape == (4, 3, GRID * GRID)
    assert completeness(found)["unexplained"] < 0.05
    assert found.regions == ("upper picture", "middle picture", "lower picture")
