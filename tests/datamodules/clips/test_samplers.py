import numpy as np
import pytest

from datamodules.clips.samplers import DenseClips, RandomClips, UniformClips, fit_stride


def clip(sampler, n_frames, number):
    indices, mask = sampler(n_frames, number, None)
    assert indices.dtype == np.int64
    assert mask.dtype == bool
    return indices.tolist(), mask.tolist()


def test_uniform_tables():
    sampler = UniformClips(length=4, stride=2, clips=3)
    assert sampler.count(13) == 3
    assert [clip(sampler, 13, number)[0] for number in range(3)] == [
        [0, 2, 4, 6],
        [3, 5, 7, 9],
        [6, 8, 10, 12],
    ]
    assert UniformClips(length=4, stride=2, clips=1)(13, 0, None)[0].tolist() == [3, 5, 7, 9]
    assert sampler.count(8) == 2  # starts 0 and 1 only
    assert [clip(sampler, 8, number)[0] for number in range(2)] == [[0, 2, 4, 6], [1, 3, 5, 7]]
    assert clip(sampler, 7, 0)[0] == [0, 2, 4, 6]


def test_dense_tables():
    sampler = DenseClips(length=3, stride=2, hop=4)
    assert sampler.count(12) == 3
    assert [clip(sampler, 12, number)[0] for number in range(3)] == [[0, 2, 4], [4, 6, 8], [7, 9, 11]]
    assert sampler.count(13) == 3
    assert clip(sampler, 13, 2)[0] == [8, 10, 12]
    assert sampler.count(5) == 1


@pytest.mark.parametrize(
    "sampler",
    [UniformClips(length=5, stride=4, clips=3), DenseClips(length=5, stride=4, hop=2)],
    ids=["uniform", "dense"],
)
def test_short_recordings_shrink_the_stride_then_hold_the_last_frame(sampler):
    assert clip(sampler, 9, 0) == ([0, 2, 4, 6, 8], [True] * 5)
    assert clip(sampler, 5, 0) == ([0, 1, 2, 3, 4], [True] * 5)
    assert clip(sampler, 3, 0) == ([0, 1, 2, 2, 2], [True, True, True, False, False])
    assert clip(sampler, 1, 0) == ([0, 0, 0, 0, 0], [True, False, False, False, False])
    assert sampler.count(3) == 1
    with pytest.raises(IndexError, match="clip 1 does not exist: the recording has 1"):
        sampler(3, 1, None)
    with pytest.raises(ValueError, match="at least one frame"):
        sampler(0, 0, None)


@pytest.mark.parametrize("n_frames", [3, 10, 63, 64, 65, 1000, 40_000])
@pytest.mark.parametrize(
    "sampler",
    [
        UniformClips(length=16, stride=4, clips=5),
        DenseClips(length=16, stride=4, hop=32),
        RandomClips(length=16, strides=(2, 4)),
    ],
    ids=["uniform", "dense", "random"],
)
def test_every_clip_of_every_length_is_inside_and_in_order(sampler, n_frames):
    for number in range(sampler.count(n_frames)):
        indices, mask = sampler(n_frames, number, np.random.default_rng(number))
        assert indices.shape == mask.shape == (16,)
        assert indices.min() >= 0
        assert indices.max() < n_frames
        assert mask.sum() == min(16, n_frames)
        assert (np.diff(indices[mask]) > 0).all()
        assert len(set(np.diff(indices[mask]).tolist())) == 1


def test_dense_covers_the_ends():
    sampler = DenseClips(length=16, stride=2, hop=31)
    seen = np.concatenate([sampler(1000, number, None)[0] for number in range(sampler.count(1000))])
    assert seen.min() == 0
    assert seen.max() == 999


def test_random_uses_all_rates_and_all_of_the_recording():
    sampler = RandomClips(length=4, strides=(1, 3))
    drawn = [sampler(50, 0, np.random.default_rng(seed))[0] for seed in range(400)]
    assert {int(indices[1] - indices[0]) for indices in drawn} == {1, 3}
    starts = np.array([indices[0] for indices in drawn])
    assert starts.min() < 3
    assert starts.max() > 40
    np.testing.assert_allclose(np.histogram(starts, bins=4, range=(0, 47))[0], 100, atol=35)


def test_two_clips_of_one_draw_lie_apart():
    sampler = RandomClips(length=4, strides=(2,))
    gaps = []
    for seed in range(200):
        starts = [sampler(1007, number, np.random.default_rng(seed))[0][0] for number in (0, 1)]
        gaps.append(abs(int(starts[0] - starts[1])))
    assert min(gaps) >= 380


def test_random_needs_a_generator_and_sizes_must_be_positive():
    with pytest.raises(ValueError, match="needs a generator"):
        RandomClips(length=4)(10, 0, None)
    with pytest.raises(ValueError, match="stride=0"):
        UniformClips(length=4, stride=0, clips=1)
    with pytest.raises(ValueError, match=r"strides\[1\]=-1"):
        RandomClips(length=4, strides=(1, -1))
    with pytest.raises(ValueError, match="strides is empty"):
        RandomClips(length=4, strides=())


def test_stride_of_a_single_frame_is_kept():
    assert fit_stride(3, 1, 4) == 4
    assert fit_stride(10, 4, 4) == 3
