import pytest

from biomarkers.features.families import channel, families, identity, region, statistic
from biomarkers.features.statistics import STATISTICS
from datamodules.synthetic.latent import CHANNELS


@pytest.mark.parametrize("name", CHANNELS)
def test_every_channel_of_the_cohort_has_a_region_and_its_statistics(name):
    assert region(f"{name}_mean") != "other"
    assert all(channel(f"{name}_{s}") == name and statistic(f"{name}_{s}") == s for s in STATISTICS)


@pytest.mark.parametrize(
    ("feature", "where"),
    [
        ("au01_present_mean", "brows"),
        ("au45_std", "eyes"),
        ("missingindicator_pupil_skew", "eyes"),
        ("au09_max", "nose"),
        ("au28_mean", "mouth"),
        ("pose_roll_var", "head"),
        ("p_scale_mean", "head"),
        ("p_0_mean", "shape (identity)"),
        ("sadness_iqr", "emotions"),
        ("age", "other"),
    ],
)
def test_regions(feature, where):
    assert region(feature) == where
    assert identity(feature) == feature.startswith("p_0")


def test_every_feature_is_in_one_family_of_each_kind():
    names = ["au12_mean", "gaze_x_std", "au12_std", "blinks_per_minute", "p_3_max"]
    found = families(names)
    for by in ("channel", "region", "statistic"):
        assert sorted(name for columns in found[by].values() for name in columns) == sorted(names)
    assert found["channel"]["au12"] == ["au12_mean", "au12_std"]
    assert found["statistic"]["std"] == ["gaze_x_std", "au12_std"]
    assert found["statistic"]["other"] == ["blinks_per_minute"]
