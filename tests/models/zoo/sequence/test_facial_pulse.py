"""FacialPulse against the GRU of torch, what each stream sees, and which landmarks are left out."""

import pytest
import torch
from torch import nn

from models.zoo.sequence.facial_pulse import FacialPulseTrunk, LandmarkDropout


@pytest.fixture
def trunk():
    return FacialPulseTrunk(channels=6, dim=16, inside=5).eval()


def all_real(x):
    return torch.ones(x.shape[:2], dtype=torch.bool)


@torch.no_grad()
def test_a_stream_reads_the_last_states_of_the_gru_of_torch(trunk):
    x, stream = torch.randn(3, 9, 6), trunk.positions
    gru = nn.GRU(6, 4, bidirectional=True)  # time first
    gru.load_state_dict(stream.gru.state_dict())
    states, _ = gru(x.transpose(0, 1), stream.start.repeat(1, 3, 1))
    last = torch.cat((states[-1, :, :4], states[0, :, 4:]), 1)  # the backward direction ends at the start
    outer, inner = stream.inside[0], stream.inside[3]
    expected = last + (last @ outer.weight.T + outer.bias).relu() @ inner.weight.T + inner.bias
    assert torch.allclose(trunk(x, all_real(x))[:, 0, :8], expected, atol=1e-6)


@torch.no_grad()
def test_one_stream_sees_positions_and_the_other_changes_alone(trunk):
    x = torch.randn(2, 9, 6)
    here, moved = (trunk(y, all_real(y))[:, 0] for y in (x, x + torch.randn(6)))
    assert torch.allclose(here[:, 8:], moved[:, 8:], atol=1e-5)
    assert (here[:, :8] - moved[:, :8]).abs().amax() > 0.01
    still = torch.cat((torch.zeros(2, 1, 6), x[:, 1:] - x[:, :-1]), 1)
    trunk.positions.load_state_dict(trunk.changes.state_dict())
    assert torch.allclose(trunk(still, all_real(x))[:, 0, :8], here[:, 8:], atol=1e-6)


@torch.no_grad()
def test_padding_changes_nothing_and_an_empty_clip_is_zero(trunk):
    x = torch.randn(3, 30, 6)
    mask = torch.arange(30) < torch.tensor([[30], [4], [0]])
    x[~mask] = torch.nan
    tokens = trunk(x, mask)
    assert torch.allclose(tokens[1:2], trunk(x[1:2, :4], mask[1:2, :4]), atol=1e-6)
    assert tokens[2].abs().sum() == 0


@torch.no_grad()
def test_a_gap_is_a_frame_of_zeros_and_no_change(trunk):
    x, mask = torch.randn(1, 9, 6), torch.ones(1, 9, dtype=torch.bool)
    mask[0, 4] = False
    stream = trunk.changes
    changes = torch.cat((torch.zeros(1, 1, 6), x[:, 1:] - x[:, :-1]), 1)
    changes[:, 4:6] = 0  # into the gap and out of it
    expected = stream(changes, torch.tensor([9]))
    assert torch.allclose(trunk(x, mask)[:, 0, 8:], expected, atol=1e-6)


def test_the_start_is_learned_and_the_token_hangs_on_it(trunk):
    x = torch.randn(2, 5, 6)
    trunk(x, all_real(x)).square().sum().backward()
    for stream in (trunk.positions, trunk.changes):
        assert stream.start.shape == (2, 1, 4)
        assert (stream.start.grad.abs().sum((1, 2)) > 0).all()


def test_both_coordinates_of_a_landmark_are_left_out_together_at_every_step():
    drop = LandmarkDropout(0.1)
    x = torch.rand(2, 7, 2000) + 1
    out = drop(x)
    gone = (out == 0).reshape(2, 7, 1000, 2)
    assert torch.equal(gone, gone[:1, :1, :, :1].expand_as(gone))
    assert 60 < gone[0, 0, :, 0].sum() < 140  # of 1000 at .1
    assert torch.allclose(out[out != 0], x[out != 0] / 0.9)
    assert torch.equal(drop.eval()(x), x)


def test_streams_leave_out_landmarks_of_their_own():
    trunk = FacialPulseTrunk(channels=40, dim=16, dropout=0.0).train()
    x = torch.randn(1, 5, 40, requires_grad=True)
    seen = []
    for part in (slice(0, 8), slice(8, 16)):
        x.grad = None
        trunk(x, all_real(x))[..., part].sum().backward()
        seen.append(x.grad[0].abs().sum(0) > 0)
    assert all(30 <= one.sum() < 40 for one in seen)
    assert not torch.equal(*seen)


def test_the_size_counted_by_hand():
    with torch.device("meta"):
        trunk = FacialPulseTrunk(channels=136)
    gru = 2 * 3 * (136 * 64 + 64 * 64 + 2 * 64)
    stream = 2 * 64 + gru + (128 * 64 + 64) + (64 * 128 + 128)
    assert sum(p.numel() for p in trunk.parameters()) == 2 * stream == 188_544


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"channels": 17}, "data=synthetic_landmarks"),
        ({"dim": 30}, "dim=30"),
        ({"mmp": nn.Linear}, "mmp=none"),
    ],
)
def test_what_cannot_be_built_is_refused(changed, said):
    with pytest.raises(ValueError, match=said):
        FacialPulseTrunk(**{"channels": 6} | changed)
