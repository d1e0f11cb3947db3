import numpy as np
import pytest

from datamodules.clips.dataset import SeriesClips
from datamodules.clips.statistics import training_statistics
from datamodules.manifests.manifest import read_manifest
from datamodules.series import UnreadableSeries
from datamodules.series.checks.mixed_units import check_units, level
from datamodules.series.series import Series


def levels(factors, seed: int = 0, spread: float = 0.3) -> dict[str, np.ndarray]:
    rng = np.random.default_rng(seed)
    found = {}
    for number, factor in enumerate(factors):
        values = np.exp(rng.normal(0, spread)) * rng.normal(1, 1, (200, 2)) * [factor, 1]
        valid = rng.random(200) > 0.1
        values[~valid] = 0
        one = Series(values=values.astype(np.float32), channels=("a", "b"), valid=valid, fps=25.0)
        found[f"f{number:02d}"] = level(one)
    return found


@pytest.mark.parametrize("factor", [100.0, 1000.0, 1e-3])
@pytest.mark.parametrize("share", [0.2, 0.5, 0.8])
def test_two_units_are_named_with_channel_files_and_remedy(factor, share):
    factors = np.where(np.arange(20) < 20 * share, factor, 1.0)
    with pytest.raises(UnreadableSeries, match=r"channel 'a'.*and near .*Convert one group of files \(f"):
        check_units(levels(factors), ("a", "b"))


@pytest.mark.parametrize("seed", range(20))
def test_people_and_cameras_that_differ_are_no_units(seed):
    rng = np.random.default_rng(seed)
    check_units(levels(np.exp(rng.normal(0, 1.5, 30)), seed), ("a", "b"))  # three decades
    check_units(levels(rng.choice([1.0, 6.0], 30), seed), ("a", "b"))  # two sizes of pictures
    check_units(levels(np.r_[np.ones(29), 1000.0], seed), ("a", "b"))  # one odd file is no unit of a cohort
    check_units(levels(np.r_[np.ones(20), np.zeros(10)], seed), ("a", "b"))  # never seen in some


@pytest.mark.parametrize(
    ("channel", "sizes", "two"),
    [
        ("jawOpen", (0.004, 0.32), False),  # at rest and speaking, both from 0 to 1
        ("jawOpen", (0.32, 32.0), True),  # percent
        ("au12", (0.02, 2.0), False),
        ("au12_probability", (0.3, 30.0), True),
        ("gaze_x", (0.02, 1.15), True),  # small angles in degrees are within what radians may be
        ("pose_x", (0.02, 20.0), True),
        ("mine", (0.004, 0.32), True),
    ],
)
def test_what_fits_the_known_range_of_a_channel_is_one_unit(channel, sizes, two):
    spread = np.exp(np.random.default_rng(0).normal(0, 0.2, 24))
    found = {f"f{n}": np.array([sizes[n % 2] * spread[n]]) for n in range(24)}
    if two:
        with pytest.raises(UnreadableSeries, match=f"channel '{channel}'.*two units"):
            check_units(found, (channel,))
    else:
        check_units(found, (channel,))


def test_the_level_is_that_of_valid_rows():
    values = np.r_[np.full((95, 1), -2.0), np.full((5, 1), 900.0)].astype(np.float32)
    one = Series(values=values, channels=("a",), valid=np.arange(100) < 95, fps=None)
    assert level(one) == pytest.approx([2.0])
    nobody = Series(values=values * 0, channels=("a",), valid=np.zeros(100, bool), fps=None)
    assert np.isnan(level(nobody)).all()


def test_training_stops_before_it_begins(cohort, write_series):
    path = cohort(8, 1, 60)
    for person in range(0, 8, 2):
        values = np.random.default_rng(person).normal(size=(60, 3)) * [1, 1000, 1]
        write_series(path.parent / f"p{person:02d}_v0.npz", values)
    with pytest.raises(UnreadableSeries, match="channel 'au12'"):
        training_statistics(read_manifest(path).recordings(), SeriesClips())
