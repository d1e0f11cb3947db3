import pytest
import torch
from torch.utils.flop_counter import FlopCounterMode

from models.zoo.convolutional.mdn import CELLS_50, CELLS_152, MDNTrunk, difference, running_maximum


def _series(*values):
    return torch.tensor(values).view(1, 1, -1, 1, 1)


def _windows(**changed):
    return [cell.windows for cell in MDNTrunk(stem=4, widths=(2, 2, 2, 2), **changed).stages]


@pytest.fixture(scope="module")
def full_size():
    with torch.device("meta"):
        return MDNTrunk().eval()


def test_the_size_and_the_cost_that_were_reported(full_size):
    # for MDN-152: 52 M parameters and 13.4 G multiplications for 16 frames of 112 x 112
    assert sum(p.numel() for p in full_size.parameters()) / 1e6 == pytest.approx(52, rel=0.01)
    with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.no_grad():
        tokens = full_size(torch.empty(1, 16, 3, 112, 112), torch.ones(1, 16, dtype=torch.bool))
    assert tokens.shape == (1, 1, 256)  # the whole clip, as in the public code
    assert counter.get_total_flops() / 2e9 == pytest.approx(13.4, rel=0.02)


def test_the_size_counted_by_hand(full_size):
    # convolutions without biases, two numbers of batch normalization per output channel
    count, inputs = 3 * 64 * 7**3 + 2 * 64, 64
    for width, cells in zip((32, 64, 128, 256), CELLS_152, strict=True):
        for _ in range(cells):
            branches = 5 * inputs * width * 9  # three maxima and two differences
            count += branches + (3 + 2 + 1) * width * width + inputs * width + 2 * 9 * width
            inputs = width
    assert sum(p.numel() for p in full_size.parameters()) == count == 52_115_328


@pytest.mark.parametrize(("cells", "layers"), [(CELLS_152, 152), (CELLS_50, 50)])
def test_two_layers_a_cell_with_stem_and_head_give_the_name(cells, layers):
    assert 2 * sum(cells) + 2 == layers


def test_maxima_and_differences_worked_out_by_hand():
    x = _series(1.0, 5.0, 2.0, 0.0, 3.0)
    assert running_maximum(x, 1).flatten().tolist() == [1, 5, 2, 0, 3]
    assert running_maximum(x, 2).flatten().tolist() == [5, 5, 2, 3, 3]
    assert running_maximum(x, 3).flatten().tolist() == [5, 5, 5, 3, 3]
    assert running_maximum(x, 4).flatten().tolist() == [5, 5, 5, 3, 3]
    assert running_maximum(-x, 4).flatten().tolist() == [-1, 0, 0, 0, 0]  # zeros behind the end are no steps
    assert difference(x, 1).flatten().tolist() == [4, 3, 2, 3, 3]
    assert difference(x, 2).flatten().tolist() == [1, 5, 1, 0, 3]
    assert difference(x[:, :, :1], 2).flatten().tolist() == [1]


def test_windows_shrink_behind_the_first_cell_of_a_stage():
    assert _windows(cells=(1, 2, 2, 2)) == [
        (2, 3, 4),
        *((2, 3, 4), (1, 2, 3)),
        *((1, 2, 3), (1, 1, 2)),
        *((1, 1, 2), (1, 1, 1)),
    ]


def test_no_cell_convolves_through_time():
    trunk = MDNTrunk(stem=4, widths=(2, 4), cells=(1, 1))
    kernels = {module.kernel_size[0] for module in trunk.stages.modules() if hasattr(module, "kernel_size")}
    assert kernels == {1}


def test_a_still_clip_has_no_sudden_motion_before_its_end():
    cell = MDNTrunk(stem=4, widths=(4,), cells=(1,)).stages[0]
    still = torch.randn(1, 4, 1, 6, 6).expand(-1, -1, 8, -1, -1)
    assert all(difference(still, lag)[:, :, :-lag].abs().sum() == 0 for lag in (1, 2))
    out = cell.eval()(still)
    assert torch.allclose(out[:, :, 0], out[:, :, 5], atol=1e-6)
    assert not torch.allclose(out[:, :, 0], out[:, :, 7], atol=1e-3)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"cells": (1,)}, "a width and a number of cells for each stage"),
        ({"cells": (1, 0, 1, 1)}, r"cells=\[1, 0, 1, 1\]"),
        ({"windows": (0, 2)}, "one step or more"),
    ],
)
def test_what_cannot_be_built_is_refused(changed, said):
    with pytest.raises(ValueError, match=said):
        MDNTrunk(**changed)
