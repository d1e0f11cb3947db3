"""The series trunk: what the mean token holds, where blocks begin, and tokens of several steps."""

import pytest
import torch
from torch import nn

from models.masking import masked_mean, token_mask
from models.mpdrm.mmp import MMPSeries
from models.trunks.series import SeriesTrunk


def clips(rows=6, steps=40, channels=3):
    x = torch.randn(rows, steps, channels)
    mask = torch.ones(rows, steps, dtype=torch.bool)
    mask[1, 30:] = False
    return x * mask[..., None], mask


@pytest.mark.parametrize("pool", [1, 4])
def test_the_first_mean_token_is_linear_in_means_and_motion(pool):
    trunk = SeriesTrunk(channels=3, dim=8, blocks=0, pool=pool, power_scales=(1, 2), mmp=MMPSeries).eval()
    x, mask = clips()
    with torch.no_grad():
        tokens = trunk(x, mask)
        mean = masked_mean(tokens, token_mask(mask, tokens.shape[1]))
        levels = torch.stack([row[real].mean(0) for row, real in zip(x, mask, strict=True)])
        expected = levels @ trunk.stem.weight.T + trunk.stem.bias + trunk.motion(x, mask)
    whole = slice(0, 1) if pool == 4 else slice(None)  # the padded clip's last token has two steps of four
    assert torch.allclose(mean[whole], expected[whole], atol=1e-5)


def test_without_mmp_nothing_but_convolutions_sees_motion():
    trunk = SeriesTrunk(channels=3, dim=8, blocks=0, power_scales=(1, 2), relation_lags=(0, 2))
    x, mask = clips()
    mask[:] = True
    still = x.mean(1, keepdim=True).expand_as(x)
    assert torch.allclose(trunk(x, mask).mean(1), trunk(still, mask).mean(1), atol=1e-5)


def test_blocks_start_at_the_identity_and_learn_from_there():
    x, mask = clips()
    deep, flat = (SeriesTrunk(channels=3, dim=8, blocks=blocks) for blocks in (2, 0))
    flat.load_state_dict(deep.state_dict(), strict=False)
    assert torch.allclose(deep(x, mask), flat(x, mask))
    deep(x, mask).square().sum().backward()
    assert all(block.tail[-1].weight.grad.abs().sum() > 0 for block in deep.blocks)


def test_tokens_of_four_steps_do_not_see_padding():
    trunk = SeriesTrunk(channels=3, dim=8, pool=4, mmp=MMPSeries).eval()
    _start_at_random(trunk)
    x, mask = clips()
    with torch.no_grad():
        padded, alone = trunk(x, mask)[1], trunk(x[1:2, :30], mask[1:2, :30])[0]
    assert padded.shape == (10, 8)
    assert alone.shape == (8, 8)
    assert torch.allclose(padded[:8], alone, atol=1e-5)
    assert padded[8:].abs().sum() == 0
    assert token_mask(mask, 10)[1].tolist() == [True] * 8 + [False] * 2


def test_without_motion_power_a_factor_about_the_mean_is_not_in_the_mean_token():
    x, mask = clips()
    mask[:] = True
    x = x - x.mean(1, keepdim=True)
    with_it, without = (
        SeriesTrunk(channels=3, dim=8, blocks=0, mmp=MMPSeries),
        SeriesTrunk(channels=3, dim=8, blocks=0, power_scales=None, mmp=MMPSeries),
    )
    assert torch.allclose(without(x, mask).mean(1), without(2 * x, mask).mean(1), atol=1e-5)
    assert not torch.allclose(with_it(x, mask).mean(1), with_it(2 * x, mask).mean(1), atol=0.05)


@pytest.mark.parametrize(
    "wrong",
    [
        {"pool": 0},
        {"power_scales": []},
        {"power_scales": [0, 1]},
        {"kernel": 4},
        {"relation_lags": [-1]},
        {"relation_step": 0},
        {"relation_parts": 1},
    ],
)
def test_settings_without_a_meaning_are_refused(wrong):
    with pytest.raises(ValueError, match=next(iter(wrong))):
        SeriesTrunk(channels=3, **wrong)


def _start_at_random(trunk):
    for block in trunk.blocks:
        nn.init.normal_(block.tail[-1].weight)
