import pytest
import torch
from torch import nn

from models.zoo.sequence.lstm import LSTMTrunk


@torch.no_grad()
def test_without_padding_it_is_the_lstm_of_torch():
    trunk, x = LSTMTrunk(channels=3, dim=8).eval(), torch.randn(2, 9, 3)
    reference = nn.LSTM(3, 4, num_layers=2, bidirectional=True)  # time first
    reference.load_state_dict(trunk.lstm.state_dict())
    expected = reference(x.transpose(0, 1))[0].transpose(0, 1)
    assert torch.allclose(trunk(x, torch.ones(2, 9, dtype=torch.bool)), expected, atol=1e-6)


def test_the_size_counted_by_hand():
    with torch.device("meta"):
        trunk = LSTMTrunk(channels=17)
    layers = [2 * 4 * (inputs * 32 + 32 * 32 + 2 * 32) for inputs in (17, 64)]
    assert sum(p.numel() for p in trunk.parameters()) == sum(layers) == 38_144


def test_an_odd_width_is_refused():
    with pytest.raises(ValueError, match="dim=7"):
        LSTMTrunk(channels=3, dim=7)
