import pytest

from models.zoo.sequence.inception_time import InceptionTimeTrunk


def test_the_published_size():
    # Six modules of 4 x 32 filters: counted by hand from Ismail Fawaz et al. 2020 with kernels 39, 19, 9.
    trunk = InceptionTimeTrunk(channels=1)
    first = 1 * 32 * (39 + 19 + 9) + 32  # univariate input has no bottleneck
    later = 128 * 32 + 32 * 32 * (39 + 19 + 9) + 128 * 32
    norms = 6 * 256 + 2 * 256
    assert sum(p.numel() for p in trunk.parameters()) == first + 5 * later + 128 + 128 * 128 + norms


def test_a_width_that_the_branches_cannot_share_is_refused():
    with pytest.raises(ValueError, match="dim=30"):
        InceptionTimeTrunk(channels=3, dim=30)


def test_even_kernels_are_refused():
    with pytest.raises(ValueError, match="40 would shift"):
        InceptionTimeTrunk(channels=3, kernels=(40, 20))
