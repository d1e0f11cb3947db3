"""Which stages of a backbone are read."""

import pytest
import torch

from models.trunks.frames import FramesTrunk


@pytest.mark.parametrize(
    ("stages", "told"),
    [
        ([], r"stages=\[\]: give one stage or more"),
        ([-1, -1], r"stages=\[-1, -1\]: a stage is given twice"),
        ([4, -1], r"stages=\[4, -1\]: a stage is given twice"),
        ([9], r"stages=\[9\]: resnet10t has 5 stages, 0 to 4, or -5 to -1"),
        ([-6], "resnet10t has 5 stages"),
    ],
)
def test_stages_that_are_not_there_empty_or_doubled_are_refused_with_their_number(stages, told):
    with pytest.raises(ValueError, match=told):
        FramesTrunk(backbone="resnet10t", dim=8, stages=stages)


@pytest.mark.parametrize("stages", [[-1, -3], [4, 2], [-1, 2]])
def test_stages_are_the_same_in_any_order(stages):
    x, mask = torch.rand(1, 1, 3, 32, 32), torch.ones(1, 1, dtype=torch.bool)
    torch.manual_seed(0)
    expected = FramesTrunk(backbone="resnet10t", dim=8, stages=[2, 4]).eval()
    torch.manual_seed(0)
    found = FramesTrunk(backbone="resnet10t", dim=8, stages=stages).eval()
    assert torch.equal(found(x, mask), expected(x, mask))
