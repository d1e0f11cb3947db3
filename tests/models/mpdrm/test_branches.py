"""The depression branch: which of the tokens of a trunk count as real."""

import pytest
import torch

from models.inputs import Levels
from models.masking import masked_mean
from models.mpdrm.branches import MDFN, MPFN
from models.mpdrm.mmp import MMPSeries
from models.trunks.series import SeriesTrunk
from models.zoo.sequence.tcn import TCNTrunk

CHANNELS = 3
# several steps a token: 4, 3 and 8
TRUNKS = {
    "series": lambda: SeriesTrunk(channels=CHANNELS, dim=8, pool=4, mmp=MMPSeries),
    "series_by_three": lambda: SeriesTrunk(channels=CHANNELS, dim=8, pool=3),
    "tcn": lambda: TCNTrunk(channels=CHANNELS, stem=(8, 8, 8), widths=(8, 8), dim=8),
}


def _started(trunk):
    """What begins at zero drawn at random, so that every token is a token of its own."""
    for parameter in trunk.parameters():
        if not parameter.any():
            torch.nn.init.normal_(parameter, std=0.3)
    return trunk.eval()


@pytest.mark.parametrize("name", TRUNKS)
@pytest.mark.parametrize("steps", [5, 9, 17, 18, 21])
@torch.no_grad()
def test_a_padded_clip_equals_the_clip_where_no_length_is_a_multiple_of_the_pooling(name, steps):
    branch = MDFN(trunk=_started(TRUNKS[name]()), input=Levels(channels=CHANNELS)).eval()
    x = torch.randn(1, steps, CHANNELS)
    for real in range(1, steps + 1):
        mask = torch.arange(steps)[None] < real
        padded, known = branch({"series": x * mask[..., None], "mask": mask})
        alone, whole = branch({"series": x[:, :real], "mask": mask[:, :real]})
        assert whole.all()
        assert known.sum() == whole.sum(), f"{real} real steps of {steps}"
        assert torch.allclose(padded[known], alone[whole], atol=1e-5)
        assert torch.allclose(masked_mean(padded, known), masked_mean(alone, whole), atol=1e-5)


@torch.no_grad()
def test_the_person_of_a_trunk_of_its_own_is_the_same_with_padding():
    trunk, input = _started(TRUNKS["series"]()), Levels(channels=CHANNELS)
    branch = MPFN(trunk=trunk, input=input).eval()
    x, mask = torch.randn(1, 9, CHANNELS), torch.arange(9)[None] < 8
    padded = branch({"series": x * mask[..., None], "mask": mask}, x, mask)
    alone = branch({"series": x[:, :8], "mask": mask[:, :8]}, x, mask)
    for one, other in zip(padded, alone, strict=True):
        assert torch.allclose(one, other, atol=1e-5)
