import numpy as np
import pytest
import torch
from torch.nn import functional as F

from models.mpdrm.mmp import MMPMaps
from models.mpdrm.part_relation import LAYOUTS, PartReadout, PartRelation, region_means
from models.trunks.pixels import PixelTrunk
from models.trunks.readout import SpatialReadout


def _trained(module):
    """The module as it might be after training: no parameter of its relation is zero."""
    for parameter in module.relation.parameters():
        torch.nn.init.normal_(parameter)
    return module


def _sigmoid(x):
    return 1 / (1 + np.exp(-x))


def test_weights_equal_the_equations_part_by_part():
    relation = PartRelation(width=3)
    for parameter in relation.parameters():
        torch.nn.init.normal_(parameter)
    parts = torch.randn(2, 5, 3)
    weights, anchor = relation(parts)
    a, a0, b, b0 = (p.detach().double().numpy().squeeze() for p in relation.parameters())
    for f, w, g in zip(parts.double().numpy(), weights.detach(), anchor.detach(), strict=True):
        alpha = np.array([_sigmoid(a @ part + a0) for part in f])
        whole = np.sum([x * part for x, part in zip(alpha, f, strict=True)], axis=0) / alpha.sum()
        beta = np.array([_sigmoid(b @ np.concatenate([part, whole, part * whole]) + b0) for part in f])
        np.testing.assert_allclose(g, whole, atol=1e-5)
        np.testing.assert_allclose(w, 5 * alpha * beta / np.sum(alpha * beta), atol=1e-5)


def test_regions_are_those_of_adaptive_pooling():
    maps = torch.randn(2, 3, 7, 5, dtype=torch.float64)
    means = region_means(LAYOUTS, 7, 5).double()
    expected = torch.cat([F.adaptive_avg_pool2d(maps, layout).flatten(2) for layout in LAYOUTS], 2)
    assert torch.allclose(torch.einsum("nsk,pk->nsp", maps.flatten(2), means), expected, atol=1e-6)


def test_the_halves_are_the_upper_and_the_lower_one():
    readout = PartReadout(channels=4, dim=8, layouts=[(2, 1)])
    maps = torch.randn(1, 4, 6, 6)
    raised = maps.clone()
    raised[:, :, :3] += 1.0
    changed = (readout.parts(raised) - readout.parts(maps)).abs().sum(-1) > 1e-6
    assert changed.tolist() == [[True, False]]


def test_it_starts_as_a_flattened_grid():
    readout, grid = PartReadout(channels=6, dim=8, layouts=[(4, 4)]), SpatialReadout(channels=6, dim=8)
    width = readout.squeeze.out_channels
    with torch.no_grad():
        for parameter in grid.parameters():
            parameter.zero_()
        grid.squeeze.weight[:width], grid.squeeze.bias[:width] = readout.squeeze.weight, readout.squeeze.bias
        weight = readout.linear.weight
        grid.linear.bias.copy_(readout.linear.bias)
        grid.linear.weight[:, :6] = weight[:, :6]
        # the anchor starts as the mean of the cells; the flattened grid has channels first, the parts cells
        cells = weight[:, 6:-width].unflatten(1, (16, width)) + weight[:, None, -width:] / 16
        grid.linear.weight[:, 6 : 6 + 16 * width] = cells.transpose(1, 2).flatten(1)
        maps = torch.randn(3, 6, 8, 8)
        assert torch.allclose(readout(maps), grid(maps), atol=1e-5)


def test_a_part_weighs_more_where_it_differs_from_the_whole():
    """It learns to look at the one cell that stands out, wherever it is."""
    places = torch.randint(0, 16, (320,))
    value = torch.randn(320)
    maps = 0.1 * torch.randn(320, 2, 16)
    rows = torch.arange(320)
    maps[rows, 0, places], maps[rows, 1, places] = 2.0, value
    maps = maps.view(320, 2, 4, 4)
    readout = PartReadout(channels=2, dim=1, layouts=[(4, 4)])
    optimizer = torch.optim.Adam(readout.parameters(), lr=4e-2)
    for _ in range(40):
        optimizer.zero_grad()
        (readout(maps[:256]).squeeze(1) - value[:256]).square().mean().backward()
        optimizer.step()
    with torch.no_grad():
        weights = readout.relation(readout.parts(maps[256:]))[0]
    marked = weights.gather(1, places[256:, None]).mean()
    assert marked > 1.4  # 1 is the mean over parts, and where it starts


def test_frames_stand_alone_and_every_parameter_learns():
    readout = _trained(PartReadout(channels=8, dim=16))
    maps = torch.randn(5, 8, 4, 4)
    tokens = readout(maps)
    assert torch.allclose(tokens[2:3], readout(maps[2:3]), atol=1e-6)
    tokens.square().sum().backward()
    assert all(p.grad.isfinite().all() and p.grad.any() for p in readout.parameters())


def test_the_relation_learns_from_its_start():
    readout = PartReadout(channels=8, dim=16)
    readout(torch.randn(5, 8, 4, 4)).square().sum().backward()
    assert readout.relation.attend.weight.grad.any()
    assert readout.relation.relate.weight.grad.any()


def test_extreme_parts_give_finite_tokens():
    readout = _trained(PartReadout(channels=8, dim=16))
    tokens = readout(1e4 * torch.randn(4, 8, 4, 4))
    tokens.sum().backward()
    assert tokens.isfinite().all()
    assert all(p.grad.isfinite().all() for p in readout.parameters())


@pytest.mark.parametrize("layouts", [[], [(0, 1)], [(2,)]])
def test_impossible_layouts_are_refused(layouts):
    with pytest.raises(ValueError, match=r"layouts=.*rows and columns"):
        PartReadout(channels=4, dim=8, layouts=layouts)


@pytest.mark.parametrize("stages", [(-1,), (-2, -1), (1, 2, 3)])
def test_a_trunk_reads_the_stages_that_it_is_told(stages):
    trunk = PixelTrunk(dim=16, readout=PartReadout, read_stages=stages, mmp=MMPMaps)
    x, mask = torch.randn(2, 4, 3, 32, 32), torch.ones(2, 4, dtype=torch.bool)
    tokens = trunk(x, mask)
    assert tokens.shape == (2, 4, 16)
    assert list(trunk.readouts) == [str(stage % 4) for stage in stages]
    tokens.square().sum().backward()
    assert all(p.grad is not None and p.grad.isfinite().all() for p in trunk.parameters())


@pytest.mark.parametrize("stages", [(), (-2,), (-5, -1), (3, 4)])
def test_stages_that_do_not_exist_or_leave_the_last_out_are_refused(stages):
    with pytest.raises(ValueError, match="read_stages"):
        PixelTrunk(dim=16, read_stages=stages)
