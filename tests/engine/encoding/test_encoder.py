"""Tokens that the stored precision cannot hold."""

import pytest
import torch
from torch import nn

from engine.encoding.encoder import Encoder


class Scaled(nn.Module):
    """One token a frame: its mean times a factor."""

    def __init__(self, factor):
        super().__init__()
        self.factor = factor

    def forward(self, batch):
        mean = batch["frames"].float().mean((-2, -1))  # (B,T,3)
        return mean * self.factor, batch["mask"]


def encoded(factor, precision, *, frames=None):
    frames = torch.full((1, 2, 3, 4, 4), 100, dtype=torch.uint8) if frames is None else frames
    mask = torch.tensor([[True, False]])
    return Encoder(branch=Scaled(factor), normalize=None, precision=precision)(frames, mask)


@pytest.mark.parametrize(
    ("factor", "precision", "told"),
    [
        (1e4, "float16", "larger than float16 holds.*precision=bfloat16 or float32"),
        (1e-11, "float16", "smaller than float16 holds.*precision=float32, or bfloat16"),
    ],
)
def test_what_the_precision_does_not_hold_is_refused_with_one_that_does(factor, precision, told):
    with pytest.raises(OverflowError, match=told):
        encoded(factor, precision)
    for other in ("bfloat16", "float32"):
        kept = encoded(factor, other)
        assert torch.allclose(kept[0, 0].float(), torch.tensor(100 * factor), rtol=1e-2, atol=0.0)


def test_a_token_of_zeros_is_kept_as_it_is():
    kept = encoded(1.0, "float16", frames=torch.zeros(1, 2, 3, 4, 4, dtype=torch.uint8))
    assert (kept[0, 0] == 0).all()
    assert kept[0, 1].isnan().all()  # no frame is there
